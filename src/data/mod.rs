//! Images and labels from files: IDX, NPY and CIFAR-10 binary, each also gzipped, told apart by content.
//!
//! | format | images | labels |
//! |---|---|---|
//! | IDX | unsigned bytes, `[N, F]`, `[N, H, W]` or `[N, C, H, W]` | any integer type, `[N]` |
//! | NPY | `u1` (divided by 255), `f4` or `f8` in `[0, 1]`, same shapes, C or Fortran order | any integer type, `[N]` |
//! | CIFAR-10 binary | records of a label byte and 3×32×32 bytes | the label bytes |
//!
//! Recorded spike trains are NPY, `[samples, T, input shape]` ([`load_trains`]). [`Samples`] are either.
//!
//! An extent `[H, W]` becomes `[1, H, W]`. Sizes in headers are never trusted: memory is taken only as bytes arrive,
//! and no file may announce more than 1 GiB or, as CIFAR-10, unpack to more than 256 MiB.

mod arrays;
mod cifar;
mod encoder;
mod idx;
mod images;
mod labels;
mod npy;
mod npz;
mod samples;
mod source;
mod trains;

pub use arrays::{Arrays, load_arrays, save_npy, save_npz};
pub use encoder::{encode_spikes, presented};
pub use images::Images;
pub use labels::Labels;
pub use samples::Samples;
pub use trains::{SpikeTrains, load_trains};

use crate::error::{Error, Kind, Problem, Result};
use crate::ir::Shape;
use source::Source;
use std::path::Path;

/// Reads a set of images, and the labels if the file holds them too (CIFAR-10).
///
/// # Errors
/// [`Kind::Input`] if the file cannot be read, is none of the formats, disagrees with its own header, is empty, or
/// holds a pixel outside `[0, 1]`.
pub fn load_images(path: &Path) -> Result<(Images, Option<Labels>)> {
    let read = || match read(path)? {
        Content::Images(images, labels) => Ok((images, labels)),
        Content::Labels(labels) => Err(Error::from(
            Problem::new(format!("holds a list of {} labels, not images", labels.len()))
                .help("give the file with the pixels; this one belongs to --labels"),
        )),
    };
    read().map_err(|e| e.in_file(path))
}

/// Reads a list of labels; of a CIFAR-10 file, the labels inside.
///
/// # Errors
/// [`Kind::Input`] if the file cannot be read, is none of the formats, disagrees with its own header, is empty, or
/// holds a negative label.
pub fn load_labels(path: &Path) -> Result<Labels> {
    let read = || match read(path)? {
        Content::Labels(labels) | Content::Images(_, Some(labels)) => Ok(labels),
        Content::Images(images, None) => Err(Error::from(
            Problem::new(format!("holds {} images of {}, not labels", images.len(), images.shape()))
                .help("give a file of rank 1 with one integer an image"),
        )),
    };
    read().map_err(|e| e.in_file(path))
}

/// Verifies that there is one label an image and that every label is below `classes`.
///
/// # Errors
/// [`Kind::Input`] with every disagreement.
pub fn check_pair(images: &Images, labels: &Labels, classes: usize) -> Result<()> {
    check_labels(images.len(), "images", labels, classes)
}

/// As [`check_pair`], for `samples` samples that are called `noun`.
fn check_labels(samples: usize, noun: &str, labels: &Labels, classes: usize) -> Result<()> {
    let mut problems = Vec::new();
    if samples != labels.len() {
        problems.push(
            Problem::new(format!("there are {samples} {noun} but {} labels", labels.len()))
                .help(format!("give the {noun} and the labels of the same set")),
        );
    }
    let wrong: Vec<usize> = (0..labels.len()).filter(|&i| labels.as_slice()[i] >= classes).collect();
    if let Some(&first) = wrong.first() {
        problems.push(
            Problem::new(format!(
                "{} of {} labels are out of range; the first is {} at index {first}, but the network has {classes} \
                 classes, 0 to {}",
                wrong.len(),
                labels.len(),
                labels.as_slice()[first],
                classes.saturating_sub(1)
            ))
            .help("give the labels that the network was trained for"),
        );
    }
    Error::check(Kind::Input, problems)
}

/// Verifies that images have the size and the channels of a network's input.
///
/// Flat images, `[N]`, fit any input of as many elements, and a flat input any images. Extents of 1 do not count.
///
/// # Errors
/// [`Kind::Input`] if they do not.
pub fn check_size(images: &Images, input: &Shape) -> Result<()> {
    let shape = images.shape();
    let flat = shape.0.len() == 1 || input.0.len() == 1;
    // A signal [C, L] is the image [1, C, L] of a file and the [C, 1, L] of a convolution along one axis.
    let extents = |shape: &Shape| shape.0.iter().copied().filter(|&extent| extent != 1).collect::<Vec<_>>();
    let same = shape.channels() == input.channels() || extents(shape) == extents(input);
    if shape.len() == input.len() && (flat || same) {
        return Ok(());
    }
    Err(Problem::new(format!("the images are {shape}, but the network's input is {input}"))
        .help("give the data set that the network was trained for, with channels before rows and columns")
        .into())
}

/// What a file turned out to hold.
enum Content {
    Images(Images, Option<Labels>),
    Labels(Labels),
}

fn read(path: &Path) -> Result<Content> {
    let mut source = Source::open(path)?;
    source.fill(source::HEAD)?;
    if source.bytes().is_empty() {
        return Err(Error::input("is empty"));
    }
    if npy::is_npy(source.bytes()) {
        return npy::read(&mut source);
    }
    if idx::is_idx(source.bytes()) {
        let disagreement = match idx::read(&mut source) {
            Ok(content) => return Ok(content),
            Err(e) => e,
        };
        // A CIFAR-10 file whose first image is very dark can begin like an IDX file.
        return cifar::read(&mut source).map_err(|_| disagreement);
    }
    cifar::read(&mut source)
}

/// Splits the extents of an array of images into their number and the shape of one.
fn image_shape(extents: &[usize]) -> Result<(usize, Shape)> {
    let (count, shape) = match *extents {
        [n, f] => (n, Shape(vec![f])),
        [n, h, w] => (n, Shape(vec![1, h, w])),
        [n, c, h, w] => (n, Shape(vec![c, h, w])),
        _ => {
            return Err(Problem::new(format!("has rank {}, which is neither images nor labels", extents.len()))
                .help("images are [N, F], [N, H, W] or [N, C, H, W]; labels are [N]")
                .into());
        }
    };
    if count == 0 || shape.is_empty() {
        return Err(Error::input(format!("holds no pixels: its shape is {}", Shape(extents.to_vec()))));
    }
    Ok((count, shape))
}

/// `Π extents · size` as the number of bytes of an array, if that is below the limit on a file.
fn byte_count(extents: &[usize], size: usize) -> Result<usize> {
    let bytes = extents.iter().try_fold(size, |n, &d| n.checked_mul(d)).filter(|&n| n <= source::MAX_BYTES);
    bytes.ok_or_else(|| {
        Problem::new(format!(
            "its header announces the shape {}, more than the limit of {} MiB",
            Shape(extents.to_vec()),
            source::MAX_BYTES >> 20
        ))
        .help("the header is damaged, or the set must be split")
        .into()
    })
}
