//! Every pass keeps the function: file, graph and spiking network in float compute the same, and reach the accuracy that was measured
//! in training.

use crate::data_support;

use ndarray::{Array2, ArrayView1, Axis};
use std::path::PathBuf;
use synfire::convert::convert;
use synfire::data::{self, Images, Labels};
use synfire::fixed::Normalisation;
use synfire::frontends::{self, Reference};
use synfire::ir::graph::Graph;
use synfire::ir::snn::SnnGraph;
use synfire::{float, frontends::evaluate};

struct Task {
    path: PathBuf,
    graph: Graph,
    snn: SnnGraph,
    images: Images,
    labels: Labels,
    normalisation: Option<Normalisation>,
}

impl Task {
    fn open(model: &str, set: &str) -> Option<Task> {
        let root = data_support::shared()?;
        let (folder, path) = (root.join("data").join(set), root.join("models").join(model));
        let cifar = set == "cifar10-jpeg";
        let normalisation =
            cifar.then(|| Normalisation { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] });
        let (images, labels) = if cifar {
            let (images, labels) = data::load_images(&folder.join("test_batch.bin.gz")).unwrap();
            (images, labels.unwrap())
        } else {
            let (images, _) = data::load_images(&folder.join("t10k-images-idx3-ubyte.gz")).unwrap();
            (images, data::load_labels(&folder.join("t10k-labels-idx1-ubyte.gz")).unwrap())
        };
        let graph = frontends::load(&path).unwrap();
        let snn = convert(&graph, normalisation.as_ref()).unwrap();
        assert_eq!(snn.check(), []);
        let images = images.shaped(graph.input_shape()).unwrap();
        Some(Task { path, graph, snn, images, labels, normalisation })
    }

    fn normalised(&self, count: usize) -> Array2<f32> {
        self.images.normalised(0..count, self.normalisation.as_ref())
    }

    /// Logits of all three on the first images.
    fn all(&self, count: usize) -> [Array2<f32>; 3] {
        let pixels = self.normalised(count);
        [
            Reference::open(&self.path).unwrap().logits(pixels.view()).unwrap(),
            evaluate(&self.graph, pixels.view()).unwrap(),
            float::evaluate(&self.snn, self.images.matrix(0..count).view()).unwrap(),
        ]
    }

    /// Images whose first largest logit stands at the label.
    fn correct(&self, logits: &Array2<f32>) -> usize {
        let best = |row: ArrayView1<f32>| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
        let rows = logits.axis_iter(Axis(0)).zip(self.labels.as_slice());
        rows.filter(|(row, label)| best(*row) == Some(**label)).count()
    }
}

/// NaN if there is any: nothing may be hidden by a number that compares with none.
fn largest_difference(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap_or(f32::NAN)
}

#[test]
fn answers_that_are_no_numbers_are_a_difference() {
    let (good, bad) = (Array2::from_elem((2, 2), 1.0), Array2::from_elem((2, 2), f32::NAN));
    assert_eq!(largest_difference(&good, &good), 0.0);
    for (a, b) in [(&good, &bad), (&bad, &good), (&bad, &bad)] {
        assert!(largest_difference(a, b).is_nan());
    }
}

fn agrees(model: &str, set: &str) {
    let Some(task) = Task::open(model, set) else { return };
    let [reference, graph, snn] = task.all(32);
    let (one, two) = (largest_difference(&reference, &graph), largest_difference(&graph, &snn));
    println!("{model}: graph {one:.2e} from the file, spiking network {two:.2e} from the graph");
    assert!(one < 1e-4, "{one}");
    assert!(two < 1e-4, "{two}");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn resnet20_is_the_same_function_at_every_stage() {
    agrees("cifar10_resnet20.onnx", "cifar10-jpeg");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn resnet18_is_the_same_function_at_every_stage() {
    agrees("cifar10_resnet18.onnx", "cifar10-jpeg");
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn fashion_is_the_same_function_at_every_stage() {
    agrees("fashion_cnn_avgpool.onnx", "fashion-mnist");
}

/// Correct classes among the first `count` images, 500 at a time so that memory stays small.
fn reaches(model: &str, set: &str, count: usize, wanted: usize) {
    let Some(task) = Task::open(model, set) else { return };
    assert_eq!(task.images.len(), 10_000);
    let reference = Reference::open(&task.path).unwrap();
    let mut answers = [const { Vec::new() }; 3];
    for first in (0..count).step_by(500) {
        let range = first..first + 500;
        let normalised = task.images.normalised(range.clone(), task.normalisation.as_ref());
        answers[0].push(reference.logits(normalised.view()).unwrap());
        answers[1].push(evaluate(&task.graph, normalised.view()).unwrap());
        answers[2].push(float::evaluate(&task.snn, task.images.matrix(range).view()).unwrap());
    }
    for (answers, what) in answers.iter().zip(["file", "graph", "spiking network"]) {
        let views: Vec<_> = answers.iter().map(|a| a.view()).collect();
        let correct = task.correct(&ndarray::concatenate(Axis(0), &views).unwrap());
        println!("{model}: {correct} of {count} as {what}");
        assert_eq!(correct, wanted, "{what}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn fashion_reaches_its_accuracy() {
    reaches("fashion_cnn_avgpool.onnx", "fashion-mnist", 10_000, 9214);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn resnet20_knows_the_first_images() {
    reaches("cifar10_resnet20.onnx", "cifar10-jpeg", 2000, 1746);
}

#[test]
#[ignore = "takes minutes: cargo test --release --test accuracy convert_float::whole -- --ignored"]
fn whole_sets_reach_the_accuracy_of_training() {
    reaches("cifar10_resnet20.onnx", "cifar10-jpeg", 10_000, 8793);
    reaches("cifar10_resnet18.onnx", "cifar10-jpeg", 10_000, 8825);
}
