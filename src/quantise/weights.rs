//! Integer weights and the scale that they stand for.

use super::WEIGHT_BITS;
use super::activity::Activity;
use super::rounding::{DAMPING, Factor, MAX_SENDERS, nearest};
use crate::error::Problem;
use crate::fixed::weight_limit;
use crate::ir::snn::{SnnGraph, Synapses};
use ndarray::{Array2, ArrayView1, Axis, concatenate};
use rayon::prelude::*;

/// The scales tried: the one that just fits the largest weight, and ever smaller ones that clip it.
const SHRINK: f64 = 0.97;
const CANDIDATES: i32 = 80;
/// Scales tried once more with error-cancelling rounding, relative to the best of the above.
const REFINE: [f64; 7] = [0.76, 0.84, 0.92, 1.0, 1.08, 1.16, 1.24];
/// A bias takes at most this many bits, however small the weights beside it are.
const BIAS_BITS: i32 = 46;
/// Bits of a bias that has no weights beside it.
const LONE_BIAS_BITS: i32 = 15;

/// Weights that are not numbers.
pub(super) fn problems(snn: &SnnGraph) -> Vec<Problem> {
    let broken = snn.projections.iter().filter(|p| p.synapses.weights().any(|w| !w.is_finite()));
    let broken = broken.map(|p| Problem::new("holds a weight that is not finite").at_node(&p.name));
    let windows = snn.projections.iter().filter(|p| !matches!(p.synapses, Synapses::Dense { .. }));
    broken.chain(windows.map(|p| Problem::new("is no dense layer").at_node(&p.name))).collect()
}

/// All weights into one population, in units of the senders' spikes, with what the calibration set says about the
/// senders.
#[derive(Clone)]
pub(super) struct Folded {
    /// `[neurons, senders]`, the senders of all projections side by side.
    value: Array2<f64>,
    /// What each sender sent, `[senders, samples]`; less its mean, if the bias takes out the mean anyway.
    deviation: Array2<f64>,
    /// Largest magnitude of an integer weight, per column.
    limit: Vec<i32>,
    /// Least scale of each neuron, so that its bias stays within [`BIAS_BITS`].
    floor: Vec<f64>,
    centred: bool,
}

/// Integer weights and the float value of 1 for each neuron.
pub(super) struct Integer {
    /// `[neurons, senders]`.
    pub weight: Array2<i32>,
    /// One per neuron; positive.
    pub scale: Vec<f64>,
}

impl Folded {
    /// No senders yet; `bias` is that of the receiving neurons, `centred` says that their mean drive will be corrected.
    pub(super) fn new(bias: &[f32], samples: usize, centred: bool) -> Self {
        Folded {
            value: Array2::zeros((bias.len(), 0)),
            deviation: Array2::zeros((0, samples)),
            limit: Vec::new(),
            floor: bias.iter().map(|b| f64::from(b.abs()) * f64::powi(0.5, BIAS_BITS)).collect(),
            centred,
        }
    }

    /// Adds a projection with `weight` (`[neurons, senders]`) in float activation units.
    pub(super) fn push(&mut self, weight: &Array2<f32>, sender: &Activity, bits: u32) {
        let mut value = weight.mapv(f64::from);
        value.columns_mut().into_iter().zip(&sender.step).for_each(|(mut column, &step)| column *= step);
        let mut deviation = sender.totals.t().mapv(|x| x as f64);
        if self.centred {
            for mut row in deviation.rows_mut() {
                let mean = row.iter().sum::<f64>() / row.len() as f64;
                row -= mean;
            }
        }
        self.value = concatenate(Axis(1), &[self.value.view(), value.view()]).unwrap_or(value);
        self.deviation = concatenate(Axis(0), &[self.deviation.view(), deviation.view()]).unwrap_or(deviation);
        self.limit.extend(std::iter::repeat_n(weight_limit(bits), weight.ncols()));
    }

    /// The integer weights that lose least of the drive; with `shared`, all neurons get the same scale.
    pub(super) fn choose(&self, shared: bool) -> Integer {
        let samples = self.deviation.ncols().max(1) as f64;
        let variance: Vec<f64> =
            self.deviation.rows().into_iter().map(|row| row.iter().map(|x| x * x).sum::<f64>() / samples).collect();
        let mean = variance.iter().sum::<f64>() / variance.len().max(1) as f64;
        // Where no sender ever varies, all weights matter alike.
        let damping = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        let importance: Vec<f64> = variance.iter().map(|v| v + damping).collect();
        let factor =
            (importance.len() <= MAX_SENDERS).then(|| Factor::new(&self.deviation, &importance, damping)).flatten();
        let rounder = Rounder { factor, importance, limit: &self.limit };

        let rows: Vec<usize> = (0..self.value.nrows()).collect();
        if shared {
            let floor = self.floor.iter().copied().fold(0.0, f64::max);
            self.choose_rows(&rows, floor, &rounder)
        } else {
            let each: Vec<Integer> =
                rows.par_iter().map(|&n| self.choose_rows(&[n], self.floor[n], &rounder)).collect();
            let views: Vec<_> = each.iter().map(|i| i.weight.view()).collect();
            let weight = concatenate(Axis(0), &views).unwrap_or_else(|_| Array2::zeros(self.value.dim()));
            Integer { weight, scale: each.iter().flat_map(|i| i.scale.clone()).collect() }
        }
    }

