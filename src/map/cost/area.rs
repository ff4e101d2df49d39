//! Area of a unit: block RAMs and multipliers exactly, LUTs and flip-flops roughly.

use super::device::device;
use super::memory::{MemoryCost, MemoryKind, memory, slices};
use crate::fixed::unsigned_bits;
use crate::ir::mapped::{Core, DECAY_BITS, FETCH_QUEUE, Fire, MappedNet, Payload, Target};
use std::ops::{Add, AddAssign};

/// Resources that a unit or a design takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// LUTs (of the family's size); an estimate.
    pub luts: u64,
    /// Flip-flops; an estimate.
    pub ffs: u64,
    /// Block RAMs, in the device's unit (see [`super::Device::blocks`]).
    pub blocks: u64,
    /// Hardware multipliers.
    pub dsps: u64,
}

impl Add for Area {
    type Output = Area;
    fn add(self, other: Area) -> Area {
        Area {
            luts: self.luts.saturating_add(other.luts),
            ffs: self.ffs.saturating_add(other.ffs),
            blocks: self.blocks.saturating_add(other.blocks),
            dsps: self.dsps.saturating_add(other.dsps),
        }
    }
}

impl Area {
    /// What is left without `part`, which is a part of it.
    pub fn without(self, part: Area) -> Area {
        Area {
            luts: self.luts.saturating_sub(part.luts),
            ffs: self.ffs.saturating_sub(part.ffs),
            blocks: self.blocks.saturating_sub(part.blocks),
            dsps: self.dsps.saturating_sub(part.dsps),
        }
    }

    /// The area of `n` of these.
    fn times(self, n: usize) -> Area {
        let n = n as u64;
        Area {
            luts: self.luts.saturating_mul(n),
            ffs: self.ffs.saturating_mul(n),
            blocks: self.blocks.saturating_mul(n),
            dsps: self.dsps.saturating_mul(n),
        }
    }
}

