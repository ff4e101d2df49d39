//! Trained networks: every count of every neuron and every logit, over at least 8 steps.

use super::differences;
use crate::nir_support::data;
use std::time::Instant;
use synfire::convert::convert;
use synfire::fixed::Normalisation;
use synfire::ir::quant::Coding;
use synfire::quantise::{QuantSettings, quantise};

/// Quantises a model on a few images of its training set, exports it, and compares `images` of the test set.
fn equal(model: &str, [training, test]: [&str; 2], settings: &QuantSettings, calibration: usize, images: usize) {
    let Some(folder) = data::shared() else { return };
    let graph = synfire::frontends::load(&folder.join("models").join(model)).unwrap();
    let snn = convert(&graph, settings.normalisation.as_ref()).unwrap();
    let load = |name: &str| synfire::data::load_images(&folder.join("data").join(name)).unwrap().0;
    let pixels = load(training).matrix(0..calibration);
    let net = quantise(&snn, pixels.view(), settings).unwrap();
    let test = load(test).shaped(net.input_shape()).unwrap();
    let codes: Vec<Vec<i64>> = (0..images).map(|i| test.codes(i, &net.pixels)).collect();
    let start = Instant::now();
    let (differing, all) = differences(&net, &codes);
    println!(
        "{model}, {:?}, T = {}: {differing} of {all} values differ in {images} images ({:.1} s)",
        settings.coding,
        settings.timesteps,
        start.elapsed().as_secs_f64()
    );
    assert_eq!(differing, 0);
    assert!(all > 1000);
}

const MNIST: [&str; 2] = ["mnist/train-images-idx3-ubyte.gz", "mnist/t10k-images-idx3-ubyte.gz"];
const FASHION: [&str; 2] = ["fashion-mnist/train-images-idx3-ubyte.gz", "fashion-mnist/t10k-images-idx3-ubyte.gz"];
const CIFAR: [&str; 2] = ["cifar10-jpeg/calibration_2000.bin.gz", "cifar10-jpeg/test_batch.bin.gz"];

fn settings(coding: Coding, timesteps: u32) -> QuantSettings {
    QuantSettings { coding, timesteps, ..QuantSettings::default() }
}

fn cifar(timesteps: u32) -> QuantSettings {
    let normalisation = Normalisation { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] };
    QuantSettings { normalisation: Some(normalisation), ..settings(Coding::Graded, timesteps) }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn small_networks_in_every_coding() {
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        equal("mnist_mlp_784-128-10.onnx", MNIST, &settings(coding, 16), 64, 100);
        // Pools of counts exist in two-phase coding only.
        if coding != Coding::Rate {
            equal("fashion_cnn_avgpool.onnx", FASHION, &settings(coding, 8), 16, 5);
        }
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn resnet20() {
    equal("cifar10_resnet20.onnx", CIFAR, &cifar(8), 8, 3);
}

#[test]
#[ignore = "takes minutes: cargo test --release --test nir resnet -- --ignored"]
fn resnet20_in_both_payloads() {
    for coding in [Coding::Graded, Coding::Unit] {
        equal("cifar10_resnet20.onnx", CIFAR, &QuantSettings { coding, ..cifar(16) }, 32, 20);
    }
}

#[test]
#[ignore = "takes minutes: cargo test --release --test nir resnet -- --ignored"]
fn resnet18() {
    equal("cifar10_resnet18.onnx", CIFAR, &cifar(8), 16, 10);
}
