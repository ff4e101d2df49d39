//! A core's parameters, and what follows from them.

use super::external::Weights;
use super::leak::Leak;
use crate::ir::layout::Grid;
use crate::ir::quant::{Combine, QuantGraph};
use crate::ir::window::Window;
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
    /// Number of senders of all projections together.
    pub inputs: usize,
    /// Number of neurons.
    pub neurons: usize,
    /// `[C, H, W]` of the population; `[N, 1, 1]` in dense modes.
    pub extent: [usize; 3],
    /// How each projection reaches the neurons, in the order of `projections`.
    pub fields: Vec<CoreInput>,
    /// How inputs are combined into membranes.
    pub combine: Combine,
    /// How synapses are computed.
    pub mode: Mode,
    /// What the core does at the end of a phase.
    pub fire: Fire,
    /// Phases per image.
    pub phases: u32,
    /// Bits of an input payload.
    pub value_bits: u32,
    /// True if input payloads are two's complement.
    pub value_signed: bool,
    /// Bits of a weight (two's complement).
    pub weight_bits: u32,
    /// Width of the columns into which the weight memory is cut, so that each fills whole block RAMs.
    pub slice_bits: usize,
    /// Bits of a membrane (two's complement), from the range proof.
    pub membrane_bits: u32,
    /// Bits of the weighted input of a step (two's complement), kept beside the membrane; 0 but for leaky neurons.
    pub input_bits: u32,
    /// Bits of a synaptic current (two's complement), kept beside the membrane; 0 where there is none.
    pub current_bits: u32,
    /// Bits of a threshold (unsigned; two's complement of leaky neurons); 1 where there is none.
    pub theta_bits: u32,
    /// Bits of the per-phase bias (two's complement); 1 where there is none.
    pub bias_bits: u32,
    /// Widths of the further parameters of leaky neurons.
    pub leak: Leak,
    /// Where the weights are.
    #[serde(default, skip_serializing_if = "Weights::is_internal")]
    pub weights: Weights,
}

/// A projection as its core sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreInput {
    /// Which senders reach which receivers.
    pub connection: Connection,
    /// Geometry. Of a dense projection only the two extents count.
    pub window: Window,
    /// First id of the senders on the core's input stream. Dense modes: the senders of the projections before. Window modes: the
    /// projection's number, shifted above the widest id.
    pub base: u32,
}

/// Which channels a projection connects; the shape of its [`crate::ir::snn::Synapses`] without the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "connection", rename_all = "snake_case")]
pub enum Connection {
    /// Every sender to every receiver.
    Dense,
    /// Every sender channel to every receiver channel, through the window. Groups are zeros among the weights.
    Conv,
    /// Sender channel `from + i` to receiver channel `to + i`, for `i < channels`.
    Channelwise {
        /// First sender channel.
        from: usize,
        /// First receiver channel.
        to: usize,
        /// Number of channels.
        channels: usize,
    },
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
    /// One input event at a time, over banks of membranes: all channels of a group at `banks[0]·banks[1]` neighbouring pixels a
    /// cycle. Any mixture of projections.
    WindowEvent {
        /// Channels per cycle.
        lanes: usize,
        /// Neighbouring rows and columns per cycle.
        banks: [usize; 2],
        /// How a payload meets the weights.
        payload: Payload,
    },
    /// A whole phase of input is kept, then every window is gathered: `rows` channels of one sender pixel × `lanes` channels of one
    /// receiver pixel a cycle. Any mixture of projections.
    WindowMatrix {
        /// Sender channels per cycle; a power of two.
        rows: usize,
        /// Receiver channels per cycle.
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
    /// Rate coding, several spikes a step: adds the bias, then finds the count by successive approximation, one bit a cycle, and sends it
    /// once; membranes live on until the image ends.
    Multi {
        /// Bits of the count.
        bits: u32,
        /// Largest count.
        max: u32,
        /// Membranes below minus the threshold are lifted to it.
        floor: bool,
    },
    /// Pools: sends every membrane that is not 0, as it is, and empties it.
    Relay,
    /// Rate coding, leaky neurons: four slots, a spike for each membrane above its threshold.
    Leaky,
    /// Rate coding, leaky neurons without a threshold: four slots; sends every membrane at the end of the image, and nothing before.
    LeakyReadout,
    /// Sends every membrane at the end of the image, and nothing before.
    Readout,
}

impl Mode {
    /// Neurons per cycle, all banks counted.
    pub fn lanes(self) -> usize {
        match self {
            Mode::Event { lanes, .. } | Mode::Matrix { lanes, .. } | Mode::WindowMatrix { lanes, .. } => lanes,
            Mode::WindowEvent { lanes, banks, .. } => lanes * banks[0] * banks[1],
        }
    }

