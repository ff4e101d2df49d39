//! What the design sent: counts per stream, and the spikes of every population, image and phase.

use super::simulation::Frame;
use crate::ir::PopId;
use crate::ir::layout::IdLayout;
use crate::ir::mapped::{Core, MappedNet, PassSlots, Stream, UnitKind};
use crate::ir::stream::Wires;

/// What moved on one stream of the design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCount {
    /// Events.
    pub events: u64,
    /// Sum over all events of the passes that a shift-and-add core needs: set bits of the payload, at least 1.
    pub passes: u64,
    /// The least issue slots that the core which reads this stream needs for all events; 0 if no core reads it, or in matrix mode.
    pub least_slots: u64,
    /// Ends of phase.
    pub ends: u64,
}

/// What one population of the design sent in one phase of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseCounts<'a> {
    /// The population; the source included.
    pub population: PopId,
    /// Image, from 0.
    pub image: usize,
    /// Phase of the image, from 0.
    pub phase: u32,
    /// Sum of the event values of every neuron: spikes, pixel codes or (in an image's last phase) logits.
    pub values: &'a [i64],
}

/// Follows the streams of the design.
pub(super) struct Observer {
    streams: Vec<Observed>,
}

struct Observed {
    count: StreamCount,
    /// Ends of phase per image.
    phases: u64,
    last_phase: u32,
    /// The population, if this stream comes directly from it, and its values in the present phase.
    population: Option<(PopId, Vec<i64>)>,
    /// How ids name the population's neurons.
    ids: IdLayout,
    /// The core that reads the stream, and what its projections' events take.
    reader: Option<(Core, Vec<PassSlots>)>,
}

impl Observer {
    pub fn new(net: &MappedNet) -> Self {
        let phases = net.quant.phases();
        let observed = |stream: &Stream| {
            let direct = match stream.from {
                None => true,
                Some(port) => matches!(net.unit(port.unit).kind, UnitKind::Core(_)),
            };
            let neurons = net.quant.population(stream.population).shape.len();
            // The readout sends nothing, not even an end, before an image's last phase.
            let once = stream.to.is_none();
            Observed {
                count: StreamCount::default(),
                phases: if once { 1 } else { u64::from(phases.max(1)) },
                last_phase: phases.saturating_sub(1),
                population: direct.then(|| (stream.population, vec![0; neurons])),
                ids: stream.layout,
                reader: stream.to.and_then(|port| match &net.unit(port.unit).kind {
                    UnitKind::Core(core) => {
                        let slots = (0..core.projections.len()).map(|input| core.pass_slots(input)).collect();
                        Some((core.clone(), slots))
                    }
                    UnitKind::Fork | UnitKind::Merge { .. } | UnitKind::Queue { .. } => None,
                }),
            }
        };
        Observer { streams: net.streams.iter().map(observed).collect() }
    }

    /// Takes note of one cycle.
    pub fn cycle(&mut self, frames: &[Frame], sink: &mut dyn FnMut(&PhaseCounts)) {
        for (observed, frame) in self.streams.iter_mut().zip(frames) {
            if frame.moves() {
                observed.beat(frame, sink);
            }
        }
    }

    /// The image and phase that a stream is in.
    pub fn position(&self, stream: usize) -> (usize, u32) {
        self.streams.get(stream).map_or((0, 0), Observed::position)
    }

    /// Images whose last end of phase has moved on the stream.
    pub fn images(&self, stream: usize) -> usize {
        self.position(stream).0
    }

    /// True if every population has sent the last end of phase of `images` images.
    pub fn all_have_sent(&self, images: usize) -> bool {
        self.streams.iter().filter(|s| s.population.is_some()).all(|s| s.position().0 >= images)
    }

    pub fn counts(&self) -> Vec<StreamCount> {
        self.streams.iter().map(|s| s.count).collect()
    }
}

impl Observed {
    fn position(&self) -> (usize, u32) {
        let image = (self.count.ends / self.phases) as usize;
        let phase = if self.phases == 1 { self.last_phase } else { (self.count.ends % self.phases) as u32 };
        (image, phase)
    }

    fn beat(&mut self, frame: &Frame, sink: &mut dyn FnMut(&PhaseCounts)) {
        let beat = Wires::from(frame).beat;
        if !beat.last {
            self.count.events += 1;
            let set_bits = u64::from(beat.value.count_ones().max(1));
            self.count.passes += set_bits;
            self.count.least_slots += self.reader.as_ref().map_or(0, |reader| least_slots(reader, beat.id, set_bits));
            if let Some((_, values)) = &mut self.population
                && let Some(value) = self.ids.neuron(beat.id).and_then(|n| values.get_mut(n))
            {
                *value += beat.value;
            }
            return;
        }
        let (image, phase) = self.position();
        self.count.ends += 1;
        if let Some((population, values)) = &mut self.population {
            sink(&PhaseCounts { population: *population, image, phase, values });
            values.fill(0);
        }
    }
}

/// The least issue slots that an event takes in its reader.
fn least_slots((core, slots): &(Core, Vec<PassSlots>), id: u32, set_bits: u64) -> u64 {
    // Without windows every event takes the same.
    let (input, [_, y, x]) = if core.mode.is_window() { core.input_pixel(id) } else { None }.unwrap_or((0, [0; 3]));
    slots.get(input).map_or(0, |slots| core.passes(1, set_bits) * slots.least(y, x))
}
