//! Rounding a row of weights so that its errors cancel on the calibration set.
//!
//! With `d = w - α·q` and the senders' covariance `H`, the error of the drive is `d·H·dᵀ = ‖d·L‖²` for the Cholesky
//! factor `H = L·Lᵀ`. Component `k` of `d·L` depends on `d_k` and on later columns only, so going from the last
//! column to the first each weight is rounded where it best cancels the errors already made (Babai's nearest plane).
//! Columns are ordered by importance: the weights that matter most are rounded first, and the less important ones
//! absorb their errors.

use ndarray::{Array2, ArrayView1};
use pulp::Arch;
use rayon::prelude::*;

/// Share of the mean variance added to every sender's: few samples leave the covariance singular, and silent senders
/// may speak later.
pub(super) const DAMPING: f64 = 0.02;

/// Beyond this many senders the factor would take too long, and weights are rounded one by one.
pub(super) const MAX_SENDERS: usize = 4608;

/// The factor of a damped covariance.
pub(super) struct Factor {
    /// Columns from the least to the most important.
    order: Vec<usize>,
    /// Lower triangle by rows, in that order.
    rows: Vec<Vec<f64>>,
}

/// Columns that are factorised at a time.
const BLOCK: usize = 64;

impl Factor {
    /// Factorises the damped `covariance` of senders. `None` if it is numerically not positive definite.
    pub(super) fn new(covariance: &Array2<f64>, importance: &[f64], damping: f64) -> Option<Factor> {
        let mut order: Vec<usize> = (0..importance.len()).collect();
        order.sort_by(|&a, &b| importance[a].total_cmp(&importance[b]).then(b.cmp(&a)));
        let row = |i: usize| {
            let mut row: Vec<f64> = order[..=i].iter().map(|&j| covariance[(order[i], j)]).collect();
            row[i] += damping;
            row
        };
        let mut rows: Vec<Vec<f64>> = (0..order.len()).into_par_iter().map(row).collect();
        for first in (0..rows.len()).step_by(BLOCK) {
            let (_, rest) = rows.split_at_mut(first);
            let (block, below) = rest.split_at_mut(BLOCK.min(rest.len()));
            for i in 0..block.len() {
                let (above, rest) = block.split_at_mut(i);
                let row = &mut rest[0];
                eliminate(row, above, first);
                let at = first + i;
                let pivot = row[at] - dot(&row[..at], &row[..at]);
                if pivot.is_nan() || pivot <= 0.0 {
                    return None;
                }
                row[at] = pivot.sqrt();
            }
            below.par_iter_mut().for_each(|row| eliminate(row, block, first));
        }
        Some(Factor { order, rows })
    }

    /// The `x` with `H·x = b`; both in the columns' own order.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = self.order.iter().map(|&column| b[column]).collect();
        for (i, row) in self.rows.iter().enumerate() {
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (before, rest) = x.split_at_mut(i);
            rest[0] /= row[i];
            before.iter_mut().zip(row).for_each(|(x, l)| *x -= rest[0] * l);
        }
        let mut solution = vec![0.0; x.len()];
        x.iter().zip(&self.order).for_each(|(&x, &column)| solution[column] = x);
        solution
    }

    /// Integers for `row` at `scale`, within `±limit` per column, and the mean square error of the drive.
    pub(super) fn round(&self, row: ArrayView1<f64>, scale: f64, limit: &[i32]) -> (Vec<i32>, f64) {
        let mut integers = vec![0; self.order.len()];
        // Component k of d·L, as far as the columns already rounded contribute to it.
        let mut error = vec![0.0; self.order.len()];
        let mut loss = 0.0;
        for (k, factor) in self.rows.iter().enumerate().rev() {
            let column = self.order[k];
            let wanted = row[column] + error[k] / factor[k];
            let q = nearest(wanted, scale, limit[column]);
            integers[column] = q;
            let d = row[column] - scale * f64::from(q);
            loss += (error[k] + d * factor[k]).powi(2);
            error[..k].iter_mut().zip(factor).for_each(|(e, f)| *e += d * f);
        }
        (integers, loss)
    }
}

