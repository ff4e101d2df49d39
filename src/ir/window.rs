//! The geometry of a convolution or pooling: which sender each tap of each receiver reads.
//!
//! Receiver pixel `(oy, ox)` reads, through tap `(ky, kx)`, the sender pixel
//! ```text
//! (oy·stride[0] + ky·dilation[0] - pad[0],  ox·stride[1] + kx·dilation[1] - pad[1])
//! ```
//! and nothing where that lies outside the sender's image (zero padding). The padding below and to the right is what `output`
//! implies; it need not be the padding above and to the left. A negative `pad` begins inside the image (a crop).

use super::Shape;
use serde::{Deserialize, Serialize};

/// Extents of senders and receivers, and the window that slides over the senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// `[C, H, W]` of the senders.
    pub input: [usize; 3],
    /// `[C, H, W]` of the receivers.
    pub output: [usize; 3],
    /// Taps, `[rows, columns]`.
    pub kernel: [usize; 2],
    /// Sender pixels between neighbouring receivers, `[rows, columns]`; at least 1.
    pub stride: [usize; 2],
    /// Zero rows above and columns left of the image.
    pub pad: [i64; 2],
    /// Sender pixels between neighbouring taps, `[rows, columns]`; at least 1.
    pub dilation: [usize; 2],
}

/// Extents beyond this are refused: the arithmetic of [`Window`] is then free of overflow on every platform.
pub const MAX_EXTENT: usize = 1 << 24;

impl Window {
    /// The window of 1×1 that maps an image onto itself.
    pub fn identity(shape: [usize; 3]) -> Window {
        Window { input: shape, output: shape, kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1] }
    }

    /// The sender's coordinate along `axis` (0 = rows, 1 = columns) that receiver `out` reads through `tap`, if it exists.
    pub fn source(&self, axis: usize, out: usize, tap: usize) -> Option<usize> {
        let at = (out * self.stride[axis] + tap * self.dilation[axis]) as i64 - self.pad[axis];
        usize::try_from(at).ok().filter(|&at| at < self.input[axis + 1])
    }

    /// The receivers along `axis` that read coordinate `at` of the sender, each with its tap, receivers ascending.
    pub fn receivers(&self, axis: usize, at: usize) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = (0..self.kernel[axis])
            .filter_map(|tap| {
                let first = at as i64 + self.pad[axis] - (tap * self.dilation[axis]) as i64;
                let first = usize::try_from(first).ok()?;
                let out = first / self.stride[axis];
                (first.is_multiple_of(self.stride[axis]) && out < self.output[axis + 1]).then_some((out, tap))
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// The taps along `axis` through which receiver `out` reads an existing coordinate, `(coordinate, tap)`, taps ascending.
    pub fn taps(&self, axis: usize, out: usize) -> impl Iterator<Item = (usize, usize)> {
        (0..self.kernel[axis]).filter_map(move |tap| Some((self.source(axis, out, tap)?, tap)))
    }

    /// What is wrong with the geometry, in words that continue "the window".
    pub fn problem(&self) -> Option<String> {
        let numbers =
            self.input.iter().chain(&self.output).chain(&self.kernel).chain(&self.stride).chain(&self.dilation);
        if numbers.clone().any(|&n| n == 0 || n > MAX_EXTENT)
            || self.pad.iter().any(|p| p.unsigned_abs() > MAX_EXTENT as u64)
        {
            return Some(format!("has an extent outside 1..={MAX_EXTENT}: {self:?}"));
        }
        let elements = |shape: &[usize; 3]| shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if elements(&self.input).is_none() || elements(&self.output).is_none() {
            return Some("has more elements than can be counted".into());
        }
        None
    }

    /// True if some tap reads outside the image.
    pub fn reads_outside(&self) -> bool {
        (0..2).any(|axis| {
            let reach = (self.kernel[axis] - 1) * self.dilation[axis];
            let last = (self.output[axis + 1] - 1) * self.stride[axis] + reach;
            self.pad[axis] > 0 || last as i64 - self.pad[axis] >= self.input[axis + 1] as i64
        })
    }

    /// Number of senders and receivers.
    pub fn extent(&self) -> (usize, usize) {
        let elements = |shape: [usize; 3]| Shape(shape.to_vec()).len();
        (elements(self.input), elements(self.output))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn window()(
            input in 1usize..9, output in 1usize..9, kernel in 1usize..5, stride in 1usize..4, dilation in 1usize..4, pad in -2i64..4,
        ) -> Window {
            Window {
                input: [1, input, 1], output: [1, output, 1], kernel: [kernel, 1], stride: [stride, 1], pad: [pad, 0],
                dilation: [dilation, 1],
            }
        }
    }

    proptest! {
        /// Looking from the senders and from the receivers gives the same synapses.
        #[test]
        fn receivers_are_the_inverse_of_taps(w in window()) {
            let mut forth: Vec<_> = (0..w.output[1]).flat_map(|o| w.taps(0, o).map(move |(i, t)| (i, o, t))).collect();
            let mut back: Vec<_> = (0..w.input[1]).flat_map(|i| w.receivers(0, i).into_iter().map(move |(o, t)| (i, o, t))).collect();
            forth.sort_unstable();
            back.sort_unstable();
            prop_assert_eq!(forth, back);
        }
    }

    #[test]
    fn a_padded_window_of_three() {
        let w = Window { kernel: [3, 3], pad: [1, 1], ..Window::identity([1, 4, 4]) };
        assert_eq!(w.receivers(0, 0), [(0, 1), (1, 0)]);
        assert_eq!(w.receivers(0, 2), [(1, 2), (2, 1), (3, 0)]);
        assert_eq!(w.taps(1, 0).collect::<Vec<_>>(), [(0, 1), (1, 2)]);
    }
}
