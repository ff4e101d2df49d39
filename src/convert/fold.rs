//! Folds every linear operator into the expression that a ReLU, or the output, reads.

use super::linear::{Expression, TooLarge};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::Shape;
use crate::ir::graph::{Graph, Node, Op};
use crate::ir::snn::Model;

/// A population with the whole linear stretch in front of it.
pub(super) struct Stretch {
    /// Name of the ReLU or output node.
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
pub(super) fn fold(graph: &Graph, live: &[bool], input: Expression) -> Result<Vec<Stretch>> {
    let mut fold = Fold { stretches: Vec::new(), problems: Vec::new() };
    let source = Expression { terms: Vec::new(), offset: vec![0.0; graph.input_shape().len()] };
    fold.close(&graph.nodes[0], Model::Source, source);

    // `None` for what the output does not need, and for what stands behind a node that was refused already.
    let mut expressions: Vec<Option<Expression>> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let read: Option<Vec<&Expression>> = node.inputs.iter().map(|i| expressions[i.0].as_ref()).collect();
        let expression = match read {
            _ if !live[index] => None,
            _ if index == 0 => Some(input.clone()),
            Some(read) => fold.node(node, &read),
            None => None,
        };
        expressions.push(expression);
    }

    if let Some(logits) = expressions[graph.output.0].take() {
        let output = graph.node(graph.output);
        if logits.is_diagonal() {
            fold.problems.push(no_dense_at_output(graph));
        } else {
            fold.close(output, Model::Readout, logits);
        }
    }
    Error::check(Kind::Input, fold.problems)?;
    Ok(fold.stretches)
}

struct Fold {
    stretches: Vec<Stretch>,
    problems: Vec<Problem>,
}

impl Fold {
    /// Adds a population and returns its index.
    fn close(&mut self, node: &Node, model: Model, drive: Expression) -> usize {
        self.stretches.push(Stretch { name: node.name.clone(), shape: node.shape.clone(), model, drive });
        self.stretches.len() - 1
    }

    /// What `node` computes, or `None` after a complaint.
    fn node(&mut self, node: &Node, read: &[&Expression]) -> Option<Expression> {
        let (&first, rest) = read.split_first()?;
        match &node.op {
            Op::Input => None,
            Op::Reshape => Some(first.clone()),
            Op::Affine { scale, shift } => {
                let per_element = |values: &ndarray::Array1<f32>| -> Vec<f64> {
                    (0..node.shape.len()).map(|i| f64::from(values[node.shape.channel_of(i)])).collect()
                };
                let mut expression = first.clone();
                expression.scale(&per_element(scale));
                expression.offset.iter_mut().zip(per_element(shift)).for_each(|(o, s)| *o += s);
                Some(expression)
            }
            Op::Add => {
                let mut sum = first.clone();
                rest.iter().for_each(|e| sum.add(e));
                for term in sum.terms.iter_mut().filter(|t| t.name.is_empty()) {
                    // A skip connection has no node of its own.
                    term.name.clone_from(&node.name);
                }
                Some(sum)
            }
            Op::Dense { weight, bias } => match first.dense(&node.name, weight, bias) {
                Ok(expression) => Some(expression),
                Err(size) => {
                    self.problems.push(too_large(&node.name, size));
                    None
                }
            },
            Op::Relu { max } => self.relu(node, *max, first),
        }
    }

    fn relu(&mut self, node: &Node, max: Option<f32>, drive: &Expression) -> Option<Expression> {
        if !drive.is_diagonal() {
            let neurons = drive.offset.len();
            let population = self.close(node, Model::Relu { max }, drive.clone());
            return Some(Expression::of_population(population, neurons));
        }
        // With no weights in front, a ReLU is either superfluous (its input cannot leave its linear part) or a layer of
        // one-to-one synapses, which a dense core would have to store as a matrix of zeros.
        let bounds = drive.bounds(|p| match self.stretches[p].model {
            Model::Relu { max } => max.map_or(f64::INFINITY, f64::from),
            Model::Source | Model::Sum | Model::Max | Model::Leaky(_) | Model::Readout => 1.0,
        });
        let ceiling = max.map_or(f64::INFINITY, f64::from);
        if bounds.iter().all(|&(low, high)| low >= 0.0 && high <= ceiling) {
            return Some(drive.clone());
        }
        self.problems.push(
            Problem::new("is a ReLU with no weights in front of it, and one-to-one synapses are not supported yet")
                .at_node(&node.name)
                .help("put a Dense layer in front of it, or export the network without this ReLU"),
        );
        None
    }
}

fn no_dense_at_output(graph: &Graph) -> Problem {
    let mut id = graph.output;
    while let (Op::Reshape, Some(&read)) = (&graph.node(id).op, graph.node(id).inputs.first()) {
        id = read;
    }
    let node = graph.node(id);
    let problem = match node.op {
        Op::Relu { .. } => {
            Problem::new("is a ReLU at the network's output, which would turn answers below zero into ties")
                .help("export the network without its last ReLU: the class is the same wherever a logit is positive")
        }
        _ => Problem::new("is the network's output, but has no weights in front of it")
            .help("end the network with a Dense layer, whose outputs are the logits"),
    };
    problem.at_node(&node.name)
}

/// The complaint about a matrix that collapsing or writing out would make too large.
pub(super) fn too_large(name: &str, TooLarge(rows, columns): TooLarge) -> Problem {
    Problem::new(format!("would become a {rows}×{columns} weight matrix, which is too large"))
        .at_node(name)
        .help("put a ReLU between consecutive Dense layers, or make them smaller")
}
