//! Random networks of leaky neurons with recurrent projections, and a plain evaluator of them.
#![allow(dead_code, reason = "several tests use a part of it each")]

use ndarray::Array2;
use rand::{Rng, RngExt};
use synfire::fixed::{PixelFormat, rtz, signed_bits};
use synfire::ir::mapped::{MappedNet, Mode, Payload, Target, UnitKind};
use synfire::ir::quant::{Coding, Input, Leaky, Neuron, QPopulation, QProjection, QuantGraph, Reset};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::{PopId, Shape};
use synfire::map::MapRequest;

/// A projection to be made: sender, receiver, delay, largest weight.
pub type Wiring = (usize, usize, u32, i32);

/// Decays and resets of the populations of a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// A synaptic current that lives on.
    pub current: bool,
    /// Every neuron has the same decays and reset.
    pub alike: bool,
    /// Subtracts on a spike.
    pub subtract: bool,
    /// Limits that are often reached.
    pub tight: bool,
    pub align: u32,
}

impl Style {
    /// One of the combinations, by number.
    pub fn number(i: u64) -> Style {
        let bit = |b: u64| i >> b & 1 == 1;
        Style {
            current: bit(0),
            subtract: bit(1),
            alike: bit(2),
            tight: (i / 3) % 2 == 1,
            align: [0, 6, 2][i as usize % 3],
        }
    }
}

/// A network of populations with `sizes` neurons, the first the source and the last the readout, the others leaky.
pub fn network(
    rng: &mut impl Rng,
    sizes: &[usize],
    wiring: &[Wiring],
    style: Style,
    phases: u32,
    input: Input,
) -> QuantGraph {
    let mut quant = wired(rng, sizes, wiring, phases, input);
    populate(rng, &mut quant, style);
    quant
}

/// The network without its neurons' parameters.
pub fn wired(rng: &mut impl Rng, sizes: &[usize], wiring: &[Wiring], phases: u32, input: Input) -> QuantGraph {
    let pixels = PixelFormat::unsigned(3);
    let mut wiring = wiring.to_vec();
    wiring.sort_by_key(|w| w.1);
    let projections: Vec<QProjection> = wiring
        .iter()
        .enumerate()
        .map(|(i, &(pre, post, delay, most))| QProjection {
            projection: Projection {
                name: format!("w{i}"),
                pre: PopId(pre),
                post: PopId(post),
                delay,
                synapses: Synapses::Dense {
                    weight: Array2::from_shape_simple_fn((sizes[post], sizes[pre]), || {
                        rng.random_range(-most / 2..=most)
                    }),
                },
            },
            weight_bits: signed_bits(-i64::from(most), i64::from(most)).max(2),
        })
        .collect();
    QuantGraph {
        name: "leaky".into(),
        coding: Coding::Rate,
        timesteps: phases,
        pixels,
        input,
        normalisation: None,
        populations: sizes
            .iter()
            .enumerate()
            .map(|(i, &n)| QPopulation {
                name: format!("p{i}"),
                shape: Shape(vec![n]),
                neuron: if i == 0 { Neuron::Source } else { Neuron::Readout { v_init: vec![0; n] } },
                range: (0, 0),
            })
            .collect(),
        projections,
    }
}

/// Gives the populations between source and readout random parameters, and all of them their ranges.
pub fn populate(rng: &mut impl Rng, quant: &mut QuantGraph, style: Style) {
    let populations = quant.populations.len();
    for pop in 1..populations {
        if pop + 1 < populations {
            let leaky = leaky(rng, quant, PopId(pop), style);
            quant.populations[pop].range = leaky.limits;
            quant.populations[pop].neuron = Neuron::Leaky(Box::new(leaky));
            let reach = quant.prove_leaky(PopId(pop)).unwrap();
            if let Neuron::Leaky(leaky) = &mut quant.populations[pop].neuron {
                (leaky.input_range, leaky.current_range) = (reach.input, reach.current);
            }
        }
        let proved = quant.prove_range(PopId(pop));
        let range = &mut quant.populations[pop].range;
        *range = (range.0.min(proved.0), range.1.max(proved.1));
    }
}

