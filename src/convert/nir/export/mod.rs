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
//! | `shapes.rs` | which populations are images |
//! | `neurons.rs` | a population as a node with its notes |
//! | `needs.rs` | what is lost on an interpreter that passes over the notes |
//!
//! # What becomes of what
//! - *Source*: `Input`. *Readout*: `I` and `Output`; the last row holds the logits.
//! - *Integrate and fire*: `IF`. *Leaky*: `LIF`, or `CubaLIF` if a synaptic current lasts, or `IF` if nothing decays; as the readout `LI`,
//!   `CubaLI` or `I`.
//! - *Sum pool*: no node of its own; its projections' nodes are read directly, or through a `Scale` of ones if there are several.
//! - *Projections*: see `synapses.rs`. Two projections into one population are two edges into one node.
//! - *Delay*: a `Delay` of one step, so that it does not depend on an executor's choice where a circle waits.
//! - *Bias of every step* (rate coding): the bias of an `Affine` or `Conv2d` in front.

mod builder;
mod geometry;
mod needs;
mod neurons;
mod shapes;
mod synapses;

use crate::error::{Error, Kind, Problem, Result};
use crate::frontends::nir::convention::{GraphNotes, Presentation, Rows};
use crate::frontends::nir::{Kind as Primitive, NirGraph, Unit};
use crate::ir::PopId;
use crate::ir::quant::{Coding, Combine, Input, Neuron, QuantGraph};
use builder::{Builder, Signal};
use shapes::Shapes;
use std::collections::{BTreeMap, BTreeSet};

/// Half of the integers that double precision holds without gaps.
const EXACT: i64 = 1 << 52;

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
        Exporter { shapes: Shapes::of(net), net, builder: Builder::new(), late: BTreeMap::new(), problems: Vec::new() };
    let mut signals = exporter.announce();
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

struct Exporter<'a> {
    net: &'a QuantGraph,
    shapes: Shapes,
    builder: Builder,
    /// What populations sent in the step before.
    late: BTreeMap<PopId, Signal>,
    problems: Vec<Problem>,
}

