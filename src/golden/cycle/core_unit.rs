//! A core: input side, array, result register `R`, serialiser `S`, output spill register.

use super::array::Array;
use super::fetch::Outside;
use super::intake::{Doing, Intake};
use super::spill::Spill;
use super::word::Word;
use super::{Counters, Firing, FiringKind, State};
use crate::ir::layout::IdLayout;
use crate::ir::mapped::{Core, UnitId};
use crate::ir::quant::QuantGraph;
use crate::ir::stream::Beat;

/// One core of the network.
#[derive(Clone, Debug)]
pub(super) struct CoreUnit {
    intake: Intake,
    array: Array,
    /// `R`.
    result: Word,
    /// `S`.
    serialiser: Word,
    output: Spill,
    counters: Counters,
    /// What a core with external weights has between its issue unit and the rest.
    outside: Option<Outside>,
}

impl CoreUnit {
    /// The core after reset. `ids` says how neurons are named on the output stream.
    pub fn new(unit: UnitId, quant: &QuantGraph, core: &Core, ids: &IdLayout) -> Self {
        let array = Array::new(unit, quant, core, ids);
        let word = || Word::with_lanes(core.mode.lanes().min(core.neurons));
        CoreUnit {
            intake: Intake::new(core, &array),
            array,
            result: word(),
            serialiser: word(),
            output: Spill::default(),
            counters: Counters::default(),
            outside: (!core.weights.is_internal()).then(|| Outside::new(core)),
        }
    }

    /// True if the core requests a word of external weights.
    pub fn requests(&self) -> bool {
        self.outside.as_ref().is_some_and(|outside| outside.fetch.requests())
    }

    /// Says whether the port takes the core's request, and whether it brings an answer, in the cycle whose edge comes next.
    pub fn serve(&mut self, granted: bool, answered: bool) {
        if let Some(outside) = &mut self.outside {
            (outside.granted, outside.answered) = (granted, answered);
        }
    }

    /// True if the issue unit stands still.
    fn held(&self, stalled: bool) -> bool {
        stalled || self.outside.as_ref().is_some_and(|outside| outside.fetch.full())
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.intake.reset();
        self.array.reset();
        self.result.clear();
        self.serialiser.clear();
        self.output = Spill::default();
        self.counters = Counters::default();
        if let Some(outside) = &mut self.outside {
            outside.reset();
        }
    }

    /// What the output offers.
    pub fn front(&self) -> (bool, Beat) {
        self.output.front()
    }

    /// `ready` of the input.
    pub fn ready(&self) -> bool {
        self.intake.ready(self.held(self.stalled()))
    }

    /// How the cycles since reset were spent.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// See [`Array::snapshot`].
    pub fn snapshot(&self, kind: FiringKind, state: State) -> Option<&[i64]> {
        self.array.snapshot(kind, state)
    }

    /// True if a result waits in `R` that the serialiser cannot take at the end of this cycle.
    fn stalled(&self) -> bool {
        let beats_after_this_cycle = self.serialiser.left() - usize::from(self.sends());
        self.result.busy() && beats_after_this_cycle > 0
    }

    /// True if the serialiser sends a beat in this cycle.
    fn sends(&self) -> bool {
        self.serialiser.busy() && self.output.has_room()
    }

    /// The clock edge: `taken` is the beat that moved in, `popped` says whether one left at the output.
    pub fn tick(&mut self, taken: Option<Beat>, popped: bool, firing: &mut Vec<Firing>) {
        let stalled = self.stalled();
        let held = self.held(stalled);
        let sent = if self.sends() { self.serialiser.take() } else { None };
        self.output.tick(popped, sent);
        if !stalled {
            if self.result.busy() {
                // The serialiser is empty by now, or this cycle would be stalled.
                std::mem::swap(&mut self.result, &mut self.serialiser);
            }
            self.array.tick(&mut self.result, firing);
            if let Some(outside) = &mut self.outside {
                outside.enter(&mut self.array);
            }
        }
        let doing = match &mut self.outside {
            None => self.intake.tick(stalled, taken, &mut self.array),
            Some(outside) => {
                let (doing, work) = self.intake.advance(held, taken, &mut self.array);
                outside.tick(held, doing == Doing::Active, work);
                if held && !stalled && doing == Doing::Stalled { Doing::Starved } else { doing }
            }
        };
        let counter = match doing {
            Doing::Initialising => &mut self.counters.initialising,
            Doing::Stalled => &mut self.counters.stalled,
            Doing::Active => &mut self.counters.active,
            Doing::Starved => &mut self.counters.starved,
        };
        *counter += 1;
    }
}
