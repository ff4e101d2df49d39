//! What a population's neurons saw in some places of the calibration images.

use crate::fixed::gcd;
use crate::ir::window::Window;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Places at which the neurons of one channel, which all have the same weights, are observed.
pub(super) struct Samples {
    /// `(image, pixel)`, ascending.
    pub at: Vec<(usize, usize)>,
}

impl Samples {
    /// About `wanted` places of all `images · pixels`, spread evenly.
    pub(super) fn spread(images: usize, pixels: usize, wanted: usize) -> Self {
        let all = images * pixels;
        // An odd stride that shares no small factor with an image's width meets every column and row.
        let mut stride = (all / wanted.max(1)).max(1);
        while stride > 1 && (gcd(stride, pixels) > 1 || stride.is_multiple_of(2)) {
            stride += 1;
        }
        let kept = if stride == 1 { all } else { all / stride };
        Samples { at: (0..kept).map(|k| k * stride).map(|i| (i / pixels, i % pixels)).collect() }
    }

    /// The payloads that each tap of a window over `channels` of `x` (`[images, senders]`) reads: `[channel·tap, places]`.
    pub(super) fn patches(&self, x: &Array2<f32>, window: &Window, channels: std::ops::Range<usize>) -> Array2<f32> {
        let [_, height, width] = window.input;
        let [rows, columns] = window.kernel;
        let mut patches = Array2::zeros((channels.len() * rows * columns, self.at.len()));
        patches.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each(|(row, mut out)| {
            let (channel, ky, kx) = (channels.start + row / (rows * columns), row / columns % rows, row % columns);
            for (out, &(image, pixel)) in out.iter_mut().zip(&self.at) {
                let (oy, ox) = (pixel / window.output[2], pixel % window.output[2]);
                if let (Some(y), Some(at)) = (window.source(0, oy, ky), window.source(1, ox, kx)) {
                    *out = x[(image, (channel * height + y) * width + at)];
                }
            }
        });
        patches
    }

    /// The payloads of every sender in the images of the places, `[senders, places]`.
    pub(super) fn images(&self, x: &Array2<f32>) -> Array2<f32> {
        Array2::from_shape_fn((x.ncols(), self.at.len()), |(c, s)| x[(self.at[s].0, c)])
    }

    /// What channel `unit`, of `pixels` neurons, has in each place of `values`, `[images, neurons]`.
    pub(super) fn of<'a, T: Copy>(
        &'a self,
        values: &'a Array2<T>,
        unit: usize,
        pixels: usize,
    ) -> impl Iterator<Item = T> + 'a {
        self.at.iter().map(move |&(image, pixel)| values[(image, unit * pixels + pixel)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_all_different_and_meet_every_pixel() {
        for (images, pixels, wanted) in [(10, 49, 100), (300, 1024, 16_384), (5, 1, 100), (7, 16, 1), (64, 64, 512)] {
            let samples = Samples::spread(images, pixels, wanted);
            assert!(samples.at.windows(2).all(|w| w[0] < w[1]));
            assert!(samples.at.iter().all(|&(i, p)| i < images && p < pixels));
            if samples.at.len() >= 4 * pixels {
                let met: std::collections::BTreeSet<_> = samples.at.iter().map(|s| s.1).collect();
                assert_eq!(met.len(), pixels);
            }
        }
    }
}
