//! IDX, the format of the MNIST files: two zero bytes, a type, a rank, big-endian extents, big-endian data.

use super::{Content, Images, Labels, byte_count, image_shape, source::Source};
use crate::error::{Error, Problem, Result};

const UBYTE: u8 = 0x08;

/// True for the magic number of an IDX file of any known type and a rank of 1 to 4.
pub(super) fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0x08 | 0x09 | 0x0b | 0x0c | 0x0d | 0x0e, 1..=4, ..])
}

/// Reads a file for which [`is_idx`] holds.
pub(super) fn read(source: &mut Source) -> Result<Content> {
    let (kind, rank) = match source.bytes() {
        [_, _, kind, rank, ..] => (*kind, usize::from(*rank)),
        _ => return Err(Error::input("is truncated: it ends within its header")),
    };
    let start = 4 + 4 * rank;
    let Some(header) = source.bytes().get(4..start) else {
        return Err(Error::input("is truncated: it ends within its header"));
    };
    let extents: Vec<usize> =
        header.as_chunks::<4>().0.iter().map(|&bytes| u32::from_be_bytes(bytes) as usize).collect();
    let size = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        _ => 8,
    };
    let data_bytes = byte_count(&extents, size)?;
    let data = source.exactly(start + data_bytes)?.get(start..).unwrap_or_default();
    if rank == 1 {
        return Ok(Content::Labels(Labels::new(integers(kind, data)?)?));
    }
    if kind != UBYTE {
        return Err(Problem::new(format!("holds images of IDX type 0x{kind:02x}, not unsigned bytes (0x08)"))
            .help("write the pixels as bytes, or as floats in [0, 1] into an NPY file")
            .into());
    }
    let (_, shape) = image_shape(&extents)?;
    Ok(Content::Images(Images::from_bytes(shape, data.to_vec())?, None))
}

fn integers(kind: u8, data: &[u8]) -> Result<Vec<i128>> {
    Ok(match kind {
        UBYTE => data.iter().map(|&x| x.into()).collect(),
        0x09 => data.iter().map(|&x| (x as i8).into()).collect(),
        0x0b => data.as_chunks().0.iter().map(|&x| i16::from_be_bytes(x).into()).collect(),
        0x0c => data.as_chunks().0.iter().map(|&x| i32::from_be_bytes(x).into()).collect(),
        _ => {
            return Err(Problem::new(format!("holds labels of the floating-point IDX type 0x{kind:02x}"))
                .help("write the labels as integers")
                .into());
        }
    })
}
