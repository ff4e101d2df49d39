use super::*;
use crate::fixed::PixelFormat;
use crate::golden::functional::Functional;
use crate::ir::Shape;
use crate::ir::snn::Population;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// source → a → b → readout, with skips source → b and a → readout.
fn network(seed: u64) -> SnnGraph {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let sizes = [12, 9, 7, 4];
    let population = |name: &str, n: usize, model, rng: &mut ChaCha8Rng| Population {
        name: name.into(),
        shape: Shape(vec![n]),
        model,
        bias: (0..n).map(|_| rng.random_range(-0.5..0.5)).collect(),
    };
    let populations = vec![
        population("image", sizes[0], Model::Source, rng),
        population("a", sizes[1], Model::Relu { max: None }, rng),
        population("b", sizes[2], Model::Relu { max: Some(0.7) }, rng),
        population("out", sizes[3], Model::Readout, rng),
    ];
    let projections = [("fa", 0, 1), ("skip", 0, 2), ("fb", 1, 2), ("over", 1, 3), ("head", 2, 3)];
    let projections = projections.map(|(name, pre, post)| Projection {
        name: name.into(),
        pre: PopId(pre),
        post: PopId(post),
        delay: 0,
        synapses: Synapses::Dense {
            weight: Array2::from_shape_fn((sizes[post], sizes[pre]), |_| rng.random_range(-0.6..0.6)),
        },
    });
    SnnGraph { name: "test".into(), zero: Vec::new(), populations, projections: projections.to_vec() }
}

fn pixels(seed: u64, samples: usize) -> Array2<f32> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_fn((samples, 12), |_| if rng.random_bool(0.3) { 0.0 } else { rng.random_range(0.0..=1.0) })
}

/// Pixels are coarse, so that the skip from the image keeps its weights beside those of spikes.
fn settings(coding: Coding) -> QuantSettings {
    QuantSettings { coding, pixels: PixelFormat::unsigned(3), ..QuantSettings::default() }
}

fn weights(net: &QuantGraph, name: &str) -> Vec<i32> {
    let p = net.projections.iter().find(|p| p.projection.name == name).unwrap();
    let Synapses::Dense { weight } = &p.projection.synapses else { panic!("dense networks only") };
    weight.iter().copied().collect()
}

/// Runs all steps and keeps what they saw.
fn quantiser<'a>(snn: &'a SnnGraph, pixels: &'a Array2<f32>, settings: &'a QuantSettings) -> Quantiser<'a> {
    let mut quantiser = Quantiser::new(snn, pixels.view(), settings);
    (1..snn.populations.len()).for_each(|i| quantiser.population(PopId(i)));
    quantiser
}

#[test]
fn calibration_sees_what_the_network_will_send() {
    let (snn, pixels) = (network(1), pixels(2, 40));
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        let settings = settings(coding);
        let quantiser = quantiser(&snn, &pixels, &settings);
        let net = quantise(&snn, pixels.view(), &settings).unwrap();
        let model = Functional::new(&net).unwrap();
        for (sample, row) in pixels.rows().into_iter().enumerate() {
            let codes: Vec<i64> = row.iter().map(|&p| settings.pixels.encode(p, 0)).collect();
            let outcome = model.image(&codes).unwrap();
            for pop in 0..3 {
                let totals = quantiser.activity[pop].totals.row(sample).mapv(|x| x as i64);
                assert_eq!(outcome.counts[pop], totals.to_vec(), "{coding:?}");
            }
        }
    }
}

/// With enough bits and steps the integers are the float network.
#[test]
fn fine_settings_reproduce_the_float_network() {
    let pixels = pixels(4, 200);
    for coding in [Coding::Graded, Coding::Rate] {
        let mut snn = network(3);
        if coding == Coding::Rate {
            snn.projections.remove(1);
        }
        let settings =
            QuantSettings { timesteps: 255, pixels: PixelFormat::unsigned(16), weight_bits: 16, ..settings(coding) };
        let quantiser = quantiser(&snn, &pixels, &settings);
        for pop in 1..3 {
            let activity = &quantiser.activity[pop];
            for (sample, float) in quantiser.float[pop].rows().into_iter().enumerate() {
                for (n, a) in float.iter().enumerate() {
                    let got = f64::from(activity.totals[(sample, n)]) * activity.step[n];
                    assert!((got - f64::from(*a)).abs() < 0.03, "{coding:?} population {pop}: {a} {got}");
                }
            }
        }
    }
}

