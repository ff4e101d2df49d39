//! The recent past of all streams, as it was predicted and as it was.

use super::simulation::Frame;
use crate::ir::stream::Wires;
use std::ops::Range;

/// Two rings of frames. A frame holds every stream's wires in one cycle.
pub(super) struct Trace {
    streams: usize,
    /// Cycles that each ring holds.
    capacity: u64,
    model: Vec<Frame>,
    rtl: Vec<Frame>,
}

impl Trace {
    pub fn new(streams: usize, capacity: usize) -> Self {
        let frames = vec![Frame::default(); streams * capacity];
        Trace { streams, capacity: capacity as u64, model: frames.clone(), rtl: frames }
    }

    /// How many cycles from `cycle` on stand side by side in the rings.
    pub fn contiguous(&self, cycle: u64) -> usize {
        (self.capacity - cycle % self.capacity) as usize
    }

    fn frames(&self, cycles: &Range<u64>) -> Range<usize> {
        let start = (cycles.start % self.capacity) as usize * self.streams;
        start..start + (cycles.end - cycles.start) as usize * self.streams
    }

    /// Room for what the design does in contiguous `cycles`.
    pub fn rtl_mut(&mut self, cycles: &Range<u64>) -> &mut [Frame] {
        let frames = self.frames(cycles);
        &mut self.rtl[frames]
    }

    /// Records what is predicted for `cycle`.
    pub fn predict(&mut self, cycle: u64, wires: &[Wires]) {
        let frames = self.frames(&(cycle..cycle + 1));
        for (frame, wires) in self.model[frames].iter_mut().zip(wires) {
            *frame = Frame::from(wires);
        }
    }

    /// What the design did in `cycle`.
    pub fn rtl(&self, cycle: u64) -> &[Frame] {
        &self.rtl[self.frames(&(cycle..cycle + 1))]
    }

    /// What was predicted for `cycle`.
    pub fn model(&self, cycle: u64) -> &[Frame] {
        &self.model[self.frames(&(cycle..cycle + 1))]
    }

    /// The first of contiguous `cycles` in which the two differ.
    pub fn first_difference(&self, cycles: &Range<u64>) -> Option<u64> {
        let frames = self.frames(cycles);
        if self.rtl[frames.clone()] == self.model[frames] {
            return None;
        }
        cycles.clone().find(|&cycle| self.rtl(cycle) != self.model(cycle))
    }
}
