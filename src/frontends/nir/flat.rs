//! Nested graphs become one flat graph: the Inputs and Outputs of a nested graph stay as nodes that pass values on.

use super::decode::missing;
use super::kind::Kind;
use super::model::{NirGraph, Node, Unit};
use crate::error::Problem;
use std::collections::{HashMap, HashSet};

/// Graphs nested more deeply are refused.
const MAX_DEPTH: usize = 32;
/// More primitives than this are refused.
const MAX_UNITS: usize = 100_000;
/// More edges than this are refused.
const MAX_EDGES: usize = 1_000_000;

/// All primitives of a graph, whatever their depth.
pub(super) struct Flat<'a> {
    /// The primitives; those of nested graphs are called `graph/node`.
    pub units: Vec<(String, &'a Unit)>,
    /// From whom to whom, by index, sorted.
    pub edges: Vec<(usize, usize)>,
    /// The Inputs of the outermost graph.
    pub inputs: Vec<usize>,
    /// The Outputs of the outermost graph.
    pub outputs: Vec<usize>,
}

/// Where an edge to or from a node ends.
enum Place {
    Unit(usize),
    /// A nested graph's Inputs and Outputs.
    Graph(Vec<usize>, Vec<usize>),
}

/// Flattens a graph. Finds edges without ends, doubled edges, nodes without input, ambiguous and missing ports.
pub(super) fn flatten<'a>(graph: &'a NirGraph, problems: &mut Vec<Problem>) -> Flat<'a> {
    let mut flat = Flat { units: Vec::new(), edges: Vec::new(), inputs: Vec::new(), outputs: Vec::new() };
    if let Place::Graph(inputs, outputs) = flat.add(graph, "", 0, problems) {
        (flat.inputs, flat.outputs) = (inputs, outputs);
    }
    for (ports, kind) in [(&flat.inputs, Kind::Input), (&flat.outputs, Kind::Output)] {
        if ports.is_empty() {
            problems.push(Problem::new(format!("the graph has no {kind} node")).help("add one and connect it"));
        }
    }
    if flat.units.len() > MAX_UNITS || flat.edges.len() > MAX_EDGES {
        problems.push(
            Problem::new(format!("has {} nodes and {} edges", flat.units.len(), flat.edges.len()))
                .help(format!("{MAX_UNITS} nodes and {MAX_EDGES} edges are the limit")),
        );
    }
    flat.edges.sort_unstable();
    let fed: HashSet<usize> = flat.edges.iter().map(|&(_, to)| to).chain(flat.inputs.iter().copied()).collect();
    for (index, (name, unit)) in flat.units.iter().enumerate() {
        if !fed.contains(&index) {
            let problem = Problem::new(format!("{} receives nothing: no edge leads to it", unit.kind));
            problems.push(problem.at_node(name).help("connect it, through an Input node if it is where data enters"));
        }
    }
    flat
}

impl<'a> Flat<'a> {
    /// Name of a primitive.
    pub fn name(&self, index: usize) -> &str {
        self.units.get(index).map_or("", |(name, _)| name)
    }

    fn add(&mut self, graph: &'a NirGraph, prefix: &str, depth: usize, problems: &mut Vec<Problem>) -> Place {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        if depth > MAX_DEPTH {
            let problem = Problem::new(format!("graphs are nested more than {MAX_DEPTH} deep"));
            problems.push(problem.at_node(prefix.trim_end_matches('/')).help("flatten some of them"));
            return Place::Graph(inputs, outputs);
        }
        let mut places: HashMap<&str, Place> = HashMap::new();
        for (name, node) in &graph.nodes {
            let full = format!("{prefix}{name}");
            let place = match node {
                Node::Graph(inner) => self.add(inner, &format!("{full}/"), depth + 1, problems),
                Node::Unit(unit) => {
                    let index = self.units.len();
                    match unit.kind {
                        Kind::Input => inputs.push(index),
                        Kind::Output => outputs.push(index),
                        _ => {}
                    }
                    problems.extend(missing(unit).into_iter().map(|p| p.at_node(&full)));
                    self.units.push((full, unit));
                    Place::Unit(index)
                }
            };
            places.insert(name, place);
        }
        let mut seen = HashSet::new();
        for edge in &graph.edges {
            let (from, to) = edge;
            let mut complain = |what: String, help: &str| {
                let problem = Problem::new(format!("the edge '{from}' → '{to}' {what}")).help(help);
                let scope = prefix.trim_end_matches('/');
                problems.push(if scope.is_empty() { problem } else { problem.at_node(scope) });
            };
            if !seen.insert(edge) {
                complain("is listed twice".into(), "remove one; to double a signal, scale it");
                continue;
            }
            let from_index = match places.get(from.as_str()) {
                None => Err(format!("starts at '{from}', which does not exist")),
                Some(Place::Unit(i)) if outputs.contains(i) => Err("starts at an Output node".into()),
                Some(Place::Unit(i)) => Ok(*i),
                Some(Place::Graph(_, ports)) => only(ports, from, "Output"),
            };
            let to_index = match places.get(to.as_str()) {
                None => Err(format!("ends at '{to}', which does not exist")),
                Some(Place::Unit(i)) if inputs.contains(i) => Err("ends at an Input node".into()),
                Some(Place::Unit(i)) => Ok(*i),
                Some(Place::Graph(ports, _)) => only(ports, to, "Input"),
            };
            match (from_index, to_index) {
                (Ok(from), Ok(to)) => self.edges.push((from, to)),
                (from, to) => {
                    for what in [from.err(), to.err()].into_iter().flatten() {
                        complain(what, "correct the edge, or add the node that it means");
                    }
                }
            }
        }
        Place::Graph(inputs, outputs)
    }
}

/// An edge names a nested graph, not one of its ports.
fn only(ports: &[usize], graph: &str, kind: &str) -> Result<usize, String> {
    match ports {
        [port] => Ok(*port),
        [] => Err(format!("needs a nested graph '{graph}' with an {kind} node, but that has none")),
        _ => Err(format!("does not say which of the {} {kind} nodes of '{graph}' it means", ports.len())),
    }
}
