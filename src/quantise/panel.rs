//! Weights that are rounded together: rows of receivers that read the same senders.

use super::gemm::Packed;
use super::rounding::{DAMPING, Factor, MAX_SENDERS, nearest};
use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;

/// Weights are fitted to what the senders really send only where there are this many observations for each of them.
const OBSERVATIONS: usize = 4;

/// The weights of some receivers, with what the calibration set says about their senders.
pub(super) struct Panel {
    /// Unit of each row.
    pub units: Vec<usize>,
    /// `[rows, columns]`, in float activation units for one spike of the sender.
    pub value: Array2<f64>,
    /// Largest magnitude of an integer weight, per column.
    pub limit: Vec<i32>,
    /// Where the columns come from, in order.
    pub blocks: Vec<Block>,
    /// What each column read, `[columns, places]`; less its mean, if the bias takes out the mean anyway.
    pub seen: Array2<f32>,
    /// Variance of each column, damped.
    pub importance: Vec<f64>,
    /// Covariance of the columns, if there are not too many.
    covariance: Option<Array2<f64>>,
    /// The factor of the damped covariance.
    pub factor: Option<Factor>,
}

/// Columns of a panel that are columns of one projection's weight matrix.
pub(super) struct Block {
    /// The projection, counted among those into the population.
    pub projection: usize,
    /// The matrix row that the panel's first row is.
    pub first_row: usize,
    /// How many columns.
    pub columns: usize,
}

/// A connection of every channel to itself through a single tap. It needs no error-cancelling, and its weight, one a channel, may
/// have more bits than the others, so that they need not be coarser for its sake.
pub(super) struct Skip {
    /// The projection, counted among those into the population.
    pub projection: usize,
    /// First receiving unit.
    pub first_unit: usize,
    /// One per channel, in float activation units for one spike of the sender.
    pub value: Vec<f64>,
    /// Largest magnitude of an integer weight.
    pub limit: i32,
    /// What each channel read, `[channels, places]`, as [`Panel::seen`].
    pub seen: Array2<f32>,
}

/// Subtracts every row's mean.
pub(super) fn centre(values: &mut Array2<f32>) {
    values.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
        let mean = row.iter().map(|&x| f64::from(x)).sum::<f64>() / row.len().max(1) as f64;
        row.mapv_inplace(|x| x - mean as f32);
    });
}

impl Panel {
    pub(super) fn new(
        units: Vec<usize>,
        value: Array2<f64>,
        limit: Vec<i32>,
        blocks: Vec<Block>,
        seen: Array2<f32>,
    ) -> Panel {
        let places = seen.ncols().max(1) as f64;
        let square = |row: ArrayView1<f32>| row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>() / places;
        let variance: Vec<f64> = seen.rows().into_iter().map(square).collect();
        let mean = variance.iter().sum::<f64>() / variance.len().max(1) as f64;
        // Where no sender ever varies, all weights matter alike.
        let damping = if mean > 0.0 { DAMPING * mean } else { 1.0 };
        let importance: Vec<f64> = variance.iter().map(|v| v + damping).collect();
        let covariance = (importance.len() <= MAX_SENDERS).then(|| covariance(&seen));
        let factor = covariance.as_ref().and_then(|h| Factor::new(h, &importance, damping));
        Panel { units, value, limit, blocks, seen, importance, covariance, factor }
    }

    /// Moves the weights to those that, on what the senders really send, come closest to the drive `target` (`[rows, places]`, centred
    /// as [`Panel::seen`]): the other senders make up for what one has lost to clipping and rounding. The damping holds
    /// the weights near where they are.
    pub(super) fn fit(&mut self, target: &Array2<f32>) {
        let (Some(covariance), Some(factor)) = (&self.covariance, &self.factor) else { return };
        let (columns, places) = self.seen.dim();
        if places < OBSERVATIONS * columns {
            return;
        }
        let by_place = Packed::new(places, columns, |k, j| self.seen[(j, k)]);
        let rows = self.value.axis_iter_mut(Axis(0)).into_par_iter().zip(target.axis_iter(Axis(0)));
        rows.for_each(|(mut value, target)| {
            let mut product = vec![0.0f32; columns];
            by_place.add_product(&target.to_vec(), &mut product, columns);
            let error: Vec<f64> = covariance
                .rows()
                .into_iter()
                .zip(&product)
                .map(|(row, &p)| f64::from(p) / places as f64 - row.dot(&value))
                .collect();
            value.iter_mut().zip(factor.solve(&error)).for_each(|(w, d)| *w += d);
        });
    }

