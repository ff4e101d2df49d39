//! Networks whose answer is a leaky membrane: LI and CubaLI at the Output, in float, in integers, on Loihi 2, and back in a file.

use crate::import_support;

use import_support::agrees_with_loihi;
use ndarray::{ArrayD, Axis, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use synfire::convert::nir::export::{export, presentation};
use synfire::convert::nir::import_graph;
use synfire::fixed::arg_max;
use synfire::frontends::nir::convention::Notes;
use synfire::frontends::nir::{Array, Data, Dialect, Executor, Kind, NirGraph, Settings, Unit, parse, to_bytes};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, Leaky, Neuron, QuantGraph};
use synfire::loihi::network::Network;
use synfire::quantise::{Arithmetic, LeakySettings, quantise_leaky};

const UNIT_STEP: Settings = Settings { dt: Some(1.0), dialect: Dialect::Nir };

fn array(shape: &[usize], values: Vec<f64>) -> Array {
    Array::new(shape.to_vec(), Data::F64(values)).unwrap()
}

fn port(kind: Kind, n: usize) -> Unit {
    Unit::new(kind).with("shape", array(&[1], vec![n as f64]))
}

fn affine(weight: &[f64], bias: &[f64]) -> Unit {
    let shape = [bias.len(), weight.len() / bias.len()];
    Unit::new(Kind::Affine)
        .with("weight", array(&shape, weight.to_vec()))
        .with("bias", array(&[bias.len()], bias.to_vec()))
}

/// A unit of `n` neurons that share these values.
fn neurons(kind: Kind, n: usize, fields: &[(&str, f64)]) -> Unit {
    fields.iter().fold(Unit::new(kind), |unit, (name, x)| unit.with(name, array(&[n], vec![*x; n])))
}

/// `Input → fc → neurons → Flatten → Output`.
fn network(inputs: usize, fc: Unit, outputs: usize, last: Unit) -> NirGraph {
    let mut graph = NirGraph::default();
    let flat = Unit::new(Kind::Flatten)
        .with("start_dim", Array::integer(0))
        .with("end_dim", Array::integer(-1))
        .with("input_type", array(&[1], vec![outputs as f64]));
    graph.node("input", port(Kind::Input, inputs)).node("fc", fc).node("readout", last).node("flat", flat);
    graph.node("output", port(Kind::Output, outputs));
    for (from, to) in [("input", "fc"), ("fc", "readout"), ("readout", "flat"), ("flat", "output")] {
        graph.edge(from, to);
    }
    graph
}

fn settings(steps: u32) -> LeakySettings {
    LeakySettings { timesteps: steps, input: Input::Train { max: 1 }, ..LeakySettings::default() }
}

fn quantised(graph: &NirGraph, how: Settings, settings: &LeakySettings) -> QuantGraph {
    quantise_leaky(&import_graph(graph, "test", how).unwrap().snn, settings).unwrap()
}

fn readout(net: &QuantGraph) -> &Leaky {
    let Neuron::Leaky(leaky) = &net.populations.last().unwrap().neuron else { panic!("{}", net.dump()) };
    assert!(!leaky.fires());
    leaky
}

/// The last row that the executor gives for these inputs, `[steps, inputs]`.
fn last_row(graph: &NirGraph, how: Settings, inputs: Vec<f64>) -> Vec<f64> {
    let executor = Executor::new(graph, how).unwrap();
    let width: usize = executor.inputs()[0].shape.iter().product();
    let data = ArrayD::from_shape_vec(IxDyn(&[inputs.len() / width, width]), inputs).unwrap();
    let outcome = executor.run(&BTreeMap::from([("input".into(), data)])).unwrap();
    let y = &outcome.outputs["output"];
    y.index_axis(Axis(0), y.len_of(Axis(0)) - 1).iter().copied().collect()
}

/// τ = 4 and τ_syn = 2; the gains are 1, so u' = u/2 + a and v' = 3v/4 + u'.
const LI: [(&str, f64); 3] = [("tau", 4.0), ("r", 4.0), ("v_leak", 0.0)];
const CUBA: [(&str, f64); 5] = [("tau_syn", 2.0), ("w_in", 2.0), ("tau_mem", 4.0), ("r", 4.0), ("v_leak", 0.0)];

