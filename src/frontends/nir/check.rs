//! What must hold before a graph is written, described or executed.

use super::flat::{Flat, flatten};
use super::kind::Kind;
use super::model::{NirGraph, Unit};
use super::order::{Role, order};
use super::shape::{Shapes, Spec, infer};
use crate::error::{Error, Kind as ErrorKind, Problem, Result};

/// A graph of which everything but the time step is known to be right.
pub(super) struct Checked<'a> {
    pub flat: Flat<'a>,
    pub specs: Vec<Spec>,
    pub shapes: Vec<Shapes>,
}

/// Checks names, edges, fields, numbers, shapes and circles.
///
/// # Errors
/// [`ErrorKind::Input`] with every problem found.
pub(super) fn check(graph: &NirGraph) -> Result<Checked<'_>> {
    let mut problems = Vec::new();
    let flat = flatten(graph, &mut problems);
    let mut specs = Vec::with_capacity(flat.units.len());
    let incomplete = !problems.is_empty();
    for (name, unit) in &flat.units {
        match Spec::of(unit) {
            Ok(spec) => specs.push(spec),
            // A missing field is known already.
            Err(texts) => problems.extend(texts.into_iter().filter(|t| !(incomplete && t.contains("lacks"))).map(|t| {
                Problem::new(format!("{}: {t}", unit.kind)).at_node(name).help("correct the parameter, or export it again")
            })),
        }
    }
    Error::check(ErrorKind::Input, problems)?;
    let roles: Vec<Role> = flat.units.iter().map(|(_, unit)| role(unit)).collect();
    let sorted = order(&roles, &flat.edges, &flat.inputs, |index| flat.name(index));
    let shapes = infer(&flat, &specs);
    match (sorted, shapes) {
        (Ok(_), Ok(shapes)) => Ok(Checked { flat, specs, shapes }),
        (sorted, shapes) => {
            let problems = sorted.err().into_iter().chain(shapes.err()).flatten().collect();
            Err(Error { kind: ErrorKind::Input, problems })
        }
    }
}

/// How a node would be ordered if every delay were at least a step long.
fn role(unit: &Unit) -> Role {
    match unit.kind {
        Kind::Delay => match unit.fields.get("delay").and_then(|delay| delay.to_f64()) {
            Some(delays) if delays.iter().all(|&d| d > 0.0) => Role::Delay,
            _ => Role::Plain,
        },
        kind if kind.is_neuron() => Role::Neuron,
        _ => Role::Plain,
    }
}
