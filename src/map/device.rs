//! What the devices hold.

use crate::ir::mapped::Target;
use serde::Serialize;

/// Amounts of the resources that designs compete for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Look-up tables (4 inputs; 6 on xc7).
    pub lut: usize,
    /// Flip-flops.
    pub ff: usize,
    /// Block RAMs of the device's size (18 kbit on ECP5 and xc7, 4 kbit on iCE40).
    pub bram: usize,
    /// Multipliers.
    pub dsp: usize,
}

impl std::ops::Add for Area {
    type Output = Area;
    fn add(self, o: Area) -> Area {
        Area { lut: self.lut + o.lut, ff: self.ff + o.ff, bram: self.bram + o.bram, dsp: self.dsp + o.dsp }
    }
}

impl std::iter::Sum for Area {
    fn sum<I: Iterator<Item = Area>>(areas: I) -> Area {
        areas.fold(Area::default(), |a, b| a + b)
    }
}

/// What `target` holds, or `None` if it has no limits. Figures of the vendors' data sheets: LFE5U-25F, LFE5U-85F, iCE40HX8K,
/// iCE40UP5K, XC7A35T.
pub fn capacity(target: Target) -> Option<Area> {
    Some(match target {
        Target::Ecp5_25k => Area { lut: 24_288, ff: 24_288, bram: 56, dsp: 28 },
        Target::Ecp5_85k => Area { lut: 83_640, ff: 83_640, bram: 208, dsp: 156 },
        Target::Ice40Hx8k => Area { lut: 7_680, ff: 7_680, bram: 32, dsp: 0 },
        Target::Ice40Up5k => Area { lut: 5_280, ff: 5_280, bram: 30, dsp: 8 },
        Target::Xc7 => Area { lut: 20_800, ff: 41_600, bram: 100, dsp: 90 },
        Target::Generic => return None,
    })
}

/// The shapes, depth × width, that a block RAM of the device can take.
fn shapes(target: Target) -> &'static [(usize, usize)] {
    match target {
        Target::Ecp5_25k | Target::Ecp5_85k | Target::Xc7 | Target::Generic => {
            &[(16_384, 1), (8_192, 2), (4_096, 4), (2_048, 9), (1_024, 18), (512, 36)]
        }
        Target::Ice40Hx8k | Target::Ice40Up5k => &[(2_048, 2), (1_024, 4), (512, 8), (256, 16)],
    }
}

/// Block RAMs that a memory of `words` × `bits` takes, in the best of the device's shapes.
pub fn blocks(words: usize, bits: usize, target: Target) -> usize {
    let count = |&(depth, width): &(usize, usize)| words.div_ceil(depth) * bits.div_ceil(width);
    shapes(target).iter().map(count).min().unwrap_or(0)
}

/// The next larger devices of the same family, in order.
pub fn larger(target: Target) -> &'static [Target] {
    match target {
        Target::Ecp5_25k => &[Target::Ecp5_85k],
        Target::Ice40Up5k => &[Target::Ice40Hx8k, Target::Ecp5_25k, Target::Ecp5_85k],
        Target::Ice40Hx8k => &[Target::Ecp5_25k, Target::Ecp5_85k],
        Target::Ecp5_85k | Target::Xc7 | Target::Generic => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_take_the_best_shape() {
        assert_eq!(blocks(6272, 18, Target::Ecp5_25k), 7);
        assert_eq!(blocks(128, 36, Target::Ecp5_25k), 1);
        assert_eq!(blocks(6272, 2, Target::Ecp5_25k), 1);
        assert_eq!(blocks(256, 16, Target::Ice40Hx8k), 1);
        assert_eq!(blocks(257, 16, Target::Ice40Hx8k), 2);
        assert_eq!(blocks(2048, 2, Target::Ice40Hx8k), 1);
    }
}
