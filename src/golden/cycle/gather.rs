//! What a matrix core reads of a phase's input, counted in issue slots and words.

use crate::ir::layout::Grid;
use crate::ir::mapped::{Connection, Core, CoreInput, Mode};

/// Issue slots of the accumulating ops of each group in a phase.
pub(super) fn slots(core: &Core) -> Vec<u64> {
    let grid = core.grid();
    match core.mode {
        Mode::WindowMatrix { .. } => {
            let of_group = |group| core.fields.iter().map(|input| taps(core, &grid, input, group).max(1)).sum();
            (0..grid.groups()).map(of_group).collect()
        }
        _ => vec![core.chunks() as u64; grid.groups()],
    }
}

/// Slots that `input` takes of a group, 0 if no tap of it reads anything.
fn taps(core: &Core, grid: &Grid, input: &CoreInput, group: usize) -> u64 {
    let channel_groups = grid.channel_groups();
    let (pixel, channel_group) = (group / channel_groups, group % channel_groups);
    let at = [pixel / grid.extent[2], pixel % grid.extent[2]];
    let chunks = core.chunk_range(input, channel_group).len();
    let along = |axis: usize| match input.connection {
        Connection::Dense => input.window.input[axis + 1],
        Connection::Conv | Connection::Channelwise { .. } => input.window.taps(axis, at[axis]).count(),
    };
    (along(0) * along(1) * chunks) as u64
}

/// Words of an input buffer.
pub(super) fn words(core: &Core) -> u64 {
    match core.mode {
        Mode::WindowMatrix { rows, .. } => {
            let of_input = |input: &CoreInput| {
                let [channels, height, width] = input.window.input;
                (height * width * channels.div_ceil(rows)) as u64
            };
            core.fields.iter().map(of_input).sum()
        }
        _ => core.chunks() as u64,
    }
}
