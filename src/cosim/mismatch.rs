//! Where the design and the model part, in words that lead to the place.

use crate::error::{Error, Kind, Problem};
use crate::golden::cycle::{FiringKind, State};
use crate::ir::mapped::{MappedNet, Port, StreamId, UnitKind};
use crate::ir::quant::QuantGraph;
use crate::ir::stream::Wires;
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// The first difference between the design and the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Cycle since reset.
    pub cycle: u64,
    /// What differs.
    pub place: Place,
    /// The population that drives what differs (untrusted text).
    pub layer: String,
    /// Image, from 0.
    pub image: usize,
    /// Phase of the image (the time step, in rate coding), from 0.
    pub phase: u32,
    /// Neuron of that population, if the difference is about one.
    pub neuron: Option<usize>,
    /// Its channel, row and column, if the population has pixels.
    pub pixel: Option<[usize; 3]>,
    /// What the model says.
    pub expected: String,
    /// What the design does.
    pub got: String,
    /// Names of all streams that differ in this cycle.
    pub streams: Vec<String>,
    /// The command that shows it again.
    pub reproduce: String,
    /// Waveform of the cycles around it.
    pub wave: Option<PathBuf>,
    /// Why there is no waveform, if one was wanted.
    pub no_wave: Option<String>,
}

/// What differs first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// The wires of a stream.
    Stream {
        /// Its name.
        stream: String,
    },
    /// The requests of external weights.
    Weights,
    /// The state of a neuron.
    State {
        /// What of it.
        state: State,
        /// Name of its core's unit.
        unit: String,
        /// `began` or `ended` firing.
        moment: &'static str,
    },
    /// How many cycles a core was active or stalled; found at the end of the run only.
    Counter {
        /// Name of the core's unit.
        unit: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Stream { stream } => write!(f, "stream {stream}"),
            Place::Weights => write!(f, "requests of external weights"),
            Place::State { state, unit, moment } => write!(f, "{state} in u_{unit} when firing {moment}"),
            Place::Counter { unit } => write!(f, "cycles counted in u_{unit}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cycle {}: {}, layer '{}', image {}, ", self.cycle, self.place, self.layer, self.image)?;
        write!(f, "time step {}", self.phase)?;
        if let Some(neuron) = self.neuron {
            write!(f, ", neuron {neuron}")?;
        }
        if let Some([channel, row, column]) = self.pixel {
            write!(f, " (channel {channel}, row {row}, column {column})")?;
        }
        write!(f, "\n  expected {}\n  got      {}", self.expected, self.got)?;
        if self.streams.len() > 1 {
            write!(f, "\n  differing in this cycle: {}", self.streams.join(", "))?;
        }
        if let Some(wave) = &self.wave {
            write!(f, "\n  waveform {}", wave.display())?;
        }
        if let Some(why) = &self.no_wave {
            write!(f, "\n  no waveform: {why}")?;
        }
        Ok(())
    }
}

impl Mismatch {
    /// The failure that ends the command.
    pub fn to_error(&self) -> Error {
        let problem = Problem::new(format!("the hardware differs from the model in {self}"))
            .help(format!("to see it again: {}", self.reproduce));
        Error::new(Kind::Mismatch, problem)
    }
}

/// `began` or `ended`.
pub(super) fn moment(kind: FiringKind) -> &'static str {
    match kind {
        FiringKind::Began => "began",
        FiringKind::Ended => "ended",
    }
}

/// The stream among those that differ that tells most: the most upstream one whose payload or `valid` is wrong, and only if there is
/// none, one whose `ready` is.
pub(super) fn most_telling(
    streams: impl Iterator<Item = (StreamId, Wires, Wires)>,
) -> Option<(StreamId, Wires, Wires)> {
    let mut fallback = None;
    for (id, expected, got) in streams {
        if expected == got {
            continue;
        }
        if expected.valid != got.valid || expected.beat != got.beat {
            return Some((id, expected, got));
        }
        fallback.get_or_insert((id, expected, got));
    }
    fallback
}

