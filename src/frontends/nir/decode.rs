//! The tree of a file becomes a [`NirGraph`]: types, field names, edges. Shapes and values are looked at later.

use super::array::{Array, Data};
use super::hdf5::{Root, Tree};
use super::kind::{Kind, Need};
use super::model::{Meta, Metadata, NirGraph, Node, Unit};
use crate::error::Problem;

/// The graph of a file, if the file is one; every problem found goes to `problems`.
pub(super) fn decode(root: Root, problems: &mut Vec<Problem>) -> Option<NirGraph> {
    let version = match root.version {
        None => None,
        Some(Tree::Array(array)) => array.as_text().map(str::to_string),
        Some(Tree::Group(_)) => None,
    };
    let node = node(root.node, "", problems)?;
    match node {
        Node::Graph(graph) => Some(NirGraph { version, ..graph }),
        Node::Unit(unit) => {
            let what = format!("holds a single {}, not a graph", unit.kind);
            problems.push(Problem::new(what).help("wrap it: nir.NIRGraph.from_list(node)"));
            None
        }
    }
}

fn node(tree: Tree, path: &str, problems: &mut Vec<Problem>) -> Option<Node> {
    let mut complain = |what: String, help: &str| {
        let problem = Problem::new(what).help(help);
        problems.push(if path.is_empty() { problem } else { problem.at_node(path) });
    };
    let Tree::Group(mut members) = tree else {
        complain("is a data set where a node is expected".into(), "every node is a group with a 'type'");
        return None;
    };
    let mut take = |name: &str| {
        let at = members.iter().position(|(key, _)| key == name)?;
        Some(members.swap_remove(at).1)
    };
    let named = take("type");
    let Some(Tree::Array(kind)) = &named else {
        complain("has no 'type'".into(), "every node of a NIR file has one; export the file again");
        return None;
    };
    let Some(kind) = kind.as_text() else {
        complain("has a 'type' that is no string".into(), "it names a primitive, such as LIF");
        return None;
    };
    let metadata = take("metadata");
    if kind == "NIRGraph" {
        let parts = (take("nodes"), take("edges"));
        unknown(&members, "NIRGraph", path, problems);
        let metadata = notes(metadata, path, problems);
        return graph(parts, metadata, path, problems).map(Node::Graph);
    }
    let Some(kind) = Kind::of(kind) else {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        let help = format!("the primitives of NIR 1.0 are {} and NIRGraph", known.join(", "));
        complain(format!("is of the type '{kind}', which is no primitive of NIR 1.0"), &help);
        return None;
    };
    let mut unit = Unit::new(kind);
    for (field, _) in kind.fields() {
        match take(field) {
            Some(Tree::Array(array)) => {
                unit.fields.insert((*field).to_string(), array);
            }
            Some(Tree::Group(_)) => complain(format!("has a group as '{field}'"), "a field is a data set"),
            None => {}
        }
    }
    unknown(&members, kind.name(), path, problems);
    unit.metadata = notes(metadata, path, problems);
    Some(Node::Unit(unit))
}

/// Fields that nobody knows may change what a node computes, so they are not passed over (nor does Python's `nir`).
fn unknown(members: &[(String, Tree)], kind: &str, path: &str, problems: &mut Vec<Problem>) {
    for (name, _) in members {
        let problem = Problem::new(format!("{kind} has no field called '{name}'"))
            .help("remove it, or put it into the node's 'metadata', which is kept but not interpreted");
        problems.push(if path.is_empty() { problem } else { problem.at_node(path) });
    }
}

/// What is missing, of the fields that a node must have.
pub(super) fn missing(unit: &Unit) -> Vec<Problem> {
    let needed = unit.kind.fields().iter().filter(|(_, need)| *need == Need::Required);
    let absent = needed.filter(|(field, _)| !unit.fields.contains_key(*field));
    let problem = |(field, _): &(&str, Need)| {
        let help = match unit.kind {
            Kind::Flatten => {
                "the file does not say what is flattened; nir.read and nir.write of a current version of Python's nir \
                 infer it and store it"
            }
            _ => "export the file again with a current version of Python's nir",
        };
        Problem::new(format!("{} lacks the field '{field}'", unit.kind)).help(help)
    };
    absent.map(problem).collect()
}

