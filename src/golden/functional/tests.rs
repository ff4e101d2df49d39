use super::{Functional, Outcome, Saturations};
use crate::fixed::PixelFormat;
use crate::ir::quant::{Coding, Combine, Input, MultiSpike, Neuron, QPopulation, QProjection, QuantGraph};
use crate::ir::snn::{Projection, Synapses};
use crate::ir::{PopId, Shape};
use ndarray::Array2;
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A random network: source → two hidden populations with a join → readout.
fn random(rng: &mut ChaCha8Rng, coding: Coding, weight_bits: u32, pixel_bits: u32) -> QuantGraph {
    let sizes = [rng.random_range(1..20), rng.random_range(1..9), rng.random_range(1..9), rng.random_range(1..5)];
    let limit = (1 << (weight_bits - 1)) - 1;
    let phases = if coding == Coding::Rate { 5 } else { 1 };
    let populations = sizes.iter().enumerate().map(|(i, &n)| {
        let drive = i64::from(limit) * (if i == 1 { 1 << pixel_bits } else { 8 });
        let mut values = |low: i64, high: i64| -> Vec<i64> { (0..n).map(|_| rng.random_range(low..=high)).collect() };
        let neuron = match i {
            0 => Neuron::Source,
            3 => Neuron::Readout { v_init: values(-9, 9) },
            _ => Neuron::If {
                theta: values(1, drive),
                v_init: values(-drive, drive),
                bias: if phases > 1 { values(-drive / 4, drive / 4) } else { vec![0; n] },
            },
        };
        QPopulation { name: format!("p{i}"), shape: Shape(vec![n]), neuron, range: (0, 0) }
    });
    let populations = populations.collect();
    let projections = [(0, 1), (1, 2), (0, 2), (1, 3), (2, 3)].map(|(pre, post)| {
        let weight = Array2::from_shape_fn((sizes[post], sizes[pre]), |_| rng.random_range(-limit..=limit));
        let synapses = Synapses::Dense { weight };
        let projection =
            Projection { name: format!("{pre}to{post}"), pre: PopId(pre), post: PopId(post), delay: 0, synapses };
        QProjection { projection, weight_bits }
    });
    let mut net = QuantGraph {
        name: "random".into(),
        coding,
        timesteps: 5,
        pixels: PixelFormat::unsigned(pixel_bits),
        input: Input::Constant,
        normalisation: None,
        populations,
        projections: projections.to_vec(),
    };
    prove(&mut net);
    net
}

fn prove(net: &mut QuantGraph) {
    for i in 0..net.populations.len() {
        net.populations[i].range = net.prove_range(PopId(i));
    }
}

fn codes(rng: &mut ChaCha8Rng, net: &QuantGraph) -> Vec<i64> {
    let max = net.pixels.max();
    (0..net.input_shape().len()).map(|_| if rng.random_bool(0.4) { 0 } else { rng.random_range(0..=max) }).collect()
}

fn weight(net: &QuantGraph, p: usize) -> &Array2<i32> {
    let Synapses::Dense { weight } = &net.projections[p].projection.synapses else { panic!("dense networks only") };
    weight
}

