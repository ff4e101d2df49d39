//! Cycles, exactly, and area, roughly.

use super::device::{self, Area};
use super::request::Traffic;
use crate::ir::mapped::{Core, Fire, MappedNet, Mode, Payload, Target};
use crate::ir::quant::QuantGraph;
use serde::Serialize;

/// Memories with fewer bits than this are built from LUTs and flip-flops instead of block RAM.
const SMALLEST_BLOCK_BITS: usize = 1024;

/// What one layer costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerCost {
    /// Name of the core.
    pub name: String,
    /// `event` or `matrix`.
    pub mode: &'static str,
    /// Neurons per cycle.
    pub lanes: usize,
    /// Inputs per cycle.
    pub rows: usize,
    /// Mean issue slots per image on the calibration images.
    pub cycles: f64,
}

/// Issue slots that `core` uses for input of `events` events with `set_bits` set bits, over all phases of an image: the
/// active cycles of `ARCHITECTURE.md`. Exact for whole numbers.
pub fn cycles(core: &Core, events: f64, set_bits: f64) -> f64 {
    let (groups, phases) = (core.groups() as f64, f64::from(core.phases));
    let fire = phases * groups * f64::from(core.fire.slots());
    match core.mode {
        Mode::Event { payload: Payload::Multiply, .. } => events * groups + fire,
        Mode::Event { payload: Payload::ShiftAdd, .. } => set_bits * groups + fire,
        Mode::Matrix { .. } => phases * groups * core.chunks() as f64 + fire,
    }
}

/// What the senders of `core` send together.
pub fn traffic_into(quant: &QuantGraph, core: &Core, traffic: &[Traffic]) -> Traffic {
    core.projections.iter().fold(Traffic::default(), |sum, &p| {
        let sent = traffic.get(quant.projection(p).projection.pre.0).copied().unwrap_or_default();
        Traffic { events: sum.events + sent.events, set_bits: sum.set_bits + sent.set_bits }
    })
}

/// The cost of every layer, in the order of the cores.
pub fn layers(net: &MappedNet, traffic: &[Traffic]) -> Vec<LayerCost> {
    net.cores()
        .map(|(_, unit, core)| {
            let into = traffic_into(&net.quant, core, traffic);
            LayerCost {
                name: unit.name.clone(),
                mode: core.mode.name(),
                lanes: core.mode.lanes(),
                rows: core.mode.rows(),
                cycles: cycles(core, into.events, into.set_bits),
            }
        })
        .collect()
}

/// Cycles between images: the slowest layer, or the image's own beats.
pub fn interval(net: &MappedNet, traffic: &[Traffic]) -> f64 {
    let border = traffic.first().map_or(0.0, |t| t.events) + f64::from(net.quant.phases());
    layers(net, traffic).iter().fold(border, |most, layer| most.max(layer.cycles))
}

/// The area of every core together.
pub fn area(net: &MappedNet) -> Area {
    net.cores().map(|(_, _, core)| core_area(core, net.target)).sum()
}

/// The area of one core. Block RAMs and multipliers follow from the layout; LUTs and flip-flops are an estimate, fitted to
/// Yosys on ECP5.
pub fn core_area(core: &Core, target: Target) -> Area {
    let (lanes, rows) = (core.mode.lanes(), core.mode.rows());
    let v = core.membrane_bits as usize;
    let products = lanes * rows;
    let product_bits = (core.weight_bits + core.value_bits) as usize;
    let (result_bits, fire_bits) = match core.fire {
        Fire::Count { bits, .. } => (bits as usize + 1, v.max((core.theta_bits + bits) as usize) * 3),
        Fire::Unit { .. } | Fire::Step => (1, v * 3),
        Fire::Readout => (v, 0),
    };
    let memories = core
        .weight_slices(target)
        .iter()
        .map(|slice| memory(core.weight_words(), slice.bits, target))
        .chain(std::iter::once(memory(core.groups(), lanes * v, target)))
        .chain(core.mode_buffers().map(|(words, bits)| memory(words, bits, target)))
        .sum();
    let multiply = core.value_bits > 1 && !matches!(core.mode, Mode::Event { payload: Payload::ShiftAdd, .. });
    let has_dsp = device::capacity(target).is_none_or(|c| c.dsp > 0);
    let (dsp, product_lut) = match (multiply, has_dsp) {
        (true, true) => (products, 0),
        (true, false) => (0, products * core.weight_bits as usize * (core.value_bits as usize + 1)),
        (false, _) if core.value_bits > 1 => (0, products * product_bits * 2),
        (false, _) => (0, products * core.weight_bits as usize),
    };
    let tree = lanes * (rows - 1) * (product_bits + 2);
    let params = lanes * (core.theta_bits as usize + v) * core.groups().min(64).div_ceil(16);
    let logic = Area {
        lut: product_lut + tree + lanes * (v * 3 + fire_bits + result_bits * 3) + params + 220,
        ff: products * (core.weight_bits as usize + product_bits) + lanes * (v * 2 + result_bits * 2) + 180,
        bram: 0,
        dsp,
    };
    logic + memories
}

/// A memory as block RAM, or as LUT RAM if it is small.
fn memory(words: usize, bits: usize, target: Target) -> Area {
    if words * bits < SMALLEST_BLOCK_BITS || words <= 32 {
        let lut = (words * bits).div_ceil(8);
        return Area { lut, ff: bits, bram: 0, dsp: 0 };
    }
    Area { bram: device::blocks(words, bits, target), ..Area::default() }
}
