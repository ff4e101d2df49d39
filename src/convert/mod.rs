//! `Graph` → `SnnGraph`: operators become populations and projections.
//!
//! Everything between two ReLUs is linear, so the whole stretch becomes one weight matrix per sender. The passes, in
//! order:
//!
//! | pass | file | does |
//! |---|---|---|
//! | live | `live.rs` | drops nodes that the output does not depend on |
//! | normalise | `normalise.rs` | writes the input normalisation as a scale and an offset of the pixels |
//! | fold | `fold.rs` | folds Affine into Dense, collapses Dense into Dense, sums Add, forgets Reshape; a ReLU closes a population |
//! | lower | `lower.rs` | populations and projections in `f32`, with everything that hardware needs to be finite |
//!
//! `linear.rs` holds the algebra that they share. All of it is exact up to rounding: it is done in `f64` and rounded to
//! `f32` once, at the end.
//!
//! A ReLU at the very output is refused. Its arg-max equals that of its input only if some logit is positive (and
//! below the clip); where none is, every output is zero and the network's answer is a tie, which a readout would
//! break differently.
//!
//! [`nir`] does the same for NIR graphs, which are spiking networks already.

mod fold;
mod linear;
mod live;
mod lower;
pub mod nir;
mod normalise;

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
    let live = live::live(graph);
    let input = normalise::input(graph.input_shape(), normalisation)?;
    let stretches = fold::fold(graph, &live, input)?;
    let snn = lower::lower(&graph.name, stretches)?;
    Error::check(Kind::Internal, snn.check())?;
    Ok(snn)
}

#[cfg(test)]
mod tests;
