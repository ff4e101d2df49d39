//! How a pixel in `[0, 1]` becomes the integer that enters the network.

use serde::{Deserialize, Serialize};

/// Pixel code of `bits` bits: `round(x · (2^bits - 1))`, clamped to `0..=2^bits - 1`, less its channel's `zero`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelFormat {
    /// Bits per pixel before `zero` is subtracted, 1 to 16.
    pub bits: u32,
    /// The pixel that is sent as 0, one per channel; empty for 0 in every channel. A network that normalises its input and then pads
    /// it with zeros pads with the mean pixel, so that pixel must be the one that is silent. Codes are then signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zero: Vec<i64>,
}

impl PixelFormat {
    /// Unsigned pixels of `bits` bits.
    pub fn unsigned(bits: u32) -> PixelFormat {
        PixelFormat { bits, zero: Vec::new() }
    }

    /// Largest code of a pixel whose `zero` is 0: `2^bits - 1`, which stands for 1.0.
    pub fn max(&self) -> i64 {
        (1i64 << self.bits) - 1
    }

    /// The pixel of `channel` that is sent as 0.
    pub fn zero_of(&self, channel: usize) -> i64 {
        self.zero.get(channel).copied().unwrap_or(0)
    }

    /// Least and greatest code of any channel; 0 is always among them.
    pub fn range(&self) -> (i64, i64) {
        let least = self.zero.iter().copied().max().unwrap_or(0);
        let greatest = self.max() - self.zero.iter().copied().min().unwrap_or(0);
        (-least, greatest.max(0))
    }

    /// The code of a pixel in `[0, 1]` of `channel`.
    pub fn encode(&self, pixel: f32, channel: usize) -> i64 {
        super::round(f64::from(pixel) * self.max() as f64).clamp(0, self.max()) - self.zero_of(channel)
    }

    /// The pixel in `[0, 1]` that a code of `channel` stands for.
    pub fn decode(&self, code: i64, channel: usize) -> f64 {
        (code + self.zero_of(channel)) as f64 / self.max() as f64
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
        let format = PixelFormat::unsigned(8);
        for byte in 0..=255u8 {
            assert_eq!(format.encode(f32::from(byte) / 255.0, 0), i64::from(byte));
        }
        assert_eq!(format.encode(-0.5, 0), 0);
        assert_eq!(format.encode(7.0, 0), 255);
        assert_eq!(format.encode(f32::NAN, 0), 0);
        assert_eq!(format.range(), (0, 255));
    }

    #[test]
    fn the_zero_of_each_channel_is_silent() {
        let format = PixelFormat { bits: 8, zero: vec![124, 116] };
        assert_eq!((format.encode(124.0 / 255.0, 0), format.encode(1.0, 1), format.encode(0.0, 0)), (0, 139, -124));
        assert_eq!((format.range(), format.encode(1.0, 2)), ((-124, 139), 255));
        assert_eq!((format.decode(-124, 0), format.decode(139, 1)), (0.0, 1.0));
    }
}
