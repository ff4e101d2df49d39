//! Random networks of windows and pools against the equations taken literally.

use super::{Functional, Outcome};
use crate::fixed::PixelFormat;
use crate::ir::quant::{Coding, Combine, Neuron, QPopulation, QProjection, QuantGraph};
use crate::ir::snn::{Projection, Synapses};
use crate::ir::window::Window;
use crate::ir::{PopId, Shape};
use ndarray::{Array2, Array3, Array4};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Rng = ChaCha8Rng;

const TIMESTEPS: u32 = 6;

/// A window with random kernel, stride, padding and dilation over `input`, and the extent that it gives.
fn window(rng: &mut Rng, input: [usize; 3], channels: usize) -> Window {
    let mut axis = |extent: usize| {
        let (kernel, stride, dilation) = (rng.random_range(1..4), rng.random_range(1..3), rng.random_range(1..3));
        let pad = rng.random_range(-1i64..3);
        let output = rng.random_range(1..=extent + 1);
        (output, kernel, stride, pad, dilation)
    };
    let (rows, columns) = (axis(input[1]), axis(input[2]));
    Window {
        input,
        output: [channels, rows.0, columns.0],
        kernel: [rows.1, columns.1],
        stride: [rows.2, columns.2],
        pad: [rows.3, columns.3],
        dilation: [rows.4, columns.4],
    }
}

/// Weights of one kind from a population of shape `input` to one of `output`.
fn synapses(rng: &mut Rng, input: [usize; 3], output: [usize; 3], weights: (i32, i32)) -> Synapses<i32> {
    let geometry = Window { output, ..window(rng, input, output[0]) };
    let kernel = geometry.kernel;
    match rng.random_range(0..3) {
        0 => {
            let (pre, post) = geometry.extent();
            Synapses::Dense {
                weight: Array2::from_shape_simple_fn((post, pre), || rng.random_range(weights.0..=weights.1)),
            }
        }
        1 => {
            let divides = |g: &usize| input[0].is_multiple_of(*g) && output[0].is_multiple_of(*g);
            let choices: Vec<usize> = (1..=input[0]).filter(divides).collect();
            let groups = choices[rng.random_range(0..choices.len())];
            let shape = (output[0], input[0] / groups, kernel[0], kernel[1]);
            let weight = Array4::from_shape_simple_fn(shape, || rng.random_range(weights.0..=weights.1));
            Synapses::Conv { weight, window: geometry, groups }
        }
        _ => {
            let channels = rng.random_range(1..=input[0].min(output[0]));
            let (from, to) = (rng.random_range(0..=input[0] - channels), rng.random_range(0..=output[0] - channels));
            let shape = (channels, kernel[0], kernel[1]);
            let weight = Array3::from_shape_simple_fn(shape, || rng.random_range(weights.0..=weights.1));
            Synapses::Channelwise { weight, window: geometry, from, to }
        }
    }
}

