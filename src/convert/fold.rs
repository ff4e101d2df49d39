//! Folds every linear operator into the expression that a ReLU, a pooling, or the output, reads.

use super::expression::{Expression, Term};
use super::linear::TooLarge;
use super::normalise::Input;
use super::window::{Taps, Windowed};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::Shape;
use crate::ir::graph::{Graph, Node, Op, PoolKind};
use crate::ir::snn::Model;
use ndarray::{Array1, ArrayD, IxDyn};

/// A population with the whole linear stretch in front of it.
pub(super) struct Stretch {
    /// Name of the ReLU, pooling or output node.
    pub name: String,
    /// Extent of the population.
    pub shape: Shape,
    /// What the neurons compute.
    pub model: Model,
    /// What drives them; no terms for the source.
    pub drive: Expression,
}

/// The populations in topological order; `input` is what the graph's input node computes from population 0.
///
/// # Errors
/// Every node that has no spiking equivalent.
pub(super) fn fold(graph: &Graph, live: &[bool], input: &Input) -> Result<Vec<Stretch>> {
    let mut fold = Fold { stretches: Vec::new(), ranges: Vec::new(), problems: Vec::new() };
    let source = Expression { terms: Vec::new(), offset: vec![0.0; graph.input_shape().len()] };
    let node = &graph.nodes[0];
    fold.close(&node.name, node.shape.clone(), Model::Source, source, input.range);

    // `None` for what the output does not need, and for what stands behind a node that was refused already.
    let mut expressions: Vec<Option<Expression>> = Vec::with_capacity(graph.nodes.len());
    let mut last_reader: Vec<usize> = (0..graph.nodes.len()).collect();
    for (index, node) in graph.nodes.iter().enumerate().filter(|(index, _)| live[*index]) {
        node.inputs.iter().for_each(|input| last_reader[input.0] = index);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let read: Option<Vec<&Expression>> = node.inputs.iter().map(|i| expressions[i.0].as_ref()).collect();
        let expression = match read {
            _ if !live[index] => None,
            _ if index == 0 => Some(input.expression.clone()),
            Some(read) => fold.node(graph, node, &read),
            None => None,
        };
        expressions.push(expression);
        // Expressions hold weights: what nobody reads any more must go.
        for input in node.inputs.iter().filter(|i| **i != graph.output && last_reader[i.0] <= index) {
            expressions[input.0] = None;
        }
    }

    if let Some(logits) = expressions[graph.output.0].take() {
        let output = graph.node(graph.output);
        match refused_output(graph, &logits) {
            Some(problem) => fold.problems.push(problem),
            None => {
                fold.close(&output.name, output.shape.clone(), Model::Readout, logits, (0.0, 0.0));
            }
        }
    }
    Error::check(Kind::Input, fold.problems)?;
    Ok(fold.stretches)
}

pub(super) struct Fold {
    stretches: Vec<Stretch>,
    /// Bounds of each population's activations.
    pub ranges: Vec<(f64, f64)>,
    pub problems: Vec<Problem>,
}

impl Fold {
    /// Adds a population and returns its index.
    pub(super) fn close(
        &mut self,
        name: &str,
        shape: Shape,
        model: Model,
        mut drive: Expression,
        range: (f64, f64),
    ) -> usize {
        for term in drive.terms.iter_mut().filter(|t| t.name.is_empty()) {
            // What passes on activations as they are has no node of its own.
            term.name = name.to_string();
        }
        self.stretches.push(Stretch { name: name.to_string(), shape, model, drive });
        self.ranges.push(range);
        self.stretches.len() - 1
    }

    /// What `node` computes, or `None` after a complaint.
    fn node(&mut self, graph: &Graph, node: &Node, read: &[&Expression]) -> Option<Expression> {
        let (&first, rest) = read.split_first()?;
        let result = match &node.op {
            Op::Input => return None,
            Op::Reshape => Ok(first.clone()),
            Op::Affine { scale, shift } => affine(node, first, scale, shift),
            Op::Add => {
                let mut sum = first.clone();
                rest.iter().for_each(|e| sum.add(e));
                for term in sum.terms.iter_mut().filter(|t| t.name.is_empty()) {
                    // A skip connection has no node of its own.
                    term.name.clone_from(&node.name);
                }
                Ok(sum)
            }
            Op::Dense { weight, bias } => first.dense(&node.name, weight, bias),
            Op::Conv { weight, bias, window, groups } => {
                let taps = Taps::Conv { weight: weight.mapv(f64::from), groups: *groups };
                let pixels = (window.output[1] * window.output[2]).max(1);
                first.window(&node.name, &Windowed { window: *window, taps }).map(|mut sum| {
                    sum.offset.iter_mut().enumerate().for_each(|(i, o)| *o += f64::from(bias[i / pixels]));
                    sum
                })
            }
            Op::Pool { kind: PoolKind::Average, window } => self.average(&node.name, window, first),
            Op::Pool { kind: PoolKind::Max, window } => return self.maximum(node, window, first),
            Op::Strided { start, step } => {
                let from = graph.node(node.inputs[0]).shape.image()?;
                strided(node, first, from, *start, *step)
            }
            Op::Concat => {
                let shapes = node.inputs.iter().map(|&input| &graph.node(input).shape);
                concat(node, read, shapes)
            }
            Op::Permute { axes } => first.picked(&node.name, &order(&graph.node(node.inputs[0]).shape, axes)),
            Op::Relu { max } => Ok(self.relu(node, *max, first)),
        };
        match result {
            Ok(expression) => Some(expression),
            Err(size) => {
                self.problems.push(too_large(&node.name, size));
                None
            }
        }
    }

