//! Random networks of windows: convolutions, channelwise projections, pools, joins, dense layers from and into images.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use ndarray::{Array2, Array3, Array4};
use rand::{Rng, RngExt};
use synfire::fixed::{PixelFormat, signed_bits};
use synfire::ir::layout::IdLayout;
use synfire::ir::mapped::{Connection, Core, MappedNet, Mode, Payload, Target, UnitKind};
use synfire::ir::quant::{Coding, Combine, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};
use synfire::map::MapRequest;

/// What a random network is made of.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub coding: Coding,
    pub timesteps: u32,
    /// Pixels below zero.
    pub signed: bool,
}

fn pick<T: Copy>(rng: &mut impl Rng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

/// A random network.
pub fn network(rng: &mut impl Rng, recipe: Recipe) -> QuantGraph {
    let input = [rng.random_range(1..5), rng.random_range(1..7), rng.random_range(2..7)];
    let bits = pick(rng, &[1, 2, 4]);
    let zero = match recipe.signed {
        true => (0..input[0]).map(|_| rng.random_range(0..1i64 << bits)).collect(),
        false => Vec::new(),
    };
    let source = QPopulation { name: "p0".into(), shape: Shape(input.into()), neuron: Neuron::Source, range: (0, 0) };
    let mut quant = QuantGraph {
        name: "test".into(),
        coding: recipe.coding,
        timesteps: recipe.timesteps,
        pixels: PixelFormat { bits, zero },
        input: synfire::ir::quant::Input::Constant,
        normalisation: None,
        populations: vec![source],
        projections: Vec::new(),
    };
    let hidden = rng.random_range(1..4);
    for i in 1..=hidden {
        layer(rng, &mut quant, i, false);
    }
    layer(rng, &mut quant, hidden + 1, true);
    quant
}

/// Appends population `post`, which reads the one before it and perhaps others.
fn layer(rng: &mut impl Rng, quant: &mut QuantGraph, post: usize, readout: bool) {
    let image = rng.random_bool(if readout { 0.3 } else { 0.8 });
    let shape = match image {
        true => vec![rng.random_range(1..7), rng.random_range(1..6), rng.random_range(1..6)],
        false => vec![rng.random_range(1..9)],
    };
    let mut senders = vec![post - 1];
    while rng.random_bool(0.35) && senders.len() < 3 {
        senders.push(rng.random_range(0..post));
    }
    let images = image && senders.iter().all(|&pre| quant.populations[pre].shape.image().is_some());
    let unsigned = senders.iter().all(|&pre| quant.payload_range(PopId(pre)).0 == 0);
    let pool = !readout && images && unsigned && quant.coding != Coding::Rate && rng.random_bool(0.35);
    // A maximum needs senders that send once.
    let once = senders.iter().all(|&pre| quant.max_per_phase(PopId(pre)) <= quant.max_payload(PopId(pre)));
    let max = pool && once && rng.random_bool(0.6);
    let shape = Shape(shape);
    let n = shape.len();
    let name = format!("p{post}");
    quant.populations.push(QPopulation { name, shape, neuron: Neuron::Readout { v_init: vec![0; n] }, range: (0, 0) });
    for pre in senders {
        let weights = if max {
            1..=1
        } else if pool {
            0..=3
        } else {
            -7..=7
        };
        let synapses = synapses(rng, quant, [pre, post], pool, weights);
        let largest = synapses.weights().map(|w| i64::from(w.abs())).max().unwrap_or(0);
        quant.projections.push(QProjection {
            projection: Projection {
                name: format!("w{}", quant.projections.len()),
                pre: PopId(pre),
                post: PopId(post),
                delay: 0,
                synapses,
            },
            weight_bits: signed_bits(-largest, largest).max(2),
        });
    }
    let payload = quant.projections_into(PopId(post)).map(|(_, p)| quant.max_payload(p.projection.pre)).max();
    quant.populations[post].neuron = neuron(rng, quant, post, readout, pool, max.then_some(payload.unwrap_or(1)));
    quant.populations[post].range = quant.prove_range(PopId(post));
}

/// The neurons of population `post`; `max`: the largest payload that a maximum can meet.
fn neuron(rng: &mut impl Rng, quant: &QuantGraph, post: usize, readout: bool, pool: bool, max: Option<i64>) -> Neuron {
    let shape = &quant.populations[post].shape;
    let channels = shape.image().map_or(shape.len(), |[c, ..]| c);
    // The same for all pixels of a channel, as convolutions have it, or not.
    let each = rng.random_bool(0.25);
    let (n, pixels) = (shape.len(), shape.len() / channels);
    let mut vector = |least: i64, most: i64| -> Vec<i64> {
        let mut value = 0;
        let mut next = |i: usize| {
            if each || i.is_multiple_of(pixels) {
                value = rng.random_range(least..=most);
            }
            value
        };
        (0..n).map(&mut next).collect()
    };
    if readout {
        return Neuron::Readout { v_init: vector(-20, 20) };
    }
    if let Some(max) = max {
        return Neuron::Pool { combine: Combine::Max, max };
    }
    if pool {
        return Neuron::Pool { combine: Combine::Sum, max: quant.prove_range(PopId(post)).1.max(1) };
    }
    let bias = if quant.coding == Coding::Rate { vector(-5, 5) } else { vec![0; n] };
    Neuron::If { theta: vector(1, 40), v_init: vector(-9, 30), bias }
}

fn synapses(
    rng: &mut impl Rng,
    quant: &QuantGraph,
    [pre, post]: [usize; 2],
    pool: bool,
    weights: std::ops::RangeInclusive<i32>,
) -> Synapses<i32> {
    let (from, to) = (&quant.populations[pre].shape, &quant.populations[post].shape);
    let (Some(input), Some(output)) = (from.image(), to.image()) else {
        let weight = Array2::from_shape_simple_fn((to.len(), from.len()), || rng.random_range(weights.clone()));
        return Synapses::Dense { weight };
    };
    let kind = if pool { 2 } else { rng.random_range(0..5) };
    if kind == 0 {
        let weight = Array2::from_shape_simple_fn((to.len(), from.len()), || rng.random_range(weights.clone()));
        return Synapses::Dense { weight };
    }
    let mut two = |choices: &[usize]| [pick(rng, choices), pick(rng, choices)];
    let window = Window {
        input,
        output,
        kernel: two(&[1, 2, 3, 3, 4]),
        stride: two(&[1, 1, 1, 2, 3]),
        dilation: two(&[1, 1, 2]),
        pad: [rng.random_range(-1..3), rng.random_range(-1..3)],
    };
    let [rows, columns] = window.kernel;
    if kind == 1 || kind == 2 {
        let channels = rng.random_range(1..=input[0].min(output[0]));
        let weight = Array3::from_shape_simple_fn((channels, rows, columns), || rng.random_range(weights.clone()));
        let from = rng.random_range(0..=input[0] - channels);
        let to = rng.random_range(0..=output[0] - channels);
        return Synapses::Channelwise { weight, window, from, to };
    }
    let groups = [2, 3].into_iter().find(|g| input[0].is_multiple_of(*g) && output[0].is_multiple_of(*g)).unwrap_or(1);
    let groups = if rng.random_bool(0.3) { groups } else { 1 };
    let shape = (output[0], input[0] / groups, rows, columns);
    let weight = Array4::from_shape_simple_fn(shape, || rng.random_range(weights.clone()));
    Synapses::Conv { weight, window, groups }
}

/// Lays the network out with a random mode for every window core; `matrix` says how many of them gather.
pub fn lay_out(rng: &mut impl Rng, quant: QuantGraph, matrix: f64) -> MappedNet {
    let mut net = synfire::map::map(quant, &MapRequest::new(Target::Generic)).unwrap();
    let once: Vec<bool> = net.cores().map(|(_, _, core)| net.one_event_per_phase(core)).collect();
    // Whatever the mapper chose: the contract's rule of what is a window core.
    let fields =
        |pop: PopId| net.streams.iter().any(|s| s.population == pop && matches!(s.layout, IdLayout::Fields { .. }));
    let window = |core: &Core| {
        core.fields.iter().any(|input| input.connection != Connection::Dense)
            || core.projections.iter().any(|&p| fields(net.quant.projection(p).projection.pre))
            || fields(core.population)
    };
    let windows: Vec<bool> = net.cores().map(|(_, _, core)| window(core)).collect();
    let cores = net.units.iter_mut().filter_map(|unit| match &mut unit.kind {
        UnitKind::Core(core) => Some(core),
        UnitKind::Fork | UnitKind::Merge { .. } | UnitKind::Queue { .. } => None,
    });
    for ((core, once), window) in cores.zip(once).zip(windows) {
        if window {
            let gathers = once && rng.random_bool(matrix);
            core.mode = mode(rng, core, gathers);
            core.slice_bits = pick(rng, &[3, 18, 64]);
        }
    }
    net
}

fn mode(rng: &mut impl Rng, core: &Core, matrix: bool) -> Mode {
    let lanes = pick(rng, &[1, 2, 3, 4, 8]);
    if matrix {
        return Mode::WindowMatrix { rows: pick(rng, &[1, 2, 4, 8]), lanes };
    }
    let banks = pick(rng, &[[1, 1], [1, 1], [1, 2], [2, 1], [2, 2], [3, 3], [3, 2], [4, 1]]);
    let multiply = core.value_signed || core.combine == Combine::Max || rng.random_bool(0.5);
    Mode::WindowEvent { lanes, banks, payload: if multiply { Payload::Multiply } else { Payload::ShiftAdd } }
}

/// Random images for a network.
pub fn images(rng: &mut impl Rng, quant: &QuantGraph, count: usize) -> Vec<Vec<i64>> {
    let [channels, h, w] = quant.input_shape().image().unwrap();
    let mut pixel = |channel: usize| {
        let zero = quant.pixels.zero_of(channel);
        if rng.random_bool(0.5) { rng.random_range(0..=quant.pixels.max()) - zero } else { 0 }
    };
    (0..count).map(|_| (0..channels * h * w).map(|n| pixel(n / (h * w))).collect()).collect()
}
