//! The network as hardware: units joined by streams, with every width fixed.
//!
//! `ARCHITECTURE.md` ("Microarchitecture") defines, cycle by cycle, what each [`UnitKind`] does. This module only says
//! *which* units there are and how they are parameterised; the cycle model and the Verilog are written from that text,
//! independently of each other.
//!
//! Guarantees (verified by [`MappedNet::check`]): identifiers are legal Verilog, unique, and carry no text of the model file
//! that was not legalised; every stream has one producer and one consumer and every port is connected; units stand in
//! topological order; widths hold the values that the integer network can produce.

use super::layout::{Grid, IdLayout};
use super::quant::{Combine, Neuron, QuantGraph};
use super::window::Window;
use super::{PopId, ProjId};
use crate::error::Problem;
use crate::fixed::{signed_bits, unsigned_bits};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A network laid out on cores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MappedNet {
    /// The integer network that the hardware computes.
    pub quant: QuantGraph,
    /// Name of the top module; a legal Verilog identifier.
    pub top: String,
    /// The device family the layout was made for.
    pub target: Target,
    /// Hardware blocks in topological order.
    pub units: Vec<Unit>,
    /// Connections; stream 0 is the network's input, the last one its output.
    pub streams: Vec<Stream>,
    /// Why each core is what it is, one sentence a core, for the report.
    pub decisions: Vec<String>,
}

/// The devices that a design can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
pub enum Target {
    /// Lattice ECP5 LFE5U-25F.
    #[serde(rename = "ecp5-25k")]
    #[value(name = "ecp5-25k")]
    Ecp5_25k,
    /// Lattice ECP5 LFE5U-85F.
    #[serde(rename = "ecp5-85k")]
    #[value(name = "ecp5-85k")]
    Ecp5_85k,
    /// Lattice iCE40 HX8K.
    #[serde(rename = "ice40-hx8k")]
    #[value(name = "ice40-hx8k")]
    Ice40Hx8k,
    /// Lattice iCE40 UP5K.
    #[serde(rename = "ice40-up5k")]
    #[value(name = "ice40-up5k")]
    Ice40Up5k,
    /// Xilinx 7 series (synthesis only: no open place and route is driven).
    #[serde(rename = "xc7")]
    #[value(name = "xc7")]
    Xc7,
    /// No device: no limits, generic synthesis.
    #[serde(rename = "generic")]
    #[value(name = "generic")]
    Generic,
}

impl Target {
    /// True if an open place and route tool exists for the device.
    pub fn has_pnr(self) -> bool {
        !matches!(self, Target::Xc7 | Target::Generic)
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Target::Ecp5_25k => "ecp5-25k",
            Target::Ecp5_85k => "ecp5-85k",
            Target::Ice40Hx8k => "ice40-hx8k",
            Target::Ice40Up5k => "ice40-up5k",
            Target::Xc7 => "xc7",
            Target::Generic => "generic",
        }
    }
}

/// A column of a weight memory that is a memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First bit of the weight word.
    pub offset: usize,
    /// Number of bits.
    pub bits: usize,
}

/// Index of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitId(pub usize);

/// Index of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub usize);

/// A hardware block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Legal, unique Verilog identifier; the instance in the top module is `u_<name>`.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Streams it reads, by input port.
    pub inputs: Vec<StreamId>,
    /// Streams it writes, by output port.
    pub outputs: Vec<StreamId>,
}

/// The kinds of hardware block.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum UnitKind {
    /// One population with the projections into it.
    Core(Core),
    /// Copies its input to every output.
    Fork,
    /// Joins its inputs into one stream; port `i`'s ids are offset by `bases[i]`.
    Merge {
        /// First id of each input port in the joined id space.
        bases: Vec<u32>,
    },
}

/// A stream of beats `{last, value, id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stream {
    /// Legal, unique Verilog identifier; the wires in the top module are `s_<name>_valid`, `_ready`, `_last`, `_value`, `_id`.
    pub name: String,
    /// Who writes it; `None` is the border (the network's input).
    pub from: Option<Port>,
    /// Who reads it; `None` is the border (the network's output).
    pub to: Option<Port>,
    /// The population whose spikes it carries.
    pub population: PopId,
    /// Bits of `id` (at least 1).
    pub id_bits: u32,
    /// Bits of `value` (at least 1).
    pub value_bits: u32,
    /// True if `value` is two's complement (logits, pixels that have a `zero`).
    pub signed: bool,
    /// How ids name the population's neurons. On the stream behind a merge, how those of its first input do; the others lie at the
    /// merge's bases.
    pub layout: IdLayout,
}

/// One end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The unit.
    pub unit: UnitId,
    /// Its port number.
    pub port: usize,
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
    /// Bits of a threshold (unsigned); 1 where there is none.
    pub theta_bits: u32,
    /// Bits of the per-phase bias (two's complement); 1 where there is none.
    pub bias_bits: u32,
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