/// Least and greatest weighted input of each neuron in a step.
fn reach(quant: &QuantGraph, pop: PopId) -> Vec<(i64, i64)> {
    let mut reach = vec![(0, 0); quant.population(pop).shape.len()];
    for (_, p) in quant.projections_into(pop) {
        let (_, most) = quant.payload_range(p.projection.pre);
        let (pre, _) = p.projection.synapses.extent();
        for (n, sum) in reach.iter_mut().enumerate() {
            for s in 0..pre {
                let part = i64::from(p.projection.synapses.weight(n, s)) * most;
                *sum = (sum.0 + part.min(0), sum.1 + part.max(0));
            }
        }
    }
    reach
}

/// Neurons whose decays are often extreme, with the ranges proved step by step.
fn leaky(rng: &mut impl Rng, quant: &QuantGraph, pop: PopId, style: Style) -> Leaky {
    let reach = reach(quant, pop);
    let n = reach.len();
    let all = |rng: &mut dyn FnMut() -> i64| -> Vec<i64> {
        let first = rng();
        (0..n).map(|i| if style.alike || i == 0 { first } else { rng() }).collect()
    };
    let most = reach.iter().map(|r| r.1.max(-r.0)).max().unwrap_or(1).max(1) << style.align;
    let mut decay = || match rng.random_range(0..4) {
        0 => 0,
        1 => 4096,
        2 => rng.random_range(3900..=4096),
        _ => rng.random_range(0..=1500),
    };
    let dv = all(&mut decay);
    let du = if style.current { all(&mut decay) } else { vec![4096; n] };
    let theta = all(&mut || rng.random_range(-most / 8..=most / 2));
    let bias = (0..n).map(|_| rng.random_range(-most / 16 - 1..=most / 8 + 1)).collect();
    let (low, high) = if style.tight { (most / 3, most / 2) } else { (most * 40, most * 30) };
    let limits = (-low - 1, high + 1);
    let within = |v: i64| v.clamp(limits.0, limits.1);
    let v_init = (0..n).map(|_| within(rng.random_range(-most / 4..=most / 4))).collect();
    let reset = if style.subtract {
        // What is left lies within the limits, whatever fired.
        let most = |theta: &i64| (theta + 1 - limits.0).min(most / 4);
        let by: Vec<i64> = theta.iter().map(|theta| rng.random_range(0..=most(theta))).collect();
        Reset::Subtract(if style.alike { vec![by[0]; n] } else { by })
    } else {
        Reset::Value(all(&mut || within(rng.random_range(-most / 4..=most / 4))))
    };

    // The ranges are proved when the population is complete.
    let (align, current_range, input_range) = (style.align, (0, 0), (0, 0));
    Leaky { align, du, dv, bias, theta, reset, v_init, limits, current_range, input_range }
}

/// Lays the network out with cores of random modes and lanes, also more lanes than neurons.
pub fn lay_out(rng: &mut impl Rng, quant: QuantGraph) -> MappedNet {
    let mut net = synfire::map::map(quant, &MapRequest::new(Target::Generic)).unwrap();
    for unit in &mut net.units {
        if let UnitKind::Core(core) = &mut unit.kind {
            let lanes = [1, 2, 3, 4, 8][rng.random_range(0..5)];
            let payload = [Payload::Multiply, Payload::ShiftAdd][rng.random_range(0..2)];
            let banks = [rng.random_range(1..=3), rng.random_range(1..=2)];
            core.mode = match rng.random_range(0..4) {
                _ if core.mode.is_window() => Mode::WindowEvent { lanes, banks, payload },
                0 => Mode::Event { lanes, payload: Payload::Multiply },
                1 => Mode::Event { lanes, payload: Payload::ShiftAdd },
                _ => Mode::Matrix { lanes, rows: 1 << rng.random_range(0..3) },
            };
        }
    }
    assert_eq!(net.check(), vec![], "{}", net.dump());
    net
}

