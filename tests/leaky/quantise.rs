//! From float neurons to integers: whole thresholds, Loihi's arithmetic, resets, comparisons, and what is refused.

use crate::import_support::agrees_with_loihi;
use ndarray::Array2;
use std::collections::BTreeMap;
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, Leaky, Neuron, QuantGraph, Reset};
use synfire::ir::snn::{FloatReset, LeakyModel, Model, Population, Projection, SnnGraph, Synapses};
use synfire::ir::{PopId, Shape};
use synfire::loihi::network::Network;
use synfire::quantise::{Arithmetic, LayerSettings, LeakySettings, quantise_leaky};

/// One neuron that keeps `keep` of its membrane.
fn neuron(keep: f64, theta: f64) -> LeakyModel {
    LeakyModel {
        keep_current: vec![0.0],
        keep: vec![keep],
        gain: vec![1.0],
        current: vec![0.0],
        theta: vec![theta],
        at_threshold: false,
        reset: FloatReset::Value(vec![0.0]),
        v_init: vec![0.0],
    }
}

/// Inputs with these weights into one neuron, which is read out.
fn network(model: LeakyModel, weights: &[f32], bias: f32) -> SnnGraph {
    let population = |name: &str, n: usize, model: Model, bias: f32| Population {
        name: name.into(),
        shape: Shape(vec![n]),
        model,
        bias: vec![bias; n],
    };
    let dense = |pre: usize, weight: Vec<f32>| {
        let weight = Array2::from_shape_vec((1, weight.len()), weight).unwrap();
        let name = format!("w{pre}");
        Projection { name, pre: PopId(pre), post: PopId(pre + 1), delay: 0, synapses: Synapses::Dense { weight } }
    };
    SnnGraph {
        name: "one".into(),
        zero: Vec::new(),
        populations: vec![
            population("input", weights.len(), Model::Source, 0.0),
            population("neuron", 1, Model::Leaky(Box::new(model)), bias),
            population("out", 1, Model::Readout, 0.0),
        ],
        projections: vec![dense(0, weights.to_vec()), dense(1, vec![1.0])],
    }
}

fn settings(arithmetic: Arithmetic) -> LeakySettings {
    LeakySettings { arithmetic, timesteps: 8, input: Input::Train { max: 1 }, ..LeakySettings::default() }
}

fn leaky(net: &QuantGraph) -> &Leaky {
    let Neuron::Leaky(leaky) = &net.populations[1].neuron else { panic!() };
    leaky
}

fn weights(net: &QuantGraph) -> Vec<i32> {
    net.projections[0].projection.synapses.weights().copied().collect()
}

fn expressible(net: &QuantGraph) -> bool {
    Network::new(net).coverage().iter().all(|c| c.expressible)
}

#[test]
fn by_default_the_threshold_is_a_whole_number_of_weights_and_the_network_loihis() {
    let net =
        quantise_leaky(&network(neuron(0.75, 1.0), &[0.4, -0.31, 0.1], 0.013), &settings(Arithmetic::Auto)).unwrap();
    let (leaky, q) = (leaky(&net), weights(&net));
    let k = leaky.theta[0] >> 6;
    assert_eq!((leaky.theta[0] % 64, leaky.align, leaky.dv[0], leaky.du[0]), (0, 6, 1024, 4096));
    // The threshold of 1.0 is k, so 0.4 is 0.4·k; the weights nearly fill their 8 bits.
    assert!(k >= 127 * 5 / 2 - 2, "{k}");
    let nearest = [0.4, -0.31, 0.1].map(|w: f64| (w * k as f64).round() as i32);
    assert_eq!(q, nearest.map(|w| w.clamp(-127, 127)));
    assert!((leaky.bias[0] as f64 / leaky.theta[0] as f64 - 0.013).abs() < 1e-4);
    assert!(expressible(&net));
}

#[test]
fn weights_that_dwarf_the_threshold_keep_their_bits_by_default() {
    let snn = network(neuron(0.75, 0.01), &[1.0, -0.7, 0.01], 0.0);
    let net = quantise_leaky(&snn, &settings(Arithmetic::Auto)).unwrap();
    assert_eq!(weights(&net)[..2], [127, -89]);
    // 0.01 of a largest weight of 127, in 1/64.
    assert_eq!(leaky(&net).theta[0], (0.01f64 * 127.0 * 64.0).floor() as i64);
    assert!(!expressible(&net));
    let forced = quantise_leaky(&snn, &settings(Arithmetic::Loihi)).unwrap();
    assert!(expressible(&forced) && leaky(&forced).theta[0] == 64, "{}", forced.dump());
}