    /// True if the integer weights of these columns are all zero, though the float weights would move some membrane
    /// by more than a unit.
    pub(super) fn vanishes(&self, integer: &Integer, columns: std::ops::Range<usize>) -> bool {
        let silent = columns.clone().all(|c| integer.weight.column(c).iter().all(|&q| q == 0));
        silent
            && self.value.rows().into_iter().zip(&integer.scale).any(|(row, scale)| {
                let swing = |c: usize| (row[c] / scale).powi(2) * self.deviation.row(c).dot(&self.deviation.row(c));
                columns.clone().map(swing).sum::<f64>() > self.deviation.ncols() as f64
            })
    }

    /// The same weights with `bits` bits for each.
    fn with_bits(&self, bits: u32) -> Folded {
        Folded { limit: vec![weight_limit(bits); self.limit.len()], ..self.clone() }
    }

    /// The best common scale of these rows, and their integers.
    fn choose_rows(&self, rows: &[usize], floor: f64, rounder: &Rounder) -> Integer {
        let columns = self.value.ncols();
        let fitting = |w: (&f64, &i32)| w.0.abs() / f64::from(*w.1);
        let largest =
            rows.iter().flat_map(|&n| self.value.row(n).into_iter().zip(&self.limit).map(fitting)).fold(0.0, f64::max);
        if largest <= floor {
            // No weights, or none that count beside the bias: any unit will do in which the bias has a fair resolution.
            let scale = if floor > 0.0 { floor * f64::powi(2.0, BIAS_BITS - LONE_BIAS_BITS) } else { 1.0 };
            return Integer { weight: Array2::zeros((rows.len(), columns)), scale: vec![scale; rows.len()] };
        }
        let total = |one: &dyn Fn(ArrayView1<f64>) -> f64| rows.iter().map(|&n| one(self.value.row(n))).sum::<f64>();
        let candidates = (0..CANDIDATES).map(|k| largest * SHRINK.powi(k));
        let mut scale = least(candidates, |scale| total(&|row| rounder.plain_loss(row, scale))).max(floor);
        if rounder.factor.is_some() {
            let candidates = REFINE.iter().map(|r| scale * r);
            scale = least(candidates, |scale| total(&|row| rounder.round(row, scale).1)).max(floor);
        }
        let mut weight = Array2::zeros((rows.len(), columns));
        for (mut out, &n) in weight.rows_mut().into_iter().zip(rows) {
            out.iter_mut().zip(rounder.round(self.value.row(n), scale).0).for_each(|(o, q)| *o = q);
        }
        Integer { weight, scale: vec![scale; rows.len()] }
    }
}

/// Bits, the same for all weights into the population, with which these columns do not vanish; about the least such number.
/// `None` if not even the most bits are enough. More bits make the common scale finer, so halving finds the border.
pub(super) fn enough_bits(folded: &Folded, columns: std::ops::Range<usize>, shared: bool) -> Option<u32> {
    let kept = |bits: u32| {
        let folded = folded.with_bits(bits);
        !folded.vanishes(&folded.choose(shared), columns.clone())
    };
    let (mut low, mut high) = (*WEIGHT_BITS.start(), *WEIGHT_BITS.end());
    if !kept(high) {
        return None;
    }
    while low < high {
        let middle = (low + high) / 2;
        if kept(middle) { high = middle } else { low = middle + 1 }
    }
    Some(high)
}

/// How the weights of one population are rounded.
struct Rounder<'a> {
    factor: Option<Factor>,
    importance: Vec<f64>,
    limit: &'a [i32],
}

impl Rounder<'_> {
    /// Integers for a row, and the mean square error of the drive.
    fn round(&self, row: ArrayView1<f64>, scale: f64) -> (Vec<i32>, f64) {
        match &self.factor {
            Some(factor) => factor.round(row, scale, self.limit),
            None => {
                let integers = row.iter().zip(self.limit).map(|(&w, &limit)| nearest(w, scale, limit)).collect();
                (integers, self.plain_loss(row, scale))
            }
        }
    }

    /// The mean square error of the drive, if every weight is rounded on its own and errors are independent.
    fn plain_loss(&self, row: ArrayView1<f64>, scale: f64) -> f64 {
        let errors = row.iter().zip(self.limit).map(|(&w, &limit)| w - scale * f64::from(nearest(w, scale, limit)));
        errors.zip(&self.importance).map(|(d, m)| m * d * d).sum()
    }
}

/// The candidate with the least loss, the first of equal ones.
fn least(candidates: impl Iterator<Item = f64>, loss: impl Fn(f64) -> f64) -> f64 {
    let mut best = (f64::INFINITY, 1.0);
    for candidate in candidates {
        let loss = loss(candidate);
        if loss < best.0 {
            best = (loss, candidate);
        }
    }
    best.1
}
