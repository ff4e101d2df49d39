//! Real networks of leaky neurons, from NIR files: accuracy, agreement with the float executor, equality with Loihi 2.

use crate::import_support;

use import_support::{agrees_with_loihi, float_spikes, loihi_report, network, random_train, shared};
use std::path::Path;
use synfire::data::{load_images, load_labels, load_trains, presented};
use synfire::fixed::arg_max;
use synfire::frontends::nir::{self, Dialect, Executor, Settings};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, MOST_SPIKES, QuantGraph};
use synfire::loihi::network::Network;
use synfire::pipeline::quantise_nir;
use synfire::quantise::{Arithmetic, LeakySettings};

/// Steps of a braille sample, and the time step that its time constants are multiples of.
const BRAILLE_STEPS: usize = 256;
const BRAILLE_DT: f64 = 1e-4;

fn integers(file: &Path, dt: f64, settings: &LeakySettings) -> QuantGraph {
    quantise_nir(file, Some(dt), Dialect::Nir, settings).unwrap().1
}

/// The default quantisation is Loihi's: no population of this network loses anything to it.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist_keeps_its_accuracy_with_eight_bits_and_is_loihis_network() {
    let Some(folder) = shared() else { return };
    let file = folder.join("nir/mnist_lif_784-128-10.nir");
    let images = load_images(&folder.join("data/mnist/t10k-images-idx3-ubyte.gz")).unwrap().0;
    let labels = load_labels(&folder.join("data/mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    for (arithmetic, weight_bits, least) in [
        (Arithmetic::Auto, 8, 96.3),
        (Arithmetic::Free, 8, 96.2),
        (Arithmetic::Loihi, 6, 96.2),
        (Arithmetic::Loihi, 4, 95.8),
    ] {
        let net = integers(&file, 0.001, &LeakySettings { arithmetic, weight_bits, ..LeakySettings::default() });
        let functional = Functional::new(&net).unwrap();
        let codes = |i: usize| presented(&images, i, &net);
        let summary = functional.classify(images.len(), codes, Some(labels.as_slice())).unwrap();
        let accuracy = 100.0 * summary.accuracy().unwrap();
        println!("{arithmetic:?}, {weight_bits} bits: {accuracy:.2} %, {:.0} images/s", summary.images_per_second());
        assert!(accuracy >= least, "{arithmetic:?}, {weight_bits} bits: {accuracy} %");
        assert_eq!(summary.saturated().total(), 0);
        if arithmetic == Arithmetic::Auto {
            let loihi = Network::new(&net);
            assert!(loihi.coverage().iter().all(|c| c.expressible), "{:?}", loihi_report(&net));
            for i in 0..500 {
                agrees_with_loihi(&net, &functional, &loihi, &codes(i));
            }
        }
    }
}

/// How far the integers are from the float network on random trains of growing density.
#[derive(Debug, Default)]
struct Agreement {
    /// Trains of the same class.
    classes: usize,
    /// Sum of the differences in the number of spikes, and of the spikes, of the recurrent and of the output population.
    hidden: (f64, f64),
    output: (f64, f64),
}

fn braille(folder: &Path, settings: &LeakySettings) -> Agreement {
    let file = folder.join("nir/braille/braille_noDelay_bias_zero.nir");
    let (_, executor) = network(&file, BRAILLE_DT);
    let net = integers(&file, BRAILLE_DT, settings);
    let functional = Functional::new(&net).unwrap();
    let loihi = Network::new(&net);
    if settings.arithmetic == Arithmetic::Auto {
        assert!(loihi.coverage().iter().all(|c| c.expressible), "{:?}", loihi_report(&net));
    }
    let mut agreement = Agreement::default();
    for seed in 0..100 {
        let train = random_train(seed, BRAILLE_STEPS, 12, 0.02 + 0.002 * seed as f64);
        let outcome = agrees_with_loihi(&net, &functional, &loihi, &train);
        let float = float_spikes(&executor, BRAILLE_STEPS, &train);
        agreement.classes += usize::from(arg_max(&float["lif2"]) == Some(outcome.class));
        for (name, sum) in [("lif1.lif", &mut agreement.hidden), ("lif2", &mut agreement.output)] {
            let pop = net.populations.iter().position(|p| p.name == name).unwrap();
            for (f, &i) in float[name].iter().zip(&outcome.counts[pop]) {
                *sum = (sum.0 + (f - i as f64).abs(), sum.1 + f);
            }
        }
        assert_eq!(outcome.saturated().total(), 0);
    }
    agreement
}

