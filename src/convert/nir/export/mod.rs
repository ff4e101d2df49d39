//! `QuantGraph` → NIR graph, by the convention of [`crate::frontends::nir::convention`].
//!
//! Every number of the graph is an integer that its element type holds exactly, and every sum of the integer network is proved to
//! stay far below 2⁵³, so an executor in double precision computes the same integers.
//!
//! | file | does |
//! |---|---|
//! | `builder.rs` | names, nodes, edges |
//! | `geometry.rs` | windows as Python's `nir` knows them: square kernels, the same padding on both sides |
//! | `synapses.rs` | a projection as a chain of linear nodes |
//! | `neurons.rs` | a population as a node with its notes |
//! | `needs.rs` | what is lost on an interpreter that passes over the notes |
//!
//! # What becomes of what
//! - *Source*: `Input`. *Readout*: `I` and `Output`; the last row holds the logits.
//! - *Integrate and fire*: `IF`. *Leaky*: `LIF`, or `CubaLIF` if a synaptic current lasts, or `IF` if nothing decays.
//! - *Sum pool*: no node of its own; its projections' nodes are read directly, or through a `Scale` of ones if there are several.
//! - *Projections*: see `synapses.rs`. Two projections into one population are two edges into one node.
//! - *Delay*: a `Delay` of one step, so that it does not depend on an executor's choice where a circle waits.
//! - *Bias of every step* (rate coding): the bias of an `Affine` or `Conv2d` in front.
//!
//! A population of one pixel is a vector `[N]`, unless a path leads from it to a population with more pixels: NIR can flatten, but
//! not unflatten.

mod builder;
mod geometry;
mod needs;
mod neurons;
mod synapses;

use crate::error::{Error, Kind, Problem, Result};
use crate::frontends::nir::convention::{GraphNotes, Presentation, Rows};
use crate::frontends::nir::{Kind as Primitive, NirGraph, Unit};
use crate::ir::PopId;
use crate::ir::quant::{Coding, Combine, Input, Neuron, QuantGraph};
use builder::{Builder, Signal};
use std::collections::BTreeMap;

/// Sums beyond this are not exact in double precision.
const EXACT: i64 = 1 << 53;

/// An integer network as a NIR graph.
#[derive(Clone, Debug)]
pub struct Export {
    /// The graph.
    pub graph: NirGraph,
    /// Of each population, the node whose output is what the population sends; of the readout, its membranes.
    pub nodes: Vec<String>,
    /// What an interpreter that passes over Synfire's notes gets wrong, as sentences.
    pub needs: Vec<String>,
}

/// Writes a network as a NIR graph.
///
/// # Errors
/// [`Kind::Input`] with every population and projection that NIR cannot express.
pub fn export(net: &QuantGraph) -> Result<Export> {
    Error::check(Kind::Internal, net.check())?;
    let mut exporter =
        Exporter { three: images(net), net, builder: Builder::new(), late: BTreeMap::new(), problems: Vec::new() };
    let mut signals: Vec<Option<Signal>> = vec![None; net.populations.len()];
    // What is read before it is written, through a delay, gets its name first.
    exporter.announce(&mut signals);
    for index in 0..net.populations.len() {
        exporter.population(PopId(index), &mut signals);
    }
    Error::check(Kind::Input, exporter.problems)?;
    let notes = GraphNotes { dt: Some(1.0), presentation: Some(presentation(net)) };
    let mut graph = exporter.builder.finish();
    graph.metadata = notes.to_metadata();
    let nodes = signals.into_iter().map(|signal| signal.map_or_else(String::new, |s| s.node)).collect();
    let needs = needs::of(net, &graph);
    Ok(Export { graph, nodes, needs })
}

/// What a sample of the network is.
pub fn presentation(net: &QuantGraph) -> Presentation {
    let rows = match (net.coding, net.input) {
        (Coding::Graded | Coding::Unit, _) => Rows::First,
        (Coding::Rate, Input::Constant) => Rows::Every,
        (Coding::Rate, Input::Encoded) => Rows::Encoded,
        (Coding::Rate, Input::Train { .. }) => Rows::Train,
    };
    Presentation { rows, steps: net.timesteps, pixels: net.pixels.clone() }
}

