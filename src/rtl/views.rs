//! What the templates see.

use super::window::{self, Parameter, Table};
use super::{Vectors, library, memory, window_event, window_matrix};
use crate::fixed::unsigned_bits;
use crate::ir::mapped::{
    Core, FETCH_QUEUE, Fire, MappedNet, Mode, PORT_FLIGHTS, Payload, Slice, Stream, StreamId, Unit, UnitKind, Weights,
};
use crate::ir::quant::{Combine, Neuron};
use askama::Template;

/// Parameter memories up to this many words are built from LUTs: a block RAM would be almost empty.
const LOGIC_ROM_WORDS: usize = 64;

/// The top module.
#[derive(Template)]
#[template(path = "top.v", syntax = "verilog")]
pub struct Top<'a> {
    top: &'a str,
    phases: u32,
    overview: Vec<String>,
    input: &'a Stream,
    output: &'a Stream,
    streams: &'a [Stream],
    units: Vec<UnitView<'a>>,
    port: Option<PortView<'a>>,
}

/// The port to the external weights.
pub struct PortView<'a> {
    /// The cores that read through it, the last first, as Verilog concatenates.
    cores: Vec<&'a str>,
    core_bits: u32,
    addr_bits: u32,
    word_bits: usize,
    words: usize,
    flights: usize,
    flight_bits: u32,
}

/// A unit as the top module instantiates it. Lists of streams run from the highest port down, as Verilog concatenates.
pub enum UnitView<'a> {
    /// A wrapped core; `external`: the bits of its external weight words.
    Core { name: &'a str, input: &'a str, output: &'a str, external: Option<usize> },
    /// A fork.
    Fork { name: &'a str, input: &'a str, outputs: Vec<&'a str>, width: u32 },
    /// A merge.
    Merge {
        name: &'a str,
        inputs: Vec<MergeInput<'a>>,
        output: &'a str,
        id_bits: u32,
        value_bits: u32,
        bases: Vec<u32>,
    },
    /// A queue.
    Queue { name: &'a str, input: &'a str, output: &'a str, width: u32, depth: u32 },
}

/// An input of a merge with the bits that bring it to the common width: zeros, or the sign of a signed stream's values.
pub struct MergeInput<'a> {
    name: &'a str,
    id_pad: u32,
    value_pad: u32,
    signed: bool,
    value_bits: u32,
}

/// The view of the top module.
pub fn top(net: &MappedNet) -> Top<'_> {
    Top {
        top: &net.top,
        phases: net.quant.phases(),
        overview: net.units.iter().map(|unit| overview(net, unit)).collect(),
        input: net.stream(net.input()),
        output: net.stream(net.output()),
        streams: &net.streams,
        units: net.units.iter().map(|unit| unit_view(net, unit)).collect(),
        port: port_view(net),
    }
}

fn port_view(net: &MappedNet) -> Option<PortView<'_>> {
    let port = net.weight_port()?;
    Some(PortView {
        cores: port.cores.iter().rev().map(|&id| net.unit(id).name.as_str()).collect(),
        core_bits: index_bits(port.cores.len()),
        addr_bits: port.addr_bits(),
        word_bits: port.word_bits,
        words: port.words,
        flights: PORT_FLIGHTS,
        flight_bits: index_bits(PORT_FLIGHTS),
    })
}

fn overview(net: &MappedNet, unit: &Unit) -> String {
    let names = |ids: &[StreamId]| ids.iter().map(|&s| net.stream(s).name.as_str()).collect::<Vec<_>>().join(", ");
    let what = match &unit.kind {
        UnitKind::Core(core) => {
            format!(
                "{} core, {} -> {} neurons, {} lanes",
                core.mode.name(),
                core.inputs,
                core.neurons,
                core.mode.lanes()
            )
        }
        UnitKind::Fork => "fork".into(),
        UnitKind::Merge { .. } => "merge".into(),
        UnitKind::Queue { depth } => format!("queue into the next phase, {depth} beats"),
    };
    format!("{} --> {} ({what}) --> {}", names(&unit.inputs), unit.name, names(&unit.outputs))
}

