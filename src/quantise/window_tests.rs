//! Convolutions, skips and pools.

use super::*;
use crate::golden::functional::Functional;
use crate::ir::Shape;
use crate::ir::snn::Population;
use crate::ir::window::Window;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Rng = ChaCha8Rng;

const IMAGE: [usize; 3] = [2, 6, 6];

/// image → conv a → conv b (+ skip from a) → pool → dense readout, normalised, so that the image is signed.
fn network(seed: u64, pool: Model) -> SnnGraph {
    let rng = &mut Rng::seed_from_u64(seed);
    let (inner, pooled) = ([4, 6, 6], [4, 3, 3]);
    let same =
        |input: [usize; 3]| Window { kernel: [3, 3], pad: [1, 1], ..Window { input, ..Window::identity(inner) } };
    let halves = Window { output: pooled, kernel: [2, 2], stride: [2, 2], ..Window::identity(inner) };
    let population = |name: &str, shape: [usize; 3], model: Model, bias: Vec<f32>| {
        let pixels = shape[1] * shape[2];
        let bias = bias.into_iter().flat_map(|b| std::iter::repeat_n(b, pixels)).collect();
        Population { name: name.into(), shape: Shape(shape.to_vec()), model, bias }
    };
    let relu = Model::Relu { max: None };
    let mut biases = |n: usize| (0..n).map(|_| rng.random_range(-0.2..0.3)).collect::<Vec<f32>>();
    let populations = vec![
        population("image", IMAGE, Model::Source, vec![0.0; 2]),
        population("a", inner, relu.clone(), biases(4)),
        population("b", inner, relu, biases(4)),
        population("pool", pooled, pool.clone(), vec![0.0; 4]),
        population("out", [3, 1, 1], Model::Readout, biases(3)),
    ];
    let tap = if pool == Model::Sum { 0.25 } else { 1.0 };
    let mut conv = |post: usize, pre: usize, window: Window| Synapses::Conv {
        weight: Array4::from_shape_simple_fn((post, pre, 3, 3), || rng.random_range(-0.5..0.5)),
        window,
        groups: 1,
    };
    let (first, second) = (conv(4, 2, same(IMAGE)), conv(4, 4, same(inner)));
    let channelwise = |weight: Array3<f32>, window: Window| Synapses::Channelwise { weight, window, from: 0, to: 0 };
    let head = Array2::from_shape_simple_fn((3, 36), || rng.random_range(-0.4..0.4));
    let projections = [
        ("fa", 0, 1, first),
        ("fb", 1, 2, second),
        ("skip", 1, 2, channelwise(Array3::ones((4, 1, 1)), Window::identity(inner))),
        ("taps", 2, 3, channelwise(Array3::from_elem((4, 2, 2), tap), halves)),
        ("head", 3, 4, Synapses::Dense { weight: head }),
    ];
    let projections = projections.map(|(name, pre, post, synapses)| Projection {
        name: name.into(),
        pre: PopId(pre),
        post: PopId(post),
        delay: 0,
        synapses,
    });
    SnnGraph { name: "windows".into(), zero: vec![0.47, 0.31], populations, projections: projections.to_vec() }
}

fn pixels(seed: u64, samples: usize) -> Array2<f32> {
    let rng = &mut Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((samples, IMAGE.iter().product()), || rng.random_range(0.0..=1.0))
}

/// Runs all steps and keeps what they saw.
fn quantiser<'a>(snn: &'a SnnGraph, pixels: &'a Array2<f32>, settings: &'a QuantSettings) -> Quantiser<'a> {
    assert_eq!(snn.check(), []);
    let mut quantiser = Quantiser::new(snn, pixels.view(), settings);
    (1..snn.populations.len()).for_each(|i| quantiser.population(PopId(i)));
    quantiser
}