    /// The mean square of `Σ w·x` for weights `row` of the columns from `first` on; without covariances as if the columns were
    /// independent.
    pub(super) fn variance(&self, row: &[f64], first: usize) -> f64 {
        let Some(covariance) = &self.covariance else {
            return row.iter().zip(&self.importance[first..]).map(|(w, m)| w * w * m).sum();
        };
        let columns = first..first + row.len();
        let products = row.iter().enumerate().map(|(i, w)| {
            let with = covariance.row(first + i);
            w * row.iter().zip(with.slice(ndarray::s![columns.clone()])).map(|(v, h)| v * h).sum::<f64>()
        });
        products.sum::<f64>().max(0.0)
    }

    /// Integers for a row, and the mean square error of the drive.
    pub(super) fn round(&self, row: ArrayView1<f64>, scale: f64) -> (Vec<i32>, f64) {
        match &self.factor {
            Some(factor) => factor.round(row, scale, &self.limit),
            None => {
                let integers = row.iter().zip(&self.limit).map(|(&w, &limit)| nearest(w, scale, limit)).collect();
                (integers, self.plain_loss(row, scale))
            }
        }
    }

    /// The mean square error of the drive, if every weight is rounded on its own and errors are independent.
    pub(super) fn plain_loss(&self, row: ArrayView1<f64>, scale: f64) -> f64 {
        let errors = row.iter().zip(&self.limit).map(|(&w, &limit)| w - scale * f64::from(nearest(w, scale, limit)));
        errors.zip(&self.importance).map(|(d, m)| m * d * d).sum()
    }

    /// Writes the integers of a row into the matrices of its projections.
    pub(super) fn scatter(&self, row: usize, integers: &[i32], weights: &mut [Array2<i32>]) {
        let mut first = 0;
        for block in &self.blocks {
            let integers = &integers[first..first + block.columns];
            first += block.columns;
            let out = weights[block.projection].row_mut(block.first_row + row);
            out.into_iter().zip(integers).for_each(|(out, &q)| *out = q);
        }
    }

    /// True if the float weights of this projection move some membrane by more than a unit.
    pub(super) fn swings(&self, projection: usize, scale: &[f64]) -> bool {
        let mut first = 0;
        self.blocks.iter().any(|block| {
            let columns = first..first + block.columns;
            first = columns.end;
            block.projection == projection
                && self.value.rows().into_iter().zip(&self.units).any(|(row, &unit)| {
                    let swing = |c: usize| (row[c] / scale[unit]).powi(2) * square(self.seen.row(c));
                    columns.clone().map(swing).sum::<f64>() > self.seen.ncols() as f64
                })
        })
    }
}

impl Skip {
    /// The mean square of what each channel read.
    pub(super) fn variances(&self) -> Vec<f64> {
        let places = self.seen.ncols().max(1) as f64;
        self.seen.rows().into_iter().map(|row| square(row) / places).collect()
    }

    /// True if the float weights move some membrane by more than a unit.
    pub(super) fn swings(&self, scale: &[f64]) -> bool {
        self.value.iter().enumerate().any(|(i, value)| {
            (value / scale[self.first_unit + i]).powi(2) * square(self.seen.row(i)) > self.seen.ncols() as f64
        })
    }
}

fn square(row: ArrayView1<f32>) -> f64 {
    row.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

/// `X·Xᵀ / places` of `X = [columns, places]`.
fn covariance(seen: &Array2<f32>) -> Array2<f64> {
    const ROWS: usize = 8;
    let (columns, places) = seen.dim();
    let by_place = Packed::new(places, columns, |k, j| seen[(j, k)]);
    let mut covariance = Array2::zeros((columns, columns));
    covariance.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter().enumerate().for_each(|(chunk, mut out)| {
        let rows = chunk * ROWS..chunk * ROWS + out.nrows();
        let left: Vec<f32> = seen.slice(ndarray::s![rows.clone(), ..]).iter().copied().collect();
        let mut product = vec![0.0; rows.len() * columns];
        by_place.add_product(&left, &mut product, rows.end);
        out.iter_mut().zip(product).for_each(|(out, p)| *out = f64::from(p) / places.max(1) as f64);
    });
    for i in 0..columns {
        for j in 0..i {
            covariance[(j, i)] = covariance[(i, j)];
        }
    }
    covariance
}