impl Exporter<'_> {
    fn refuse(&mut self, name: &str, what: impl Into<String>, help: &str) {
        self.problems.push(Problem::new(what).at_node(name).help(help));
    }

    /// Names the populations that have nodes of their own before any projection takes a name; and those that are read before they
    /// are written, through a delay.
    fn announce(&mut self) -> Vec<Option<Signal>> {
        let late: BTreeSet<PopId> =
            self.net.projections.iter().filter(|p| p.projection.delay > 0).map(|p| p.projection.pre).collect();
        let named = |pop: PopId| match self.net.population(pop).neuron {
            Neuron::Source => false,
            Neuron::Pool { .. } => late.contains(&pop),
            Neuron::If { .. } | Neuron::Leaky(_) | Neuron::MultiSpike(_) | Neuron::Readout { .. } => true,
        };
        let populations: Vec<PopId> = (0..self.net.populations.len()).map(PopId).collect();
        let named: Vec<bool> = populations.iter().map(|&pop| named(pop)).collect();
        let signal = |(pop, named): (PopId, bool)| {
            let node = named.then(|| self.builder.name(&self.net.population(pop).name))?;
            Some(Signal { node, shape: self.shapes.node(pop) })
        };
        populations.into_iter().zip(named).map(signal).collect()
    }

    fn population(&mut self, pop: PopId, signals: &mut [Option<Signal>]) {
        let (net, shape) = (self.net, self.shapes.node(pop));
        let population = net.population(pop);
        let name = &population.name;
        let problems = self.problems.len();
        if population.shape.image().is_none() {
            let what = format!("has the shape {}, but NIR's layers know [channels, height, width]", population.shape);
            self.refuse(name, what, "reshape it in the model");
        }
        let (low, high) = population.range;
        if low.min(-high) < -EXACT {
            let what = format!("has membranes in {low}..={high}, which double precision does not hold");
            self.refuse(name, what, "quantise with fewer bits");
        }
        let unit = match &population.neuron {
            Neuron::Source => {
                let node = self.builder.port(Primitive::Input, &shape);
                signals[pop.0] = Some(Signal { node, shape });
                return;
            }
            Neuron::Pool { combine: Combine::Max, .. } => {
                let help = "train the network with average pooling, or with convolutions of stride 2";
                self.refuse(name, "takes the largest of its inputs, for which NIR has no primitive", help);
                None
            }
            Neuron::Pool { combine: Combine::Sum, .. } => Some(synapses::same(&shape)),
            Neuron::If { theta, v_init, .. } => Some(neurons::integrate_and_fire(net, theta, v_init, &shape)),
            Neuron::MultiSpike(multi) => Some(neurons::multi(multi, &shape)),
            Neuron::Readout { v_init } => Some(neurons::readout(v_init, &shape)),
            Neuron::Leaky(leaky) => neurons::leaky(net, pop, leaky, &shape)
                .map_err(|what| self.refuse(name, what, "quantise with fewer fraction bits"))
                .ok(),
        };
        let ends = self.arrivals(pop, signals);
        match (unit, ends) {
            (Some(unit), Some(ends)) if self.problems.len() == problems => {
                let relays = matches!(population.neuron, Neuron::Pool { .. });
                signals[pop.0] = Some(match <[Signal; 1]>::try_from(ends) {
                    // A sum needs no node of its own, unless somebody has read it by its name, through a delay.
                    Ok([only]) if relays && signals[pop.0].is_none() => only,
                    Ok(ends) => self.finish(pop, signals[pop.0].take(), unit, &ends),
                    Err(ends) => self.finish(pop, signals[pop.0].take(), unit, &ends),
                });
            }
            // Nothing comes of the graph any more; what reads this population can be looked at all the same.
            _ => {
                signals[pop.0].get_or_insert(Signal { node: String::new(), shape });
            }
        }
    }

    /// The node of a population, behind the last nodes of its projections; `named` if it has a name.
    fn finish(&mut self, pop: PopId, named: Option<Signal>, unit: Unit, ends: &[Signal]) -> Signal {
        let name = &self.net.population(pop).name;
        let node = named.map_or_else(|| self.builder.name(name), |signal| signal.node);
        let signal = Signal { node, shape: self.shapes.node(pop) };
        self.builder.put(&signal.node, unit, ends);
        if pop == self.net.readout() {
            let output = self.builder.port(Primitive::Output, &signal.shape);
            self.builder.edge(&signal.node, &output);
        }
        signal
    }

    /// The last nodes of all projections into a population. One of them adds the bias of every step, if there is any. `None` if
    /// something cannot be expressed.
    fn arrivals(&mut self, pop: PopId, signals: &[Option<Signal>]) -> Option<Vec<Signal>> {
        let (net, shape, problems) = (self.net, self.shapes.node(pop), self.problems.len());
        let mut chains = Vec::new();
        for (_, p) in net.projections_into(pop) {
            let projection = &p.projection;
            let name = projection.name.as_str();
            if projection.delay > 1 || (projection.delay == 1 && net.coding != Coding::Rate) {
                self.refuse(name, "has a delay, which only rate coding has, and of one step", "use rate coding");
                continue;
            }
            let from = signals[projection.pre.0].clone()?;
            match synapses::chain(&projection.synapses, &from.shape, &shape) {
                Ok(chain) => chains.push((projection, from, chain)),
                Err(what) => self.refuse(name, what, "no node that Python's nir reads does what this projection does"),
            }
        }
        let bias = match &net.population(pop).neuron {
            Neuron::If { bias, .. } => bias.as_slice(),
            Neuron::MultiSpike(multi) => &multi.bias,
            _ => &[],
        };
        if bias.iter().any(|&b| b != 0)
            && !chains.iter_mut().any(|(_, _, chain)| synapses::carry(chain, bias))
            && let Some((_, _, chain)) = chains.first_mut()
        {
            match synapses::constant(bias, &shape) {
                Ok(unit) => chain.push(unit),
                Err(what) => self.refuse(&net.population(pop).name, what, "use two-phase coding"),
            }
        }
        if self.problems.len() > problems {
            return None;
        }
        let relays = matches!(net.population(pop).neuron, Neuron::Pool { .. });
        let mut ends: Vec<Signal> = Vec::new();
        for (projection, from, mut chain) in chains {
            let from = if projection.delay == 0 { from } else { self.delayed(projection.pre, from) };
            // An edge exists once only, and a sum needs a node to be read from.
            if chain.is_empty() && (relays || ends.iter().any(|end| end.node == from.node)) {
                chain.push((synapses::same(&from.shape), from.shape.clone()));
            }
            let last = chain.into_iter().fold(from, |from, (unit, shape)| {
                let node = self.builder.name(&synapses::label(&projection.name, &unit));
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