/// Source → 1 to 4 hidden populations with skips → readout.
pub(super) fn random(rng: &mut Rng, coding: Coding) -> QuantGraph {
    let channels = rng.random_range(1..4);
    let signed = rng.random_bool(0.5);
    let pixels = PixelFormat {
        bits: 4,
        zero: if signed { (0..channels).map(|_| rng.random_range(0..=15)).collect() } else { Vec::new() },
    };
    let mut net = QuantGraph {
        name: "random".into(),
        coding,
        timesteps: TIMESTEPS,
        pixels,
        input: crate::ir::quant::Input::Constant,
        normalisation: None,
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let shape = [channels, rng.random_range(1..8), rng.random_range(1..8)];
    net.populations.push(population("image", shape, Neuron::Source));
    let hidden = rng.random_range(1..5);
    for index in 1..=hidden + 1 {
        let image = |p: usize, net: &QuantGraph| net.populations[p].shape.image().unwrap();
        let last = image(index - 1, &net);
        let features = rng.random_range(1..6);
        let output = if index > hidden { [rng.random_range(1..5), 1, 1] } else { window(rng, last, features).output };
        // Signed pixels, and maxima over spikes, are no input of a pool.
        let pool = index <= hidden && index > 1 && rng.random_bool(0.4);
        let combine = if coding == Coding::Graded && rng.random_bool(0.5) { Combine::Max } else { Combine::Sum };
        let mut senders = vec![index - 1];
        senders.extend((usize::from(pool)..index - 1).filter(|_| rng.random_bool(0.4)));
        for &pre in &senders {
            let weights = if pool { (1, 3) } else { (-7, 7) };
            let synapses = synapses(rng, image(pre, &net), output, weights);
            let name = format!("{pre}to{index}");
            let projection = Projection { name, pre: PopId(pre), post: PopId(index), delay: 0, synapses };
            net.projections.push(QProjection { projection, weight_bits: 4 });
        }
        let neurons = output.iter().product();
        let mut values =
            |low: i64, high: i64| -> Vec<i64> { (0..neurons).map(|_| rng.random_range(low..=high)).collect() };
        let neuron = match (index > hidden, pool) {
            (true, _) => Neuron::Readout { v_init: values(-9, 9) },
            (_, false) => Neuron::If { theta: values(1, 300), v_init: values(-100, 200), bias: vec![0; neurons] },
            (_, true) => Neuron::Pool { combine, max: i64::MAX },
        };
        net.populations.push(population(&format!("p{index}"), output, neuron));
        let reach = senders.iter().map(|&pre| 3 * net.max_per_phase(PopId(pre))).max().unwrap_or(0);
        let proved = match combine {
            Combine::Sum => net.prove_range(PopId(index)).1,
            Combine::Max => reach,
        };
        let last = &mut net.populations[index];
        if let Neuron::Pool { max, .. } = &mut last.neuron {
            *max = proved.max(1);
        }
    }
    // Every population needs a reader.
    for pre in 0..=hidden {
        if net.projections.iter().all(|p| p.projection.pre.0 != pre) {
            let readout = image_of(&net, hidden + 1);
            let synapses = synapses(rng, image_of(&net, pre), readout, (-7, 7));
            let name = format!("{pre}to{}", hidden + 1);
            let projection = Projection { name, pre: PopId(pre), post: PopId(hidden + 1), delay: 0, synapses };
            net.projections.push(QProjection { projection, weight_bits: 4 });
        }
    }
    for i in 0..net.populations.len() {
        net.populations[i].range = net.prove_range(PopId(i));
    }
    net
}

fn image_of(net: &QuantGraph, pop: usize) -> [usize; 3] {
    net.populations[pop].shape.image().unwrap()
}

fn population(name: &str, shape: [usize; 3], neuron: Neuron) -> QPopulation {
    QPopulation { name: name.into(), shape: Shape(shape.to_vec()), neuron, range: (0, 0) }
}

pub(super) fn codes(rng: &mut Rng, net: &QuantGraph) -> Vec<i64> {
    let (least, greatest) = net.pixels.range();
    (0..net.input_shape().len())
        .map(|_| if rng.random_bool(0.3) { 0 } else { rng.random_range(least..=greatest) })
        .collect()
}

/// One event after the other in random order, every synapse looked up; logits, counts.
fn literally(net: &QuantGraph, codes: &[i64], rng: &mut Rng) -> (Vec<i64>, Vec<Vec<i64>>) {
    let mut sent: Vec<Vec<i64>> = vec![codes.to_vec()];
    for (i, pop) in net.populations.iter().enumerate().skip(1) {
        let pool = matches!(pop.neuron, Neuron::Pool { .. });
        let mut v = if pool { vec![0; pop.shape.len()] } else { pop.neuron.v_init().to_vec() };
        let mut events: Vec<(usize, usize, i64)> = Vec::new();
        for (p, projection) in net.projections_into(PopId(i)) {
            events.extend(sent[projection.projection.pre.0].iter().enumerate().map(|(c, &x)| (p.0, c, x)));
        }
        events.shuffle(rng);
        for (p, c, x) in events.into_iter().filter(|e| e.2 != 0) {
            for (n, v) in v.iter_mut().enumerate() {
                let product = i64::from(net.projections[p].projection.synapses.weight(n, c)) * x;
                *v = match pop.neuron {
                    Neuron::Pool { combine: Combine::Max, .. } => (*v).max(product),
                    _ => *v + product,
                };
                assert!((pop.range.0..=pop.range.1).contains(v), "the range proof holds at every moment");
            }
        }
        let out = match &pop.neuron {
            Neuron::Source | Neuron::Leaky(_) | Neuron::MultiSpike(_) => panic!("one source, two-phase neurons"),
            Neuron::Readout { .. } => {
                sent.push(Vec::new());
                return (v, sent);
            }
            Neuron::Pool { .. } => v,
            Neuron::If { theta, .. } => {
                let count = |(v, theta): (&i64, &i64)| v.div_euclid(*theta).clamp(0, i64::from(net.timesteps));
                v.iter().zip(theta).map(count).collect()
            }
        };
        sent.push(out);
    }
    panic!("a network ends with its readout")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn windows_and_pools_equal_the_equations_taken_literally(seed in any::<u64>(), unit in any::<bool>()) {
        let rng = &mut Rng::seed_from_u64(seed);
        let net = random(rng, if unit { Coding::Unit } else { Coding::Graded });
        prop_assert_eq!(net.check(), vec![]);
        let model = Functional::new(&net).unwrap();
        for _ in 0..3 {
            let codes = codes(rng, &net);
            let (logits, counts) = literally(&net, &codes, rng);
            let outcome = model.image_by_phase(&codes).unwrap();
            prop_assert_eq!(&outcome.logits, &logits);
            prop_assert_eq!(&outcome.counts, &counts);
            prop_assert_eq!(outcome.phases.as_ref().map(Vec::len), Some(1));
            prop_assert_eq!(&model.image(&codes).unwrap(), &Outcome { phases: None, ..outcome.clone() });
            prop_assert_eq!(&model.present(&codes, true), &outcome, "the two layouts");
            if let Some(packed) = &model.packed {
                prop_assert_eq!(&packed.clone().portable().outcome(&codes, true), &outcome, "without vectors");
            }
        }
    }

    /// Pools send events but do not spike.
    #[test]
    fn pools_are_counted_as_events_alone(seed in any::<u64>(), unit in any::<bool>()) {
        let rng = &mut Rng::seed_from_u64(seed);
        let net = random(rng, if unit { Coding::Unit } else { Coding::Graded });
        let model = Functional::new(&net).unwrap();
        let image = codes(rng, &net);
        let counts = model.image(&image).unwrap().counts;
        let summary = model.classify(1, |_| image.clone(), None).unwrap();
        let mut neurons = 0;
        for (i, pop) in net.populations.iter().enumerate() {
            let total: u64 = counts[i].iter().map(|c| c.unsigned_abs()).sum();
            let active = counts[i].iter().filter(|c| **c != 0).count() as u64;
            match pop.neuron {
                Neuron::Pool { .. } => prop_assert_eq!((summary.events[i], summary.spikes[i]), (active, 0)),
                Neuron::If { .. } => {
                    neurons += pop.shape.len();
                    prop_assert_eq!((summary.events[i], summary.spikes[i]), (if unit { total } else { active }, total));
                }
                Neuron::Source => prop_assert_eq!((summary.events[i], summary.spikes[i]), (active, total)),
                Neuron::Readout { .. } | Neuron::Leaky(_) | Neuron::MultiSpike(_) => {
                    prop_assert_eq!((summary.events[i], summary.spikes[i]), (0, 0));
                }
            }
        }
        prop_assert_eq!(summary.neurons, neurons);
        let spikes: u64 = summary.spikes[1..].iter().sum();
        prop_assert_eq!(summary.spikes_per_neuron(), spikes as f64 / neurons.max(1) as f64);
    }
}

/// Otherwise the tests above would compare nothing.
#[test]
fn most_networks_with_windows_are_packed() {
    let rng = &mut Rng::seed_from_u64(9);
    let packed = (0..100).filter(|_| Functional::new(&random(rng, Coding::Graded)).unwrap().packed.is_some()).count();
    assert!((50..100).contains(&packed), "{packed}");
}

#[test]
fn a_maximum_over_unit_spikes_is_refused() {
    let rng = &mut Rng::seed_from_u64(0);
    let mut net = loop {
        let net = random(rng, Coding::Graded);
        let max = |p: PopId| matches!(net.population(p).neuron, Neuron::Pool { combine: Combine::Max, .. });
        let fires = |p: PopId| matches!(net.population(p).neuron, Neuron::If { .. });
        if net.projections.iter().any(|p| max(p.projection.post) && fires(p.projection.pre)) {
            break net;
        }
    };
    net.coding = Coding::Unit;
    assert!(Functional::new(&net).unwrap_err().to_string().contains("takes the largest of several spikes"));
}
