//! Convolutions and pools, driven by what is not zero.

use crate::frontends::nir::shape::{Conv, Window};

/// A convolution with the weights where it needs them.
#[derive(Clone, Debug)]
pub(super) struct Convolution {
    conv: Conv,
    /// Height and width.
    input: [usize; 2],
    output: [usize; 2],
    /// `[inputs, kernel height, kernel width, outputs per group]`.
    weight: Vec<f64>,
    /// One per output channel.
    bias: Vec<f64>,
}

impl Convolution {
    /// `weight` is `[outputs, inputs per group, height, width]`, as in the file.
    pub fn new(conv: Conv, input: [usize; 2], output: [usize; 2], weight: &[f64], bias: Vec<f64>) -> Convolution {
        let taps = conv.window.kernel[0] * conv.window.kernel[1];
        let (inputs, outputs) = (conv.inputs / conv.groups, conv.outputs / conv.groups);
        let mut turned = vec![0.0; weight.len()];
        for (o, kernels) in weight.chunks_exact(inputs * taps).enumerate() {
            let (group, within) = (o / outputs, o % outputs);
            for (i, kernel) in kernels.chunks_exact(taps).enumerate() {
                for (tap, &w) in kernel.iter().enumerate() {
                    turned[((group * inputs + i) * taps + tap) * outputs + within] = w;
                }
            }
        }
        Convolution { conv, input, output, weight: turned, bias }
    }

    /// Geometry, weights `[inputs, kernel height, kernel width, outputs per group]`, biases.
    pub fn parts(&self) -> (&Conv, &[f64], &[f64]) {
        (&self.conv, &self.weight, &self.bias)
    }

    /// Values of scratch memory that [`Self::step`] needs.
    pub fn scratch(&self) -> usize {
        self.conv.outputs * self.output[0] * self.output[1]
    }

    /// One step: `x` is `[inputs, height, width]`, `y` likewise. `sums` holds the output with channels last.
    pub fn step(&self, x: &[f64], sums: &mut [f64], y: &mut [f64]) {
        sums.fill(0.0);
        let Conv { window, groups, inputs, outputs, .. } = self.conv;
        let (inputs_each, outputs_each) = (inputs / groups, outputs / groups);
        let [kernel_h, kernel_w] = window.kernel;
        let space = self.input[0] * self.input[1];
        for (channel, plane) in x.chunks_exact(space).enumerate() {
            let first = channel / inputs_each * outputs_each;
            let taps = &self.weight[channel * kernel_h * kernel_w * outputs_each..];
            for (place, &x) in plane.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                let (row, column) = (place / self.input[1], place % self.input[1]);
                for ky in 0..kernel_h {
                    let Some(oy) = target(&window, 0, row, ky, self.output[0]) else { continue };
                    for kx in 0..kernel_w {
                        let Some(ox) = target(&window, 1, column, kx, self.output[1]) else { continue };
                        let sums = &mut sums[(oy * self.output[1] + ox) * outputs + first..][..outputs_each];
                        let weights = &taps[(ky * kernel_w + kx) * outputs_each..][..outputs_each];
                        for (sum, w) in sums.iter_mut().zip(weights) {
                            *sum += x * w;
                        }
                    }
                }
            }
        }
        let space = self.output[0] * self.output[1];
        for (channel, (plane, bias)) in y.chunks_exact_mut(space).zip(&self.bias).enumerate() {
            for (y, sums) in plane.iter_mut().zip(sums.chunks_exact(outputs)) {
                *y = sums[channel] + bias;
            }
        }
    }
}

/// The output that sees input `place` through tap `tap`, if any does.
#[inline]
fn target(window: &Window, axis: usize, place: usize, tap: usize, extent: usize) -> Option<usize> {
    let shifted = (place + window.padding[axis][0]).checked_sub(tap * window.dilation[axis])?;
    let out = shifted / window.stride[axis];
    (out < extent && out * window.stride[axis] == shifted).then_some(out)
}

/// Adds up windows of `[channels, height, width]`; of an average, `share` is 1 over the window's extents (zeros of the
/// padding count).
#[derive(Clone, Debug)]
pub(super) struct Pooling {
    pub window: Window,
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub share: Option<f64>,
}

impl Pooling {
    /// One step.
    pub fn step(&self, x: &[f64], y: &mut [f64]) {
        y.fill(0.0);
        let planes = x.chunks_exact(self.input[0] * self.input[1]);
        for (x, y) in planes.zip(y.chunks_exact_mut(self.output[0] * self.output[1])) {
            for (place, &x) in x.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                let (row, column) = (place / self.input[1], place % self.input[1]);
                for ky in 0..self.window.kernel[0] {
                    let Some(oy) = target(&self.window, 0, row, ky, self.output[0]) else { continue };
                    for kx in 0..self.window.kernel[1] {
                        let Some(ox) = target(&self.window, 1, column, kx, self.output[1]) else { continue };
                        y[oy * self.output[1] + ox] += x;
                    }
                }
            }
            if let Some(share) = self.share {
                y.iter_mut().for_each(|y| *y *= share);
            }
        }
    }
}
