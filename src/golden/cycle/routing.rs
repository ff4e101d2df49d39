//! Fork and merge.

use super::spill::Spill;
use crate::ir::stream::{Beat, Wires};

/// Copies every beat into one spill register per output.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    outputs: Vec<Spill>,
}

impl Fork {
    /// A fork with `outputs` outputs.
    pub fn new(outputs: usize) -> Self {
        Fork { outputs: vec![Spill::default(); outputs] }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.outputs.fill(Spill::default());
    }

    /// What output port `port` offers.
    pub fn front(&self, port: usize) -> (bool, Beat) {
        self.outputs[port].front()
    }

    /// Takes a beat only if every output has room for its copy.
    pub fn ready(&self) -> bool {
        self.outputs.iter().all(Spill::has_room)
    }

    /// The clock edge: `taken` is the beat that moved in, `popped(port)` says whether one left at that output.
    pub fn tick(&mut self, taken: Option<Beat>, popped: impl Fn(usize) -> bool) {
        for (port, spill) in self.outputs.iter_mut().enumerate() {
            spill.tick(popped(port), taken);
        }
    }
}

/// Lays its inputs' ids side by side and waits for the end of phase of all of them.
#[derive(Clone, Debug)]
pub(super) struct Merge {
    bases: Vec<u32>,
    /// Inputs whose end of phase has been taken while another's is outstanding.
    lasted: Vec<bool>,
    output: Spill,
}

impl Merge {
    /// A merge whose input `i` adds `bases[i]` to every id.
    pub fn new(bases: &[u32]) -> Self {
        Merge { bases: bases.to_vec(), lasted: vec![false; bases.len()], output: Spill::default() }
    }

    /// Back to the state after reset.
    pub fn reset(&mut self) {
        self.lasted.fill(false);
        self.output = Spill::default();
    }

    /// What the output offers.
    pub fn front(&self) -> (bool, Beat) {
        self.output.front()
    }

    /// The one input whose `ready` is 1; the only ready in the system that looks at a `valid`.
    pub fn granted(&self, valid: impl Fn(usize) -> bool) -> Option<usize> {
        if self.output.has_room() { (0..self.bases.len()).find(|&i| valid(i) && !self.lasted[i]) } else { None }
    }

    /// The clock edge: `wires(i)` are input `i`'s wires, `popped` says whether the output's beat left.
    pub fn tick(&mut self, wires: impl Fn(usize) -> Wires, popped: bool) {
        let taken = (0..self.bases.len()).find(|&i| wires(i).moves());
        let pushed = taken.and_then(|i| {
            let beat = wires(i).beat;
            if !beat.last {
                return Some(Beat::event(beat.id.wrapping_add(self.bases[i]), beat.value));
            }
            self.lasted[i] = true;
            if self.lasted.iter().all(|&lasted| lasted) {
                self.lasted.fill(false);
                return Some(Beat::END);
            }
            None
        });
        self.output.tick(popped, pushed);
    }
}
