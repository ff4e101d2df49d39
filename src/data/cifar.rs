//! The binary version of CIFAR-10: records of one label byte and 3×32×32 pixel bytes, without any header.

use super::{Content, Images, Labels, source::Source};
use crate::error::{Error, Problem, Result};
use crate::ir::Shape;

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
const CLASSES: u8 = 10;

/// Reads a file that is neither NPY nor IDX; by its length, it is CIFAR-10 or nothing.
pub(super) fn read(source: &mut Source) -> Result<Content> {
    let bytes = source.all()?;
    if bytes.len() % RECORD != 0 {
        return Err(Problem::new(format!(
            "is no IDX, NPY or CIFAR-10 file: it begins like none, and its {} bytes are no multiple of CIFAR-10's \
             record of {RECORD}",
            bytes.len()
        ))
        .help("give an IDX (MNIST), NPY or CIFAR-10 binary file, plain or gzipped")
        .into());
    }
    let records = bytes.chunks_exact(RECORD);
    let mut labels = Vec::with_capacity(records.len());
    let mut pixels = Vec::with_capacity(records.len() * PIXELS);
    for (i, record) in records.enumerate() {
        let Some((&label, image)) = record.split_first() else { continue };
        if label >= CLASSES {
            return Err(Error::from(
                Problem::new(format!("has the length of a CIFAR-10 file, but its record {i} has the label {label}"))
                    .help("labels of CIFAR-10 are 0 to 9; CIFAR-100 and other formats are not supported"),
            ));
        }
        labels.push(i128::from(label));
        pixels.extend_from_slice(image);
    }
    let images = Images::from_bytes(Shape(vec![3, 32, 32]), pixels)?;
    Ok(Content::Images(images, Some(Labels::new(labels)?)))
}
