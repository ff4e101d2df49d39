//! A prepared graph as data: what a converter must know of every node, with dialect and time step already applied.

use super::Executor;
use super::neuron::{Membrane, Neuron, Reset, Synapse, Whole};
use super::op::Op;
use super::param::Param;
use crate::ir::window::Window;

/// A node of the flattened graph.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its name; those of nested graphs are called `graph/node`.
    pub name: &'a str,
    /// Extents of its input.
    pub input: &'a [usize],
    /// Extents of its output.
    pub output: &'a [usize],
    /// Who sends to it, and whether what was sent in the previous step is meant.
    pub senders: &'a [(usize, bool)],
    /// What it computes.
    pub what: What<'a>,
}

/// What a node computes in a step.
#[derive(Debug)]
pub enum What<'a> {
    /// Input, Output, Flatten: passes values on.
    Pass,
    /// `y = W·x + b`, once for each of `lead` independent blocks.
    Dense {
        /// Blocks.
        lead: usize,
        /// Inputs of a block.
        inputs: usize,
        /// Outputs of a block.
        outputs: usize,
        /// `[lead, inputs, outputs]`.
        weight: &'a [f64],
        /// `[lead, outputs]`, or empty for none.
        bias: &'a [f64],
    },
    /// A convolution.
    Conv {
        /// Geometry.
        window: Window,
        /// Groups of channels that do not see each other.
        groups: usize,
        /// `[inputs, kernel height, kernel width, outputs per group]`.
        weight: &'a [f64],
        /// One per output channel.
        bias: &'a [f64],
    },
    /// Sums over windows.
    Pool {
        /// Geometry.
        window: Window,
        /// Factor of each sum: 1, or that of an average.
        share: f64,
    },
    /// `s ⊙ x`.
    Scale(Vec<f64>),
    /// 1 where `x > threshold`, else 0.
    Threshold(Vec<f64>),
    /// Whole steps of each element.
    Delay(&'a [usize]),
    /// Neurons.
    Neurons(Box<Neurons>),
}

/// `u' = keep_u·u + gain_u·x + add_u;  v' = keep·v + gain·u' + add`. Vectors have one entry per neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct Neurons {
    /// Share of the synaptic current that is kept; 0 without one, `u' = x`.
    pub keep_u: Vec<f64>,
    /// Gain of the synaptic current.
    pub gain_u: Vec<f64>,
    /// Added to the synaptic current.
    pub add_u: Vec<f64>,
    /// Share of the membrane that is kept.
    pub keep: Vec<f64>,
    /// Gain of the membrane.
    pub gain: Vec<f64>,
    /// Added to the membrane.
    pub add: Vec<f64>,
    /// The membrane before the first step.
    pub start: Vec<f64>,
    /// The node itself keeps the membrane within limits.
    pub limited: bool,
    /// None: the membrane is the output.
    pub fire: Option<Firing>,
}

/// When neurons fire, and what becomes of their membranes.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// Threshold of each neuron.
    pub theta: Vec<f64>,
    /// Fires at `v ≥ θ`; else at `v > θ`.
    pub at_threshold: bool,
    /// What the membrane becomes; `None`: it loses `θ`.
    pub reset: Option<Vec<f64>>,
    /// False: where the membrane would lose `θ`, it loses something else.
    pub subtracts_theta: bool,
    /// As often in one step as the threshold fits, up to so many times; `None`: once.
    pub many: Option<f64>,
    /// The membrane ends no step below `-θ`.
    pub floor: bool,
    /// Fires after all input is in.
    pub two_phase: bool,
}