    /// Channels per cycle.
    pub fn channel_lanes(self) -> usize {
        match self {
            Mode::Event { lanes, .. }
            | Mode::Matrix { lanes, .. }
            | Mode::WindowEvent { lanes, .. }
            | Mode::WindowMatrix { lanes, .. } => lanes,
        }
    }

    /// Rows and columns of banks.
    pub fn banks(self) -> [usize; 2] {
        match self {
            Mode::WindowEvent { banks, .. } => banks,
            Mode::Event { .. } | Mode::Matrix { .. } | Mode::WindowMatrix { .. } => [1, 1],
        }
    }

    /// Inputs per cycle: 1 in event mode.
    pub fn rows(self) -> usize {
        match self {
            Mode::Event { .. } | Mode::WindowEvent { .. } => 1,
            Mode::Matrix { rows, .. } | Mode::WindowMatrix { rows, .. } => rows,
        }
    }

    /// True if the core takes one event at a time.
    pub fn is_event(self) -> bool {
        matches!(self, Mode::Event { .. } | Mode::WindowEvent { .. })
    }

    /// True if the core knows pixels: ids are fields, synapses any.
    pub fn is_window(self) -> bool {
        matches!(self, Mode::WindowEvent { .. } | Mode::WindowMatrix { .. })
    }

    /// How an event core multiplies; `None` in matrix mode.
    pub fn payload(self) -> Option<Payload> {
        match self {
            Mode::Event { payload, .. } | Mode::WindowEvent { payload, .. } => Some(payload),
            Mode::Matrix { .. } | Mode::WindowMatrix { .. } => None,
        }
    }

    /// `event` or `matrix`.
    pub fn name(self) -> &'static str {
        if self.is_event() { "event" } else { "matrix" }
    }
}

impl Fire {
    /// True for the neurons of a [`crate::ir::quant::Leaky`], whatever they send.
    pub fn is_leaky(self) -> bool {
        matches!(self, Fire::Leaky | Fire::LeakyReadout)
    }

    /// True where the membranes at an image's end are all that is sent.
    pub fn is_readout(self) -> bool {
        matches!(self, Fire::Readout | Fire::LeakyReadout)
    }

    /// Issue slots that firing one group of lanes takes.
    pub fn slots(self) -> u32 {
        match self {
            Fire::Count { bits, .. } => bits,
            Fire::Unit { sweeps } => sweeps,
            Fire::Multi { bits, .. } => bits.saturating_add(1),
            Fire::Leaky | Fire::LeakyReadout => 4,
            Fire::Step | Fire::Relay | Fire::Readout => 1,
        }
    }
}

impl Core {
    /// Where the neurons stand.
    pub fn grid(&self) -> Grid {
        Grid { extent: self.extent, lanes: self.mode.channel_lanes(), banks: self.mode.banks() }
    }

    /// Groups of lanes; `⌈neurons / lanes⌉` in dense modes.
    pub fn groups(&self) -> usize {
        self.grid().groups()
    }

    /// Chunks of inputs, `⌈inputs / rows⌉` (matrix mode).
    pub fn chunks(&self) -> usize {
        self.inputs.div_ceil(self.mode.rows())
    }

    /// Words of the weight memory: `inputs·groups` (event, word `id·groups + g`) or `groups·chunks` (matrix, word
    /// `g·chunks + chunk`). For window modes see [`Core::input_weight_words`].
    pub fn weight_words(&self) -> usize {
        match self.mode {
            Mode::Event { .. } => self.inputs * self.groups(),
            Mode::Matrix { .. } => self.groups() * self.chunks(),
            Mode::WindowEvent { .. } | Mode::WindowMatrix { .. } => {
                self.fields.iter().map(|input| self.input_weight_words(input)).sum()
            }
        }
    }

