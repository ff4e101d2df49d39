//! From sums to figures per image.

use super::footprint::Footprint;
use super::meter::{Meter, PopulationTally, ProjectionTally, Tally};
use crate::fixed::unsigned_bits;
use crate::ir::PopId;
use crate::ir::quant::{Coding, Neuron};
use serde::Serialize;

/// Why the one-pass networks stand beside the spiking one.
pub const NOTE: &str = "Sparsity alone misleads: it says how rarely neurons fire in a call, not how many calls an image takes, and a \
    quantised network skips the same zeros in one pass; compare operations.";

/// What an image costs in a network, mean of the images measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Images measured.
    pub images: u64,
    /// How activations become spikes.
    pub coding: Coding,
    /// Time steps `T`.
    pub timesteps: u32,
    /// Bits of an activation of the quantised network, `⌈log2(T+1)⌉`.
    pub quantised_bits: u32,
    /// Every population but the source.
    pub layers: Vec<LayerMetrics>,
    /// The whole network.
    pub total: Totals,
    /// How to read it.
    pub note: &'static str,
}

/// A population with the projections into it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerMetrics {
    /// Name in the model file (untrusted text).
    pub source: String,
    /// `if`, `pool` or `readout`.
    pub neuron: &'static str,
    /// Its figures.
    #[serde(flatten)]
    pub totals: Totals,
    /// The projections into it.
    pub connections: Vec<ConnectionMetrics>,
}

/// One projection; into a pool, these figures are in no sum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionMetrics {
    /// Name in the model file (untrusted text).
    pub source: String,
    /// Kind of synapses.
    pub kind: &'static str,
    /// Calls per image.
    pub calls: u64,
    /// Multiply-accumulations with non-zero weights and inputs.
    pub effective_macs: f64,
    /// The same in calls whose inputs are all in {-1, 0, 1}: accumulations.
    pub effective_acs: f64,
    /// Synapses times calls.
    pub dense: u64,
    /// One pass of the float network: the synapses.
    pub float_macs: u64,
    /// One pass of the quantised network, effective.
    pub quantised_macs: f64,
}

/// Figures of a layer or a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Share of zeros in the outputs; `None` where no neuron fires.
    pub activation_sparsity: Option<f64>,
    /// Multiply-accumulations with non-zero weights and inputs.
    pub effective_macs: f64,
    /// The same in calls whose inputs are all in {-1, 0, 1}: accumulations.
    pub effective_acs: f64,
    /// Synapses times calls.
    pub dense: u64,
    /// Membranes that were written.
    pub membrane_updates: f64,
    /// Parameters and buffers together.
    pub footprint_bytes: u64,
    /// Parameters and buffers.
    #[serde(flatten)]
    pub footprint: Footprint,
    /// What pools do, effective; NeuroBench does not count it, and it is not in the figures above.
    pub pool_operations: f64,
    /// One pass of the float network: the synapses.
    pub float_macs: u64,
    /// One pass of the quantised network, effective.
    pub quantised_macs: f64,
}

/// Integer sums over images, from which [`Totals`] are made.
#[derive(Clone, Debug, Default)]
struct Sums {
    population: PopulationTally,
    counted: ProjectionTally,
    pool_operations: u64,
    synapses: u64,
    footprint: Footprint,
}

impl Meter<'_> {
    /// Figures per image.
    pub fn report(&self, tally: &Tally) -> Metrics {
        let mut whole = Sums::default();
        let mut layers = Vec::new();
        for (index, population) in self.net.populations.iter().enumerate().skip(1) {
            let neuron = match population.neuron {
                Neuron::Source => "source",
                Neuron::If { .. } => "if",
                Neuron::Leaky(ref leaky) if !leaky.fires() => "leaky readout",
                Neuron::Leaky(_) => "leaky",
                Neuron::MultiSpike(_) => "multi-spike if",
                Neuron::Pool { .. } => "pool",
                Neuron::Readout { .. } => "readout",
            };
            let mut sums = Sums {
                population: tally.populations[index],
                footprint: Footprint::of(self.net, PopId(index)),
                ..Sums::default()
            };
            let mut connections = Vec::new();
            for (id, p) in self.net.projections_into(PopId(index)) {
                let (known, counted) = (&self.projections[id.0], &tally.projections[id.0]);
                if neuron == "pool" {
                    sums.pool_operations += counted.operations.macs + counted.operations.acs;
                } else {
                    sums.counted.add(counted);
                    sums.synapses += known.synapses;
                }
                connections.push(ConnectionMetrics {
                    source: p.projection.name.clone(),
                    kind: p.projection.synapses.name(),
                    calls: known.calls,
                    effective_macs: mean(counted.operations.macs, tally.images),
                    effective_acs: mean(counted.operations.acs, tally.images),
                    dense: known.synapses * known.calls,
                    float_macs: known.synapses,
                    quantised_macs: mean(counted.one_pass, tally.images),
                });
            }
            whole.add(&sums);
            layers.push(LayerMetrics {
                source: population.name.clone(),
                neuron,
                totals: sums.totals(tally.images),
                connections,
            });
        }
        Metrics {
            images: tally.images,
            coding: self.net.coding,
            timesteps: self.net.timesteps,
            quantised_bits: unsigned_bits(u64::from(self.net.timesteps)),
            layers,
            total: whole.totals(tally.images),
            note: NOTE,
        }
    }
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.population.add(&other.population);
        self.counted.add(&other.counted);
        self.pool_operations += other.pool_operations;
        self.synapses += other.synapses;
        self.footprint.parameter_bytes += other.footprint.parameter_bytes;
        self.footprint.buffer_bytes += other.footprint.buffer_bytes;
    }

    fn totals(&self, images: u64) -> Totals {
        let PopulationTally { outputs, active, updates } = self.population;
        let operations = self.counted.operations;
        Totals {
            activation_sparsity: (outputs > 0).then(|| mean(outputs - active, outputs)),
            effective_macs: mean(operations.macs, images),
            effective_acs: mean(operations.acs, images),
            dense: operations.dense / images.max(1),
            membrane_updates: mean(updates, images),
            footprint_bytes: self.footprint.bytes(),
            footprint: self.footprint,
            pool_operations: mean(self.pool_operations, images),
            float_macs: self.synapses,
            quantised_macs: mean(self.counted.one_pass, images),
        }
    }
}

fn mean(sum: u64, images: u64) -> f64 {
    sum as f64 / images.max(1) as f64
}