/// Finishes the columns `first..` of `row` that belong to the finished rows `above`.
fn eliminate(row: &mut [f64], above: &[Vec<f64>], first: usize) {
    Arch::new().dispatch(|| {
        for (j, other) in above.iter().enumerate().map(|(j, other)| (first + j, other)) {
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
    });
}

/// The integer within `±limit` nearest to `w / scale`.
pub(super) fn nearest(w: f64, scale: f64, limit: i32) -> i32 {
    // Within ±limit after the clamp, so the conversion is exact.
    (w / scale).round().clamp(f64::from(-limit), f64::from(limit)) as i32
}

/// Dot product in a fixed order that the compiler can vectorise.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Senders that share a few causes, as neighbouring pixels do.
    fn correlated(rng: &mut ChaCha8Rng, senders: usize, samples: usize) -> Array2<f64> {
        let mix = Array2::from_shape_fn((senders, 4), |_| rng.random_range(-1.0..1.0));
        let causes = Array2::from_shape_fn((4, samples), |_| rng.random_range(-1.0..1.0));
        mix.dot(&causes) + Array2::from_shape_fn((senders, samples), |_| rng.random_range(-0.1..0.1))
    }

    fn mean_square(deviation: &Array2<f64>, d: &[f64], damping: f64) -> f64 {
        let drive = deviation.t().dot(&Array1::from(d.to_vec()));
        drive.dot(&drive) / deviation.ncols() as f64 + damping * d.iter().map(|d| d * d).sum::<f64>()
    }

    #[test]
    fn errors_cancel_and_the_loss_is_the_true_one() {
        let rng = &mut ChaCha8Rng::seed_from_u64(5);
        let (senders, damping, scale) = (30, 0.01, 0.3);
        let deviation = correlated(rng, senders, 80);
        let importance: Vec<f64> = deviation.rows().into_iter().map(|r| r.dot(&r)).collect();
        let covariance = deviation.dot(&deviation.t()) / deviation.ncols() as f64;
        let factor = Factor::new(&covariance, &importance, damping).unwrap();
        let limit = vec![3; senders];
        let (mut cancelled, mut plain) = (0.0, 0.0);
        for _ in 0..20 {
            let row: Array1<f64> = (0..senders).map(|_| rng.random_range(-0.9..0.9)).collect();
            let (q, loss) = factor.round(row.view(), scale, &limit);
            assert!(q.iter().all(|q| q.abs() <= 3));
            let error = |q: &dyn Fn(usize) -> i32| -> f64 {
                let d: Vec<f64> = (0..senders).map(|i| row[i] - scale * f64::from(q(i))).collect();
                mean_square(&deviation, &d, damping)
            };
            let truth = error(&|i| q[i]);
            assert!((truth - loss).abs() < 1e-9 * (1.0 + truth), "{truth} {loss}");
            cancelled += truth;
            plain += error(&|i| nearest(row[i], scale, 3));
        }
        assert!(cancelled < 0.35 * plain, "{cancelled} against {plain}");
    }

    #[test]
    fn the_factor_solves_its_equations() {
        let rng = &mut ChaCha8Rng::seed_from_u64(6);
        let senders = 150;
        let deviation = correlated(rng, senders, 400);
        let covariance = deviation.dot(&deviation.t()) / 400.0;
        let importance = covariance.diag().to_vec();
        let factor = Factor::new(&covariance, &importance, 0.05).unwrap();
        let x: Array1<f64> = (0..senders).map(|_| rng.random_range(-1.0..1.0)).collect();
        let b = covariance.dot(&x) + 0.05 * &x;
        for (got, wanted) in factor.solve(&b.to_vec()).iter().zip(&x) {
            assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
        }
    }

    #[test]
    fn a_covariance_that_is_not_positive_has_no_factor() {
        assert!(Factor::new(&Array2::zeros((2, 2)), &[0.0, 0.0], 0.0).is_none());
        assert!(Factor::new(&Array2::from_elem((2, 2), f64::NAN), &[0.0, 0.0], 1.0).is_none());
    }
}