/// Six fraction bits, as Loihi has, are enough: more change nothing, none at all loses ten classes in a hundred.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn braille_in_integers_follows_the_float_network_and_is_loihis() {
    let Some(folder) = shared() else { return };
    let trains =
        LeakySettings { timesteps: BRAILLE_STEPS as u32, input: Input::Train { max: 1 }, ..LeakySettings::default() };
    let run = |name: &str, settings: LeakySettings| {
        let agreement = braille(&folder, &settings);
        println!("{name}: {agreement:?}");
        agreement
    };
    let default = run("8 bits", trains.clone());
    assert!(default.classes >= 93 && default.output.0 < 0.03 * default.output.1);
    let free = LeakySettings { arithmetic: Arithmetic::Free, ..trains };
    let none = run("8 bits, no fraction", LeakySettings { align: 0, ..free.clone() });
    assert!(none.classes < default.classes);
    run("8 bits, 10 fraction bits", LeakySettings { align: 10, state_bits: 32, ..free.clone() });
    let fine = run("16 bits, 10 fraction bits", LeakySettings { align: 10, state_bits: 32, weight_bits: 16, ..free });
    assert!(fine.classes >= 98 && fine.output.0 < 0.002 * fine.output.1);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn nmnist_is_class_six_with_three_spikes_in_integers_too() {
    let Some(folder) = shared() else { return };
    let file = folder.join("nir/cnn_nmnist/cnn_sinabs.nir");
    let (import, executor) = network(&file, 1.0);
    let input = &import.snn.populations[0].shape;
    let trains = load_trains(&folder.join("nir/cnn_nmnist/nir4s_nmnist_sample.npy"), input).unwrap();
    let codes = trains.codes(0);
    let float = float_spikes(&executor, trains.steps(), &codes);
    assert_eq!(float["12"], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0]);
    for weight_bits in [8, 16] {
        let settings = LeakySettings {
            weight_bits,
            // Wider weights need wider sums: in 24 bits with six fractions they would be clamped.
            state_bits: weight_bits.max(8) + 16,
            timesteps: trains.steps() as u32,
            input: Input::Train { max: trains.max() },
            ..LeakySettings::default()
        };
        let net = integers(&file, 1.0, &settings);
        let outcome = Functional::new(&net).unwrap().image(&codes).unwrap();
        println!("{weight_bits} bits: {:?}", outcome.logits);
        assert_eq!((outcome.class, outcome.logits[6], outcome.saturated().total()), (6, 3, 0));
        if weight_bits == 16 {
            for (p, counts) in net.populations.iter().zip(&outcome.counts) {
                let counts: Vec<f64> = counts.iter().map(|&c| c as f64).collect();
                assert!(float.get(&p.name).is_none_or(|f| *f == counts), "'{}'", p.name);
            }
        }
    }
}

/// sinabs' own convention: several spikes in a step, and a floor under the membranes.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn nmnist_is_class_zero_in_integers_too_where_neurons_may_fire_several_times_in_a_step() {
    let Some(folder) = shared() else { return };
    let file = folder.join("nir/cnn_nmnist/cnn_sinabs.nir");
    let how = Settings { dt: Some(1.0), dialect: Dialect::Sinabs };
    let executor = Executor::new(&nir::read(&file).unwrap(), how).unwrap();
    let input = synfire::ir::Shape(executor.inputs()[0].shape.clone());
    let trains = load_trains(&folder.join("nir/cnn_nmnist/nir4s_nmnist_sample.npy"), &input).unwrap();
    let codes = trains.codes(0);
    let float = float_spikes(&executor, trains.steps(), &codes);
    for (weight_bits, tolerance) in [(8, 0.05), (16, 0.003)] {
        let settings = LeakySettings {
            weight_bits,
            timesteps: trains.steps() as u32,
            input: Input::Train { max: trains.max() },
            neuron_spikes: Some(MOST_SPIKES),
            ..LeakySettings::default()
        };
        let net = quantise_nir(&file, Some(1.0), Dialect::Sinabs, &settings).unwrap().1;
        let outcome = Functional::new(&net).unwrap().image(&codes).unwrap();
        println!(
            "{weight_bits} bits: {:?}, {} saturations, float {:?}",
            outcome.logits,
            outcome.saturated().total(),
            float["12"]
        );
        assert_eq!((outcome.class, outcome.saturated().total()), (0, 0));
        for (p, counts) in net.populations.iter().zip(&outcome.counts) {
            let Some(float) = float.get(&p.name) else { continue };
            let (sum, apart) = counts
                .iter()
                .zip(float)
                .fold((0.0, 0.0), |(sum, apart), (&c, f)| (sum + f, apart + (c as f64 - f).abs()));
            println!("'{}': {sum} spikes, {apart} apart", p.name);
            assert!(sum > 1000.0 && apart <= tolerance * sum, "'{}': {apart} of {sum} apart", p.name);
        }
    }
}
