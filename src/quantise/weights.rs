//! Integer weights and the scale that they stand for.

use super::WEIGHT_BITS;
use super::panel::{Panel, Skip};
use super::rounding::nearest;
use crate::error::Problem;
use crate::fixed::weight_limit;
use crate::ir::snn::SnnGraph;
use ndarray::Array2;
use rayon::prelude::*;

/// The scales tried: the one that just fits the largest weight, and ever smaller ones that clip it.
const SHRINK: f64 = 0.97;
const CANDIDATES: i32 = 80;
/// Scales tried once more with error-cancelling rounding, relative to the best of the above.
const REFINE: [f64; 7] = [0.76, 0.84, 0.92, 1.0, 1.08, 1.16, 1.24];
/// Above this many senders they are not: the rounding of so many weights takes its time, and one less bit would show.
const REFINE_SENDERS: usize = 1024;
/// A bias takes at most this many bits more than the largest payload: weights that are much smaller beside it do not matter, and
/// would only make the membranes wide.
const BIAS_BITS: i32 = 15;
/// Bits of a bias that has no weights beside it.
const LONE_BIAS_BITS: i32 = 12;

/// Weights that are not numbers, and synapses that cannot be quantised.
pub(super) fn problems(snn: &SnnGraph) -> Vec<Problem> {
    let broken = snn.projections.iter().filter(|p| p.synapses.weights().any(|w| !w.is_finite()));
    let broken = broken.map(|p| Problem::new("holds a weight that is not finite").at_node(&p.name));
    let delayed = snn.projections.iter().filter(|p| p.delay > 0);
    broken
        .chain(delayed.map(|p| Problem::new("closes a cycle, which a converted network has not").at_node(&p.name)))
        .collect()
}

/// All that projects into one population, in units of the senders' spikes.
pub(super) struct Folded {
    pub panels: Vec<Panel>,
    pub skips: Vec<Skip>,
    /// Rows and columns of each projection's weights as a matrix.
    pub dims: Vec<(usize, usize)>,
    /// Projections whose senders never fired on the calibration set: what they would say has an arbitrary unit, which must not
    /// make the others' weights and the bias coarse.
    pub silent: Vec<bool>,
    /// Largest magnitude of the bias of each unit.
    pub bias: Vec<f64>,
    /// Bits of the largest payload.
    pub payload_bits: i32,
}

/// Integer weights and the float value of 1 for each unit.
pub(super) struct Integer {
    /// Per projection its weights as a matrix, see [`Folded::dims`].
    pub weights: Vec<Array2<i32>>,
    /// One per unit; positive.
    pub scale: Vec<f64>,
}

/// The weights that share a scale: rows of panels, and skips, by their index.
#[derive(Default)]
struct Members {
    rows: Vec<(usize, usize)>,
    skips: Vec<(usize, usize)>,
    floor: f64,
}

impl Folded {
    /// The integer weights that lose least of the drive; with `shared`, all units get the same scale.
    pub(super) fn choose(&self, shared: bool) -> Integer {
        let units = self.bias.len();
        let mut sets: Vec<Members> = (0..if shared { 1 } else { units }).map(|_| Members::default()).collect();
        let set = |unit: usize| if shared { 0 } else { unit };
        for (p, panel) in self.panels.iter().enumerate() {
            panel.units.iter().enumerate().for_each(|(row, &unit)| sets[set(unit)].rows.push((p, row)));
        }
        for (s, skip) in self.skips.iter().enumerate() {
            (0..skip.value.len()).for_each(|i| sets[set(skip.first_unit + i)].skips.push((s, i)));
        }
        for (unit, bias) in self.bias.iter().enumerate() {
            let floor = bias * f64::powi(0.5, BIAS_BITS + self.payload_bits);
            sets[set(unit)].floor = sets[set(unit)].floor.max(floor);
        }
        let chosen: Vec<(f64, Vec<Vec<i32>>)> = sets.par_iter().map(|members| self.choose_set(members)).collect();
        let mut weights: Vec<Array2<i32>> = self.dims.iter().map(|&dim| Array2::zeros(dim)).collect();
        for (members, (scale, rows)) in sets.iter().zip(&chosen) {
            for (&(p, row), integers) in members.rows.iter().zip(rows) {
                self.panels[p].scatter(row, integers, &mut weights);
            }
            for &(s, i) in &members.skips {
                let skip = &self.skips[s];
                weights[skip.projection][(i, 0)] = nearest(skip.value[i], *scale, skip.limit);
            }
        }
        Integer { weights, scale: (0..units).map(|unit| chosen[set(unit)].0).collect() }
    }

