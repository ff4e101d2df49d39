//! What a memory becomes on a device, as Yosys maps it (observed with Yosys 0.70; `tests/map_yosys.rs` compares again).
//!
//! A memory of `W` words × `B` bits on blocks of depth `D` and width `w` is folded into `⌈W/D⌉·B` columns of depth `D`, and
//! these columns are packed `w` to a block whatever word they belong to. The aspect ratio is taken whose blocks and multiplexers cost
//! least. A memory that is small for the
//! blocks it would take becomes LUTs (or flip-flops).

use crate::ir::mapped::{Core, Target};

/// How a memory is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Initialised, never written.
    Rom,
    /// One write port and one read port.
    Ram,
}

/// What a memory becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryCost {
    /// Block RAMs (in the device's unit, see [`super::Device::blocks`]).
    pub blocks: u64,
    /// LUTs: distributed memory, or the multiplexers behind several blocks.
    pub luts: u64,
    /// Flip-flops that hold memory bits.
    pub ffs: u64,
}

/// A range of columns of a weight memory that is a memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Its lowest bit in the weight word.
    pub offset: usize,
    /// Its width.
    pub bits: usize,
    /// The block RAMs that it takes; 0 if it is better made of LUTs.
    pub blocks: u64,
}

/// One aspect ratio of a block RAM.
struct Shape {
    depth: usize,
    width: usize,
    /// What it takes of the device's unit.
    units: u64,
    /// Yosys' price for it, in bits of multiplexer behind it.
    price: u64,
}

/// The memories of a family.
struct Family {
    shapes: Vec<Shape>,
    /// Bits of ROM in LUTs that cost as much as one bit of multiplexer.
    rom_bits: u64,
    /// The width that a wide memory is cut into.
    natural: usize,
}

fn family(target: Target) -> Family {
    let shapes = |depths: &[(usize, usize)], units, price| -> Vec<Shape> {
        depths.iter().map(|&(depth, width)| Shape { depth, width, units, price }).collect()
    };
    const KBIT_18: [(usize, usize); 6] = [(16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)];
    const KBIT_36: [(usize, usize); 7] =
        [(32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36), (512, 72)];
    const KBIT_4: [(usize, usize); 4] = [(2048, 2), (1024, 4), (512, 8), (256, 16)];
    match target {
        Target::Ecp5_25k | Target::Ecp5_85k | Target::Generic => {
            Family { shapes: shapes(&KBIT_18, 1, 128), rom_bits: 16, natural: 18 }
        }
        Target::Ice40Hx8k | Target::Ice40Up5k => Family { shapes: shapes(&KBIT_4, 1, 64), rom_bits: 16, natural: 16 },
        Target::Xc7 => {
            let mut all = shapes(&KBIT_18, 1, 129);
            all.extend(shapes(&KBIT_36, 2, 257));
            Family { shapes: all, rom_bits: 64, natural: 18 }
        }
    }
}

/// A memory in block RAMs.
struct InBlocks {
    blocks: u64,
    /// Bits of multiplexer behind them.
    muxes: u64,
    price: u64,
}

impl Family {
    /// The cheapest aspect ratio for `words` × `bits`.
    fn in_blocks(&self, words: usize, bits: usize) -> Option<InBlocks> {
        let cost = |shape: &Shape| {
            let rows = words.div_ceil(shape.depth) as u64;
            let count = (rows * bits as u64).div_ceil(shape.width as u64);
            let muxes = (rows - 1) * bits as u64;
            InBlocks { blocks: count * shape.units, muxes, price: count * shape.price + muxes }
        };
        self.shapes.iter().map(cost).min_by_key(|m| (m.price, m.blocks))
    }
}

