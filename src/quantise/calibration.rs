//! The calibration set and what the float network answers to it.

use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::snn::{SnnGraph, Synapses};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

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

/// The float network's drive `W·x + b` of one population, `[samples, neurons]`; `float` are the activations of those
/// before it.
pub(super) fn drive(snn: &SnnGraph, pop: PopId, float: &[Array2<f64>]) -> Array2<f64> {
    let bias = &snn.populations[pop.0].bias;
    let mut drive = Array2::zeros((float[0].nrows(), bias.len()));
    drive.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(sample, mut out)| {
        out.iter_mut().zip(bias).for_each(|(o, &b)| *o = f64::from(b));
        for (_, p) in snn.projections_into(pop) {
            let Synapses::Dense { weight } = &p.synapses else { continue };
            let x = float[p.pre.0].row(sample);
            for (o, row) in out.iter_mut().zip(weight.rows()) {
                *o += row.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum::<f64>();
            }
        }
    });
    drive
}