/// The equations taken literally: one event after the other in random order, one subtraction per spike. Returns
/// logits and counts.
fn literally(net: &QuantGraph, codes: &[i64], rng: &mut ChaCha8Rng) -> (Vec<i64>, Vec<Vec<i64>>) {
    let mut v: Vec<Vec<i64>> = net.populations.iter().map(|p| p.neuron.v_init().to_vec()).collect();
    let mut counts: Vec<Vec<i64>> = net.populations.iter().map(|p| vec![0; p.shape.len()]).collect();
    let mut before = counts.clone();
    for _ in 0..net.phases() {
        let mut sent: Vec<Vec<i64>> = counts.iter().map(|c| vec![0; c.len()]).collect();
        for (i, pop) in net.populations.iter().enumerate() {
            let mut events: Vec<(usize, usize, i64)> = Vec::new();
            for (p, projection) in net.projections.iter().enumerate().filter(|(_, p)| p.projection.post.0 == i) {
                let from = if projection.projection.delay > 0 { &before } else { &sent };
                for (c, &x) in from[projection.projection.pre.0].iter().enumerate() {
                    // A payload may arrive as one event or as that many spikes.
                    match net.coding {
                        Coding::Unit if projection.projection.pre.0 > 0 => {
                            events.extend((0..x).map(|_| (p, c, 1)));
                        }
                        _ => events.push((p, c, x)),
                    }
                }
            }
            events.shuffle(rng);
            for (p, c, x) in events {
                for (n, v) in v[i].iter_mut().enumerate() {
                    *v += i64::from(weight(net, p)[(n, c)]) * x;
                    assert!((pop.range.0..=pop.range.1).contains(v), "the range proof holds at every moment");
                }
            }
            match &pop.neuron {
                Neuron::Source => sent[i].copy_from_slice(codes),
                Neuron::Pool { .. } | Neuron::Leaky(_) => panic!("no pools here"),
                Neuron::MultiSpike(multi) => {
                    for (n, v) in v[i].iter_mut().enumerate() {
                        *v += multi.bias[n];
                        while *v >= multi.theta[n] && sent[i][n] < i64::from(multi.most) {
                            *v -= multi.theta[n];
                            sent[i][n] += 1;
                        }
                        // Whoever fired is above it anyway.
                        if multi.floor && *v < -multi.theta[n] {
                            *v = -multi.theta[n];
                        }
                        assert!((pop.range.0..=pop.range.1).contains(v));
                    }
                }
                Neuron::Readout { .. } => {}
                Neuron::If { theta, bias, .. } => {
                    for (n, v) in v[i].iter_mut().enumerate() {
                        *v += bias[n];
                        for _ in 0..if net.coding == Coding::Rate { 1 } else { net.timesteps } {
                            if *v >= theta[n] {
                                *v -= theta[n];
                                sent[i][n] += 1;
                            }
                        }
                    }
                }
            }
        }
        for (count, sent) in counts.iter_mut().flatten().zip(sent.iter().flatten()) {
            *count += sent;
        }
        before = sent;
    }
    counts.last_mut().unwrap().clear();
    (v.pop().unwrap(), counts)
}

fn outcome(net: &QuantGraph, codes: &[i64]) -> Outcome {
    Functional::new(net).unwrap().image(codes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any order of additions, unit spikes or graded events, narrow or wide membranes: the same integers.
    #[test]
    fn equals_the_equations_taken_literally(seed in any::<u64>(), wide in any::<bool>()) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
            let net = if wide { random(rng, coding, 16, 16) } else { random(rng, coding, 4, 4) };
            for _ in 0..4 {
                let codes = codes(rng, &net);
                let (logits, counts) = literally(&net, &codes, rng);
                let outcome = outcome(&net, &codes);
                prop_assert_eq!(&outcome.logits, &logits);
                prop_assert_eq!(&outcome.counts, &counts);
            }
        }
    }

    #[test]
    fn several_spikes_in_a_step_equal_the_equations_taken_literally(seed in any::<u64>()) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut net = random(rng, Coding::Rate, 4, 4);
        for population in &mut net.populations {
            if let Neuron::If { theta, v_init, bias } = population.neuron.clone() {
                let theta = theta.into_iter().map(|theta| theta / 8 + 1).collect();
                let (most, floor) = (rng.random_range(1..7), rng.random_bool(0.5));
                population.neuron = Neuron::MultiSpike(Box::new(MultiSpike { theta, v_init, bias, floor, most }));
            }
        }
        prove(&mut net);
        prop_assert_eq!(net.check(), vec![]);
        let codes = codes(rng, &net);
        let (logits, counts) = literally(&net, &codes, rng);
        let outcome = outcome(&net, &codes);
        prop_assert_eq!(&outcome.logits, &logits);
        prop_assert_eq!(&outcome.counts, &counts);
    }

    #[test]
    fn unit_and_graded_coding_are_the_same_network(seed in any::<u64>()) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut net = random(rng, Coding::Graded, 8, 8);
        let codes = codes(rng, &net);
        let graded = outcome(&net, &codes);
        net.coding = Coding::Unit;
        prop_assert_eq!(outcome(&net, &codes), graded);
    }

    #[test]
    fn phases_add_up_and_recurrence_reads_the_phase_before(seed in any::<u64>()) {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut net = random(rng, Coding::Rate, 4, 4);
        let n = net.populations[1].shape.len();
        let weight = Array2::from_shape_fn((n, n), |_| rng.random_range(-7..=7));
        let mut back = net.projections[0].clone();
        back.projection.pre = PopId(1);
        back.projection.delay = 1;
        back.projection.synapses = Synapses::Dense { weight };
        net.projections.push(back);
        prove(&mut net);
        let codes = codes(rng, &net);
        let (logits, counts) = literally(&net, &codes, rng);
        let outcome = Functional::new(&net).unwrap().image_by_phase(&codes).unwrap();
        prop_assert_eq!(&outcome.logits, &logits);
        prop_assert_eq!(&outcome.counts, &counts);
        let phases = outcome.phases.unwrap();
        prop_assert_eq!(phases.len(), 5);
        for (i, counts) in outcome.counts.iter().enumerate() {
            for (n, &count) in counts.iter().enumerate() {
                prop_assert_eq!(phases.iter().map(|p| p[i][n]).sum::<i64>(), count);
            }
        }
    }
}

