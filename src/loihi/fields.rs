//! The register fields of a Loihi 2 neuron. A value outside its field is an error, never a silent truncation.

use crate::error::{Error, Result};

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, $label:literal, $min:expr, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(i32);

        impl $name {
            /// Least value that the field holds.
            pub const MIN: $name = $name($min);
            /// Greatest value that the field holds.
            pub const MAX: $name = $name($max);

            /// The field with this value.
            ///
            /// # Errors
            /// If the value lies outside `MIN..=MAX`.
            pub fn new(value: i64) -> Result<Self> {
                match i32::try_from(value) {
                    Ok(v) if ($min..=$max).contains(&v) => Ok($name(v)),
                    _ => Err(Error::input(format!("{} is {value}: Loihi 2 holds {} to {}", $label, $min, $max))),
                }
            }

            /// The value.
            pub const fn get(self) -> i32 {
                self.0
            }
        }
    };
}

field!(
    /// Decay `du` or `dv` per time step, in 1/4096; unsigned 12 bits.
    Decay,
    "decay",
    0,
    4095
);
field!(
    /// Mantissa of the bias; signed 13 bits.
    BiasMantissa,
    "bias mantissa",
    -4096,
    4095
);
field!(
    /// Binary exponent of the bias; unsigned 3 bits.
    BiasExponent,
    "bias exponent",
    0,
    7
);
field!(
    /// Mantissa of the threshold, compared as `vth << 6`; unsigned 17 bits.
    Threshold,
    "threshold",
    0,
    131_071
);
field!(
    /// Binary exponent of a synapse's weights; signed 4 bits.
    WeightExponent,
    "weight exponent",
    -8,
    7
);
field!(
    /// Bits that a synapse stores per weight (magnitude, where the sign mode is not mixed).
    WeightBits,
    "number of weight bits",
    1,
    8
);
field!(
    /// Synaptic current `u`: 24 bits that wrap into `(-2^23, 2^23]`, so `+2^23` is a value and `-2^23` is not.
    Current,
    "current u",
    -(1 << 23) + 1,
    1 << 23
);
field!(
    /// Membrane voltage `v`: 24 bits that clamp at `±(2^23 - 1)`.
    Voltage,
    "voltage v",
    -(1 << 23) + 1,
    (1 << 23) - 1
);
field!(
    /// What a reset by subtraction takes off the membrane; at most the threshold `(vth + 1) << 6`, so that a neuron that has
    /// just fired stays within its 24 bits.
    Decrement,
    "reset decrement",
    0,
    1 << 23
);

impl BiasMantissa {
    /// No bias.
    pub const ZERO: BiasMantissa = BiasMantissa(0);
}

impl Current {
    /// No current.
    pub const ZERO: Current = Current(0);

    /// `x` as the register holds it: modulo `2^24`, in `(-2^23, 2^23]`.
    ///
    /// The published rule subtracts `2^24` once above `2^23` and adds it once at or below `-2^23`; for the sum of a decayed
    /// current and an input within `±2^23` that is the same.
    pub fn wrap(x: i64) -> Self {
        let (low, period) = (i64::from(Self::MIN.0), 1i64 << 24);
        Current(((x - low).rem_euclid(period) + low) as i32)
    }
}

impl Voltage {
    /// At rest.
    pub const ZERO: Voltage = Voltage(0);

    /// `x`, or the end of the register's range that it lies beyond.
    pub fn clamp(x: i64) -> Self {
        Voltage(x.clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0)) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_where_their_bits_do() {
        assert!(
            Decay::new(-1).is_err() && Decay::new(0).is_ok() && Decay::new(4095).is_ok() && Decay::new(4096).is_err()
        );
        assert!(BiasMantissa::new(-4097).is_err() && BiasMantissa::new(-4096).is_ok());
        assert!(BiasMantissa::new(4095).is_ok() && BiasMantissa::new(4096).is_err());
        assert!(BiasExponent::new(-1).is_err() && BiasExponent::new(7).is_ok() && BiasExponent::new(8).is_err());
        assert!(Threshold::new(-1).is_err() && Threshold::new(131_071).is_ok() && Threshold::new(131_072).is_err());
        assert!(Current::new(1 << 23).is_ok() && Current::new(-(1 << 23)).is_err());
        assert!(Voltage::new(1 << 23).is_err() && Voltage::new(-(1 << 23)).is_err());
        assert!(Voltage::new((1 << 23) - 1).is_ok() && Voltage::new(1 - (1 << 23)).is_ok());
        assert!(Decay::new(i64::MAX).is_err() && Decay::new((1 << 32) + 5).is_err());
    }

    #[test]
    fn the_message_names_field_value_and_range() {
        let message = Threshold::new(131_072).unwrap_err().to_string();
        assert!(message.contains("threshold is 131072") && message.contains("0 to 131071"), "{message}");
    }

    #[test]
    fn current_wraps_as_published() {
        let published = |x: i64| {
            if x > 1 << 23 {
                x - (1 << 24)
            } else if x <= -(1 << 23) {
                x + (1 << 24)
            } else {
                x
            }
        };
        let edge = 1i64 << 23;
        for centre in [-2 * edge + 1, -edge, 0, edge, 2 * edge - 1] {
            for x in centre - 3..=centre + 3 {
                if (-2 * edge + 1..2 * edge).contains(&x) {
                    assert_eq!(i64::from(Current::wrap(x).get()), published(x), "{x}");
                }
            }
        }
        assert_eq!(Current::wrap(edge).get(), 1 << 23);
        assert_eq!(Current::wrap(-edge).get(), 1 << 23);
        assert_eq!(Current::wrap(edge + 1).get(), 1 - (1 << 23));
    }
}
