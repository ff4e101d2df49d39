//! The integer equations of leaky neurons and the proof of what they can reach, against a simulation written from the definition.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Coding, Input, Leaky, Neuron, QPopulation, QProjection, QuantGraph, Reset};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::{PopId, Shape};

const INPUTS: usize = 5;
const NEURONS: usize = 4;
const MAX: i64 = 3;

fn projection(pre: usize, post: usize, delay: u32, weight: Array2<i32>) -> QProjection {
    let synapses = Synapses::Dense { weight };
    let name = format!("{pre} to {post}");
    let projection = Projection { name, pre: PopId(pre), post: PopId(post), delay, synapses };
    QProjection { projection, weight_bits: 8 }
}

fn random_weights(rng: &mut ChaCha8Rng, post: usize, pre: usize) -> Array2<i32> {
    Array2::from_shape_fn((post, pre), |_| rng.random_range(-100..=100))
}

/// One recurrent leaky population with all kinds of decays, and a readout; ranges as proved.
fn network(seed: u64, steps: u32) -> QuantGraph {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut each = |low: i64, high: i64| -> Vec<i64> { (0..NEURONS).map(|_| rng.random_range(low..=high)).collect() };
    let theta = each(-50, 4000);
    let reset = if seed.is_multiple_of(2) {
        Reset::Value(each(-500, 500))
    } else {
        Reset::Subtract(theta.iter().map(|t| t.abs()).collect())
    };
    let most = if seed.is_multiple_of(3) { 6000 } else { (1 << 23) - 1 };
    let kinds = [0, 1, 409, 4095, 4096];
    let mut decays = || (0..NEURONS).map(|_| kinds[rng.random_range(0..kinds.len())]).collect::<Vec<i64>>();
    let (du, dv) = (decays(), decays());
    let (bias, v_init) = ((0..NEURONS).map(|_| rng.random_range(-90..=90)).collect(), vec![7; NEURONS]);
    let leaky = Leaky {
        align: 3,
        du,
        dv,
        bias,
        theta,
        reset,
        v_init,
        limits: (-most, most),
        current_range: (i64::MIN >> 20, i64::MAX >> 20),
        input_range: (i64::MIN >> 20, i64::MAX >> 20),
    };
    let population = |name: &str, n: usize, neuron: Neuron| {
        let range = (i64::MIN >> 20, i64::MAX >> 20);
        QPopulation { name: name.into(), shape: Shape(vec![n]), neuron, range }
    };
    let mut net = QuantGraph {
        name: "leaky".into(),
        coding: Coding::Rate,
        timesteps: steps,
        pixels: PixelFormat::unsigned(8),
        input: Input::Train { max: MAX },
        normalisation: None,
        populations: vec![
            population("input", INPUTS, Neuron::Source),
            population("neurons", NEURONS, Neuron::Leaky(Box::new(leaky))),
            population("out", 2, Neuron::Readout { v_init: vec![0; 2] }),
        ],
        projections: vec![
            projection(0, 1, 0, random_weights(rng, NEURONS, INPUTS)),
            projection(1, 1, 1, random_weights(rng, NEURONS, NEURONS)),
            projection(1, 2, 0, random_weights(rng, 2, NEURONS)),
        ],
    };
    prove(&mut net);
    net
}

fn prove(net: &mut QuantGraph) {
    let reach = net.prove_leaky(PopId(1)).unwrap();
    let leaky = leaky_of(net);
    (leaky.input_range, leaky.current_range) = (reach.input, reach.current);
    for pop in 1..net.populations.len() {
        net.populations[pop].range = net.prove_range(PopId(pop));
    }
}

/// The same neurons without thresholds, as the readout.
fn without_thresholds(mut net: QuantGraph) -> QuantGraph {
    net.populations.truncate(2);
    net.projections.truncate(1);
    let leaky = leaky_of(&mut net);
    leaky.theta.clear();
    leaky.reset = Reset::Never;
    prove(&mut net);
    net
}