    /// True if the integer weights of this projection are all zero, though the float weights would move some membrane by more
    /// than a unit.
    pub(super) fn vanishes(&self, integer: &Integer, projection: usize) -> bool {
        integer.weights[projection].iter().all(|&q| q == 0)
            && (self.panels.iter().any(|panel| panel.swings(projection, &integer.scale))
                || self.skips.iter().filter(|s| s.projection == projection).any(|s| s.swings(&integer.scale)))
    }

    /// Bits, the same for all weights into the population, with which this projection is not lost; about the least such
    /// number. `None` if not even the most bits are enough. More bits make the common scale finer, so halving finds the
    /// border. Leaves every weight with some other number of bits.
    pub(super) fn enough_bits(&mut self, projection: usize, shared: bool) -> Option<u32> {
        let mut kept = |bits: u32| {
            let limit = weight_limit(bits);
            self.panels.iter_mut().for_each(|panel| panel.limit.fill(limit));
            self.skips.iter_mut().for_each(|skip| skip.limit = limit);
            !self.loses(&self.choose(shared), projection)
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

    /// The best common scale, and the integers of every row.
    fn choose_set(&self, members: &Members) -> (f64, Vec<Vec<i32>>) {
        let row = |&(p, row): &(usize, usize)| (&self.panels[p], self.panels[p].value.row(row));
        let blocks = members.rows.iter().flat_map(|&(p, _)| &self.panels[p].blocks).map(|block| block.projection);
        let mut projections = blocks.chain(members.skips.iter().map(|&(s, _)| self.skips[s].projection));
        // Silent senders count where there is nothing else to go by.
        let all = members.floor == 0.0 && projections.all(|projection| self.silent[projection]);
        let counts = |projection: usize| all || !self.silent[projection];
        // Weights that count, each with its limit.
        let heard = |(panel, values): (&Panel, ndarray::ArrayView1<f64>)| -> Vec<(f64, i32)> {
            let columns = panel.blocks.iter().flat_map(|b| std::iter::repeat_n(counts(b.projection), b.columns));
            let weights = values.iter().zip(&panel.limit).map(|(w, &l)| (w.abs(), l)).zip(columns);
            weights.filter(|(_, counts)| *counts).map(|(weight, _)| weight).collect()
        };
        let rows: Vec<(f64, i32)> = members.rows.iter().map(row).flat_map(heard).collect();
        let lone = members.skips.iter().filter(|&&(s, _)| counts(self.skips[s].projection));
        let lone: Vec<(f64, i32)> = lone.map(|&(s, i)| (self.skips[s].value[i].abs(), self.skips[s].limit)).collect();
        let fitting = |weights: &[(f64, i32)]| weights.iter().map(|&(w, l)| w / f64::from(l)).fold(0.0, f64::max);
        let (largest, floor) = (fitting(&rows), members.floor.max(fitting(&lone)));
        let heaviest = rows.iter().chain(&lone).map(|(w, _)| *w).fold(0.0, f64::max);
        if 2.0 * heaviest <= members.floor {
            // No weights, or none that count beside the bias: any unit will do in which the bias has a fair resolution. In
            // that unit, weights that were too small become 0, and those of silent senders what they can.
            let floor = members.floor;
            let scale =
                if floor > 0.0 { floor * f64::powi(2.0, BIAS_BITS + self.payload_bits - LONE_BIAS_BITS) } else { 1.0 };
            let plain = |(panel, values): (&Panel, ndarray::ArrayView1<f64>)| {
                values.iter().zip(&panel.limit).map(|(&w, &limit)| nearest(w, scale, limit)).collect()
            };
            return (scale, members.rows.iter().map(row).map(plain).collect());
        }
        let total = |one: &dyn Fn(&Panel, ndarray::ArrayView1<f64>) -> f64| {
            members.rows.iter().map(row).map(|(p, v)| one(p, v)).sum::<f64>()
        };
        let candidates = (0..CANDIDATES).map(|k| largest * SHRINK.powi(k));
        let mut scale = least(candidates, |scale| total(&|p, v| p.plain_loss(v, scale))).max(floor);
        let small = |p: &Panel| p.factor.is_some() && p.limit.len() <= REFINE_SENDERS;
        if members.rows.iter().map(row).all(|(p, _)| small(p)) {
            let candidates = REFINE.iter().map(|r| scale * r);
            scale = least(candidates, |scale| total(&|p, v| p.round(v, scale).1)).max(floor);
        }
        (scale, members.rows.iter().map(row).map(|(p, v)| p.round(v, scale).0).collect())
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