fn unit_view<'a>(net: &'a MappedNet, unit: &'a Unit) -> UnitView<'a> {
    let name = |s: &StreamId| net.stream(*s).name.as_str();
    match &unit.kind {
        UnitKind::Core(core) => UnitView::Core {
            name: &unit.name,
            input: name(&unit.inputs[0]),
            output: name(&unit.outputs[0]),
            external: (!core.weights.is_internal()).then(|| core.weight_word_bits()),
        },
        UnitKind::Fork => {
            let input = net.stream(unit.inputs[0]);
            UnitView::Fork {
                name: &unit.name,
                input: &input.name,
                outputs: unit.outputs.iter().rev().map(name).collect(),
                width: 1 + input.value_bits + input.id_bits,
            }
        }
        UnitKind::Queue { depth } => {
            let input = net.stream(unit.inputs[0]);
            UnitView::Queue {
                name: &unit.name,
                input: &input.name,
                output: name(&unit.outputs[0]),
                width: 1 + input.value_bits + input.id_bits,
                depth: *depth,
            }
        }
        UnitKind::Merge { bases } => {
            let output = net.stream(unit.outputs[0]);
            let pad = |s: &'a StreamId| {
                let s = net.stream(*s);
                MergeInput {
                    name: &s.name,
                    id_pad: output.id_bits - s.id_bits,
                    value_pad: output.value_bits - s.value_bits,
                    signed: s.signed,
                    value_bits: s.value_bits,
                }
            };
            UnitView::Merge {
                name: &unit.name,
                inputs: unit.inputs.iter().rev().map(pad).collect(),
                output: &output.name,
                id_bits: output.id_bits,
                value_bits: output.value_bits,
                bases: bases.iter().rev().copied().collect(),
            }
        }
    }
}

/// The wrapper of a core.
#[derive(Template)]
#[template(path = "core.v", syntax = "verilog")]
pub struct CoreView<'a> {
    name: &'a str,
    description: String,
    library: &'static str,
    neurons: usize,
    inputs: usize,
    lanes: usize,
    groups: usize,
    param_words: usize,
    param_addr_bits: u32,
    value_bits: u32,
    id_bits: u32,
    out_value_bits: u32,
    out_id_bits: u32,
    addr_bits: u32,
    weight_words: usize,
    weight_word_bits: usize,
    param_bits: usize,
    param_logic: u32,
    slices: Vec<Slice>,
    tables: Vec<Table>,
    parameters: Vec<Parameter>,
    external: Option<ExternalView>,
}

/// Where a core's external weights are.
pub struct ExternalView {
    base: usize,
    port_addr_bits: u32,
    /// Zeros above the core's address.
    pad: u32,
}

/// Bits that count `0 .. n`, at least one.
pub(super) fn index_bits(n: usize) -> u32 {
    unsigned_bits(n.saturating_sub(1) as u64)
}

/// The view of a core's wrapper.
pub fn core<'a>(net: &'a MappedNet, unit: &'a Unit, core: &'a Core) -> CoreView<'a> {
    let (input, output) = (net.stream(unit.inputs[0]), net.stream(unit.outputs[0]));
    let (grid, shared) = (core.grid(), memory::parameters_shared(net, core));
    let (lanes, groups) = (core.mode.lanes(), core.groups());
    let group_bits = index_bits(groups);
    let (param_words, param_lanes) = match shared {
        true => (grid.channel_groups(), grid.lanes),
        false => (groups, lanes),
    };
    // An address register must also hold group 0 … groups-1 by itself.
    let addr_bits = index_bits(core.weight_words()).max(if core.mode.is_window() { 1 } else { group_bits });
    let (kind, count_bits, count_max) = match core.fire {
        Fire::Count { bits, max } => (0, bits, max),
        Fire::Unit { .. } => (1, 1, 1),
        Fire::Step => (2, 1, 1),
        Fire::Readout => (3, 1, 1),
        Fire::Relay => (4, 1, 1),
        Fire::Leaky => (5, 1, 1),
        Fire::Multi { bits, max, floor } => (6 + u64::from(floor), bits, max),
        Fire::LeakyReadout => (8, 1, 1),
    };
    let mut parameters: Vec<Parameter> = Vec::new();
    if core.mode.is_window() {
        parameters.extend(window::parameters(core, input, output));
        parameters.extend(match core.mode {
            Mode::WindowMatrix { .. } => window_matrix::parameters(core),
            _ => window_event::parameters(core),
        });
    }
    let mut set = |key: &'static str, value: u64| parameters.push((key, value.to_string()));
    if let Mode::Matrix { rows, .. } = core.mode {
        set("Rows", rows as u64);
        set("Chunks", core.chunks() as u64);
        set("ChunkBits", u64::from(index_bits(core.chunks())));
    }
    if core.mode.is_window() {
        set("ParamShared", u64::from(shared));
        set("Max", u64::from(core.combine == Combine::Max));
    } else {
        set("Neurons", core.neurons as u64);
        set("Lanes", lanes as u64);
        set("Groups", groups as u64);
        set("GroupBits", u64::from(group_bits));
        set("IdBits", u64::from(input.id_bits));
        set("AddrBits", u64::from(addr_bits));
    }
    set("ValueBits", u64::from(core.value_bits));
    set("ValueSigned", u64::from(core.value_signed));
    if let Mode::Event { payload, .. } = core.mode {
        set("ShiftAdd", u64::from(payload == Payload::ShiftAdd));
    }
    set("WeightBits", u64::from(core.weight_bits));
    set("MembraneBits", u64::from(core.membrane_bits));
    set("ThetaBits", u64::from(core.theta_bits));
    set("BiasBits", u64::from(core.bias_bits));
    set("Kind", kind);
    set("Slots", u64::from(core.fire.slots()));
    set("CountBits", u64::from(count_bits));
    set("CountMax", u64::from(count_max));
    set("Phases", u64::from(core.phases));
    set("OutIdBits", u64::from(output.id_bits));
    set("OutValueBits", u64::from(output.value_bits));
    let mut description = describe(core);
    if let Neuron::Leaky(leaky) = &net.quant.population(core.population).neuron {
        parameters.extend(super::leaky::parameters(leaky, core));
        description = super::leaky::describe(leaky);
    }
    let external = match (core.weights, net.weight_port()) {
        (Weights::External { base }, Some(port)) => {
            parameters.push(("QueueDepth", FETCH_QUEUE.to_string()));
            parameters.push(("QueueBits", index_bits(FETCH_QUEUE).to_string()));
            let port_addr_bits = port.addr_bits();
            Some(ExternalView { base, port_addr_bits, pad: port_addr_bits.saturating_sub(addr_bits) })
        }
        _ => None,
    };
    CoreView {
        name: &unit.name,
        description,
        library: library::core_module(core),
        neurons: core.neurons,
        inputs: core.inputs,
        lanes,
        groups,
        param_words,
        param_addr_bits: index_bits(param_words),
        value_bits: core.value_bits,
        id_bits: input.id_bits,
        out_value_bits: output.value_bits,
        out_id_bits: output.id_bits,
        addr_bits,
        weight_words: core.weight_words(),
        weight_word_bits: core.weight_word_bits(),
        param_bits: param_lanes * core.param_bits() as usize,
        param_logic: u32::from(param_words <= LOGIC_ROM_WORDS),
        slices: if external.is_some() { Vec::new() } else { core.weight_slices() },
        tables: tables(core),
        parameters,
        external,
    }
}

