//! Parameters, tables and weight words of window event cores.
//!
//! Words of the weight memory, projection after projection, the last named fastest:
//! - conv: sender channel, row tap, column tap, channel group;
//! - channelwise: channel of the projection, row tap, column tap;
//! - dense: sender channel, sender row, sender column, block row, block column, channel group.
//!
//! Along an axis with several banks all taps stand side by side in one word instead (of a dense projection: the banks).

use super::memory::Word;
use super::views::index_bits;
use super::window::{
    Parameter, Table, Widths, channel_math_bits, channelwise, dense_weight, packed, tap_weight, weight_bases,
};
use crate::ir::layout::Place;
use crate::ir::mapped::{Connection, Core, CoreInput, Payload};
use crate::ir::snn::Synapses;

/// What the core is told beyond [`super::window::parameters`].
pub fn parameters(core: &Core) -> Vec<Parameter> {
    let (grid, widths, [rows, columns]) = (core.grid(), Widths::of(core), core.word_taps());
    let math_bits = channel_math_bits(core);
    let bases = weight_bases(core);
    let steps = |axis: usize| index_bits(most_steps(core, axis));
    let part = |which: fn((usize, usize, usize)) -> usize| {
        packed(core.fields.iter().map(|i| channelwise(i).map_or(0, which)), math_bits)
    };
    let factors =
        core.fields.iter().zip(&bases).map(|(i, &base)| Strides::of(core, i, base).channel % (1 << widths.addr));
    let factors: Vec<usize> = factors.collect();
    let mut list = vec![
        ("ChannelFactors", packed(factors.into_iter(), widths.addr)),
        ("Channelwise", packed(core.fields.iter().map(|i| usize::from(channelwise(i).is_some())), 1)),
        ("From", part(|p| p.0)),
        ("To", part(|p| p.1)),
        ("Channels", part(|p| p.2)),
    ];
    let mut set = |key: &'static str, value: usize| list.push((key, value.to_string()));
    set("ChannelMathBits", math_bits as usize);
    set("LaneBits", index_bits(grid.lanes) as usize);
    set("RowStepBits", steps(0) as usize);
    set("ColumnStepBits", steps(1) as usize);
    set("WordRows", rows);
    set("WordColumns", columns);
    set("RowTapBits", index_bits(rows) as usize);
    set("ColumnTapBits", index_bits(columns) as usize);
    set("Broadcast", usize::from(core.broadcasts()));
    set("ShiftAdd", usize::from(core.mode.payload() == Some(Payload::ShiftAdd)));
    list
}

/// The tables `{projection, coordinate, step}` of rows and columns.
pub fn tables(core: &Core) -> Vec<Table> {
    [(0, "row"), (1, "column")].map(|(axis, name)| table(core, axis, name)).into()
}

fn table(core: &Core, axis: usize, name: &'static str) -> Table {
    let widths = Widths::of(core);
    let (at_bits, step_bits) = (widths.sender[axis + 1], index_bits(most_steps(core, axis)));
    let tap_bits = index_bits(core.word_taps()[axis]);
    let width = 1 + widths.addr + core.mode.banks()[axis] as u32 * (1 + widths.group + tap_bits);
    let bases = weight_bases(core);
    let steps: Vec<Vec<Vec<Step>>> = core
        .fields
        .iter()
        .zip(&bases)
        .map(|(input, &base)| (0..input.window.input[axis + 1]).map(|at| steps(core, input, base, axis, at)).collect())
        .collect();
    let fields = |address: usize| {
        let (step, at) = (address % (1 << step_bits), address >> step_bits);
        let (projection, at) = (at >> at_bits, at % (1 << at_bits));
        // Addresses that are never read repeat the entry before, which costs the least logic.
        let rows = &steps[projection.min(steps.len() - 1)];
        let steps = &rows[at.min(rows.len() - 1)];
        let last = steps.len() - 1;
        let Step { weight, banks } = &steps[step.min(last)];
        let mut fields = vec![(usize::from(step >= last), 1), (weight % (1 << widths.addr), widths.addr)];
        for reached in banks {
            let (block, tap) = reached.unwrap_or((0, 0));
            fields.extend([(usize::from(reached.is_some()), 1), (block, widths.group), (tap, tap_bits)]);
        }
        fields
    };
    let addr_bits = widths.projection + at_bits + step_bits;
    Table::new(name, width as usize, addr_bits, fields)
}

/// One step of an event along an axis.
struct Step {
    /// What it adds to the weight's address.
    weight: usize,
    /// By bank row or column: what it adds to the group, and the tap of the word, if the bank is hit.
    banks: Vec<Option<(usize, usize)>>,
}

/// Words of the weight memory between neighbours.
struct Strides {
    /// Sender channels.
    channel: usize,
    /// Row and column taps; dense: sender rows and columns.
    tap: [usize; 2],
    /// The first word, for sender channel 0; modulo the size of the address.
    base: usize,
}

