//! Populations and projections → cores, forks, merges and the streams between them, with their widths.

use super::names::Names;
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::{signed_bits, unsigned_bits};
use crate::ir::mapped::{Core, Fire, MappedNet, Mode, Payload, Port, Stream, StreamId, Target, Unit, UnitId, UnitKind};
use crate::ir::quant::{Coding, Neuron, QuantGraph};
use crate::ir::{PopId, ProjId};

/// Lays out `quant` with every core at its default of one event lane.
///
/// Each population becomes an optional merge (several projections into it), a core, and an optional fork (several readers),
/// in the order of the populations, so units stand in topological order and streams run forward. A
/// sender that projects twice into one population gets two branches of its fork and two ports of the merge.
pub(super) fn lower(quant: QuantGraph, target: Target) -> Result<MappedNet> {
    Error::check(Kind::Input, unsupported(&quant))?;
    let mut unit_names = Names::new();
    let top = unit_names.claim(&quant.name, "network");
    let mut lowering = Lowering {
        unit_names,
        stream_names: Names::new(),
        units: Vec::new(),
        streams: Vec::new(),
        arriving: vec![None; quant.projections.len()],
        quant: &quant,
    };
    lowering.network()?;
    let (units, streams) = (lowering.units, lowering.streams);
    Ok(MappedNet { quant, top, target, units, streams, decisions: Vec::new() })
}

fn unsupported(quant: &QuantGraph) -> Vec<Problem> {
    let delayed = quant.projections.iter().filter(|p| p.projection.delay != 0).map(|p| {
        Problem::new(format!("is a projection with a delay of {} steps, which no core computes", p.projection.delay))
            .at_node(&p.projection.name)
            .help("remove the recurrent connection from the model")
    });
    let large = quant.populations.iter().enumerate().filter_map(|(i, pop)| {
        let senders = quant
            .projections_into(PopId(i))
            .fold(0usize, |n, (_, p)| n.saturating_add(p.projection.synapses.extent().0));
        let too_many = u32::try_from(senders.max(pop.shape.len())).is_err();
        too_many.then(|| Problem::new("has more than 2^32 neurons or inputs").at_node(&pop.name))
    });
    delayed.chain(large).collect()
}

struct Lowering<'a> {
    quant: &'a QuantGraph,
    unit_names: Names,
    stream_names: Names,
    units: Vec<Unit>,
    streams: Vec<Stream>,
    /// The stream that brings each projection's events, once its sender is laid out.
    arriving: Vec<Option<StreamId>>,
}

