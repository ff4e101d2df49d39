//! Populations and projections become units and streams.

use super::names::Names;
use crate::fixed::{signed_bits, unsigned_bits};
use crate::ir::mapped::{Core, Fire, MappedNet, Mode, Port, Stream, StreamId, Target, Unit, UnitId, UnitKind};
use crate::ir::quant::{Coding, Neuron, QuantGraph};
use crate::ir::{PopId, ProjId};

/// The core of `pop` in `mode`, with every width that the integer network asks for.
pub fn core(quant: &QuantGraph, pop: PopId, mode: Mode) -> Core {
    let population = quant.population(pop);
    let projections: Vec<ProjId> = quant.projections_into(pop).map(|(id, _)| id).collect();
    let into = || projections.iter().map(|&p| quant.projection(p));
    let payload = into().map(|p| quant.max_payload(p.projection.pre)).max().unwrap_or(1);
    let (fire, theta, bias_bits) = match &population.neuron {
        Neuron::If { theta, bias, .. } => {
            let fire = match quant.coding {
                Coding::Graded => Fire::Count { bits: unsigned_bits(u64::from(quant.timesteps)), max: quant.timesteps },
                Coding::Unit => Fire::Unit { sweeps: quant.timesteps },
                Coding::Rate => Fire::Step,
            };
            let bias_bits = bias.iter().map(|&b| signed_bits(b, b)).max().unwrap_or(1);
            (fire, theta.iter().copied().max().unwrap_or(0), bias_bits)
        }
        Neuron::Readout { .. } | Neuron::Source => (Fire::Readout, 0, 1),
    };
    Core {
        population: pop,
        inputs: into().map(|p| p.projection.synapses.extent().0).sum(),
        neurons: population.shape.len(),
        mode,
        fire,
        phases: quant.phases(),
        value_bits: unsigned_bits(payload.unsigned_abs()),
        weight_bits: into().map(|p| p.weight_bits).max().unwrap_or(1),
        membrane_bits: signed_bits(population.range.0, population.range.1),
        theta_bits: unsigned_bits(theta.unsigned_abs()),
        bias_bits,
        projections,
    }
}

/// Lays out `quant` with the given core per population (population `i + 1` has `cores[i]`).
///
/// A population that several projections read is followed by a fork, one that several projections reach is preceded by a
/// merge. Units follow the populations' order, so streams run forward.
pub fn lower(quant: QuantGraph, target: Target, cores: Vec<Core>, decisions: Vec<String>) -> MappedNet {
    let mut names = Names::new();
    let top = names.top(&quant.name);
    let carriers = vec![StreamId(0); quant.projections.len()];
    let net = MappedNet { quant, top, target, units: Vec::new(), streams: Vec::new(), decisions };
    let mut builder = Builder { net, names, stream_names: Names::new(), carriers };
    let image = builder.stream("image", PopId(0), None);
    builder.fan_out(PopId(0), image);
    for core in cores {
        builder.core(core);
    }
    builder.net
}

struct Builder {
    net: MappedNet,
    names: Names,
    stream_names: Names,
    /// The stream by which each projection's sender arrives.
    carriers: Vec<StreamId>,
}

impl Builder {
    /// A stream in the format of `pop`'s output.
    fn stream(&mut self, name: &str, pop: PopId, from: Option<Port>) -> StreamId {
        let id = StreamId(self.net.streams.len());
        let population = self.net.quant.population(pop);
        let signed = pop == self.net.quant.readout();
        let value_bits = if signed {
            signed_bits(population.range.0, population.range.1)
        } else {
            unsigned_bits(self.net.quant.max_payload(pop).unsigned_abs())
        };
        self.net.streams.push(Stream {
            name: self.stream_names.legal(name),
            from,
            to: None,
            population: pop,
            id_bits: unsigned_bits(population.shape.len().saturating_sub(1) as u64),
            value_bits,
            signed,
        });
        id
    }

    fn unit(&mut self, name: &str, kind: UnitKind, inputs: Vec<StreamId>) -> UnitId {
        let unit = UnitId(self.net.units.len());
        for (port, s) in inputs.iter().enumerate() {
            self.net.streams[s.0].to = Some(Port { unit, port });
        }
        let name = self.names.legal(name);
        self.net.units.push(Unit { name, kind, inputs, outputs: Vec::new() });
        unit
    }

    fn output(&mut self, unit: UnitId, name: &str, pop: PopId) -> StreamId {
        let port = self.net.units[unit.0].outputs.len();
        let stream = self.stream(name, pop, Some(Port { unit, port }));
        self.net.units[unit.0].outputs.push(stream);
        stream
    }

    /// Hands `stream` to every projection out of `pop`.
    fn fan_out(&mut self, pop: PopId, stream: StreamId) {
        let readers: Vec<ProjId> = self.net.quant.projections_from(pop).map(|(id, _)| id).collect();
        if let [reader] = readers[..] {
            self.carriers[reader.0] = stream;
        } else if readers.len() > 1 {
            let name = self.net.streams[stream.0].name.clone();
            let fork = self.unit(&format!("{name}_fork"), UnitKind::Fork, vec![stream]);
            for reader in readers {
                let target = self.net.quant.projection(reader).projection.post;
                let reader_name = self.net.quant.population(target).name.clone();
                self.carriers[reader.0] = self.output(fork, &format!("{name}_to_{reader_name}"), pop);
            }
        }
    }

    fn core(&mut self, core: Core) {
        let pop = core.population;
        let name = self.net.quant.population(pop).name.clone();
        let inputs: Vec<StreamId> = core.projections.iter().map(|p| self.carriers[p.0]).collect();
        let input = match inputs[..] {
            [stream] => stream,
            _ => self.merge(&name, &core, inputs),
        };
        let readout = pop == self.net.quant.readout();
        let unit = self.unit(&name, UnitKind::Core(core), vec![input]);
        let legal = self.net.units[unit.0].name.clone();
        let output = self.output(unit, if readout { "logits" } else { &legal }, pop);
        self.fan_out(pop, output);
    }

    fn merge(&mut self, name: &str, core: &Core, inputs: Vec<StreamId>) -> StreamId {
        let extents = core.projections.iter().map(|&p| self.net.quant.projection(p).projection.synapses.extent().0);
        let bases = extents.scan(0, |next, n| Some(std::mem::replace(next, *next + n) as u32)).collect();
        let merge = self.unit(&format!("{name}_merge"), UnitKind::Merge { bases }, inputs.clone());
        let joined = self.output(merge, &format!("{name}_in"), self.net.streams[inputs[0].0].population);
        let stream = &mut self.net.streams[joined.0];
        stream.id_bits = unsigned_bits(core.inputs.saturating_sub(1) as u64);
        stream.value_bits = core.value_bits;
        joined
    }
}
