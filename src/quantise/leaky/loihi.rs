//! Which integers Loihi 2's fields hold. The equations themselves are another room's affair ([`crate::loihi`]).

/// Fraction bits.
pub(super) const ALIGN: u32 = 6;
/// Bits of currents and membranes.
pub(super) const STATE_BITS: u32 = 24;
/// Largest threshold, before it is shifted by [`ALIGN`].
pub(super) const MAX_THRESHOLD: i64 = (1 << 17) - 1;
/// Bits of a weight of either sign.
pub(super) const WEIGHT_BITS: i32 = 127;
/// Largest mantissa of a positive bias.
const MAX_MANTISSA: i64 = 4095;
/// Largest exponent of a bias.
const MAX_EXPONENT: u32 = 7;

/// The bias nearest to `bias` that is a mantissa of 13 bits times a power of two up to `2^7`; `None` if it is out of reach.
pub(super) fn bias(bias: f64) -> Option<i64> {
    let nearest = |exponent: u32| {
        let step = (1i64 << exponent) as f64;
        let mantissa = (bias / step).round();
        (mantissa.abs() <= MAX_MANTISSA as f64).then_some((mantissa * step) as i64)
    };
    (0..=MAX_EXPONENT).find_map(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn biases_keep_their_leading_bits() {
        assert_eq!(bias(4095.4), Some(4095));
        assert_eq!(bias(-4097.0), Some(-4098));
        assert_eq!(bias(524_160.0), Some(4095 << 7));
        assert_eq!(bias(524_300.0), None);
    }
}
