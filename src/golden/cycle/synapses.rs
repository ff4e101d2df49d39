//! What an event adds to which membranes, and the input that a matrix core gathers over a phase.
//!
//! Membranes stand pixel by pixel with the channels innermost, and so do the weights of a tap: whatever the kind of synapse, an
//! event adds contiguous weights to contiguous membranes, once for each receiving pixel.

use super::axis::Axis;
use crate::ir::layout::IdLayout;
use crate::ir::mapped::Core;
use crate::ir::quant::{Combine, QuantGraph};
use crate::ir::snn::{Projection, Synapses as Weights};
use crate::ir::stream::Beat;

/// The synapses of a core, by the id of the sender on its input stream.
#[derive(Clone, Debug)]
pub(super) struct Synapses {
    inputs: Vec<Input>,
    combine: Combine,
    /// Senders of all projections.
    senders: usize,
}

/// One projection.
#[derive(Clone, Debug)]
struct Input {
    /// First id of its senders.
    base: u32,
    /// How its senders' ids above the base name them.
    layout: IdLayout,
    /// Senders of the projections before it.
    before: usize,
    kind: Kind,
    weights: Vec<i32>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `weights[sender][membrane]`; every event takes `slots` a pass.
    Dense { membranes: usize, slots: u64 },
    /// `weights[sender channel][ky][kx][fan]`: a sender channel reaches the `fan` receiver channels of its group of
    /// `group` sender channels.
    Conv { axes: [Axis; 2], columns: usize, group: usize, fan: usize, channels: usize, channel_groups: u64 },
    /// `weights[channel][ky][kx]` from sender channel `from + channel` to receiver channel `to + channel`.
    Channelwise { axes: [Axis; 2], columns: usize, from: usize, to: usize, count: usize, channels: usize },
}

impl Synapses {
    /// Lays out the weights of every projection into the core.
    pub fn new(quant: &QuantGraph, core: &Core) -> Self {
        let mut senders = 0;
        let mut inputs = Vec::with_capacity(core.projections.len());
        for (i, &id) in core.projections.iter().enumerate() {
            let projection = &quant.projection(id).projection;
            let count = projection.synapses.extent().0;
            let (base, layout) = match core.fields.get(i) {
                Some(field) if core.mode.is_window() => (field.base, IdLayout::Fields { extent: field.window.input }),
                _ => (senders as u32, IdLayout::Linear { neurons: count }),
            };
            let (kind, weights) = laid_out(core, projection);
            inputs.push(Input { base, layout, before: senders, kind, weights });
            senders += count;
        }
        Synapses { inputs, combine: core.combine, senders }
    }

    /// The projection that an id belongs to, and its sender's neuron number. Ids that nobody has get no answer: they have no synapses.
    fn find(&self, id: u32) -> Option<(&Input, usize)> {
        let input = self.inputs.get(self.inputs.partition_point(|input| input.base <= id).checked_sub(1)?)?;
        Some((input, input.layout.neuron(id - input.base)?))
    }

    /// Issue slots of one pass of an event.
    pub fn slots(&self, id: u32) -> u64 {
        let Some((input, sender)) = self.find(id) else { return 1 };
        let [_, y, x] = input.pixel(sender);
        match &input.kind {
            Kind::Dense { slots, .. } => *slots,
            Kind::Conv { axes: [rows, columns], channel_groups, .. } => {
                rows.steps(y) * columns.steps(x) * channel_groups
            }
            Kind::Channelwise { axes: [rows, columns], .. } => rows.steps(y) * columns.steps(x),
        }
    }

    /// Combines an event into the membranes.
    pub fn add(&self, membranes: &mut [i64], id: u32, value: i64) {
        let Some((input, sender)) = self.find(id) else { return };
        match self.combine {
            // Cannot wrap: `QuantGraph::prove_range` bounds every partial sum.
            Combine::Sum => input.deliver(sender, membranes, |v, w| v.wrapping_add(i64::from(w).wrapping_mul(value))),
            Combine::Max => input.deliver(sender, membranes, |v, w| v.max(i64::from(w).wrapping_mul(value))),
        }
    }

    /// The sender of an event among those of all projections.
    fn sender(&self, id: u32) -> Option<usize> {
        self.find(id).map(|(input, sender)| input.before + sender)
    }
}

impl Input {
    /// `[c, y, x]` of a sender.
    fn pixel(&self, sender: usize) -> [usize; 3] {
        match self.layout {
            IdLayout::Linear { .. } => [sender, 0, 0],
            IdLayout::Fields { extent: [_, h, w] } => [sender / (h * w), sender / w % h, sender % w],
        }
    }

