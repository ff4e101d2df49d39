//! The functional model of two-phase networks with windows, in 16- and 32-bit integers.
//!
//! It computes what [`super::present`] does, in another layout: the channels of a pixel lie side by side, so that a convolution is a
//! product of patches with kernels. [`Packed::new`] takes only networks whose payloads and weights fit 16 bits and whose
//! membranes, by the range proof, fit 32.

mod image;
mod input;
mod kernel;
mod neurons;

use super::{Outcome, Saturations};
use crate::fixed::arg_max;
use crate::ir::PopId;
use crate::ir::quant::{Coding, Combine, Neuron, QuantGraph};
use image::Layout;
use input::Input;
use kernel::{LANES, Level, Pair};
use neurons::Cells;
pub(in crate::golden::functional) use neurons::Fired;

/// A network laid out for whole images.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    level: Level,
    timesteps: u32,
    layers: Vec<Layer>,
}

#[derive(Clone, Debug)]
struct Layer {
    cells: Cells,
    combine: Combine,
    /// Layout of what it sends, and of its membranes.
    sent: Layout,
    membranes: Layout,
    /// Senders and how they are connected.
    inputs: Vec<(usize, Input)>,
}

/// What the populations hold while an image is presented; used again for the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    sent: Vec<Vec<i16>>,
    /// Membranes when all input has been integrated.
    membranes: Vec<Vec<i32>>,
    patches: Vec<Pair>,
    /// What each population did; the source's pixels and all others' events.
    pub fired: Vec<Fired>,
}

impl Packed {
    /// Lays out the network; `None` if it has no windows, or does not fit the types.
    pub(super) fn new(net: &QuantGraph) -> Option<Packed> {
        let windows = net.projections.iter().any(|p| p.projection.synapses.window().is_some());
        let plain = net.coding != Coding::Rate && net.projections.iter().all(|p| p.projection.delay == 0);
        if !windows || !plain {
            return None;
        }
        let mut layers: Vec<Layer> = Vec::new();
        for (index, pop) in net.populations.iter().enumerate() {
            let (least, greatest) = net.range_per_phase(PopId(index));
            let narrow = [pop.range.0, pop.range.1].iter().all(|&v| i32::try_from(v).is_ok());
            if !narrow || i16::try_from(least).is_err() || i16::try_from(greatest).is_err() {
                return None;
            }
            let image = pop.shape.image()?;
            let (sent, membranes) = (Layout::new(image, 2), Layout::new(image, LANES));
            let combine = match pop.neuron {
                Neuron::Pool { combine, .. } => combine,
                _ => Combine::Sum,
            };
            let mut inputs = Vec::new();
            for (_, p) in net.projections_into(PopId(index)) {
                let pre = p.projection.pre.0;
                inputs.push((pre, Input::new(&p.projection.synapses, combine, layers[pre].sent, membranes)?));
            }
            let cells = Cells::new(&pop.neuron, net.timesteps, membranes)?;
            layers.push(Layer { cells, combine, sent, membranes, inputs });
        }
        Some(Packed { level: Level::detect(), timesteps: net.timesteps, layers })
    }

    /// The same network computed without any vectors that not every processor has.
    #[cfg(test)]
    pub(super) fn portable(self) -> Packed {
        Packed { level: Level::Portable, ..self }
    }

    /// Presents an image whose codes have been checked; the logits.
    pub(super) fn present(&self, codes: &[i64], scratch: &mut Scratch) -> Vec<i64> {
        let Scratch { sent, membranes, patches, fired } = scratch;
        sent.resize_with(self.layers.len(), Vec::new);
        membranes.resize_with(self.layers.len(), Vec::new);
        fired.clear();
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, rest) = sent.split_at_mut(index);
            let out = &mut rest[0];
            out.resize(layer.sent.len(), 0);
            if let Cells::Source = layer.cells {
                let mut pixels = Fired::default();
                layer.sent.places().zip(codes).for_each(|(place, &code)| out[place] = code as i16);
                pixels.count_all(out);
                fired.push(pixels);
                continue;
            }
            let v = &mut membranes[index];
            v.resize(layer.membranes.len(), 0);
            layer.cells.begin(v);
            for (pre, input) in &layer.inputs {
                let x = (&before[*pre][..], self.layers[*pre].sent);
                input.integrate(self.level, x, layer.combine, (v, layer.membranes), patches);
            }
            fired.push(self.level.vectorize(
                #[inline(always)]
                || layer.cells.fire(self.timesteps, (v, layer.membranes), (out, layer.sent)),
            ));
        }
        let readout = self.layers.iter().zip(membranes).next_back();
        readout.map(|(layer, v)| layer.membranes.to_planes(v)).unwrap_or_default()
    }

    /// All that is to be known about an image.
    pub(super) fn outcome(&self, codes: &[i64], by_phase: bool) -> Outcome {
        let mut scratch = Scratch::default();
        let logits = self.present(codes, &mut scratch);
        let counts = self.layers.iter().zip(&scratch.sent).map(|(layer, sent)| match layer.cells {
            Cells::Readout { .. } => Vec::new(),
            _ => layer.sent.to_planes(sent),
        });
        let counts: Vec<Vec<i64>> = counts.collect();
        let membranes = self.layers.iter().zip(&scratch.membranes).map(|(layer, v)| layer.membranes.to_planes(v));
        Outcome {
            class: arg_max(&logits).unwrap_or(0),
            logits,
            phases: by_phase.then(|| vec![counts.clone()]),
            counts,
            membranes: membranes.collect(),
            saturations: scratch
                .fired
                .iter()
                .map(|f| Saturations { clipped: f.clipped, ..Saturations::default() })
                .collect(),
        }
    }
}
