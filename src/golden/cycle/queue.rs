//! The queue that a delayed projection passes.

use super::spill::Spill;
use crate::ir::stream::Beat;
use std::collections::VecDeque;

/// Beats on their way into the next phase. An image begins with an empty phase, so the events of an image's last phase go nowhere.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    depth: usize,
    phases: u32,
    /// What the memory holds, oldest first.
    stored: VecDeque<Beat>,
    /// What was read in the last cycle.
    reading: Option<Beat>,
    output: Spill,
    /// Phase of the image that arrives.
    phase: u32,
}

impl Queue {
    /// A queue for `depth` beats of a network with `phases` phases per image.
    pub fn new(depth: u32, phases: u32) -> Self {
        let depth = depth as usize;
        let stored = VecDeque::with_capacity(depth);
        let mut queue = Queue { depth, phases, stored, reading: None, output: Spill::default(), phase: 0 };
        queue.reset();
        queue
    }

    /// Back to the state after reset: the empty phase that the first image begins with.
    pub fn reset(&mut self) {
        self.stored.clear();
        self.stored.push_back(Beat::END);
        self.reading = None;
        self.output = Spill::default();
        self.phase = 0;
    }

    /// What the output offers.
    pub fn front(&self) -> (bool, Beat) {
        self.output.front()
    }

    /// `ready` of the input.
    pub fn ready(&self) -> bool {
        self.stored.len() < self.depth
    }

    /// The clock edge: `taken` is the beat that moved in, `popped` says whether one left at the output.
    pub fn tick(&mut self, taken: Option<Beat>, popped: bool) {
        // What is on its way out of the memory has its place in the register already.
        let read = self.output.has_room_for(1 + usize::from(self.reading.is_some()));
        self.output.tick(popped, self.reading.take());
        if read {
            self.reading = self.stored.pop_front();
        }
        if let Some(beat) = taken {
            let last_phase = self.phase + 1 == self.phases;
            if beat.last || !last_phase {
                self.stored.push_back(beat);
            }
            if beat.last {
                self.phase = if last_phase { 0 } else { self.phase + 1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets everything out, as fast as it comes.
    fn drain(queue: &mut Queue) -> Vec<Beat> {
        let mut beats = Vec::new();
        for _ in 0..50 {
            let (valid, beat) = queue.front();
            beats.extend(valid.then_some(beat));
            queue.tick(None, valid);
        }
        beats
    }

    #[test]
    fn begins_with_an_end_and_drops_the_events_of_the_last_phase() {
        let mut queue = Queue::new(4, 2);
        assert_eq!(drain(&mut queue), [Beat::END]);
        for _ in 0..2 {
            queue.tick(Some(Beat::event(1, 1)), false);
            queue.tick(Some(Beat::END), false);
            assert_eq!(drain(&mut queue), [Beat::event(1, 1), Beat::END]);
            queue.tick(Some(Beat::event(2, 1)), false);
            queue.tick(Some(Beat::END), false);
            assert_eq!(drain(&mut queue), [Beat::END]);
        }
        queue.tick(Some(Beat::event(1, 1)), false);
        queue.reset();
        assert_eq!(drain(&mut queue), [Beat::END]);
    }

    #[test]
    fn a_beat_takes_three_cycles_and_holds_depth_and_two_more() {
        let mut queue = Queue::new(3, 9);
        drain(&mut queue);
        queue.tick(Some(Beat::event(0, 1)), false);
        queue.tick(None, false);
        assert!(!queue.front().0);
        queue.tick(None, false);
        assert_eq!(queue.front(), (true, Beat::event(0, 1)));
        for id in 1.. {
            queue.tick(Some(Beat::event(id, 1)), false);
            if !queue.ready() {
                assert_eq!(id, 4, "one more stands in the register, three in the memory");
                break;
            }
        }
        assert_eq!(drain(&mut queue).len(), 5);
    }
}
