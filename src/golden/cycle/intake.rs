//! The receiving side of a core and its issue unit: when it takes beats, and which cycles are issue slots.

use super::array::{Array, Work};
use crate::ir::mapped::{Core, Payload};
use crate::ir::stream::Beat;

/// How a core spends a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Initialising,
    Stalled,
    Active,
    Starved,
}

/// Input side of a core. What is being issued is described by the number of slots it still takes.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    init_cycles: u64,
    /// INIT cycles to come, this one included.
    init_left: u64,
    /// Slots to come of the work at hand, this cycle's included; 0 if there is none.
    left: u64,
    side: Side,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Event {
        payload: Payload,
        /// Slots of firing.
        fire: u64,
    },
    Matrix {
        /// Slots of a phase.
        slots: u64,
        /// Phases received completely since reset. `full[i]` of the text is: phase number `i` modulo 2 is among
        /// `drained..filled`.
        filled: u64,
        /// Phases issued completely since reset.
        drained: u64,
    },
}

impl Intake {
    /// The input side of the core whose stage A is `array`, after reset.
    pub fn new(core: &Core, array: &Array) -> Self {
        let groups = core.groups() as u64;
        let fire = groups * u64::from(core.fire.slots());
        let (init_cycles, side) = match core.mode.payload() {
            Some(payload) => (groups, Side::Event { payload, fire }),
            None => {
                let slots = array.gather_slots() + fire;
                (groups.max(super::gather::words(core)), Side::Matrix { slots, filled: 0, drained: 0 })
            }
        };
        Intake { init_cycles, init_left: init_cycles, left: 0, side }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.init_left = self.init_cycles;
        self.left = 0;
        if let Side::Matrix { filled, drained, .. } = &mut self.side {
            *filled = 0;
            *drained = 0;
        }
    }

    /// `in.ready`.
    pub fn ready(&self, stalled: bool) -> bool {
        self.init_left == 0
            && match self.side {
                Side::Event { .. } => self.left == 0 || (self.left == 1 && !stalled),
                Side::Matrix { filled, drained, .. } => filled - drained < 2,
            }
    }

    /// The clock edge, to be called after the array's: `taken` is the beat that moved in.
    pub fn tick(&mut self, stalled: bool, taken: Option<Beat>, array: &mut Array) -> Doing {
        let (doing, work) = self.advance(stalled, taken, array);
        if let Some(work) = work {
            array.issue(work);
        }
        doing
    }

    /// The same, but that the work whose first slot comes next is returned and not sent down the pipeline.
    pub fn advance(&mut self, stalled: bool, taken: Option<Beat>, array: &mut Array) -> (Doing, Option<Work>) {
        if self.init_left > 0 {
            self.init_left -= 1;
            return (Doing::Initialising, None);
        }
        let doing = match (stalled, self.left) {
            (true, _) => Doing::Stalled,
            (false, 0) => Doing::Starved,
            (false, _) => Doing::Active,
        };
        if doing == Doing::Active {
            self.left -= 1;
        }
        let mut work = None;
        match &mut self.side {
            Side::Event { payload, fire } => {
                if let Some(beat) = taken {
                    self.left = match beat.last {
                        true => *fire,
                        false => array.pass_slots(beat.id) * passes(*payload, beat.value),
                    };
                    work = Some(Work::Beat(beat));
                }
            }
            Side::Matrix { slots, filled, drained } => {
                match taken {
                    Some(beat) if beat.last => *filled += 1,
                    Some(beat) => array.receive(*filled, beat),
                    None => {}
                }
                if doing == Doing::Active && self.left == 0 {
                    *drained += 1;
                }
                if self.left == 0 && *filled > *drained {
                    self.left = *slots;
                    work = Some(Work::Phase(*drained));
                }
            }
        }
        (doing, work)
    }
}

/// Times that an event is added.
fn passes(payload: Payload, value: i64) -> u64 {
    match payload {
        Payload::Multiply => 1,
        Payload::ShiftAdd => u64::from(value.count_ones()).max(1),
    }
}
