//! Finds the shapes of all nodes: from what they declare, else from what feeds them.

use super::{Geometry, Spec};
use crate::error::Problem;
use crate::frontends::nir::flat::Flat;
use std::collections::VecDeque;

/// Values that all nodes together may hold.
const MAX_TOTAL: usize = 1 << 26;

/// The shapes of a node's input and output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::frontends::nir) struct Shapes {
    /// Of the input, to which all senders' outputs are added.
    pub input: Vec<usize>,
    /// Of the output.
    pub output: Vec<usize>,
}

struct Inference<'a> {
    flat: &'a Flat<'a>,
    specs: &'a [Spec],
    readers: Vec<Vec<usize>>,
    found: Vec<Option<Shapes>>,
    /// Nodes that have been complained of; what follows from them is not their readers' fault.
    failed: Vec<bool>,
    queue: VecDeque<usize>,
}

/// Shapes of all nodes, or every disagreement.
pub(in crate::frontends::nir) fn infer(flat: &Flat, specs: &[Spec]) -> Result<Vec<Shapes>, Vec<Problem>> {
    let mut readers = vec![Vec::new(); specs.len()];
    for &(from, to) in &flat.edges {
        readers[from].push(to);
    }
    let (found, failed) = (vec![None; specs.len()], vec![false; specs.len()]);
    let mut inference = Inference { flat, specs, readers, found, failed, queue: VecDeque::new() };
    let mut problems = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        if let Some(declared) = &spec.declared {
            inference.settle(index, declared, &mut problems);
        }
    }
    inference.propagate(&mut problems);
    // In a circle of nodes whose parameters could stand for any shape, they stand for themselves.
    for (index, spec) in specs.iter().enumerate() {
        if let (Geometry::Elementwise(shape), None) = (&spec.geometry, &inference.found[index]) {
            inference.settle(index, shape, &mut problems);
            inference.propagate(&mut problems);
        }
    }
    inference.finish(problems)
}

impl Inference<'_> {
    fn settle(&mut self, index: usize, input: &[usize], problems: &mut Vec<Problem>) {
        if self.found[index].is_some() || self.failed[index] {
            return;
        }
        match self.specs[index].output(input) {
            Ok(output) => {
                self.found[index] = Some(Shapes { input: input.to_vec(), output });
                self.queue.push_back(index);
            }
            Err(what) => {
                self.failed[index] = true;
                problems.push(self.problem(index, what));
            }
        }
    }

    fn propagate(&mut self, problems: &mut Vec<Problem>) {
        while let Some(from) = self.queue.pop_front() {
            let Some(output) = self.found[from].as_ref().map(|shapes| shapes.output.clone()) else { continue };
            for to in self.readers[from].clone() {
                self.settle(to, &output, problems);
            }
        }
    }

    fn problem(&self, index: usize, what: String) -> Problem {
        let kind = self.flat.units[index].1.kind;
        Problem::new(format!("{kind}: {what}"))
            .at_node(self.flat.name(index))
            .help("correct the shapes of this node, or of what leads to it")
    }

    fn finish(self, mut problems: Vec<Problem>) -> Result<Vec<Shapes>, Vec<Problem>> {
        let mut total = 0usize;
        for &(from, to) in &self.flat.edges {
            let (Some(sender), Some(reader)) = (&self.found[from], &self.found[to]) else { continue };
            if sender.output != reader.input {
                let what = format!(
                    "it takes the shape {:?}, but '{}' sends {:?}",
                    reader.input,
                    self.flat.name(from),
                    sender.output
                );
                problems.push(self.problem(to, what));
            }
        }
        for (index, shapes) in self.found.iter().enumerate() {
            match shapes {
                Some(shapes) => total = total.saturating_add(shapes.output.iter().product()),
                None if problems.is_empty() => {
                    problems.push(self.problem(index, "the shape of its input cannot be inferred".into()));
                }
                None => {}
            }
        }
        if total > MAX_TOTAL {
            let what = format!("the nodes hold {total} values together; {MAX_TOTAL} are the limit");
            problems.push(Problem::new(what).help("split the network"));
        }
        if problems.is_empty() { Ok(self.found.into_iter().flatten().collect()) } else { Err(problems) }
    }
}
