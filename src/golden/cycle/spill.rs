//! The spill register, the two-entry FIFO behind every output.

use crate::ir::stream::Beat;

/// A FIFO of two beats. Slots that hold nothing are `Beat::default()`, so an empty one shows zeros.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spill {
    beats: [Beat; 2],
    count: u8,
}

impl Spill {
    /// True if a beat can be pushed in this cycle, whatever is popped.
    pub fn has_room(&self) -> bool {
        self.count < 2
    }

    /// True if `beats` more can be held, whatever is popped.
    pub fn has_room_for(&self, beats: usize) -> bool {
        usize::from(self.count) + beats <= self.beats.len()
    }

    /// `valid` and the oldest beat.
    pub fn front(&self) -> (bool, Beat) {
        (self.count > 0, self.beats[0])
    }

    /// The clock edge. `popped` only if `front` is valid, `pushed` only if there is room.
    pub fn tick(&mut self, popped: bool, pushed: Option<Beat>) {
        if popped {
            self.beats = [self.beats[1], Beat::default()];
            self.count -= 1;
        }
        if let Some(beat) = pushed {
            self.beats[usize::from(self.count)] = beat;
            self.count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_shows_zeros_when_empty() {
        let mut spill = Spill::default();
        assert_eq!(spill.front(), (false, Beat::default()));
        spill.tick(false, Some(Beat::event(1, 10)));
        spill.tick(false, Some(Beat::event(2, 20)));
        assert!(!spill.has_room());
        assert_eq!(spill.front(), (true, Beat::event(1, 10)));
        spill.tick(true, None);
        assert_eq!(spill.front(), (true, Beat::event(2, 20)));
        spill.tick(true, Some(Beat::END));
        assert_eq!(spill.front(), (true, Beat::END));
        assert!(spill.has_room());
        spill.tick(true, None);
        assert_eq!(spill.front(), (false, Beat::default()));
    }
}
