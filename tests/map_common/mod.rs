//! Integer networks for the mapper's tests.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use ndarray::Array2;
use proptest::prelude::*;
use synfire::fixed::PixelFormat;
use synfire::ir::quant::{Coding, Input, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::{PopId, Shape};

/// A population to be: its name, its neurons, and the populations that project into it.
pub type Layer<'a> = (&'a str, usize, Vec<usize>);

/// A network whose weights are a fixed pattern within `weight_bits`.
pub fn network(name: &str, coding: Coding, timesteps: u32, weight_bits: u32, layers: &[Layer]) -> QuantGraph {
    let last = layers.len() - 1;
    let neuron = |i: usize, n: usize| match i {
        0 => Neuron::Source,
        _ if i == last => Neuron::Readout { v_init: (0..n as i64).collect() },
        _ => {
            let bias = if coding == Coding::Rate { vec![-3; n] } else { vec![0; n] };
            Neuron::If { theta: (0..n as i64).map(|k| 900 + k).collect(), v_init: vec![450; n], bias }
        }
    };
    let populations = layers.iter().enumerate().map(|(i, (name, n, _))| QPopulation {
        name: name.to_string(),
        shape: Shape(vec![*n]),
        neuron: neuron(i, *n),
        range: (0, 0),
    });
    let limit = (1i32 << (weight_bits - 1)) - 1;
    let mut projections = Vec::new();
    for (post, (name, n, senders)) in layers.iter().enumerate() {
        for (k, &pre) in senders.iter().enumerate() {
            let pattern = |(r, c): (usize, usize)| ((r * 31 + c * 17 + k) as i32 % (2 * limit + 1)) - limit;
            let weight = Array2::from_shape_fn((*n, layers[pre].1), pattern);
            let projection = Projection {
                name: format!("/{name}/Gemm{k}"),
                pre: PopId(pre),
                post: PopId(post),
                delay: 0,
                synapses: Synapses::Dense { weight },
            };
            projections.push(QProjection { projection, weight_bits });
        }
    }
    let mut quant = QuantGraph {
        name: name.to_string(),
        coding,
        timesteps,
        pixels: PixelFormat::unsigned(8),
        input: Input::Constant,
        normalisation: None,
        populations: populations.collect(),
        projections,
    };
    for i in 1..quant.populations.len() {
        quant.populations[i].range = quant.prove_range(PopId(i));
    }
    assert_eq!(quant.check(), Vec::new());
    quant
}

/// `[inputs, hidden…, outputs]` in a chain, graded, T = 16, 8-bit weights.
pub fn chain(name: &str, sizes: &[usize]) -> QuantGraph {
    let names: Vec<String> = (0..sizes.len()).map(|i| if i == 0 { "image".into() } else { format!("fc{i}") }).collect();
    let layers: Vec<Layer> = sizes
        .iter()
        .enumerate()
        .map(|(i, &n)| (names[i].as_str(), n, if i == 0 { vec![] } else { vec![i - 1] }))
        .collect();
    network(name, Coding::Graded, 16, 8, &layers)
}

/// Random networks with forks, merges and senders that project twice, under hostile names.
pub fn any_network() -> impl Strategy<Value = QuantGraph> {
    let coding = prop_oneof![Just(Coding::Graded), Just(Coding::Unit), Just(Coding::Rate)];
    let layer =
        (".{0,12}|[a-bA-B.]{0,2}|in|out|module", 1usize..20, prop::collection::vec(any::<prop::sample::Index>(), 1..4));
    (".{0,12}", coding, 1u32..20, 2u32..10, prop::collection::vec(layer, 2..6)).prop_map(
        |(name, coding, timesteps, weight_bits, layers)| {
            let mut all: Vec<Layer> = Vec::new();
            for (i, (name, n, senders)) in layers.iter().enumerate() {
                let senders = if i == 0 { vec![] } else { senders.iter().map(|s| s.index(i)).collect() };
                all.push((name, *n, senders));
            }
            // Every population must be read: the last one reads whatever nobody else does.
            let last = all.len() - 1;
            for i in 0..last {
                if !all.iter().any(|(_, _, senders)| senders.contains(&i)) {
                    all[last].2.push(i);
                }
            }
            network(&name, coding, timesteps, weight_bits, &all)
        },
    )
}
