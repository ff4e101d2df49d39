//! The synapses of a projection as its senders see them.

use crate::ir::snn::Synapses;
use crate::ir::window::Window;
use ndarray::{Array2, Axis};

/// A projection's weights laid out by sender.
#[derive(Clone, Debug)]
pub(super) enum Wiring {
    /// `[pre, post]`.
    Dense(Array2<i32>),
    Windowed(Windowed),
}

#[derive(Clone, Debug)]
pub(super) struct Windowed {
    window: Window,
    /// Receivers `(coordinate, tap)` of each sender coordinate, per axis (rows, columns).
    receivers: [Vec<Vec<(usize, usize)>>; 2],
    /// `[tap, receiving channel]` of one sender channel after the other.
    weights: Vec<i32>,
    /// One per sender channel.
    channels: Vec<Channel>,
}

/// Where a sender channel goes.
#[derive(Clone, Copy, Debug, Default)]
struct Channel {
    /// Its first weight.
    first: usize,
    /// First receiver channel.
    to: usize,
    /// Receiver channels; 0 if it is not connected.
    many: usize,
}

impl Wiring {
    pub(super) fn new(synapses: &Synapses<i32>) -> Wiring {
        match synapses {
            Synapses::Dense { weight } => Wiring::Dense(weight.t().as_standard_layout().into_owned()),
            Synapses::Conv { weight, window, groups } => {
                let (each_in, each_out) = (window.input[0] / groups, window.output[0] / groups);
                Wiring::Windowed(Windowed::new(window, |c| {
                    let to = c / each_in * each_out;
                    let of_tap = move |ky, kx| (to..to + each_out).map(move |o| weight[(o, c % each_in, ky, kx)]);
                    Some((to, each_out, Box::new(move |ky, kx| of_tap(ky, kx).collect())))
                }))
            }
            Synapses::Channelwise { weight, window, from, to } => Wiring::Windowed(Windowed::new(window, |c| {
                let i = c.checked_sub(*from).filter(|i| *i < weight.len_of(Axis(0)))?;
                Some((to + i, 1, Box::new(move |ky, kx| vec![weight[(i, ky, kx)]])))
            })),
        }
    }

    /// Number of synapses, those with weight 0 included, taps in the padding excluded.
    pub(super) fn synapses(&self) -> u64 {
        match self {
            Wiring::Dense(weight) => weight.len() as u64,
            Wiring::Windowed(w) => {
                let [rows, columns] =
                    w.receivers.each_ref().map(|axis| axis.iter().map(|r| r.len() as u64).sum::<u64>());
                w.channels.iter().map(|c| c.many as u64 * rows * columns).sum()
            }
        }
    }

    /// Synapses of each sender whose weight is not 0.
    pub(super) fn reach(&self) -> Vec<u64> {
        let set = |weights: &[i32]| weights.iter().filter(|w| **w != 0).count() as u64;
        match self {
            Wiring::Dense(weight) => {
                weight.rows().into_iter().map(|row| row.iter().filter(|w| **w != 0).count() as u64).collect()
            }
            Wiring::Windowed(w) => {
                let [taps, columns] = [w.window.kernel[0] * w.window.kernel[1], w.window.kernel[1]];
                let mut reach = Vec::with_capacity(w.window.input.iter().product());
                for c in &w.channels {
                    let of_tap: Vec<u64> = (0..taps).map(|tap| set(w.of_tap(c, tap))).collect();
                    for rows in &w.receivers[0] {
                        for across in &w.receivers[1] {
                            let taps =
                                rows.iter().flat_map(|(_, ky)| across.iter().map(move |(_, kx)| ky * columns + kx));
                            reach.push(taps.map(|tap| of_tap[tap]).sum());
                        }
                    }
                }
                reach
            }
        }
    }

    /// Adds `Σ w·x` to the receivers' `sums`; `x` has one payload per sender.
    pub(super) fn add(&self, x: &[i64], sums: &mut [i64]) {
        match self {
            Wiring::Dense(weight) => {
                for (row, &x) in weight.rows().into_iter().zip(x).filter(|(_, x)| **x != 0) {
                    sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum += i64::from(w) * x);
                }
            }
            Wiring::Windowed(w) => w.add(x, sums),
        }
    }
}

/// First receiver channel, number of receiver channels, and their weights at a tap `(row, column)`.
type Target<'a> = (usize, usize, Box<dyn Fn(usize, usize) -> Vec<i32> + 'a>);

