//! `Graph` → `SnnGraph`: operators become populations and projections.
//!
//! Everything between two ReLUs is linear, so the whole stretch becomes one projection per sender. The passes, in order:
//!
//! | pass | file | does |
//! |---|---|---|
//! | sink | `sink.rs` | moves max pooling behind ReLUs and positive factors |
//! | live | `live.rs` | drops nodes that the output does not depend on |
//! | normalise | `normalise.rs` | writes the input normalisation as a scale and an offset of the pixels, or as the source's zero |
//! | fold | `fold.rs` | folds linear operators into each other; a ReLU closes a population |
//! | pool | `pool.rs` | pooling of activations closes a population, other average pooling is folded |
//! | prune | `live.rs` | drops populations that slices have cut off |
//! | lower | `lower.rs` | populations and projections in `f32`, with everything that hardware needs to be finite |
//!
//! `expression.rs`, `linear.rs`, `window.rs` and `compose.rs` hold the algebra that they share. All of it is exact up to rounding: it is
//! done in `f64` and rounded to `f32` once, at the end.
//!
//! | operator | becomes |
//! |---|---|
//! | Dense | a dense projection; Dense after Dense is multiplied out |
//! | Conv | a conv projection; depthwise: channelwise; over a single pixel or the whole image: dense |
//! | Affine | a factor on the weights of each channel, and bias |
//! | AveragePool | of activations: a population [`Sum`](crate::ir::snn::Model::Sum); of the image and between linear operators: a part of the window |
//! | MaxPool | a population [`Max`](crate::ir::snn::Model::Max) of activations, refused elsewhere |
//! | Strided (Slice, Pad), Concat | channelwise projections, or a part of the windows around them |
//! | Permute | another order of the weights of a Dense |
//! | Add | several projections into one population |
//! | Relu | a population, or nothing where it changes nothing |
//!
//! Two windows in a row are one window unless the second pads what the first computes; then they are written out as a matrix
//! if that is small, and refused otherwise.
//!
//! A ReLU at the very output is refused. Its arg-max equals that of its input only if some logit is positive (and
//! below the clip); where none is, every output is zero and the network's answer is a tie, which a readout would
//! break differently.
//!
//! [`nir`] does the same for NIR graphs, which are spiking networks already.

mod compose;
mod expression;
mod fold;
mod linear;
mod live;
mod lower;
pub mod nir;
mod normalise;
mod pool;
mod sink;
mod window;

use crate::error::{Error, Kind, Result};
use crate::fixed::Normalisation;
use crate::ir::graph::Graph;
use crate::ir::snn::SnnGraph;

/// Turns a float operator graph into populations and projections.
///
/// `normalisation` is what the float network expects to be applied to pixels in `[0, 1]`; it is folded into the first
/// projections. The result computes the same function as the graph, up to `f32` rounding.
///
/// # Errors
/// [`Kind::Input`] with every node that cannot be expressed, or a normalisation that does not fit the input.
pub fn convert(graph: &Graph, normalisation: Option<&Normalisation>) -> Result<SnnGraph> {
    Error::check(Kind::Input, graph.check())?;
    let graph = &sink::sink(graph.clone());
    let live = live::live(graph);
    let input = normalise::input(graph, &live, normalisation)?;
    let stretches = live::prune(fold::fold(graph, &live, &input)?);
    let snn = lower::lower(&graph.name, stretches, &input)?;
    Error::check(Kind::Internal, snn.check())?;
    Ok(snn)
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
