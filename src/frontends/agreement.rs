//! The numeric check of the lowering, outside tests too: two machines that compute the same network must give the same logits.

use super::evaluate;
use super::reference::Reference;
use crate::error::{Error, Result};
use crate::ir::graph::Graph;
use ndarray::{Array2, ArrayView2};

/// Largest difference of two logits of an image, relative to the image's largest logit. Sums of `f32` in another order differ by
/// less than a thousandth of this.
const TOLERANCE: f32 = 1e-3;

/// Logits that are all smaller than this are what is left where larger numbers cancel: there the rounding decides.
const SMALL: f32 = 1e-2;

/// Images that are made up where none are given.
const IMAGES: usize = 2;

/// Compares `graph`, the lowering of the model file `source`, with the file's own operators on `images`, `[B, pixels]`. A file that the
/// float engine does not know has no second opinion, and passes; so does one that rounds activations, which the graph does not.
///
/// # Errors
/// [`crate::error::Kind::Internal`] if they disagree; what [`Reference::load`] refuses.
pub fn verify(source: &[u8], graph: &Graph, images: ArrayView2<f32>) -> Result<()> {
    agree(&Reference::load(source.to_vec())?, graph, images)
}

/// As [`verify`], for a loaded reference and made-up pixels.
pub(super) fn agree_on_anything(reference: &Reference, graph: &Graph) -> Result<()> {
    // A multiplicative hash of the place: spread over [0, 1), the same everywhere.
    let pixel = |(row, column): (usize, usize)| {
        let place = ((row as u32) << 24) ^ (column as u32);
        (place.wrapping_add(1).wrapping_mul(0x9e37_79b1) >> 8) as f32 / (1u32 << 24) as f32
    };
    agree(reference, graph, Array2::from_shape_fn((IMAGES, graph.input_shape().len()), pixel).view())
}

fn agree(reference: &Reference, graph: &Graph, images: ArrayView2<f32>) -> Result<()> {
    if reference.substitute().is_some() || reference.rounds() {
        return Ok(());
    }
    let (theirs, ours) = (reference.logits(images)?, evaluate(graph, images)?);
    if theirs.dim() != ours.dim() {
        let (a, b) = (theirs.ncols(), ours.ncols());
        return Err(Error::internal(format!("the float engine gives {a} logits for the network, synfire's graph {b}")));
    }
    for (image, (theirs, ours)) in theirs.rows().into_iter().zip(ours.rows()).enumerate() {
        let largest = theirs.iter().chain(&ours).fold(0.0f32, |most, y| most.max(y.abs()));
        // Where an overflow has happened, both are right.
        if !theirs.iter().chain(&ours).all(|y| y.is_finite()) {
            continue;
        }
        let apart = |(a, b): (&f32, &f32)| (a - b).abs() > TOLERANCE * largest.max(SMALL);
        if let Some(class) = theirs.iter().zip(&ours).position(apart) {
            return Err(Error::internal(format!(
                "the float engine and synfire read the network differently: logit {class} of image {image} is {} and {}",
                theirs[class], ours[class]
            )));
        }
    }
    Ok(())
}
