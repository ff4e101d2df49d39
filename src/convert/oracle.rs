//! What graphs and spiking networks compute, element by element in `f64`, from the definitions alone: the oracle of the tests.

use crate::fixed::Normalisation;
use crate::ir::graph::{Graph, Node, Op, PoolKind};
use crate::ir::snn::{Model, SnnGraph, Synapses};
use crate::ir::window::Window;
use ndarray::Array2;

/// The graph's answer to the pixels `x`.
pub(super) fn run_graph(graph: &Graph, x: &[f64], normalisation: Option<&Normalisation>) -> Vec<f64> {
    let mut values: Vec<Vec<f64>> = Vec::new();
    for node in &graph.nodes {
        let read: Vec<&Vec<f64>> = node.inputs.iter().map(|i| &values[i.0]).collect();
        let value = match &node.op {
            Op::Input => (x.iter().enumerate())
                .map(|(i, x)| {
                    let (mean, std) = normalisation.map_or((0.0, 1.0), |n| n.of(node.shape.channel_of(i)));
                    (x - f64::from(mean)) / f64::from(std)
                })
                .collect(),
            _ => operator(graph, node, &read),
        };
        values.push(value);
    }
    values[graph.output.0].clone()
}

fn operator(graph: &Graph, node: &Node, read: &[&Vec<f64>]) -> Vec<f64> {
    let x = read[0];
    match &node.op {
        Op::Input => x.clone(),
        Op::Dense { weight, bias } => affine(weight, bias.as_slice().unwrap(), x),
        Op::Affine { scale, shift } => (x.iter().enumerate())
            .map(|(i, x)| {
                let channel = node.shape.channel_of(i);
                f64::from(scale[channel]) * x + f64::from(shift[channel])
            })
            .collect(),
        Op::Relu { max } => x.iter().map(|x| x.clamp(0.0, max.map_or(f64::MAX, f64::from))).collect(),
        Op::Add => (0..x.len()).map(|i| read.iter().map(|r| r[i]).sum()).collect(),
        Op::Reshape => x.clone(),
        Op::Conv { weight, bias, window, groups } => {
            let (inner, outer) = (window.input[0] / groups, window.output[0] / groups);
            pixels(window, |c, y, x_| {
                let mut sum = f64::from(bias[c]);
                for i in 0..inner {
                    let channel = c / outer * inner + i;
                    taps(window, y, x_, |at, [ky, kx]| {
                        sum += f64::from(weight[(c, i, ky, kx)]) * x[channel * window.input[1] * window.input[2] + at];
                    });
                }
                sum
            })
        }
        Op::Pool { kind, window } => pixels(window, |c, y, x_| {
            let mut inside = Vec::new();
            taps(window, y, x_, |at, _| inside.push(x[c * window.input[1] * window.input[2] + at]));
            match kind {
                PoolKind::Max => inside.into_iter().fold(f64::NEG_INFINITY, f64::max),
                PoolKind::Average => inside.iter().sum::<f64>() / (window.kernel[0] * window.kernel[1]) as f64,
            }
        }),
        Op::Strided { start, step } => {
            let (from, to) = (graph.node(node.inputs[0]).shape.image().unwrap(), node.shape.image().unwrap());
            let at = |axis: usize, i: usize| {
                usize::try_from(start[axis] + (i * step[axis]) as i64).ok().filter(|&at| at < from[axis])
            };
            positions(to)
                .map(|[c, y, x_]| match (at(0, c), at(1, y), at(2, x_)) {
                    (Some(c), Some(y), Some(x_)) => x[(c * from[1] + y) * from[2] + x_],
                    _ => 0.0,
                })
                .collect()
        }
        Op::Permute { axes } => {
            let from = graph.node(node.inputs[0]).shape.0.clone();
            (0..x.len())
                .map(|mut n| {
                    let mut place = vec![0; axes.len()];
                    for (i, &axis) in axes.iter().enumerate().rev() {
                        place[axis] = n % node.shape.0[i];
                        n /= node.shape.0[i];
                    }
                    x[place.iter().zip(&from).fold(0, |at, (p, extent)| at * extent + p)]
                })
                .collect()
        }
        Op::Concat => read.iter().flat_map(|part| part.iter().copied()).collect(),
    }
}

