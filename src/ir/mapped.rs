//! The network as hardware: units joined by streams, with every width fixed.
//!
//! `ARCHITECTURE.md` ("Microarchitecture") defines, cycle by cycle, what each [`UnitKind`] does. This module only says
//! *which* units there are and how they are parameterised; the cycle model and the Verilog are written from that text,
//! independently of each other.
//!
//! Guarantees (verified by [`MappedNet::check`]): identifiers are legal Verilog, unique, and carry no text of the model file
//! that was not legalised; every stream has one producer and one consumer and every port is connected; units stand in
//! topological order, from which only streams into queues depart; merges lay their senders' ids side by side in the order of the reader's projections; cores fire as their
//! population's coding says; widths hold the values that the integer network can produce.

mod check;
mod cores;
mod external;
mod flow;
mod leak;
mod slots;
mod windows;

pub use cores::{Connection, Core, CoreInput, Fire, MAX_PARALLEL, Mode, Payload, Slice};
pub use external::{FETCH_QUEUE, PORT_FLIGHTS, WeightPort, Weights};
pub use leak::{DECAY_BITS, Leak, current_bits, input_bits, width};
pub use slots::PassSlots;

use super::PopId;
use super::layout::IdLayout;
use super::quant::QuantGraph;
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
    /// Hands on the phase before: what a projection with `delay = 1` passes. An image begins with an empty phase.
    Queue {
        /// Beats that it holds; more than the neurons of its population.
        depth: u32,
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

    /// What people are told about a core: its unit, and in brackets what the model file calls its population where that differs,
    /// on one line: `fc1 (/fc1/Relu)`.
    pub fn layer_name(&self, unit: &Unit, core: &Core) -> String {
        let source = &self.quant.population(core.population).name;
        if *source == unit.name {
            return unit.name.clone();
        }
        let line: String = source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{} ({line})", unit.name)
    }

    /// True if no neuron that `core` reads sends more than one event in a phase. A matrix core stores one payload an
    /// input, so it cannot read senders that send their spikes one by one (unit coding).
    pub fn one_event_per_phase(&self, core: &Core) -> bool {
        core.projections.iter().all(|&p| {
            let pre = self.quant.projection(p).projection.pre;
            self.quant.max_per_phase(pre) <= self.quant.max_payload(pre)
        })
    }

    /// Stable text.
    pub fn dump(&self) -> String {
        let mut text = format!("mapped {} units={} streams={}\n", self.top, self.units.len(), self.streams.len());
        for (i, unit) in self.units.iter().enumerate() {
            let what = match &unit.kind {
                UnitKind::Fork => "fork".to_string(),
                UnitKind::Merge { bases } => format!("merge bases={bases:?}"),
                UnitKind::Queue { depth } => format!("queue depth={depth}"),
                UnitKind::Core(c) => format!(
                    "core {}x{} {:?} {:?} phases={} value={} weight={} membrane={} theta={} bias={} weights={}x{}{}",
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
                    c.weight_word_bits(),
                    match c.weights {
                        Weights::Internal => String::new(),
                        Weights::External { base } => format!(" external from word {base}"),
                    }
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