impl Strides {
    fn of(core: &Core, input: &CoreInput, base: usize) -> Strides {
        let (grid, [_, h, w]) = (core.grid(), input.window.input);
        let steps = |axis: usize| if grid.banks[axis] == 1 { input.window.kernel[axis] } else { 1 };
        let groups = match input.connection {
            Connection::Dense => {
                let column = grid.groups();
                return Strides { channel: h * w * column, tap: [w * column, column], base };
            }
            Connection::Conv => grid.channel_groups(),
            Connection::Channelwise { .. } => 1,
        };
        let channel = steps(0) * steps(1) * groups;
        // The words begin with the projection's first channel.
        let from = channelwise(input).map_or(0, |(from, ..)| from * channel);
        let modulus = 1usize << Widths::of(core).addr;
        Strides { channel, tap: [steps(1) * groups, groups], base: (base + modulus - from % modulus) % modulus }
    }
}

/// The steps of an event at coordinate `at`; at least one.
fn steps(core: &Core, input: &CoreInput, base: usize, axis: usize, at: usize) -> Vec<Step> {
    let (grid, strides) = (core.grid(), Strides::of(core, input, base));
    let banks = grid.banks[axis];
    // What a block adds to the group.
    let block = if axis == 0 { grid.blocks()[1] * grid.channel_groups() } else { grid.channel_groups() };
    let base = if axis == 0 { strides.base } else { 0 };
    if input.connection == Connection::Dense {
        let step = |j: usize| Step {
            weight: base + at * strides.tap[axis] + j * block,
            banks: (0..banks)
                .map(|bank| (j * banks + bank < core.extent[axis + 1]).then_some((j * block, bank)))
                .collect(),
        };
        return (0..grid.blocks()[axis]).map(step).collect();
    }
    let mut dealt: Vec<Vec<(usize, usize)>> = vec![Vec::new(); banks];
    for (out, tap) in input.window.receivers(axis, at) {
        dealt[out % banks].push((out / banks * block, tap));
    }
    let count = dealt.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let step = |j: usize| {
        let reached = dealt.iter().map(|bank| bank.get(j).copied());
        // With one bank the tap is in the address, otherwise it selects from the word.
        match (banks, dealt[0].get(j)) {
            (1, Some(&(block, tap))) => Step { weight: base + tap * strides.tap[axis], banks: vec![Some((block, 0))] },
            _ => Step { weight: base, banks: reached.collect() },
        }
    };
    (0..count).map(step).collect()
}

/// The most steps that an event of any projection takes along an axis.
fn most_steps(core: &Core, axis: usize) -> usize {
    let of = |input: &CoreInput| {
        (0..input.window.input[axis + 1]).map(|at| steps(core, input, 0, axis, at).len()).max().unwrap_or(1)
    };
    core.fields.iter().map(of).max().unwrap_or(1)
}

/// Gives the words that one projection takes to `emit`, in order.
pub fn weight_words(core: &Core, input: &CoreInput, synapses: &Synapses<i32>, mut emit: impl FnMut(Word)) {
    let grid = core.grid();
    let [c_all, h, w] = input.window.input;
    let bits = core.weight_bits as usize;
    let [rows, columns] = core.word_taps();
    if input.connection == Connection::Dense {
        for c in 0..c_all {
            for at in 0..h * w {
                for group in 0..grid.groups() {
                    let mut word = Word::new();
                    // A word has the banks of one axis only if there are several.
                    for lane in 0..grid.group_lanes() {
                        let place = Place { group, lane };
                        let weight = dense_weight(core, input, synapses, place, [c, at / w, at % w]);
                        let bank = lane / grid.lanes;
                        let (row, column) = (bank / grid.banks[1], bank % grid.banks[1]);
                        word.skip_to(((row * columns + column) * grid.lanes + lane % grid.lanes) * bits);
                        word.push(i64::from(weight), bits);
                    }
                    emit(word);
                }
            }
        }
        return;
    }
    // The taps of a word along an axis: one, or all.
    let taps = |axis: usize, step: usize| {
        if grid.banks[axis] == 1 { step..step + 1 } else { 0..input.window.kernel[axis] }
    };
    let steps = |axis: usize| if grid.banks[axis] == 1 { input.window.kernel[axis] } else { 1 };
    let (senders, groups) = match channelwise(input) {
        Some((from, _, channels)) => (from..from + channels, 1),
        None => (0..c_all, grid.channel_groups()),
    };
    debug_assert!(rows >= taps(0, 0).len());
    for c in senders {
        // The receiver of a channelwise projection, whose word has other lanes only if the core does not broadcast.
        let receiver = channelwise(input).map(|(from, to, _)| c - from + to);
        for (ky, kx) in (0..steps(0)).flat_map(|ky| (0..steps(1)).map(move |kx| (ky, kx))) {
            for group in 0..groups {
                let mut word = Word::new();
                for (i, row) in taps(0, ky).enumerate() {
                    for (j, column) in taps(1, kx).enumerate() {
                        let lanes = if core.broadcasts() { 1 } else { grid.lanes };
                        word.skip_to((i * columns + j) * lanes * bits);
                        for lane in 0..lanes {
                            let post = match receiver {
                                Some(receiver) if core.broadcasts() => receiver,
                                Some(receiver) => receiver / grid.lanes * grid.lanes + lane,
                                None => group * grid.lanes + lane,
                            };
                            word.push(i64::from(tap_weight(synapses, post, c, [row, column])), bits);
                        }
                    }
                }
                emit(word);
            }
        }
    }
}
