//! External weights: the fetch unit of a core, and the port that the cores share (`ARCHITECTURE.md`, "External weights").
//!
//! Which words are read is of no concern here, only when: an op that needs a word waits for as many answers as ops before it needed.

use super::array::{Array, Work};
use crate::ir::mapped::{Core, FETCH_QUEUE, PORT_FLIGHTS};
use std::collections::VecDeque;

/// Entries of an address register.
const ADDRESSES: usize = 2;

/// One issue slot on its way from the issue unit to the back of the core.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    /// It waits for a word.
    pub needs: bool,
    /// The work that begins with it.
    pub work: Option<Work>,
}

/// What stands between the issue unit and the back of a core.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    /// What was issued in the last unheld cycles, latest last: as long as the front has stages after the issue unit.
    finding: VecDeque<Option<Op>>,
    queue: VecDeque<Op>,
    /// Addresses that wait for the port.
    waiting: usize,
    /// Answers that no op has taken.
    stored: usize,
}

impl Fetch {
    /// The fetch unit of `core` after reset. The INIT ops are left out: they pass it one a cycle before anything else comes.
    pub fn new(core: &Core) -> Self {
        let stages = if core.mode.is_window() { 2 } else { 0 };
        Fetch {
            finding: std::iter::repeat_n(None, stages).collect(),
            queue: VecDeque::with_capacity(FETCH_QUEUE),
            waiting: 0,
            stored: 0,
        }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.finding.iter_mut().for_each(|op| *op = None);
        self.queue.clear();
        self.waiting = 0;
        self.stored = 0;
    }

    /// True if the front must keep what it has, for the fetch unit's sake.
    pub fn full(&self) -> bool {
        self.queue.len() == FETCH_QUEUE || self.waiting == ADDRESSES
    }

    /// True if the core requests a word.
    pub fn requests(&self) -> bool {
        self.waiting > 0
    }

    /// Takes the op that enters the back in an unstalled cycle. To be called before [`Fetch::tick`].
    pub fn enter(&mut self) -> Option<Op> {
        let op = *self.queue.front()?;
        if op.needs {
            self.stored = self.stored.checked_sub(1)?;
        }
        self.queue.pop_front()
    }

    /// The clock edge: `front` is what the issue unit issued, if the cycle was not held; `granted` and `answered` say what the port did.
    pub fn tick(&mut self, front: Option<Option<Op>>, granted: bool, answered: bool) {
        if let Some(issued) = front {
            self.finding.push_back(issued);
            if let Some(op) = self.finding.pop_front().flatten() {
                self.queue.push_back(op);
                self.waiting += usize::from(op.needs);
            }
        }
        self.waiting -= usize::from(granted);
        self.stored += usize::from(answered);
    }
}

/// The cut between the two halves of a core with external weights.
#[derive(Clone, Debug)]
pub(super) struct Outside {
    pub fetch: Fetch,
    /// What the core's issue unit works on, as long as none of it was issued.
    begun: Option<Work>,
    /// The slots of that work need words.
    needs: bool,
    pub granted: bool,
    pub answered: bool,
}

impl Outside {
    /// The cut of `core` after reset.
    pub fn new(core: &Core) -> Self {
        Outside { fetch: Fetch::new(core), begun: None, needs: false, granted: false, answered: false }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.fetch.reset();
        self.begun = None;
        (self.granted, self.answered) = (false, false);
    }

    /// An unstalled cycle of the back: the work whose first op enters goes down the pipeline. To be called after [`Array::tick`].
    pub fn enter(&mut self, array: &mut Array) {
        if let Some(work) = self.fetch.enter().and_then(|op| op.work) {
            array.issue(work);
        }
    }

    /// The front at the end of a cycle, in which an op was issued if `active`; `taken` is the work that it was given.
    pub fn tick(&mut self, held: bool, active: bool, taken: Option<Work>) {
        let issued = active.then(|| Op { needs: self.needs, work: self.begun.take() });
        self.fetch.tick((!held).then_some(issued), self.granted, self.answered);
        if let Some(work) = taken {
            self.needs = matches!(work, Work::Beat(beat) if !beat.last);
            self.begun = Some(work);
        }
    }
}

/// The port: who asked, oldest first, and how many of the requests wait for the memory.
#[derive(Clone, Debug)]
pub(super) struct Port {
    asked: VecDeque<usize>,
    waiting: usize,
}

impl Port {
    /// The port after reset.
    pub fn new() -> Self {
        Port { asked: VecDeque::with_capacity(PORT_FLIGHTS), waiting: 0 }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.asked.clear();
        self.waiting = 0;
    }

    /// True if the port requests a word of the memory.
    pub fn requests(&self) -> bool {
        self.waiting > 0
    }

    /// True if a core may be granted.
    pub fn open(&self) -> bool {
        self.waiting < ADDRESSES && self.asked.len() < PORT_FLIGHTS
    }

    /// Who gets the memory's next answer.
    pub fn next(&self) -> Option<usize> {
        self.asked.front().copied()
    }

    /// The clock edge: `granted` is the core that was granted, `moved` says that a request went to the memory, `answered` that an answer came.
    pub fn tick(&mut self, granted: Option<usize>, moved: bool, answered: bool) {
        if answered {
            self.asked.pop_front();
        }
        self.asked.extend(granted);
        self.waiting += usize::from(granted.is_some());
        self.waiting -= usize::from(moved);
    }
}
