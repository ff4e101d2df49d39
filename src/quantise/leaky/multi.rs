//! The integers of neurons that may send several spikes in a step.
//!
//! A membrane counts in weights: the threshold is a whole number of them, so that it is exact and the weights, not the threshold, are
//! stretched to fit. Biases and initial membranes are rounded to weights.

use super::scale::{self, Receivers};
use super::settings::{Arithmetic, LeakySettings, NEURON_SPIKES};
use crate::fixed::round;
use crate::ir::quant::{MOST_SPIKES, MultiSpike};
use crate::ir::snn::MultiSpikeModel;
use rayon::prelude::*;

/// The threshold in whole weights, where no weight says how fine they should be.
const IDLE_THRESHOLD: i64 = (1 << 12) - 1;

/// The scales of a population.
pub(super) struct Fit {
    /// Float value of an integer weight of 1, per group.
    pub scale: Vec<f64>,
    /// The threshold in whole weights, per group.
    theta: Vec<i64>,
    per_group: usize,
}

/// Chooses the scales of a population, or says why there are none.
pub(super) fn fit(
    model: &MultiSpikeModel,
    receivers: &Receivers,
    settings: &LeakySettings,
) -> Result<Fit, Vec<String>> {
    if settings.arithmetic == Arithmetic::Loihi {
        return Err(vec![
            "may send several spikes a step, which Loihi 2's LIF does not; use the arithmetic 'auto'".into(),
        ]);
    }
    let per_group = receivers.per_group();
    let most = (1i64 << (settings.state_bits - 1)) - 1;
    let group = |group: usize| {
        let Some(threshold) = receivers.shared_threshold(group, |n| model.theta[n] / model.gain[n]) else {
            return Err(format!(
                "has no threshold above 0 that a channel's neurons could share (neuron {})",
                group * per_group
            ));
        };
        let weights = receivers.weights(group);
        let most = if scale::fitting(&weights) > 0.0 { most } else { most.min(IDLE_THRESHOLD) };
        match scale::best_whole(&weights, threshold, most) {
            k if k >= 1 => Ok((threshold / k as f64, k)),
            _ => Err(format!(
                "has weights so far beyond its threshold of {threshold} that the threshold is less than the smallest of \
                 their integers (neuron {})",
                group * per_group
            )),
        }
    };
    let groups: Vec<Result<(f64, i64), String>> = (0..receivers.groups()).into_par_iter().map(group).collect();
    let groups: Result<Vec<(f64, i64)>, String> = groups.into_iter().collect();
    let (scale, theta) = groups.map_err(|reason| vec![reason])?.into_iter().unzip();
    Ok(Fit { scale, theta, per_group })
}

/// The neurons; `bias` is added in every step, in membrane units of `model`.
pub(super) fn integer(model: &MultiSpikeModel, fit: &Fit, bias: &[f32], settings: &LeakySettings) -> MultiSpike {
    let n = model.theta.len();
    let whole = |value: f64, n: usize| round(value / (fit.scale[n / fit.per_group] * model.gain[n]));
    let most = settings.neuron_spikes.or(model.most).unwrap_or(NEURON_SPIKES).min(model.most.unwrap_or(u32::MAX));
    MultiSpike {
        theta: (0..n).map(|n| fit.theta[n / fit.per_group]).collect(),
        v_init: (0..n).map(|n| whole(model.v_init[n], n)).collect(),
        bias: bias.iter().enumerate().map(|(n, &b)| whole(f64::from(b), n)).collect(),
        floor: model.floor,
        most: most.min(MOST_SPIKES),
    }
}
