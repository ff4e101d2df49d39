//! Projections that a common scale rounds away: where strong and weak synapses meet in one population, its membrane counts in units that
//! suit the strong ones, and what the weak ones carry may be lost.

use super::panel::{Panel, Skip};
use super::weights::{Folded, Integer};
use ndarray::ArrayView1;

/// A projection that loses more than this share of the drive's variance that it carries is lost …
const MOST_LOST: f64 = 0.25;

/// … if its integer weights leave unused what is beyond this share of their range: otherwise it is the number of bits that is low …
const USED: f64 = 1.0 / 8.0;

/// … and if what is lost is at least this share of the whole drive's variance: otherwise nobody hears it.
const HEARD: f64 = 1.0 / 16.0;

impl Folded {
    /// True if this projection does not survive beside the others: its integer weights are all zero, or lose most of what the float
    /// weights carry.
    pub(super) fn loses(&self, integer: &Integer, projection: usize) -> bool {
        self.vanishes(integer, projection) || self.drowns(integer, projection)
    }

    fn drowns(&self, integer: &Integer, projection: usize) -> bool {
        let largest = integer.weights[projection].iter().map(|q| q.unsigned_abs()).max().unwrap_or(0);
        if self.dims.len() < 2 || f64::from(largest) > USED * f64::from(self.limit(projection)) {
            return false;
        }
        let (lost, carried) = self.lost(integer, projection);
        let total: f64 = (0..self.dims.len()).map(|p| self.lost(integer, p).1).sum();
        lost > MOST_LOST * carried && lost > HEARD * total
    }

    /// The largest magnitude of an integer weight of this projection.
    fn limit(&self, projection: usize) -> i32 {
        let of_panel = |panel: &Panel| {
            let mut first = 0;
            panel.blocks.iter().find_map(|block| {
                let limit = panel.limit.get(first).copied();
                first += block.columns;
                limit.filter(|_| block.projection == projection)
            })
        };
        let of_skip = |skip: &Skip| (skip.projection == projection).then_some(skip.limit);
        let limit = self.panels.iter().find_map(of_panel).or_else(|| self.skips.iter().find_map(of_skip));
        limit.unwrap_or(0)
    }

    /// The variance of the drive that rounding takes from a projection, and that it carries in float; summed over the units.
    fn lost(&self, integer: &Integer, projection: usize) -> (f64, f64) {
        let weights = &integer.weights[projection];
        let (mut lost, mut carried) = (0.0, 0.0);
        for panel in &self.panels {
            let mut first = 0;
            for block in &panel.blocks {
                let columns = first..first + block.columns;
                first = columns.end;
                if block.projection != projection {
                    continue;
                }
                for (row, &unit) in panel.units.iter().enumerate() {
                    let float = panel.value.row(row);
                    let float = float.slice(ndarray::s![columns.clone()]);
                    let kept = weights.row(block.first_row + row);
                    let rest = error(float, kept, integer.scale[unit]);
                    lost += panel.variance(&rest, columns.start);
                    carried += panel.variance(&float.to_vec(), columns.start);
                }
            }
        }
        for skip in self.skips.iter().filter(|skip| skip.projection == projection) {
            for (i, (&float, &variance)) in skip.value.iter().zip(&skip.variances()).enumerate() {
                let rest = float - f64::from(weights[(i, 0)]) * integer.scale[skip.first_unit + i];
                lost += rest * rest * variance;
                carried += float * float * variance;
            }
        }
        (lost, carried)
    }
}

fn error(float: ArrayView1<f64>, kept: ArrayView1<i32>, scale: f64) -> Vec<f64> {
    float.iter().zip(kept).map(|(w, &q)| w - f64::from(q) * scale).collect()
}

#[cfg(test)]
mod tests {
    use super::super::panel::Block;
    use super::*;
    use ndarray::{Array2, arr2};

    /// One neuron that reads a sender strongly and another, which varies much more, with the weight `weak`.
    fn folded(weak: f64) -> Folded {
        let block = |projection| Block { projection, first_row: 0, columns: 1 };
        let seen =
            Array2::from_shape_fn((2, 64), |(c, k)| if (k >> c) & 1 == 0 { 1.0 } else { -1.0 } * [1.0, 200.0][c]);
        let panel = Panel::new(vec![0], arr2(&[[1.0, weak]]), vec![127; 2], vec![block(0), block(1)], seen);
        Folded {
            panels: vec![panel],
            skips: Vec::new(),
            dims: vec![(1, 1); 2],
            silent: vec![false; 2],
            bias: vec![0.0],
            payload_bits: 8,
        }
    }

    fn integer(weak: i32) -> Integer {
        Integer { weights: vec![arr2(&[[127]]), arr2(&[[weak]])], scale: vec![1.0 / 127.0] }
    }

    /// A few weights that round to ±1 kept a projection from being called lost, though next to nothing of it was left.
    #[test]
    fn a_projection_of_which_hardly_anything_survives_is_lost() {
        assert!(folded(0.0045).loses(&integer(1), 1), "more than half of it is rounding");
        assert!(folded(0.0045).loses(&integer(0), 1));
        assert!(!folded(0.0075).loses(&integer(1), 1), "the weight is almost met");
        assert!(!folded(0.0045).loses(&integer(1), 0));
    }
}
