//! What the user may choose about networks of leaky neurons.

use super::super::settings::{LayerSettings, PIXEL_BITS, QuantSettings, WEIGHT_BITS, unknown_layers};
use crate::error::Problem;
use crate::fixed::PixelFormat;
use crate::ir::ProjId;
use crate::ir::quant::{Input, MOST_SPIKES};
use crate::ir::snn::SnnGraph;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Possible time steps of a network of leaky neurons.
pub const LEAKY_TIMESTEPS: RangeInclusive<u32> = 1..=65_535;
/// The most spikes of a neuron in a step, where neither the settings nor the network say.
pub const NEURON_SPIKES: u32 = 15;
/// Possible fraction bits of currents and membranes.
pub(super) const ALIGN: RangeInclusive<u32> = 0..=16;
/// Possible bits of a membrane.
pub(super) const STATE_BITS: RangeInclusive<u32> = 8..=40;

/// Whose numbers the neurons compute with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// Loihi 2's, population by population, where that costs no accuracy; else [`Arithmetic::Free`].
    #[default]
    Auto,
    /// Loihi 2's; what cannot be expressed in it is refused.
    Loihi,
    /// Thresholds and biases as fine as the fraction bits allow.
    Free,
}

/// How a network of leaky neurons is to be quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct LeakySettings {
    /// Time steps of a sample.
    pub timesteps: u32,
    /// What the source sends.
    pub input: Input,
    /// How pixels become integers, where the source sends or encodes pixels.
    pub pixels: PixelFormat,
    /// Bits of a weight (two's complement, symmetric), 2 to 16, where `layers` does not say otherwise.
    pub weight_bits: u32,
    /// Exceptions, by the name of a population or of a projection (which has precedence).
    pub layers: BTreeMap<String, LayerSettings>,
    /// Fraction bits of currents and membranes; a readout may have more.
    pub align: u32,
    /// Bits of a membrane, at most; fewer are used where fewer are proved to be enough. A readout may have more.
    pub state_bits: u32,
    /// Whose numbers.
    pub arithmetic: Arithmetic,
    /// The most spikes in a step of neurons that may send several, 1 to [`MOST_SPIKES`]; [`NEURON_SPIKES`] or what the network says, where
    /// nothing is said here. No neuron sends more than the network lets it.
    pub neuron_spikes: Option<u32>,
}

impl Default for LeakySettings {
    fn default() -> Self {
        LeakySettings {
            timesteps: 16,
            input: Input::Encoded,
            pixels: PixelFormat::unsigned(8),
            weight_bits: 8,
            layers: BTreeMap::new(),
            align: 6,
            state_bits: 24,
            arithmetic: Arithmetic::Auto,
            neuron_spikes: None,
        }
    }
}

impl From<&QuantSettings> for LeakySettings {
    /// What the settings of a converted network say about one of leaky neurons. These always are in rate coding, and need no
    /// calibration; pixels become spikes by the integer encoder.
    fn from(settings: &QuantSettings) -> Self {
        LeakySettings {
            timesteps: settings.timesteps,
            pixels: settings.pixels.clone(),
            weight_bits: settings.weight_bits,
            layers: settings.layers.clone(),
            ..LeakySettings::default()
        }
    }
}

impl LeakySettings {
    /// Every setting that cannot be built, or that names a layer which `snn` does not have.
    pub(super) fn problems(&self, snn: &SnnGraph) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut limit = |what: &str, value: u32, range: RangeInclusive<u32>| {
            if !range.contains(&value) {
                let help = format!("choose {} to {}", range.start(), range.end());
                problems.push(Problem::new(format!("the number of {what} cannot be {value}")).help(help));
            }
        };
        limit("time steps", self.timesteps, LEAKY_TIMESTEPS);
        limit("bits per pixel", self.pixels.bits, PIXEL_BITS);
        limit("bits per weight", self.weight_bits, WEIGHT_BITS);
        limit("fraction bits", self.align, ALIGN);
        limit("spikes of a neuron in a step", self.neuron_spikes.unwrap_or(1), 1..=MOST_SPIKES);
        limit(
            "bits of a membrane",
            self.state_bits,
            STATE_BITS.start().max(&(self.align + 2)).to_owned()..=*STATE_BITS.end(),
        );
        for (name, layer) in &self.layers {
            limit(&format!("bits per weight of layer '{name}'"), layer.weight_bits.unwrap_or(8), WEIGHT_BITS);
        }
        if let Input::Train { max } = self.input
            && !(1..=0xffff).contains(&max)
        {
            problems.push(
                Problem::new(format!("spike trains of values up to {max} cannot be read")).help("1 to 65535 can"),
            );
        }
        problems.extend(unknown_layers(&self.layers, snn));
        problems
    }

    /// Bits of the weights of one projection.
    pub(super) fn bits_of(&self, snn: &SnnGraph, id: ProjId) -> u32 {
        let projection = &snn.projections[id.0];
        let by_name = |name: &str| self.layers.get(name).and_then(|layer| layer.weight_bits);
        by_name(&projection.name)
            .or_else(|| by_name(&snn.populations[projection.post.0].name))
            .unwrap_or(self.weight_bits)
    }
}