/// Which channels a projection connects; the shape of its [`super::snn::Synapses`] without the weights.
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
    /// Two-phase, pools: sends every membrane that is not 0, as it is.
    Relay,
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
    /// Issue slots that firing one group of lanes takes.
    pub fn slots(self) -> u32 {
        match self {
            Fire::Count { bits, .. } => bits,
            Fire::Unit { sweeps } => sweeps,
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

/// The most lanes or rows of a core: above it a design is a typing error, not a design.
pub const MAX_PARALLEL: usize = 1 << 16;

impl MappedNet {
    /// The unit with this index.
    pub fn unit(&self, id: UnitId) -> &Unit {
        &self.units[id.0]
    }

    /// The stream with this index.
    pub fn stream(&self, id: StreamId) -> &Stream {
        &self.streams[id.0]
    }

    /// The network's input stream.
    pub fn input(&self) -> StreamId {
        StreamId(0)
    }

    /// The network's output stream.
    pub fn output(&self) -> StreamId {
        StreamId(self.streams.len() - 1)
    }

    /// Every core with its unit, in order.
    pub fn cores(&self) -> impl Iterator<Item = (UnitId, &Unit, &Core)> {
        self.units.iter().enumerate().filter_map(|(i, unit)| match &unit.kind {
            UnitKind::Core(core) => Some((UnitId(i), unit, core)),
            _ => None,
        })
    }

    /// Every broken guarantee.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.quant.check();
        if !problems.is_empty() {
            return problems;
        }
        let names = self.units.iter().map(|u| &u.name).chain(std::iter::once(&self.top));
        check_names("unit", names, &mut problems);
        check_names("stream", self.streams.iter().map(|s| &s.name), &mut problems);
        self.check_ports(&mut problems);
        for (_, unit, core) in self.cores() {
            if core.population.0 >= self.quant.populations.len()
                || core.projections.iter().any(|p| p.0 >= self.quant.projections.len())
            {
                problems
                    .push(Problem::new("computes a population or projection that does not exist").at_node(&unit.name));
                continue;
            }
            for what in self.core_problems(core) {
                problems.push(Problem::new(what).at_node(&unit.name));
            }
        }
        problems
    }

    fn check_ports(&self, problems: &mut Vec<Problem>) {
        for (i, unit) in self.units.iter().enumerate() {
            let ok =
                unit.inputs.iter().enumerate().all(|(port, s)| {
                    self.streams.get(s.0).is_some_and(|s| s.to == Some(Port { unit: UnitId(i), port }))
                }) && unit.outputs.iter().enumerate().all(|(port, s)| {
                    self.streams.get(s.0).is_some_and(|s| s.from == Some(Port { unit: UnitId(i), port }))
                });
            let arity = match &unit.kind {
                UnitKind::Core(_) => unit.inputs.len() == 1 && unit.outputs.len() == 1,
                UnitKind::Fork => unit.inputs.len() == 1 && unit.outputs.len() >= 2,
                UnitKind::Merge { bases } => {
                    unit.inputs.len() == bases.len() && bases.len() >= 2 && unit.outputs.len() == 1
                }
            };
            if !ok || !arity {
                problems.push(Problem::new("is not properly connected").at_node(&unit.name));
            } else if !self.widths_agree(unit) {
                problems.push(Problem::new("has streams whose widths do not fit together").at_node(&unit.name));
            }
        }
        for (i, stream) in self.streams.iter().enumerate() {
            let border_in = stream.from.is_none() == (i == 0);
            let border_out = stream.to.is_none() == (i + 1 == self.streams.len());
            let forward = match (stream.from, stream.to) {
                (Some(from), Some(to)) => from.unit < to.unit,
                _ => true,
            };
            if !(1..=32).contains(&stream.id_bits) || !(1..=64).contains(&stream.value_bits) {
                let what = format!("is a stream of {}-bit ids and {}-bit values", stream.id_bits, stream.value_bits);
                problems.push(Problem::new(what).at_node(&stream.name));
            }
            if !border_in || !border_out || !forward {
                problems.push(Problem::new("is a stream that does not run forward").at_node(&stream.name));
            }
        }
    }

    /// True if no neuron that `core` reads sends more than one event in a phase. A matrix core stores one payload an
    /// input, so it cannot read senders that send their spikes one by one (unit coding).
    pub fn one_event_per_phase(&self, core: &Core) -> bool {
        core.projections.iter().all(|&p| {
            let pre = self.quant.projection(p).projection.pre;
            self.quant.max_per_phase(pre) <= self.quant.max_payload(pre)
        })
    }

    /// Forks copy, merges widen, cores read exactly their payload width.
    fn widths_agree(&self, unit: &Unit) -> bool {
        let widths = |s: &StreamId| (self.stream(*s).id_bits, self.stream(*s).value_bits);
        let outputs: Vec<_> = unit.outputs.iter().map(widths).collect();
        unit.inputs.iter().map(widths).all(|(id_bits, value_bits)| match &unit.kind {
            UnitKind::Core(core) => value_bits == core.value_bits,
            UnitKind::Fork => outputs.iter().all(|&o| o == (id_bits, value_bits)),
            UnitKind::Merge { .. } => outputs.iter().all(|&(id, value)| id >= id_bits && value >= value_bits),
        })
    }

    fn core_problems(&self, core: &Core) -> Vec<String> {
        let mut problems = Vec::new();
        let pop = self.quant.population(core.population);
        let senders: usize =
            core.projections.iter().map(|&p| self.quant.projection(p).projection.synapses.extent().0).sum();
        if core.inputs != senders || core.neurons != pop.shape.len() {
            problems.push(format!("is {}→{}, the network says {senders}→{}", core.inputs, core.neurons, pop.shape));
        }
        let widths = [core.value_bits, core.weight_bits, core.membrane_bits, core.theta_bits, core.bias_bits];
        if widths.iter().any(|w| !(1..=64).contains(w)) {
            problems.push(format!("has widths of {widths:?} bits, not 1 to 64"));
        }
        let weight_bits = core.projections.iter().map(|&p| self.quant.projection(p).weight_bits).max();
        if core.weight_bits < weight_bits.unwrap_or(0) {
            problems.push("has weights that are too narrow".into());
        }
        if core.slice_bits == 0 {
            problems.push("has a weight memory in slices of 0 bits".into());
        }
        let most = 1..=MAX_PARALLEL;
        if !most.contains(&core.mode.lanes())
            || !most.contains(&core.mode.rows())
            || !core.mode.rows().is_power_of_two()
        {
            problems.push(format!("needs 1 to {MAX_PARALLEL} lanes, and rows that are a power of two up to that"));
        }
        if matches!(core.mode, Mode::Matrix { .. }) && !self.one_event_per_phase(core) {
            problems.push("is a matrix core, but its senders send several events of one neuron in a phase".into());
        }
        if core.phases != self.quant.phases() {
            problems.push("disagrees with the network about the phases per image".into());
        }
        if core.membrane_bits < signed_bits(pop.range.0, pop.range.1) {
            problems.push(format!("has {}-bit membranes for {:?}", core.membrane_bits, pop.range));
        }
        let payload =
            core.projections.iter().map(|&p| self.quant.max_payload(self.quant.projection(p).projection.pre)).max();
        if core.value_bits < unsigned_bits(payload.unwrap_or(0).unsigned_abs()) {
            problems.push("has payloads that are too narrow".into());
        }
        if let Neuron::If { theta, bias, .. } = &pop.neuron {
            let bits = bias.iter().map(|&b| signed_bits(b, b)).max().unwrap_or(1);
            if core.bias_bits < bits || core.bias_bits > core.membrane_bits.max(1) {
                problems.push(format!("has {}-bit biases, {bits} to {} expected", core.bias_bits, core.membrane_bits));
            }
            let max = theta.iter().copied().max().unwrap_or(0);
            if core.theta_bits < unsigned_bits(max.unsigned_abs()) {
                problems.push("has thresholds that are too narrow".into());
            }
        }
        problems
    }

    /// Stable text.
    pub fn dump(&self) -> String {
        let mut text = format!("mapped {} units={} streams={}\n", self.top, self.units.len(), self.streams.len());
        for (i, unit) in self.units.iter().enumerate() {
            let what = match &unit.kind {
                UnitKind::Fork => "fork".to_string(),
                UnitKind::Merge { bases } => format!("merge bases={bases:?}"),
                UnitKind::Core(c) => format!(
                    "core {}x{} {:?} {:?} phases={} value={} weight={} membrane={} theta={} bias={} weights={}x{}",
                    c.inputs,
                    c.neurons,
                    c.mode,
                    c.fire,
                    c.phases,
                    c.value_bits,
                    c.weight_bits,
                    c.membrane_bits,
                    c.theta_bits,
                    c.bias_bits,
                    c.weight_words(),
                    c.weight_word_bits()
                ),
            };
            let _ = writeln!(text, "unit {i} {} {what}", unit.name);
        }
        let end = |port: Option<Port>| match port {
            Some(p) => format!("{}.{}", self.unit(p.unit).name, p.port),
            None => "border".to_string(),
        };
        for (i, s) in self.streams.iter().enumerate() {
            let _ = writeln!(
                text,
                "stream {i} {} {} -> {} id={} value={}{}",
                s.name,
                end(s.from),
                end(s.to),
                s.id_bits,
                s.value_bits,
                if s.signed { " signed" } else { "" }
            );
        }
        text
    }
}

fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a String>, problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !legal || !seen.insert(name.as_str()) {
            problems.push(Problem::new(format!("is not a legal, unique {what} name")).at_node(name));
        }
    }
}
