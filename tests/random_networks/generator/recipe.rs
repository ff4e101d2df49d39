//! What a random network is made of.

use serde::{Deserialize, Serialize};
use synfire::ir::Shape;
use synfire::ir::quant::{Coding, Input};

/// A network, how it is laid out, and what is sent through it. Numbers of which there are many (weights, thresholds, pixels) are drawn
/// from the seeds; everything else stands here, so that a shrinker can change it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub coding: Coding,
    pub timesteps: u32,
    pub pixel_bits: u32,
    /// Pixels below zero: every channel has a zero point.
    pub signed: bool,
    pub input: Input,
    /// Shape of the source, `[N]` or `[C, H, W]`.
    pub source: Vec<usize>,
    /// The other populations; the last is the readout. Layer `i` is population `i + 1`.
    pub layers: Vec<Layer>,
    /// Draws what is the same in all runs: zero points, decays, resets.
    pub seed: u64,
    /// Sets of weights with their images. One structure serves them all.
    pub runs: Vec<Run>,
    /// What is changed in the generated Verilog, if anything.
    pub fault: Option<Fault>,
}

/// A population, what it reads and how its core works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    pub shape: Vec<usize>,
    pub neuron: Kind,
    /// All neurons of a channel have the same parameters.
    pub shared: bool,
    pub from: Vec<Link>,
    pub layout: Layout,
}

/// A neuron model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    If,
    /// A pool that adds.
    Sum,
    /// A pool that takes the largest.
    Max,
    Leaky(Style),
    /// Several spikes in a step, up to `most`; rate coding only.
    Multi {
        most: u32,
        floor: bool,
    },
    Readout,
    /// Leaky neurons without a threshold, whose membranes are the answer.
    LeakyReadout(Style),
}

impl Kind {
    /// True for the last layer of a network.
    pub fn is_readout(self) -> bool {
        matches!(self, Kind::Readout | Kind::LeakyReadout(_))
    }

    /// Decays and resets, if the neurons leak.
    pub fn style(self) -> Option<Style> {
        match self {
            Kind::Leaky(style) | Kind::LeakyReadout(style) => Some(style),
            Kind::If | Kind::Multi { .. } | Kind::Sum | Kind::Max | Kind::Readout => None,
        }
    }
}

/// Decays and resets of leaky neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// A synaptic current that lives on.
    pub current: bool,
    /// Every neuron has the same decays and reset.
    pub alike: bool,
    /// A spike subtracts from the membrane; otherwise it sets it.
    pub subtract: bool,
    /// Limits that are often reached.
    pub tight: bool,
    /// Every neuron fires in every step.
    pub bursts: bool,
    pub align: u32,
}

/// A projection. Its receiver is the layer that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The sender's population.
    pub pre: usize,
    pub delay: u32,
    pub synapses: Synapse,
    /// Largest magnitude of a weight.
    pub limit: i32,
    /// Weights in a hundred that are not 0.
    pub density: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Synapse {
    Dense,
    Conv { taps: Taps, groups: usize },
    Channelwise { taps: Taps, from: usize, to: usize, channels: usize },
}

/// A window without its extents; rows, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taps {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad: [i64; 2],
}

/// What is asked of a core. What it cannot have (matrix mode behind unit spikes, shift-add of signed payloads, banks without pixels) it
/// does without.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    pub matrix: bool,
    pub lanes: usize,
    /// A power of two.
    pub rows: usize,
    pub banks: [usize; 2],
    pub shift_add: bool,
    /// Width of the columns of the weight memory.
    pub slice_bits: usize,
    /// The weights of an event core stand in the memory outside.
    pub external: bool,
}

/// A set of weights, images for it, and how the border behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Seed of weights, neurons' parameters and images.
    pub weights: u64,
    pub images: usize,
    /// Pixels in a hundred that are not 0, in most images.
    pub density: u8,
    /// As `synfire cosim --input` takes it.
    pub input: String,
    /// As `synfire cosim --back-pressure` takes it.
    pub output: String,
    /// Cycles before a reset, after which everything is compared.
    pub disturb: u64,
    /// How the memory outside takes its time, as `synfire cosim --memory` takes it.
    pub memory: String,
}

/// A text of the generated Verilog that is replaced wherever it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub file: String,
    pub from: String,
    pub to: String,
}

impl Taps {
    pub const ONE: Taps = Taps { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] };
}

impl Layout {
    pub const LEAST: Layout =
        Layout { matrix: false, lanes: 1, rows: 1, banks: [1, 1], shift_add: false, slice_bits: 18, external: false };
}

impl Default for Recipe {
    /// Nothing yet.
    fn default() -> Recipe {
        Recipe {
            coding: Coding::Graded,
            timesteps: 1,
            pixel_bits: 1,
            signed: false,
            input: Input::Constant,
            source: vec![1],
            layers: Vec::new(),
            seed: 0,
            runs: Vec::new(),
            fault: None,
        }
    }
}

impl Recipe {
    /// Shape of population `pop`.
    pub fn shape(&self, pop: usize) -> Shape {
        Shape(if pop == 0 { self.source.clone() } else { self.layers[pop - 1].shape.clone() })
    }

    /// `[C, H, W]` of population `pop`.
    pub fn image(&self, pop: usize) -> [usize; 3] {
        self.shape(pop).image().unwrap_or([1, 1, 1])
    }

    /// Phases of an image.
    pub fn phases(&self) -> u32 {
        if self.coding == Coding::Rate { self.timesteps } else { 1 }
    }

    /// The network has a synapse of every kind of loop or delay only in rate coding, and everything that it names exists.
    pub fn problem(&self) -> Option<String> {
        let last = self.layers.len();
        if last == 0 || self.runs.is_empty() {
            return Some("no layers or no runs".into());
        }
        for (i, layer) in self.layers.iter().enumerate() {
            if layer.neuron.is_readout() != (i + 1 == last) {
                return Some(format!("layer {i} is the readout, or the last is none"));
            }
            if layer.neuron.style().is_some() && self.coding != Coding::Rate {
                return Some(format!("layer {i} leaks in two-phase coding"));
            }
            for link in &layer.from {
                let post = i + 1;
                let ahead = link.pre >= post;
                if link.pre >= last || link.limit < 1 || (ahead && link.delay == 0) {
                    return Some(format!("layer {i} reads {}", link.pre));
                }
                // What a pool sends is known only when it is complete.
                if ahead && !matches!(self.layers[link.pre - 1].neuron, Kind::If | Kind::Leaky(_) | Kind::Multi { .. })
                {
                    return Some(format!("layer {i} reads a pool that comes later"));
                }
                if link.delay > 0 && self.coding != Coding::Rate {
                    return Some("a delay in two-phase coding".into());
                }
            }
        }
        None
    }
}