#[test]
fn calibration_sees_what_windows_and_pools_will_send() {
    for (pool, coding) in [(Model::Sum, Coding::Graded), (Model::Sum, Coding::Unit), (Model::Max, Coding::Graded)] {
        let (snn, pixels) = (network(1, pool.clone()), pixels(2, 40));
        let settings = QuantSettings { coding, ..QuantSettings::default() };
        let quantiser = quantiser(&snn, &pixels, &settings);
        let net = quantise(&snn, pixels.view(), &settings).unwrap();
        let model = Functional::new(&net).unwrap();
        for (sample, row) in pixels.rows().into_iter().enumerate() {
            let codes: Vec<i64> = row.iter().enumerate().map(|(i, &p)| net.pixels.encode(p, i / 36)).collect();
            let outcome = model.image(&codes).unwrap();
            for pop in 0..4 {
                let totals = quantiser.activity[pop].totals.row(sample).mapv(|x| x as i64);
                assert_eq!(outcome.counts[pop], totals.to_vec(), "{pool:?}, {coding:?}, population {pop}");
            }
        }
    }
}

/// A pool's value is the sum (maximum) of its senders' values, exactly; nothing is rounded there.
#[test]
fn pools_lose_nothing() {
    // In unit coding a sender says up to T in one phase, though a payload is 1.
    for (pool, coding) in [(Model::Sum, Coding::Graded), (Model::Sum, Coding::Unit), (Model::Max, Coding::Graded)] {
        let (snn, pixels) = (network(3, pool.clone()), pixels(4, 30));
        let settings = QuantSettings { coding, timesteps: 5, ..QuantSettings::default() };
        assert_eq!(quantise(&snn, pixels.view(), &settings).unwrap().check(), [], "{pool:?}, {coding:?}");
        let quantiser = quantiser(&snn, &pixels, &settings);
        let (sender, pooled) = (&quantiser.activity[2], &quantiser.activity[3]);
        for (x, y) in sender.totals.rows().into_iter().zip(pooled.totals.rows()) {
            for (n, &got) in y.iter().enumerate() {
                let (c, oy, ox) = (n / 9, n / 3 % 3, n % 3);
                let at = |dy: usize, dx: usize| c * 36 + (2 * oy + dy) * 6 + 2 * ox + dx;
                let seen = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)].map(|i| f64::from(x[i]) * sender.step[i]);
                let wanted = match pool {
                    Model::Sum => seen.iter().sum::<f64>() / 4.0,
                    _ => seen.into_iter().fold(0.0, f64::max),
                };
                let got = f64::from(got) * pooled.step[n];
                assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
            }
        }
        let most = if pool == Model::Sum { 20 } else { 5 };
        assert!(matches!(quantiser.net.populations[3].neuron, Neuron::Pool { max, .. } if max == most));
    }
}

/// With enough bits and steps the integers are the float network.
#[test]
fn fine_settings_reproduce_the_float_windows() {
    for pool in [Model::Sum, Model::Max] {
        let (snn, pixels) = (network(5, pool), pixels(6, 60));
        let fine =
            QuantSettings { timesteps: 255, pixels: PixelFormat::unsigned(12), weight_bits: 16, ..Default::default() };
        let quantiser = quantiser(&snn, &pixels, &fine);
        for pop in 1..4 {
            let activity = &quantiser.activity[pop];
            for ((sample, n), &wanted) in quantiser.float[pop].indexed_iter() {
                let got = f64::from(activity.totals[(sample, n)]) * activity.step[n];
                assert!((got - f64::from(wanted)).abs() < 0.04, "population {pop}: {got} {wanted}");
            }
        }
    }
}

#[test]
fn a_channel_is_one_unit_and_a_skip_has_its_own_bits() {
    let (snn, pixels) = (network(7, Model::Sum), pixels(8, 50));
    let net = quantise(&snn, pixels.view(), &QuantSettings::default()).unwrap();
    for pop in &net.populations[1..3] {
        let Neuron::If { theta, v_init, .. } = &pop.neuron else { panic!("{:?}", pop.name) };
        for values in [theta, v_init] {
            assert!(values.chunks(36).all(|channel| channel.iter().all(|v| *v == channel[0])), "{}", pop.name);
        }
    }
    let bits: Vec<u32> = net.projections.iter().map(|p| p.weight_bits).collect();
    assert_eq!(bits, [8, 8, SKIP_BITS, 2, 8]);
    let conv = net.projections[1].projection.synapses.weights();
    assert!(conv.into_iter().map(|w| w.abs()).max() > Some(100), "the skip does not make the convolution coarser");
    assert_eq!(net.pixels.zero, [120, 79]);
}

