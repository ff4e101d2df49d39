//! What finished populations send on the calibration set, in integers.

use crate::fixed::PixelFormat;
use crate::ir::quant::{Coding, Neuron, QProjection, QuantGraph};
use crate::ir::snn::Synapses;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

/// The output of one population over the whole calibration set.
pub(super) struct Activity {
    /// Sum of all payloads that a neuron sends for an image, `[samples, neurons]`.
    pub totals: Array2<i64>,
    /// Rate coding: payloads per time step, one `[T, neurons]` per sample. `None` where every time step is the same.
    trains: Option<Vec<Array2<i64>>>,
    /// Float activation that a total of 1 stands for, one per neuron.
    pub step: Vec<f64>,
}

impl Activity {
    /// The pixels, sent in each of `phases` phases.
    pub(super) fn source(pixels: ArrayView2<f32>, format: &PixelFormat, phases: i64) -> Self {
        let step = 1.0 / (format.max() * phases) as f64;
        Activity {
            totals: pixels.mapv(|p| format.encode(p, 0) * phases),
            trains: None,
            step: vec![step; pixels.ncols()],
        }
    }

    /// The same activity, with what a total of 1 stands for.
    pub(super) fn with_step(self, step: Vec<f64>) -> Self {
        Activity { step, ..self }
    }

    /// A population that nobody reads.
    pub(super) fn silent() -> Self {
        Activity { totals: Array2::zeros((0, 0)), trains: None, step: Vec::new() }
    }
}

/// Sum of everything that reaches the population with these projections during an image, `[samples, neurons]`.
pub(super) fn drive(incoming: &[QProjection], activity: &[Activity]) -> Array2<i64> {
    let neurons = incoming.first().map_or(0, |p| p.projection.synapses.extent().1);
    let mut drive = Array2::zeros((activity[0].totals.nrows(), neurons));
    drive.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(sample, mut out)| {
        for p in incoming {
            let x = activity[p.projection.pre.0].totals.row(sample);
            accumulate(p, x, |n, sum| out[n] += sum);
        }
    });
    drive
}

/// Calls `add` with every receiver and its share from the senders' payloads `x`.
fn accumulate(p: &QProjection, x: ArrayView1<i64>, mut add: impl FnMut(usize, i64)) {
    let Synapses::Dense { weight } = &p.projection.synapses else { return };
    for (n, row) in weight.rows().into_iter().enumerate() {
        add(n, row.iter().zip(x).map(|(&w, &x)| i64::from(w) * x).sum());
    }
}

/// What the finished `neuron` sends; `drive` (with bias) is the sum over the image. The steps are left open.
pub(super) fn fire(
    neuron: &Neuron,
    net: &QuantGraph,
    incoming: &[QProjection],
    activity: &[Activity],
    drive: &Array2<i64>,
) -> Activity {
    let Neuron::If { theta, v_init, bias } = neuron else { return Activity::silent() };
    if net.coding != Coding::Rate {
        let mut totals = drive.clone();
        for mut row in totals.rows_mut() {
            for (v, &theta) in row.iter_mut().zip(theta) {
                *v = count(*v, theta, net.timesteps);
            }
        }
        return Activity { totals, trains: None, step: Vec::new() };
    }
    let steps = net.timesteps as usize;
    let trains: Vec<Array2<i64>> = (0..drive.nrows())
        .into_par_iter()
        .map(|sample| {
            let mut train = Array2::zeros((steps, theta.len()));
            let mut v = v_init.clone();
            for (step, mut out) in train.rows_mut().into_iter().enumerate() {
                for p in incoming {
                    let sender = &activity[p.projection.pre.0];
                    match &sender.trains {
                        Some(trains) => accumulate(p, trains[sample].row(step), |n, sum| v[n] += sum),
                        None => accumulate(p, sender.totals.row(sample), |n, sum| v[n] += sum / net.timesteps as i64),
                    }
                }
                for (((v, &theta), &bias), out) in v.iter_mut().zip(theta).zip(bias).zip(&mut out) {
                    *v += bias;
                    *out = i64::from(*v >= theta);
                    *v -= *out * theta;
                }
            }
            train
        })
        .collect();
    let mut totals = Array2::zeros(drive.dim());
    for (mut row, train) in totals.rows_mut().into_iter().zip(&trains) {
        row += &train.sum_axis(Axis(0));
    }
    Activity { totals, trains: Some(trains), step: Vec::new() }
}

/// Spikes of a two-phase neuron that has integrated `v` (bias included, rounding half a threshold not).
pub(super) fn count(v: i64, theta: i64, timesteps: u32) -> i64 {
    (v + theta / 2).div_euclid(theta).clamp(0, i64::from(timesteps))
}
