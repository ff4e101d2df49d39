//! Parameters, tables and weight words of window matrix cores.
//!
//! Words of the weight memory, projection after projection, the last named fastest:
//! - conv, channelwise: channel group, row tap, column tap, chunk of the group's range;
//! - dense: row, column and channel group of the receivers, sender row, sender column, chunk.
//!
//! Words of an input buffer: projection, sender row, sender column, chunk of all the sender's channels.

use super::memory::Word;
use super::views::index_bits;
use super::window::{Parameter, Table, Widths, channelwise, dense_weight, packed, tap_weight, weight_bases};
use crate::ir::layout::Place;
use crate::ir::mapped::{Connection, Core, CoreInput};
use crate::ir::snn::Synapses;

/// What the core is told beyond [`super::window::parameters`].
pub fn parameters(core: &Core) -> Vec<Parameter> {
    let (bases, words) = buffer_bases(core);
    let word_bits = index_bits(words);
    let vector = |values: Vec<usize>| packed(values.into_iter().map(|v| v % (1 << word_bits)), word_bits);
    let factor = |columns: bool| {
        let of = |i: &CoreInput| chunks(core, i) * if columns { 1 } else { i.window.input[2] };
        vector(core.fields.iter().map(of).collect())
    };
    vec![
        ("Rows", core.mode.rows().to_string()),
        ("Words", words.to_string()),
        ("WordBits", word_bits.to_string()),
        ("ChunkBits", chunk_bits(core).to_string()),
        ("RowStepBits", index_bits(most_steps(core, 0)).to_string()),
        ("ColumnStepBits", index_bits(most_steps(core, 1)).to_string()),
        ("RowFactors", factor(false)),
        ("ColumnFactors", factor(true)),
        ("Bases", vector(bases)),
    ]
}

/// The tables `{projection, coordinate, step}` of rows and columns, and `{projection, channel group}` of channels.
pub fn tables(core: &Core) -> Vec<Table> {
    vec![axis_table(core, 0, "row"), axis_table(core, 1, "column"), channel_table(core)]
}

/// Chunks of all channels of a sender pixel: words that the pixel takes in a buffer.
fn chunks(core: &Core, input: &CoreInput) -> usize {
    input.window.input[0].div_ceil(core.mode.rows())
}

/// The most chunks that a tap reads.
fn chunk_bits(core: &Core) -> u32 {
    index_bits(core.fields.iter().map(|input| core.input_chunks(input)).max().unwrap_or(1))
}

/// The first word of each projection in a buffer, and the words of the buffer.
fn buffer_bases(core: &Core) -> (Vec<usize>, usize) {
    let mut next = 0;
    let mut take = |input: &CoreInput| {
        let base = next;
        next += input.window.input[1] * input.window.input[2] * chunks(core, input);
        base
    };
    let bases = core.fields.iter().map(&mut take).collect();
    (bases, next)
}

/// One tap along an axis.
struct Step {
    /// The sender's coordinate.
    at: usize,
    /// What the step adds to the weight's address.
    weight: usize,
    /// No later receiver reads the coordinate.
    read_last: bool,
}

/// Words between neighbouring channel groups in the weight memory.
fn group_words(core: &Core, input: &CoreInput) -> usize {
    let [_, h, w] = input.window.input;
    core.input_chunks(input)
        * match input.connection {
            Connection::Dense => h * w,
            Connection::Conv | Connection::Channelwise { .. } => input.window.kernel[0] * input.window.kernel[1],
        }
}

/// The taps along an axis that the receiver at coordinate `out` reads.
fn steps(core: &Core, input: &CoreInput, axis: usize, out: usize) -> Vec<Step> {
    let chunks = core.input_chunks(input);
    // Words between neighbouring taps, or sender coordinates of a dense projection.
    let across = match input.connection {
        Connection::Dense => input.window.input[2],
        Connection::Conv | Connection::Channelwise { .. } => input.window.kernel[1],
    };
    let stride = if axis == 0 { across * chunks } else { chunks };
    if input.connection == Connection::Dense {
        let pixel = core.grid().channel_groups() * group_words(core, input);
        let block = if axis == 0 { core.extent[2] * pixel } else { pixel };
        let read_last = out + 1 == core.extent[axis + 1];
        let step = |at| Step { at, weight: out * block + at * stride, read_last };
        return (0..input.window.input[axis + 1]).map(step).collect();
    }
    let step = |(at, tap)| {
        let last = input.window.receivers(axis, at).last().map(|&(last, _)| last);
        Step { at, weight: tap * stride, read_last: last == Some(out) }
    };
    input.window.taps(axis, out).map(step).collect()
}

