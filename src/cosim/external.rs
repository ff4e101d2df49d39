//! The image of external weights, as the simulated memory holds it.

use crate::error::{Error, Result};
use crate::ir::mapped::MappedNet;
use std::path::Path;

/// Reads `mem/external.hex` of the design in the folder `design`: the bytes, lowest first, and how many a word has. `None` if all
/// weights are inside.
///
/// # Errors
/// `Input` if the image is missing, or has other words than `net` says.
pub(super) fn load(design: &Path, net: &MappedNet) -> Result<Option<(Vec<u8>, u32)>> {
    let Some(port) = net.weight_port() else { return Ok(None) };
    let path = design.join("mem").join("external.hex");
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "read", &e))?;
    let wrong =
        |what: String| Error::input(what).in_file(&path).help("compile the design again: its files are incomplete");
    let word_bytes = port.word_bits / 8;
    let mut bytes = Vec::with_capacity(port.bytes());
    for (line, word) in text.lines().enumerate() {
        let digits = word.as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let word: Option<Vec<u8>> = digits.rchunks(2).map(byte).collect();
        match word {
            Some(word) if digits.len() == 2 * word_bytes => bytes.extend(word),
            _ => return Err(wrong(format!("line {} is no word of {word_bytes} bytes", line + 1))),
        }
    }
    if bytes.len() != port.bytes() {
        return Err(wrong(format!("has {} words, {} expected", bytes.len() / word_bytes.max(1), port.words)));
    }
    let word_bytes = u32::try_from(word_bytes).map_err(|_| wrong("has words that are too wide".into()))?;
    Ok(Some((bytes, word_bytes)))
}
