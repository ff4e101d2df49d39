//! What Loihi 2's synapses make of a dense weight matrix.

use super::fields::{WeightBits, WeightExponent};
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView2};

/// Which signs the weights of a projection may have; a single sign leaves one more bit for the magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignMode {
    /// Either sign: `[-256, 255]`, with steps of 2 at 8 bits.
    Mixed,
    /// No negative weight: `[0, 255]`.
    Excitatory,
    /// No positive weight: `[-255, 0]`.
    Inhibitory,
}

/// Bits of the widest weight.
const MAX_BITS: i32 = 8;

impl SignMode {
    /// The weight as it is stored: clipped to the mode's range, then its low `t = 8 - bits + (1 if mixed)` bits cleared,
    /// `(w >> t) << t`. Inhibitory weights are stored as magnitudes, so there it is the magnitude that is rounded down.
    pub fn store(self, weight: i32, bits: WeightBits) -> i32 {
        let truncate = |w: i32, t: i32| (w >> t) << t;
        let t = MAX_BITS - bits.get();
        match self {
            SignMode::Mixed => truncate(weight.clamp(-256, 255), t + 1),
            SignMode::Excitatory => truncate(weight.clamp(0, 255), t),
            SignMode::Inhibitory => -truncate(weight.saturating_neg().clamp(0, 255), t),
        }
    }
}

/// A dense projection as Loihi 2 stores it.
#[derive(Clone, Debug)]
pub struct Dense {
    weights: Array2<i32>,
    exponent: WeightExponent,
}

impl Dense {
    /// Stores `weights` (`[post, pre]`), which are clipped and truncated as [`SignMode::store`] says.
    pub fn new(weights: ArrayView2<i32>, mode: SignMode, bits: WeightBits, exponent: WeightExponent) -> Self {
        Dense { weights: weights.mapv(|w| mode.store(w, bits)), exponent }
    }

    /// Stores `weights` (`[post, pre]`) such that every sum they deliver is exact, or says why that cannot be.
    ///
    /// Weights of one sign are stored as they are. Of both signs only even ones can be stored, so they are doubled and the
    /// exponent -1 halves the sum again.
    ///
    /// # Errors
    /// If some weight does not fit, as the text of a reason without a full stop.
    pub fn exact(weights: ArrayView2<i32>) -> std::result::Result<Self, String> {
        let min = weights.iter().copied().min().unwrap_or(0);
        let max = weights.iter().copied().max().unwrap_or(0);
        let (mode, factor, range) = match (min, max) {
            (0.., _) => (SignMode::Excitatory, 1, 0..=255),
            (_, ..=0) => (SignMode::Inhibitory, 1, -255..=0),
            _ => (SignMode::Mixed, 2, -128..=127),
        };
        if !range.contains(&min) || !range.contains(&max) {
            return Err(format!(
                "weights from {min} to {max}: Loihi 2 stores {} to {} exactly",
                range.start(),
                range.end()
            ));
        }
        let exponent = if factor == 2 { WeightExponent::new(-1) } else { WeightExponent::new(0) };
        let exponent = exponent.map_err(|e| e.to_string())?;
        Ok(Dense::new(weights.mapv(|w| w * factor).view(), mode, WeightBits::MAX, exponent))
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
        let exponent = self.exponent.get();
        let shift = |sum: i64| if exponent >= 0 { sum << exponent } else { sum >> -exponent };
        let sum = |row: ndarray::ArrayView1<i32>| active.iter().map(|&(i, x)| i64::from(row[i]) * x).sum();
        Ok(self.weights.rows().into_iter().map(|row| shift(sum(row))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn bits(n: i64) -> WeightBits {
        WeightBits::new(n).unwrap()
    }

    #[test]
    fn each_mode_clips_and_truncates_in_its_own_way() {
        let stored = |mode: SignMode, n| [300, 255, 39, 1, 0, -1, -39, -255, -300].map(|w| mode.store(w, bits(n)));
        assert_eq!(stored(SignMode::Mixed, 8), [254, 254, 38, 0, 0, -2, -40, -256, -256]);
        assert_eq!(stored(SignMode::Excitatory, 8), [255, 255, 39, 1, 0, 0, 0, 0, 0]);
        assert_eq!(stored(SignMode::Inhibitory, 8), [0, 0, 0, 0, 0, -1, -39, -255, -255]);
        assert_eq!(stored(SignMode::Mixed, 7), [252, 252, 36, 0, 0, -4, -40, -256, -256]);
        assert_eq!(stored(SignMode::Excitatory, 6), [252, 252, 36, 0, 0, 0, 0, 0, 0]);
        assert_eq!(stored(SignMode::Inhibitory, 6), [0, 0, 0, 0, 0, 0, -36, -252, -252]);
        assert_eq!(SignMode::Inhibitory.store(i32::MIN, bits(8)), -255);
    }

    #[test]
    fn the_exponent_shifts_the_sum_not_the_weights() {
        let w = array![[3, 4], [-3, -4]];
        let shifted = |e| {
            let dense = Dense { weights: w.clone(), exponent: WeightExponent::new(e).unwrap() };
            dense.deliver(&[1, 1]).unwrap()
        };
        assert_eq!(shifted(0), [7, -7]);
        assert_eq!(shifted(2), [28, -28]);
        assert_eq!(shifted(-1), [3, -4]);
        assert!(Dense::exact(w.view()).unwrap().deliver(&[1]).is_err());
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

    #[test]
    fn exact_storage_refuses_what_does_not_fit() {
        for w in [array![[256, 0]], array![[-256, 0]], array![[128, -1]], array![[1, -129]]] {
            assert!(Dense::exact(w.view()).is_err(), "{w}");
        }
        assert!(Dense::exact(array![[128, -1]].view()).unwrap_err().contains("-128 to 127"));
    }
}