impl AddAssign for Area {
    fn add_assign(&mut self, other: Area) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Area {
    fn sum<I: Iterator<Item = Area>>(iter: I) -> Area {
        iter.fold(Area::default(), Area::add)
    }
}

impl From<MemoryCost> for Area {
    fn from(cost: MemoryCost) -> Area {
        Area { luts: cost.luts, ffs: cost.ffs, blocks: cost.blocks, dsps: 0 }
    }
}

/// Area of a fork to `outputs` streams whose beats have `beat_bits` payload bits: a two-entry register for each.
pub fn fork_area(outputs: usize, beat_bits: u32) -> Area {
    (0..outputs).map(|_| spill(beat_bits)).sum()
}

/// Area of a merge of `inputs` streams into beats of `beat_bits` payload bits: a register, a multiplexer, an adder.
pub fn merge_area(inputs: usize, beat_bits: u32) -> Area {
    let luts = inputs as u64 * (u64::from(beat_bits) + 2);
    spill(beat_bits) + Area { luts, ffs: inputs as u64, blocks: 0, dsps: 0 }
}

/// Area of a queue of `depth` beats with `beat_bits` payload bits: the memory, two pointers and the count, a register.
pub fn queue_area(depth: u32, beat_bits: u32, target: Target) -> Area {
    let counter = u64::from(unsigned_bits(depth.into()));
    let beats: Area = memory(target, MemoryKind::Ram, depth as usize, beat_bits as usize + 1).into();
    beats + spill(beat_bits) + Area { luts: 6 * counter + 16, ffs: 3 * counter + 8, blocks: 0, dsps: 0 }
}

fn spill(beat_bits: u32) -> Area {
    let bits = u64::from(beat_bits) + 1;
    Area { luts: bits + 4, ffs: 2 * bits + 2, blocks: 0, dsps: 0 }
}

/// Area of one core on `target`.
pub fn core_area(core: &Core, target: Target) -> Area {
    if !core.weights.is_internal() {
        return fetch(core, target) + memories(core, target) + logic(core, target);
    }
    let weights: u64 = slices(core, target).iter().map(|s| s.blocks).sum();
    let weight_logic: Area = slices(core, target)
        .iter()
        .map(|s| memory(target, MemoryKind::Rom, core.weight_words(), s.bits).into())
        .map(|a: Area| Area { blocks: 0, ..a })
        .sum();
    weight_logic + Area { blocks: weights, ..Area::default() } + memories(core, target) + logic(core, target)
}

/// The fetch unit of a core with external weights, and its share of the port.
fn fetch(core: &Core, target: Target) -> Area {
    let count = |n: usize| u64::from(unsigned_bits(n as u64));
    let (addr, group) = (count(core.weight_words()), count(core.groups()));
    // What travels with an op: its kind, its group, the payload; in window cores the hits and taps too.
    let banks: usize = core.mode.banks().iter().sum();
    let travels = 7 + u64::from(core.value_bits) + group * if core.mode.is_window() { banks as u64 } else { 1 };
    let ops: Area = memory(target, MemoryKind::Ram, FETCH_QUEUE, travels as usize).into();
    let words: Area = memory(target, MemoryKind::Ram, FETCH_QUEUE, core.weight_word_bits()).into();
    let control = Area { luts: 60 + 2 * addr, ffs: FETCH_QUEUE as u64 + 60, blocks: 0, dsps: 0 };
    ops + words + control + spill(addr as u32) + spill(addr as u32)
}

/// Everything that is stored apart from the weights. Each bank of a window core has its own memories.
fn memories(core: &Core, target: Target) -> Area {
    let (groups, lanes) = (core.groups(), core.mode.channel_lanes());
    let banks = core.mode.lanes() / lanes.max(1);
    let per_group = |kind, bits: u32| -> Area {
        let bank: Area = memory(target, kind, groups, lanes * bits as usize).into();
        bank.times(banks)
    };
    let mut area = per_group(MemoryKind::Ram, core.state_bits());
    if core.fire.is_leaky() {
        area += per_group(MemoryKind::Rom, core.param_bits());
    } else if core.fire != Fire::Relay {
        // Pools begin with 0 and have no threshold.
        area += per_group(MemoryKind::Rom, core.membrane_bits);
    }
    if !matches!(core.fire, Fire::Readout | Fire::Relay) && !core.fire.is_leaky() {
        area += per_group(MemoryKind::Rom, core.theta_bits);
    }
    if matches!(core.fire, Fire::Step | Fire::Multi { .. }) {
        area += per_group(MemoryKind::Rom, core.bias_bits);
    }
    if !core.mode.is_event() {
        // Each of the two buffers has a bank a row, because an event writes one row and an op reads them all.
        let bank: Area = memory(target, MemoryKind::Ram, core.buffer_words(), core.value_bits as usize).into();
        area += bank.times(2 * core.mode.rows());
    }
    area
}

/// LUTs of the family per unit of work, in tenths: measured with Yosys 0.70 on single lanes (20-bit membranes, 8-bit weights and
/// payloads, 5-bit counts, a serialiser of 16 lanes). A carry cell counts as the LUTs that it takes.
struct PerBit {
    /// Per bit of weight times bit of payload, for a multiplier without a hardware one.
    multiply: u64,
    /// Per bit of membrane: accumulate, compare and subtract, and choose between the results.
    fire: u64,
    /// The same where the membranes are only accumulated and sent.
    readout: u64,
    /// Per bit that a lane sends: result register, serialiser, choice of the lane.
    send: u64,
}

fn per_bit(target: Target) -> PerBit {
    match target {
        Target::Ecp5_25k | Target::Ecp5_85k => PerBit { multiply: 45, fire: 110, readout: 55, send: 24 },
        Target::Ice40Hx8k | Target::Ice40Up5k | Target::Generic => {
            PerBit { multiply: 24, fire: 90, readout: 45, send: 16 }
        }
        Target::Xc7 => PerBit { multiply: 17, fire: 60, readout: 30, send: 9 },
    }
}

fn logic(core: &Core, target: Target) -> Area {
    let rows = core.mode.rows() as u64;
    let (weight, value, membrane) =
        (u64::from(core.weight_bits), u64::from(core.value_bits), u64::from(core.membrane_bits));
    let product = weight + if value > 1 { value } else { 0 };
    let per_bit = per_bit(target);

    // In tenths of a LUT.
    let mut tenths = 0;
    let mut lane = Area::default();
    match device(target) {
        _ if value == 1 => tenths += 10 * rows * weight,
        _ if core.mode.payload() == Some(Payload::ShiftAdd) => {
            // A stage of multiplexers a bit of the shift, two of which share LUTs.
            tenths += 7 * product * u64::from(unsigned_bits(value - 1));
        }
        Some(device) if device.dsps > 0 => lane.dsps += rows,
        _ => tenths += per_bit.multiply * rows * weight * value,
    }
    // The tree that adds the rows' products, and its registers.
    tenths += 10 * (rows - 1) * (product + 2);
    lane.ffs += (2 * rows - 1) * product;

    let (membrane_tenths, sent) = match core.fire {
        Fire::Count { bits, .. } | Fire::Multi { bits, .. } => (per_bit.fire, u64::from(bits) + 1),
        Fire::Unit { .. } | Fire::Step | Fire::Leaky => (per_bit.fire, 2),
        Fire::Readout | Fire::LeakyReadout | Fire::Relay => (per_bit.readout, membrane),
    };
    tenths += membrane_tenths * membrane + per_bit.send * sent;
    lane.ffs += 2 * membrane + 3 * sent;
    lane.luts = tenths.div_ceil(10);

    if core.fire.is_leaky() {
        lane += leak(core, target);
    }

    let id = u64::from(unsigned_bits(core.inputs.max(core.neurons) as u64));
    let control = Area { luts: 90 + 12 * id, ffs: 40 + 8 * id, blocks: 0, dsps: 0 };
    lane.times(core.mode.lanes()) + control + spill((id + sent) as u32)
}

/// What the decays of a leaky lane take beyond a lane that only accumulates and fires: the products of membrane and current with
/// their decays, the registers between the four slots, and the clamp.
fn leak(core: &Core, target: Target) -> Area {
    let (membrane, current) = (u64::from(core.membrane_bits), u64::from(core.current_bits));
    let decay = u64::from(DECAY_BITS);
    // The products are signed, so that one bit of an operand of a hardware multiplier is the sign.
    let products = [membrane, current].into_iter().filter(|&bits| bits > 0);
    let has_dsps = device(target).is_some_and(|d| d.dsps > 0);
    let dsps = if has_dsps { products.clone().map(|bits| (bits - 1).div_ceil(17)).sum() } else { 0 };
    let multiply = if has_dsps { 0 } else { products.map(|bits| per_bit(target).multiply * bits * decay / 10).sum() };
    let state = u64::from(core.state_bits());
    Area { luts: multiply + 5 * membrane + 3 * current, ffs: 2 * (membrane + current + decay) + state, blocks: 0, dsps }
}

/// Area of every core of `net` together, without forks and merges.
pub fn net_area(net: &MappedNet) -> Area {
    net.cores().map(|(_, _, core)| core_area(core, net.target)).sum()
}
