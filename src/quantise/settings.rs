//! What the user may choose, and within which limits.

use crate::error::Problem;
use crate::fixed::{Normalisation, PixelFormat};
use crate::ir::quant::Coding;
use crate::ir::snn::{Model, SnnGraph};
use crate::ir::{PopId, ProjId};
use std::collections::BTreeMap;

/// Possible time steps.
pub const TIMESTEPS: std::ops::RangeInclusive<u32> = 1..=255;
/// Possible bits of a weight.
pub const WEIGHT_BITS: std::ops::RangeInclusive<u32> = 2..=16;
/// Bits of the weights of identity and strided skip connections beside other synapses, where the settings name no others.
pub const SKIP_BITS: u32 = 16;
/// Possible bits of a pixel.
pub const PIXEL_BITS: std::ops::RangeInclusive<u32> = 1..=16;

/// How a network is to be quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantSettings {
    /// How activations become spikes.
    pub coding: Coding,
    /// Time steps `T`, 1 to 255: a neuron's activation has `T + 1` levels.
    pub timesteps: u32,
    /// How pixels become integers, 1 to 16 bits.
    pub pixels: PixelFormat,
    /// Bits of a weight (two's complement, symmetric), 2 to 16, where `layers` does not say otherwise.
    pub weight_bits: u32,
    /// Exceptions, by the name of a population (all projections into it) or of a projection (which has precedence).
    pub layers: BTreeMap<String, LayerSettings>,
    /// The normalisation that was folded into the network's weights; only recorded.
    pub normalisation: Option<Normalisation>,
    /// Corrects every population's mean drive on the calibration set.
    pub bias_calibration: bool,
}

/// Settings of one layer; `None` leaves the network-wide value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerSettings {
    /// Bits of a weight.
    pub weight_bits: Option<u32>,
}

impl Default for QuantSettings {
    fn default() -> Self {
        QuantSettings {
            coding: Coding::Graded,
            timesteps: 16,
            pixels: PixelFormat::unsigned(8),
            weight_bits: 8,
            layers: BTreeMap::new(),
            normalisation: None,
            bias_calibration: true,
        }
    }
}

impl QuantSettings {
    /// Every setting that cannot be built, or that names a layer which `snn` does not have.
    pub(super) fn problems(&self, snn: &SnnGraph) -> Vec<Problem> {
        let mut problems = self.limits();
        problems.extend(self.unknown_layers(snn));
        problems
    }

    /// Every setting that cannot be built, whatever the network is.
    pub fn limits(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut limit = |what: String, value: u32, range: std::ops::RangeInclusive<u32>| {
            if !range.contains(&value) {
                problems.push(Problem::new(format!("{what} cannot be {value}")).help(format!(
                    "choose {} to {}",
                    range.start(),
                    range.end()
                )));
            }
        };
        limit("the number of time steps".into(), self.timesteps, TIMESTEPS);
        limit("the number of bits per pixel".into(), self.pixels.bits, PIXEL_BITS);
        limit("the number of bits per weight".into(), self.weight_bits, WEIGHT_BITS);
        for (name, layer) in &self.layers {
            if let Some(bits) = layer.weight_bits {
                limit(format!("the number of bits per weight of layer '{name}'"), bits, WEIGHT_BITS);
            }
        }
        problems
    }

    /// Every layer that the settings name but `snn` does not have, or that has no weights.
    pub fn unknown_layers(&self, snn: &SnnGraph) -> Vec<Problem> {
        unknown_layers(&self.layers, snn)
    }

    /// Bits of the weights of one projection, which may be a skip connection.
    pub(super) fn bits_of(&self, snn: &SnnGraph, id: ProjId, skip: bool) -> u32 {
        let projection = &snn.projections[id.0];
        let by_name = |name: &str| self.layers.get(name).and_then(|layer| layer.weight_bits);
        by_name(&projection.name).or_else(|| by_name(&snn.populations[projection.post.0].name)).unwrap_or(if skip {
            SKIP_BITS
        } else {
            self.weight_bits
        })
    }
}

/// See [`QuantSettings::unknown_layers`].
pub(super) fn unknown_layers(layers: &BTreeMap<String, LayerSettings>, snn: &SnnGraph) -> Vec<Problem> {
    let pool = |pop: PopId| matches!(snn.populations[pop.0].model, Model::Sum | Model::Max);
    let populations = snn.populations.iter().enumerate().skip(1).map(|(i, p)| (p.name.as_str(), pool(PopId(i))));
    let projections = snn.projections.iter().map(|p| (p.name.as_str(), pool(p.post)));
    let known: Vec<(&str, bool)> = populations.chain(projections).collect();
    let problem = |(name, layer): (&String, &LayerSettings)| {
        let mut found = known.iter().filter(|(known, _)| known == name).peekable();
        if found.peek().is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            return Some(
                Problem::new(format!("the settings name a layer '{name}', which the network does not have"))
                    .help(format!("its layers are: {}", names.join(", "))),
            );
        }
        let nothing = layer.weight_bits.is_some() && found.all(|(_, pool)| *pool);
        nothing.then(|| {
            Problem::new(format!("the settings give weight bits to '{name}', which is a pool and has no weights"))
                .help("remove the entry, or name the layer behind the pool")
        })
    };
    layers.iter().filter_map(problem).collect()
}
