//! The calibration set and what the float network answers to it.

use super::operator::{self, Operator};
use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::snn::SnnGraph;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// Drives beyond this are no better than this, and their sums stay finite.
const MAX_DRIVE: f32 = 1e30;

/// Everything that makes `pixels` (`[samples, inputs]`) unfit for this network.
pub(super) fn problems(snn: &SnnGraph, pixels: ArrayView2<f32>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let shape = &snn.populations[0].shape;
    if pixels.nrows() == 0 {
        problems.push(
            Problem::new("the calibration set is empty").help("give a few hundred images, for example training images"),
        );
    }
    if pixels.ncols() != shape.len() {
        problems.push(
            Problem::new(format!(
                "a calibration image has {} pixels, but the network's input {shape} has {}",
                pixels.ncols(),
                shape.len()
            ))
            .help("calibrate with images of the kind that the network was trained on"),
        );
    }
    if let Some(pixel) = pixels.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        problems.push(
            Problem::new(format!("the calibration set holds the pixel {pixel}"))
                .help("pixels must lie in [0, 1]; normalisation is applied by the network itself"),
        );
    }
    problems
}

/// The source's activations `pixel - zero`, `[samples, neurons]`.
pub(super) fn source(snn: &SnnGraph, pixels: ArrayView2<f32>) -> Array2<f32> {
    let mut activations = pixels.as_standard_layout().into_owned();
    let shape = &snn.populations[0].shape;
    for (i, mut column) in activations.axis_iter_mut(Axis(1)).enumerate() {
        let zero = snn.zero.get(shape.channel_of(i)).copied().unwrap_or(0.0);
        column.mapv_inplace(|p| p - zero);
    }
    activations
}

/// The float network's drive `W·x + b` of one population, `[samples, neurons]`; `float` are the activations of those before it.
pub(super) fn drive(snn: &SnnGraph, pop: PopId, float: &[Array2<f32>]) -> Array2<f32> {
    let bias = &snn.populations[pop.0].bias;
    let inputs: Vec<_> = snn.projections_into(pop).map(|(_, p)| (Operator::new(&p.synapses), p.pre.0)).collect();
    let inputs: Vec<_> = inputs.iter().map(|(operator, pre)| (operator, float[*pre].view())).collect();
    let mut drive = operator::drive::<f32>(&inputs, bias.len());
    drive.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
        for (z, b) in row.iter_mut().zip(bias) {
            let sum = *z + b;
            *z = if sum.is_nan() { 0.0 } else { sum.clamp(-MAX_DRIVE, MAX_DRIVE) };
        }
    });
    drive
}
