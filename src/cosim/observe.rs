//! What the design sent: counts per stream, and the spikes of every population, image and phase.

use super::simulation::Frame;
use crate::ir::PopId;
use crate::ir::mapped::{MappedNet, Stream, UnitKind};
use crate::ir::stream::Wires;

/// What moved on one stream of the design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamCount {
    /// Events.
    pub events: u64,
    /// Sum over all events of the passes that a shift-and-add core needs: set bits of the payload, at least 1.
    pub passes: u64,
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
            self.count.passes += u64::from(beat.value.count_ones().max(1));
            if let Some(value) = self.population.as_mut().and_then(|(_, values)| values.get_mut(beat.id as usize)) {
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
