//! NIR, the Neuromorphic Intermediate Representation: HDF5 files that hold graphs of spiking neurons.
//!
//! [`read`] and [`write()`] keep everything a file holds, element types and metadata included, so what is written and read back is
//! equal. [`Executor`] runs a graph in double precision; it is the reference for NIR networks, as [`super::Reference`] is for ONNX.
//!
//! A file goes through these stages, each in a module of its own: `hdf5` (a tree of groups and arrays), `decode` (a
//! [`NirGraph`]), `flat` (nested graphs joined into one), `shape` (what every node takes and gives), `order` (what runs when),
//! `execute`. The first three believe nothing of a file; what they let through, the others can rely on.

pub mod array;
mod check;
pub mod convention;
mod decode;
mod dialect;
mod execute;
mod flat;
mod hdf5;
mod kind;
mod model;
mod order;
mod shape;
mod summary;

pub use array::{Array, Data};
pub use convention::{GraphNotes, Notes, Presentation, Rows};
pub use dialect::Dialect;
pub use execute::{Executor, Firing, Neurons, Outcome, Part, Port, Settings, TimeStep, Watched, What};
pub use kind::{Kind, Need};
pub use model::{Meta, Metadata, NirGraph, Node, Unit};
pub use summary::{NodeSummary, Summary};

use crate::error::{Error, Kind as ErrorKind, Problem, Result};
use std::path::Path;

/// The version of NIR that files are written for, where the graph names none.
pub const VERSION: &str = "1.0.8";

/// Problems of one file that are listed before the rest is only counted.
const MAX_PROBLEMS: usize = 50;

/// True for the bytes of an HDF5 file, which every NIR file is. The signature may stand behind a block that is the user's.
pub fn recognises(bytes: &[u8]) -> bool {
    let starts = std::iter::once(0).chain((9..14).map(|power| 1usize << power));
    starts.filter_map(|start| bytes.get(start..)).any(|rest| rest.starts_with(b"\x89HDF\r\n\x1a\n"))
}

/// Reads a NIR file and checks it: what comes back has known primitives with all their fields, edges that lead somewhere,
/// numbers that are numbers, shapes that agree, and no circle without a neuron or Delay.
///
/// # Errors
/// [`ErrorKind::Input`] with every problem found, each naming the file and, where there is one, the node.
pub fn read(path: &Path) -> Result<NirGraph> {
    hdf5::open(path).and_then(accept).map_err(|e| shorten(e).in_file(path))
}

/// As [`read`], from the bytes of a file.
///
/// # Errors
/// As [`read`]; the problems name no file.
pub fn parse(bytes: Vec<u8>) -> Result<NirGraph> {
    hdf5::parse(bytes).and_then(accept).map_err(shorten)
}

fn accept(root: hdf5::Root) -> Result<NirGraph> {
    let mut problems = Vec::new();
    let graph = decode::decode(root, &mut problems);
    Error::check(ErrorKind::Input, problems)?;
    let graph = graph.ok_or_else(|| Error::internal("a graph was lost without a message"))?;
    check::check(&graph)?;
    Ok(graph)
}

/// Checks a graph and writes it as Python's `nir` would; gives the length of the file. The same graph always gives the same bytes.
/// The file is written aside and renamed, so it is either complete or not there.
///
/// # Errors
/// [`ErrorKind::Input`] with every problem of the graph, or the file cannot be written.
pub fn write(path: &Path, graph: &NirGraph) -> Result<usize> {
    let bytes = to_bytes(graph).map_err(|e| e.in_file(path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |e: std::io::Error| Error::io(path, "write the file", &e);
    let aside = tempfile::Builder::new().prefix(".synfire-").tempdir_in(folder).map_err(failed)?;
    let new = aside.path().join("new");
    std::fs::write(&new, &bytes).and_then(|()| std::fs::rename(&new, path)).map_err(failed)?;
    Ok(bytes.len())
}

/// As [`write()`], but gives the bytes of the file.
///
/// # Errors
/// [`ErrorKind::Input`] with every problem of the graph.
pub fn to_bytes(graph: &NirGraph) -> Result<Vec<u8>> {
    check::check(graph).map_err(shorten)?;
    hdf5::write(&decode::encode(graph), graph.version.as_deref().unwrap_or(VERSION))
}

/// A file can be wrong in a hundred thousand places.
fn shorten(mut error: Error) -> Error {
    let more = error.problems.len().saturating_sub(MAX_PROBLEMS);
    if more > 0 {
        error.problems.truncate(MAX_PROBLEMS);
        error.problems.push(Problem::new(format!("and {more} more problems")));
    }
    error
}