/// The population behind a difference on a stream, and its neuron: whoever sends, if `valid` or the payload is
/// wrong, otherwise whoever should take it.
pub(super) fn culprit(net: &MappedNet, id: StreamId, expected: &Wires, got: &Wires) -> (usize, Option<usize>) {
    if expected.valid == got.valid && expected.beat == got.beat {
        return (reader(net, id), None);
    }
    let telling = if expected.valid { expected } else { got };
    sender(net, id, (!telling.beat.last).then_some(telling.beat.id))
}

/// Channel, row and column of a neuron, if its population has pixels.
pub(super) fn pixel(quant: &QuantGraph, population: usize, neuron: usize) -> Option<[usize; 3]> {
    let [_, height, width] = quant.populations.get(population)?.shape.image()?;
    (height * width > 1).then(|| [neuron / (height * width), neuron / width % height, neuron % width])
}

/// Follows a stream back through forks and merges to the population that sends, and finds the neuron that the id names.
fn sender(net: &MappedNet, mut stream: StreamId, mut id: Option<u32>) -> (usize, Option<usize>) {
    while let Some(Port { unit, .. }) = net.stream(stream).from {
        let unit = net.unit(unit);
        let port = match &unit.kind {
            UnitKind::Core(_) => break,
            UnitKind::Fork | UnitKind::Queue { .. } => 0,
            UnitKind::Merge { bases } => {
                let named = id.unwrap_or(0);
                let port = bases.iter().rposition(|&base| base <= named).unwrap_or(0);
                id = id.map(|id| id - bases.get(port).copied().unwrap_or(0).min(id));
                port
            }
        };
        match unit.inputs.get(port) {
            Some(&input) => stream = input,
            None => break,
        }
    }
    let origin = net.stream(stream);
    let population = match origin.from.map(|port| &net.unit(port.unit).kind) {
        Some(UnitKind::Core(core)) => core.population.0,
        _ => origin.population.0,
    };
    (population, id.and_then(|id| origin.layout.neuron(id)))
}

/// Follows a stream on through forks and merges to a population that reads it.
fn reader(net: &MappedNet, mut id: StreamId) -> usize {
    while let Some(Port { unit, .. }) = net.stream(id).to {
        let unit = net.unit(unit);
        if let UnitKind::Core(core) = &unit.kind {
            return core.population.0;
        }
        match unit.outputs.first() {
            Some(&output) => id = output,
            None => break,
        }
    }
    net.stream(id).population.0
}