/// Cost of one memory of `words` × `bits`.
pub fn memory(target: Target, kind: MemoryKind, words: usize, bits: usize) -> MemoryCost {
    let size = words as u64 * bits as u64;
    // A single word is no memory: a constant, or a register.
    if words <= 1 || bits == 0 {
        let ffs = if kind == MemoryKind::Ram { size } else { 0 };
        return MemoryCost { blocks: 0, luts: 0, ffs };
    }
    let family = family(target);
    let Some(best) = family.in_blocks(words, bits) else { return MemoryCost::default() };
    let in_blocks = MemoryCost { blocks: best.blocks, luts: best.muxes, ffs: 0 };
    match kind {
        MemoryKind::Rom if in_luts(&family, size, best.price) => {
            let luts = match target {
                Target::Xc7 => size.div_ceil(64),
                // Functions of many inputs need multiplexers between their LUTs; ECP5 has them beside the LUT.
                Target::Ice40Hx8k | Target::Ice40Up5k => size.div_ceil(8),
                _ => size.div_ceil(16),
            };
            MemoryCost { blocks: 0, luts, ffs: 0 }
        }
        MemoryKind::Rom => in_blocks,
        MemoryKind::Ram => match distributed(target, words, bits) {
            Some((price, luts)) if price < best.price => MemoryCost { blocks: 0, luts, ffs: 0 },
            // Flip-flops: written by a decoder, read by a multiplexer.
            None if size <= best.price => MemoryCost { blocks: 0, luts: 2 * size, ffs: size },
            _ => in_blocks,
        },
    }
}

/// True if Yosys makes a ROM of `size` bits of LUTs rather than pay `price`: it does so up to a little (about one part in 32)
/// above the even price.
fn in_luts(family: &Family, size: u64, price: u64) -> bool {
    size * 32 <= family.rom_bits * price * 33
}

/// Yosys' cost and the LUTs of a small RAM made of LUTs, where the family has such.
fn distributed(target: Target, words: usize, bits: usize) -> Option<(u64, u64)> {
    match target {
        Target::Ice40Hx8k | Target::Ice40Up5k => None,
        Target::Xc7 => {
            let cells = |depth: usize, width: usize| (words.div_ceil(depth) * bits.div_ceil(width)) as u64;
            let best = cells(32, 6).min(cells(64, 3));
            Some((8 * best, 4 * best))
        }
        Target::Ecp5_25k | Target::Ecp5_85k | Target::Generic => {
            let rows = words.div_ceil(16);
            let columns = bits.div_ceil(4);
            // Four LUTs hold the bits and two more are taken by the write port.
            Some((4 * (rows.next_power_of_two() * columns) as u64, 6 * (rows * columns) as u64))
        }
    }
}

/// How the weight memory of `core` is cut into memories that lie side by side, lowest bits first.
///
/// The slices are as narrow as the family's block (so that a reader of the netlist finds them, and a router need not gather
/// one wide word) unless wider ones are cheaper. They cover the weight word without gap or overlap.
pub fn slices(core: &Core, target: Target) -> Vec<Slice> {
    let (words, bits) = (core.weight_words(), core.weight_word_bits());
    let family = family(target);
    let price = |slices: &[Slice]| -> u64 {
        let one = |s: &Slice| match family.in_blocks(words, s.bits) {
            Some(in_blocks) if s.blocks > 0 => in_blocks.price,
            _ => (words * s.bits) as u64 / family.rom_bits,
        };
        slices.iter().map(one).sum()
    };
    let mut width = family.natural;
    let mut best = cut(target, words, bits, width);
    while width < bits {
        width *= 2;
        let wider = cut(target, words, bits, width);
        if price(&wider) < price(&best) {
            best = wider;
        }
    }
    best
}

/// The width of those slices (of all but the last, which may be narrower).
pub fn slice_bits(core: &Core, target: Target) -> usize {
    slices(core, target).first().map_or(1, |slice| slice.bits)
}

fn cut(target: Target, words: usize, bits: usize, width: usize) -> Vec<Slice> {
    (0..bits)
        .step_by(width)
        .map(|offset| {
            let bits = width.min(bits - offset);
            Slice { offset, bits, blocks: memory(target, MemoryKind::Rom, words, bits).blocks }
        })
        .collect()
}