/// Input 3 → one neuron with `theta = 10` → two logits.
fn by_hand(timesteps: u32) -> QuantGraph {
    let population =
        |name: &str, n: usize, neuron| QPopulation { name: name.into(), shape: Shape(vec![n]), neuron, range: (0, 0) };
    let projection = |pre: usize, post: usize, weight: Array2<i32>| QProjection {
        projection: Projection {
            name: format!("{pre}to{post}"),
            pre: PopId(pre),
            post: PopId(post),
            delay: 0,
            synapses: Synapses::Dense { weight },
        },
        weight_bits: 8,
    };
    let mut net = QuantGraph {
        name: "by hand".into(),
        coding: Coding::Graded,
        timesteps,
        pixels: PixelFormat::unsigned(4),
        input: Input::Constant,
        normalisation: None,
        populations: vec![
            population("image", 3, Neuron::Source),
            population("hidden", 1, Neuron::If { theta: vec![10], v_init: vec![5], bias: vec![0] }),
            population("out", 2, Neuron::Readout { v_init: vec![1, -1] }),
        ],
        projections: vec![projection(0, 1, ndarray::array![[2, -1, 3]]), projection(1, 2, ndarray::array![[4], [5]])],
    };
    prove(&mut net);
    net
}

#[test]
fn a_network_computed_by_hand() {
    // 5 + 2·15 - 1·4 + 3·3 = 40: exactly four thresholds.
    let outcome = outcome(&by_hand(7), &[15, 4, 3]);
    assert_eq!(outcome.membranes, [vec![], vec![40], vec![17, 19]]);
    assert_eq!(outcome.counts, [vec![15, 4, 3], vec![4], vec![]]);
    assert_eq!(outcome.saturated(), Saturations::default());
    assert_eq!((outcome.logits, outcome.class), (vec![17, 19], 1));
}

#[test]
fn activations_above_the_last_level_are_clipped_and_counted() {
    let clipped = outcome(&by_hand(3), &[15, 4, 3]);
    let of = |clipped| Saturations { clipped, ..Saturations::default() };
    assert_eq!((clipped.counts[1][0], clipped.saturations), (3, vec![of(0), of(1), of(0)]));
    assert_eq!(outcome(&by_hand(4), &[15, 4, 3]).saturated(), of(0), "four of four is not clipped");
}

