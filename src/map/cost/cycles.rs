//! Cycles per image.

use crate::ir::ProjId;
use crate::ir::mapped::{Core, Fire, MappedNet, Mode};

/// What enters a core, or leaves a population, in one image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Events.
    pub events: f64,
    /// Set bits in the payloads of all these events together.
    pub set_bits: f64,
}

impl std::iter::Sum for Traffic {
    fn sum<I: Iterator<Item = Traffic>>(iter: I) -> Self {
        iter.fold(Traffic::default(), |a, b| Traffic { events: a.events + b.events, set_bits: a.set_bits + b.set_bits })
    }
}

/// Issue slots that `core` spends firing in one image: `P·G·F`.
fn fire_slots(core: &Core) -> u64 {
    u64::from(core.phases) * core.groups() as u64 * u64::from(core.fire.slots())
}

/// Active cycles of `core` in one image of `events` events with `set_bits` set payload bits in all (an event whose
/// payload is 0 counts as one bit): exactly what the hardware counts, because cores work without a bubble.
///
/// Event mode `S·G·passes + P·G·F`, matrix mode `P·G·(C + F)`, in the terms of `ARCHITECTURE.md`.
pub fn exact_cycles(core: &Core, events: u64, set_bits: u64) -> u64 {
    core.bound_cycles(core.passes(events, set_bits), u64::from(core.phases))
}

/// [`exact_cycles`] for mean counts.
pub fn cycles(core: &Core, input: &Traffic) -> f64 {
    let (per_pass, per_phase) = core.slots();
    per_pass as f64 * passes(core, input) + f64::from(core.phases) * per_phase as f64
}

fn passes(core: &Core, input: &Traffic) -> f64 {
    core.passes(input.events, input.set_bits)
}

/// Cycles per image during which `core` cannot begin another image: its active cycles, and the stalls while it fires.
///
/// An event core does not accumulate while it fires, and it fires only as fast as its events leave: one a cycle at best, and at
/// the pace of a reader that takes several cycles over each. Two words wait in `R` and `S` and do not hold it up. `readers` are
/// the cores that `output` goes to. This is an estimate: the true figure depends on when the events occur.
pub fn occupancy(core: &Core, input: &Traffic, output: &Traffic, readers: &[&Core]) -> f64 {
    let phases = f64::from(core.phases);
    let sent = match core.fire {
        Fire::Readout => core.neurons as f64 + 1.0,
        _ => output.events + phases,
    };
    let taken = |reader: &&Core| match reader.mode {
        Mode::Event { .. } | Mode::WindowEvent { .. } => reader.groups() as f64 * passes(reader, output),
        Mode::Matrix { .. } | Mode::WindowMatrix { .. } => 0.0,
    };
    let leaving = readers.iter().map(taken).fold(sent, f64::max);
    let active = cycles(core, input);
    match core.mode {
        // Groups fire in between the chunks of the next ones, so events leave all the time.
        Mode::Matrix { .. } | Mode::WindowMatrix { .. } => active.max(leaving),
        Mode::Event { .. } | Mode::WindowEvent { .. } => {
            let words = match core.fire {
                Fire::Unit { sweeps } => core.groups() as f64 * f64::from(sweeps),
                _ => core.groups() as f64,
            };
            let waiting = leaving * (1.0 - (2.0 / words).min(1.0));
            let firing = fire_slots(core) as f64;
            active - firing + firing.max(waiting)
        }
    }
}

/// What the senders of `core` send together; `traffic` has one entry per population.
pub fn input(net: &MappedNet, core: &Core, traffic: &[Traffic]) -> Traffic {
    let sent = |p: &ProjId| traffic.get(net.quant.projection(*p).projection.pre.0).copied().unwrap_or_default();
    core.projections.iter().map(sent).sum()
}