/// Random chains with forward, self and backward connections.
pub fn random_wiring(rng: &mut impl Rng, populations: usize) -> Vec<Wiring> {
    let most = |rng: &mut dyn FnMut() -> usize| [1, 7, 31, 100][rng() % 4];
    let mut draw = || rng.random_range(0..1000usize);
    let mut wiring: Vec<Wiring> = (1..populations).map(|post| (post - 1, post, 0, most(&mut draw))).collect();
    // A population on itself, one on an earlier one, and others as they come.
    wiring.push((1, 1, 1, most(&mut draw)));
    if populations > 3 {
        wiring.push((2, 1, 1, most(&mut draw)));
    }
    for _ in 0..draw() % 3 {
        let (pre, post) = (draw() % (populations - 1), 1 + draw() % (populations - 1));
        let delay = if pre >= post { 1 } else { (draw() % 2) as u32 };
        wiring.push((pre, post, delay, most(&mut draw)));
    }
    wiring
}

/// Random codes for `count` images.
pub fn random_codes(rng: &mut impl Rng, quant: &QuantGraph, count: usize) -> Vec<Vec<i64>> {
    let (_, most) = quant.payload_range(PopId(0));
    let density = [0.2, 0.6, 1.0][rng.random_range(0..3)];
    let mut code = || if rng.random_bool(density) { rng.random_range(0..=most) } else { 0 };
    (0..count).map(|_| (0..quant.codes_per_image()).map(|_| code()).collect()).collect()
}

/// What an image does.
pub struct Evaluation {
    /// What every population sends, `[phase][population][neuron]`; the readout's are empty.
    pub sent: Vec<Vec<Vec<i64>>>,
    pub logits: Vec<i64>,
    /// How often a membrane was clamped.
    pub clamped: usize,
    pub spikes: usize,
}

/// Presents an image, neuron by neuron, by the equations of `ir/quant.rs`.
pub fn evaluate(quant: &QuantGraph, codes: &[i64]) -> Evaluation {
    let sizes: Vec<usize> = quant.populations.iter().map(|p| p.shape.len()).collect();
    let mut v: Vec<Vec<i64>> = quant.populations.iter().map(|p| p.neuron.v_init().to_vec()).collect();
    let mut u: Vec<Vec<i64>> = sizes.iter().map(|&n| vec![0; n]).collect();
    let mut before: Vec<Vec<i64>> = sizes.iter().map(|&n| vec![0; n]).collect();
    let mut outcome = Evaluation { sent: Vec::new(), logits: Vec::new(), clamped: 0, spikes: 0 };
    for phase in 0..quant.phases() as usize {
        let start = if codes.len() > sizes[0] { phase * sizes[0] } else { 0 };
        let mut sent: Vec<Vec<i64>> = vec![codes[start..start + sizes[0]].to_vec()];
        for pop in 1..sizes.len() {
            let mut a = vec![0i64; sizes[pop]];
            for (_, p) in quant.projections_into(PopId(pop)) {
                let p = &p.projection;
                let x = if p.delay == 1 { &before[p.pre.0] } else { &sent[p.pre.0] };
                for (n, a) in a.iter_mut().enumerate() {
                    *a += x.iter().enumerate().map(|(s, x)| i64::from(p.synapses.weight(n, s)) * x).sum::<i64>();
                }
            }
            let Neuron::Leaky(l) = &quant.populations[pop].neuron else {
                v[pop].iter_mut().zip(&a).for_each(|(v, a)| *v += a);
                sent.push(Vec::new());
                continue;
            };
            let mut spikes = vec![0; sizes[pop]];
            for n in 0..sizes[pop] {
                let (u, v) = (&mut u[pop][n], &mut v[pop][n]);
                *u = rtz(*u * (4096 - l.du[n]), 12) + (a[n] << l.align);
                let free = rtz(*v * (4096 - l.dv[n]), 12) + *u + l.bias[n];
                *v = free.clamp(l.limits.0, l.limits.1);
                outcome.clamped += usize::from(*v != free);
                if *v > l.theta[n] {
                    spikes[n] = 1;
                    outcome.spikes += 1;
                    *v = match &l.reset {
                        Reset::Value(by) => by[n],
                        Reset::Subtract(by) => *v - by[n],
                    };
                }
            }
            sent.push(spikes);
        }
        before.clone_from(&sent);
        outcome.sent.push(sent);
    }
    outcome.logits = v.pop().unwrap_or_default();
    outcome
}
