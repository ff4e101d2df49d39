//! The spiking network before quantisation: populations and projections with float parameters.
//!
//! Guarantees (verified by [`SnnGraph::check`]): population 0 is the only source; the last population is the only readout;
//! every other population has at least one projection into it; a projection's synapses fit the two shapes; projections
//! with `delay == 0` form no cycle and populations stand in their topological order.

mod leaky;
mod multi;

pub use leaky::{FloatReset, LeakyModel};
pub use multi::MultiSpikeModel;

use super::window::Window;
use super::{PopId, ProjId, Shape};
use crate::error::Problem;
use ndarray::{Array2, Array3, Array4};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A network of populations and projections.
#[derive(Clone, Debug)]
pub struct SnnGraph {
    /// The model's name (untrusted text).
    pub name: String,
    /// The pixel, in `[0, 1]`, that the source sends as 0, one per channel; empty for 0 in every channel. A network that normalises its
    /// input and then pads it with zeros pads with the mean pixel: the source's activation is `pixel - zero`.
    pub zero: Vec<f32>,
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
    /// Bias in activation units, one per neuron. Of [`Model::Leaky`] and [`Model::MultiSpike`]: added to the membrane in every step, in membrane units; of the
    /// readout of such a network: added in every step.
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
    /// Passes on the sum of its input, which is never negative: average pooling. The factor `1/k²` is the projection's weight.
    Sum,
    /// Passes on the largest of its inputs: max pooling over [`Synapses::Channelwise`] taps of weight 1.
    Max,
    /// Neurons that fire in the time step in which their input arrives; or, without a threshold, the network's answer.
    Leaky(Box<LeakyModel>),
    /// Neurons that do so several times in a step.
    MultiSpike(Box<MultiSpikeModel>),
    /// Sums its input and never fires: the network's answer.
    Readout,
}

impl Model {
    /// One line of a dump.
    fn dump(&self) -> String {
        match self {
            Model::Leaky(leaky) => leaky.dump(),
            Model::MultiSpike(multi) => multi.dump(),
            other => format!("{other:?}"),
        }
    }
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
        #[serde(skip, default = "Synapses::no_matrix")]
        weight: Array2<W>,
    },
    /// A convolution.
    Conv {
        /// `[C_post, C_pre / groups, rows, columns]`. Stored beside the JSON, not in it.
        #[serde(skip, default = "Synapses::no_kernels")]
        weight: Array4<W>,
        /// Geometry.
        window: Window,
        /// Groups of channels that do not see each other; divides both channel counts.
        groups: usize,
    },
    /// Every channel on its own: sender channel `from + i` reaches receiver channel `to + i` alone. Depthwise convolution, pooling,
    /// and identity, strided and zero-padded skip connections.
    Channelwise {
        /// `[channels, rows, columns]`. Stored beside the JSON, not in it.
        #[serde(skip, default = "Synapses::no_filters")]
        weight: Array3<W>,
        /// Geometry.
        window: Window,
        /// First sender channel.
        from: usize,
        /// First receiver channel.
        to: usize,
    },
}

// The weights of a design are files of their own; until they are read there are none.
impl<W> Synapses<W> {
    fn no_matrix() -> Array2<W> {
        Array2::from_shape_vec((0, 0), Vec::new()).unwrap_or_else(|_| unreachable!("nothing fits an empty shape"))
    }

    fn no_kernels() -> Array4<W> {
        Array4::from_shape_vec((0, 0, 0, 0), Vec::new()).unwrap_or_else(|_| unreachable!("nothing fits an empty shape"))
    }

    fn no_filters() -> Array3<W> {
        Array3::from_shape_vec((0, 0, 0), Vec::new()).unwrap_or_else(|_| unreachable!("nothing fits an empty shape"))
    }
}

impl<W> Synapses<W> {
    /// Number of senders and receivers that the synapses connect.
    pub fn extent(&self) -> (usize, usize) {
        match self {
            Synapses::Dense { weight } => (weight.ncols(), weight.nrows()),
            Synapses::Conv { window, .. } | Synapses::Channelwise { window, .. } => window.extent(),
        }
    }

    /// The geometry, if the synapses have one.
    pub fn window(&self) -> Option<&Window> {
        match self {
            Synapses::Dense { .. } => None,
            Synapses::Conv { window, .. } | Synapses::Channelwise { window, .. } => Some(window),
        }
    }

