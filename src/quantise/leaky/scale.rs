//! The float value that the integer weight 1 stands for.

use super::super::rounding::nearest;
use crate::fixed::weight_limit;
use crate::ir::Shape;
use crate::ir::snn::Synapses;
use ndarray::Axis;
use std::ops::Range;

/// Scales tried besides the one that just fits the largest weight: each clips a little more.
const CANDIDATES: i32 = 40;
/// The finest scale tried, relative to the one that fits.
const SHRINK: f64 = 0.97;

/// How far thresholds that are to be one may be apart, as a share of the first: what dividing by a gain rounds.
const SAME: f64 = 1e-12;

/// All synapses into one population. Receivers that share weights share a scale, so they form a *group*: the channel of an
/// image if some synapses are a window, else every neuron is its own.
pub(super) struct Receivers {
    neurons: usize,
    channels: usize,
    /// `w·step` of every projection, with the largest magnitude of its integers.
    projections: Vec<(Synapses<f64>, i32)>,
}

impl Receivers {
    pub fn new(shape: &Shape) -> Self {
        Receivers { neurons: shape.len(), channels: shape.channels(), projections: Vec::new() }
    }

    /// Adds a projection whose senders' payloads of 1 stand for `step`.
    pub fn push(&mut self, synapses: &Synapses<f32>, step: f64, bits: u32) {
        self.projections.push((synapses.map(|&w| f64::from(w) * step), weight_limit(bits)));
    }

    fn windows(&self) -> bool {
        self.projections.iter().any(|(s, _)| s.window().is_some())
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        if self.windows() { self.channels } else { self.neurons }
    }

    /// Neurons of a group, which follow each other.
    pub fn per_group(&self) -> usize {
        (self.neurons / self.groups().max(1)).max(1)
    }

    /// Neurons of a group.
    pub fn members(&self, group: usize) -> Range<usize> {
        let end = |group: usize| (group * self.per_group()).min(self.neurons);
        end(group)..end(group + 1)
    }

    /// The threshold that all neurons of a group share, where `threshold(n)` is neuron `n`'s in units of the group's weights; `None` if they
    /// do not agree, or if it is not a number above 0.
    pub fn shared_threshold(&self, group: usize, threshold: impl Fn(usize) -> f64) -> Option<f64> {
        let mut each = self.members(group).map(threshold);
        let first = each.next().filter(|t| t.is_finite() && *t > 0.0)?;
        each.all(|t| (t - first).abs() <= SAME * first).then_some(first)
    }

    /// Every weight into a group, with the largest magnitude of its integer.
    pub fn weights(&self, group: usize) -> Vec<(f64, i32)> {
        let mut weights = Vec::new();
        for (synapses, limit) in &self.projections {
            let mut add = |w: &mut dyn Iterator<Item = &f64>| weights.extend(w.map(|&w| (w, *limit)));
            match synapses {
                Synapses::Dense { weight } => {
                    self.members(group).filter(|&n| n < weight.nrows()).for_each(|n| add(&mut weight.row(n).iter()));
                }
                Synapses::Conv { weight, .. } => add(&mut weight.index_axis(Axis(0), group).iter()),
                Synapses::Channelwise { weight, to, .. } => {
                    let filter = group.checked_sub(*to).filter(|&c| c < weight.shape()[0]);
                    filter.into_iter().for_each(|c| add(&mut weight.index_axis(Axis(0), c).iter()));
                }
            }
        }
        weights
    }

    /// One scale for all groups, and for the weights `others` beside them; exact, if all weights are multiples of one magnitude by 0 and ±1.
    pub fn shared_scale(&self, others: &[(f64, i32)]) -> f64 {
        let all = (0..self.groups()).flat_map(|g| self.weights(g)).chain(others.iter().copied());
        let all: Vec<(f64, i32)> = all.collect();
        let largest = all.iter().map(|(w, _)| w.abs()).fold(0.0, f64::max);
        if largest == 0.0 {
            return 1.0;
        }
        if all.iter().all(|(w, _)| *w == 0.0 || w.abs() == largest) {
            return largest;
        }
        best(&all)
    }

