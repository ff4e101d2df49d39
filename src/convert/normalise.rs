//! The input normalisation as an affine expression of the pixels.

use super::expression::Expression;
use super::linear::{Linear, per_channel};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::Normalisation;
use crate::ir::Shape;
use crate::ir::graph::{Graph, Op};

/// What the float network sees.
pub(super) struct Input {
    /// In terms of the source's activations.
    pub expression: Expression,
    /// The pixel that the source sends as 0, one per pixel; empty for 0.
    pub zero: Vec<f64>,
    /// Bounds of the source's activations.
    pub range: (f64, f64),
}

impl Input {
    /// [`Input::zero`] per channel, for a source of this shape; `None` if it differs within a channel.
    pub(super) fn zero_of(&self, shape: &Shape) -> Option<Vec<f32>> {
        if self.zero.is_empty() {
            return Some(Vec::new());
        }
        let pixels = shape.len() / shape.channels().max(1);
        let levels = per_channel(&self.zero, [shape.channels(), pixels, 1])?;
        Some(levels.into_iter().map(|zero| zero as f32).collect())
    }
}

/// What the float network sees: `(x - mean) / std`, or the pixels themselves.
///
/// The mean becomes an offset, which ends in the biases. Where zeros are put around the *normalised* image, biases at the border
/// would differ from those inside; then the mean pixel becomes the source's zero instead, and zeros are what they say.
///
/// # Errors
/// Wrong number of channels, or a mean or standard deviation that cannot be used.
pub(super) fn input(graph: &Graph, live: &[bool], normalisation: Option<&Normalisation>) -> Result<Input> {
    let shape = graph.input_shape();
    let mut input =
        Input { expression: Expression::of_population(0, shape.len()), zero: Vec::new(), range: (0.0, 1.0) };
    let Some(normalisation) = normalisation else { return Ok(input) };
    Error::check(Kind::Input, problems(shape, normalisation))?;
    let of = |i: usize| {
        let (mean, std) = normalisation.of(shape.channel_of(i));
        (f64::from(mean), f64::from(std))
    };
    let scale = (0..shape.len()).map(|i| 1.0 / of(i).1).collect();
    input.expression.terms.iter_mut().for_each(|term| term.map = Linear::Diagonal(Vec::clone(&scale)));
    let means: Vec<f64> = (0..shape.len()).map(|i| of(i).0).collect();
    if means.iter().any(|&mean| mean != 0.0) && pads_input(graph, live) {
        let (low, high) = means.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &m| (l.min(m), h.max(m)));
        (input.zero, input.range) = (means, (-high, 1.0 - low));
    } else {
        input.expression.offset = means.iter().zip(&scale).map(|(mean, scale)| -mean * scale).collect();
    }
    Ok(input)
}

/// True if some window slides over the edge of the input, or of what is linear in it.
fn pads_input(graph: &Graph, live: &[bool]) -> bool {
    let mut linear = vec![false; graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().filter(|(index, _)| live[*index]) {
        let reads = node.inputs.iter().any(|input| linear[input.0]);
        linear[index] = match node.op {
            Op::Input => true,
            Op::Relu { .. } => false,
            _ => reads,
        };
        let outside = match &node.op {
            Op::Conv { window, .. } | Op::Pool { window, .. } => window.reads_outside(),
            Op::Strided { start, step } => {
                let extents = graph.node(node.inputs[0]).shape.image().zip(node.shape.image());
                extents.is_some_and(|(from, to)| {
                    (1..3).any(|axis| {
                        start[axis] < 0 || start[axis] + ((to[axis] - 1) * step[axis]) as i64 >= from[axis] as i64
                    })
                })
            }
            _ => false,
        };
        if reads && outside {
            return true;
        }
    }
    false
}

fn problems(shape: &Shape, normalisation: &Normalisation) -> Vec<Problem> {
    let mut problems = Vec::new();
    let channels = shape.channels();
    for (what, values) in [("mean", &normalisation.mean), ("std", &normalisation.std)] {
        if values.len() != 1 && values.len() != channels {
            problems.push(
                Problem::new(format!(
                    "the normalisation has {} values for {what}, the input {shape} has {channels} channels",
                    values.len()
                ))
                .help("give one value, or one per channel"),
            );
        }
        if let Some(v) = values.iter().find(|v| !v.is_finite() || (what == "std" && **v <= 0.0)) {
            problems.push(
                Problem::new(format!("the normalisation's {what} of {v} cannot be used"))
                    .help("means must be finite; standard deviations finite and above zero"),
            );
        }
    }
    problems
}