#[test]
fn one_changed_weight_or_threshold_changes_the_answer() {
    let mut net = by_hand(7);
    if let Neuron::If { theta, .. } = &mut net.populations[1].neuron {
        theta[0] += 1;
    }
    assert_eq!(outcome(&net, &[15, 4, 3]).counts[1], [3]);
    let mut net = by_hand(7);
    let Synapses::Dense { weight } = &mut net.projections[0].projection.synapses else { panic!("dense") };
    weight[(0, 1)] -= 1;
    prove(&mut net);
    assert_eq!(outcome(&net, &[15, 4, 3]).counts[1], [3]);
}

#[test]
fn a_batch_is_its_images_whatever_the_threads() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        let net = random(rng, coding, 5, 6);
        let model = Functional::new(&net).unwrap();
        let images: Vec<Vec<i64>> = (0..150).map(|_| codes(rng, &net)).collect();
        let labels: Vec<usize> = (0..150).map(|i| i % 2).collect();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| model.classify(150, |i| images[i].clone(), Some(&labels))).unwrap()
        };
        let (one, four) = (run(1), run(4));
        let outcomes: Vec<Outcome> = images.iter().map(|image| model.image(image).unwrap()).collect();
        let classes: Vec<usize> = outcomes.iter().map(|o| o.class).collect();
        let sum = |f: &dyn Fn(&Outcome) -> i64| outcomes.iter().map(f).sum::<i64>() as u64;
        for summary in [&one, &four] {
            assert_eq!(summary.classes, classes);
            assert_eq!(summary.correct, Some(classes.iter().zip(&labels).filter(|(a, b)| a == b).count()));
            assert_eq!(summary.spikes[1], sum(&|o| o.counts[1].iter().sum()));
            let active = |counts: &[i64]| counts.iter().filter(|c| **c > 0).count() as i64;
            let phases = i64::from(net.phases());
            assert_eq!(summary.events[0], sum(&|o| active(&o.counts[0]) * phases));
            let graded = coding == Coding::Graded;
            assert_eq!(summary.events[1], if graded { sum(&|o| active(&o.counts[1])) } else { summary.spikes[1] });
            assert_eq!(summary.saturated().clipped, sum(&|o| o.saturated().clipped as i64));
            for (pop, of) in summary.saturations.iter().enumerate() {
                assert_eq!(of.total(), sum(&|o| o.saturations[pop].total() as i64));
            }
            assert_eq!(summary.neurons, net.populations[1].shape.len() + net.populations[2].shape.len());
        }
    }
}

/// A pool sends an event in every phase in which it holds something, and several spikes of a step are one event.
#[test]
fn events_of_pools_and_spike_trains_are_counted_phase_by_phase() {
    let mut net = by_hand(3);
    (net.coding, net.input) = (Coding::Rate, Input::Train { max: 3 });
    net.populations[1].neuron = Neuron::Pool { combine: Combine::Sum, max: 9 };
    net.projections[0].projection.synapses = Synapses::Dense { weight: ndarray::array![[1, 1, 1]] };
    prove(&mut net);
    let codes = vec![2, 0, 0, 0, 0, 0, 1, 3, 0];
    let summary = Functional::new(&net).unwrap().classify(1, |_| codes.clone(), None).unwrap();
    assert_eq!(summary.events, [3, 2, 0]);
    assert_eq!(summary.spikes, [6, 0, 0]);
}

#[test]
fn images_and_networks_that_do_not_fit_are_refused() {
    let model = Functional::new(&by_hand(7)).unwrap();
    assert!(model.image(&[1, 2]).unwrap_err().to_string().contains("has 2 pixels, the network reads 3"));
    assert!(model.image(&[1, 2, 16]).unwrap_err().to_string().contains("16 is outside 0..=15"));
    assert!(model.image(&[1, 2, -1]).is_err());
    assert!(model.classify(1, |_| vec![0; 3], Some(&[])).is_err());
    let mut net = by_hand(7);
    net.populations[1].range = (0, 0);
    assert!(Functional::new(&net).is_err(), "an unproved range");
    let mut net = by_hand(7);
    net.projections[0].projection.delay = 2;
    assert!(Functional::new(&net).unwrap_err().to_string().contains("delay of 2"));
}
