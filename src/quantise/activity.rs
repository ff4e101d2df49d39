//! What finished populations send on the calibration set, in integers.

use super::gemm::Real;
use super::operator::{self, Operator};
use crate::fixed::PixelFormat;
use crate::ir::Shape;
use crate::ir::quant::{Coding, Neuron, QProjection, QuantGraph};
use crate::ir::snn::Synapses;
use ndarray::{Array2, Array3, ArrayView2, Axis};
use rayon::prelude::*;

/// Integers below this are exact in `f32`, and so are their sums in any order.
const EXACT: f64 = (1u32 << 24) as f64;

/// The output of one population over the whole calibration set.
#[derive(Default)]
pub(super) struct Activity {
    /// Sum of all payloads that a neuron sends for an image, `[samples, neurons]`: integers of less than 2^24.
    pub totals: Array2<f32>,
    /// Rate coding: spikes, `[samples, T, neurons]`. `None` where every time step is the same.
    trains: Option<Array3<u8>>,
    /// Float activation that a total of 1 stands for, one per neuron.
    pub step: Vec<f64>,
}

impl Activity {
    /// The pixels, sent in each of `phases` phases.
    pub(super) fn source(pixels: ArrayView2<f32>, shape: &Shape, format: &PixelFormat, phases: i64) -> Self {
        let step = 1.0 / (format.max() * phases) as f64;
        let mut totals = pixels.to_owned();
        for (i, mut column) in totals.axis_iter_mut(Axis(1)).enumerate() {
            let channel = shape.channel_of(i);
            column.mapv_inplace(|p| (format.encode(p, channel) * phases) as f32);
        }
        Activity { totals, trains: None, step: vec![step; pixels.ncols()] }
    }

    /// What was sent in `totals`, where a total of 1 stands for `step`.
    pub(super) fn of(totals: Array2<f32>, step: Vec<f64>) -> Self {
        Activity { totals, trains: None, step }
    }

    /// The same activity, with what a total of 1 stands for.
    pub(super) fn with_step(self, step: Vec<f64>) -> Self {
        Activity { step, ..self }
    }
}

/// Sum of everything that reaches the population with these projections during an image, `[samples, neurons]`; exact.
pub(super) fn drive(net: &QuantGraph, incoming: &[QProjection], activity: &[Activity]) -> Array2<f64> {
    let x: Vec<ArrayView2<f32>> = incoming.iter().map(|p| activity[p.projection.pre.0].totals.view()).collect();
    match reach(net, incoming) < EXACT {
        true => sum(&prepare::<f32>(incoming), &x, incoming).mapv(f64::from),
        false => sum(&prepare::<f64>(incoming), &x, incoming),
    }
}

fn sum<T: Real>(operators: &[Operator<T>], x: &[ArrayView2<f32>], incoming: &[QProjection]) -> Array2<T> {
    let inputs: Vec<_> = operators.iter().zip(x.iter().copied()).collect();
    operator::drive(&inputs, incoming.first().map_or(0, |p| p.projection.synapses.extent().1))
}

fn prepare<T: Real>(incoming: &[QProjection]) -> Vec<Operator<T>> {
    incoming.iter().map(|p| Operator::new(&p.projection.synapses.map(|&w| T::of(f64::from(w))))).collect()
}

/// No partial sum is larger in magnitude.
fn reach(net: &QuantGraph, incoming: &[QProjection]) -> f64 {
    let of = |p: &QProjection| {
        let synapses = &p.projection.synapses;
        let each = match synapses {
            Synapses::Dense { weight } => weight.ncols(),
            Synapses::Conv { weight, window, .. } => weight.len() / window.output[0],
            Synapses::Channelwise { window, .. } => window.kernel[0] * window.kernel[1],
        };
        let weights: Vec<f64> = synapses.weights().map(|w| f64::from(w.unsigned_abs())).collect();
        let most = weights.chunks(each.max(1)).map(|row| row.iter().sum::<f64>()).fold(0.0, f64::max);
        most * net.max_per_phase(p.projection.pre) as f64 * f64::from(net.phases())
    };
    incoming.iter().map(of).sum()
}

/// What the finished `neuron` sends; `drive` (with bias) is the sum over the image. The steps are left open.
pub(super) fn fire(
    neuron: &Neuron,
    net: &QuantGraph,
    incoming: &[QProjection],
    activity: &[Activity],
    drive: &Array2<f64>,
) -> Activity {
    let Neuron::If { theta, v_init, bias } = neuron else { return Activity::default() };
    if net.coding != Coding::Rate {
        let mut totals = Array2::zeros(drive.dim());
        totals.axis_iter_mut(Axis(0)).into_par_iter().zip(drive.axis_iter(Axis(0))).for_each(|(mut out, v)| {
            for ((out, &v), &theta) in out.iter_mut().zip(v).zip(theta) {
                *out = count(v as i64, theta, net.timesteps) as f32;
            }
        });
        return Activity::of(totals, Vec::new());
    }
    let steps = net.timesteps as usize;
    let operators = prepare::<f64>(incoming);
    let mut trains = Array3::zeros((drive.nrows(), steps, theta.len()));
    trains.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(sample, mut train)| {
        let mut sums = Array2::zeros((steps, theta.len()));
        for (p, operator) in incoming.iter().zip(&operators) {
            let sender = &activity[p.projection.pre.0];
            let x = match &sender.trains {
                Some(trains) => trains.index_axis(Axis(0), sample).mapv(f32::from),
                None => {
                    let totals = sender.totals.row(sample);
                    Array2::from_shape_fn((steps, totals.len()), |(_, n)| totals[n] / steps as f32)
                }
            };
            operator.add(x.as_standard_layout().view(), sums.view_mut());
        }
        let mut v = v_init.clone();
        for (sums, mut out) in sums.rows().into_iter().zip(train.rows_mut()) {
            for ((((v, &theta), &bias), sum), out) in v.iter_mut().zip(theta).zip(bias).zip(sums).zip(&mut out) {
                *v += bias + *sum as i64;
                *out = u8::from(*v >= theta);
                *v -= i64::from(*out) * theta;
            }
        }
    });
    let totals = trains.map_axis(Axis(1), |train| train.iter().map(|&s| f32::from(s)).sum());
    Activity { totals, trains: Some(trains), step: Vec::new() }
}

/// Spikes of a two-phase neuron that has integrated `v` (bias included, rounding half a threshold not).
pub(super) fn count(v: i64, theta: i64, timesteps: u32) -> i64 {
    (v + theta / 2).div_euclid(theta).clamp(0, i64::from(timesteps))
}