    fn relu(&mut self, node: &Node, max: Option<f32>, drive: &Expression) -> Expression {
        let ceiling = max.map_or(f64::INFINITY, f64::from);
        if drive.terms.is_empty() {
            let offset = drive.offset.iter().map(|o| o.clamp(0.0, ceiling)).collect();
            return Expression { terms: Vec::new(), offset };
        }
        // With no weights in front, a ReLU may be superfluous: its input cannot leave its linear part.
        let bounds = drive.bounds(|p| self.ranges[p]);
        if bounds.is_some_and(|bounds| bounds.iter().all(|&(low, high)| low >= 0.0 && high <= ceiling)) {
            return drive.clone();
        }
        let range = (0.0, ceiling);
        let population = self.close(&node.name, node.shape.clone(), Model::Relu { max }, drive.clone(), range);
        Expression::of_population(population, drive.offset.len())
    }
}

fn affine(
    node: &Node,
    first: &Expression,
    scale: &Array1<f32>,
    shift: &Array1<f32>,
) -> std::result::Result<Expression, TooLarge> {
    let per_element = |values: &Array1<f32>| -> Vec<f64> {
        (0..node.shape.len()).map(|i| f64::from(values[node.shape.channel_of(i)])).collect()
    };
    let mut expression = first.clone();
    expression.scale(&per_element(scale))?;
    expression.offset.iter_mut().zip(per_element(shift)).for_each(|(o, s)| *o += s);
    Ok(expression)
}

fn strided(
    node: &Node,
    first: &Expression,
    from: [usize; 3],
    start: [i64; 3],
    step: [usize; 3],
) -> std::result::Result<Expression, TooLarge> {
    let Some(to) = node.shape.image() else { return Err(TooLarge(node.shape.len(), first.offset.len())) };
    match Windowed::strided(from, to, start, step) {
        Some(window) => first.window(&node.name, &window),
        None => Ok(Expression { terms: Vec::new(), offset: vec![0.0; node.shape.len()] }),
    }
}

/// The sum of all parts, each put among zeros at its place.
fn concat<'a>(
    node: &Node,
    read: &[&Expression],
    shapes: impl Iterator<Item = &'a Shape>,
) -> std::result::Result<Expression, TooLarge> {
    let mut sum = Expression { terms: Vec::new(), offset: vec![0.0; node.shape.len()] };
    let mut place = 0i64;
    for (part, shape) in read.iter().zip(shapes) {
        let Some(from) = shape.image() else { return Err(TooLarge(node.shape.len(), shape.len())) };
        sum.add(&strided(node, part, from, [-place, 0, 0], [1, 1, 1])?);
        place += from[0] as i64;
    }
    Ok(sum)
}

/// For every element of the permuted array, the element of `shape` that it is.
fn order(shape: &Shape, axes: &[usize]) -> Vec<usize> {
    let numbers = ArrayD::from_shape_vec(IxDyn(&shape.0), (0..shape.len()).collect::<Vec<usize>>());
    numbers.map(|numbers| numbers.permuted_axes(IxDyn(axes)).iter().copied().collect()).unwrap_or_default()
}

fn refused_output(graph: &Graph, logits: &Expression) -> Option<Problem> {
    let mut id = graph.output;
    while let (Op::Reshape | Op::Pool { kind: PoolKind::Max, .. }, Some(&read)) =
        (&graph.node(id).op, graph.node(id).inputs.first())
    {
        id = read;
    }
    let node = graph.node(id);
    let problem = if logits.terms.is_empty() {
        Problem::new("computes an answer that does not depend on the input").help("the weights are all zero somewhere")
    } else if matches!(node.op, Op::Relu { .. }) {
        Problem::new("is a ReLU at the network's output, which would turn answers below zero into ties")
            .help("export the network without its last ReLU: the class is the same wherever a logit is positive")
    } else {
        return None;
    };
    Some(problem.at_node(&node.name))
}

/// The complaint about a matrix that collapsing or writing out would make too large.
pub(super) fn too_large(name: &str, TooLarge(rows, columns): TooLarge) -> Problem {
    Problem::new(format!("would become a {rows}×{columns} weight matrix, which is too large"))
        .at_node(name)
        .help("put a ReLU between consecutive layers, or make them smaller")
}

/// A term that passes on the activations of `pre`.
pub(super) fn term(pre: usize, name: &str, map: super::linear::Linear) -> Term {
    Term { pre, name: name.to_string(), map }
}
