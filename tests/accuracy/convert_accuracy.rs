//! Accuracy of converted networks on whole test sets of real data.

use crate::data_support::shared;
use std::path::Path;
use synfire::convert::convert;
use synfire::data::{Images, Labels, load_images, load_labels};
use synfire::golden::functional::{Functional, Summary};
use synfire::ir::quant::Coding;
use synfire::ir::snn::SnnGraph;
use synfire::quantise::{QuantSettings, quantise};

/// Training images that are shown to the quantiser.
const CALIBRATION: usize = 512;

struct Task {
    snn: SnnGraph,
    training: Images,
    test: Images,
    labels: Labels,
}

impl Task {
    fn load(folder: &Path, model: &str, data: &str, training: &str) -> Task {
        let images = |name: &str| load_images(&folder.join("data").join(data).join(name)).unwrap().0;
        let graph = synfire::frontends::load(&folder.join("models").join(model)).unwrap();
        Task {
            snn: convert(&graph, None).unwrap(),
            training: images(training),
            test: images("t10k-images-idx3-ubyte.gz"),
            labels: load_labels(&folder.join("data").join(data).join("t10k-labels-idx1-ubyte.gz")).unwrap(),
        }
    }

    fn run(&self, settings: &QuantSettings) -> Summary {
        let net = quantise(&self.snn, self.training.matrix(0..CALIBRATION).view(), settings).unwrap();
        assert_eq!(net.check(), []);
        let codes = |i| self.test.codes(i, &net.pixels);
        Functional::new(&net).unwrap().classify(self.test.len(), codes, Some(self.labels.as_slice())).unwrap()
    }

    /// Percent of the test set.
    fn accuracy(&self, coding: Coding, timesteps: u32, weight_bits: u32) -> f64 {
        let settings = QuantSettings { coding, timesteps, weight_bits, ..QuantSettings::default() };
        100.0 * self.run(&settings).accuracy().unwrap()
    }
}

fn mnist(folder: &Path) -> Task {
    Task::load(folder, "mnist_mlp_784-128-10.onnx", "mnist", "train-images-idx3-ubyte.gz")
}

fn mnist16(folder: &Path, model: &str) -> Task {
    Task::load(folder, model, "mnist16", "train10k-images-idx3-ubyte.gz")
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn eight_bits_and_sixteen_steps_keep_the_float_accuracy() {
    let Some(folder) = shared() else { return };
    let tasks = [
        (mnist(&folder), 97.75),
        (mnist16(&folder, "mnist16_mlp_256-128-10.onnx"), 98.10),
        (mnist16(&folder, "mnist16_mlp_256-64-10.onnx"), 97.30),
    ];
    for (task, least) in &tasks {
        let name = &task.snn.name;
        let summary = task.run(&QuantSettings::default());
        let graded = 100.0 * summary.accuracy().unwrap();
        println!(
            "{name}: {graded:.2} %, {:.2} spikes a neuron, {:.1} events an image, {} clipped, {:.0} images/s",
            summary.spikes_per_neuron(),
            summary.events_per_image(),
            summary.saturated().total(),
            summary.images_per_second()
        );
        assert_eq!(summary.images, 10_000);
        assert!(graded >= *least, "{name}: {graded} %");
        let rate = task.accuracy(Coding::Rate, 16, 8);
        assert!(rate >= *least, "{name}: {rate} % in rate coding");
        assert_eq!(task.accuracy(Coding::Unit, 16, 8), graded, "{name}: unit spikes are the same network");
    }
}

/// Few bits and few steps cost little; a quantiser that rounds without looking loses several points here.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn coarse_settings_degrade_gently() {
    let Some(folder) = shared() else { return };
    let task = mnist16(&folder, "mnist16_mlp_256-64-10.onnx");
    for (timesteps, weight_bits, least) in [(16, 4, 96.9), (16, 3, 96.2), (8, 8, 96.9), (4, 8, 96.3), (4, 3, 95.3)] {
        let got = task.accuracy(Coding::Graded, timesteps, weight_bits);
        assert!(got >= least, "T={timesteps}, {weight_bits} bits: {got} %");
    }
}

/// The table of the README: `cargo test --release --test accuracy convert_accuracy::curve -- --ignored --nocapture`.
#[test]
#[ignore = "prints the whole curve, which takes a minute"]
fn curve() {
    let Some(folder) = shared() else { return };
    for task in [
        mnist(&folder),
        mnist16(&folder, "mnist16_mlp_256-128-10.onnx"),
        mnist16(&folder, "mnist16_mlp_256-64-10.onnx"),
    ] {
        for coding in [Coding::Graded, Coding::Rate] {
            for timesteps in [4, 8, 16, 32] {
                let row = [8, 6, 5, 4, 3].map(|bits| format!("{:6.2}", task.accuracy(coding, timesteps, bits)));
                println!("{:24} {coding:?} T={timesteps:2} {}", task.snn.name, row.join(" "));
            }
        }
    }
}
