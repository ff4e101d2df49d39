//! What Loihi 2's synapses make of a dense weight matrix.

pub use super::storage::SignMode;

use super::fields::{WeightBits, WeightExponent};
use super::storage::Storage;
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView2};

/// A dense projection as Loihi 2 stores it.
#[derive(Clone, Debug)]
pub struct Dense {
    weights: Array2<i32>,
    storage: Storage,
}

impl Dense {
    /// Stores `weights` (`[post, pre]`), which are clipped and truncated as [`SignMode::store`] says.
    pub fn new(weights: ArrayView2<i32>, mode: SignMode, bits: WeightBits, exponent: WeightExponent) -> Self {
        Dense::stored(weights, Storage { mode, bits, factor: 1, exponent })
    }

    /// Stores `weights` (`[post, pre]`) such that every sum they deliver is exact, or says why that cannot be.
    ///
    /// # Errors
    /// If some weight does not fit, as the text of a reason without a full stop.
    pub fn exact(weights: ArrayView2<i32>) -> std::result::Result<Self, String> {
        Ok(Dense::stored(weights, Storage::exact(weights.iter().copied())?))
    }

    fn stored(weights: ArrayView2<i32>, storage: Storage) -> Self {
        Dense { weights: weights.mapv(|w| storage.store(w)), storage }
    }

    /// The weights as stored, `[post, pre]`.
    pub fn weights(&self) -> ArrayView2<'_, i32> {
        self.weights.view()
    }

    /// What each receiver gets for the payloads `x` of the senders: `Σ w·x`, shifted left by the exponent, or right (rounding
    /// down) if it is negative.
    ///
    /// # Errors
    /// If `x` does not have one payload per sender.
    pub fn deliver(&self, x: &[i64]) -> Result<Vec<i64>> {
        if x.len() != self.weights.ncols() {
            return Err(Error::input(format!("{} payloads for {} senders", x.len(), self.weights.ncols())));
        }
        let active: Vec<(usize, i64)> = x.iter().copied().enumerate().filter(|&(_, x)| x != 0).collect();
        let sum = |row: ndarray::ArrayView1<i32>| active.iter().map(|&(i, x)| i64::from(row[i]) * x).sum();
        Ok(self.weights.rows().into_iter().map(|row| self.storage.shift(sum(row))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_exponent_shifts_the_sum_not_the_weights() {
        let w = array![[3, 4], [-3, -4]];
        let exact = Dense::exact(w.view()).unwrap();
        let shifted = |e| {
            let storage = Storage { exponent: WeightExponent::new(e).unwrap(), ..exact.storage };
            Dense { weights: w.clone(), storage }.deliver(&[1, 1]).unwrap()
        };
        assert_eq!(shifted(0), [7, -7]);
        assert_eq!(shifted(2), [28, -28]);
        assert_eq!(shifted(-1), [3, -4]);
        assert!(exact.deliver(&[1]).is_err());
    }

    #[test]
    fn exact_storage_delivers_the_true_sums() {
        for w in [array![[127, -128], [1, -1]], array![[255, 0], [3, 1]], array![[-255, 0], [-3, -1]], array![[0, 0]]] {
            let dense = Dense::exact(w.view()).unwrap();
            let x = [7, 3];
            let expected: Vec<i64> =
                w.rows().into_iter().map(|r| r.iter().zip(x).map(|(&w, x)| i64::from(w) * x).sum()).collect();
            assert_eq!(dense.deliver(&x).unwrap(), expected, "{w}");
        }
    }
}