#[test]
fn loihis_arithmetic_says_everything_that_it_lacks() {
    let model = LeakyModel {
        keep: vec![0.0],
        keep_current: vec![1.0],
        at_threshold: true,
        reset: FloatReset::Subtract,
        ..neuron(0.0, 1.0)
    };
    let snn = network(model, &[0.5], 0.0);
    let error = quantise_leaky(&snn, &settings(Arithmetic::Loihi)).unwrap_err();
    let text = error.to_string();
    for part in ["resets by subtraction", "fires at its threshold itself", "never decays", "forgets its membrane"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(error.problems.len(), 4);
    assert!(error.problems.iter().all(|p| p.node.as_deref() == Some("neuron") && p.help.is_some()));
    assert!(quantise_leaky(&snn, &settings(Arithmetic::Auto)).is_ok());
}

fn spikes(net: &QuantGraph, codes: &[i64]) -> Vec<i64> {
    let outcome = Functional::new(net).unwrap().image_by_phase(codes).unwrap();
    outcome.phases.unwrap().iter().map(|phase| phase[1][0]).collect()
}

/// Two spikes of half a threshold reach it, and do not pass it.
#[test]
fn reaching_a_threshold_is_not_passing_it() {
    for arithmetic in [Arithmetic::Auto, Arithmetic::Free] {
        for (at_threshold, first) in [(true, 1), (false, 2)] {
            // 127 weights to the threshold: both arithmetics represent it exactly.
            let model = LeakyModel { at_threshold, ..neuron(1.0, 254.0) };
            let net = quantise_leaky(&network(model, &[127.0], 0.0), &settings(arithmetic)).unwrap();
            let fired = spikes(&net, &[1; 8]).iter().position(|&s| s == 1);
            assert_eq!(fired, Some(first), "{arithmetic:?} {at_threshold}");
        }
    }
}

#[test]
fn each_reset_leaves_what_it_says() {
    // 100 a step over a threshold of 150: what is left decides when the next spike comes.
    for (reset, expected) in [
        (FloatReset::Value(vec![0.0]), [0, 1, 0, 1, 0, 1, 0, 1]),
        (FloatReset::Value(vec![-150.0]), [0, 1, 0, 0, 1, 0, 0, 1]),
        (FloatReset::Subtract, [0, 1, 1, 0, 1, 1, 0, 1]),
    ] {
        let model = LeakyModel { reset, ..neuron(1.0, 149.0) };
        let net = quantise_leaky(&network(model, &[100.0], 0.0), &settings(Arithmetic::Auto)).unwrap();
        assert_eq!(spikes(&net, &[1; 8]), expected, "{}", net.dump());
    }
}

/// Where a threshold took the whole range of a membrane without fraction bits, nothing could pass it.
#[test]
fn thresholds_far_above_the_weights_are_passed() {
    for arithmetic in [Arithmetic::Auto, Arithmetic::Free] {
        for reset in [FloatReset::Value(vec![0.0]), FloatReset::Subtract] {
            let model = LeakyModel { reset: reset.clone(), ..neuron(1.0, 1999.5) };
            let settings = LeakySettings { timesteps: 4100, ..settings(arithmetic) };
            let net = quantise_leaky(&network(model.clone(), &[1.0], 0.0), &settings).unwrap();
            let all = spikes(&net, &[1; 4100]);
            let at: Vec<usize> = (0..all.len()).filter(|&t| all[t] == 1).collect();
            assert_eq!(at.len(), 2, "{arithmetic:?} {reset:?}: {at:?}");
            assert!(at[0].abs_diff(1999) < 20 && at[1].abs_diff(3999) < 40, "{arithmetic:?} {reset:?}: {at:?}");
            // What a step carries a membrane beyond the threshold is kept by a reset by subtraction, and lost by one to zero.
            let net = quantise_leaky(&network(model, &[1.0; 64], 0.0), &settings).unwrap();
            let count: i64 = spikes(&net, &vec![1; 64 * 4100]).iter().sum();
            let expected = if matches!(reset, FloatReset::Subtract) { 131 } else { 128 };
            assert!((expected - count).abs() <= 1, "{arithmetic:?} {reset:?}: {count} spikes");
        }
    }
}

#[test]
fn fraction_bits_stay_where_something_is_rounded() {
    let align = |keep: f64, bias: f32| {
        let net = quantise_leaky(&network(neuron(keep, 127.0), &[127.0], bias), &settings(Arithmetic::Auto)).unwrap();
        leaky(&net).align
    };
    assert_eq!((align(1.0, 0.0), align(0.5, 0.0), align(1.0, 0.25), align(1.0, 3.0)), (0, 6, 2, 0));
    let net = quantise_leaky(&network(neuron(1.0, 127.0), &[127.0], 0.0), &settings(Arithmetic::Auto)).unwrap();
    assert!(expressible(&net), "the same network in another unit");
}

#[test]
fn neurons_without_a_threshold_never_fire() {
    for arithmetic in [Arithmetic::Auto, Arithmetic::Free] {
        let net = quantise_leaky(&network(neuron(0.9, f64::INFINITY), &[1.0], 5.0), &settings(arithmetic)).unwrap();
        assert_eq!(spikes(&net, &[1; 8]), [0; 8]);
        assert_eq!(Functional::new(&net).unwrap().image(&[1; 8]).unwrap().saturated().total(), 0);
    }
}

/// Without decays the fraction bits are dropped, and the threshold that nobody reaches with them: so must be the limits.
#[test]
fn an_integrator_without_a_threshold_never_fires_and_clamps_just_below_loihi() {
    let settings = LeakySettings { timesteps: 400, ..settings(Arithmetic::Auto) };
    let net = quantise_leaky(&network(neuron(1.0, f64::INFINITY), &[1.0], 5.0), &settings).unwrap();
    assert_eq!((leaky(&net).align, leaky(&net).limits), (0, (-131_071, 131_071)));
    assert_eq!(spikes(&net, &[1; 400]), [0; 400]);
    // The chip's membrane would get 63/64 further, above its highest threshold.
    assert!(!Network::new(&net).coverage()[0].fields_fit);
}

#[test]
fn a_projection_out_of_the_readout_breaks_a_guarantee() {
    let mut snn = network(neuron(1.0, 1.0), &[1.0], 0.0);
    let back =
        Projection { name: "back".into(), pre: PopId(2), post: PopId(1), delay: 1, ..snn.projections[1].clone() };
    snn.projections.push(back);
    let problems = snn.check();
    assert!(problems.iter().any(|p| p.what.contains("reads the readout")), "{problems:?}");
}

/// A clamp of the network's own is nothing that a comparison with Loihi 2 could notice in a sample.
#[test]
fn membranes_that_clamp_elsewhere_than_loihis_are_not_compared() {
    let settings = LeakySettings { state_bits: 16, ..settings(Arithmetic::Auto) };
    let net = quantise_leaky(&network(neuron(1.0, 254.0), &[127.0, -127.0], 0.0), &settings).unwrap();
    let first = Network::new(&net).coverage()[0].clone();
    assert!(!first.fields_fit && first.reasons.iter().any(|r| r.contains("the network clamps them")), "{first:?}");
}

/// 131071 without fraction bits is 63 less than the register's 8388607: enough to fire above a threshold of 131071.
#[test]
fn membranes_without_fraction_bits_are_compared_with_loihis_only_where_nothing_clamps() {
    let most = (1 << 17) - 1;
    for (beyond, compared) in [(0, true), (1, false)] {
        let mut net = quantise_leaky(&network(neuron(1.0, 254.0), &[127.0], 0.0), &settings(Arithmetic::Auto)).unwrap();
        let gained = i64::from(net.timesteps) * i64::from(weights(&net)[0]);
        let Neuron::Leaky(leaky) = &mut net.populations[1].neuron else { panic!() };
        (leaky.align, leaky.limits, leaky.theta[0]) = (0, (-most, most), most);
        leaky.v_init[0] = most - gained + beyond;
        let reach = net.prove_leaky(PopId(1)).unwrap();
        let Neuron::Leaky(leaky) = &mut net.populations[1].neuron else { panic!() };
        leaky.current_range = reach.current;
        net.populations[1].range = net.prove_range(PopId(1));
        assert_eq!((net.check(), reach.membrane.1), (Vec::new(), most + beyond));
        let loihi = Network::new(&net);
        let first = &loihi.coverage()[0];
        assert_eq!(first.fields_fit, compared, "{first:?}");
        assert!(compared || first.reasons[0].ends_with("Loihi 2 to ±131071 and 63/64"), "{first:?}");
        agrees_with_loihi(&net, &Functional::new(&net).unwrap(), &loihi, &[1; 8]);
    }
}

/// Also of several projections, if no one has larger weights than another.
#[test]
fn weights_that_vanish_beside_a_threshold_are_not_blamed_on_other_projections() {
    let told = |snn: &SnnGraph| quantise_leaky(snn, &settings(Arithmetic::Free)).unwrap_err().to_string();
    let mut snn = network(neuron(0.75, 1e9), &[1.0, -0.5], 0.0);
    let text = told(&snn);
    assert!(text.contains("'w0'") && text.contains("thresholds of their neurons are too far above them"), "{text}");
    assert!(!text.contains("other projections"), "{text}");
    let second = Projection { name: "second".into(), ..snn.projections[0].clone() };
    snn.projections.insert(1, second);
    assert!(!told(&snn).contains("other projections"), "{}", told(&snn));
    let Model::Leaky(model) = &mut snn.populations[1].model else { panic!() };
    model.theta[0] = 1e6;
    let Synapses::Dense { weight } = &mut snn.projections[1].synapses else { panic!() };
    weight.fill(1e5);
    let text = told(&snn);
    assert!(text.contains("'w0'") && text.contains("beside those of the population's other projections"), "{text}");
}

#[test]
fn clamped_membranes_are_counted() {
    let settings = LeakySettings { state_bits: 12, align: 2, ..settings(Arithmetic::Free) };
    let net = quantise_leaky(&network(neuron(0.9, 2.0), &[-1.0, 1.0], 0.0), &settings).unwrap();
    assert_eq!(leaky(&net).limits, (-2047, 2047));
    // -127·4 a step, of which nine tenths are kept: -508, -965, -1376, -1746, -2079.
    let codes = [1, 0].repeat(8);
    assert_eq!(Functional::new(&net).unwrap().image(&codes).unwrap().saturated().clamped, 4);
}

#[test]
fn membranes_are_as_wide_as_they_need_to_be() {
    let net = quantise_leaky(&network(neuron(0.75, 4.0), &[1.0], 0.0), &settings(Arithmetic::Auto)).unwrap();
    // At most four times the input, 127·64·4 = 32512.
    assert_eq!(leaky(&net).limits, (-32767, 32767));
    assert_eq!(net.populations[1].range, (-32767, 32767));
    assert!(matches!(leaky(&net).reset, Reset::Value(_)));
}

#[test]
fn settings_that_cannot_be_are_refused_together() {
    let layers = BTreeMap::from([("nobody".to_string(), LayerSettings { weight_bits: Some(40) })]);
    let settings = LeakySettings {
        timesteps: 0,
        weight_bits: 1,
        align: 30,
        layers,
        input: Input::Train { max: 0 },
        ..LeakySettings::default()
    };
    let error = quantise_leaky(&network(neuron(1.0, 1.0), &[1.0], 0.0), &settings).unwrap_err();
    let text = error.to_string();
    for part in
        ["time steps cannot be 0", "bits per weight cannot be 1", "fraction bits cannot be 30", "'nobody'", "up to 0"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn weights_that_vanish_beside_others_are_named() {
    let mut snn = network(neuron(1.0, 1.0), &[1.0], 0.0);
    let mut faint = snn.projections[0].clone();
    faint.name = "faint".into();
    faint.synapses = faint.synapses.map(|_| 1e-6);
    snn.projections.insert(1, faint);
    let error = quantise_leaky(&snn, &settings(Arithmetic::Auto)).unwrap_err();
    assert_eq!(error.problems[0].node.as_deref(), Some("faint"), "{error}");
}
