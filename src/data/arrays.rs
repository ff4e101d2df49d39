//! Plain arrays of doubles: recorded signals, in NPY files of one array and NPZ files of several named ones.

use super::source::{MAX_BYTES, Source};
use super::{npy, npz};
use crate::error::{Error, Problem, Result};
use crate::interrupts::write_whole;
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::{WriteNpyError, WriteNpyExt};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

/// Elements that a file may hold: as doubles, they take eight times as much.
const MAX_ELEMENTS: usize = 1 << 26;

/// What a file of arrays holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrays {
    /// One array: NPY, possibly gzipped.
    Single(ArrayD<f64>),
    /// Arrays by name: NPZ.
    Named(BTreeMap<String, ArrayD<f64>>),
}

/// Reads integers, truth values or floats of any size as doubles.
///
/// # Errors
/// [`crate::error::Kind::Input`] if the file cannot be read, is neither NPY nor NPZ, or disagrees with its own headers.
pub fn load_arrays(path: &Path) -> Result<Arrays> {
    let load = || {
        let mut source = Source::open(path)?;
        source.fill(super::source::HEAD)?;
        if npz::is_npz(source.bytes()) {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(|e| Error::io(path, "read the file", &e))?;
            let read = file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|e| Error::io(path, "read the file", &e))?;
            let members = npz::members(&bytes)?;
            let mut left = MAX_ELEMENTS;
            let mut named = BTreeMap::new();
            for (name, content) in members {
                let array = array(&mut Source::memory(content), &mut left).map_err(|e| of_member(e, &name))?;
                named.insert(name, array);
            }
            return Ok(Arrays::Named(named));
        }
        if !npy::is_npy(source.bytes()) {
            return Err(Problem::new("is neither NPY nor NPZ")
                .help("write it with numpy.save, or with numpy.savez for several arrays")
                .into());
        }
        array(&mut source, &mut { MAX_ELEMENTS }).map(Arrays::Single)
    };
    load().map_err(|e| e.in_file(path))
}

fn of_member(mut error: Error, name: &str) -> Error {
    for problem in &mut error.problems {
        problem.what = format!("the array '{name}' {}", problem.what);
    }
    error
}

fn array(source: &mut Source, left: &mut usize) -> Result<ArrayD<f64>> {
    let (extents, values) = npy::doubles(source, *left)?;
    *left -= values.len();
    ArrayD::from_shape_vec(IxDyn(&extents), values).map_err(|e| Error::internal(format!("an array is broken: {e}")))
}

/// Writes one array as NPY, in double precision, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn save_npy(path: &Path, array: &ArrayD<f64>) -> Result<()> {
    // Streamed: the bytes beside the array would take as much memory again.
    let encode = |file: &mut dyn Write| {
        array.write_npy(file).map_err(|e| match e {
            WriteNpyError::Io(e) => e,
            other => std::io::Error::other(other),
        })
    };
    write_whole(path, encode).map_err(|e| Error::io(path, "write the arrays", &e))
}

/// Writes arrays as NPZ, uncompressed, in double precision. The same arrays give the same bytes.
///
/// # Errors
/// The file cannot be written, or holds more than such a file can.
pub fn save_npz(path: &Path, arrays: &BTreeMap<String, ArrayD<f64>>) -> Result<()> {
    let mut members = Vec::with_capacity(arrays.len());
    for (name, array) in arrays {
        members.push((name.as_str(), encode(array)?));
    }
    save(path, &npz::archive(&members)?)
}

fn encode(array: &ArrayD<f64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| Error::internal(format!("cannot encode an array: {e}")))?;
    Ok(bytes)
}

fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, |file| file.write_all(bytes)).map_err(|e| Error::io(path, "write the arrays", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads the old file, or interrupts the new one, never sees half of either.
    #[test]
    fn an_array_is_written_aside_and_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, old) = (folder.path().join("y.npy"), folder.path().join("old"));
        std::fs::write(&file, "old").unwrap();
        std::fs::hard_link(&file, &old).unwrap();
        save_npy(&file, &ArrayD::zeros(IxDyn(&[2]))).unwrap();
        assert_eq!(std::fs::read(&old).unwrap(), b"old");
        assert!(matches!(load_arrays(&file), Ok(Arrays::Single(y)) if y.shape() == [2]));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