/// Worked out by hand: weights 127 and -3, spikes of the first, then of both, then of none.
#[test]
fn small_readouts_do_the_integers_of_the_equations() {
    let codes = [1, 0, 1, 1, 0, 0];
    let run = |graph: &NirGraph| {
        let net = quantised(graph, UNIT_STEP, &settings(3));
        let leaky = readout(&net);
        assert_eq!((leaky.align, leaky.dv[0], leaky.limits.1 >= 1 << 14), (6, 1024, true));
        let outcome = Functional::new(&net).unwrap().image(&codes).unwrap();
        assert!(outcome.counts.last().unwrap().is_empty());
        assert_eq!((outcome.class, outcome.saturated().total()), (0, 0));
        outcome.logits
    };
    let fc = || affine(&[127.0, -3.0, -127.0, 1.0], &[0.0; 2]);
    // v = 127·64 = 8128; 6096 + 124·64 = 14032; rtz(14032·3/4) = 10524. Below: -8128; -6096 - 8064; rtz(-14160·3/4).
    assert_eq!(run(&network(2, fc(), 2, neurons(Kind::Li, 2, &LI))), [10524, -10620]);
    // u: 8128, 4064 + 7936 = 12000, 6000; v: 8128, 6096 + 12000 = 18096, 13572 + 6000.
    // u: -8128, -4064 - 8064 = -12128, -6064; v: -8128, -18224, -13668 - 6064.
    assert_eq!(run(&network(2, fc(), 2, neurons(Kind::CubaLi, 2, &CUBA))), [19572, -19732]);
}

/// Without decay nothing is rounded and there are no fraction bits; the bits that they would have taken are the membrane's: of 40, where 34
/// would clamp.
#[test]
fn membranes_without_fraction_bits_are_as_wide_as_others() {
    let slow = [("tau", 1e9), ("r", 1e9), ("v_leak", 0.0)];
    let graph = network(2, affine(&[1.0, 0.37], &[0.0]), 1, neurons(Kind::Li, 1, &slow));
    let input = Input::Train { max: 65_535 };
    let net = quantised(&graph, UNIT_STEP, &LeakySettings { input, weight_bits: 16, ..settings(100) });
    let outcome = Functional::new(&net).unwrap().image(&[65_535; 200]).unwrap();
    let gain: i64 = net.projections[0].projection.synapses.weights().map(|&w| i64::from(w)).sum();
    assert_eq!((readout(&net).align, outcome.saturated().clamped), (0, 0));
    assert_eq!(outcome.logits, [100 * 65_535 * gain]);
    assert!(outcome.logits[0] > 1 << 34);
}

/// What only adds up is a plain readout, unless its membrane begins elsewhere than at 0.
#[test]
fn an_integrator_that_begins_elsewhere_is_a_readout_without_decay() {
    let unit = |v_init: Option<f64>| {
        let notes = Notes { v_init: v_init.map(|v| array(&[], vec![v])), ..Notes::default() };
        Unit { metadata: notes.to_metadata(), ..neurons(Kind::I, 2, &[("r", 1.0)]) }
    };
    let fc = || affine(&[127.0, -3.0, -127.0, 1.0], &[0.0; 2]);
    let net = quantised(&network(2, fc(), 2, unit(Some(5.0))), UNIT_STEP, &settings(3));
    // Nothing is rounded, so there are no fraction bits; nothing is kept but the membrane.
    let leaky = readout(&net);
    assert_eq!(
        (leaky.align, &leaky.dv[..], &leaky.du[..], &leaky.v_init[..]),
        (0, &[0; 2][..], &[4096; 2][..], &[5; 2][..])
    );
    assert_eq!(Functional::new(&net).unwrap().image(&[1, 0, 1, 1, 0, 0]).unwrap().logits, [256, -248]);
    let plain = quantised(&network(2, fc(), 2, unit(None)), UNIT_STEP, &settings(3));
    assert!(matches!(plain.populations[1].neuron, Neuron::Readout { .. }), "{}", plain.dump());
}