/// Whether each population has the shape `[C, H, W]` in NIR: it has several pixels, or feeds one that has.
fn images(net: &QuantGraph) -> Vec<bool> {
    let several = |index: usize| !matches!(net.populations[index].shape.image(), Some([_, 1, 1]));
    let mut three: Vec<bool> = (0..net.populations.len()).map(several).collect();
    loop {
        let links = || net.projections.iter().map(|p| (p.projection.pre.0, p.projection.post.0));
        let found: Vec<usize> = links().filter(|&(pre, post)| three[post] && !three[pre]).map(|(pre, _)| pre).collect();
        if found.is_empty() {
            return three;
        }
        found.into_iter().for_each(|pre| three[pre] = true);
    }
}

struct Exporter<'a> {
    net: &'a QuantGraph,
    three: Vec<bool>,
    builder: Builder,
    /// What populations sent in the step before.
    late: BTreeMap<PopId, Signal>,
    problems: Vec<Problem>,
}

impl Exporter<'_> {
    /// The shape of a population's node.
    fn shape(&self, pop: PopId) -> Vec<usize> {
        let shape = &self.net.population(pop).shape;
        match shape.image() {
            Some(image) if self.three[pop.0] => image.to_vec(),
            _ => vec![shape.len()],
        }
    }

    fn refuse(&mut self, name: &str, what: impl Into<String>, help: &str) {
        self.problems.push(Problem::new(what).at_node(name).help(help));
    }

    fn announce(&mut self, signals: &mut [Option<Signal>]) {
        for p in self.net.projections.iter().map(|p| &p.projection).filter(|p| p.delay > 0 && p.pre >= p.post) {
            if signals[p.pre.0].is_none() {
                let node = self.builder.name(&self.net.population(p.pre).name);
                signals[p.pre.0] = Some(Signal { node, shape: self.shape(p.pre) });
            }
        }
    }

    fn population(&mut self, pop: PopId, signals: &mut [Option<Signal>]) {
        let population = self.net.population(pop);
        let shape = self.shape(pop);
        if population.shape.image().is_none() {
            let what = format!("has the shape {}, but NIR's layers know [channels, height, width]", population.shape);
            return self.refuse(&population.name, what, "reshape it in the model");
        }
        let (low, high) = population.range;
        if low.min(-high) < -(EXACT >> 1) {
            let what = format!("has membranes in {low}..={high}, which double precision does not hold");
            return self.refuse(&population.name, what, "quantise with fewer bits");
        }
        if let Neuron::Source = population.neuron {
            let node = self.builder.port(Primitive::Input, &shape);
            signals[pop.0] = Some(Signal { node, shape });
            return;
        }
        let bias: &[i64] = match &population.neuron {
            Neuron::If { bias, .. } => bias,
            _ => &[],
        };
        let relays = matches!(population.neuron, Neuron::Pool { .. });
        let Some(ends) = self.arrivals(pop, signals, bias, relays) else { return };
        let announced = signals[pop.0].take();
        let unit = match &population.neuron {
            Neuron::Source => return,
            Neuron::Pool { combine: Combine::Max, .. } => {
                return self.refuse(
                    &population.name,
                    "takes the largest of its inputs, for which NIR has no primitive",
                    "train the network with average pooling, or with convolutions of stride 2",
                );
            }
            Neuron::Pool { combine: Combine::Sum, .. } => match <[Signal; 1]>::try_from(ends) {
                Ok([only]) if announced.is_none() => {
                    signals[pop.0] = Some(only);
                    return;
                }
                // Somebody has read it by a name of its own, through a delay.
                Ok(ends) => return self.finish(pop, announced, synapses::same(&shape), &ends, signals),
                Err(ends) => return self.finish(pop, announced, synapses::same(&shape), &ends, signals),
            },
            Neuron::If { theta, v_init, .. } => Ok(neurons::integrate_and_fire(self.net, theta, v_init, &shape)),
            Neuron::Readout { v_init } => Ok(neurons::readout(v_init, &shape)),
            Neuron::Leaky(leaky) => neurons::leaky(self.net, pop, leaky, &shape),
        };
        match unit {
            Ok(unit) => self.finish(pop, announced, unit, &ends, signals),
            Err(what) => {
                self.refuse(&population.name, what, "NIR's neurons subtract their threshold, or jump to a value")
            }
        }
    }

    /// The node of a population, behind the last nodes of its projections.
    fn finish(
        &mut self,
        pop: PopId,
        announced: Option<Signal>,
        unit: Unit,
        ends: &[Signal],
        signals: &mut [Option<Signal>],
    ) {
        let shape = self.shape(pop);
        let node = match announced {
            Some(signal) => signal.node,
            None => self.builder.name(&self.net.population(pop).name),
        };
        self.builder.put(&node, unit, ends);
        let signal = Signal { node, shape };
        if pop == self.net.readout() {
            let output = self.builder.port(Primitive::Output, &signal.shape);
            self.builder.edge(&signal.node, &output);
        }
        signals[pop.0] = Some(signal);
    }

    /// The last nodes of all projections into a population, which add `bias` in every step. `None` if one cannot be expressed.
    fn arrivals(&mut self, pop: PopId, signals: &[Option<Signal>], bias: &[i64], relays: bool) -> Option<Vec<Signal>> {
        let net = self.net;
        let mut chains = Vec::new();
        for (_, p) in net.projections_into(pop) {
            let projection = &p.projection;
            let name = projection.name.as_str();
            if projection.delay > 1 || (projection.delay == 1 && net.coding != Coding::Rate) {
                self.refuse(name, "has a delay, which only rate coding has, and of one step", "use rate coding");
                continue;
            }
            // Whoever sends has been refused already if there is nothing of it.
            let from = signals[projection.pre.0].clone()?;
            match synapses::chain(&projection.synapses, &from.shape, &self.shape(pop)) {
                Ok(chain) => {
                    let from = if projection.delay == 0 { from } else { self.delayed(projection.pre, from) };
                    chains.push((name, from, chain));
                }
                Err(what) => {
                    self.refuse(name, what, "no NIR node that Python's nir reads does what this projection does")
                }
            }
        }
        if !self.problems.is_empty() {
            return None;
        }
        if bias.iter().any(|&b| b != 0) && !chains.iter_mut().any(|(_, _, chain)| synapses::carry(chain, bias)) {
            match (synapses::constant(bias, &self.shape(pop)), chains.first_mut()) {
                (Ok(unit), Some((_, _, chain))) => chain.push(unit),
                (Err(what), _) => {
                    self.refuse(&net.population(pop).name, what, "use two-phase coding");
                    return None;
                }
                (_, None) => {}
            }
        }
        let mut ends: Vec<Signal> = Vec::new();
        for (name, from, mut chain) in chains {
            // An edge exists once only, and a relay needs a node to be read from.
            if chain.is_empty() && (relays || ends.iter().any(|end| end.node == from.node)) {
                chain.push((synapses::same(&from.shape), from.shape.clone()));
            }
            let last = chain.into_iter().fold(from, |from, (unit, shape)| {
                let node = self.builder.name(&synapses::label(name, &unit));
                self.builder.put(&node, unit, &[from]);
                Signal { node, shape }
            });
            ends.push(last);
        }
        Some(ends)
    }

    /// What a population sent in the step before.
    fn delayed(&mut self, pre: PopId, from: Signal) -> Signal {
        if let Some(signal) = self.late.get(&pre) {
            return signal.clone();
        }
        let node = self.builder.name(&format!("{}.delay", from.node));
        self.builder.put(&node, neurons::delay(&from.shape), std::slice::from_ref(&from));
        let signal = Signal { node, shape: from.shape };
        self.late.insert(pre, signal.clone());
        signal
    }
}
