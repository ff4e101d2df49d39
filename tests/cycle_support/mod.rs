//! A small network builder for the cycle model's tests and bench: every population on the core it is told to use.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use ndarray::Array2;
use synfire::fixed::{PixelFormat, signed_bits, unsigned_bits};
use synfire::ir::layout::IdLayout;
use synfire::ir::mapped::{Core, Fire, MappedNet, Mode, Port, Stream, StreamId, Target, Unit, UnitId, UnitKind};
use synfire::ir::quant::{Coding, Combine, Input, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::{PopId, ProjId, Shape};

/// A population, the core it runs on, and the `[post, pre]` weights from each population that it reads.
#[derive(Clone, Debug)]
pub struct Layer {
    pub neuron: Neuron,
    pub mode: Mode,
    pub from: Vec<(usize, Array2<i32>)>,
}

/// The integer network of `inputs` pixels of `pixel_bits` bits and the given layers; layer `i` is population `i + 1`.
pub fn quant(coding: Coding, timesteps: u32, pixel_bits: u32, inputs: usize, layers: &[Layer]) -> QuantGraph {
    let population = |i: usize, neuron: &Neuron, n: usize| QPopulation {
        name: format!("p{i}"),
        shape: Shape(vec![n]),
        neuron: neuron.clone(),
        range: (0, 0),
    };
    let mut populations = vec![population(0, &Neuron::Source, inputs)];
    let mut projections = Vec::new();
    for (i, layer) in layers.iter().enumerate() {
        populations.push(population(i + 1, &layer.neuron, layer.neuron.v_init().len()));
        for (pre, weight) in &layer.from {
            let largest = weight.iter().map(|w| w.abs()).max().unwrap_or(0);
            projections.push(QProjection {
                projection: Projection {
                    name: format!("w{}", projections.len()),
                    pre: PopId(*pre),
                    post: PopId(i + 1),
                    delay: 0,
                    synapses: Synapses::Dense { weight: weight.clone() },
                },
                weight_bits: signed_bits(-i64::from(largest), i64::from(largest)).max(2),
            });
        }
    }
    let pixels = PixelFormat::unsigned(pixel_bits);
    let mut quant = QuantGraph {
        name: "test".into(),
        coding,
        timesteps,
        pixels,
        input: Input::Constant,
        normalisation: None,
        populations,
        projections,
    };
    for i in 1..quant.populations.len() {
        quant.populations[i].range = quant.prove_range(PopId(i));
    }
    quant
}

struct Builder {
    net: MappedNet,
    /// The stream that carries each projection's input.
    carrier: Vec<Option<StreamId>>,
}

impl Builder {
    fn stream(&mut self, population: usize, from: Option<Port>, ids: usize) -> StreamId {
        let id = StreamId(self.net.streams.len());
        let signed = population + 1 == self.net.quant.populations.len();
        let (min, max) = self.net.quant.populations[population].range;
        let payload = self.net.quant.max_payload(PopId(population)).unsigned_abs();
        self.net.streams.push(Stream {
            name: format!("s{}", id.0),
            from,
            to: None,
            population: PopId(population),
            id_bits: unsigned_bits(ids as u64 - 1),
            value_bits: if signed { signed_bits(min, max) } else { unsigned_bits(payload) },
            signed,
            layout: IdLayout::Linear { neurons: ids },
        });
        id
    }

    fn unit(&mut self, kind: UnitKind, inputs: Vec<StreamId>) -> UnitId {
        let unit = UnitId(self.net.units.len());
        for (port, s) in inputs.iter().enumerate() {
            self.net.streams[s.0].to = Some(Port { unit, port });
        }
        self.net.units.push(Unit { name: format!("u{}", unit.0), kind, inputs, outputs: Vec::new() });
        unit
    }

    fn output(&mut self, unit: UnitId, population: usize, ids: usize) -> StreamId {
        let port = self.net.units[unit.0].outputs.len();
        let stream = self.stream(population, Some(Port { unit, port }), ids);
        self.net.units[unit.0].outputs.push(stream);
        stream
    }

    /// Hands `stream` to the projections out of `population`, through a fork if there are several.
    fn fan_out(&mut self, population: usize, stream: StreamId) {
        let readers: Vec<usize> = self.net.quant.projections_from(PopId(population)).map(|(ProjId(p), _)| p).collect();
        if let [reader] = readers[..] {
            self.carrier[reader] = Some(stream);
        } else if readers.len() > 1 {
            let ids = self.net.quant.populations[population].shape.len();
            let fork = self.unit(UnitKind::Fork, vec![stream]);
            for reader in readers {
                self.carrier[reader] = Some(self.output(fork, population, ids));
            }
        }
    }

    fn layer(&mut self, population: usize, mode: Mode) {
        let quant = &self.net.quant;
        let projections: Vec<ProjId> = quant.projections_into(PopId(population)).map(|(p, _)| p).collect();
        let extents: Vec<usize> =
            projections.iter().map(|&p| quant.projection(p).projection.synapses.extent().0).collect();
        let inputs: usize = extents.iter().sum();
        let pre = projections.iter().map(|&p| quant.projection(p).projection.pre);
        let payload = pre.map(|pre| quant.max_payload(pre)).max().unwrap();
        let QPopulation { shape, neuron, range, .. } = quant.population(PopId(population)).clone();
        let fire = match (&neuron, quant.coding) {
            (Neuron::If { .. }, Coding::Graded) => {
                Fire::Count { bits: unsigned_bits(u64::from(quant.timesteps)), max: quant.timesteps }
            }
            (Neuron::If { .. }, Coding::Unit) => Fire::Unit { sweeps: quant.timesteps },
            (Neuron::If { .. }, Coding::Rate) => Fire::Step,
            _ => Fire::Readout,
        };
        let theta = if let Neuron::If { theta, .. } = &neuron { theta.iter().copied().max().unwrap() } else { 0 };
        let value_bits = unsigned_bits(payload.unsigned_abs());
        let core = Core {
            population: PopId(population),
            inputs,
            neurons: shape.len(),
            extent: [shape.len(), 1, 1],
            fields: Vec::new(),
            combine: Combine::Sum,
            mode,
            fire,
            phases: quant.phases(),
            value_bits,
            value_signed: false,
            weight_bits: projections.iter().map(|&p| quant.projection(p).weight_bits).max().unwrap(),
            slice_bits: 18,
            membrane_bits: signed_bits(range.0, range.1),
            input_bits: 0,
            current_bits: 0,
            theta_bits: unsigned_bits(theta.unsigned_abs()),
            bias_bits: match &neuron {
                Neuron::If { bias, .. } => bias.iter().map(|&b| signed_bits(b, b)).max().unwrap_or(1),
                _ => 1,
            },
            leak: synfire::ir::mapped::Leak::default(),
            weights: synfire::ir::mapped::Weights::Internal,
            projections: projections.clone(),
        };
        let carriers: Vec<StreamId> = projections.iter().map(|p| self.carrier[p.0].unwrap()).collect();
        let input = if let [stream] = carriers[..] {
            stream
        } else {
            let base = |i: usize| extents[..i].iter().sum::<usize>() as u32;
            let merge = self.unit(UnitKind::Merge { bases: (0..extents.len()).map(base).collect() }, carriers);
            let joined = self.output(merge, 0, inputs);
            self.net.streams[joined.0].value_bits = value_bits;
            self.net.streams[joined.0].layout = self.net.streams[self.net.units[merge.0].inputs[0].0].layout;
            joined
        };
        let unit = self.unit(UnitKind::Core(core), vec![input]);
        let output = self.output(unit, population, shape.len());
        self.fan_out(population, output);
    }
}

/// Lays `quant` out: stream 0 is the input, then streams and units in the order of populations.
pub fn map(quant: QuantGraph, layers: &[Layer]) -> MappedNet {
    let carrier = vec![None; quant.projections.len()];
    let inputs = quant.input_shape().len();
    let net = MappedNet {
        quant,
        top: "top".into(),
        target: Target::Generic,
        units: Vec::new(),
        streams: Vec::new(),
        decisions: Vec::new(),
    };
    let mut builder = Builder { net, carrier };
    let input = builder.stream(0, None, inputs);
    builder.fan_out(0, input);
    for (i, layer) in layers.iter().enumerate() {
        builder.layer(i + 1, layer.mode);
    }
    builder.net
}
