//! Convolutions, depthwise convolutions, pools and skips by the Loihi 2 equations, against the functional model; and proof that the comparison
//! notices a wrong geometry.

use crate::import_support::{agrees_with_loihi, random_train};
use ndarray::{Array2, Array3, Array4, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Coding, Combine, Input, Leaky, Neuron, QPopulation, QProjection, QuantGraph, Reset};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};
use synfire::loihi::network::Network;

const STEPS: u32 = 8;
const IMAGE: [usize; 3] = [4, 7, 6];
const POOLED: usize = 3;
const FLAT: usize = 5;

fn from_to(rng: &mut ChaCha8Rng, input: [usize; 3], output: [usize; 3]) -> Window {
    let mut two = |low: usize, high: usize| [rng.random_range(low..=high), rng.random_range(low..=high)];
    let (kernel, stride, dilation, pad) = (two(1, 4), two(1, 3), two(1, 3), two(0, 4));
    Window { input, output, kernel, stride, pad: pad.map(|p| p as i64 - 1), dilation }
}

/// Neurons that Loihi 2 has, with whole thresholds.
fn lif(rng: &mut ChaCha8Rng, n: usize) -> Neuron {
    let mut pick = |from: [i64; 3]| vec![from[rng.random_range(0..3)]; n];
    let (du, dv) = (pick([4096, 1500, 300]), pick([0, 163, 2048]));
    let mut each = |low: i64, high: i64| -> Vec<i64> { (0..n).map(|_| rng.random_range(low..=high)).collect() };
    let theta = each(10, 200).into_iter().map(|k| k << 6).collect();
    let (bias, v_init, most) = (each(-500, 900), each(-900, 900), (1 << 23) - 1);
    let reset = Reset::Value(vec![0; n]);
    let open = (-1 << 40, 1 << 40);
    let (limits, current_range, input_range) = ((-most, most), open, open);
    Neuron::Leaky(Box::new(Leaky { align: 6, du, dv, bias, theta, reset, v_init, limits, current_range, input_range }))
}

fn projection(pre: usize, post: usize, synapses: Synapses<i32>) -> QProjection {
    let name = format!("{pre} to {post}");
    let projection = Projection { name, pre: PopId(pre), post: PopId(post), delay: 0, synapses };
    QProjection { projection, weight_bits: 9 }
}

/// Weights of either or of one sign, which are stored differently.
fn weight(rng: &mut ChaCha8Rng) -> impl FnMut() -> i32 {
    let (low, high) = [(-90, 110), (0, 90), (-30, 0)][rng.random_range(0..3)];
    let mut rng = ChaCha8Rng::seed_from_u64(rng.random());
    move || rng.random_range(low..=high)
}

fn conv(rng: &mut ChaCha8Rng, window: Window, groups: usize) -> Synapses<i32> {
    let shape = (window.output[0], window.input[0] / groups, window.kernel[0], window.kernel[1]);
    Synapses::Conv { weight: Array4::from_shape_simple_fn(shape, weight(rng)), window, groups }
}

fn channelwise(rng: &mut ChaCha8Rng, window: Window, channels: usize, from: usize, to: usize) -> Synapses<i32> {
    let shape = (channels, window.kernel[0], window.kernel[1]);
    Synapses::Channelwise { weight: Array3::from_shape_simple_fn(shape, weight(rng)), window, from, to }
}

/// Source → conv → depthwise conv (and a skip from the source) → pool → dense → readout, the pool's sums also over the source.
fn network(rng: &mut ChaCha8Rng, conv: Synapses<i32>) -> QuantGraph {
    let one = conv.window().unwrap().output;
    let two = [one[0] + 1, rng.random_range(2..6), rng.random_range(2..6)];
    let three = [POOLED, 2, 3];
    let depthwise = from_to(rng, one, two);
    let skip = from_to(rng, IMAGE, two);
    let sums =
        |input| Window { kernel: [2, 2], stride: [2, 1], ..from_to(&mut ChaCha8Rng::seed_from_u64(1), input, three) };
    let ones = |window| Synapses::Channelwise { weight: Array3::ones((POOLED, 2, 2)), window, from: 1, to: 0 };
    let pixels = |[c, h, w]: [usize; 3]| c * h * w;
    let dense = |rng: &mut ChaCha8Rng, post, pre| Synapses::Dense {
        weight: Array2::from_shape_simple_fn((post, pre), || rng.random_range(-30..=40)),
    };
    let projections = vec![
        projection(0, 1, conv),
        projection(1, 2, channelwise(rng, depthwise, one[0], 0, 1)),
        projection(0, 2, channelwise(rng, skip, 2, 1, 0)),
        projection(2, 3, ones(sums(two))),
        projection(0, 3, ones(sums(IMAGE))),
        projection(3, 4, dense(rng, FLAT, pixels(three))),
        projection(4, 5, dense(rng, 2, FLAT)),
    ];
    let population = |name: &str, shape: &[usize], neuron| QPopulation {
        name: name.into(),
        shape: Shape(shape.to_vec()),
        neuron,
        range: (0, 0),
    };
    let pool = Neuron::Pool { combine: Combine::Sum, max: 8 * 3 };
    let mut net = QuantGraph {
        name: "windows".into(),
        coding: Coding::Rate,
        timesteps: STEPS,
        pixels: PixelFormat::unsigned(8),
        input: Input::Train { max: 3 },
        normalisation: None,
        populations: vec![
            population("source", &IMAGE, Neuron::Source),
            population("conv", &one, lif(rng, pixels(one))),
            population("depthwise", &two, lif(rng, pixels(two))),
            population("pool", &three, pool),
            population("dense", &[FLAT], lif(rng, FLAT)),
            population("out", &[2], Neuron::Readout { v_init: vec![3; 2] }),
        ],
        projections,
    };
    for pop in 1..net.populations.len() {
        net.populations[pop].range = net.prove_range(PopId(pop));
    }
    assert_eq!(net.check(), []);
    net
}

