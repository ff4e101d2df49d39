//! Synapses made ready to be applied to many images.

use super::gemm::{Packed, Real};
use crate::ir::snn::Synapses;
use crate::ir::window::Window;
use ndarray::{Array2, Array3, ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;

/// Images of a task: as many rows as a dense product needs to be worth it.
const CHUNK: usize = 8;
/// Receiver pixels whose patches are laid out at a time.
const PATCHES: usize = 64;

/// The synapses of one projection.
pub(super) enum Operator<T> {
    Dense(Packed<T>),
    Conv { kernels: Vec<Packed<T>>, window: Window },
    Channelwise { weight: Array3<T>, window: Window, from: usize, to: usize },
}

impl<T: Real> Operator<T> {
    pub(super) fn new(synapses: &Synapses<T>) -> Self {
        match synapses {
            Synapses::Dense { weight } => {
                Operator::Dense(Packed::new(weight.ncols(), weight.nrows(), |k, j| weight[(j, k)]))
            }
            Synapses::Conv { weight, window, groups } => {
                let (channels, inner) = (window.output[0] / groups, weight.len() / window.output[0]);
                let flat = weight.as_standard_layout();
                let flat = flat.as_slice().unwrap_or_default();
                let group = |g: usize| Packed::new(inner, channels, |k, j| flat[(g * channels + j) * inner + k]);
                Operator::Conv { kernels: (0..*groups).map(group).collect(), window: *window }
            }
            Synapses::Channelwise { weight, window, from, to } => {
                Operator::Channelwise { weight: weight.clone(), window: *window, from: *from, to: *to }
            }
        }
    }

    /// Adds `Σ w·x` to `out`, `[images, receivers]`, for the senders' payloads `x`, `[images, senders]`, both in standard layout.
    pub(super) fn add(&self, x: ArrayView2<f32>, mut out: ArrayViewMut2<T>) {
        match self {
            Operator::Dense(weights) => {
                let a: Vec<T> = x.iter().map(|&x| T::from(x)).collect();
                if let Some(c) = out.as_slice_mut() {
                    weights.add_product(&a, c, usize::MAX);
                }
            }
            Operator::Conv { kernels, window } => {
                for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
                    if let (Some(x), Some(out)) = (x.as_slice(), out.as_slice_mut()) {
                        convolve(kernels, window, x, out);
                    }
                }
            }
            Operator::Channelwise { weight, window, from, to } => {
                let (pixels, receivers) = (window.input[1] * window.input[2], window.output[1] * window.output[2]);
                for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
                    let (Some(x), Some(out)) = (x.as_slice(), out.as_slice_mut()) else { continue };
                    let (images, sums) = (x.chunks(pixels).skip(*from), out.chunks_mut(receivers).skip(*to));
                    for ((filter, image), sums) in weight.outer_iter().zip(images).zip(sums) {
                        walk(window, |receiver, sender, ky, kx| {
                            sums[receiver] = sums[receiver] + filter[(ky, kx)] * T::from(image[sender]);
                        });
                    }
                }
            }
        }
    }
}

/// The sum of several projections' contributions, `[images, receivers]`.
pub(super) fn drive<T: Real>(inputs: &[(&Operator<T>, ArrayView2<f32>)], receivers: usize) -> Array2<T> {
    let images = inputs.first().map_or(0, |(_, x)| x.nrows());
    let mut drive = Array2::from_elem((images, receivers), T::default());
    drive.axis_chunks_iter_mut(Axis(0), CHUNK).into_par_iter().enumerate().for_each(|(chunk, mut out)| {
        for (operator, x) in inputs {
            let first = chunk * CHUNK;
            let x = x.slice(ndarray::s![first..first + out.nrows(), ..]);
            operator.add(x, out.view_mut());
        }
    });
    drive
}

fn convolve<T: Real>(kernels: &[Packed<T>], window: &Window, x: &[f32], out: &mut [T]) {
    let [channels, height, width] = window.input;
    let [out_channels, rows, columns] = window.output;
    let (in_group, out_group) = (channels / kernels.len(), out_channels / kernels.len());
    let inner = in_group * window.kernel[0] * window.kernel[1];
    let band = (PATCHES / columns).max(1);
    let mut patches = vec![T::default(); band * columns * inner];
    let mut sums = vec![T::default(); band * columns * out_group];
    for (group, kernel) in kernels.iter().enumerate() {
        let image = &x[group * in_group * height * width..];
        for top in (0..rows).step_by(band) {
            let band = band.min(rows - top);
            let patches = &mut patches[..band * columns * inner];
            patches.fill(T::default());
            for oy in 0..band {
                for (y, ky) in window.taps(0, top + oy) {
                    for kx in 0..window.kernel[1] {
                        let hit = (0..columns).filter_map(|ox| Some((ox, window.source(1, ox, kx)?)));
                        for (ox, x) in hit {
                            let patch = (oy * columns + ox) * inner + ky * window.kernel[1] + kx;
                            let taps = window.kernel[0] * window.kernel[1];
                            for c in 0..in_group {
                                patches[patch + c * taps] = T::from(image[(c * height + y) * width + x]);
                            }
                        }
                    }
                }
            }
            let sums = &mut sums[..band * columns * out_group];
            sums.fill(T::default());
            kernel.add_product(patches, sums, usize::MAX);
            for (pixel, sums) in sums.chunks(out_group).enumerate() {
                for (c, &sum) in sums.iter().enumerate() {
                    let at = ((group * out_group + c) * rows + top) * columns + pixel;
                    out[at] = out[at] + sum;
                }
            }
        }
    }
}

/// Calls `visit(receiver pixel, sender pixel, ky, kx)` for every synapse of one channel.
fn walk(window: &Window, mut visit: impl FnMut(usize, usize, usize, usize)) {
    let ([_, _, width], [_, rows, columns]) = (window.input, window.output);
    for oy in 0..rows {
        for (y, ky) in window.taps(0, oy) {
            for ox in 0..columns {
                for (x, kx) in window.taps(1, ox) {
                    visit(oy * columns + ox, y * width + x, ky, kx);
                }
            }
        }
    }
}
