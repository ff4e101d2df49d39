//! The float operator graph that a front end makes of a model file.
//!
//! Guarantees (verified by [`Graph::check`]): nodes stand in topological order; there is exactly one
//! [`Op::Input`] and it is node 0; every shape is non-empty and agrees with the operator; every parameter is finite.

use super::Shape;
use crate::error::Problem;
use ndarray::{Array1, Array2};
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

    /// Every broken guarantee, worded for the user.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !matches!(self.nodes.first().map(|n| &n.op), Some(Op::Input)) {
            problems.push(Problem::new("the first node is not the network's input"));
        }
        if self.output.0 >= self.nodes.len() {
            problems.push(Problem::new("the output node does not exist"));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if let Err(what) = self.check_node(index, node) {
                problems.push(Problem::new(what).at_node(&node.name));
            }
        }
        problems
    }

    fn check_node(&self, index: usize, node: &Node) -> Result<(), String> {
        if node.shape.is_empty() {
            return Err(format!("has a zero-size shape {}", node.shape));
        }
        if node.inputs.iter().any(|i| i.0 >= index) {
            return Err("reads a node that does not come before it".into());
        }
        let shapes: Vec<&Shape> = node.inputs.iter().map(|&i| &self.node(i).shape).collect();
        match (&node.op, shapes.as_slice()) {
            (Op::Input, []) if index == 0 => Ok(()),
            (Op::Input, _) => Err("is a second input: one input is supported".into()),
            (Op::Dense { weight, bias }, [x]) => {
                if weight.ncols() != x.len() || weight.nrows() != node.shape.len() || bias.len() != weight.nrows() {
                    return Err(format!(
                        "weight {}×{} and bias {} do not fit input {} and output {}",
                        weight.nrows(),
                        weight.ncols(),
                        bias.len(),
                        x,
                        node.shape
                    ));
                }
                finite(weight.iter().chain(bias))
            }
            (Op::Affine { scale, shift }, [x]) => {
                if scale.len() != x.channels() || shift.len() != x.channels() || **x != node.shape {
                    return Err(format!("has {} scales for {} channels", scale.len(), x.channels()));
                }
                finite(scale.iter().chain(shift))
            }
            (Op::Relu { max }, [x]) => {
                if **x != node.shape {
                    return Err(format!("changes shape {x} into {}", node.shape));
                }
                match max {
                    Some(m) if !(m.is_finite() && *m > 0.0) => Err(format!("clips at {m}: must be finite and > 0")),
                    _ => Ok(()),
                }
            }
            (Op::Add, [_, _, ..]) if shapes.iter().all(|s| **s == node.shape) => Ok(()),
            (Op::Add, _) => Err("adds inputs of different shapes: broadcasting is not supported".into()),
            (Op::Reshape, [x]) if x.len() == node.shape.len() => Ok(()),
            (Op::Reshape, [x]) => Err(format!("reshapes {x} into {}", node.shape)),
            (op, _) => Err(format!("{} has {} inputs", op.name(), shapes.len())),
        }
    }

    /// Stable text, one line a node.
    pub fn dump(&self) -> String {
        let mut text = format!("graph {:?}\n", self.name);
        for (index, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|i| format!("%{}", i.0)).collect();
            let extra = match &node.op {
                Op::Dense { weight, .. } => format!(" weight={}x{}", weight.nrows(), weight.ncols()),
                Op::Relu { max: Some(max) } => format!(" max={max}"),
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

fn finite<'a>(mut values: impl Iterator<Item = &'a f32>) -> Result<(), String> {
    match values.find(|v| !v.is_finite()) {
        Some(v) => Err(format!("holds the parameter {v}: NaN and infinity cannot be quantised")),
        None => Ok(()),
    }
}
