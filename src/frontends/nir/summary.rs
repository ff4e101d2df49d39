//! What a graph holds, for people and for reports.

use super::check::check;
use super::convention::PREFIX;
use super::kind::Kind;
use super::model::{Meta, Metadata, NirGraph};
use crate::error::Result;
use serde::Serialize;
use std::collections::BTreeMap;

/// A description of a graph.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The version of NIR that wrote the file.
    pub version: Option<String>,
    /// All primitives in the order of execution, those of nested graphs as `graph/node`.
    pub nodes: Vec<NodeSummary>,
    /// Edges between them.
    pub edges: Vec<[String; 2]>,
    /// How many primitives of each kind there are.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Neurons of all populations.
    pub neurons: usize,
    /// Numbers in all weights and biases.
    pub weights: usize,
    /// Keys of the graph's metadata with their values.
    pub metadata: BTreeMap<String, String>,
    /// What deserves attention.
    pub notes: Vec<String>,
}

/// A description of a primitive.
#[derive(Clone, Debug, Serialize)]
pub struct NodeSummary {
    /// Its name.
    pub name: String,
    /// Its type, as in the file.
    pub kind: &'static str,
    /// Extents of its input.
    pub input: Vec<usize>,
    /// Extents of its output.
    pub output: Vec<usize>,
    /// Numbers in its weight and bias.
    pub weights: usize,
    /// Keys of its metadata with their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Summary {
    /// Describes a graph.
    ///
    /// # Errors
    /// The graph is wrong; see [`super::read`].
    pub fn of(graph: &NirGraph) -> Result<Summary> {
        let checked = check(graph)?;
        let mut summary = Summary {
            version: graph.version.clone(),
            nodes: Vec::new(),
            edges: Vec::new(),
            kinds: BTreeMap::new(),
            neurons: 0,
            weights: 0,
            metadata: texts(&graph.metadata),
            notes: Vec::new(),
        };
        for &index in checked.order.blocks.iter().flatten() {
            let ((name, unit), shapes) = (&checked.flat.units[index], &checked.shapes[index]);
            let weights = ["weight", "bias"].iter().filter_map(|f| unit.fields.get(*f)).map(|a| a.data().len()).sum();
            *summary.kinds.entry(unit.kind.name()).or_default() += 1;
            summary.weights += weights;
            if unit.kind.is_neuron() {
                summary.neurons += shapes.output.iter().product::<usize>();
            }
            summary.nodes.push(NodeSummary {
                name: name.clone(),
                kind: unit.kind.name(),
                input: shapes.input.clone(),
                output: shapes.output.clone(),
                weights,
                metadata: texts(&unit.metadata),
            });
        }
        let sends: std::collections::HashSet<usize> = checked.flat.edges.iter().map(|edge| edge.0).collect();
        for (index, (name, unit)) in checked.flat.units.iter().enumerate() {
            if unit.kind != Kind::Output && !sends.contains(&index) {
                summary.notes.push(format!("{name}: nobody reads its output"));
            }
        }
        summary.notes.extend(convention(graph, &summary.nodes));
        let name = |index: usize| checked.flat.name(index).to_string();
        summary.edges = checked.flat.edges.iter().map(|&(from, to)| [name(from), name(to)]).collect();
        Ok(summary)
    }
}

impl Summary {
    /// Stable text.
    pub fn dump(&self) -> String {
        let extents = |shape: &[usize]| shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
        let mut text = format!("nir version={}\n", self.version.as_deref().unwrap_or("none"));
        for node in &self.nodes {
            let (input, output) = (extents(&node.input), extents(&node.output));
            text.push_str(&format!("node {:?} {} {input} -> {output}\n", node.name, node.kind));
        }
        for [from, to] in &self.edges {
            text.push_str(&format!("edge {from:?} -> {to:?}\n"));
        }
        text
    }
}

/// Which notes of Synfire's convention the file holds.
fn convention(graph: &NirGraph, nodes: &[NodeSummary]) -> Option<String> {
    let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
    for key in nodes.iter().flat_map(|node| node.metadata.keys()).filter(|key| key.starts_with(PREFIX)) {
        *keys.entry(key).or_default() += 1;
    }
    let nodes = keys.into_iter().map(|(key, count)| format!("{key} ({count} nodes)"));
    let graph = graph.metadata.keys().filter(|key| key.starts_with(PREFIX)).map(|key| format!("{key} (graph)"));
    let all: Vec<String> = nodes.chain(graph).collect();
    let text =
        || format!("holds notes of Synfire's convention, which other interpreters pass over: {}", all.join(", "));
    (!all.is_empty()).then(text)
}

/// Metadata as `key: value`; of long arrays, the shape.
fn texts(metadata: &Metadata) -> BTreeMap<String, String> {
    let text = |meta: &Meta| match meta {
        Meta::Group(members) => format!("{} entries", members.len()),
        Meta::Value(array) => match (array.as_text(), array.single()) {
            (Some(text), _) => text.to_string(),
            (None, Some(number)) => number.to_string(),
            _ => format!("{} {:?}", array.data().type_name(), array.shape()),
        },
    };
    metadata.iter().map(|(key, meta)| (key.clone(), text(meta))).collect()
}
