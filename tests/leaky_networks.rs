//! Real networks of leaky neurons, from NIR files: accuracy, agreement with the float executor, equality with Loihi 2.

mod leaky_support;

use leaky_support::{agrees_with_loihi, float_spikes, loihi_report, network, random_train, shared};
use synfire::data::{encode_spikes, load_images, load_labels, load_trains};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, Neuron};
use synfire::loihi::network::Network;
use synfire::quantise::{Arithmetic, LeakySettings, quantise_leaky};

const NIR: &str = "nir/mnist_lif_784-128-10.nir";

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist_keeps_its_accuracy_with_eight_bits_and_is_loihis_network() {
    let Some(folder) = shared() else { return };
    let (import, _) = network(&folder.join(NIR), 0.001);
    let images = load_images(&folder.join("data/mnist/t10k-images-idx3-ubyte.gz")).unwrap().0;
    let labels = load_labels(&folder.join("data/mnist/t10k-labels-idx1-ubyte.gz")).unwrap();
    for (arithmetic, bits) in [(Arithmetic::Loihi, 8), (Arithmetic::Auto, 8), (Arithmetic::Free, 8), (Arithmetic::Loihi, 6), (Arithmetic::Loihi, 4)] {
        let settings = LeakySettings { arithmetic, weight_bits: bits, ..LeakySettings::default() };
        let net = quantise_leaky(&import.snn, &settings).unwrap();
        let functional = Functional::new(&net).unwrap();
        let max = net.pixels.max();
        let codes = |i: usize| encode_spikes(&images.codes(i, &net.pixels), max, 16);
        let summary = functional.classify(images.len(), codes, Some(labels.as_slice())).unwrap();
        let accuracy = 100.0 * summary.accuracy().unwrap();
        println!(
            "{arithmetic:?} {bits} bits: {accuracy:.2} %, {} clamped, {:.0} images/s\n{}{:?}",
            summary.saturations, summary.images_per_second(), net.dump(), loihi_report(&net)
        );
        if bits == 8 {
            assert!(accuracy >= 96.1, "{arithmetic:?}: {accuracy} %");
        }
        if arithmetic == Arithmetic::Loihi && bits == 8 {
            let loihi = Network::new(&net);
            assert!(loihi.coverage().iter().all(|c| c.expressible), "{:?}", loihi_report(&net));
            for i in 0..500 {
                agrees_with_loihi(&net, &functional, &loihi, &codes(i));
            }
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn braille_in_integers_follows_the_float_network() {
    let Some(folder) = shared() else { return };
    let (import, executor) = network(&folder.join("nir/braille/braille_noDelay_bias_zero.nir"), 1e-4);
    println!("{}", import.snn.dump());
    for (arithmetic, bits, align) in [(Arithmetic::Auto, 8, 6), (Arithmetic::Free, 8, 6), (Arithmetic::Free, 8, 0), (Arithmetic::Free, 8, 12), (Arithmetic::Free, 16, 12)] {
        let settings = LeakySettings { arithmetic, align, weight_bits: bits, timesteps: 256, input: Input::Train { max: 1 }, ..LeakySettings::default() };
        let net = quantise_leaky(&import.snn, &settings).unwrap();
        let functional = Functional::new(&net).unwrap();
        let loihi = Network::new(&net);
        println!("{}{:?}", net.dump(), loihi_report(&net));
        let (mut same, mut off, mut total, mut hidden) = (0, 0.0, 0.0, (0.0, 0.0));
        for seed in 0..100 {
            let train = random_train(seed, 256, 12, 0.02 + 0.002 * seed as f64);
            let outcome = agrees_with_loihi(&net, &functional, &loihi, &train);
            let float = float_spikes(&executor, 256, &train);
            let out = &float["lif2"];
            let class = synfire::fixed::arg_max(out.iter()).unwrap();
            same += usize::from(class == outcome.class);
            off += out.iter().zip(&outcome.logits).map(|(a, &b)| (a - b as f64).abs()).sum::<f64>();
            total += out.iter().sum::<f64>();
            let lif1 = net.populations.iter().position(|p| p.name == "lif1.lif").unwrap();
            hidden.0 += float["lif1.lif"].iter().zip(&outcome.counts[lif1]).map(|(a, &b)| (a - b as f64).abs()).sum::<f64>();
            hidden.1 += float["lif1.lif"].iter().sum::<f64>();
            assert_eq!(outcome.saturations, 0);
        }
        println!("{arithmetic:?} {bits} bits align {align}: class of {same} of 100 equal; output counts off by {off} of {total}; hidden {hidden:?}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn nmnist_is_class_six_with_three_spikes_in_integers_too() {
    let Some(folder) = shared() else { return };
    let (import, executor) = network(&folder.join("nir/cnn_nmnist/cnn_sinabs.nir"), 1.0);
    println!("{}", import.snn.dump());
    let trains = load_trains(&folder.join("nir/cnn_nmnist/nir4s_nmnist_sample.npy"), &import.snn.populations[0].shape).unwrap();
    println!("{} x {} max {}", trains.len(), trains.steps(), trains.max());
    let float = float_spikes(&executor, trains.steps(), &trains.codes(0));
    for (arithmetic, bits) in [(Arithmetic::Auto, 8), (Arithmetic::Free, 8), (Arithmetic::Auto, 16)] {
    let settings = LeakySettings { arithmetic, weight_bits: bits, timesteps: trains.steps() as u32, input: Input::Train { max: trains.max() }, ..LeakySettings::default() };
    let net = quantise_leaky(&import.snn, &settings).unwrap();
    println!("{}{:?}", net.dump(), loihi_report(&net));
    let start = std::time::Instant::now();
    let functional = Functional::new(&net).unwrap();
    let outcome = functional.image(&trains.codes(0)).unwrap();
    println!("{:?}", start.elapsed());
    for (p, c) in net.populations.iter().zip(&outcome.counts) {
        let f = float.get(&p.name).map(|f| (f.iter().sum::<f64>(), f.iter().zip(c).map(|(a, &b)| (a - b as f64).abs()).sum::<f64>()));
        println!("{}: {} spikes; float, difference {:?}", p.name, c.iter().sum::<i64>(), f);
    }
    println!("logits {:?} class {} saturations {}", outcome.logits, outcome.class, outcome.saturations);
    assert!(matches!(net.populations[1].neuron, Neuron::Leaky(_)));
    }
}
