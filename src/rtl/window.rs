//! What the wrappers of both kinds of window core need: widths, ids, tables.

use super::memory::Word;
use super::views::index_bits;
use crate::fixed::unsigned_bits;
use crate::ir::layout::{IdLayout, Place};
use crate::ir::mapped::{Connection, Core, CoreInput, Stream};
use crate::ir::snn::Synapses;

/// A Verilog parameter: its name and a constant expression.
pub type Parameter = (&'static str, String);

/// A table of geometry in a wrapper: a memory image and the core's ports that read it.
pub struct Table {
    /// Name of the core's ports, `<name>_addr_o` and `<name>_data_i`, and of the image.
    pub name: &'static str,
    /// Bits of a word.
    pub width: usize,
    /// Words.
    pub depth: usize,
    /// Bits of an address.
    pub addr_bits: u32,
    /// `$readmemh` text.
    pub image: String,
}

impl Table {
    /// The table whose word `address` has the fields `fields(address)`, `(value, bits)` from bit 0 up.
    pub fn new(
        name: &'static str,
        width: usize,
        depth: usize,
        addr_bits: u32,
        fields: impl Fn(usize) -> Vec<(usize, u32)>,
    ) -> Table {
        let mut image = String::new();
        for address in 0..depth {
            let mut word = Word::new();
            fields(address).iter().for_each(|&(value, bits)| word.push(value as i64, bits as usize));
            word.write_hex(0, width, &mut image);
        }
        Table { name, width, depth, addr_bits, image }
    }
}

/// Widths that the core's parts share.
pub struct Widths {
    /// Bits of the projection's number.
    pub projection: u32,
    /// Bits of a sender's channel, row and column, of whichever projection has most.
    pub sender: [u32; 3],
    /// Bits of an address of the weight memory.
    pub addr: u32,
    /// Bits of a group's number.
    pub group: u32,
    /// Bits of a channel group's number.
    pub channel_group: u32,
}

impl Widths {
    /// The widths of `core`.
    pub fn of(core: &Core) -> Widths {
        let bits =
            |axis: usize| core.fields.iter().map(|input| index_bits(input.window.input[axis])).max().unwrap_or(1);
        let (group, channel_group) = (index_bits(core.groups()), index_bits(core.grid().channel_groups()));
        Widths {
            projection: index_bits(core.fields.len()),
            sender: [bits(0), bits(1), bits(2)],
            addr: index_bits(core.weight_words()).max(group),
            group,
            channel_group,
        }
    }
}

/// First word of each projection in the weight memory.
pub fn weight_bases(core: &Core) -> Vec<usize> {
    core.fields
        .iter()
        .scan(0, |next, input| {
            let base = *next;
            *next += core.input_weight_words(input);
            Some(base)
        })
        .collect()
}

/// A packed vector parameter of `bits` bits an entry, entry 0 lowest.
pub fn packed(values: impl DoubleEndedIterator<Item = usize>, bits: u32) -> String {
    let values: Vec<String> = values.rev().map(|value| format!("{bits}'d{value}")).collect();
    format!("{{{}}}", values.join(", "))
}

/// What both window cores are told: places of neurons, input fields, output ids, arithmetic.
pub fn parameters(core: &Core, input: &Stream, output: &Stream) -> Vec<Parameter> {
    let (grid, widths) = (core.grid(), Widths::of(core));
    let ([rows, columns], [c, h, w]) = (grid.blocks(), core.extent);
    // Lanes, bank rows and bank columns that exist in the last group along each axis.
    let last = |extent: usize, step: usize| extent - (extent - 1) / step * step;
    let mut list: Vec<Parameter> = Vec::new();
    let mut set = |key: &'static str, value: usize| list.push((key, value.to_string()));
    set("Lanes", grid.lanes);
    set("Groups", grid.groups());
    set("GroupBits", widths.group as usize);
    set("ChannelGroups", grid.channel_groups());
    set("ChannelGroupBits", widths.channel_group as usize);
    set("BlockRows", rows);
    set("BlockRowBits", index_bits(rows) as usize);
    set("BlockColumns", columns);
    set("BlockColumnBits", index_bits(columns) as usize);
    set("LastLanes", last(c, grid.lanes));
    if core.mode.is_event() {
        set("BankRows", grid.banks[0]);
        set("BankColumns", grid.banks[1]);
        set("LastRows", last(h, grid.banks[0]));
        set("LastColumns", last(w, grid.banks[1]));
    }
    set("Projections", core.fields.len());
    set("ProjectionBits", widths.projection as usize);
    set("IdBits", input.id_bits as usize);
    set("IdShift", id_shift(core, input) as usize);
    set("ChannelBits", widths.sender[0] as usize);
    set("RowBits", widths.sender[1] as usize);
    set("ColumnBits", widths.sender[2] as usize);
    let field = |which: usize| {
        packed(core.fields.iter().map(|i| IdLayout::Fields { extent: i.window.input }.bits()[which] as usize), 8)
    };
    let steps = id_steps(core, output);
    list.extend([("ChannelWidths", field(0)), ("ColumnWidths", field(2))]);
    let mut set = |key: &'static str, value: usize| list.push((key, value.to_string()));
    set("ChannelStep", steps[0]);
    set("RowStep", steps[1]);
    set("ColumnStep", steps[2]);
    set("Aligned", usize::from(aligned(core, output)));
    set("AddrBits", widths.addr as usize);
    list
}

/// The bit from which an input id names its projection.
fn id_shift(core: &Core, input: &Stream) -> u32 {
    core.fields.get(1).map_or(input.id_bits, |second| second.base.trailing_zeros())
}

/// How far apart the output ids of neighbours are: channels, rows, columns.
fn id_steps(core: &Core, output: &Stream) -> [usize; 3] {
    let [_, h, w] = core.extent;
    match output.layout {
        IdLayout::Linear { .. } => [h * w, w, 1],
        IdLayout::Fields { .. } => {
            let [c, _, x] = output.layout.bits();
            [1, 1 << (c + x), 1 << c]
        }
    }
}

/// True if the id of a group's first lane has no bit in common with what any lane adds to it.
fn aligned(core: &Core, output: &Stream) -> bool {
    let (grid, [c, y, x]) = (core.grid(), id_steps(core, output));
    let ([_, columns], channel_groups) = (grid.blocks(), grid.channel_groups());
    let lanes = (0..grid.group_lanes()).fold(0, |all, lane| {
        let bank = lane / grid.lanes;
        all | (lane % grid.lanes * c + bank / grid.banks[1] * y + bank % grid.banks[1] * x)
    });
    (0..grid.groups()).all(|group| {
        let block = group / channel_groups;
        let first = group % channel_groups * grid.lanes * c
            + block / columns * grid.banks[0] * y
            + block % columns * grid.banks[1] * x;
        first & lanes == 0
    })
}

/// Bits that hold every channel of the core's senders and receivers, and the number of channels.
pub fn channel_math_bits(core: &Core) -> u32 {
    let most = core.fields.iter().map(|input| input.window.input[0]).max().unwrap_or(1);
    1 + unsigned_bits(most.max(core.extent[0]).max(core.mode.channel_lanes()) as u64)
}

/// `(from, to, channels)` of a channelwise projection.
pub fn channelwise(input: &CoreInput) -> Option<(usize, usize, usize)> {
    match input.connection {
        Connection::Channelwise { from, to, channels } => Some((from, to, channels)),
        Connection::Dense | Connection::Conv => None,
    }
}

/// The weight from sender channel `pre` to receiver channel `post` through tap `(ky, kx)`; zero where there is none.
pub fn tap_weight(synapses: &Synapses<i32>, post: usize, pre: usize, [ky, kx]: [usize; 2]) -> i32 {
    let weight = match synapses {
        Synapses::Dense { .. } => None,
        Synapses::Conv { weight, window, groups } => {
            let (pre_group, post_group) = (window.input[0] / groups, window.output[0] / groups);
            let joined = pre < window.input[0] && pre / pre_group == post / post_group;
            joined.then(|| weight.get((post, pre % pre_group, ky, kx))).flatten()
        }
        Synapses::Channelwise { weight, from, to, .. } => pre
            .checked_sub(*from)
            .filter(|channel| post.checked_sub(*to) == Some(*channel))
            .and_then(|channel| weight.get((channel, ky, kx))),
    };
    weight.copied().unwrap_or(0)
}

/// The weight of a dense projection to the neuron at `place`, from the sender at `[c, y, x]`; zero where either is missing.
pub fn dense_weight(core: &Core, input: &CoreInput, synapses: &Synapses<i32>, place: Place, at: [usize; 3]) -> i32 {
    let [c_all, h, w] = input.window.input;
    let sender = (at[0] < c_all).then(|| (at[0] * h + at[1]) * w + at[2]);
    match (core.grid().neuron(place), sender) {
        (Some(n), Some(sender)) => synapses.weight(n, sender),
        _ => 0,
    }
}
