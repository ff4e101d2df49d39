//! What a memory becomes on a device, as Yosys maps it (observed with Yosys 0.70; `tests/map_yosys.rs` compares again).
//!
//! A memory of `W` words × `B` bits on blocks of depth `D` and width `w` is folded into `⌈W/D⌉·B` columns of depth `D`, and
//! these columns are packed `w` to a block whatever word they belong to. The best aspect ratio is taken. A memory that is small for the
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

/// The block RAM of a family.
struct Blocks {
    /// Depth and width of every aspect ratio, deepest first.
    shapes: &'static [(usize, usize)],
    /// Bits of ROM that are worth one block.
    rom_bits: u64,
    /// Bits of RAM in flip-flops that are worth one block.
    ram_bits: u64,
    /// The width that a wide memory is cut into.
    natural: usize,
}

const ECP5: Blocks = Blocks {
    shapes: &[(16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36)],
    rom_bits: 2048,
    ram_bits: 128,
    natural: 18,
};
const ICE40: Blocks =
    Blocks { shapes: &[(2048, 2), (1024, 4), (512, 8), (256, 16)], rom_bits: 1024, ram_bits: 64, natural: 16 };
const XC7: Blocks = Blocks { rom_bits: 8256, ram_bits: 129, ..ECP5 };

fn blocks_of(target: Target) -> Blocks {
    match target {
        Target::Ecp5_25k | Target::Ecp5_85k | Target::Generic => ECP5,
        Target::Ice40Hx8k | Target::Ice40Up5k => ICE40,
        Target::Xc7 => XC7,
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
    let family = blocks_of(target);
    let (blocks, rows) = best_shape(&family, words, bits);
    let in_blocks = MemoryCost { blocks, luts: (rows - 1) * bits as u64, ffs: 0 };
    match kind {
        // Yosys keeps a ROM in LUTs up to a little (about one part in 32) above the size that it quotes for a block.
        MemoryKind::Rom if size * 32 <= family.rom_bits * blocks * 33 => {
            let luts = match target {
                Target::Xc7 => size.div_ceil(64),
                // Eight-input functions need multiplexers between their LUTs; ECP5 has them beside the LUT.
                Target::Ice40Hx8k | Target::Ice40Up5k => size.div_ceil(8),
                _ => size.div_ceil(16),
            };
            MemoryCost { blocks: 0, luts, ffs: 0 }
        }
        MemoryKind::Rom => in_blocks,
        MemoryKind::Ram => match distributed(target, words, bits) {
            Some((cells_cost, luts)) if cells_cost < family.ram_bits * blocks => MemoryCost { blocks: 0, luts, ffs: 0 },
            None if size <= family.ram_bits * blocks => {
                // Written by a decoder, read by a multiplexer.
                MemoryCost { blocks: 0, luts: 2 * size, ffs: size }
            }
            _ => in_blocks,
        },
    }
}

/// Fewest blocks over all aspect ratios, and the rows of blocks (the inputs of the multiplexer behind them) they form.
fn best_shape(family: &Blocks, words: usize, bits: usize) -> (u64, u64) {
    let cost = |&(depth, width): &(usize, usize)| {
        let rows = words.div_ceil(depth) as u64;
        ((rows * bits as u64).div_ceil(width as u64), rows)
    };
    family.shapes.iter().map(cost).min().unwrap_or((0, 1))
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
    let family = blocks_of(target);
    // In bits of ROM that a block or the LUTs are worth to Yosys.
    let price = |slices: &[Slice]| -> u64 {
        slices
            .iter()
            .map(|s| if s.blocks == 0 { words as u64 * s.bits as u64 } else { family.rom_bits * s.blocks })
            .sum()
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

fn cut(target: Target, words: usize, bits: usize, width: usize) -> Vec<Slice> {
    (0..bits)
        .step_by(width)
        .map(|offset| {
            let bits = width.min(bits - offset);
            Slice { offset, bits, blocks: memory(target, MemoryKind::Rom, words, bits).blocks }
        })
        .collect()
}
