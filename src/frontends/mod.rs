//! Model files become a [`Graph`]; the float network runs as reference.
//!
//! Two independent machines compute the float network: [`Reference`] runs the file's own operators (with the `rten`
//! engine), and [`evaluate()`] runs our own graph. That they agree is the evidence that the lowering is right: [`verify`] sees to it
//! for every model that is compiled or run.

mod agreement;
mod evaluate;
pub mod nir;
pub mod onnx;
mod prepare;
mod reference;

pub use agreement::verify;
pub use evaluate::{activations, evaluate};
pub use reference::Reference;

use crate::error::{Error, Problem, Result};
use crate::ir::graph::Graph;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A gzipped model that unpacks to more is refused, for a small file can unpack to anything.
const MAX_UNPACKED: u64 = 1 << 28;

/// A larger model file is refused.
const MAX_FILE: u64 = 1 << 30;

/// Reads a model file. The graph is named after it.
///
/// # Errors
/// [`crate::error::Kind::Input`] with every problem found, each naming the file; see [`onnx::parse`].
pub fn load(path: &Path) -> Result<Graph> {
    onnx::parse(&read(path)?, &name_of(path)).map_err(|e| e.in_file(path))
}

/// What a network is called after its file: the name without `.gz` and one more extension.
pub fn name_of(path: &Path) -> String {
    let zipped = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let file = if zipped { path.file_stem().map(Path::new) } else { Some(path) };
    file.and_then(Path::file_stem).map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The bytes of a model file, which may be gzipped.
///
/// # Errors
/// The file cannot be read, or is larger than any model.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::io(path, "read the model", &e);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut bytes, mut limit) = (Vec::new(), MAX_FILE);
    if file.fill_buf().map_err(failed)?.starts_with(&GZIP) {
        let unpacked = MultiGzDecoder::new(file).take(MAX_UNPACKED + 1).read_to_end(&mut bytes);
        limit = MAX_UNPACKED;
        unpacked.map_err(|e| {
            let problem = Problem::new(format!("cannot be decompressed: {e}")).in_file(path);
            problem.help("the file is truncated or damaged: fetch it again")
        })?;
    } else {
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > limit {
        let problem = Problem::new(format!("is larger than the limit of {} MiB", limit >> 20));
        return Err(problem.in_file(path).into());
    }
    Ok(bytes)
}
