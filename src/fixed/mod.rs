//! The number formats: widths, rounding, saturation. Every other module that needs one of these takes it from here,
//! and the widths in the generated Verilog are computed here.

mod quantiser;
mod text;

pub use quantiser::{Normalisation, PixelFormat};
pub use text::{grouped, grouped_tenths};

/// Bits of an unsigned number that must hold `max` (at least 1).
pub fn unsigned_bits(max: u64) -> u32 {
    (u64::BITS - max.leading_zeros()).max(1)
}

/// Bits of a two's complement number that must hold every integer of `min..=max` (at least 1).
pub fn signed_bits(min: i64, max: i64) -> u32 {
    let width = |x: i64| i64::BITS - if x < 0 { x.leading_ones() } else { x.leading_zeros() } + 1;
    width(min).max(width(max))
}

/// `x / 2^n`, rounded towards zero (`rtz` of the neuron equations).
///
/// `n` must be below 64.
pub fn rtz(x: i64, n: u32) -> i64 {
    let magnitude = (x.unsigned_abs() >> n) as i64;
    if x < 0 { -magnitude } else { magnitude }
}

/// Largest magnitude of a symmetric signed weight of `bits` bits: `2^(bits-1) - 1`.
pub fn weight_limit(bits: u32) -> i32 {
    (1 << (bits - 1)) - 1
}

/// The class that logits stand for: the index of the largest, the lowest index of equal ones. Values that cannot be compared
/// (NaN) are passed over; `None` if there are no others.
pub fn arg_max<'a, T: PartialOrd + 'a>(values: impl IntoIterator<Item = &'a T>) -> Option<usize> {
    let comparable = values.into_iter().enumerate().filter(|(_, v)| v.partial_cmp(v).is_some());
    comparable.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(i, _)| i)
}

/// Rounds half away from zero to an integer, saturating at the ends of `i64`; NaN becomes 0.
pub fn round(x: f64) -> i64 {
    x.round() as i64
}

/// Greatest common divisor; of 0 and another number, that number.
pub fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixed::types::I52F12;
    use proptest::prelude::*;

    #[test]
    fn widths_at_the_edges() {
        assert_eq!(unsigned_bits(0), 1);
        assert_eq!(unsigned_bits(1), 1);
        assert_eq!(unsigned_bits(255), 8);
        assert_eq!(unsigned_bits(256), 9);
        assert_eq!(signed_bits(0, 0), 1);
        assert_eq!(signed_bits(-1, 0), 1);
        assert_eq!(signed_bits(-128, 127), 8);
        assert_eq!(signed_bits(-129, 0), 9);
        assert_eq!(signed_bits(0, 128), 9);
        assert_eq!(signed_bits(i64::MIN, i64::MAX), 64);
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        assert_eq!(arg_max(&[3, 7, 7, -1, 7]), Some(1));
        assert_eq!(arg_max(&[i64::MIN; 3]), Some(0));
        assert_eq!(arg_max(&[f32::NEG_INFINITY; 2]), Some(0));
        assert_eq!(arg_max(&[f32::NAN, -2.0, f32::NAN, -1.0]), Some(3));
        assert_eq!(arg_max(&[f32::NAN]), None);
        assert_eq!(arg_max::<i64>(&[]), None);
    }

    proptest! {
        /// The `fixed` crate's 12-fraction-bit format, rounded towards zero, is the oracle.
        #[test]
        fn rtz_agrees_with_the_fixed_crate(x in -(1i64 << 50)..(1i64 << 50)) {
            prop_assert_eq!(rtz(x, 12), I52F12::from_bits(x).round_to_zero().to_num::<i64>());
        }

        #[test]
        fn signed_bits_is_the_least_sufficient_width(a in any::<i32>(), b in any::<i32>()) {
            let (min, max) = (i64::from(a.min(b)), i64::from(a.max(b)));
            let bits = signed_bits(min, max);
            let fits = |n: u32| min >= -(1i64 << (n - 1)) && max < (1i64 << (n - 1));
            prop_assert!(fits(bits));
            prop_assert!(bits == 1 || !fits(bits - 1));
        }
    }
}
