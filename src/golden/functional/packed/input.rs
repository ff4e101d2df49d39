//! Projections laid out for channels side by side.

use super::image::Layout;
use super::kernel::{Level, Pair, Weights};
use crate::ir::quant::Combine;
use crate::ir::snn::Synapses;
use crate::ir::window::Window;

/// Pairs of payloads that are laid out at a time: what the innermost cache holds.
const BAND: usize = 1 << 13;

/// One projection.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Rows of weights by sender, for senders of which most are silent.
    Dense { rows: Vec<i16>, receivers: usize },
    /// A product of patches and kernels per group.
    Conv { groups: Vec<Weights>, window: Window },
    /// `[tap][channel]`.
    Channelwise { taps: Vec<i16>, channels: usize, window: Window, from: usize, to: usize },
}

impl Input {
    /// Lays out `synapses`; `None` if a weight has more than 16 bits, or a maximum is taken over other than channelwise ones.
    pub(super) fn new(synapses: &Synapses<i32>, combine: Combine, sender: Layout, receiver: Layout) -> Option<Input> {
        let channelwise = matches!(synapses, Synapses::Channelwise { .. });
        if synapses.weights().any(|&w| i16::try_from(w).is_err()) || (combine == Combine::Max && !channelwise) {
            return None;
        }
        Some(match synapses {
            Synapses::Dense { weight } => {
                let mut rows = vec![0; sender.len() * receiver.len()];
                for (pre, from) in sender.places().enumerate() {
                    for (post, to) in receiver.places().enumerate() {
                        rows[from * receiver.len() + to] = weight[(post, pre)] as i16;
                    }
                }
                Input::Dense { rows, receivers: receiver.len() }
            }
            Synapses::Conv { weight, window, groups } => {
                let (receivers, channels) = (window.output[0] / groups, window.input[0] / groups);
                let [height, width] = window.kernel;
                let padded = channels.next_multiple_of(2);
                let group = |g: usize| {
                    Weights::new(height * width * padded / 2, receivers, |k, c| {
                        let (tap, channel) = (k / padded, k % padded);
                        let at = (g * receivers + c, channel, tap / width, tap % width);
                        if channel < channels { weight[at] as i16 } else { 0 }
                    })
                };
                Input::Conv { groups: (0..*groups).map(group).collect(), window: *window }
            }
            Synapses::Channelwise { weight, window, from, to } => {
                let (channels, height, width) = weight.dim();
                let all = (0..height * width).flat_map(|tap| (0..channels).map(move |c| (c, tap / width, tap % width)));
                let taps = all.map(|at| weight[at] as i16).collect();
                Input::Channelwise { taps, channels, window: *window, from: *from, to: *to }
            }
        })
    }

    /// Combines every product `w·x` into its receiver's sum. `patches` is working space.
    pub(super) fn integrate(
        &self,
        level: Level,
        x: (&[i16], Layout),
        combine: Combine,
        sums: (&mut [i32], Layout),
        patches: &mut Vec<Pair>,
    ) {
        match self {
            Input::Dense { rows, receivers } => level.vectorize(
                #[inline(always)]
                || {
                    for (row, &x) in rows.chunks_exact(*receivers).zip(x.0).filter(|(_, x)| **x != 0) {
                        blend(Combine::Sum, sums.0, row, |_| x);
                    }
                },
            ),
            Input::Conv { groups, window } => convolve(level, groups, window, x, sums, patches),
            Input::Channelwise { taps, channels, window, from, to } => level.vectorize(
                #[inline(always)]
                || {
                    for (pixel, sums) in sums.0.chunks_exact_mut(sums.1.stride).enumerate() {
                        let sums = &mut sums[*to..*to + channels];
                        each_tap(window, pixel, |sender, tap| {
                            let x = &x.0[sender * x.1.stride + from..][..*channels];
                            blend(combine, sums, &taps[tap * channels..][..*channels], |c| x[c]);
                        });
                    }
                },
            ),
        }
    }
}

/// Combines `weights[i]·x(i)` into each sum.
#[inline(always)]
fn blend(combine: Combine, sums: &mut [i32], weights: &[i16], x: impl Fn(usize) -> i16) {
    let products = weights.iter().enumerate().map(|(i, &w)| i32::from(w).wrapping_mul(i32::from(x(i))));
    match combine {
        Combine::Sum => sums.iter_mut().zip(products).for_each(|(s, p)| *s = s.wrapping_add(p)),
        Combine::Max => sums.iter_mut().zip(products).for_each(|(s, p)| *s = (*s).max(p)),
    }
}

/// Calls `visit(sender pixel, tap)` for every tap through which receiver `pixel` reads.
#[inline(always)]
fn each_tap(window: &Window, pixel: usize, mut visit: impl FnMut(usize, usize)) {
    let (oy, ox) = (pixel / window.output[2], pixel % window.output[2]);
    for ky in 0..window.kernel[0] {
        let Some(y) = window.source(0, oy, ky) else { continue };
        for kx in 0..window.kernel[1] {
            let Some(x) = window.source(1, ox, kx) else { continue };
            visit(y * window.input[2] + x, ky * window.kernel[1] + kx);
        }
    }
}

fn convolve(
    level: Level,
    groups: &[Weights],
    window: &Window,
    (x, sender): (&[i16], Layout),
    (sums, receiver): (&mut [i32], Layout),
    patches: &mut Vec<Pair>,
) {
    let channels = sender.channels / groups.len();
    let pairs = channels.div_ceil(2);
    let length = window.kernel[0] * window.kernel[1] * pairs;
    let band = (BAND / length).max(6).next_multiple_of(6);
    // Taps that lie side by side in the image do so in the patch.
    let whole = groups.len() == 1 && window.dilation[1] == 1 && 2 * pairs == sender.stride;
    for (g, weights) in groups.iter().enumerate() {
        for (b, sums) in sums.chunks_mut(band * receiver.stride).enumerate() {
            let pixels = sums.len() / receiver.stride;
            patches.clear();
            patches.resize(pixels * length, [0, 0]);
            for (i, patch) in patches.chunks_exact_mut(length).enumerate() {
                let patch = patch.as_flattened_mut();
                if whole {
                    copy_rows(window, b * band + i, x, sender.stride, patch);
                } else {
                    each_tap(window, b * band + i, |pixel, tap| {
                        let values = &x[pixel * sender.stride + g * channels..][..channels];
                        patch[tap * 2 * pairs..][..channels].copy_from_slice(values);
                    });
                }
            }
            weights.integrate(level, patches, sums, receiver.stride, g * receiver.channels / groups.len());
        }
    }
}

/// Copies the patch of receiver `pixel`, of which the taps outside the image are 0 already, a row at a time.
#[inline(always)]
fn copy_rows(window: &Window, pixel: usize, x: &[i16], stride: usize, patch: &mut [i16]) {
    let (oy, ox) = (pixel / window.output[2], pixel % window.output[2]);
    let [height, width] = window.kernel;
    let first = (ox * window.stride[1]) as i64 - window.pad[1];
    let skipped = usize::try_from(-first).unwrap_or(0).min(width);
    let from = usize::try_from(first).unwrap_or(0);
    let taps = (width - skipped).min(window.input[2].saturating_sub(from));
    for ky in 0..height {
        let Some(y) = window.source(0, oy, ky) else { continue };
        let row = &x[(y * window.input[2] + from.min(window.input[2])) * stride..][..taps * stride];
        patch[(ky * width + skipped) * stride..][..row.len()].copy_from_slice(row);
    }
}