#[test]
fn bias_calibration_leaves_less_than_half_a_unit_of_mean_error() {
    let (snn, pixels) = (network(5), pixels(6, 100));
    let settings = QuantSettings { weight_bits: 3, timesteps: 4, ..settings(Coding::Graded) };
    let quantiser = quantiser(&snn, &pixels, &settings);
    for index in 1..3 {
        let target = calibration::drive(&snn, PopId(index), &quantiser.float);
        let incoming: Vec<QProjection> = quantiser.net.projections_into(PopId(index)).map(|(_, p)| p.clone()).collect();
        let drive = activity::drive(&quantiser.net, &incoming, &quantiser.activity);
        let Neuron::If { theta, v_init, .. } = &quantiser.net.populations[index].neuron else { panic!() };
        for n in 0..theta.len() {
            let scale = quantiser.activity[index].step[n] / theta[n] as f64;
            let got = drive.column(n).mean().unwrap() + (v_init[n] - theta[n] / 2) as f64;
            let wanted = f64::from(target.column(n).mean().unwrap()) / scale;
            assert!((got - wanted).abs() <= 0.5 + 1e-6, "{got} {wanted}");
        }
    }
}

#[test]
fn rate_coding_spreads_the_bias_and_loses_none_of_it() {
    let (mut snn, pixels) = (network(7), pixels(8, 50));
    snn.projections.remove(1);
    let uncalibrated = |coding| QuantSettings { coding, bias_calibration: false, ..QuantSettings::default() };
    let rate = quantise(&snn, pixels.view(), &uncalibrated(Coding::Rate)).unwrap();
    let two_phase = quantise(&snn, pixels.view(), &uncalibrated(Coding::Graded)).unwrap();
    let first = |net: &QuantGraph| match &net.populations[1].neuron {
        Neuron::If { theta, v_init, bias } => (theta.clone(), v_init.clone(), bias.clone()),
        _ => panic!(),
    };
    let ((slow, v_init, bias), (fast, fast_init, zero)) = (first(&rate), first(&two_phase));
    assert!(zero.iter().all(|&b| b == 0));
    assert!(bias.iter().any(|&b| b != 0));
    for n in 0..slow.len() {
        // The pixels come T times, so everything that is measured in them is T times larger.
        let ratio = slow[n] as f64 / fast[n] as f64;
        assert!((ratio / 16.0 - 1.0).abs() < 0.02, "{ratio}");
        let total = v_init[n] - slow[n] / 2 + 16 * bias[n];
        let expected = (fast_init[n] - fast[n] / 2) * 16;
        assert!((total - expected).abs() <= 16, "{total} {expected}");
        assert!((v_init[n] - slow[n] / 2).abs() < 16, "only what does not divide by T is in v_init");
    }
}

#[test]
fn layers_may_have_their_own_weight_bits() {
    let (snn, pixels) = (network(9), pixels(10, 50));
    let layer = |bits| LayerSettings { weight_bits: Some(bits) };
    let mut settings = settings(Coding::Graded);
    settings.layers = [("b".to_string(), layer(6)), ("skip".to_string(), layer(4))].into();
    let net = quantise(&snn, pixels.view(), &settings).unwrap();
    let bits: Vec<_> = net.projections.iter().map(|p| (p.projection.name.as_str(), p.weight_bits)).collect();
    assert_eq!(bits, [("fa", 8), ("skip", 4), ("fb", 6), ("over", 8), ("head", 8)]);
    assert!(weights(&net, "fa").iter().any(|w| w.abs() > 63));
    assert!(weights(&net, "skip").iter().all(|w| w.abs() <= 7));
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let (snn, pixels) = (network(11), pixels(12, 64));
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| quantise(&snn, pixels.view(), &settings(Coding::Rate)).unwrap())
    };
    let text = |net: &QuantGraph| {
        let weights: Vec<_> = net.projections.iter().map(|p| weights(net, &p.projection.name)).collect();
        (serde_json::to_string(net).unwrap(), weights)
    };
    assert_eq!(text(&run(1)), text(&run(4)));
}

#[test]
fn degenerate_networks_and_sets_give_legal_integers() {
    let calibration = [pixels(14, 30), pixels(15, 1), Array2::zeros((5, 12)), Array2::ones((3, 12))];
    let mut legal = 0;
    for (case, pixels) in calibration.iter().enumerate() {
        for coding in [Coding::Graded, Coding::Rate] {
            for timesteps in [1, 255] {
                let mut snn = network(13);
                // A neuron that never fires, one without weights, a population that is silent, weights that vanish
                // beside their bias.
                snn.populations[1].bias[0] = -100.0;
                let Synapses::Dense { weight } = &mut snn.projections[0].synapses else {
                    panic!("dense networks only")
                };
                weight.row_mut(1).fill(0.0);
                weight.row_mut(2).fill(1e-38);
                snn.populations[1].bias[3] = 3e38;
                if case == 0 {
                    snn.populations[2].bias.fill(-1e6);
                }
                let settings = QuantSettings { timesteps, ..settings(coding) };
                match quantise(&snn, pixels.view(), &settings) {
                    Ok(net) => {
                        assert_eq!(net.check(), []);
                        legal += 1;
                    }
                    // Beside a neuron of such an activation hardly anything is left of the pixels.
                    Err(e) => assert!(e.problems.iter().all(|p| p.node.as_deref() == Some("skip")), "{e}"),
                }
            }
        }
    }
    assert!(legal > 0);
}

