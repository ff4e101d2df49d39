//! Convolutions as products of matrices, and windows on single channels.

use crate::ir::window::Window;
use ndarray::{Array2, Array3, Array4, ArrayView1, ArrayView2, ArrayViewMut1, Axis, linalg::general_mat_mul, s};
use std::ops::Range;

/// Elements of the matrix of image patches that is multiplied at a time.
const PATCHES: usize = 1 << 18;

/// Adds a convolution of `images`, `[B, C_pre·H·W]`, to `out`, `[B, C_post·H'·W']`.
///
/// `weight` is `[C_post, C_pre / groups, rows, columns]`; extents must fit the window.
pub fn conv(images: ArrayView2<f32>, weight: &Array4<f32>, groups: usize, window: &Window, out: &mut Array2<f32>) {
    let (post, pre, rows, columns) = weight.dim();
    let (group_post, taps) = (post / groups.max(1), pre * rows * columns);
    let pixels = window.output[1] * window.output[2];
    let Ok(matrix) = weight.to_shape((post, taps)) else { return };
    let block = (PATCHES / taps.max(1)).clamp(1, pixels);
    let mut patches = Array2::<f32>::zeros((taps, block));
    let images = images.as_standard_layout();
    for (image, result) in images.rows().into_iter().zip(out.rows_mut()) {
        let Ok(mut result) = result.into_shape_with_order((post, pixels)) else { return };
        for group in 0..groups {
            let weights = matrix.slice(s![group * group_post..(group + 1) * group_post, ..]);
            let mut result = result.slice_mut(s![group * group_post..(group + 1) * group_post, ..]);
            for first in (0..pixels).step_by(block) {
                let range = first..(first + block).min(pixels);
                let mut patches = patches.slice_mut(s![.., ..range.len()]);
                for (tap, row) in patches.axis_iter_mut(Axis(0)).enumerate() {
                    let channel = group * pre + tap / (rows * columns);
                    gather(image, window, channel, [tap / columns % rows, tap % columns], range.clone(), row);
                }
                general_mat_mul(1.0, &weights, &patches, 1.0, &mut result.slice_mut(s![.., range]));
            }
        }
    }
}

/// What the receivers `range` (pixels, row-major) read from `channel` through the tap `[row, column]`.
fn gather(
    image: ArrayView1<f32>,
    window: &Window,
    channel: usize,
    [ky, kx]: [usize; 2],
    range: Range<usize>,
    mut row: ArrayViewMut1<f32>,
) {
    let [_, height, width] = window.input;
    let out_width = window.output[2];
    let (Some(image), Some(row)) = (image.as_slice(), row.as_slice_mut()) else { unreachable!("rows in one piece") };
    let inside = columns_inside(window, kx);
    let mut at = range.start;
    while at < range.end {
        let (oy, ox) = (at / out_width, at % out_width);
        let end = (ox + range.end - at).min(out_width);
        let part = &mut row[at - range.start..at - range.start + (end - ox)];
        let here = inside.start.clamp(ox, end)..inside.end.clamp(ox, end);
        match window.source(0, oy, ky).filter(|_| !here.is_empty()) {
            None => part.fill(0.0),
            Some(iy) => {
                let line = &image[(channel * height + iy) * width..(channel * height + iy + 1) * width];
                part[..here.start - ox].fill(0.0);
                part[here.end - ox..].fill(0.0);
                let first = window.source(1, here.start, kx).unwrap_or(0);
                let part = &mut part[here.start - ox..here.end - ox];
                match window.stride[1] {
                    1 => part.copy_from_slice(&line[first..first + part.len()]),
                    stride => part.iter_mut().zip(line[first..].iter().step_by(stride)).for_each(|(p, x)| *p = *x),
                }
            }
        }
        at += end - ox;
    }
}

/// The receivers' columns that find a sender through tap `kx`.
fn columns_inside(window: &Window, kx: usize) -> Range<usize> {
    let reads = |ox: usize| window.source(1, ox, kx).is_some();
    let first_reader = window.pad[1] - (kx * window.dilation[1]) as i64;
    let stride = window.stride[1];
    let from = usize::try_from(first_reader).map_or(0, |n| n.div_ceil(stride)).min(window.output[2]);
    let beyond = usize::try_from(first_reader + window.input[2] as i64).map_or(0, |n| n.div_ceil(stride));
    let range = from..beyond.clamp(from, window.output[2]);
    debug_assert!(range.clone().all(reads));
    range
}

/// Adds a window on every channel by itself: channel `from + i` of `images`, weighted with `weight[i]` (`[channels, rows, columns]`), to channel
/// `to + i` of `out`.
pub fn channelwise(
    images: ArrayView2<f32>,
    weight: &Array3<f32>,
    window: &Window,
    from: usize,
    to: usize,
    out: &mut Array2<f32>,
) {
    each_row(images, window, weight.dim().0, from, to, out, |line, result, i, [ky, kx], range, first, stride| {
        let w = weight[(i, ky, kx)];
        let senders = line[first..].iter().step_by(stride);
        result[range].iter_mut().zip(senders).for_each(|(y, x)| *y += w * x);
    });
}

/// Raises `channels` channels of `out`, from `to` on, to the greatest element under the window in those of `images`, from `from` on.
pub fn max(images: ArrayView2<f32>, window: &Window, channels: usize, from: usize, to: usize, out: &mut Array2<f32>) {
    each_row(images, window, channels, from, to, out, |line, result, _, _, range, first, stride| {
        let senders = line[first..].iter().step_by(stride);
        result[range].iter_mut().zip(senders).for_each(|(y, x)| *y = y.max(*x));
    });
}

/// Calls `visit` for every tap of every row of receivers with a row of senders under it: `(line of senders, line of receivers, channel, tap,
/// receivers that find a sender, first sender, stride)`.
fn each_row(
    images: ArrayView2<f32>,
    window: &Window,
    channels: usize,
    from: usize,
    to: usize,
    out: &mut Array2<f32>,
    mut visit: impl FnMut(&[f32], &mut [f32], usize, [usize; 2], Range<usize>, usize, usize),
) {
    let ([_, height, width], [_, out_height, out_width]) = (window.input, window.output);
    let inside: Vec<Range<usize>> = (0..window.kernel[1]).map(|kx| columns_inside(window, kx)).collect();
    let images = images.as_standard_layout();
    for (image, mut result) in images.rows().into_iter().zip(out.rows_mut()) {
        let (Some(image), Some(result)) = (image.as_slice(), result.as_slice_mut()) else {
            unreachable!("results are in standard layout")
        };
        for i in 0..channels {
            for oy in 0..out_height {
                let place = ((to + i) * out_height + oy) * out_width;
                let result = &mut result[place..place + out_width];
                for (iy, ky) in window.taps(0, oy) {
                    let place = ((from + i) * height + iy) * width;
                    let line = &image[place..place + width];
                    for (kx, range) in inside.iter().enumerate().filter(|(_, range)| !range.is_empty()) {
                        let first = window.source(1, range.start, kx).unwrap_or(0);
                        visit(line, result, i, [ky, kx], range.clone(), first, window.stride[1]);
                    }
                }
            }
        }
    }
}
