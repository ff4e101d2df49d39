//! Populations and projections → cores, forks, merges and the streams between them, with their widths.

use super::names::Names;
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::{signed_bits, unsigned_bits};
use crate::ir::layout::IdLayout;
use crate::ir::mapped::{
    Connection, Core, CoreInput, Fire, Leak, MappedNet, Mode, Payload, Port, Stream, StreamId, Target, Unit, UnitId,
    UnitKind, Weights, current_bits, input_bits, width,
};
use crate::ir::quant::{Coding, Combine, Neuron, QuantGraph};
use crate::ir::snn::Synapses;
use crate::ir::window::Window;
use crate::ir::{PopId, ProjId};

/// Lays out `quant` with every core at its default of one event lane.
///
/// Each population becomes a queue for each delayed projection into it, an optional merge (several projections), a core, and an
/// optional fork (several readers), in the order of the populations, so units stand in topological order and streams run
/// forward, but for those into the queues of earlier populations. A
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
        queues: vec![None; quant.projections.len()],
        windows: Windows::new(&quant),
        quant: &quant,
    };
    lowering.network()?;
    let (units, streams) = (lowering.units, lowering.streams);
    Ok(MappedNet { quant, top, target, units, streams, decisions: Vec::new() })
}

fn unsupported(quant: &QuantGraph) -> Vec<Problem> {
    let delayed = quant.projections.iter().filter(|p| p.projection.delay != 0).filter_map(|p| {
        let p = &p.projection;
        let (what, help) = if p.delay > 1 {
            let what = format!("is a projection with a delay of {} steps, and at most one can be computed", p.delay);
            (what, "give the connection a delay of one step, or put a population that repeats its input in between")
        } else if quant.coding != Coding::Rate {
            let what =
                "is a projection with a delay, which two-phase coding, in which a phase is an image, has no use for";
            (what.to_string(), "use rate coding, or remove the recurrent connection from the model")
        } else if p.pre == quant.readout() {
            let what = "is a projection out of the readout, which sends nothing before the end of an image".to_string();
            (what, "let a hidden population be the sender")
        } else {
            return None;
        };
        Some(Problem::new(what).at_node(&p.name).help(help))
    });
    let large = quant.populations.iter().enumerate().filter_map(|(i, pop)| {
        let senders = quant
            .projections_into(PopId(i))
            .fold(0usize, |n, (_, p)| n.saturating_add(p.projection.synapses.extent().0));
        // One less than can be counted: a queue holds a beat for each of them and one more.
        let too_many = !u32::try_from(senders.max(pop.shape.len())).is_ok_and(|n| n < u32::MAX);
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
    /// The queue of each delayed projection whose reader is laid out.
    queues: Vec<Option<UnitId>>,
    windows: Windows,
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
                kind: UnitKind::Core(core_of(quant, &self.windows, pop, projections)),
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
        for &p in projections {
            if self.quant.projection(p).projection.delay > 0 {
                self.queue(reader, p);
            }
        }
        let arriving: Vec<StreamId> =
            projections.iter().map(|p| self.arriving[p.0]).collect::<Option<_>>().ok_or_else(lost)?;
        let first = *arriving.first().ok_or_else(lost)?;
        if arriving.len() == 1 {
            return Ok(first);
        }
        let unit = UnitId(self.units.len());
        let mut bases = Vec::with_capacity(arriving.len());
        let mut format = Format { id_bits: 1, value_bits: 1, ..self.format(self.streams[first.0].population) };
        let post = self.quant.projection(projections[0]).projection.post;
        let id_bases = self.windows.bases(self.quant, post, projections);
        for (port, (&stream, &base)) in arriving.iter().zip(&id_bases.bases).enumerate() {
            self.connect(stream, unit, port);
            bases.push(u32::try_from(base).map_err(|_| too_many_ids(&self.quant.population(post).name))?);
        }
        (format.signed, format.value_bits) = payloads(self.quant, projections);
        format.id_bits = unsigned_bits(id_bases.last);
        let name = self.unit_names.claim(&format!("{reader}_merge"), "merge");
        self.units.push(Unit { name, kind: UnitKind::Merge { bases }, inputs: arriving, outputs: Vec::new() });
        Ok(self.stream(&format!("{reader}_in"), Some(unit), format))
    }

    /// Lays out the queue of a delayed projection. Its sender is connected here if it is laid out already, otherwise when it is.
    fn queue(&mut self, reader: &str, projection: ProjId) {
        let pre = self.quant.projection(projection).projection.pre;
        let unit = UnitId(self.units.len());
        let name = self.unit_names.claim(&format!("{reader}_queue"), "queue");
        let depth = u32::try_from(self.quant.population(pre).shape.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.units.push(Unit { name, kind: UnitKind::Queue { depth }, inputs: Vec::new(), outputs: Vec::new() });
        self.queues[projection.0] = Some(unit);
        if let Some(sent) = self.arriving[projection.0] {
            self.lead(sent, projection);
        }
        let sender = super::names::legalise(&self.quant.population(pre).name, "layer");
        let delayed = self.stream(&format!("{sender}_delayed_to_{reader}"), Some(unit), self.format(pre));
        self.arriving[projection.0] = Some(delayed);
    }

    /// Leads what a projection's sender sends to its reader, or to the queue before it.
    fn lead(&mut self, stream: StreamId, projection: ProjId) {
        match self.queues[projection.0] {
            Some(queue) => {
                self.connect(stream, queue, 0);
                self.units[queue.0].inputs.push(stream);
            }
            None => self.arriving[projection.0] = Some(stream),
        }
    }

    /// Leads `stream`, which `pop` sends, to every projection that reads it, through a fork if they are several.
    fn distribute(&mut self, pop: PopId, sender: &str, stream: StreamId) {
        let quant = self.quant;
        let readers: Vec<ProjId> = quant.projections_from(pop).map(|(id, _)| id).collect();
        if let [only] = readers.as_slice() {
            self.lead(stream, *only);
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
            self.lead(branch, reader);
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
        let Format { population, id_bits, value_bits, signed, layout } = format;
        let name = self.stream_names.claim(text, "stream");
        self.streams.push(Stream { name, from, to: None, population, id_bits, value_bits, signed, layout });
        id
    }

    fn connect(&mut self, stream: StreamId, unit: UnitId, port: usize) {
        self.streams[stream.0].to = Some(Port { unit, port });
    }

    fn format(&self, pop: PopId) -> Format {
        let population = self.quant.population(pop);
        let (signed, value_bits) = match population.neuron.is_readout() {
            true => (true, signed_bits(population.range.0, population.range.1)),
            false => payload_width(self.quant.payload_range(pop)),
        };
        let layout = self.windows.layout(self.quant, pop);
        Format { population: pop, id_bits: layout.id_bits(), value_bits, signed, layout }
    }
}

/// What a stream carries.
struct Format {
    population: PopId,
    id_bits: u32,
    value_bits: u32,
    signed: bool,
    layout: IdLayout,
}

/// Whether payloads in this range are signed, and how many bits they take.
fn payload_width((least, greatest): (i64, i64)) -> (bool, u32) {
    if least < 0 { (true, signed_bits(least, greatest)) } else { (false, unsigned_bits(greatest.unsigned_abs())) }
}

/// The same for the senders of all these projections together.
fn payloads(quant: &QuantGraph, projections: &[ProjId]) -> (bool, u32) {
    let ranges = projections.iter().map(|&p| quant.payload_range(quant.projection(p).projection.pre));
    payload_width(ranges.fold((0, 0), |all, one| (all.0.min(one.0), all.1.max(one.1))))
}

fn too_many_ids(name: &str) -> Problem {
    Problem::new("reads more inputs than 32-bit ids can name").at_node(name).help("split the layer")
}

/// Which populations are computed by window cores, and which send field ids.
struct Windows {
    /// By population.
    core: Vec<bool>,
    /// By population.
    fields: Vec<bool>,
}

/// Where the ids of a core's senders begin on its input stream.
struct Bases {
    bases: Vec<u64>,
    /// The largest id.
    last: u64,
}

impl Windows {
    /// The least sets that obey the rule of `ARCHITECTURE.md`, "Window cores".
    fn new(quant: &QuantGraph) -> Windows {
        let count = quant.populations.len();
        let mut windows = Windows { core: vec![false; count], fields: vec![false; count] };
        // Dense cores only add.
        let maximum = |pop: usize| matches!(quant.populations[pop].neuron, Neuron::Pool { combine: Combine::Max, .. });
        let has_pixels = |pop: usize| quant.populations[pop].shape.image().is_some_and(|[_, h, w]| h * w > 1);
        loop {
            let before = (windows.core.clone(), windows.fields.clone());
            for p in &quant.projections {
                let (pre, post) = (p.projection.pre.0, p.projection.post.0);
                let dense = matches!(p.projection.synapses, Synapses::Dense { .. });
                windows.core[post] |= !dense || maximum(post) || windows.fields[pre] || windows.fields[post];
                windows.fields[pre] |= windows.core[post] && has_pixels(pre);
            }
            // Each turn adds a population to one of the sets, or is the last.
            if before == (windows.core.clone(), windows.fields.clone()) {
                return windows;
            }
        }
    }

    fn layout(&self, quant: &QuantGraph, pop: PopId) -> IdLayout {
        match quant.population(pop).shape.image() {
            Some(extent) if self.fields[pop.0] => IdLayout::Fields { extent },
            _ => IdLayout::Linear { neurons: quant.population(pop).shape.len() },
        }
    }

    fn bases(&self, quant: &QuantGraph, post: PopId, projections: &[ProjId]) -> Bases {
        let senders = projections.iter().map(|&p| quant.projection(p).projection.pre);
        if self.core[post.0] {
            let width = senders.map(|pre| self.layout(quant, pre).id_bits()).max().unwrap_or(1);
            let bases: Vec<u64> = (0..projections.len() as u64).map(|i| i << width).collect();
            let last = ((projections.len() as u64) << width).saturating_sub(1);
            return Bases { bases, last };
        }
        let mut next = 0;
        let bases = senders
            .map(|pre| {
                let base = next;
                next += quant.population(pre).shape.len() as u64;
                base
            })
            .collect();
        Bases { bases, last: next.saturating_sub(1) }
    }
}

/// What the core of `post` sees of its projections.
fn core_inputs(quant: &QuantGraph, windows: &Windows, post: PopId, projections: &[ProjId]) -> Vec<CoreInput> {
    let bases = windows.bases(quant, post, projections).bases;
    let image = |pop: PopId| quant.population(pop).shape.image().unwrap_or([quant.population(pop).shape.len(), 1, 1]);
    let input = |(&id, &base): (&ProjId, &u64)| {
        let p = &quant.projection(id).projection;
        let (connection, window) = match &p.synapses {
            Synapses::Dense { .. } => {
                let window = Window { output: image(p.post), ..Window::identity(image(p.pre)) };
                (Connection::Dense, window)
            }
            Synapses::Conv { window, .. } => (Connection::Conv, *window),
            Synapses::Channelwise { weight, window, from, to } => {
                (Connection::Channelwise { from: *from, to: *to, channels: weight.dim().0 }, *window)
            }
        };
        CoreInput { connection, window, base: u32::try_from(base).unwrap_or(u32::MAX) }
    };
    projections.iter().zip(&bases).map(input).collect()
}

fn core_of(quant: &QuantGraph, windows: &Windows, pop: PopId, projections: Vec<ProjId>) -> Core {
    let population = quant.population(pop);
    let synapses = |p: &ProjId| &quant.projection(*p).projection;
    let (value_signed, value_bits) = payloads(quant, &projections);
    let window = windows.core[pop.0];
    let neurons = population.shape.len();
    let leaky = match &population.neuron {
        Neuron::Leaky(leaky) => Some(leaky.as_ref()),
        _ => None,
    };
    let plain_widths = |theta: &[i64], bias: &[i64]| {
        let theta = theta.iter().copied().max().unwrap_or(1);
        let (least, most) = bias.iter().fold((0, 0), |(lo, hi), &b| (b.min(lo), b.max(hi)));
        (unsigned_bits(theta.unsigned_abs()), signed_bits(least, most))
    };
    let (fire, theta_bits, bias_bits) = match &population.neuron {
        Neuron::If { theta, bias, .. } => {
            let (theta_bits, bias_bits) = plain_widths(theta, bias);
            let max = quant.timesteps;
            let fire = match quant.coding {
                Coding::Graded => Fire::Count { bits: unsigned_bits(u64::from(max)), max },
                Coding::Unit => Fire::Unit { sweeps: max },
                Coding::Rate => Fire::Step,
            };
            (fire, theta_bits, bias_bits)
        }
        Neuron::MultiSpike(multi) => {
            let (theta_bits, bias_bits) = plain_widths(&multi.theta, &multi.bias);
            let max = multi.most;
            (Fire::Multi { bits: unsigned_bits(u64::from(max)), max, floor: multi.floor }, theta_bits, bias_bits)
        }
        Neuron::Pool { .. } => (Fire::Relay, 1, 1),
        Neuron::Leaky(leaky) => {
            let fire = if leaky.fires() { Fire::Leaky } else { Fire::LeakyReadout };
            (fire, width(&leaky.theta), width(&leaky.bias))
        }
        Neuron::Readout { .. } | Neuron::Source => (Fire::Readout, 1, 1),
    };
    Core {
        population: pop,
        inputs: projections.iter().map(|p| synapses(p).synapses.extent().0).sum(),
        neurons,
        extent: if window { population.shape.image().unwrap_or([neurons, 1, 1]) } else { [neurons, 1, 1] },
        fields: core_inputs(quant, windows, pop, &projections),
        combine: match population.neuron {
            Neuron::Pool { combine, .. } => combine,
            _ => Combine::Sum,
        },
        mode: if window {
            Mode::WindowEvent { lanes: 1, banks: [1, 1], payload: Payload::Multiply }
        } else {
            Mode::Event { lanes: 1, payload: Payload::Multiply }
        },
        fire,
        phases: quant.phases(),
        value_bits,
        value_signed,
        slice_bits: 1,
        weight_bits: projections.iter().map(|&p| quant.projection(p).weight_bits).max().unwrap_or(1),
        membrane_bits: signed_bits(population.range.0, population.range.1),
        input_bits: leaky.map_or(0, input_bits),
        current_bits: leaky.map_or(0, current_bits),
        theta_bits,
        bias_bits,
        leak: leaky.map(Leak::of).unwrap_or_default(),
        weights: Weights::Internal,
        projections,
    }
}