#[test]
fn a_neuron_without_weights_still_has_its_bias() {
    let mut snn = network(16);
    let Synapses::Dense { weight } = &mut snn.projections[0].synapses else { panic!("dense networks only") };
    weight.row_mut(1).fill(0.0);
    snn.populations[1].bias[1] = 0.37;
    let (pixels, settings) = (pixels(17, 30), settings(Coding::Graded));
    let quantiser = quantiser(&snn, &pixels, &settings);
    let activity = &quantiser.activity[1];
    for total in activity.totals.column(1) {
        let got = f64::from(*total) * activity.step[1];
        assert!((got - 0.37).abs() < 0.01, "{got}");
    }
}

/// What a population would say that never spoke has an arbitrary unit: beside it nothing may become coarse.
#[test]
fn a_silent_layer_does_not_wipe_out_the_biases_and_weights_behind_it() {
    for chain in [true, false] {
        let mut snn = network(21);
        snn.populations[1].bias.fill(-100.0);
        if chain {
            snn.projections.remove(1);
        }
        let (pixels, settings) = (pixels(22, 50), QuantSettings { timesteps: 64, ..QuantSettings::default() });
        let quantiser = quantiser(&snn, &pixels, &settings);
        assert!(quantiser.activity[1].totals.iter().all(|&x| x == 0.0));
        let activity = &quantiser.activity[2];
        for ((sample, n), &wanted) in quantiser.float[2].indexed_iter() {
            let got = f64::from(activity.totals[(sample, n)]) * activity.step[n];
            assert!((got - f64::from(wanted)).abs() < 0.05, "chain {chain}, neuron {n}: {got} instead of {wanted}");
        }
    }
}

/// In rate coding 16-bit pixels come in every step: beside a spike's weights, a pixel's would round to nothing.
#[test]
fn a_projection_that_would_vanish_is_refused_by_name() {
    let settings = QuantSettings { pixels: PixelFormat::unsigned(16), ..settings(Coding::Rate) };
    let text = quantise(&network(1), pixels(2, 40).view(), &settings).unwrap_err().to_string();
    assert!(text.contains("node 'skip'") && text.contains("bits per pixel"), "{text}");
    assert!(!text.contains("'fa'") && !text.contains("'fb'"), "{text}");
}

#[test]
fn the_bits_that_a_vanished_projection_is_told_to_take_keep_it() {
    let (snn, pixels) = (network(1), pixels(2, 40));
    let population = &snn.populations[snn.projections.iter().find(|p| p.name == "skip").unwrap().post.0].name;
    let mut advised = 0;
    for pixel_bits in [10, 12, 14, 16] {
        let wide = QuantSettings { pixels: PixelFormat::unsigned(pixel_bits), ..settings(Coding::Rate) };
        let with = |bits: u32| {
            let layer = LayerSettings { weight_bits: Some(bits) };
            let settings = QuantSettings { layers: [(population.clone(), layer)].into(), ..wide.clone() };
            quantise(&snn, pixels.view(), &settings).map_err(|e| e.to_string())
        };
        let Err(text) = with(4) else { continue };
        match text.split("help: use ").nth(1).and_then(|t| t.split(' ').next()?.parse::<u32>().ok()) {
            Some(bits) => {
                assert!(text.contains(&format!("layer '{population}'")) && bits > 4, "{text}");
                with(bits).unwrap();
                assert!(with(bits - 1).is_err(), "{bits} are not the least: {text}");
                advised += 1;
            }
            None => {
                assert!(text.contains("no number of bits per weight up to 16"), "{text}");
                assert!(with(16).is_err());
            }
        }
    }
    assert!(advised > 0);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let snn = network(18);
    let settings = QuantSettings {
        timesteps: 0,
        pixels: PixelFormat::unsigned(17),
        weight_bits: 1,
        layers: [("nowhere".to_string(), LayerSettings { weight_bits: Some(99) })].into(),
        ..QuantSettings::default()
    };
    let error = quantise(&snn, Array2::from_elem((0, 3), 0.0).view(), &settings).unwrap_err();
    let text = error.to_string();
    for part in [
        "time steps cannot be 0",
        "bits per pixel cannot be 17",
        "bits per weight cannot be 1",
        "layer 'nowhere' cannot be 99",
        "which the network does not have",
        "its layers are: a, b, out, fa, skip, fb, over, head",
        "calibration set is empty",
        "has 3 pixels, but the network's input [12] has 12",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert_eq!(error.kind, Kind::Input);
}

#[test]
fn pixels_and_weights_that_are_no_numbers_are_refused() {
    let mut snn = network(19);
    let Synapses::Dense { weight } = &mut snn.projections[1].synapses else { panic!("dense networks only") };
    weight[(0, 0)] = f32::NAN;
    for bad in [f32::NAN, 1.5, -0.1] {
        let mut pixels = pixels(20, 10);
        pixels[(3, 3)] = bad;
        let text = quantise(&snn, pixels.view(), &QuantSettings::default()).unwrap_err().to_string();
        assert!(text.contains("node 'skip'") && text.contains("[0, 1]"), "{text}");
    }
}
