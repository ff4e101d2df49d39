//! A core's parameters, and what follows from them.

use crate::ir::quant::QuantGraph;
use crate::ir::snn::Synapses;
use crate::ir::{PopId, ProjId};
use serde::{Deserialize, Serialize};

/// The most lanes or rows of a core: above it a design is a typing error, not a design.
pub const MAX_PARALLEL: usize = 1 << 16;

/// A column of a weight memory that is a memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First bit of the weight word.
    pub offset: usize,
    /// Number of bits.
    pub bits: usize,
}

/// The hardware of one population.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Core {
    /// The population that it computes.
    pub population: PopId,
    /// The projections into it, in the order in which their senders' ids are laid out.
    pub projections: Vec<ProjId>,
    /// Number of input ids (the senders of all projections together).
    pub inputs: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// How synapses are computed.
    pub mode: Mode,
    /// What the core does at the end of a phase.
    pub fire: Fire,
    /// Phases per image.
    pub phases: u32,
    /// Bits of an input payload (unsigned).
    pub value_bits: u32,
    /// Bits of a weight (two's complement).
    pub weight_bits: u32,
    /// Width of the columns into which the weight memory is cut, so that each fills whole block RAMs.
    pub slice_bits: usize,
    /// Bits of a membrane (two's complement), from the range proof.
    pub membrane_bits: u32,
    /// Bits of a threshold (unsigned); 1 where there is none.
    pub theta_bits: u32,
    /// Bits of the per-phase bias (two's complement); 1 where there is none.
    pub bias_bits: u32,
}

/// How a core computes its synapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Mode {
    /// One input event at a time, `lanes` neurons a cycle.
    Event {
        /// Neurons per cycle.
        lanes: usize,
        /// How a payload meets the weights.
        payload: Payload,
    },
    /// All inputs in order, `rows` inputs × `lanes` neurons a cycle.
    Matrix {
        /// Inputs per cycle; a power of two.
        rows: usize,
        /// Neurons per cycle.
        lanes: usize,
    },
}

/// How an event core multiplies a weight by a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// One pass per event with a multiplier per lane (a plain gate where the payload has one bit).
    Multiply,
    /// One pass per set bit of the payload, no multiplier.
    ShiftAdd,
}

/// What a core does with its membranes when a phase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fire", rename_all = "snake_case")]
pub enum Fire {
    /// Two-phase, graded: finds the count by successive approximation, one bit a cycle, and sends it once.
    Count {
        /// Bits of the count.
        bits: u32,
        /// Largest count, `T`.
        max: u32,
    },
    /// Two-phase, unit spikes: `sweeps` = `T` comparisons, a spike for each that succeeds.
    Unit {
        /// Comparisons per neuron.
        sweeps: u32,
    },
    /// Rate coding: one comparison per phase; membranes live on until the image ends.
    Step,
    /// Sends every membrane at the end of the image, and nothing before.
    Readout,
}

impl Mode {
    /// Neurons per cycle.
    pub fn lanes(self) -> usize {
        match self {
            Mode::Event { lanes, .. } | Mode::Matrix { lanes, .. } => lanes,
        }
    }

    /// Inputs per cycle: 1 in event mode.
    pub fn rows(self) -> usize {
        match self {
            Mode::Event { .. } => 1,
            Mode::Matrix { rows, .. } => rows,
        }
    }

    /// `event` or `matrix`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Event { .. } => "event",
            Mode::Matrix { .. } => "matrix",
        }
    }
}

impl Fire {
    /// Issue slots that firing one group of lanes takes.
    pub fn slots(self) -> u32 {
        match self {
            Fire::Count { bits, .. } => bits,
            Fire::Unit { sweeps } => sweeps,
            Fire::Step | Fire::Readout => 1,
        }
    }
}

impl Core {
    /// Groups of lanes, `⌈neurons / lanes⌉`.
    pub fn groups(&self) -> usize {
        self.neurons.div_ceil(self.mode.lanes())
    }

    /// Chunks of inputs, `⌈inputs / rows⌉` (matrix mode).
    pub fn chunks(&self) -> usize {
        self.inputs.div_ceil(self.mode.rows())
    }

    /// Issue slots: of one pass of an event, and of one phase whatever the events (`ARCHITECTURE.md`, "Issue slots per phase").
    pub fn slots(&self) -> (u64, u64) {
        let groups = self.groups() as u64;
        let firing = groups * u64::from(self.fire.slots());
        match self.mode {
            Mode::Event { .. } => (groups, firing),
            Mode::Matrix { .. } => (0, groups * self.chunks() as u64 + firing),
        }
    }

    /// Passes that events take whose payloads have `set_bits` set bits in all (a payload of 0 counts as one bit).
    pub fn passes<T>(&self, events: T, set_bits: T) -> T {
        match self.mode {
            Mode::Event { payload: Payload::ShiftAdd, .. } => set_bits,
            Mode::Event { payload: Payload::Multiply, .. } | Mode::Matrix { .. } => events,
        }
    }

    /// The lower bound of "What the counters mean" in `ARCHITECTURE.md`: the least cycles in which the core can do the work of
    /// `phases` phases whose events take `passes` passes.
    pub fn bound_cycles(&self, passes: u64, phases: u64) -> u64 {
        let (per_pass, per_phase) = self.slots();
        per_pass * passes + per_phase * phases
    }

    /// Words of the weight memory: `inputs·groups` (event, word `id·groups + g`) or `groups·chunks` (matrix, word
    /// `g·chunks + chunk`).
    pub fn weight_words(&self) -> usize {
        match self.mode {
            Mode::Event { .. } => self.inputs * self.groups(),
            Mode::Matrix { .. } => self.groups() * self.chunks(),
        }
    }

    /// Bits of a weight word: weight of lane `l`, row `r` at bit `(l·rows + r)·weight_bits`.
    pub fn weight_word_bits(&self) -> usize {
        self.mode.lanes() * self.mode.rows() * self.weight_bits as usize
    }

    /// The columns into which the weight memory is cut, lowest bits first.
    pub fn weight_slices(&self) -> Vec<Slice> {
        let (total, width) = (self.weight_word_bits(), self.slice_bits.max(1));
        (0..total).step_by(width).map(|offset| Slice { offset, bits: width.min(total - offset) }).collect()
    }

    /// The projection that input id `id` belongs to, and the sender's index in that projection.
    pub fn sender(&self, quant: &QuantGraph, id: usize) -> Option<(ProjId, usize)> {
        let mut base = 0;
        for &p in &self.projections {
            let (pre, _) = quant.projection(p).projection.synapses.extent();
            if id < base + pre {
                return Some((p, id - base));
            }
            base += pre;
        }
        None
    }

    /// The weight from input `id` to neuron `n`; zero outside either range (padding).
    pub fn weight(&self, quant: &QuantGraph, id: usize, n: usize) -> i32 {
        if n >= self.neurons {
            return 0;
        }
        match self.sender(quant, id) {
            Some((p, pre)) => match &quant.projection(p).projection.synapses {
                Synapses::Dense { weight } => weight[(n, pre)],
            },
            None => 0,
        }
    }
}
