//! What stands on the wires of a stream in one cycle.

use super::layout::IdLayout;

/// One item of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// True for an end of phase; `value` and `id` are then 0.
    pub last: bool,
    /// Payload of an event; sign-extended where the stream is signed.
    pub value: i64,
    /// Index of the sending neuron.
    pub id: u32,
}

impl Beat {
    /// The beat that closes a phase.
    pub const END: Beat = Beat { last: true, value: 0, id: 0 };

    /// The beats of one phase of an image: an event per pixel whose code is not zero, by ascending number, then the end of the
    /// phase. `ids` says how the input stream names the pixels.
    pub fn phase_of(codes: &[i64], ids: &IdLayout) -> impl Iterator<Item = Beat> {
        let events = codes.iter().enumerate().filter(|(_, c)| **c != 0).map(|(n, &c)| Beat::event(ids.id(n), c));
        events.chain(std::iter::once(Beat::END))
    }

    /// An event of neuron `id` with payload `value`.
    pub fn event(id: u32, value: i64) -> Self {
        Beat { last: false, value, id }
    }
}

/// The wires of one stream in one cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wires {
    /// The producer offers `beat`.
    pub valid: bool,
    /// The consumer takes it at the end of the cycle.
    pub ready: bool,
    /// The payload; all zero (`Beat::default()`) while `valid` is false, so that two `Wires` compare by value.
    pub beat: Beat,
}

impl Wires {
    /// True if the beat moves at the end of the cycle.
    pub fn moves(&self) -> bool {
        self.valid && self.ready
    }
}