    /// Hands the membranes that `sender` reaches to `combine`, each with its weight.
    fn deliver(&self, sender: usize, membranes: &mut [i64], combine: impl Fn(i64, i32) -> i64) {
        let each = |membranes: Option<&mut [i64]>, weights: Option<&[i32]>| {
            if let (Some(membranes), Some(weights)) = (membranes, weights) {
                membranes.iter_mut().zip(weights).for_each(|(v, &w)| *v = combine(*v, w));
            }
        };
        let [c, y, x] = self.pixel(sender);
        let (axes, columns, channels, first, fan, channel) = match &self.kind {
            Kind::Dense { membranes: n, .. } => {
                return each(Some(membranes), self.weights.get(sender * n..(sender + 1) * n));
            }
            Kind::Conv { axes, columns, group, fan, channels, .. } => {
                (axes, columns, channels, c / group * fan, *fan, c)
            }
            Kind::Channelwise { axes, columns, from, to, count, channels } => match c.checked_sub(*from) {
                Some(channel) if channel < *count => (axes, columns, channels, to + channel, 1, channel),
                _ => return,
            },
        };
        let [down, across] = axes;
        for &(oy, ky) in down.hits(y) {
            for &(ox, kx) in across.hits(x) {
                let tap = (channel * down.taps() + ky) * across.taps() + kx;
                let at = (oy * columns + ox) * channels + first;
                each(membranes.get_mut(at..at + fan), self.weights.get(tap * fan..(tap + 1) * fan));
            }
        }
    }
}

/// The weights of a projection in the order in which events need them.
fn laid_out(core: &Core, projection: &Projection<i32>) -> (Kind, Vec<i32>) {
    let [channels, rows, columns] = core.extent;
    let grid = core.grid();
    let axes = |window| [0, 1].map(|axis| Axis::new(window, axis, grid.banks[axis]));
    match &projection.synapses {
        Weights::Dense { weight } => {
            let pixels = rows * columns;
            let mut weights = Vec::with_capacity(weight.len());
            for row in weight.columns() {
                let post = (0..pixels).flat_map(|pixel| (0..channels).map(move |c| c * pixels + pixel));
                weights.extend(post.map(|n| row.get(n).copied().unwrap_or(0)));
            }
            (Kind::Dense { membranes: weight.nrows(), slots: core.groups() as u64 }, weights)
        }
        Weights::Conv { weight, window, groups } => {
            let (group, fan) = (window.input[0] / groups, window.output[0] / groups);
            let mut weights = Vec::with_capacity(weight.len());
            for c in 0..window.input[0] {
                for ky in 0..window.kernel[0] {
                    for kx in 0..window.kernel[1] {
                        let first = c / group * fan;
                        let tap = (first..first + fan).map(|post| weight.get((post, c % group, ky, kx)).copied());
                        weights.extend(tap.map(|w| w.unwrap_or(0)));
                    }
                }
            }
            let channel_groups = grid.channel_groups() as u64;
            (Kind::Conv { axes: axes(window), columns, group, fan, channels, channel_groups }, weights)
        }
        Weights::Channelwise { weight, window, from, to } => {
            let (axes, count) = (axes(window), weight.dim().0);
            let kind = Kind::Channelwise { axes, columns, from: *from, to: *to, count, channels };
            (kind, weight.iter().copied().collect())
        }
    }
}

/// The events that one phase delivered.
#[derive(Clone, Debug)]
pub(super) struct Received {
    beats: Vec<Beat>,
    /// By sender: its place among `beats` plus 1, or 0.
    place: Vec<u32>,
}

impl Received {
    /// Nothing received yet.
    pub fn new(synapses: &Synapses) -> Self {
        Received { beats: Vec::with_capacity(synapses.senders), place: vec![0; synapses.senders] }
    }

    /// Takes an event; a second one of the same sender in the same phase replaces the first.
    pub fn write(&mut self, synapses: &Synapses, beat: Beat) {
        let Some(place) = synapses.sender(beat.id).and_then(|sender| self.place.get_mut(sender)) else { return };
        match self.beats.get_mut((*place as usize).wrapping_sub(1)) {
            Some(earlier) => *earlier = beat,
            None => {
                self.beats.push(beat);
                *place = self.beats.len() as u32;
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.beats.clear();
        self.place.fill(0);
    }

    /// Combines everything into the membranes, and forgets it.
    pub fn drain_into(&mut self, synapses: &Synapses, membranes: &mut [i64]) {
        for beat in &self.beats {
            synapses.add(membranes, beat.id, beat.value);
        }
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synapses() -> Synapses {
        let kind = Kind::Dense { membranes: 2, slots: 1 };
        let layout = IdLayout::Linear { neurons: 2 };
        let input = Input { base: 0, layout, before: 0, kind, weights: vec![1, -1, 10, -10] };
        Synapses { inputs: vec![input], combine: Combine::Sum, senders: 2 }
    }

    #[test]
    fn a_later_payload_replaces_an_earlier_one() {
        let synapses = synapses();
        let mut received = Received::new(&synapses);
        for (id, value) in [(1, 5), (1, 3), (2, 100)] {
            received.write(&synapses, Beat::event(id, value));
        }
        let mut membranes = [0, 0];
        received.drain_into(&synapses, &mut membranes);
        assert_eq!(membranes, [30, -30]);
        received.drain_into(&synapses, &mut membranes);
        assert_eq!(membranes, [30, -30], "the buffer is left empty");
    }

    #[test]
    fn an_id_beyond_the_inputs_has_no_synapses() {
        let synapses = synapses();
        let mut membranes = [0, 0];
        synapses.add(&mut membranes, 2, 1);
        synapses.add(&mut membranes, u32::MAX, 1);
        assert_eq!(membranes, [0, 0]);
    }
}