fn leaky_of(net: &mut QuantGraph) -> &mut Leaky {
    let Neuron::Leaky(leaky) = &mut net.populations[1].neuron else { panic!() };
    leaky
}

/// What a simulation from the definition saw.
#[derive(Default, Debug)]
struct Seen {
    spikes: Vec<Vec<i64>>,
    membranes: Vec<i64>,
    clamped: u64,
    /// Extremes of the sums of one sign, of currents, and of membranes before a clamp as long as none has been clamped.
    input: (i64, i64),
    current: (i64, i64),
    membrane: (i64, i64),
}

fn widen(range: &mut (i64, i64), x: i64) {
    *range = (range.0.min(x), range.1.max(x));
}

/// In exact rationals rather than shifts: `x·(4096 - d) / 4096`, cut off after the point.
fn decayed(x: i64, d: i64) -> i64 {
    (i128::from(x) * i128::from(4096 - d) / 4096) as i64
}

fn simulate(net: &QuantGraph, codes: &[i64]) -> Seen {
    let Neuron::Leaky(l) = &net.populations[1].neuron else { panic!() };
    let (mut u, mut v, mut before) = (vec![0i64; NEURONS], l.v_init.clone(), vec![0i64; NEURONS]);
    let mut seen = Seen::default();
    let weight = |k: usize, n: usize, i: usize| i64::from(net.projections[k].projection.synapses.weight(n, i));
    for inputs in codes.chunks(INPUTS) {
        let mut spikes = vec![0; NEURONS];
        for n in 0..NEURONS {
            let products: Vec<i64> = (0..INPUTS)
                .map(|i| weight(0, n, i) * inputs[i])
                .chain((0..NEURONS).filter(|_| net.projections.len() > 1).map(|i| weight(1, n, i) * before[i]))
                .collect();
            // Some order adds all negative ones first, another all positive ones.
            widen(&mut seen.input, products.iter().filter(|p| **p < 0).sum());
            widen(&mut seen.input, products.iter().filter(|p| **p > 0).sum());
            u[n] = decayed(u[n], l.du[n]) + products.iter().sum::<i64>() * 8;
            let sum = decayed(v[n], l.dv[n]) + u[n] + l.bias[n];
            widen(&mut seen.current, u[n]);
            if seen.clamped == 0 {
                widen(&mut seen.membrane, sum);
            }
            v[n] = sum.max(l.limits.0).min(l.limits.1);
            seen.clamped += u64::from(v[n] != sum);
            if l.theta.get(n).is_some_and(|theta| v[n] > *theta) {
                spikes[n] = 1;
                v[n] = match &l.reset {
                    Reset::Value(to) => to[n],
                    Reset::Subtract(by) => v[n] - by[n],
                    Reset::Never => panic!("a threshold that nothing passes"),
                };
            }
        }
        seen.spikes.push(spikes.clone());
        before = spikes;
    }
    seen.membranes = v;
    seen
}

/// Random trains, and those that push one neuron as hard as they can.
fn samples(net: &QuantGraph, rng: &mut ChaCha8Rng) -> Vec<Vec<i64>> {
    let steps = net.timesteps as usize;
    let random = (0..steps * INPUTS).map(|_| rng.random_range(0..=MAX)).collect();
    let push = |n: usize, sign: i32| -> Vec<i64> {
        let row = (0..INPUTS).map(|i| net.projections[0].projection.synapses.weight(n, i) * sign > 0);
        let inputs: Vec<i64> = row.map(|push| if push { MAX } else { 0 }).collect();
        inputs.iter().copied().cycle().take(steps * INPUTS).collect()
    };
    (0..NEURONS).flat_map(|n| [push(n, 1), push(n, -1)]).chain([random]).collect()
}