/// The tables of geometry that a core's wrapper holds.
pub fn tables(core: &Core) -> Vec<Table> {
    match core.mode {
        Mode::Event { .. } | Mode::Matrix { .. } => Vec::new(),
        Mode::WindowEvent { .. } => window_event::tables(core),
        Mode::WindowMatrix { .. } => window_matrix::tables(core),
    }
}

fn describe(core: &Core) -> String {
    match core.fire {
        Fire::Count { max, .. } => format!("v = v_init + sum(w x), sends min(floor(v / theta), {max}) once"),
        Fire::Unit { sweeps } => format!("v = v_init + sum(w x), sends min(floor(v / theta), {sweeps}) spikes"),
        Fire::Step => "v += sum(w x) + bias; a spike and v -= theta where v >= theta, once a time step".into(),
        Fire::Multi { max, floor, .. } => {
            let floor = if floor { " but -theta at least" } else { "" };
            format!(
                "v += sum(w x) + bias{floor}; n = min(floor(v / theta), {max}) spikes and v -= n theta, once a time step"
            )
        }
        Fire::Leaky => "leaky neurons, a spike where v > theta, once a time step".into(),
        Fire::LeakyReadout => "leaky neurons, sends every v at the image's end".into(),
        Fire::Relay => "v = sum(w x) or max(w x), sends v where it is not 0".into(),
        Fire::Readout => "v = v_init + sum(w x) over the image, sends every v at its end".into(),
    }
}

/// The bench.
#[derive(Template)]
#[template(path = "tb.v", syntax = "verilog")]
pub struct Bench<'a> {
    top: &'a str,
    input: &'a Stream,
    output: &'a Stream,
    inputs: usize,
    outputs: usize,
    patience: u64,
    port: Option<PortView<'a>>,
}

/// The view of the bench.
pub fn bench<'a>(net: &'a MappedNet, vectors: &Vectors) -> Bench<'a> {
    // No image takes longer than every input in turn through every core, in the slowest way of each.
    let patience: u64 = net
        .cores()
        .map(|(_, _, c)| {
            let passes = c.inputs as u64 * u64::from(c.value_bits) * u64::from(c.fire.slots());
            (passes + 64 + u64::from(c.fire.slots())) * c.groups() as u64 * u64::from(c.phases)
        })
        .sum();
    // Nor with external weights, which take up to as long as the port may have requests unanswered.
    let patience = if net.weight_port().is_some() { patience.saturating_mul(64) } else { patience };
    Bench {
        top: &net.top,
        input: net.stream(net.input()),
        output: net.stream(net.output()),
        inputs: vectors.inputs.len(),
        outputs: vectors.outputs.len(),
        patience: patience.clamp(1_000, 1 << 30),
        port: port_view(net),
    }
}
