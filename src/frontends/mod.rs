//! Model files become a [`Graph`]; the float network runs as reference.
//!
//! Two independent machines compute the float network: [`Reference`] runs the file's own operators (with the `rten`
//! engine), and [`evaluate()`] runs our own graph. That they agree is the evidence that the lowering is right.

mod evaluate;
pub mod nir;
pub mod onnx;
mod prepare;
mod reference;

pub use evaluate::{activations, evaluate};
pub use reference::Reference;

use crate::error::{Error, Problem, Result};
use crate::ir::graph::Graph;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A larger model file is refused.
const MAX_FILE: u64 = 1 << 30;

/// Reads a model file. The graph is named after it.
///
/// # Errors
/// [`crate::error::Kind::Input`] with every problem found, each naming the file; see [`onnx::parse`].
pub fn load(path: &Path) -> Result<Graph> {
    let name = path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned());
    onnx::parse(&read(path)?, &name).map_err(|e| e.in_file(path))
}

/// The bytes of a model file.
///
/// # Errors
/// The file cannot be read, or is larger than any model.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::io(path, "read the model", &e);
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        let problem = Problem::new(format!("is larger than the limit of {} MiB", MAX_FILE >> 20));
        return Err(problem.in_file(path).into());
    }
    Ok(bytes)
}