#[test]
fn the_functional_model_is_the_definition_and_stays_within_the_proof() {
    let (mut clamped, mut closest) = (0, 0.0f64);
    for seed in 0..90 {
        let net = if seed < 60 { network(seed, 50) } else { without_thresholds(network(seed, 50)) };
        assert_eq!(net.check(), []);
        let readout = net.populations.len() == 2;
        let functional = Functional::new(&net).unwrap();
        let reach = net.prove_leaky(PopId(1)).unwrap();
        for codes in samples(&net, &mut ChaCha8Rng::seed_from_u64(seed)) {
            let seen = simulate(&net, &codes);
            let outcome = functional.image_by_phase(&codes).unwrap();
            for (t, (phase, spikes)) in outcome.phases.unwrap().iter().zip(&seen.spikes).enumerate() {
                assert!(if readout { phase[1].is_empty() } else { phase[1] == *spikes }, "seed {seed}, step {t}");
            }
            assert_eq!(
                (&outcome.membranes[1], outcome.saturations[1].clamped),
                (&seen.membranes, seen.clamped),
                "seed {seed}"
            );
            assert!(!readout || outcome.logits == seen.membranes, "seed {seed}");
            clamped += seen.clamped;
            let inside = |what: &str, seen: (i64, i64), proved: (i64, i64)| {
                assert!(proved.0 <= seen.0 && seen.1 <= proved.1, "seed {seed}: {what} {seen:?} leave {proved:?}");
            };
            inside("inputs", seen.input, reach.input);
            inside("currents", seen.current, reach.current);
            inside("membranes", seen.membrane, reach.membrane);
            closest = closest.max(seen.current.1 as f64 / reach.current.1.max(1) as f64);
        }
    }
    assert!(clamped > 0, "no membrane was ever clamped");
    assert!(closest > 0.9, "the proof is loose: currents reach {closest} of it");
}

#[test]
fn claims_that_fall_short_of_the_proof_are_refused() {
    let complaint = |change: &dyn Fn(&mut Leaky)| {
        let mut net = network(1, 50);
        change(leaky_of(&mut net));
        net.check().iter().map(ToString::to_string).collect::<String>()
    };
    assert_eq!(complaint(&|_| {}), "");
    for (change, part) in [
        (&(|l: &mut Leaky| l.current_range.1 -= 1) as &dyn Fn(&mut Leaky), "claims currents"),
        (&|l| l.input_range.0 += 1, "claims inputs"),
        (&|l| l.du[0] = 4097, "decay of the current of 4097"),
        (&|l| l.dv[0] = -1, "decay of the membrane of -1"),
        (&|l| l.limits = (1, 5), "does not hold 0"),
        (&|l| l.v_init[2] = 1 << 23, "begins at 8388608"),
        (&|l| l.reset = Reset::Value(vec![1 << 24; NEURONS]), "leads out of the limits"),
        (&|l| l.theta.truncate(1), "lengths"),
        (&|l| l.align = 60, "fraction bits"),
        (&|l| (l.reset, l.theta) = (Reset::Never, vec![]), "the readout must be the last population"),
    ] {
        let text = complaint(change);
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_readout_has_no_thresholds() {
    let mut net = without_thresholds(network(1, 50));
    leaky_of(&mut net).theta = vec![1; NEURONS];
    let text: String = net.check().iter().map(ToString::to_string).collect();
    assert!(text.contains("has thresholds, and never fires"), "{text}");
}

#[test]
fn samples_that_do_not_fit_are_refused() {
    let functional = Functional::new(&network(1, 3)).unwrap();
    let text = |codes: &[i64]| functional.image(codes).unwrap_err().to_string();
    assert!(text(&[0; INPUTS]).contains("5 values, the network reads 5 in each of 3 steps"));
    assert!(text(&[MAX + 1; 3 * INPUTS]).contains("outside 0..=3"));
    let mut net = network(1, 3);
    net.coding = Coding::Graded;
    assert!(Functional::new(&net).unwrap_err().to_string().contains("only rate coding"));
}
