//! The float operator graph that a front end makes of a model file.
//!
//! Guarantees (verified by [`Graph::check`]): nodes stand in topological order; there is exactly one
//! [`Op::Input`] and it is node 0; every shape is non-empty and agrees with the operator; every parameter is finite.

mod check;

use super::Shape;
use super::window::Window;
use ndarray::{Array1, Array2, Array4};
use std::fmt::Write;

/// Index of a node; also names the activation that the node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A feed-forward float network.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The model's name (from the file, so untrusted text).
    pub name: String,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// The node whose activation is the network's answer.
    pub output: NodeId,
}

/// One operator with its single result.
#[derive(Clone, Debug)]
pub struct Node {
    /// The name in the model file (untrusted text).
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Whose activations it reads.
    pub inputs: Vec<NodeId>,
    /// Shape of its activation, without the batch axis.
    pub shape: Shape,
}

/// The operators that every front end lowers to.
#[derive(Clone, Debug)]
pub enum Op {
    /// The image, `[C, H, W]` or `[N]`.
    Input,
    /// `y = W·x + b`; `weight` is `[outputs, inputs]`, `x` is read row-major.
    Dense {
        /// `[outputs, inputs]`.
        weight: Array2<f32>,
        /// `[outputs]`.
        bias: Array1<f32>,
    },
    /// Per channel `y = scale·x + shift` (BatchNormalization at inference).
    Affine {
        /// One factor per channel.
        scale: Array1<f32>,
        /// One addend per channel.
        shift: Array1<f32>,
    },
    /// `max(0, x)`, and at most `max` where given (`Clip(0, c)`).
    Relu {
        /// Upper clip; finite and positive.
        max: Option<f32>,
    },
    /// Element-wise sum of two or more inputs of one shape.
    Add,
    /// The same elements in the same order under another shape (Flatten, Reshape, Identity, Dropout).
    Reshape,
    /// A convolution of an image `[C, H, W]`; one dimension is an image of one row.
    Conv {
        /// `[C_out, C_in / groups, rows, columns]`.
        weight: Array4<f32>,
        /// `[C_out]`.
        bias: Array1<f32>,
        /// Geometry.
        window: Window,
        /// Groups of channels that do not see each other; divides both channel counts.
        groups: usize,
    },
    /// Pooling of an image `[C, H, W]`, every channel on its own.
    Pool {
        /// What is made of the elements under the window.
        kind: PoolKind,
        /// Geometry.
        window: Window,
    },
    /// A slice with steps and a padding with zeros in one: along each axis of `[C, H, W]`, element `i` of the result is element
    /// `start + i·step` of the input, or 0 where that does not exist. The extent of the result is the node's shape.
    Strided {
        /// First element read; negative for padding in front.
        start: [i64; 3],
        /// Distance between elements that are read; at least 1.
        step: [usize; 3],
    },
    /// Another order of the axes: axis `i` of the result is axis `axes[i]` of the input.
    Permute {
        /// A permutation of the input's axes.
        axes: Vec<usize>,
    },
    /// Images `[C_i, H, W]`, one behind the other along the channels.
    Concat,
}

/// Kinds of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The sum divided by the number of taps; what lies outside the image counts as a zero.
    Average,
    /// The greatest; what lies outside the image does not count.
    Max,
}

impl Op {
    /// The operator's name in dumps and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input => "Input",
            Op::Dense { .. } => "Dense",
            Op::Affine { .. } => "Affine",
            Op::Relu { .. } => "Relu",
            Op::Add => "Add",
            Op::Reshape => "Reshape",
            Op::Conv { .. } => "Conv",
            Op::Pool { kind: PoolKind::Average, .. } => "AveragePool",
            Op::Pool { kind: PoolKind::Max, .. } => "MaxPool",
            Op::Strided { .. } => "Strided",
            Op::Permute { .. } => "Permute",
            Op::Concat => "Concat",
        }
    }
}

impl Graph {
    /// The node with this index.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Shape of the network's input.
    pub fn input_shape(&self) -> &Shape {
        &self.nodes[0].shape
    }

    /// Stable text, one line a node.
    pub fn dump(&self) -> String {
        let mut text = format!("graph {:?}\n", self.name);
        for (index, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|i| format!("%{}", i.0)).collect();
            let extra = match &node.op {
                Op::Dense { weight, .. } => format!(" weight={}x{}", weight.nrows(), weight.ncols()),
                Op::Relu { max: Some(max) } => format!(" max={max}"),
                Op::Conv { weight, window, groups, .. } => {
                    let [rows, columns] = window.kernel;
                    let groups = if *groups == 1 { String::new() } else { format!(" groups={groups}") };
                    format!(
                        " weight={}x{}x{rows}x{columns}{groups}{}",
                        weight.dim().0,
                        weight.dim().1,
                        geometry(window)
                    )
                }
                Op::Pool { window, .. } => format!(" {}x{}{}", window.kernel[0], window.kernel[1], geometry(window)),
                Op::Strided { start, step } => format!(" start={start:?} step={step:?}"),
                Op::Permute { axes } => format!(" axes={axes:?}"),
                _ => String::new(),
            };
            let _ = writeln!(
                text,
                "%{index} = {}({}){extra} : {}  # {:?}",
                node.op.name(),
                inputs.join(", "),
                node.shape,
                node.name
            );
        }
        let _ = writeln!(text, "output %{}", self.output.0);
        text
    }
}

/// What is special about a window, for dumps.
fn geometry(window: &Window) -> String {
    let mut text = String::new();
    for (name, values, usual) in [("stride", window.stride, 1), ("dilation", window.dilation, 1)] {
        if values != [usual, usual] {
            let _ = write!(text, " {name}={}x{}", values[0], values[1]);
        }
    }
    if window.pad != [0, 0] {
        let _ = write!(text, " pad={}x{}", window.pad[0], window.pad[1]);
    }
    text
}
