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

    /// The beats of all `phases` phases of an image: `codes` are those of one phase, sent in each of them, or those of all phases, one
    /// phase after the other.
    pub fn image_of(codes: &[i64], ids: &IdLayout, phases: u32) -> impl Iterator<Item = Beat> {
        let neurons = ids.neurons();
        (0..phases as usize).flat_map(move |phase| {
            let start = if codes.len() > neurons { phase.saturating_mul(neurons) } else { 0 };
            Beat::phase_of(codes.get(start..start.saturating_add(neurons)).unwrap_or_default(), ids)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_its_own_codes_or_all_the_same() {
        let (a, b) = (Beat::event(0, 7), Beat::event(1, 9));
        let beats =
            |codes: &[i64], phases| Beat::image_of(codes, &IdLayout::Linear { neurons: 2 }, phases).collect::<Vec<_>>();
        assert_eq!(beats(&[7, 0], 2), [a, Beat::END, a, Beat::END]);
        assert_eq!(beats(&[7, 0, 0, 9, 0, 0], 3), [a, Beat::END, b, Beat::END, Beat::END]);
    }
}
