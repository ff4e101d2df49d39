//! The words that travel from stage A through `R` and the serialiser.

use crate::ir::stream::Beat;

/// A word, seen as what is still to be sent of it: its lanes' events from the lowest lane up, then perhaps an end of
/// phase. "Busy" is "not yet all sent", and the serialiser "finishes" when the only beat left goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    beats: Vec<Beat>,
    sent: usize,
}

impl Word {
    /// An empty word for up to `lanes` lanes.
    pub fn with_lanes(lanes: usize) -> Self {
        Word { beats: Vec::with_capacity(lanes + 1), sent: 0 }
    }

    /// True if something is left to send.
    pub fn busy(&self) -> bool {
        !self.beats.is_empty()
    }

    /// Beats that are left to send.
    pub fn left(&self) -> usize {
        self.beats.len() - self.sent
    }

    /// Appends a beat.
    pub fn push(&mut self, beat: Beat) {
        self.beats.push(beat);
    }

    /// Takes the next beat out; the word is empty again after its last one.
    pub fn take(&mut self) -> Option<Beat> {
        let beat = self.beats.get(self.sent).copied()?;
        self.sent += 1;
        if self.sent == self.beats.len() {
            self.clear();
        }
        Some(beat)
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.beats.clear();
        self.sent = 0;
    }
}
