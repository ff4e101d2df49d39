//! Pools pass on integers exactly, so they are not approximated: only what a total of 1 stands for is carried through.

use super::activity::Activity;
use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::quant::{Coding, Combine, QProjection};
use crate::ir::snn::{Model, Projection, SnnGraph, Synapses};
use crate::ir::window::Window;
use ndarray::{Array2, Array3, Axis};
use rayon::prelude::*;

/// How a pool combines its inputs; `None` for other populations.
pub(super) fn combine(model: &Model) -> Option<Combine> {
    match model {
        Model::Sum => Some(Combine::Sum),
        Model::Max => Some(Combine::Max),
        Model::Source | Model::Relu { .. } | Model::Leaky(_) | Model::MultiSpike(_) | Model::Readout => None,
    }
}

/// Pools that cannot be built exactly.
pub(super) fn problems(snn: &SnnGraph, coding: Coding) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, pop) in snn.populations.iter().enumerate() {
        let Some(combine) = combine(&pop.model) else { continue };
        let mut complain = |what: &str, help: &str| problems.push(Problem::new(what).at_node(&pop.name).help(help));
        match (coding, combine) {
            (Coding::Rate, Combine::Sum) => {
                complain("is a pool, which only two-phase coding has", "use --coding graded or --coding unit");
            }
            (Coding::Rate, Combine::Max) => {
                complain("is a pool, which only two-phase coding has", "use --coding graded");
            }
            (Coding::Unit, Combine::Max) => {
                complain("takes the largest of counts that unit spikes do not say in one event", "use --coding graded");
            }
            _ => {}
        }
        if pop.bias.iter().any(|&b| b != 0.0) {
            complain("is a pool with a bias", "this is an error in the conversion, please report it");
        }
        for (_, p) in snn.projections_into(PopId(index)) {
            let uniform = matches!(&p.synapses, Synapses::Channelwise { weight, .. }
                if weight.outer_iter().all(|f| f.iter().all(|&w| w > 0.0 && w == f[(0, 0)])));
            if !uniform {
                complain(
                    "is a pool whose taps differ in weight",
                    "this is an error in the conversion, please report it",
                );
            }
            if p.pre.0 == 0 && snn.zero.iter().any(|&z| z != 0.0) {
                complain("is a pool of signed pixels", "put a convolution in front of the first pool");
            }
        }
    }
    problems
}

/// The integer projection of a pool's input: every tap weighs 1.
pub(super) fn projection(p: &Projection<f32>) -> QProjection {
    let synapses = p.synapses.map(|_| 1);
    let projection = Projection { name: p.name.clone(), pre: p.pre, post: p.post, delay: p.delay, synapses };
    QProjection { projection, weight_bits: 2 }
}

/// What a total of 1 of every neuron of a pool stands for. Where a channel's inputs disagree the pool has no such unit:
/// an error.
pub(super) fn step(snn: &SnnGraph, pop: PopId, activity: &[Activity]) -> Result<Vec<f64>, Problem> {
    let population = &snn.populations[pop.0];
    let mut step: Vec<Option<f64>> = vec![None; population.shape.len()];
    for (_, p) in snn.projections_into(pop) {
        let Synapses::Channelwise { weight, window, from, to } = &p.synapses else { continue };
        let (senders, receivers) = (window.input[1] * window.input[2], window.output[1] * window.output[2]);
        for (i, filter) in weight.outer_iter().enumerate() {
            let one = f64::from(filter[(0, 0)]) * activity[p.pre.0].step[(from + i) * senders];
            for step in &mut step[(to + i) * receivers..][..receivers] {
                if step.is_some_and(|other| other != one) {
                    return Err(Problem::new("is a pool over activations of different scales in one channel")
                        .at_node(&population.name)
                        .help("put a ReLU behind the sum that it pools"));
                }
                *step = Some(one);
            }
        }
    }
    Ok(step.into_iter().map(|step| step.unwrap_or(1.0)).collect())
}

/// Weights, geometry, first sender and receiver channel, and the senders' values `[samples, neurons]`.
pub(super) type Taps<'a> = (&'a Array3<f32>, &'a Window, (usize, usize), &'a Array2<f32>);

/// Largest `w·x` of every neuron, at least 0, `[samples, neurons]`.
pub(super) fn largest(inputs: &[Taps], neurons: usize) -> Array2<f32> {
    let samples = inputs.first().map_or(0, |(.., x)| x.nrows());
    let mut result = Array2::zeros((samples, neurons));
    result.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(sample, mut out)| {
        for (weight, window, (from, to), x) in inputs {
            let ([_, height, width], [_, rows, columns]) = (window.input, window.output);
            for (i, filter) in weight.outer_iter().enumerate() {
                for (oy, ox) in (0..rows).flat_map(|oy| (0..columns).map(move |ox| (oy, ox))) {
                    let taps = window.taps(0, oy).flat_map(|y| window.taps(1, ox).map(move |x| (y, x)));
                    let products = taps.map(|((y, ky), (at, kx))| {
                        filter[(ky, kx)] * x[(sample, ((from + i) * height + y) * width + at)]
                    });
                    let out = &mut out[((to + i) * rows + oy) * columns + ox];
                    *out = products.fold(*out, f32::max);
                }
            }
        }
    });
    result
}
