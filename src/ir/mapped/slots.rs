//! Issue slots of a core, counted from its geometry: what an event takes, and what a phase takes whatever its events
//! (`ARCHITECTURE.md`, "Issue slots per phase" and "Window cores").

use super::{Connection, Core, CoreInput, Mode, Payload};
use std::collections::BTreeMap;

/// Issue slots of one pass of the events of one projection, by their senders' pixels.
#[derive(Clone, Debug)]
pub struct PassSlots {
    /// By row and by column of the senders: the most receivers in one bank. Empty where the pixel does not matter.
    along: [Vec<u64>; 2],
    /// Slots for each pair of a row's and a column's steps.
    across: u64,
}

impl PassSlots {
    fn steps(&self, axis: usize, at: usize) -> u64 {
        self.along[axis].get(at).copied().unwrap_or(1)
    }

    /// What an event from pixel `(y, x)` takes.
    pub fn exact(&self, y: usize, x: usize) -> u64 {
        self.steps(0, y).max(1) * self.steps(1, x).max(1) * self.across
    }

    /// What it adds to the lower bound: nothing, if nobody receives it.
    pub fn least(&self, y: usize, x: usize) -> u64 {
        self.steps(0, y) * self.steps(1, x) * self.across
    }

    /// The mean over all pixels of what an event takes.
    pub fn mean(&self) -> f64 {
        let mean = |steps: &Vec<u64>| match steps.len() {
            0 => 1.0,
            n => steps.iter().map(|&s| s.max(1)).sum::<u64>() as f64 / n as f64,
        };
        mean(&self.along[0]) * mean(&self.along[1]) * self.across as f64
    }
}

impl Core {
    /// Issue slots of the events of the core's `input`-th projection, in event mode; none in matrix mode.
    pub fn pass_slots(&self, input: usize) -> PassSlots {
        let constant = |across: usize| PassSlots { along: [Vec::new(), Vec::new()], across: across as u64 };
        let Mode::WindowEvent { banks, .. } = self.mode else {
            return constant(if self.mode.is_event() { self.groups() } else { 0 });
        };
        let Some(input) = self.fields.get(input) else { return constant(0) };
        let across = match input.connection {
            Connection::Dense => return constant(self.groups()),
            Connection::Conv => self.grid().channel_groups() as u64,
            Connection::Channelwise { .. } => 1,
        };
        PassSlots { along: [0, 1].map(|axis| most_in_one_bank(input, axis, banks[axis])), across }
    }

    /// Passes that events take whose payloads have `set_bits` set bits in all (a payload of 0 counts as one bit).
    pub fn passes<T>(&self, events: T, set_bits: T) -> T {
        if self.mode.payload() == Some(Payload::ShiftAdd) { set_bits } else { events }
    }

    /// Issue slots of one phase, whatever its events: firing, and in matrix mode reading all input.
    pub fn phase_slots(&self) -> u64 {
        self.fire_slots() + self.gather_slots(1)
    }

    /// What a phase adds to the lower bound: the same without the slots that read nothing.
    pub fn least_phase_slots(&self) -> u64 {
        self.fire_slots() + self.gather_slots(0)
    }

    /// Issue slots that one phase's firing takes.
    pub fn fire_slots(&self) -> u64 {
        self.groups() as u64 * u64::from(self.fire.slots())
    }

    /// Issue slots in which a matrix core reads a phase's input; a projection that has nothing for a group takes `least` of them.
    fn gather_slots(&self, least: u64) -> u64 {
        match self.mode {
            Mode::Event { .. } | Mode::WindowEvent { .. } => 0,
            Mode::Matrix { .. } => self.groups() as u64 * self.chunks() as u64,
            Mode::WindowMatrix { .. } => {
                // Rows whose windows have equally many taps cost the same, columns and channel groups alike.
                let [channel_groups, rows, columns] = [self.grid().channel_groups(), self.extent[1], self.extent[2]];
                let classes = |n: usize, slots: &dyn Fn(&CoreInput, usize) -> usize| {
                    let mut classes: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
                    for at in 0..n {
                        *classes.entry(self.fields.iter().map(|input| slots(input, at)).collect()).or_default() += 1;
                    }
                    classes
                };
                let rows = classes(rows, &|input, at| taps(input, 0, at));
                let columns = classes(columns, &|input, at| taps(input, 1, at));
                let chunks = classes(channel_groups, &|input, at| self.chunk_range(input, at).len());
                let mut sum = 0;
                for (row, row_count) in &rows {
                    for (column, column_count) in &columns {
                        for (chunk, chunk_count) in &chunks {
                            let each = row.iter().zip(column).zip(chunk).map(|((r, c), n)| (r * c * n) as u64);
                            sum += row_count * column_count * chunk_count * each.map(|n| n.max(least)).sum::<u64>();
                        }
                    }
                }
                sum
            }
        }
    }

    /// Words of each of the two input buffers of a matrix core.
    pub fn buffer_words(&self) -> usize {
        match self.mode {
            Mode::Event { .. } | Mode::WindowEvent { .. } => 0,
            Mode::Matrix { .. } => self.chunks(),
            Mode::WindowMatrix { rows, .. } => {
                let words = |input: &CoreInput| {
                    let [channels, height, width] = input.window.input;
                    height * width * channels.div_ceil(rows)
                };
                self.fields.iter().map(words).sum()
            }
        }
    }

    /// The projection of the core that an id on its input stream belongs to, and the sender's `[c, y, x]` (window modes).
    pub fn input_pixel(&self, id: u32) -> Option<(usize, [usize; 3])> {
        let input = self.fields.iter().rposition(|input| input.base <= id)?;
        let field = &self.fields[input];
        let place = field.ids().place(id - field.base)?;
        Some((input, place))
    }

    /// The fewest rows and columns of banks with which no event of a window finds two receivers in one bank.
    pub fn patch(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let windows = self.fields.iter().filter(|input| input.connection != Connection::Dense);
            let windows: Vec<&CoreInput> = windows.collect();
            let alone = |input: &&CoreInput, banks| most_in_one_bank(input, axis, banks).iter().all(|&n| n <= 1);
            let extent = self.extent[axis + 1];
            (1..extent).find(|&banks| windows.iter().all(|input| alone(input, banks))).unwrap_or(extent.max(1))
        })
    }
}

/// By coordinate of the senders along `axis`: the most receivers that stand in one of `banks` banks.
fn most_in_one_bank(input: &CoreInput, axis: usize, banks: usize) -> Vec<u64> {
    let most = |at| {
        let mut in_bank = vec![0u64; banks];
        input.window.receivers(axis, at).iter().for_each(|(out, _)| in_bank[out % banks] += 1);
        in_bank.into_iter().max().unwrap_or(0)
    };
    (0..input.window.input[axis + 1]).map(most).collect()
}

/// Senders along `axis` that receiver coordinate `at` reads.
fn taps(input: &CoreInput, axis: usize, at: usize) -> usize {
    match input.connection {
        Connection::Dense => input.window.input[axis + 1],
        Connection::Conv | Connection::Channelwise { .. } => input.window.taps(axis, at).count(),
    }
}
