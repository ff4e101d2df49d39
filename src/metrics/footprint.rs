//! Bytes of parameters and buffers.
//!
//! NeuroBench adds up elements times bytes per element. An element takes the smallest of 1, 2, 4 and 8 bytes that holds the type's
//! values (two's complement): a weight its `weight_bits`, a membrane its proved range, a threshold, bias or initial membrane the values
//! that occur. These are stored once a channel where all neurons of a channel share them, else once a neuron. Membranes are the
//! buffers; pools have them too.

use crate::fixed::signed_bits;
use crate::ir::PopId;
use crate::ir::quant::{Coding, Neuron, QPopulation, QuantGraph};
use serde::Serialize;

/// Bytes of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Weights, thresholds, biases and initial membranes.
    pub parameter_bytes: u64,
    /// Membranes.
    pub buffer_bytes: u64,
}

impl Footprint {
    /// Of a population with the projections into it; nothing for the source.
    pub(super) fn of(net: &QuantGraph, pop: PopId) -> Footprint {
        let population = net.population(pop);
        let weights =
            net.projections_into(pop).map(|(_, p)| p.projection.synapses.weights().len() as u64 * bytes(p.weight_bits));
        let vectors: Vec<&[i64]> = match &population.neuron {
            Neuron::Source => return Footprint::default(),
            Neuron::Pool { .. } => vec![],
            Neuron::Readout { v_init } => vec![v_init],
            Neuron::Leaky(l) => vec![&l.du, &l.dv, &l.bias, &l.theta, l.reset.by(), &l.v_init],
            Neuron::MultiSpike(m) => vec![&m.theta, &m.v_init, &m.bias],
            // Two-phase coding has no bias per phase: it is in the initial membrane.
            Neuron::If { theta, v_init, bias } if net.coding == Coding::Rate => vec![theta, v_init, bias],
            Neuron::If { theta, v_init, .. } => vec![theta, v_init],
        };
        // A readout has no thresholds.
        let vectors = vectors.into_iter().filter(|v| !v.is_empty()).map(|v| vector_bytes(population, v));
        let membrane = bytes(signed_bits(population.range.0, population.range.1));
        Footprint {
            parameter_bytes: weights.chain(vectors).sum(),
            buffer_bytes: population.shape.len() as u64 * membrane,
        }
    }

    /// Both together: NeuroBench's footprint.
    pub fn bytes(&self) -> u64 {
        self.parameter_bytes + self.buffer_bytes
    }
}

/// Bytes of an element of `bits` bits.
fn bytes(bits: u32) -> u64 {
    u64::from(bits.div_ceil(8).next_power_of_two())
}

fn vector_bytes(population: &QPopulation, values: &[i64]) -> u64 {
    let channels = population.shape.channels().max(1);
    let shared =
        values.chunks((values.len() / channels).max(1)).all(|channel| channel.iter().all(|v| *v == channel[0]));
    let elements = if shared { channels } else { values.len() };
    let (least, greatest) = values.iter().fold((0, 0), |(least, greatest), &v| (v.min(least), v.max(greatest)));
    elements as u64 * bytes(signed_bits(least, greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_whole_powers_of_two_of_bytes() {
        assert_eq!([2, 8, 9, 16, 17, 31, 32, 33, 64].map(bytes), [1, 1, 2, 2, 4, 4, 4, 8, 8]);
    }
}