impl Executor {
    /// Every node of the flattened graph.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let nodes = self.ops.iter().zip(&self.shapes).zip(&self.names).zip(&self.order.senders);
        nodes
            .map(|(((op, shapes), name), senders)| {
                let what = what(op, &shapes.input, &shapes.output);
                Part { name, input: &shapes.input, output: &shapes.output, senders, what }
            })
            .collect()
    }

    /// The nodes in the order in which a step computes them.
    pub fn sequence(&self) -> impl Iterator<Item = usize> {
        self.order.blocks.iter().flatten().copied()
    }

    /// The Inputs of the outermost graph, as indices into [`Self::parts`].
    pub fn input_nodes(&self) -> &[usize] {
        &self.inputs
    }

    /// The Outputs of the outermost graph, as indices into [`Self::parts`].
    pub fn output_nodes(&self) -> &[usize] {
        &self.outputs
    }
}

fn what<'a>(op: &'a Op, input: &[usize], output: &[usize]) -> What<'a> {
    let n = output.iter().product();
    let image = |shape: &[usize]| match *shape {
        [c, w] => [c, 1, w],
        [c, h, w] => [c, h, w],
        _ => [shape.iter().product(), 1, 1],
    };
    let geometry = |window: &crate::frontends::nir::shape::Window| Window {
        input: image(input),
        output: image(output),
        kernel: window.kernel,
        stride: window.stride,
        pad: window.padding.map(|p| p[0] as i64),
        dilation: window.dilation,
    };
    match op {
        Op::Pass => What::Pass,
        Op::Dense(d) => {
            What::Dense { lead: d.lead, inputs: d.inputs, outputs: d.outputs, weight: &d.weight, bias: &d.bias }
        }
        Op::Conv(c) => {
            let (conv, weight, bias) = c.parts();
            What::Conv { window: geometry(&conv.window), groups: conv.groups, weight, bias }
        }
        Op::Pool(p) => What::Pool { window: geometry(&p.window), share: p.share.unwrap_or(1.0) },
        Op::Scale(s) => What::Scale(s.values(n)),
        Op::Threshold(t) => What::Threshold(t.values(n)),
        Op::Delay(d) => What::Delay(&d.steps),
        Op::Neuron(neuron) => What::Neurons(Box::new(neurons(neuron, n))),
    }
}

fn neurons(neuron: &Neuron, n: usize) -> Neurons {
    let each = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
    let none = || vec![0.0; n];
    let (keep_u, gain_u, add_u) = match &neuron.synapse {
        None => (none(), vec![1.0; n], none()),
        Some(Synapse::Leak { rate, leak, w_in }) => {
            (each(&|i| 1.0 - rate.at(i)), each(&|i| rate.at(i) * w_in.at(i)), each(&|i| rate.at(i) * leak.at(i)))
        }
        Some(Synapse::Whole(whole)) => linear(whole, n),
    };
    let (keep, gain, add) = match &neuron.membrane {
        Membrane::Decay { keep, gain } => (keep.values(n), gain.values(n), none()),
        Membrane::Leak { rate, leak, r } => {
            (each(&|i| 1.0 - rate.at(i)), each(&|i| rate.at(i) * r.at(i)), each(&|i| rate.at(i) * leak.at(i)))
        }
        Membrane::Whole(whole) => linear(whole, n),
    };
    let fire = neuron.fire.as_ref().map(|fire| Firing {
        theta: fire.theta.values(n),
        at_threshold: fire.at_threshold,
        reset: match &fire.reset {
            Reset::To(value) => Some(value.values(n)),
            Reset::Subtract | Reset::SubtractOther(_) => None,
        },
        subtracts_theta: !matches!(fire.reset, Reset::SubtractOther(_)),
        many: fire.many,
        floor: fire.floor.is_some(),
        two_phase: fire.two_phase.is_some(),
    });
    let (start, limited) = (neuron.start.values(n), neuron.limits.is_some());
    Neurons { keep_u, gain_u, add_u, keep, gain, add, start, limited, fire }
}

/// Share kept, gain and constant of a state whose truncation is passed over: a converter rounds in its own way.
fn linear(whole: &Whole, n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    (whole.keep.clone().map(|keep| keep / 4096.0).values(n), whole.gain.values(n), whole.add.values(n))
}

impl Param {
    /// The values of `n` elements.
    fn values(&self, n: usize) -> Vec<f64> {
        (0..n).map(|i| self.at(i)).collect()
    }
}
