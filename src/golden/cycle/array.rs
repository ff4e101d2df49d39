//! Stage A: the membranes on the time line of the pipeline.
//!
//! The pipeline is a pure delay: work issued in one unstalled cycle is in stage A `D` unstalled cycles later, in the
//! same order and at the same pace. So time here is the number of unstalled cycles since reset, and a piece of work is
//! stamped with the time at which its first op reaches stage A. Between begin and end of firing nobody sees a membrane,
//! hence an event is added to all neurons at its stamp, however many ops it takes.

use super::neurons::{FireCycle, Neurons};
use super::synapses::{Received, Synapses};
use super::word::Word;
use super::{Firing, FiringKind, State};
use crate::ir::layout::IdLayout;
use crate::ir::mapped::{Core, UnitId};
use crate::ir::quant::QuantGraph;
use crate::ir::stream::Beat;
use std::collections::VecDeque;

/// Unstalled cycles from issue to stage A, event mode.
const EVENT_DEPTH: u64 = 3;
/// Unstalled cycles from issue to stage A, matrix mode.
const MATRIX_DEPTH: u64 = 4;
/// Unstalled cycles from issue to stage A, window cores.
const WINDOW_DEPTH: u64 = 6;
/// Stages of a window core in front of the weights; dense cores have none.
const WINDOW_FRONT: u64 = 2;
/// Phases of input that the matrix model holds: the two buffers, and those issued but not yet in stage A (which is at most six
/// unstalled cycles behind, while a phase takes at least two slots: no more than three).
const PHASES_HELD: usize = 5;

/// What the issue unit sends down the pipeline.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A beat of an event core: accumulate an event, or fire all groups.
    Beat(Beat),
    /// A phase of a matrix core by number: for each group accumulate all chunks, then fire.
    Phase(u64),
}

/// A walk over the groups that is in stage A.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    group: usize,
    /// Cycles of the group that still only accumulate.
    slots_left: u64,
    /// FIRE cycle of the group.
    step: u32,
}

/// The stage A of one core with its membranes.
#[derive(Clone, Debug)]
pub(super) struct Array {
    unit: UnitId,
    groups: usize,
    /// Accumulating ops of each group within a sweep; empty in event mode.
    gather: Vec<u64>,
    steps: u32,
    phases: u32,
    depth: u64,
    synapses: Synapses,
    neurons: Neurons,
    at_begin: Vec<i64>,
    at_end: Vec<i64>,
    /// Currents at the end; empty where no neuron keeps one.
    currents: Vec<i64>,
    /// The input of matrix mode, by phase number modulo [`PHASES_HELD`]; empty in event mode.
    received: Vec<Received>,
    /// Time: unstalled cycles since reset that have passed.
    now: u64,
    pipeline: VecDeque<(u64, Work)>,
    sweep: Option<Sweep>,
    phase: u32,
    image: u64,
}

impl Array {
    /// The array after reset. `ids` says how neurons are named on the output stream.
    pub fn new(unit: UnitId, quant: &QuantGraph, core: &Core, ids: &IdLayout) -> Self {
        let gather = if core.mode.is_event() { Vec::new() } else { super::gather::slots(core) };
        let neurons = Neurons::new(quant, core, ids);
        let synapses = Synapses::new(quant, core);
        let held = if gather.is_empty() { 0 } else { PHASES_HELD };
        let outside = !core.weights.is_internal();
        Array {
            unit,
            groups: core.groups(),
            gather,
            steps: core.fire.slots(),
            phases: core.phases,
            depth: match (core.mode.is_window(), core.mode.is_event()) {
                // An op enters the back in the cycle that ends, other work begins in the one that comes.
                (true, true) if outside => WINDOW_DEPTH - WINDOW_FRONT - 1,
                (false, true) if outside => EVENT_DEPTH - 1,
                (true, _) => WINDOW_DEPTH,
                (false, true) => EVENT_DEPTH,
                (false, false) => MATRIX_DEPTH,
            },
            at_begin: vec![0; core.neurons],
            at_end: vec![0; core.neurons],
            currents: vec![0; if core.current_bits > 0 { core.neurons } else { 0 }],
            neurons,
            // One by one: a cloned vector would lose its spare capacity and allocate while cycles run.
            received: (0..held).map(|_| Received::new(&synapses)).collect(),
            synapses,
            now: 0,
            pipeline: VecDeque::with_capacity(WINDOW_DEPTH as usize + 1),
            sweep: None,
            phase: 0,
            image: 0,
        }
    }

