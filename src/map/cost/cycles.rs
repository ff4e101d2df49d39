//! Cycles per image.

use crate::ir::ProjId;
use crate::ir::mapped::{Core, Fire, MappedNet, PassSlots};

/// What enters a core, or leaves a population, in one image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Events.
    pub events: f64,
    /// Set bits in the payloads of all these events together.
    pub set_bits: f64,
}

/// An event as a core receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputEvent {
    /// Which of the core's projections it comes through.
    pub input: usize,
    /// The sender's neuron number.
    pub sender: usize,
    /// Its payload.
    pub value: i64,
}

/// Active cycles of a core without windows in one image of `events` events with `set_bits` set payload bits in all (an event whose
/// payload is 0 counts as one bit): exactly what the hardware counts, because cores work without a bubble.
///
/// Event mode `S·G·passes + P·G·F`, matrix mode `P·G·(C + F)`, in the terms of `ARCHITECTURE.md`.
pub fn exact_cycles(core: &Core, events: u64, set_bits: u64) -> u64 {
    let per_pass = if core.mode.is_event() { core.groups() as u64 } else { 0 };
    per_pass * core.passes(events, set_bits) + u64::from(core.phases) * core.phase_slots()
}

/// The same of any core, from the events of one image: in windows it matters which pixel an event comes from.
pub fn exact_cycles_of(core: &Core, events: impl IntoIterator<Item = InputEvent>) -> u64 {
    let slots: Vec<PassSlots> = (0..core.projections.len()).map(|input| core.pass_slots(input)).collect();
    let extents: Vec<[usize; 3]> = core.fields.iter().map(|input| input.window.input).collect();
    let taken = |event: InputEvent| {
        let passes = core.passes(1, u64::from(event.value.count_ones()).max(1));
        let [_, height, width] = extents.get(event.input).copied().unwrap_or([1, 1, 1]);
        let (y, x) = (event.sender / width % height, event.sender % width);
        slots.get(event.input).map_or(0, |slots| passes * slots.exact(y, x))
    };
    events.into_iter().map(taken).sum::<u64>() + u64::from(core.phases) * core.phase_slots()
}

/// [`exact_cycles_of`] for the mean traffic of each projection, its events spread evenly over the pixels.
pub fn cycles(core: &Core, input: &[Traffic]) -> f64 {
    let events: f64 = input.iter().enumerate().map(|(i, traffic)| taken(core, i, traffic)).sum();
    events + f64::from(core.phases) * core.phase_slots() as f64
}

/// Issue slots that `core` takes over the events `traffic` of its `input`-th projection; none in matrix mode.
pub fn taken(core: &Core, input: usize, traffic: &Traffic) -> f64 {
    core.pass_slots(input).mean() * core.passes(traffic.events, traffic.set_bits)
}

/// How a core spends an image, as far as its neighbours do not matter.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Issue slots.
    pub active: f64,
    /// Those of them that fire.
    pub firing: f64,
    /// Issue slots that each projection's events take.
    pub taken: Vec<f64>,
    /// Words of results that firing gives.
    words: f64,
    /// True if groups fire in between the work on the next ones, so that events leave all the time.
    interleaved: bool,
    /// Beats that leave whatever the traffic.
    beats: f64,
}

impl Timing {
    /// The timing of `core` with the mean traffic `input` of each projection.
    pub fn new(core: &Core, input: &[Traffic]) -> Timing {
        let phases = f64::from(core.phases);
        let taken: Vec<f64> = input.iter().enumerate().map(|(i, traffic)| taken(core, i, traffic)).collect();
        let words = match core.fire {
            Fire::Unit { sweeps } => core.groups() as f64 * f64::from(sweeps),
            _ => core.groups() as f64,
        };
        Timing {
            active: taken.iter().sum::<f64>() + phases * core.phase_slots() as f64,
            firing: phases * core.fire_slots() as f64,
            taken,
            words,
            interleaved: !core.mode.is_event(),
            beats: if core.fire.is_readout() { core.neurons as f64 + 1.0 } else { phases },
        }
    }

    /// Cycles per image during which the core cannot begin another image: its active cycles, and the stalls while it fires.
    ///
    /// An event core does not accumulate while it fires, and it fires only as fast as its events leave: one a cycle at best, and at
    /// the pace of a reader that takes several cycles over each. Two words wait in `R` and `S` and do not hold it up. `events` is the
    /// number of events that it sends, `readers` the issue slots that each reader takes over them (0 in matrix mode). This is an
    /// estimate: the true figure depends on when the events occur.
    pub fn occupancy(&self, events: f64, readers: impl Iterator<Item = f64>) -> f64 {
        let leaving = readers.fold(self.beats + events, f64::max);
        if self.interleaved {
            return self.active.max(leaving);
        }
        let waiting = leaving * (1.0 - (2.0 / self.words).min(1.0));
        self.active - self.firing + self.firing.max(waiting)
    }
}

/// What the senders of each projection of `core` send; `traffic` has one entry per population.
pub fn input(net: &MappedNet, core: &Core, traffic: &[Traffic]) -> Vec<Traffic> {
    let sent = |p: &ProjId| traffic.get(net.quant.projection(*p).projection.pre.0).copied().unwrap_or_default();
    core.projections.iter().map(sent).collect()
}
