//! Integer thresholds: the coarseness of each neuron's activation.

use super::activity::count;
use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

/// Candidates go down from a little above the one that just reaches the largest activation, each by this factor.
const SHRINK: f64 = 0.97;
const CANDIDATES: i32 = 96;
const ABOVE: f64 = 1.15;

/// Thresholds of at least 1 that minimise `Σ (float - θ·scale·n)²` over the samples, each neuron on its own, where `n` is the spike count.
///
/// `float` are the activations to be met, `drive` the membranes (bias included), both `[samples, neurons]`; `scale` is the value of
/// one membrane unit. A neuron that never fires takes the others' median of `θ·scale`.
pub(super) fn thresholds(float: &Array2<f64>, drive: &Array2<i64>, scale: &[f64], timesteps: u32) -> Vec<i64> {
    let best: Vec<Option<i64>> =
        (0..scale.len()).into_par_iter().map(|n| best(float.column(n), drive.column(n), scale[n], timesteps)).collect();
    let mut steps: Vec<f64> = best.iter().zip(scale).filter_map(|(theta, s)| theta.map(|t| t as f64 * s)).collect();
    steps.sort_by(f64::total_cmp);
    let median = steps.get(steps.len() / 2).copied();
    best.iter()
        .enumerate()
        .map(|(n, best)| match (best, median) {
            (Some(theta), _) => *theta,
            (None, Some(step)) => ((step / scale[n]).round() as i64).clamp(1, MAX_THETA),
            // The whole population is silent: any threshold beyond what was seen keeps it so.
            (None, None) => drive.column(n).iter().map(|v| v.abs()).max().unwrap_or(0).clamp(1, MAX_THETA),
        })
        .collect()
}

/// Keeps `theta·T` and all sums of membranes far from the ends of `i64`.
const MAX_THETA: i64 = 1 << 40;

fn best(float: ArrayView1<f64>, drive: ArrayView1<i64>, scale: f64, timesteps: u32) -> Option<i64> {
    let highest = *drive.iter().max()?;
    if highest <= 0 || float.iter().all(|&a| a <= 0.0) {
        return None;
    }
    let start = highest as f64 / (f64::from(timesteps) - 0.5) * ABOVE;
    let mut best: Option<(f64, i64)> = None;
    let mut last = 0;
    for k in 0..CANDIDATES {
        let theta = ((start * SHRINK.powi(k)).round() as i64).clamp(1, MAX_THETA);
        if theta == last {
            continue;
        }
        last = theta;
        let step = theta as f64 * scale;
        let error: f64 =
            float.iter().zip(drive).map(|(a, &v)| (a - step * count(v, theta, timesteps) as f64).powi(2)).sum();
        if best.is_none_or(|(least, _)| error < least) {
            best = Some((error, theta));
        }
    }
    best.map(|(_, theta)| theta)
}