/// One line.
pub(super) fn wires_text(wires: &Wires) -> String {
    let flags = format!("valid={} ready={}", u8::from(wires.valid), u8::from(wires.ready));
    match (wires.valid, wires.beat.last) {
        (false, _) => flags,
        (true, true) => format!("{flags} end of phase (value={} id={})", wires.beat.value, wires.beat.id),
        (true, false) => format!("{flags} event value={} id={}", wires.beat.value, wires.beat.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::PixelFormat;
    use crate::ir::layout::IdLayout;
    use crate::ir::mapped::{Core, Fire, Leak, Mode, Payload, Stream, Target, Unit, UnitId};
    use crate::ir::quant::{Coding, Combine, Neuron, QPopulation};
    use crate::ir::stream::Beat;
    use crate::ir::{PopId, Shape};

    /// image → fork → a core and, past it, a merge of both (ids 0 to 4: the core) → a second core.
    fn net() -> MappedNet {
        let population = |name: &str| QPopulation {
            name: name.into(),
            shape: Shape(vec![5]),
            neuron: Neuron::Source,
            range: (0, 0),
        };
        let quant = QuantGraph {
            name: String::new(),
            coding: Coding::Graded,
            timesteps: 1,
            pixels: PixelFormat::unsigned(1),
            input: crate::ir::quant::Input::Constant,
            normalisation: None,
            populations: ["image", "inner", "outer"].map(population).into(),
            projections: Vec::new(),
        };
        let core = |population| {
            UnitKind::Core(Core {
                population: PopId(population),
                projections: Vec::new(),
                inputs: 5,
                neurons: 5,
                extent: [5, 1, 1],
                fields: Vec::new(),
                combine: Combine::Sum,
                value_signed: false,
                mode: Mode::Event { lanes: 1, payload: Payload::Multiply },
                fire: Fire::Readout,
                phases: 1,
                value_bits: 1,
                slice_bits: 18,
                weight_bits: 1,
                membrane_bits: 1,
                theta_bits: 1,
                bias_bits: 1,
                input_bits: 0,
                current_bits: 0,
                leak: Leak::default(),
                weights: crate::ir::mapped::Weights::Internal,
            })
        };
        let unit = |kind, inputs: &[usize], outputs: &[usize]| Unit {
            name: String::new(),
            kind,
            inputs: inputs.iter().map(|&s| StreamId(s)).collect(),
            outputs: outputs.iter().map(|&s| StreamId(s)).collect(),
        };
        let port = |unit, port| Some(Port { unit: UnitId(unit), port });
        let stream = |from, to| Stream {
            name: String::new(),
            from,
            to,
            population: PopId(0),
            id_bits: 4,
            value_bits: 1,
            signed: false,
            layout: IdLayout::Linear { neurons: 5 },
        };
        MappedNet {
            quant,
            top: String::new(),
            target: Target::Generic,
            units: vec![
                unit(UnitKind::Fork, &[0], &[1, 2]),
                unit(core(1), &[1], &[3]),
                unit(UnitKind::Merge { bases: vec![0, 5] }, &[3, 2], &[4]),
                unit(core(2), &[4], &[5]),
            ],
            streams: vec![
                stream(None, port(0, 0)),
                stream(port(0, 0), port(1, 0)),
                stream(port(0, 1), port(2, 1)),
                stream(port(1, 0), port(2, 0)),
                stream(port(2, 0), port(3, 0)),
                stream(port(3, 0), None),
            ],
            decisions: Vec::new(),
        }
    }

    fn event(id: u32, value: i64) -> Wires {
        Wires { valid: true, ready: true, beat: Beat::event(id, value) }
    }

    #[test]
    fn a_wrong_event_is_traced_to_its_sender_through_forks_and_merges() {
        let net = net();
        let blame = |stream, id| culprit(&net, StreamId(stream), &event(id, 1), &event(id, 2));
        let [image, inner, outer] = [0, 1, 2];
        assert_eq!(blame(4, 3), (inner, Some(3)));
        assert_eq!(blame(4, 7), (image, Some(2)));
        assert_eq!(blame(1, 4), (image, Some(4)));
        assert_eq!(blame(5, 0), (outer, Some(0)));
        // An event that is missing is the sender's as well; an end of phase is no neuron's.
        let nothing = Wires { ready: true, ..Wires::default() };
        assert_eq!(culprit(&net, StreamId(4), &event(6, 1), &nothing), (image, Some(1)));
        let end = Wires { beat: Beat::END, ..event(0, 0) };
        assert_eq!(culprit(&net, StreamId(3), &end, &nothing), (inner, None));
    }

    #[test]
    fn a_wrong_ready_is_traced_to_its_reader() {
        let net = net();
        let refused = Wires { ready: false, ..event(0, 1) };
        let blame = |stream| culprit(&net, StreamId(stream), &event(0, 1), &refused).0;
        assert_eq!([blame(0), blame(2), blame(3)], [1, 2, 2]);
    }

    #[test]
    fn wrong_payloads_tell_more_than_a_wrong_ready() {
        let refused = Wires { ready: false, ..event(0, 1) };
        let same = (StreamId(0), event(0, 1), event(0, 1));
        let ready = (StreamId(1), event(0, 1), refused);
        let payload = (StreamId(2), event(0, 1), event(1, 1));
        assert_eq!(most_telling([same, ready, payload].into_iter()), Some(payload));
        assert_eq!(most_telling([same, ready].into_iter()), Some(ready));
        assert_eq!(most_telling([same].into_iter()), None);
    }
}