    /// The integer weights of projection `k`.
    pub fn round(&self, k: usize, scale: &[f64]) -> Synapses<i32> {
        let (synapses, limit) = &self.projections[k];
        let at = |group: usize| scale.get(group).copied().unwrap_or(1.0);
        match synapses {
            Synapses::Dense { weight } => {
                let mut rounded = weight.mapv(|_| 0);
                for (n, (mut row, from)) in rounded.rows_mut().into_iter().zip(weight.rows()).enumerate() {
                    let scale = at(n / self.per_group());
                    row.iter_mut().zip(from).for_each(|(q, &w)| *q = nearest(w, scale, *limit));
                }
                Synapses::Dense { weight: rounded }
            }
            Synapses::Conv { weight, window, groups } => {
                let mut rounded = weight.mapv(|_| 0);
                rounded.indexed_iter_mut().for_each(|(index, q)| *q = nearest(weight[index], at(index.0), *limit));
                Synapses::Conv { weight: rounded, window: *window, groups: *groups }
            }
            Synapses::Channelwise { weight, window, from, to } => {
                let mut rounded = weight.mapv(|_| 0);
                rounded.indexed_iter_mut().for_each(|(index, q)| *q = nearest(weight[index], at(index.0 + to), *limit));
                Synapses::Channelwise { weight: rounded, window: *window, from: *from, to: *to }
            }
        }
    }
}

/// The least scale at which no weight is clipped; 0 without weights.
pub(super) fn fitting(weights: &[(f64, i32)]) -> f64 {
    weights.iter().map(|(w, limit)| w.abs() / f64::from(*limit)).fold(0.0, f64::max)
}

/// The scale with the least squared error: clipping a few large weights may pay for all the others.
pub(super) fn best(weights: &[(f64, i32)]) -> f64 {
    let fitting = fitting(weights);
    let candidates = (0..CANDIDATES).map(|k| fitting * SHRINK.powi(k));
    least(candidates, |scale| loss(weights, scale)).unwrap_or(fitting)
}

/// The whole number `k` for which the scale `threshold / k` has the least squared error, at most `most`; 0 if even `k = 1` clips.
pub(super) fn best_whole(weights: &[(f64, i32)], threshold: f64, most: i64) -> i64 {
    let fitting = fitting(weights);
    let first = if fitting > 0.0 { (threshold / fitting).floor() } else { most as f64 };
    let first = first.min(most as f64) as i64;
    if first < 1 || fitting == 0.0 {
        return first.max(0);
    }
    // As far as `best` shrinks, in as many candidates.
    let last = ((first as f64 / SHRINK.powi(CANDIDATES)) as i64).min(most);
    let stride = ((last - first) / i64::from(CANDIDATES)).max(1);
    let candidates = (0..=i64::from(CANDIDATES)).map(|i| first + i * stride).filter(|&k| k <= last);
    least(candidates.map(|k| k as f64), |k| loss(weights, threshold / k)).map_or(first, |k| k as i64)
}

fn loss(weights: &[(f64, i32)], scale: f64) -> f64 {
    weights.iter().map(|&(w, limit)| (w - scale * f64::from(nearest(w, scale, limit))).powi(2)).sum()
}

/// The candidate with the least loss, the first of equal ones.
fn least(candidates: impl Iterator<Item = f64>, loss: impl Fn(f64) -> f64) -> Option<f64> {
    let mut best: Option<(f64, f64)> = None;
    for candidate in candidates {
        let loss = loss(candidate);
        if best.is_none_or(|(least, _)| loss < least) {
            best = Some((loss, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::window::Window;
    use ndarray::{Array2, Array4};

    /// Two channels of four pixels each, which a window makes share their weights; dense neurons share none.
    #[test]
    fn a_threshold_is_shared_by_those_who_share_weights() {
        let shape = Shape(vec![2, 2, 2]);
        let mut windows = Receivers::new(&shape);
        let window = Window { output: [2, 2, 2], ..Window::identity([1, 2, 2]) };
        windows.push(&Synapses::Conv { weight: Array4::ones((2, 1, 1, 1)), window, groups: 1 }, 1.0, 8);
        assert_eq!((windows.members(0), windows.members(1), windows.members(2)), (0..4, 4..8, 8..8));
        let threshold = |each: [f64; 8]| [0, 1].map(|group| windows.shared_threshold(group, |n| each[n]));
        let near = 3.0 * (1.0 + 1e-13);
        assert_eq!(threshold([3.0, near, 3.0, 3.0, 7.0, 7.0, 7.0, 7.0]), [Some(3.0), Some(7.0)]);
        // The last pixel counts as the others do, and no neuron of another channel.
        for other in [3.0 * (1.0 + 1e-9), 2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(threshold([3.0, 3.0, 3.0, other, 7.0, 7.0, 7.0, 7.0]), [None, Some(7.0)], "{other}");
        }
        for none in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert_eq!(threshold([1.0, 1.0, 1.0, 1.0, none, none, none, none]), [Some(1.0), None], "{none}");
        }
        let mut dense = Receivers::new(&shape);
        dense.push(&Synapses::Dense { weight: Array2::ones((8, 1)) }, 1.0, 8);
        assert_eq!((dense.groups(), dense.shared_threshold(5, |n| n as f64)), (8, Some(5.0)));
    }
}