fn train(seed: u64) -> Vec<i64> {
    let [many, few] = [0.4, 0.1].map(|rate| random_train(seed, STEPS as usize, IMAGE.iter().product(), rate));
    many.iter().zip(few).map(|(a, b)| a + 2 * b).collect()
}

#[test]
fn random_windows_are_loihis_in_every_step() {
    let mut spikes = [0; 6];
    for seed in 0..150 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let groups = [1, 2, 4][rng.random_range(0..3)];
        let output = [4, rng.random_range(2..7), rng.random_range(2..7)];
        let window = from_to(rng, IMAGE, output);
        let synapses = conv(rng, window, groups);
        let net = network(rng, synapses);
        let loihi = Network::new(&net);
        assert!(loihi.coverage().iter().all(|c| c.expressible && c.fields_fit), "{:?}", loihi.coverage());
        let outcome = agrees_with_loihi(&net, &Functional::new(&net).unwrap(), &loihi, &train(seed));
        spikes.iter_mut().zip(&outcome.counts).for_each(|(all, counts)| *all += counts.iter().sum::<i64>());
    }
    assert!(spikes[1..5].iter().all(|&n| n > 1000), "{spikes:?}");
}

/// What the equations say of the first population behind `synapses`, for the spikes that a sound network sends.
fn conv_spikes(net: &QuantGraph, synapses: Synapses<i32>, sent: &[Vec<Vec<i64>>]) -> Vec<Vec<i64>> {
    let mut mutant = net.clone();
    mutant.projections[0].projection.synapses = synapses;
    let responses = Network::new(&mutant).run_image(sent).unwrap();
    responses[1].as_ref().unwrap().phases.iter().map(|phase| phase.spikes.clone()).collect()
}

#[test]
fn a_wrong_pad_stride_dilation_kernel_or_group_is_noticed() {
    let rng = &mut ChaCha8Rng::seed_from_u64(7);
    let right =
        Window { kernel: [3, 2], stride: [2, 1], pad: [1, -1], dilation: [1, 2], ..from_to(rng, IMAGE, [4, 4, 5]) };
    let Synapses::Conv { weight, .. } = conv(rng, right, 2) else { unreachable!() };
    let grouped = |window, weight: &Array4<i32>, groups| Synapses::Conv { weight: weight.clone(), window, groups };
    let net = network(rng, grouped(right, &weight, 2));
    let truth = Functional::new(&net).unwrap().image_by_phase(&train(7)).unwrap().phases.unwrap();
    let expected: Vec<Vec<i64>> = truth.iter().map(|phase| phase[1].clone()).collect();
    let spikes = |window, weight: &Array4<i32>, groups| conv_spikes(&net, grouped(window, weight, groups), &truth);
    assert_eq!(spikes(right, &weight, 2), expected);
    for wrong in [
        Window { pad: [0, -1], ..right },
        Window { pad: [2, -1], ..right },
        Window { pad: [1, 0], ..right },
        Window { pad: [-1, 1], ..right },
        Window { stride: [1, 1], ..right },
        Window { stride: [2, 2], ..right },
        Window { stride: [1, 2], ..right },
        Window { dilation: [1, 1], ..right },
        Window { dilation: [2, 2], ..right },
        Window { dilation: [2, 1], ..right },
    ] {
        assert_ne!(spikes(wrong, &weight, 2), expected, "{wrong:?} goes unnoticed");
    }
    let turned = Array4::from_shape_fn(weight.dim(), |(o, i, y, x)| weight[(o, i, 2 - y, 1 - x)]);
    assert_ne!(spikes(right, &turned, 2), expected, "a turned kernel goes unnoticed");
    // Without groups the same synapses need weights of zero; at other places they are another network.
    let spread = |begin: fn(usize) -> usize| {
        let mut spread = Array4::zeros((4, 4, 3, 2));
        for (o, kernel) in weight.outer_iter().enumerate() {
            spread.slice_mut(s![o, begin(o)..begin(o) + 2, .., ..]).assign(&kernel);
        }
        spread
    };
    assert_eq!(spikes(right, &spread(|o| o / 2 * 2), 1), expected);
    assert_ne!(spikes(right, &spread(|_| 0), 1), expected, "the first group's senders for all go unnoticed");
    assert_ne!(spikes(right, &spread(|o| o % 2 * 2), 1), expected, "interleaved groups go unnoticed");
}

/// What windows cannot have on Loihi 2 is said by name.
#[test]
fn weights_and_maxima_that_do_not_fit_are_named() {
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let window = from_to(rng, IMAGE, [4, 3, 3]);
    let synapses = conv(rng, window, 1);
    let mut net = network(rng, synapses);
    let Synapses::Conv { weight, .. } = &mut net.projections[0].projection.synapses else { unreachable!() };
    (weight[(0, 0, 0, 0)], weight[(1, 0, 0, 0)]) = (128, -1);
    if let Neuron::Pool { combine, .. } = &mut net.populations[3].neuron {
        *combine = Combine::Max;
    }
    let loihi = Network::new(&net);
    let reasons = |pop: usize| loihi.coverage()[pop - 1].reasons.join("; ");
    assert!(reasons(1).contains("projection '0 to 1' holds weights from"), "{}", reasons(1));
    assert!(reasons(3).contains("takes the largest of its inputs"), "{}", reasons(3));
    assert!(loihi.coverage()[1].fields_fit, "{}", reasons(2));
    assert_eq!([0, 1, 2].map(|at| loihi.coverage()[at].weights_fit), [false, true, true]);
}
