//! The integers of a population's neurons.

use super::loihi;
use super::scale::{self, Receivers};
use super::settings::{Arithmetic, LeakySettings};
use crate::fixed::{round, weight_limit};
use crate::ir::quant::{Leaky, Reset};
use crate::ir::snn::{FloatReset, LeakyModel};
use rayon::prelude::*;

/// With a threshold of fewer whole weights than this, weights lose resolution to it. From here on they lose at most a fifth of a
/// step, less than the rounding of the weights itself.
const WHOLE_ENOUGH: i64 = 4;

/// The scales of a population.
pub(super) struct Fit {
    /// Float value of an integer weight of 1, per group.
    pub scale: Vec<f64>,
    /// The threshold in whole weights, per group; `None` if thresholds have fractions.
    whole: Option<Vec<i64>>,
    per_group: usize,
    /// The constant input that stands for a constant current, per neuron, in float.
    constant: Vec<f64>,
}

/// Chooses the scales of a population. A readout has one for all of its neurons.
///
/// Fails with every reason why the population cannot have Loihi's arithmetic, if it must.
pub(super) fn fit(model: &LeakyModel, receivers: &Receivers, settings: &LeakySettings) -> Result<Fit, Vec<String>> {
    let constant: Vec<f64> = model.current.iter().zip(&model.gain).map(|(c, gain)| c / gain).collect();
    let per_group = receivers.per_group();
    let limit = weight_limit(settings.weight_bits);
    let must = settings.arithmetic == Arithmetic::Loihi;
    let mut wrong = if must { unlike_loihi(model, settings) } else { Vec::new() };
    if !model.fires() {
        let others: Vec<(f64, i32)> = constant.iter().filter(|c| **c != 0.0).map(|&c| (c, limit)).collect();
        let scale = vec![receivers.shared_scale(&others); receivers.groups()];
        return if wrong.is_empty() { Ok(Fit { scale, whole: None, per_group, constant }) } else { Err(wrong) };
    }
    let weights = |group: usize| {
        let mut weights = receivers.weights(group);
        weights.extend(receivers.members(group).map(|n| (constant[n], limit)).filter(|(c, _)| *c != 0.0));
        weights
    };
    // The threshold in units of the weights, if all neurons of a group agree.
    let threshold = |group: usize| receivers.shared_threshold(group, |n| model.theta[n] / model.gain[n]);
    // Without fraction bits a threshold must leave the membrane room above it; what goes beyond it outlives a reset by subtraction.
    let room = if matches!(model.reset, FloatReset::Subtract) { 2 } else { 1 };
    let highest = |limit: i64| ((limit - 1) / room).max(1);
    let most = highest((1i64 << (settings.state_bits - 1 - settings.align)) - 1);

    if settings.arithmetic != Arithmetic::Free {
        let most = most.min(highest(loihi::MAX_THRESHOLD));
        let whole: Vec<Option<i64>> = (0..receivers.groups())
            .into_par_iter()
            .map(|group| threshold(group).map(|t| scale::best_whole(&weights(group), t, most)))
            .collect();
        let least = if must { 1 } else { WHOLE_ENOUGH };
        match whole.iter().position(|k| k.is_none_or(|k| k < least)) {
            Some(group) if must => wrong.push(match threshold(group) {
                Some(t) => {
                    format!("has weights beyond {} times its threshold of {t} (neuron {})", limit, group * per_group)
                }
                None => format!("has no threshold that a channel's neurons could share (neuron {})", group * per_group),
            }),
            Some(_) => {}
            None => {
                let whole: Vec<i64> = whole.into_iter().flatten().collect();
                let scale = whole.iter().enumerate().filter_map(|(g, &k)| threshold(g).map(|t| t / k as f64)).collect();
                if wrong.is_empty() {
                    return Ok(Fit { scale, whole: Some(whole), per_group, constant });
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
    }
    let free = |group: usize| {
        // The membrane must be able to hold every finite threshold.
        let highest =
            receivers.members(group).map(|n| (model.theta[n] / model.gain[n]).abs()).filter(|t| t.is_finite());
        let floor = highest.fold(0.0, f64::max) / most as f64;
        let scale = scale::best(&weights(group)).max(floor);
        if scale > 0.0 { scale } else { 1.0 }
    };
    let scale = (0..receivers.groups()).into_par_iter().map(free).collect();
    Ok(Fit { scale, whole: None, per_group, constant })
}

/// Why a population is not Loihi 2's LIF, whatever its scale.
fn unlike_loihi(model: &LeakyModel, settings: &LeakySettings) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut complain = |what: &str| wrong.push(format!("{what}, which Loihi 2's LIF does not"));
    match &model.reset {
        FloatReset::Subtract => complain("resets by subtraction"),
        FloatReset::Value(value) if value.iter().any(|&v| v != 0.0) => complain("resets to another value than 0"),
        FloatReset::Value(_) | FloatReset::Never => {}
    }
    if model.at_threshold {
        complain("fires at its threshold itself");
    }
    if model.keep_current.iter().any(|&k| decay(k) == 0) {
        complain("has a synaptic current that never decays");
    }
    if model.keep.iter().any(|&k| decay(k) == 4096) {
        complain("forgets its membrane within a step");
    }
    if settings.align != loihi::ALIGN || settings.state_bits != loihi::STATE_BITS {
        complain("has other than 6 fraction bits and 24-bit states");
    }
    if weight_limit(settings.weight_bits) > loihi::WEIGHT_BITS {
        complain("has weights of more than 8 bits");
    }
    wrong
}

/// The weights of the synapses from the neuron that is always on; `None` if the population has no constant current.
pub(super) fn constant_weights(model: &LeakyModel, fit: &Fit, bits: u32) -> Option<Vec<i32>> {
    let weight =
        |n: usize| super::super::rounding::nearest(fit.constant[n], fit.scale[n / fit.per_group], weight_limit(bits));
    model.current.iter().any(|&c| c != 0.0).then(|| (0..fit.constant.len()).map(weight).collect())
}

/// The population in integers; ranges are left open. `bias` is per neuron and step, `constant` what [`constant_weights`] gave.
pub(super) fn integer(
    model: &LeakyModel,
    fit: &Fit,
    bias: &[f64],
    constant: Option<&[i32]>,
    settings: &LeakySettings,
) -> Leaky {
    let n = model.v_init.len();
    let each = |f: &dyn Fn(usize) -> i64| (0..n).map(f).collect::<Vec<i64>>();
    let one = (1i64 << settings.align) as f64;
    let scale = |n: usize| fit.scale[n / fit.per_group];
    let unit = |n: usize| scale(n) * model.gain[n] / one;
    let limit = (1i64 << (settings.state_bits - 1)) - 1;
    let within = |x: i64| x.clamp(-limit, limit);
    let whole = |n: usize| fit.whole.as_ref().map(|k| k[n / fit.per_group] << settings.align);
    let theta = |n: usize| match (whole(n), model.theta[n]) {
        (Some(theta), _) => theta - i64::from(model.at_threshold),
        (None, theta) if theta == f64::INFINITY => limit,
        // v > x is v > floor(x) in integers, v >= x is v > ceil(x) - 1.
        (None, theta) if model.at_threshold => within((theta / unit(n)).ceil() as i64 - 1),
        (None, theta) => within((theta / unit(n)).floor() as i64),
    };
    let du = each(&|n| decay(model.keep_current[n]));
    // What rounding left of a constant current, where it ends up: multiplied by the steps that a current lives.
    let rest = |n: usize| match constant {
        Some(q) if du[n] > 0 => (fit.constant[n] - f64::from(q[n]) * scale(n)) * model.gain[n] * 4096.0 / du[n] as f64,
        _ => 0.0,
    };
    let bias = |n: usize| {
        let exact = (bias[n] + rest(n)) / unit(n);
        let whole = if model.fires() { whole(n).is_some() } else { settings.arithmetic != Arithmetic::Free };
        let like_loihi = whole && settings.align == loihi::ALIGN;
        like_loihi.then(|| loihi::bias(exact)).flatten().unwrap_or_else(|| round(exact))
    };
    let mut leaky = Leaky {
        align: settings.align,
        dv: each(&|n| decay(model.keep[n])),
        bias: each(&bias),
        theta: if model.fires() { each(&theta) } else { Vec::new() },
        reset: match &model.reset {
            FloatReset::Value(value) => Reset::Value(each(&|n| within(round(value[n] / unit(n))))),
            FloatReset::Subtract => {
                Reset::Subtract(each(&|n| whole(n).unwrap_or_else(|| within(round(model.theta[n] / unit(n))).max(0))))
            }
            FloatReset::Never => Reset::Never,
        },
        v_init: each(&|n| within(round(model.v_init[n] / unit(n)))),
        limits: (-limit, limit),
        du,
        current_range: (0, 0),
        input_range: (0, 0),
    };
    drop_fractions(&mut leaky);
    leaky
}

/// Without decays nothing is ever rounded, so fraction bits that no parameter uses would only make the membranes wider.
fn drop_fractions(leaky: &mut Leaky) {
    if leaky.du.iter().any(|&d| d != 4096) || leaky.dv.iter().any(|&d| d != 0) {
        return;
    }
    let by = leaky.reset.by().iter();
    let used = by.chain(&leaky.bias).chain(&leaky.v_init).map(|x| x.trailing_zeros()).min().unwrap_or(0);
    let unused = used.min(leaky.align);
    let shift = |values: &mut [i64]| values.iter_mut().for_each(|x| *x >>= unused);
    // Membranes are multiples of 2^unused, and those above theta are those above the multiple below it.
    [&mut leaky.theta, &mut leaky.bias, &mut leaky.v_init].into_iter().for_each(|values| shift(values));
    match &mut leaky.reset {
        Reset::Value(by) | Reset::Subtract(by) => shift(by),
        Reset::Never => {}
    }
    // The limits, too, count in the new unit; Loihi 2's are shifted in the same way.
    leaky.limits = (-(leaky.limits.1 >> unused), leaky.limits.1 >> unused);
    leaky.align -= unused;
}

/// The share that is lost in a step, in 1/4096.
pub(super) fn decay(keep: f64) -> i64 {
    round((1.0 - keep) * 4096.0)
}
