//! What windows, and whole spiking networks before quantisation, compute in `f32`: the arithmetic that the float models share.
//!
//! All functions take a batch of images, one a row, elements row-major, and *add* to the result. Whoever has many images passes them
//! in parts, one for each thread.

mod snn;
mod window;

pub use snn::{activations, evaluate};
pub use window::{channelwise, conv, max};

/// Elements of one layer that a thread holds at a time: few enough for the second-level cache of most machines, many
/// enough for products of matrices to be efficient.
const CHUNK_ELEMENTS: usize = 1 << 18;

/// Images that a thread computes at a time, if the largest layer has `elements`.
pub fn chunk(elements: usize) -> usize {
    (CHUNK_ELEMENTS / elements.max(1)).clamp(1, 256)
}
