//! Trained networks on whole test sets: both float machines agree, and reach the accuracy that was measured in
//! training.

use crate::data_support;

use ndarray::{Array2, Axis};
use synfire::data::{self, Images, Labels};
use synfire::frontends::{self, Reference};

fn load(set: &str) -> Option<(Images, Labels)> {
    let folder = data_support::shared()?.join("data").join(set);
    let (images, _) = data::load_images(&folder.join("t10k-images-idx3-ubyte.gz")).unwrap();
    let labels = data::load_labels(&folder.join("t10k-labels-idx1-ubyte.gz")).unwrap();
    data::check_pair(&images, &labels, 10).unwrap();
    Some((images, labels))
}

/// Number of rows whose first largest entry stands at the label.
fn correct(logits: &Array2<f32>, labels: &Labels) -> usize {
    let best = |row: ndarray::ArrayView1<f32>| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
    logits.axis_iter(Axis(0)).zip(labels.as_slice()).filter(|(row, label)| best(*row) == Some(**label)).count()
}

fn check(set: &str, model: &str, accuracy: usize) {
    let Some((images, labels)) = load(set) else { return };
    let path = data_support::shared().unwrap().join("models").join(model);
    let graph = frontends::load(&path).unwrap();
    let pixels = images.matrix(0..images.len());
    let reference = Reference::open(&path).unwrap().logits(pixels.view()).unwrap();
    let ours = frontends::evaluate(&graph, pixels.view()).unwrap();
    assert_eq!((reference.dim(), ours.dim()), ((10_000, 10), (10_000, 10)));
    let worst = reference.iter().zip(&ours).map(|(a, b)| (a - b).abs() / (1.0 + a.abs()));
    // NaN, if there is one.
    let worst = worst.max_by(f32::total_cmp).unwrap_or(f32::NAN);
    assert!(worst < 1e-3, "relative difference {worst}");
    println!("{model}: {} of 10000, relative difference {worst}", correct(&reference, &labels));
    assert_eq!(correct(&reference, &labels), accuracy);
    assert_eq!(correct(&ours, &labels), accuracy);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist_784_128_10() {
    check("mnist", "mnist_mlp_784-128-10.onnx", 9791);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist16_256_128_10() {
    check("mnist16", "mnist16_mlp_256-128-10.onnx", 9828);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist16_256_64_10() {
    check("mnist16", "mnist16_mlp_256-64-10.onnx", 9751);
}