    /// Every stored weight, in the order of its array.
    pub fn weights(&self) -> ndarray::iter::Iter<'_, W, ndarray::IxDyn> {
        match self {
            Synapses::Dense { weight } => weight.view().into_dyn(),
            Synapses::Conv { weight, .. } => weight.view().into_dyn(),
            Synapses::Channelwise { weight, .. } => weight.view().into_dyn(),
        }
        .into_iter()
    }

    /// The same connections with other weights.
    pub fn map<V>(&self, mut f: impl FnMut(&W) -> V) -> Synapses<V> {
        match self {
            Synapses::Dense { weight } => Synapses::Dense { weight: weight.map(&mut f) },
            Synapses::Conv { weight, window, groups } => {
                Synapses::Conv { weight: weight.map(&mut f), window: *window, groups: *groups }
            }
            Synapses::Channelwise { weight, window, from, to } => {
                Synapses::Channelwise { weight: weight.map(&mut f), window: *window, from: *from, to: *to }
            }
        }
    }

    /// What is wrong with the synapses in themselves, in words that continue "the projection".
    pub fn problem(&self) -> Option<String> {
        match self {
            Synapses::Dense { .. } => None,
            Synapses::Conv { weight, window, groups } => window.problem().or_else(|| {
                let (pre, post) = (window.input[0], window.output[0]);
                if *groups == 0 || !pre.is_multiple_of(*groups) || !post.is_multiple_of(*groups) {
                    return Some(format!("has {groups} groups for {pre} and {post} channels"));
                }
                let expected = [post, pre / groups, window.kernel[0], window.kernel[1]];
                (weight.shape() != expected).then(|| format!("has kernels {:?}, not {expected:?}", weight.shape()))
            }),
            Synapses::Channelwise { weight, window, from, to } => window.problem().or_else(|| {
                let (channels, rows, columns) = weight.dim();
                let inside = |first: &usize, all: usize| first.checked_add(channels).is_some_and(|end| end <= all);
                if [rows, columns] != window.kernel {
                    return Some(format!("has filters of {rows}×{columns} for a window of {:?}", window.kernel));
                }
                (channels == 0 || !inside(from, window.input[0]) || !inside(to, window.output[0]))
                    .then(|| format!("connects {channels} channels from {from} to {to}, more than there are"))
            }),
        }
    }

    /// The kind's name in dumps and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Synapses::Dense { .. } => "dense",
            Synapses::Conv { .. } => "conv",
            Synapses::Channelwise { .. } => "channelwise",
        }
    }
}

impl Synapses<i32> {
    /// The weight from sender `pre` to receiver `post`, both row-major numbers; 0 where they are not connected.
    pub fn weight(&self, post: usize, pre: usize) -> i32 {
        let pixel = |n: usize, [_, h, w]: [usize; 3]| (n / (h * w), [n / w % h, n % w]);
        let tap = |window: &Window, axis: usize, out: usize, at: usize| {
            (0..window.kernel[axis]).find(|&tap| window.source(axis, out, tap) == Some(at))
        };
        match self {
            Synapses::Dense { weight } => weight.get((post, pre)).copied().unwrap_or(0),
            Synapses::Conv { weight, window, groups } => {
                let ((c_in, at), (c_out, out)) = (pixel(pre, window.input), pixel(post, window.output));
                let (in_group, out_group) = (window.input[0] / groups, window.output[0] / groups);
                if c_in / in_group != c_out / out_group {
                    return 0;
                }
                match (tap(window, 0, out[0], at[0]), tap(window, 1, out[1], at[1])) {
                    (Some(ky), Some(kx)) => weight.get((c_out, c_in % in_group, ky, kx)).copied().unwrap_or(0),
                    _ => 0,
                }
            }
            Synapses::Channelwise { weight, window, from, to } => {
                let ((c_in, at), (c_out, out)) = (pixel(pre, window.input), pixel(post, window.output));
                let channel = c_in.checked_sub(*from).filter(|c| c_out.checked_sub(*to) == Some(*c));
                match (channel, tap(window, 0, out[0], at[0]), tap(window, 1, out[1], at[1])) {
                    (Some(c), Some(ky), Some(kx)) => weight.get((c, ky, kx)).copied().unwrap_or(0),
                    _ => 0,
                }
            }
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
            let parameters = match &pop.model {
                Model::Leaky(leaky) => leaky.problems(pop.shape.len()),
                Model::MultiSpike(multi) => multi.problems(pop.shape.len()),
                _ => Vec::new(),
            };
            problems.extend(parameters.into_iter().map(|what| Problem::new(what).at_node(&pop.name)));
        }
        problems
    }

    /// Stable text.
    pub fn dump(&self) -> String {
        let mut text = format!("snn {:?}\n", self.name);
        for (i, pop) in self.populations.iter().enumerate() {
            let _ = writeln!(text, "population {i} {:?} {} {}", pop.name, pop.shape, pop.model.dump());
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
        Model::Relu { .. } | Model::Sum | Model::Max | Model::MultiSpike(_) => Role::Hidden,
        Model::Leaky(leaky) if leaky.fires() => Role::Hidden,
        Model::Leaky(_) | Model::Readout => Role::Readout,
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
        if let Some(what) = p.synapses.problem() {
            complain(what);
            continue;
        }
        let (Some(pre), Some(post)) = (populations.get(p.pre.0), populations.get(p.post.0)) else {
            complain("connects a population that does not exist".into());
            continue;
        };
        if p.pre.0 + 1 == populations.len() {
            complain("reads the readout, which sends nothing".into());
        }
        if p.delay == 0 && p.pre >= p.post {
            complain("feeds an earlier population without a delay".into());
        }
        if p.synapses.extent() != (pre.1.len(), post.1.len()) {
            let (from, to) = p.synapses.extent();
            complain(format!("connects {from} to {to} neurons, but the populations are {} and {}", pre.1, post.1));
        } else if let Some(window) = p.synapses.window()
            && (pre.1.image(), post.1.image()) != (Some(window.input), Some(window.output))
        {
            let (from, to) = (window.input, window.output);
            complain(format!("slides over {from:?} to {to:?}, but the populations are {} and {}", pre.1, post.1));
        }
    }
    problems
}
