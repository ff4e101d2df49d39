//! Writes the folded stretches as populations and projections in `f32`.

use super::fold::{Stretch, too_large};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::PopId;
use crate::ir::snn::{Population, Projection, SnnGraph, Synapses};

/// The spiking network of these stretches, which stand in topological order.
///
/// # Errors
/// A weight or bias that folding made infinite, a skip connection too wide to be written as a matrix.
pub(super) fn lower(name: &str, stretches: Vec<Stretch>) -> Result<SnnGraph> {
    let mut problems = Vec::new();
    let mut snn =
        SnnGraph { name: name.to_string(), zero: Vec::new(), populations: Vec::new(), projections: Vec::new() };
    for (index, stretch) in stretches.into_iter().enumerate() {
        let bias: Vec<f32> = stretch.drive.offset.iter().map(|&o| o as f32).collect();
        if bias.iter().any(|b| !b.is_finite()) {
            problems.push(infinite(&stretch.name, "bias"));
        }
        snn.populations.push(Population { name: stretch.name, shape: stretch.shape, model: stretch.model, bias });
        for term in stretch.drive.terms {
            let matrix = match term.map.into_dense() {
                Ok(matrix) => matrix,
                Err(size) => {
                    problems.push(too_large(&term.name, size));
                    continue;
                }
            };
            let weight = matrix.mapv(|w| w as f32);
            if weight.iter().any(|w| !w.is_finite()) {
                problems.push(infinite(&term.name, "weight"));
            }
            snn.projections.push(Projection {
                name: term.name,
                pre: PopId(term.pre),
                post: PopId(index),
                delay: 0,
                synapses: Synapses::Dense { weight },
            });
        }
    }
    Error::check(Kind::Input, problems)?;
    Ok(snn)
}

fn infinite(node: &str, what: &str) -> Problem {
    Problem::new(format!("has a {what} that overflows once normalisation and neighbouring layers are folded into it"))
        .at_node(node)
        .help("rescale the layer, or use a larger standard deviation")
}