/// Constant inputs in front of the readout's neurons, gains of their own of either sign, leaks towards another value, decays of up to a
/// hundred steps.
fn varied(kind: Kind, rng: &mut ChaCha8Rng) -> NirGraph {
    const N: usize = 5;
    let mut each = |low: f64, high: f64| (0..N).map(|_| rng.random_range(low..high)).collect::<Vec<f64>>();
    let (tau, gain, tau_syn, w_in) = (each(2.0, 100.0), each(0.3, 1.0), each(1.5, 30.0), each(0.5, 1.5));
    let times = |a: &[f64], b: &[f64]| array(&[N], a.iter().zip(b).map(|(a, b)| a * b).collect());
    let signed: Vec<f64> = gain.iter().enumerate().map(|(i, g)| if i % 2 == 0 { *g } else { -g }).collect();
    let last = Unit::new(kind).with("v_leak", array(&[N], each(-1.0, 1.0))).with("r", times(&signed, &tau));
    let last = match kind {
        Kind::Li => last.with("tau", array(&[N], tau)),
        _ => last
            .with("w_in", times(&w_in, &tau_syn))
            .with("tau_mem", array(&[N], tau))
            .with("tau_syn", array(&[N], tau_syn)),
    };
    let weight: Vec<f64> = (0..N * 12).map(|_| rng.random_range(-0.7..0.9)).collect();
    let bias: Vec<f64> = (0..N).map(|_| rng.random_range(-0.05..0.05)).collect();
    network(12, affine(&weight, &bias), N, last)
}

/// Weights of 16 bits leave next to nothing but the rounding of decays to 12 bits.
#[test]
fn integers_follow_the_double_precision_membranes() {
    let (mut agree, mut all) = (0, 0);
    for (seed, kind) in (0..24).map(|seed| (seed, [Kind::Li, Kind::CubaLi][seed as usize % 2])) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let graph = varied(kind, rng);
        for (weight_bits, far) in [(8, 0.06), (16, 0.008)] {
            let steps = 60;
            let net = quantised(&graph, UNIT_STEP, &LeakySettings { weight_bits, ..settings(steps) });
            let functional = Functional::new(&net).unwrap();
            for _ in 0..4 {
                let codes: Vec<i64> = (0..steps * 12).map(|_| i64::from(rng.random_bool(0.2))).collect();
                let outcome = functional.image(&codes).unwrap();
                let float = last_row(&graph, UNIT_STEP, codes.iter().map(|&c| c as f64).collect());
                // One unit for all neurons: found by the largest membrane, it fits the others.
                let largest = float.iter().map(|v| v.abs()).fold(0.0, f64::max);
                let at = float.iter().position(|v| v.abs() == largest).unwrap();
                let unit = float[at] / outcome.logits[at] as f64;
                for (v, &q) in float.iter().zip(&outcome.logits) {
                    let off = (v - unit * q as f64).abs() / largest;
                    assert!(
                        unit > 0.0 && off < far,
                        "seed {seed}, {weight_bits} bits: {float:?}, {:?}",
                        outcome.logits
                    );
                }
                agree += usize::from(arg_max(&float) == Some(outcome.class));
                all += 1;
                assert_eq!(outcome.saturated().total(), 0);
            }
        }
    }
    assert_eq!(agree, all, "classes");
}

/// Slow decays need more fraction bits than the six of the settings: with those a weight of 1 would be lost in a hundred steps.
#[test]
fn rounding_does_not_eat_small_inputs() {
    let slow = neurons(Kind::Li, 2, &[("tau", 1000.0), ("r", 1000.0), ("v_leak", 0.0)]);
    let graph = network(2, affine(&[127.0, 0.0, 0.0, 1.0], &[0.0; 2]), 2, slow);
    let net = quantised(&graph, UNIT_STEP, &settings(800));
    assert_eq!(readout(&net).align, 10, "800 units of rounding are one weight");
    // One spike of the weak input in the first step, then silence.
    let mut codes = vec![0; 1600];
    codes[1] = 1;
    let v = Functional::new(&net).unwrap().image(&codes).unwrap().logits[1];
    let float = last_row(&graph, UNIT_STEP, codes.iter().map(|&c| c as f64).collect())[1];
    assert!((0.44..0.46).contains(&float) && v > 0 && (v as f64 / 1024.0 - float).abs() < 1.0, "{v} for {float}");
    // Short samples, or neurons that forget soon, are Loihi's, with six.
    assert_eq!(readout(&quantised(&graph, UNIT_STEP, &settings(64))).align, 6);
}

