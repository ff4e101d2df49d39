//! HDF5 as a tree of groups and arrays. This is the only module that knows the crate `hdf5-pure`.
//!
//! Files come from anywhere, so nothing in them is believed: a file is read through a [`source`] that counts what is asked
//! of it, sizes are checked against the file's length before memory is taken, and the work is done on a thread of its own
//! with a roomy stack, where even a panic of the library would end in a message.

mod read;
mod source;
mod write;

pub(super) use write::write;

use super::array::Array;
use crate::error::{Error, Problem, Result};
use read::Limits;
use source::{Bytes, Metered};
use std::fs::File;
use std::path::Path;
use std::thread;

/// Enough for the library's recursion over the deepest types that a header can describe.
const STACK: usize = 64 << 20;

/// A group or a data set.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// Members by name, in the order of the file.
    Group(Vec<(String, Tree)>),
    /// A data set.
    Array(Array),
}

/// What a NIR file holds at its root.
pub(super) struct Root {
    /// The group `node`.
    pub node: Tree,
    /// The data set `version`; the oldest files have none.
    pub version: Option<Tree>,
}

/// Reads the groups of a file on disk.
///
/// # Errors
/// Every problem found; the problems name the group or data set, but not the file.
pub(super) fn open(path: &Path) -> Result<Root> {
    let failed = |e: std::io::Error| Error::io(path, "read the file", &e);
    let file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    // A folder opens on some systems, and a pipe has no length.
    if !path.is_file() {
        return Err(Problem::new("is no regular file").help("give the path of a .nir file").into());
    }
    load(Bytes::File(file), len)
}

/// Reads the groups of a file in memory.
///
/// # Errors
/// As [`open`].
pub(super) fn parse(bytes: Vec<u8>) -> Result<Root> {
    let len = bytes.len() as u64;
    load(Bytes::Memory(bytes), len)
}

fn load(bytes: Bytes, len: u64) -> Result<Root> {
    let (source, meter) = Metered::new(bytes, len);
    let worker = thread::Builder::new().name("nir-reader".into()).stack_size(STACK);
    let limits = Limits::of(len);
    let handle = worker
        .spawn(move || read::read(source, &meter, limits))
        .map_err(|e| Error::internal(format!("cannot start a thread: {e}")))?;
    handle.join().unwrap_or_else(|_| {
        Err(Problem::new("is damaged in a way that the HDF5 library cannot digest")
            .help("export or fetch the file again")
            .into())
    })
}
