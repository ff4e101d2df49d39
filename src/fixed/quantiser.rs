//! How a pixel in `[0, 1]` becomes the integer that enters the network.

use serde::{Deserialize, Serialize};

/// Unsigned pixel code of `bits` bits: `round(x · (2^bits - 1))`, clamped to the code's range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Bits per pixel, 1 to 16.
    pub bits: u32,
}

impl PixelFormat {
    /// The largest code, which stands for a pixel of 1.0.
    pub fn max(self) -> i64 {
        (1i64 << self.bits) - 1
    }

    /// The code of a pixel in `[0, 1]`.
    pub fn encode(self, pixel: f32) -> i64 {
        super::round(f64::from(pixel) * self.max() as f64).clamp(0, self.max())
    }

    /// The value that a code stands for.
    pub fn decode(self, code: i64) -> f64 {
        code as f64 / self.max() as f64
    }
}

/// Per-channel `(x - mean) / std` that the float network expects in front of its input. One entry applies to every
/// channel. It is folded into the first projections, so the hardware never sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Mean per channel, in pixel units (`[0, 1]`).
    pub mean: Vec<f32>,
    /// Standard deviation per channel, in pixel units; finite and positive.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// Mean and standard deviation of `channel`.
    pub fn of(&self, channel: usize) -> (f32, f32) {
        let pick = |values: &[f32]| values.get(channel).or(values.first()).copied();
        (pick(&self.mean).unwrap_or(0.0), pick(&self.std).unwrap_or(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_codes_are_the_bytes() {
        let format = PixelFormat { bits: 8 };
        for byte in 0..=255u8 {
            assert_eq!(format.encode(f32::from(byte) / 255.0), i64::from(byte));
        }
        assert_eq!(format.encode(-0.5), 0);
        assert_eq!(format.encode(7.0), 255);
        assert_eq!(format.encode(f32::NAN), 0);
    }
}