/// The most steps that a group takes along an axis.
fn most_steps(core: &Core, axis: usize) -> usize {
    let of = |input: &CoreInput| {
        (0..core.extent[axis + 1]).map(|out| steps(core, input, axis, out).len()).max().unwrap_or(1)
    };
    core.fields.iter().map(of).max().unwrap_or(1)
}

fn axis_table(core: &Core, axis: usize, name: &'static str) -> Table {
    let (widths, word_bits) = (Widths::of(core), index_bits(buffer_bases(core).1));
    let (out_bits, step_bits) = (index_bits(core.extent[axis + 1]), index_bits(most_steps(core, axis)));
    let all: Vec<Vec<Vec<Step>>> = core
        .fields
        .iter()
        .map(|input| (0..core.extent[axis + 1]).map(|out| steps(core, input, axis, out)).collect())
        .collect();
    let fields = |address: usize| {
        let (step, out) = (address % (1 << step_bits), address >> step_bits);
        let (projection, out) = (out >> out_bits, out % (1 << out_bits));
        // Addresses that are never read repeat the entry before, which costs the least logic.
        let projection = projection.min(all.len() - 1);
        let steps = &all[projection][out.min(core.extent[axis + 1] - 1)];
        match steps.get(step).or(steps.last()) {
            Some(Step { at, weight, read_last }) => {
                let input = &core.fields[projection];
                let pixels = if axis == 0 { input.window.input[2] } else { 1 };
                vec![
                    (usize::from(step + 1 >= steps.len()), 1),
                    (1, 1),
                    (usize::from(*read_last), 1),
                    (at * pixels * chunks(core, input), word_bits),
                    (*weight, widths.addr),
                ]
            }
            // Nothing is hit.
            None => vec![(1, 1)],
        }
    };
    let addr_bits = widths.projection + out_bits + step_bits;
    Table::new(name, (3 + word_bits + widths.addr) as usize, addr_bits, fields)
}

fn channel_table(core: &Core) -> Table {
    let widths = Widths::of(core);
    let ((buffers, words), weights) = (buffer_bases(core), weight_bases(core));
    let (word_bits, chunk_bits) = (index_bits(words), chunk_bits(core));
    let groups = core.grid().channel_groups();
    let fields = |address: usize| {
        let (projection, group) = (address >> widths.channel_group, address % (1 << widths.channel_group));
        let Some(input) = core.fields.get(projection).filter(|_| group < groups) else { return Vec::new() };
        let range = core.chunk_range(input, group);
        if range.is_empty() {
            return Vec::new();
        }
        // The ranges of channel groups ascend, so a later one can hold no more of this one's than its last chunk.
        let again = (group + 1..groups).any(|later| core.chunk_range(input, later).contains(&(range.end - 1)));
        let head = channelwise(input).is_some() || group + 1 == groups;
        vec![
            (1, 1),
            (usize::from(head), 1),
            (usize::from(!again), 1),
            (range.len() - 1, chunk_bits),
            (buffers[projection] + range.start, word_bits),
            (weights[projection] + group * group_words(core, input), widths.addr),
        ]
    };
    let width = 3 + chunk_bits + word_bits + widths.addr;
    Table::new("channel", width as usize, widths.projection + widths.channel_group, fields)
}

/// Gives the words that one projection takes to `emit`, in order.
pub fn weight_words(core: &Core, input: &CoreInput, synapses: &Synapses<i32>, mut emit: impl FnMut(Word)) {
    let (grid, rows, bits) = (core.grid(), core.mode.rows(), core.weight_bits as usize);
    let chunks = core.input_chunks(input);
    let mut word_of = |weight: &dyn Fn(usize, usize) -> i32| {
        let mut word = Word::new();
        for lane in 0..grid.lanes {
            (0..rows).for_each(|row| word.push(i64::from(weight(lane, row)), bits));
        }
        emit(word);
    };
    if input.connection == Connection::Dense {
        let [_, h, w] = input.window.input;
        for group in 0..grid.groups() {
            for (at, chunk) in (0..h * w).flat_map(|at| (0..chunks).map(move |chunk| (at, chunk))) {
                word_of(&|lane, row| {
                    let sender = [chunk * rows + row, at / w, at % w];
                    dense_weight(core, input, synapses, Place { group, lane }, sender)
                });
            }
        }
        return;
    }
    let [taps_y, taps_x] = input.window.kernel;
    for group in 0..grid.channel_groups() {
        let range = core.chunk_range(input, group);
        for tap in 0..taps_y * taps_x {
            for chunk in 0..chunks {
                // Channels outside the group's range have no weight, so the words behind a short range are zero.
                word_of(&|lane, row| {
                    let (post, pre) = (group * grid.lanes + lane, (range.start + chunk) * rows + row);
                    tap_weight(synapses, post, pre, [tap / taps_x, tap % taps_x])
                });
            }
        }
    }
}