fn positions([c, h, w]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..c * h * w).map(move |n| [n / (h * w), n / w % h, n % w])
}

fn pixels(window: &Window, f: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
    positions(window.output).map(|[c, y, x]| f(c, y, x)).collect()
}

/// Calls `visit(place in the channel, [row, column] of the tap)` for what receiver `(y, x)` reads.
fn taps(window: &Window, y: usize, x: usize, mut visit: impl FnMut(usize, [usize; 2])) {
    for ky in 0..window.kernel[0] {
        for kx in 0..window.kernel[1] {
            if let (Some(iy), Some(ix)) = (window.source(0, y, ky), window.source(1, x, kx)) {
                visit(iy * window.input[2] + ix, [ky, kx]);
            }
        }
    }
}

fn affine(weight: &Array2<f32>, bias: &[f32], x: &[f64]) -> Vec<f64> {
    let rows = weight.rows().into_iter().zip(bias);
    rows.map(|(row, &b)| f64::from(b) + row.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum::<f64>()).collect()
}

/// The activation of every population.
pub(super) fn run_snn(snn: &SnnGraph, x: &[f64]) -> Vec<Vec<f64>> {
    let source = &snn.populations[0].shape;
    let zero = |i: usize| snn.zero.get(source.channel_of(i)).map_or(0.0, |&z| f64::from(z));
    let mut values = vec![x.iter().enumerate().map(|(i, x)| x - zero(i)).collect::<Vec<f64>>()];
    for (index, pop) in snn.populations.iter().enumerate().skip(1) {
        let mut drive: Vec<f64> = pop.bias.iter().map(|&b| f64::from(b)).collect();
        for p in snn.projections.iter().filter(|p| p.post.0 == index) {
            let x = &values[p.pre.0];
            each_synapse(&p.synapses, |post, pre, w| match pop.model {
                Model::Max => drive[post] = drive[post].max(w * x[pre]),
                _ => drive[post] += w * x[pre],
            });
        }
        if let Model::Relu { max } = pop.model {
            drive.iter_mut().for_each(|d| *d = d.clamp(0.0, max.map_or(f64::MAX, f64::from)));
        }
        if pop.model != Model::Readout {
            assert!(drive.iter().all(|&d| d >= -1e-9), "'{}' fires below zero", pop.name);
        }
        values.push(drive);
    }
    values
}

fn each_synapse(synapses: &Synapses<f32>, mut visit: impl FnMut(usize, usize, f64)) {
    match synapses {
        Synapses::Dense { weight } => {
            weight.indexed_iter().for_each(|((post, pre), &w)| visit(post, pre, f64::from(w)));
        }
        Synapses::Conv { weight, window, groups } => {
            let (inner, outer) = (window.input[0] / groups, window.output[0] / groups);
            for (post, [c, y, x]) in positions(window.output).enumerate() {
                for i in 0..inner {
                    let first = (c / outer * inner + i) * window.input[1] * window.input[2];
                    taps(window, y, x, |at, [ky, kx]| visit(post, first + at, f64::from(weight[(c, i, ky, kx)])));
                }
            }
        }
        Synapses::Channelwise { weight, window, from, to } => {
            for (post, [c, y, x]) in positions(window.output).enumerate() {
                let Some(i) = c.checked_sub(*to).filter(|&i| i < weight.dim().0) else { continue };
                let first = (from + i) * window.input[1] * window.input[2];
                taps(window, y, x, |at, [ky, kx]| visit(post, first + at, f64::from(weight[(i, ky, kx)])));
            }
        }
    }
}