fn graph(
    (nodes, edges): (Option<Tree>, Option<Tree>),
    metadata: Metadata,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<NirGraph> {
    let mut complain = |what: &str, help: &str| {
        let problem = Problem::new(what).help(help);
        problems.push(if path.is_empty() { problem } else { problem.at_node(path) });
    };
    let mut graph = NirGraph { metadata, ..NirGraph::default() };
    match edges {
        Some(Tree::Array(array)) if array.data().is_empty() => {}
        Some(Tree::Array(array)) => match (array.shape(), array.data()) {
            ([_, 2], Data::Text(names)) => {
                let pairs = names.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
                graph.edges = pairs.collect();
            }
            _ => complain("has 'edges' that are no list of pairs of names", "store an array of strings, [edges, 2]"),
        },
        _ => complain("a NIRGraph without 'edges'", "export the file again"),
    }
    match nodes {
        Some(Tree::Group(members)) => {
            for (name, tree) in members {
                let at = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                if let Some(node) = node(tree, &at, problems) {
                    graph.nodes.insert(name, node);
                }
            }
            Some(graph)
        }
        _ => {
            complain("a NIRGraph without 'nodes'", "export the file again");
            None
        }
    }
}

fn notes(tree: Option<Tree>, path: &str, problems: &mut Vec<Problem>) -> Metadata {
    fn meta(tree: Tree) -> Meta {
        match tree {
            Tree::Array(array) => Meta::Value(array),
            Tree::Group(members) => Meta::Group(members.into_iter().map(|(name, tree)| (name, meta(tree))).collect()),
        }
    }
    match tree.map(meta) {
        None => Metadata::new(),
        Some(Meta::Group(metadata)) => metadata,
        Some(Meta::Value(_)) => {
            let problem = Problem::new("has 'metadata' that is no group").help("metadata are named entries");
            problems.push(if path.is_empty() { problem } else { problem.at_node(path) });
            Metadata::new()
        }
    }
}

/// The tree of a graph, as Python's `nir` lays it out. Nothing is lost but the order of the edges' file positions.
pub(super) fn encode(graph: &NirGraph) -> Tree {
    let mut members: Vec<(String, Tree)> = Vec::new();
    let mut put = |name: &str, tree| members.push((name.to_string(), tree));
    put("edges", Tree::Array(edges(&graph.edges)));
    put_notes(&graph.metadata, &mut put);
    let nodes = graph.nodes.iter().map(|(name, node)| (name.clone(), encode_node(node)));
    put("nodes", Tree::Group(nodes.collect()));
    put("type", Tree::Array(Array::text("NIRGraph")));
    Tree::Group(members)
}

fn encode_node(node: &Node) -> Tree {
    let unit = match node {
        Node::Graph(graph) => return encode(graph),
        Node::Unit(unit) => unit,
    };
    let mut members: Vec<(String, Tree)> = Vec::new();
    let mut put = |name: &str, tree| members.push((name.to_string(), tree));
    for (field, array) in &unit.fields {
        put(field, Tree::Array(array.clone()));
    }
    put_notes(&unit.metadata, &mut put);
    put("type", Tree::Array(Array::text(unit.kind.name())));
    Tree::Group(members)
}

/// Python's `nir` leaves empty metadata out.
fn put_notes(metadata: &Metadata, put: &mut impl FnMut(&str, Tree)) {
    fn tree(meta: &Meta) -> Tree {
        match meta {
            Meta::Value(array) => Tree::Array(array.clone()),
            Meta::Group(members) => Tree::Group(members.iter().map(|(name, m)| (name.clone(), tree(m))).collect()),
        }
    }
    if !metadata.is_empty() {
        put("metadata", Tree::Group(metadata.iter().map(|(name, meta)| (name.clone(), tree(meta))).collect()));
    }
}

fn edges(edges: &[(String, String)]) -> Array {
    let names: Vec<String> = edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
    if names.is_empty() {
        // What NumPy makes of an empty list.
        return Array::doubles(vec![]);
    }
    Array::new(vec![edges.len(), 2], Data::Text(names)).unwrap_or_else(|| Array::doubles(vec![]))
}
