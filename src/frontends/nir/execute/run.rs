//! The run itself: blocks of nodes one after the other, each over all steps of a chunk.

use super::op::Op;
use super::sample::Run;
use super::{Executor, Port};
use crate::error::{Error, Kind, Problem, Result};
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// Values of all nodes that a chunk of steps may hold at a time, unless a single step holds more.
const CHUNK: usize = 1 << 22;
/// Values that a run may hold at a time.
const MAX_VALUES: usize = 1 << 27;

/// What a run gives.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Of each Output node, `[T, shape]`.
    pub outputs: BTreeMap<String, ArrayD<f64>>,
    /// Of each population that fires, the spikes of every neuron over all steps, row-major.
    pub spikes: BTreeMap<String, Vec<f64>>,
    /// Of each node that was asked for.
    pub watched: BTreeMap<String, Watched>,
}

/// What a node did in every step.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its output, `[T, shape]`.
    pub output: ArrayD<f64>,
    /// Its membranes at the end of each step (in two-phase firing: of each step of integration), `[T, shape]`; neurons only.
    pub membrane: Option<ArrayD<f64>>,
}

impl Executor {
    /// Presents one sample: for every Input node an array `[T, shape]`, all of the same `T`.
    ///
    /// # Errors
    /// [`Kind::Input`] if an input is missing, unknown, of the wrong shape or not finite.
    pub fn run(&self, inputs: &BTreeMap<String, ArrayD<f64>>) -> Result<Outcome> {
        self.watch(inputs, &[])
    }

    /// As [`Self::run`]; the nodes named in `watch` are recorded as well. Those of nested graphs are called `graph/node`.
    ///
    /// # Errors
    /// As [`Self::run`], or a node does not exist.
    pub fn watch(&self, inputs: &BTreeMap<String, ArrayD<f64>>, watch: &[&str]) -> Result<Outcome> {
        let steps = self.steps(inputs)?;
        let mut watched = vec![false; self.ops.len()];
        for name in watch {
            let node = self.names.iter().position(|n| n == name);
            let node = node.ok_or_else(|| Error::input(format!("the network has no node '{name}'")))?;
            watched[node] = true;
        }
        let per_step: usize = (0..self.ops.len()).map(|node| self.size(node)).sum();
        let whole = self.ops.iter().any(Op::is_two_phase);
        let rows = if whole { steps } else { (CHUNK / per_step.max(1)).clamp(1, steps) };
        // Recorded to the end: what the Outputs give, and of watched nodes the output and the membrane.
        let recorded = |node: usize| usize::from(self.outputs.contains(&node)) + 2 * usize::from(watched[node]);
        let kept = (0..self.ops.len()).map(|node| recorded(node).saturating_mul(self.size(node)));
        let kept = kept.fold(0usize, usize::saturating_add).saturating_mul(steps);
        let held = self.peak().saturating_mul(rows).saturating_add(kept);
        if held > MAX_VALUES {
            let what = format!("{steps} steps take {held} values at a time; {MAX_VALUES} are the limit");
            return Err(Problem::new(what).help("present fewer steps at a time").into());
        }
        let mut run = Run::new(self, watched);
        for start in (0..steps).step_by(rows) {
            run.chunk(inputs, start, rows.min(steps - start));
        }
        run.finish(steps)
    }

    /// Checks the inputs; the number of steps.
    fn steps(&self, inputs: &BTreeMap<String, ArrayD<f64>>) -> Result<usize> {
        let ports = self.inputs();
        let mut problems = Vec::new();
        let mut steps = None;
        for Port { name, shape } in &ports {
            let mut complain = |what: String| {
                let help = format!("give an array of the shape [T, {}] for it", list(shape));
                problems.push(Problem::new(what).at_node(name).help(help));
            };
            let Some(array) = inputs.get(name) else {
                complain("this Input gets no data".into());
                continue;
            };
            match array.shape() {
                [t, rest @ ..] if rest == shape && *t > 0 => {
                    if steps.is_some_and(|steps| steps != *t) {
                        complain(format!("{t} steps, where another Input has {}", steps.unwrap_or_default()));
                    }
                    steps = Some(*t);
                }
                other => complain(format!("the data has the shape {other:?}")),
            }
            if array.iter().any(|v| !v.is_finite()) {
                complain("the data holds NaN or infinite numbers".into());
            }
        }
        for name in inputs.keys().filter(|name| ports.iter().all(|port| &port.name != *name)) {
            let known: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            let help = format!("the Inputs are {}", known.join(", "));
            problems.push(Problem::new(format!("the network has no Input '{name}'")).help(help));
        }
        let steps = steps.unwrap_or(0);
        for (name, levels) in self.names.iter().zip(&self.ops).filter_map(|(n, op)| Some((n, op.unit_levels()?))) {
            if problems.is_empty() && (levels as usize) > steps {
                let what = format!("up to {levels} spikes follow each other, but there are {steps} steps");
                problems.push(Problem::new(what).at_node(name).help("present at least as many steps"));
            }
        }
        Error::check(Kind::Input, problems)?;
        Ok(steps)
    }

    /// The most values of one step that are held at a time.
    fn peak(&self) -> usize {
        let (mut held, mut peak) = (0usize, 0usize);
        let sum = |nodes: &[usize]| nodes.iter().map(|&node| self.size(node)).sum::<usize>();
        for (block, done) in self.order.blocks.iter().zip(self.release()) {
            held = held.saturating_add(sum(block));
            peak = peak.max(held);
            held = held.saturating_sub(sum(&done));
        }
        peak
    }

    /// Values that a node gives in a step.
    pub(super) fn size(&self, node: usize) -> usize {
        self.shapes[node].output.iter().product()
    }

    /// For each block, the nodes whose outputs nobody needs after it.
    pub(super) fn release(&self) -> Vec<Vec<usize>> {
        let mut until = vec![0; self.ops.len()];
        for (block, nodes) in self.order.blocks.iter().enumerate() {
            for &node in nodes {
                until[node] = until[node].max(block);
                for &(from, _) in &self.order.senders[node] {
                    until[from] = until[from].max(block);
                }
            }
        }
        let mut release = vec![Vec::new(); self.order.blocks.len()];
        for (node, block) in until.into_iter().enumerate() {
            release[block].push(node);
        }
        release
    }
}

fn list(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