    /// Words of the weight memory that one projection takes (window modes).
    ///
    /// Event: one word for each sender channel, step of taps and channel group. Along an axis with one bank a step is a tap, otherwise
    /// all taps stand in one word. A channelwise projection has one channel group per sender channel; a dense one has its own
    /// words for every sender and every block of receivers. Matrix: one word for each channel group of the receivers, tap, and chunk of sender channels.
    pub fn input_weight_words(&self, input: &CoreInput) -> usize {
        let (grid, window) = (self.grid(), &input.window);
        let groups = grid.channel_groups();
        match self.mode {
            Mode::WindowMatrix { .. } => {
                let taps = window.kernel[0] * window.kernel[1];
                match input.connection {
                    Connection::Dense => self.groups() * window.input[1] * window.input[2] * self.input_chunks(input),
                    Connection::Conv | Connection::Channelwise { .. } => groups * taps * self.input_chunks(input),
                }
            }
            _ => {
                let steps = |axis: usize| if grid.banks[axis] == 1 { window.kernel[axis] } else { 1 };
                match input.connection {
                    Connection::Dense => window.extent().0 * self.groups(),
                    Connection::Conv => window.input[0] * steps(0) * steps(1) * groups,
                    Connection::Channelwise { channels, .. } => channels * steps(0) * steps(1),
                }
            }
        }
    }

    /// Chunks of sender channels that one tap of one channel group reads at most (window matrix mode): `⌈C_pre / rows⌉`, for a
    /// channelwise projection only those that hold a channel of the group.
    pub fn input_chunks(&self, input: &CoreInput) -> usize {
        match input.connection {
            Connection::Dense | Connection::Conv => input.window.input[0].div_ceil(self.mode.rows()),
            Connection::Channelwise { .. } => (0..self.grid().channel_groups())
                .map(|group| self.chunk_range(input, group).len())
                .max()
                .unwrap_or(0)
                .max(1),
        }
    }

    /// The chunks of sender channels that channel group `group` reads from this projection (window matrix mode).
    pub fn chunk_range(&self, input: &CoreInput, group: usize) -> std::ops::Range<usize> {
        let rows = self.mode.rows();
        match input.connection {
            Connection::Dense | Connection::Conv => 0..input.window.input[0].div_ceil(rows),
            Connection::Channelwise { from, to, channels } => {
                let lanes = self.mode.channel_lanes();
                let first = (group * lanes).max(to);
                let end = ((group + 1) * lanes).min(to + channels);
                if first < end { (first - to + from) / rows..(end - to + from).div_ceil(rows) } else { 0..0 }
            }
        }
    }

    /// Taps `[rows, columns]` whose weights stand side by side in a word (window event mode).
    pub fn word_taps(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let banks = self.mode.banks()[axis];
            let taps = self.fields.iter().map(|input| match input.connection {
                Connection::Dense => banks,
                Connection::Conv | Connection::Channelwise { .. } => input.window.kernel[axis],
            });
            if banks == 1 { 1 } else { taps.max().unwrap_or(1) }
        })
    }

    /// True if one weight serves whichever lane an event hits, because no event hits two (window event mode with nothing but
    /// channelwise projections).
    pub fn broadcasts(&self) -> bool {
        self.fields.iter().all(|input| matches!(input.connection, Connection::Channelwise { .. }))
    }

    /// Bits of a weight word. Dense modes and window matrix mode: weight of lane `l`, row `r` at bit `(l·rows + r)·weight_bits`. Window
    /// event mode: weight of tap `(ky, kx)`, lane `l` at bit `((ky·taps[1] + kx)·lanes + l)·weight_bits`, with one lane where the core
    /// [broadcasts](Core::broadcasts).
    pub fn weight_word_bits(&self) -> usize {
        let weights = match self.mode {
            Mode::Event { lanes, .. } => lanes,
            Mode::Matrix { lanes, rows } | Mode::WindowMatrix { lanes, rows } => lanes * rows,
            Mode::WindowEvent { lanes, .. } => {
                let [rows, columns] = self.word_taps();
                rows * columns * if self.broadcasts() { 1 } else { lanes }
            }
        };
        weights * self.weight_bits as usize
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
        match self.sender(quant, id) {
            Some((p, pre)) if n < self.neurons => quant.projection(p).projection.synapses.weight(n, pre),
            _ => 0,
        }
    }
}