    /// Back to the state after reset. The INIT ops need no modelling beyond the time they take: they reach every
    /// membrane before anything can look at it.
    pub fn reset(&mut self) {
        self.neurons.reset();
        self.received.iter_mut().for_each(Received::clear);
        self.now = 0;
        self.pipeline.clear();
        self.sweep = None;
        self.phase = 0;
        self.image = 0;
    }

    /// State that is visible when firing begins or has ended; `None` where it is not compared then.
    pub fn snapshot(&self, kind: FiringKind, state: State) -> Option<&[i64]> {
        match (kind, state) {
            // In matrix mode each group fires as soon as it has its input.
            (FiringKind::Began, _) if !self.gather.is_empty() => None,
            (FiringKind::Began, _) => (state == self.neurons.receiving()).then_some(&self.at_begin),
            (FiringKind::Ended, State::Membrane) => Some(&self.at_end),
            (FiringKind::Ended, State::Current) => (!self.currents.is_empty()).then_some(&self.currents),
            (FiringKind::Ended, State::Input) => None,
        }
    }

    /// Writes an event into the input of phase number `phase` (matrix mode).
    pub fn receive(&mut self, phase: u64, beat: Beat) {
        let held = phase as usize % PHASES_HELD;
        if let Some(received) = self.received.get_mut(held) {
            received.write(&self.synapses, beat);
        }
    }

    /// Issue slots of one pass of an event.
    pub fn pass_slots(&self, id: u32) -> u64 {
        self.synapses.slots(id)
    }

    /// Issue slots of all accumulating ops of a phase (matrix mode).
    pub fn gather_slots(&self) -> u64 {
        self.gather.iter().sum()
    }

    /// Sends work down the pipeline whose first slot is the next unstalled cycle, or whose first op enters the back in the one that
    /// ends (external weights). To be called after [`Array::tick`].
    pub fn issue(&mut self, work: Work) {
        self.pipeline.push_back((self.now + self.depth, work));
    }

    /// One unstalled cycle of stage A. Its result is appended to the empty `word`.
    pub fn tick(&mut self, word: &mut Word, firing: &mut Vec<Firing>) {
        if let Some(&(start, work)) = self.pipeline.front()
            && start == self.now
        {
            self.pipeline.pop_front();
            self.begin(work);
        }
        self.now += 1;
        let Some(mut sweep) = self.sweep else { return };
        if sweep.slots_left > 0 {
            sweep.slots_left -= 1;
            self.sweep = Some(sweep);
        } else {
            self.sweep = self.fire(sweep, word, firing);
        }
    }

    fn begin(&mut self, work: Work) {
        match work {
            Work::Beat(beat) if !beat.last => {
                return self.synapses.add(&mut self.neurons.membranes, beat.id, beat.value);
            }
            Work::Beat(_) => {}
            Work::Phase(phase) => {
                let held = phase as usize % PHASES_HELD;
                if let Some(received) = self.received.get_mut(held) {
                    received.drain_into(&self.synapses, &mut self.neurons.membranes);
                }
            }
        }
        self.sweep = Some(self.sweep_of(0));
    }

    /// The walk at the beginning of a group.
    fn sweep_of(&self, group: usize) -> Sweep {
        Sweep { group, slots_left: self.gather.get(group).copied().unwrap_or(0), step: 0 }
    }

    /// One FIRE cycle; returns what follows it in the sweep.
    fn fire(&mut self, mut sweep: Sweep, word: &mut Word, firing: &mut Vec<Firing>) -> Option<Sweep> {
        let event = |kind| Firing { unit: self.unit, kind, phase: self.phase, image: self.image };
        if sweep.group == 0 && sweep.step == 0 {
            self.neurons.in_order(self.neurons.receiving(), &mut self.at_begin);
            firing.push(event(FiringKind::Began));
        }
        let last_phase = self.phase + 1 == self.phases;
        let cycle = FireCycle { step: sweep.step, steps: self.steps, last_phase };
        self.neurons.fire(sweep.group, cycle, word);
        if !cycle.is_last() {
            sweep.step += 1;
            return Some(sweep);
        }
        if sweep.group + 1 < self.groups {
            return Some(self.sweep_of(sweep.group + 1));
        }
        if self.neurons.sends_end(last_phase) {
            word.push(Beat::END);
        }
        self.neurons.in_order(State::Membrane, &mut self.at_end);
        self.neurons.in_order(State::Current, &mut self.currents);
        firing.push(event(FiringKind::Ended));
        self.phase = if last_phase { 0 } else { self.phase + 1 };
        self.image += u64::from(last_phase);
        None
    }
}