/// The part of the variance of `y` that no multiple of `x`, and no constant, explains.
fn unexplained(y: &[f64], x: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (my, mx) = (mean(y), mean(x));
    let sum = |f: &dyn Fn(f64, f64) -> f64| y.iter().zip(x).map(|(y, x)| f(y - my, x - mx)).sum::<f64>();
    sum(&|y, _| y * y) - sum(&|y, x| x * y).powi(2) / sum(&|_, x| x * x).max(1e-12)
}

/// Senders that lose much are made up for by fitted weights: the drive is closer than with the float network's own.
#[test]
fn weights_are_fitted_to_what_the_senders_send() {
    let (snn, pixels) = (network(9, Model::Sum), pixels(10, 200));
    let coarse = QuantSettings { timesteps: 2, ..QuantSettings::default() };
    let quantiser = quantiser(&snn, &pixels, &coarse);
    let sender = &quantiser.activity[1];
    let decoded = Array2::from_shape_fn(sender.totals.dim(), |(s, n)| sender.totals[(s, n)] * sender.step[n] as f32);
    let float = vec![quantiser.float[0].clone(), decoded];
    let target = calibration::drive(&snn, PopId(2), &quantiser.float);
    let unfitted = calibration::drive(&snn, PopId(2), &float);
    let integer = activity::drive(&quantiser.net, &quantiser.net.projections[1..3], &quantiser.activity);
    let (mut fitted_error, mut unfitted_error) = (0.0, 0.0);
    for n in 0..144 {
        let wanted: Vec<f64> = target.column(n).iter().map(|&z| f64::from(z)).collect();
        fitted_error += unexplained(&wanted, &integer.column(n).to_vec());
        unfitted_error += unexplained(&wanted, &unfitted.column(n).mapv(f64::from).to_vec());
    }
    assert!(fitted_error < 0.95 * unfitted_error, "{fitted_error} against {unfitted_error}");
}

#[test]
fn bits_for_a_pool_which_has_no_weights_are_refused() {
    let (snn, pixels) = (network(13, Model::Sum), pixels(14, 10));
    for name in ["pool", "taps"] {
        let layers = [(name.to_string(), LayerSettings { weight_bits: Some(4) })].into();
        let text =
            quantise(&snn, pixels.view(), &QuantSettings { layers, ..Default::default() }).unwrap_err().to_string();
        assert!(text.contains(&format!("the settings give weight bits to '{name}', which is a pool")), "{text}");
    }
}

#[test]
fn pools_that_cannot_be_built_are_named() {
    let (mut snn, pixels) = (network(11, Model::Max), pixels(12, 10));
    let text = |snn: &SnnGraph, coding| {
        quantise(snn, pixels.view(), &QuantSettings { coding, ..QuantSettings::default() }).unwrap_err().to_string()
    };
    assert!(text(&snn, Coding::Rate).contains("node 'pool': is a pool, which only two-phase coding has"));
    assert!(text(&snn, Coding::Unit).contains("node 'pool': takes the largest of counts"));
    for coding in [Coding::Rate, Coding::Unit] {
        assert!(text(&snn, coding).ends_with("help: use --coding graded"), "{}", text(&snn, coding));
    }
    let average = text(&network(11, Model::Sum), Coding::Rate);
    assert!(average.ends_with("help: use --coding graded or --coding unit"), "{average}");
    let Synapses::Channelwise { weight, .. } = &mut snn.projections[3].synapses else { panic!() };
    weight[(0, 1, 1)] = 0.5;
    assert!(text(&snn, Coding::Graded).contains("taps differ in weight"));
}
