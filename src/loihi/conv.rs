//! What Loihi 2's synapses make of weights that all pixels share: convolutions, and projections channel by channel.
//!
//! Written from the sum in ARCHITECTURE.md: every receiver walks through its taps to the senders that it reads. Of the geometry only
//! the extents are used; the golden models follow events to receivers by code of their own. No synapse is ever listed: memory is the
//! weights', the senders' and the receivers', however many synapses share a weight.

use super::storage::Storage;
use crate::error::{Error, Result};
use crate::ir::window::Window;
use ndarray::{ArrayView3, ArrayView4};
use std::ops::Range;

/// Shared weights as Loihi 2 stores them.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    /// `[row of the kernel, column, sender channel, receiver channel of its group]`.
    weights: Vec<i32>,
    storage: Storage,
    /// Extents, strides, dilations and pads.
    window: Window,
    /// Sender channels that have synapses.
    senders: Range<usize>,
    /// The receiver channel at which the first group begins.
    first: usize,
    /// Sender channels and receiver channels of a group.
    group: [usize; 2],
}

/// What the senders sent, pixel by pixel.
struct Events {
    /// Where the events of a pixel begin; one more than there are pixels.
    starts: Vec<usize>,
    /// Channel, counted from the first that has synapses, and payload.
    events: Vec<(usize, i64)>,
}

impl Conv {
    /// Stores the kernels `weights` (`[C_post, C_pre / groups, rows, columns]`) of a convolution such that every sum is exact. The
    /// synapses must be sound.
    ///
    /// # Errors
    /// If some weight does not fit, as the text of a reason without a full stop.
    pub fn grouped(weights: ArrayView4<i32>, window: &Window, groups: usize) -> std::result::Result<Self, String> {
        let storage = Storage::exact(weights.iter().copied())?;
        let groups = groups.max(1);
        let group = [window.input[0] / groups, window.output[0] / groups];
        let mut conv = Conv::empty(storage, window, 0..window.input[0], 0, group);
        for ((o, i, ky, kx), &w) in weights.indexed_iter() {
            conv.put([ky, kx], o / group[1].max(1) * group[0] + i, o % group[1].max(1), w);
        }
        Ok(conv)
    }

    /// Stores the filters `weights` (`[channels, rows, columns]`) from sender channels `from` on to receiver channels `to` on, one to
    /// one, such that every sum is exact. The synapses must be sound.
    ///
    /// # Errors
    /// If some weight does not fit, as the text of a reason without a full stop.
    pub fn channelwise(
        weights: ArrayView3<i32>,
        window: &Window,
        from: usize,
        to: usize,
    ) -> std::result::Result<Self, String> {
        let storage = Storage::exact(weights.iter().copied())?;
        let mut conv = Conv::empty(storage, window, from..from + weights.dim().0, to, [1, 1]);
        for ((c, ky, kx), &w) in weights.indexed_iter() {
            conv.put([ky, kx], c, 0, w);
        }
        Ok(conv)
    }

    fn empty(storage: Storage, window: &Window, senders: Range<usize>, first: usize, group: [usize; 2]) -> Self {
        let weights = vec![0; window.kernel[0] * window.kernel[1] * senders.len() * group[1]];
        Conv { weights, storage, window: *window, senders, first, group }
    }

    fn put(&mut self, tap: [usize; 2], sender: usize, receiver: usize, weight: i32) {
        let at = self.at(tap, sender) + receiver;
        self.weights[at] = self.storage.store(weight);
    }

    /// Where the weights of a tap from a sender channel to its group's receivers begin.
    fn at(&self, [ky, kx]: [usize; 2], sender: usize) -> usize {
        ((ky * self.window.kernel[1] + kx) * self.senders.len() + sender) * self.group[1]
    }

    /// What each receiver gets for the payloads `x` of the senders, both row-major `[C, H, W]`.
    ///
    /// # Errors
    /// If `x` does not have one payload per sender.
    pub fn deliver(&self, x: &[i64]) -> Result<Vec<i64>> {
        let ([channels, height, width], [post, rows, columns]) = (self.window.input, self.window.output);
        if x.len() != channels * height * width {
            return Err(Error::input(format!("{} payloads for {} senders", x.len(), channels * height * width)));
        }
        let mut delivered = vec![0; post * rows * columns];
        let events = self.events(x);
        if events.events.is_empty() {
            return Ok(delivered);
        }
        let mut sums = vec![0i64; post];
        for y in 0..rows {
            let lines: Vec<(usize, usize)> = self.reads(0, y).collect();
            for x in 0..columns {
                sums.fill(0);
                for (kx, column) in self.reads(1, x) {
                    for &(ky, line) in &lines {
                        self.add([ky, kx], events.of(line * width + column), &mut sums);
                    }
                }
                for (channel, &sum) in sums.iter().enumerate() {
                    delivered[(channel * rows + y) * columns + x] = self.storage.shift(sum);
                }
            }
        }
        Ok(delivered)
    }

    /// The taps of receiver coordinate `at` along an axis (0 = rows, 1 = columns) that read an existing sender, each with the
    /// sender's coordinate, `at·stride + tap·dilation - pad`.
    fn reads(&self, axis: usize, at: usize) -> impl Iterator<Item = (usize, usize)> {
        let Window { input, kernel, stride, pad, dilation, .. } = self.window;
        (0..kernel[axis]).filter_map(move |tap| {
            let sender = (at * stride[axis] + tap * dilation[axis]) as i64 - pad[axis];
            usize::try_from(sender).ok().filter(|&sender| sender < input[axis + 1]).map(|sender| (tap, sender))
        })
    }

    /// Adds what a pixel's events deliver through a tap to the sums of the receiver channels.
    fn add(&self, tap: [usize; 2], events: &[(usize, i64)], sums: &mut [i64]) {
        let [senders, receivers] = self.group;
        for &(sender, payload) in events {
            let (at, first) = (self.at(tap, sender), self.first + sender / senders * receivers);
            let weights = &self.weights[at..at + receivers];
            for (sum, &w) in sums[first..first + receivers].iter_mut().zip(weights) {
                *sum += i64::from(w) * payload;
            }
        }
    }

    fn events(&self, x: &[i64]) -> Events {
        let pixels = self.window.input[1] * self.window.input[2];
        let mut starts = vec![0];
        let mut events = Vec::new();
        for pixel in 0..pixels {
            let sent = self.senders.clone().map(|channel| x[channel * pixels + pixel]).enumerate();
            events.extend(sent.filter(|&(_, payload)| payload != 0));
            starts.push(events.len());
        }
        Events { starts, events }
    }
}

impl Events {
    fn of(&self, pixel: usize) -> &[(usize, i64)] {
        &self.events[self.starts[pixel]..self.starts[pixel + 1]]
    }
}
