//! Runs a NIR graph in double precision.
//!
//! Nested graphs are flattened, the nodes sorted with Kahn's algorithm, all inputs of a node added up, and circles run with one
//! step of delay (see [`super::order`] for which edge waits). Synapses work only for inputs that are not zero, so sparse spikes
//! cost little. An [`Executor`] holds no state: many samples may run at a time.
//!
//! | primitive | one step |
//! |---|---|
//! | `Affine`, `Linear` | `W·x (+ b)`, also in batches `[…, out, in]` |
//! | `Conv1d`, `Conv2d` | cross-correlation, zeros outside |
//! | `SumPool2d`, `AvgPool2d` | sum, mean of a window; zeros of the padding count |
//! | `Scale`, `Threshold` | `s·x`; 1 where `x > threshold` |
//! | `Delay` | `x(t − n)`, `n = round(delay/dt)`, before that 0 |
//! | `I`, `LI`, `CubaLI` | give their membrane after the step |
//! | `IF`, `LIF`, `CubaLIF` | give their spikes |
//!
//! The neuron equations are in [`Dialect`], what Synfire's notes change of them in [`super::convention`]. All state is 0 in
//! the beginning, unless a note says otherwise.

mod conv;
mod delay;
mod dense;
mod lower;
mod neuron;
mod op;
mod param;
mod parts;
mod run;
mod sample;
mod step;

pub use parts::{Firing, Neurons, Part, What};
pub use run::{Outcome, Watched};
pub use step::TimeStep;

use super::check::check;
use super::convention::{GraphNotes, Presentation};
use super::dialect::Dialect;
use super::model::NirGraph;
use super::order::{Order, order};
use super::shape::Shapes;
use crate::error::{Error, Kind, Problem, Result};
use op::Op;

/// How to run a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// The time step in seconds; without one, the file says it, or else it is 1.
    pub dt: Option<f64>,
    /// Whose equations.
    pub dialect: Dialect,
}

/// The time step and the dialect of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Timing {
    dt: f64,
    dialect: Dialect,
}

/// An Input or Output of the outermost graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The node's name.
    pub name: String,
    /// Extents of one step.
    pub shape: Vec<usize>,
}

/// A graph that is ready to run.
#[derive(Clone, Debug)]
pub struct Executor {
    names: Vec<String>,
    ops: Vec<Op>,
    shapes: Vec<Shapes>,
    order: Order,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    time_step: TimeStep,
    dialect: Dialect,
    presentation: Option<Presentation>,
}

impl Executor {
    /// Prepares a graph.
    ///
    /// # Errors
    /// [`Kind::Input`] with every problem found: the graph is wrong, the time step does not suit it, the dialect cannot
    /// express it, a note of Synfire's convention is not understood.
    pub fn new(graph: &NirGraph, settings: Settings) -> Result<Executor> {
        let checked = check(graph)?;
        let mut problems = Vec::new();
        let notes = GraphNotes::of(&graph.metadata, &mut problems);
        super::convention::nested(graph, &mut problems);
        let time_step = TimeStep::choose(settings.dt, notes.dt, &checked.flat).map_err(|p| problems.push(p));
        let time_step = time_step.unwrap_or(TimeStep::UNIT);
        let timing = Timing { dt: time_step.seconds, dialect: settings.dialect };
        if settings.dt.is_none() {
            problems.extend(step::unusable(&graph.metadata));
        }
        let mut ops = Vec::with_capacity(checked.specs.len());
        let parts = checked.flat.units.iter().zip(&checked.specs).zip(&checked.shapes);
        for (((name, unit), spec), shapes) in parts {
            match lower::lower(unit, spec, shapes, timing) {
                Ok(op) => ops.push(op),
                Err(texts) => problems.extend(texts.into_iter().map(|text| {
                    let problem = Problem::new(format!("{}: {text}", unit.kind)).at_node(name);
                    problem.help("correct the node, or choose another --nir-dialect or --dt")
                })),
            }
        }
        Error::check(Kind::Input, problems)?;
        let roles: Vec<_> = ops.iter().map(Op::role).collect();
        let flat = &checked.flat;
        let order = order(&roles, &flat.edges, &flat.inputs, |index| flat.name(index))
            .map_err(|problems| Error { kind: Kind::Input, problems })?;
        let executor = Executor {
            ops,
            order,
            inputs: flat.inputs.clone(),
            outputs: flat.outputs.clone(),
            names: flat.units.iter().map(|(name, _)| name.clone()).collect(),
            shapes: checked.shapes,
            time_step,
            dialect: settings.dialect,
            presentation: notes.presentation,
        };
        Error::check(Kind::Input, executor.circular_phases())?;
        Ok(executor)
    }

    /// The time step, and where it comes from.
    pub fn time_step(&self) -> TimeStep {
        self.time_step
    }

    /// Whose equations are used.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How images become samples, where the file says it.
    pub fn presentation(&self) -> Option<&Presentation> {
        self.presentation.as_ref()
    }

    /// The Inputs, by name.
    pub fn inputs(&self) -> Vec<Port> {
        self.ports(&self.inputs)
    }

    /// The Outputs, by name.
    pub fn outputs(&self) -> Vec<Port> {
        self.ports(&self.outputs)
    }

    /// Edges that carry the output of the previous step, as `(from, to)`.
    pub fn feedback(&self) -> Vec<(&str, &str)> {
        let senders = self.order.senders.iter().enumerate();
        let late =
            senders.flat_map(|(to, from)| from.iter().filter(|(_, late)| *late).map(move |(from, _)| (*from, to)));
        late.map(|(from, to)| (self.names[from].as_str(), self.names[to].as_str())).collect()
    }

    fn ports(&self, nodes: &[usize]) -> Vec<Port> {
        let port = |&node: &usize| Port { name: self.names[node].clone(), shape: self.shapes[node].output.clone() };
        nodes.iter().map(port).collect()
    }

    /// A population that fires after all its input is in cannot be part of what it waits for.
    fn circular_phases(&self) -> Vec<Problem> {
        let circles = self.order.blocks.iter().filter(|block| {
            block.len() > 1 || block.iter().any(|node| self.order.senders[*node].iter().any(|(from, _)| from == node))
        });
        let wrong = circles.flatten().filter(|&&node| self.ops[node].is_two_phase());
        let problem = |&node: &usize| {
            Problem::new("fires in two phases, but its output leads back to it")
                .at_node(&self.names[node])
                .help("recurrent networks fire in every step: remove the note 'synfire_firing'")
        };
        wrong.map(problem).collect()
    }
}