impl Windowed {
    /// `target` says where a sender channel goes, if anywhere.
    fn new<'a>(window: &Window, target: impl Fn(usize) -> Option<Target<'a>>) -> Windowed {
        let axis = |axis: usize| (0..window.input[axis + 1]).map(|at| window.receivers(axis, at)).collect();
        let mut weights = Vec::new();
        let channels = (0..window.input[0])
            .map(|c| {
                let Some((to, many, of_tap)) = target(c) else { return Channel::default() };
                let first = weights.len();
                for ky in 0..window.kernel[0] {
                    (0..window.kernel[1]).for_each(|kx| weights.extend(of_tap(ky, kx)));
                }
                Channel { first, to, many }
            })
            .collect();
        Windowed { window: *window, receivers: [axis(0), axis(1)], weights, channels }
    }

    /// The weights of a sender channel at tap number `tap`, one per receiver channel.
    fn of_tap(&self, channel: &Channel, tap: usize) -> &[i32] {
        &self.weights[channel.first + tap * channel.many..][..channel.many]
    }

    fn add(&self, x: &[i64], sums: &mut [i64]) {
        let [_, rows, columns] = self.window.input;
        let [_, out_rows, out_columns] = self.window.output;
        let pixels = out_rows * out_columns;
        for (image, channel) in x.chunks_exact(rows * columns).zip(&self.channels).filter(|(_, c)| c.many > 0) {
            for (at, &x) in image.iter().enumerate().filter(|(_, x)| **x != 0) {
                for &(oy, ky) in &self.receivers[0][at / columns] {
                    for &(ox, kx) in &self.receivers[1][at % columns] {
                        let first = channel.to * pixels + oy * out_columns + ox;
                        let weights = self.of_tap(channel, ky * self.window.kernel[1] + kx);
                        let receivers = sums[first..].iter_mut().step_by(pixels);
                        receivers.zip(weights).for_each(|(sum, &w)| *sum += i64::from(w) * x);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, Array4};
    use proptest::prelude::*;

    /// A window over `[channels, 4, 5]`.
    fn window() -> impl Strategy<Value = Window> {
        let pair = |range: std::ops::Range<usize>| [range.clone(), range];
        (pair(1..4), pair(1..3), [-1i64..3, -1..3], pair(1..3), pair(1..6)).prop_map(
            |(kernel, stride, pad, dilation, output)| Window {
                input: [4, 4, 5],
                output: [6, output[0], output[1]],
                kernel,
                stride,
                pad,
                dilation,
            },
        )
    }

    /// Every pair of neurons, asked one by one.
    fn check(synapses: &Synapses<i32>, x: &[i64]) -> Result<(), TestCaseError> {
        let wiring = Wiring::new(synapses);
        let (pre, post) = synapses.extent();
        let mut sums = vec![0; post];
        wiring.add(x, &mut sums);
        let weight = |o, i| synapses.weight(o, i);
        let expected: Vec<i64> = (0..post).map(|o| (0..pre).map(|i| i64::from(weight(o, i)) * x[i]).sum()).collect();
        prop_assert_eq!(sums, expected);
        let reach: Vec<u64> = (0..pre).map(|i| (0..post).filter(|&o| weight(o, i) != 0).count() as u64).collect();
        prop_assert_eq!(wiring.reach(), reach);
        let all = Wiring::new(&synapses.map(|_| 1)).reach();
        prop_assert_eq!(wiring.synapses(), all.iter().sum::<u64>());
        Ok(())
    }

    proptest! {
        #[test]
        fn senders_reach_what_receivers_read(
            window in window(), weights in proptest::collection::vec(-1i32..2, 300), x in proptest::collection::vec(-2i64..3, 80),
            groups in 1usize..3, (from, to) in (0usize..3, 0usize..5),
        ) {
            let [rows, columns] = window.kernel;
            let from_list = |shape| Array4::from_shape_fn(shape, |(o, i, y, x)| weights[(((o * 4 + i) * 3 + y) * 3 + x) % 300]);
            check(&Synapses::Conv { weight: from_list((6, 4 / groups, rows, columns)), window, groups }, &x)?;
            let weight = Array3::from_shape_fn((2, rows, columns), |(c, y, x)| weights[(c * 3 + y) * 3 + x]);
            check(&Synapses::Channelwise { weight, window, from, to }, &x)?;
            check(&Synapses::Dense { weight: Array2::from_shape_fn((3, 80), |(o, i)| weights[o * 80 + i]) }, &x)?;
        }
    }
}
