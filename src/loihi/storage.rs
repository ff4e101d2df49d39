//! How Loihi 2 stores the weights of a projection and what it makes of their sums, whoever is connected with whom.

use super::fields::{WeightBits, WeightExponent};

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

/// What a projection does to its weights before they are summed up, and to the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Storage {
    /// Signs.
    pub mode: SignMode,
    /// Bits of a weight.
    pub bits: WeightBits,
    /// What weights are multiplied by before they are stored.
    pub factor: i32,
    /// Sums are shifted left by it, or right (rounding down) if it is negative.
    pub exponent: WeightExponent,
}

impl Storage {
    /// Such that every sum of these weights is exact: weights of one sign are stored as they are; of both signs only even ones can be
    /// stored, so they are doubled, and the exponent -1 halves the sum again.
    ///
    /// # Errors
    /// If some weight does not fit, as the text of a reason without a full stop.
    pub fn exact(weights: impl Iterator<Item = i32>) -> Result<Self, String> {
        let (min, max) = weights
            .fold(None, |ends: Option<(i32, i32)>, w| Some(ends.map_or((w, w), |(a, b)| (a.min(w), b.max(w)))))
            .unwrap_or((0, 0));
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
        Ok(Storage { mode, bits: WeightBits::MAX, factor, exponent })
    }

    /// The weight as it is stored.
    pub fn store(&self, weight: i32) -> i32 {
        self.mode.store(weight.saturating_mul(self.factor), self.bits)
    }

    /// What arrives of a sum of stored weights times payloads.
    pub fn shift(&self, sum: i64) -> i64 {
        let exponent = self.exponent.get();
        if exponent >= 0 { sum << exponent } else { sum >> -exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_clips_and_truncates_in_its_own_way() {
        let stored = |mode: SignMode, n| {
            let bits = WeightBits::new(n).unwrap();
            [300, 255, 39, 1, 0, -1, -39, -255, -300].map(|w| mode.store(w, bits))
        };
        assert_eq!(stored(SignMode::Mixed, 8), [254, 254, 38, 0, 0, -2, -40, -256, -256]);
        assert_eq!(stored(SignMode::Excitatory, 8), [255, 255, 39, 1, 0, 0, 0, 0, 0]);
        assert_eq!(stored(SignMode::Inhibitory, 8), [0, 0, 0, 0, 0, -1, -39, -255, -255]);
        assert_eq!(stored(SignMode::Mixed, 7), [252, 252, 36, 0, 0, -4, -40, -256, -256]);
        assert_eq!(stored(SignMode::Excitatory, 6), [252, 252, 36, 0, 0, 0, 0, 0, 0]);
        assert_eq!(stored(SignMode::Inhibitory, 6), [0, 0, 0, 0, 0, 0, -36, -252, -252]);
        assert_eq!(SignMode::Inhibitory.store(i32::MIN, WeightBits::MAX), -255);
    }

    #[test]
    fn exact_storage_refuses_what_does_not_fit() {
        for w in [[256, 0], [-256, 0], [128, -1], [1, -129]] {
            assert!(Storage::exact(w.into_iter()).is_err(), "{w:?}");
        }
        assert!(Storage::exact([128, -1].into_iter()).unwrap_err().contains("-128 to 127"));
    }
}