/// Every membrane at the end equals the published equations', where their highest threshold is not in the way.
#[test]
fn readouts_are_loihis_where_its_highest_threshold_is_out_of_reach() {
    for seed in 0..20 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let kind = [("tau", 4.0), ("r", 4.0), ("v_leak", 0.25)];
        let last = if seed % 2 == 0 { neurons(Kind::Li, 3, &kind) } else { neurons(Kind::CubaLi, 3, &CUBA) };
        let weight: Vec<f64> = (0..18).map(|_| rng.random_range(-1.0..1.0)).collect();
        let graph = network(6, affine(&weight, &[0.1, 0.0, -0.2]), 3, last);
        for arithmetic in [Arithmetic::Auto, Arithmetic::Loihi] {
            let net = quantised(&graph, UNIT_STEP, &LeakySettings { arithmetic, ..settings(12) });
            let loihi = Network::new(&net);
            assert!(loihi.coverage().iter().all(|c| c.expressible), "{:?}", loihi.coverage());
            let codes: Vec<i64> = (0..12 * 6).map(|_| rng.random_range(0..2)).collect();
            agrees_with_loihi(&net, &Functional::new(&net).unwrap(), &loihi, &codes);
        }
    }
    let sums = neurons(Kind::Li, 1, &[("tau", 4096.0), ("r", 4096.0), ("v_leak", 0.0)]);
    let graph = network(8, affine(&[127.0, 126.0, 125.0, 1.0, 2.0, 3.0, 120.0, 110.0], &[0.0]), 1, sums);
    let net = quantised(&graph, UNIT_STEP, &LeakySettings { align: 6, ..settings(60_000) });
    let text = format!("{:?}", Network::new(&net).coverage());
    assert!(text.contains("fraction bits: Loihi 2 has 6"), "{text}");
    let forced = LeakySettings { arithmetic: Arithmetic::Loihi, ..settings(60_000) };
    let error = quantise_leaky(&import_graph(&graph, "test", UNIT_STEP).unwrap().snn, &forced).unwrap_err();
    assert!(error.to_string().contains("node 'readout': has membranes that can reach"), "{error}");
}

/// Integers → NIR → file → executor: the same membranes; and the file becomes the same integers again.
#[test]
fn a_file_of_the_integers_gives_the_same_membranes() {
    for (seed, kind) in (0..8).map(|seed| (seed, [Kind::Li, Kind::CubaLi][seed as usize % 2])) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let net = quantised(&varied(kind, rng), UNIT_STEP, &settings(40));
        let export = export(&net).unwrap();
        let back = parse(to_bytes(&export.graph).unwrap()).unwrap();
        let again = quantised(&back, Settings::default(), &settings(40));
        for _ in 0..4 {
            let codes: Vec<i64> = (0..40 * 12).map(|_| i64::from(rng.random_bool(0.3))).collect();
            let [before, after] = [&net, &again].map(|net| Functional::new(net).unwrap().image(&codes).unwrap());
            let integers: Vec<f64> = before.logits.iter().map(|&v| v as f64).collect();
            assert_eq!(
                last_row(&back, Settings::default(), presentation(&net).sample(&codes)),
                integers,
                "seed {seed}"
            );
            assert_eq!(before.class, after.class);
        }
    }
}

#[test]
fn a_membrane_that_others_read_is_refused_by_name() {
    let refused = |graph: &NirGraph| import_graph(graph, "test", UNIT_STEP).unwrap_err().to_string();
    for (kind, fields) in [(Kind::Li, &LI[..]), (Kind::CubaLi, &CUBA[..])] {
        let mut graph = network(2, affine(&[1.0, 0.5, 0.5, 1.0], &[0.0; 2]), 2, neurons(kind, 2, fields));
        graph.node("back", affine(&[1.0, 0.0, 0.0, 1.0], &[0.0; 2]));
        graph.edge("readout", "back");
        graph.edge("back", "readout");
        let text = refused(&graph);
        assert!(text.contains("node 'readout': sends its membrane to other neurons"), "{text}");
        // A layer between the membrane and the Output.
        graph.edges.retain(|(from, to)| (from.as_str(), to.as_str()) != ("readout", "flat") && to != "readout");
        graph.edge("fc", "readout");
        graph.edge("back", "flat");
        let text = refused(&graph);
        assert!(text.contains("node 'readout': sends its membrane instead of spikes"), "{text}");
        assert!(text.contains("is the network's Output"), "{text}");
    }
    let fast = neurons(Kind::Li, 2, &[("tau", 0.5), ("r", 1.0), ("v_leak", 0.0)]);
    let text = refused(&network(2, affine(&[1.0, 0.5, 0.5, 1.0], &[0.0; 2]), 2, fast));
    assert!(text.contains("node 'readout': has a time constant (tau) shorter than the time step"), "{text}");
}
