//! Synapses that slide a window over an image, laid out by sender.

use crate::ir::quant::Combine;
use crate::ir::snn::Synapses;
use crate::ir::window::Window;

/// A convolution or channelwise projection, ready to be walked from its senders.
#[derive(Clone, Debug)]
pub(super) struct Windowed {
    window: Window,
    /// Receivers `(coordinate, tap)` of each sender coordinate, per axis (rows, columns).
    receivers: [Vec<Vec<(usize, usize)>>; 2],
    /// Weights of one sender channel, `[C_pre][tap][receiving channel]`.
    weights: Vec<i32>,
    /// First receiver channel of each sender channel, and how many follow it; none for a channel that is not connected.
    targets: Vec<(usize, usize)>,
}

impl Windowed {
    /// Lays out `synapses`; `None` if they are dense.
    pub(super) fn new(synapses: &Synapses<i32>) -> Option<Self> {
        let window = *synapses.window()?;
        let [channels, rows, columns] = window.input;
        let mut targets = vec![(0, 0); channels];
        let mut weights = Vec::with_capacity(synapses.weights().len());
        match synapses {
            Synapses::Dense { .. } => return None,
            Synapses::Conv { weight, groups, .. } => {
                let (each_in, each_out) = (channels / groups, window.output[0] / groups);
                for (c, target) in targets.iter_mut().enumerate() {
                    *target = (c / each_in * each_out, each_out);
                    for (ky, kx) in taps(&window) {
                        let kernels = weight.outer_iter().skip(target.0).take(each_out);
                        weights.extend(kernels.map(|kernel| kernel[(c % each_in, ky, kx)]));
                    }
                }
            }
            Synapses::Channelwise { weight, from, to, .. } => {
                for (i, filter) in weight.outer_iter().enumerate() {
                    targets[from + i] = (to + i, 1);
                    weights.extend(taps(&window).map(|tap| filter[tap]));
                }
            }
        }
        let axis = |axis: usize, extent: usize| (0..extent).map(|at| window.receivers(axis, at)).collect();
        Some(Windowed { window, receivers: [axis(0, rows), axis(1, columns)], weights, targets })
    }

    /// Combines every product `w·x` into its receiver's membrane; `x` has one payload per sender, `[C, H, W]`.
    pub(super) fn integrate(&self, x: &[i64], combine: Combine, membranes: &mut [i64]) {
        let [_, rows, columns] = self.window.input;
        let [_, out_rows, out_columns] = self.window.output;
        let pixels = out_rows * out_columns;
        let mut first = 0;
        for (image, &(to, many)) in x.chunks_exact(rows * columns).zip(&self.targets) {
            for (at, &x) in image.iter().enumerate().filter(|(_, x)| **x != 0) {
                for &(oy, ky) in &self.receivers[0][at / columns] {
                    for &(ox, kx) in &self.receivers[1][at % columns] {
                        let tap = first + (ky * self.window.kernel[1] + kx) * many;
                        let receivers = membranes[to * pixels + oy * out_columns + ox..].iter_mut().step_by(pixels);
                        for (v, &w) in receivers.zip(&self.weights[tap..tap + many]) {
                            let product = i64::from(w) * x;
                            *v = match combine {
                                Combine::Sum => *v + product,
                                Combine::Max => (*v).max(product),
                            };
                        }
                    }
                }
            }
            first += many * self.window.kernel[0] * self.window.kernel[1];
        }
    }
}

/// The taps of a window, row by row.
fn taps(window: &Window) -> impl Iterator<Item = (usize, usize)> {
    let [rows, columns] = window.kernel;
    (0..rows).flat_map(move |ky| (0..columns).map(move |kx| (ky, kx)))
}