impl Lowering<'_> {
    fn network(&mut self) -> Result<()> {
        let quant = self.quant;
        let source = PopId(0);
        let input = self.stream("in", None, self.format(source));
        self.distribute(source, "in", input);
        for i in 1..quant.populations.len() {
            let pop = PopId(i);
            let name = self.unit_names.claim(&quant.population(pop).name, "layer");
            let projections: Vec<ProjId> = quant.projections_into(pop).map(|(id, _)| id).collect();
            let input = self.gather(&name, &projections)?;
            let core = UnitId(self.units.len());
            self.connect(input, core, 0);
            self.units.push(Unit {
                name: name.clone(),
                kind: UnitKind::Core(core_of(quant, pop, projections)),
                inputs: vec![input],
                outputs: Vec::new(),
            });
            let text = if pop == quant.readout() { "out" } else { name.as_str() };
            let output = self.stream(text, Some(core), self.format(pop));
            self.distribute(pop, &name, output);
        }
        Ok(())
    }

    /// The one stream that brings the events of `projections`, behind a merge if they are several.
    fn gather(&mut self, reader: &str, projections: &[ProjId]) -> Result<StreamId> {
        let lost = || Error::internal("a population is laid out before one that it reads");
        let arriving: Vec<StreamId> =
            projections.iter().map(|p| self.arriving[p.0]).collect::<Option<_>>().ok_or_else(lost)?;
        let first = *arriving.first().ok_or_else(lost)?;
        if arriving.len() == 1 {
            return Ok(first);
        }
        let unit = UnitId(self.units.len());
        let mut bases = Vec::with_capacity(arriving.len());
        let mut format = Format { id_bits: 1, value_bits: 1, ..self.format(self.streams[first.0].population) };
        let mut ids = 0usize;
        for (port, (&stream, &projection)) in arriving.iter().zip(projections).enumerate() {
            self.connect(stream, unit, port);
            bases.push(u32::try_from(ids).map_err(|_| Error::internal("too many merged inputs"))?);
            ids += self.quant.projection(projection).projection.synapses.extent().0;
            format.value_bits = format.value_bits.max(self.streams[stream.0].value_bits);
        }
        format.id_bits = id_bits(ids);
        let name = self.unit_names.claim(&format!("{reader}_merge"), "merge");
        self.units.push(Unit { name, kind: UnitKind::Merge { bases }, inputs: arriving, outputs: Vec::new() });
        Ok(self.stream(&format!("{reader}_in"), Some(unit), format))
    }

    /// Leads `stream`, which `pop` sends, to every projection that reads it, through a fork if they are several.
    fn distribute(&mut self, pop: PopId, sender: &str, stream: StreamId) {
        let quant = self.quant;
        let readers: Vec<ProjId> = quant.projections_from(pop).map(|(id, _)| id).collect();
        if let [only] = readers.as_slice() {
            self.arriving[only.0] = Some(stream);
        }
        if readers.len() < 2 {
            return;
        }
        let fork = UnitId(self.units.len());
        self.connect(stream, fork, 0);
        let name = self.unit_names.claim(&format!("{sender}_fork"), "fork");
        self.units.push(Unit { name, kind: UnitKind::Fork, inputs: vec![stream], outputs: Vec::new() });
        for reader in readers {
            let to = super::names::legalise(&quant.population(quant.projection(reader).projection.post).name, "layer");
            let branch = self.stream(&format!("{sender}_to_{to}"), Some(fork), self.format(pop));
            self.arriving[reader.0] = Some(branch);
        }
    }

    /// Adds a stream out of the next free port of `from` (`None`: from the border) and connects it there.
    fn stream(&mut self, text: &str, from: Option<UnitId>, format: Format) -> StreamId {
        let id = StreamId(self.streams.len());
        let from = from.and_then(|unit| {
            let outputs = &mut self.units.get_mut(unit.0)?.outputs;
            outputs.push(id);
            Some(Port { unit, port: outputs.len() - 1 })
        });
        let Format { population, id_bits, value_bits, signed } = format;
        let name = self.stream_names.claim(text, "stream");
        self.streams.push(Stream { name, from, to: None, population, id_bits, value_bits, signed });
        id
    }

    fn connect(&mut self, stream: StreamId, unit: UnitId, port: usize) {
        self.streams[stream.0].to = Some(Port { unit, port });
    }

    fn format(&self, pop: PopId) -> Format {
        let population = self.quant.population(pop);
        let signed = matches!(population.neuron, Neuron::Readout { .. });
        let value_bits = if signed {
            signed_bits(population.range.0, population.range.1)
        } else {
            unsigned_bits(self.quant.max_payload(pop).unsigned_abs())
        };
        Format { population: pop, id_bits: id_bits(population.shape.len()), value_bits, signed }
    }
}

/// What a stream carries.
struct Format {
    population: PopId,
    id_bits: u32,
    value_bits: u32,
    signed: bool,
}

/// Bits of the largest of `ids` ids.
fn id_bits(ids: usize) -> u32 {
    unsigned_bits(ids.saturating_sub(1) as u64)
}

fn core_of(quant: &QuantGraph, pop: PopId, projections: Vec<ProjId>) -> Core {
    let population = quant.population(pop);
    let synapses = |p: &ProjId| &quant.projection(*p).projection;
    let payload = projections.iter().map(|p| quant.max_payload(synapses(p).pre)).max().unwrap_or(1);
    let (fire, theta_bits, bias_bits) = match &population.neuron {
        Neuron::If { theta, bias, .. } => {
            let theta = theta.iter().copied().max().unwrap_or(1);
            let (least, most) = bias.iter().fold((0, 0), |(lo, hi), &b| (b.min(lo), b.max(hi)));
            let max = quant.timesteps;
            let fire = match quant.coding {
                Coding::Graded => Fire::Count { bits: unsigned_bits(u64::from(max)), max },
                Coding::Unit => Fire::Unit { sweeps: max },
                Coding::Rate => Fire::Step,
            };
            (fire, unsigned_bits(theta.unsigned_abs()), signed_bits(least, most))
        }
        Neuron::Readout { .. } | Neuron::Source => (Fire::Readout, 1, 1),
    };
    Core {
        population: pop,
        inputs: projections.iter().map(|p| synapses(p).synapses.extent().0).sum(),
        neurons: population.shape.len(),
        mode: Mode::Event { lanes: 1, payload: Payload::Multiply },
        fire,
        phases: quant.phases(),
        value_bits: unsigned_bits(payload.unsigned_abs()),
        slice_bits: 1,
        weight_bits: projections.iter().map(|&p| quant.projection(p).weight_bits).max().unwrap_or(1),
        membrane_bits: signed_bits(population.range.0, population.range.1),
        theta_bits,
        bias_bits,
        projections,
    }
}
