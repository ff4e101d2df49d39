//! The spiking network before quantisation: populations and projections with float parameters.
//!
//! Guarantees (verified by [`SnnGraph::check`]): population 0 is the only source; the last population is the only readout;
//! every other population has at least one projection into it; a projection's synapses fit the two shapes; projections
//! with `delay == 0` form no cycle and populations stand in their topological order.

use super::{PopId, ProjId, Shape};
use crate::error::Problem;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A network of populations and projections.
#[derive(Clone, Debug)]
pub struct SnnGraph {
    /// The model's name (untrusted text).
    pub name: String,
    /// Populations in topological order; 0 is the source.
    pub populations: Vec<Population>,
    /// Projections, ordered by their target.
    pub projections: Vec<Projection<f32>>,
}

/// Neurons of one model.
#[derive(Clone, Debug)]
pub struct Population {
    /// Name of the node it comes from (untrusted text).
    pub name: String,
    /// Extent, `[N]` or `[C, H, W]`.
    pub shape: Shape,
    /// What its neurons compute.
    pub model: Model,
    /// Bias in activation units, one per neuron.
    pub bias: Vec<f32>,
}

/// What the neurons of a population compute, in float.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// The image; no computation.
    Source,
    /// A ReLU to be approximated by integrate-and-fire neurons; `max` is the ReLU's own upper clip, if any.
    Relu {
        /// Upper clip in activation units.
        max: Option<f32>,
    },
    /// Sums its input and never fires: the network's answer.
    Readout,
}

/// Synapses from one population to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Projection<W> {
    /// Name of the node it comes from (untrusted text).
    pub name: String,
    /// The sender.
    pub pre: PopId,
    /// The receiver.
    pub post: PopId,
    /// Time steps between a spike and its effect: 0 for feed-forward, 1 for a projection that closes a cycle.
    pub delay: u32,
    /// The weights.
    pub synapses: Synapses<W>,
}

/// The kinds of connectivity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Synapses<W> {
    /// Every sender to every receiver; `weight` is `[post, pre]`. Stored beside the JSON, not in it.
    Dense {
        /// `[post, pre]`.
        #[serde(skip, default = "no_weights")]
        weight: Array2<W>,
    },
}

fn no_weights<W>() -> Array2<W> {
    Array2::from_shape_vec((0, 0), Vec::new()).unwrap_or_else(|_| unreachable!("an empty matrix has no elements"))
}

impl<W> Synapses<W> {
    /// Number of senders and receivers that the synapses connect.
    pub fn extent(&self) -> (usize, usize) {
        match self {
            Synapses::Dense { weight } => (weight.ncols(), weight.nrows()),
        }
    }

    /// The kind's name in dumps and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Synapses::Dense { .. } => "dense",
        }
    }
}

impl SnnGraph {
    /// The projections into `pop`, in order.
    pub fn projections_into(&self, pop: PopId) -> impl Iterator<Item = (ProjId, &Projection<f32>)> {
        self.projections.iter().enumerate().filter(move |(_, p)| p.post == pop).map(|(i, p)| (ProjId(i), p))
    }

    /// Every broken guarantee.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = check_topology(
            self.populations.iter().map(|p| (p.name.as_str(), &p.shape, role(&p.model))),
            self.projections.iter(),
        );
        for pop in &self.populations {
            if pop.bias.len() != pop.shape.len() {
                problems.push(
                    Problem::new(format!("has {} biases for {} neurons", pop.bias.len(), pop.shape.len()))
                        .at_node(&pop.name),
                );
            }
            if pop.bias.iter().any(|b| !b.is_finite()) {
                problems.push(Problem::new("has a bias that is not finite").at_node(&pop.name));
            }
        }
        problems
    }

    /// Stable text.
    pub fn dump(&self) -> String {
        let mut text = format!("snn {:?}\n", self.name);
        for (i, pop) in self.populations.iter().enumerate() {
            let _ = writeln!(text, "population {i} {:?} {} {:?}", pop.name, pop.shape, pop.model);
        }
        for (i, p) in self.projections.iter().enumerate() {
            let (pre, post) = p.synapses.extent();
            let _ = writeln!(
                text,
                "projection {i} {:?} {} -> {} {} {post}x{pre} delay={}",
                p.name,
                p.pre.0,
                p.post.0,
                p.synapses.name(),
                p.delay
            );
        }
        text
    }
}

/// The part that a population plays in the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Source,
    Hidden,
    Readout,
}

fn role(model: &Model) -> Role {
    match model {
        Model::Source => Role::Source,
        Model::Relu { .. } => Role::Hidden,
        Model::Readout => Role::Readout,
    }
}

/// The guarantees that float and integer networks share.
pub(super) fn check_topology<'a, W: 'a>(
    populations: impl Iterator<Item = (&'a str, &'a Shape, Role)>,
    projections: impl Iterator<Item = &'a Projection<W>>,
) -> Vec<Problem> {
    let populations: Vec<_> = populations.collect();
    let projections: Vec<_> = projections.collect();
    let mut problems = Vec::new();
    for (i, (name, shape, role)) in populations.iter().enumerate() {
        let mut complain = |what: &str| problems.push(Problem::new(what).at_node(*name));
        if shape.is_empty() {
            complain("has no neurons");
        }
        if (i == 0) != (*role == Role::Source) {
            complain("the source must be population 0, and the only one");
        }
        if (i + 1 == populations.len()) != (*role == Role::Readout) {
            complain("the readout must be the last population, and the only one");
        }
        if i > 0 && !projections.iter().any(|p| p.post.0 == i) {
            complain("nothing projects into this population");
        }
        if i + 1 < populations.len() && !projections.iter().any(|p| p.pre.0 == i) {
            complain("nothing reads this population");
        }
    }
    for p in projections {
        let mut complain = |what: String| problems.push(Problem::new(what).at_node(&p.name));
        let (Some(pre), Some(post)) = (populations.get(p.pre.0), populations.get(p.post.0)) else {
            complain("connects a population that does not exist".into());
            continue;
        };
        if p.delay == 0 && p.pre >= p.post {
            complain("feeds an earlier population without a delay".into());
        }
        if p.synapses.extent() != (pre.1.len(), post.1.len()) {
            let (from, to) = p.synapses.extent();
            complain(format!("connects {from} to {to} neurons, but the populations are {} and {}", pre.1, post.1));
        }
    }
    problems
}
