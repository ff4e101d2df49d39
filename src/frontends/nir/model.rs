//! A NIR file as a value: nodes by name, edges, metadata. Nothing is interpreted here, so nothing is lost.

use super::array::Array;
use super::kind::Kind;
use std::collections::BTreeMap;

/// Metadata of a graph or node: anything that is not part of the network.
pub type Metadata = BTreeMap<String, Meta>;

/// An entry of [`Metadata`].
#[derive(Clone, Debug, PartialEq)]
pub enum Meta {
    /// A number, a string, or an array of them.
    Value(Array),
    /// Named entries.
    Group(Metadata),
}

/// A graph: the root of a file, or a node of another graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NirGraph {
    /// The nodes by name, which is unique within the graph.
    pub nodes: BTreeMap<String, Node>,
    /// From whom to whom, by name. The order means nothing.
    pub edges: Vec<(String, String)>,
    /// What the writer noted.
    pub metadata: Metadata,
    /// The version of NIR that wrote the file. Absent in the oldest files, and in nested graphs.
    pub version: Option<String>,
}

/// A node of a graph.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// One of NIR's primitives.
    Unit(Unit),
    /// A nested graph.
    Graph(NirGraph),
}

/// A primitive and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Which primitive.
    pub kind: Kind,
    /// Its parameters, of the names in [`Kind::fields`].
    pub fields: BTreeMap<String, Array>,
    /// What the writer noted.
    pub metadata: Metadata,
}

impl NirGraph {
    /// Adds a node; an earlier one of this name is replaced.
    pub fn node(&mut self, name: impl Into<String>, node: impl Into<Node>) -> &mut Self {
        self.nodes.insert(name.into(), node.into());
        self
    }

    /// Adds an edge.
    pub fn edge(&mut self, from: impl Into<String>, to: impl Into<String>) -> &mut Self {
        self.edges.push((from.into(), to.into()));
        self
    }
}

impl Unit {
    /// A primitive without parameters.
    pub fn new(kind: Kind) -> Unit {
        Unit { kind, fields: BTreeMap::new(), metadata: Metadata::new() }
    }

    /// Sets a parameter.
    pub fn with(mut self, field: &str, value: Array) -> Unit {
        self.fields.insert(field.to_string(), value);
        self
    }

    /// Notes something.
    pub fn with_meta(mut self, key: &str, value: Array) -> Unit {
        self.metadata.insert(key.to_string(), Meta::Value(value));
        self
    }
}

impl From<Unit> for Node {
    fn from(unit: Unit) -> Node {
        Node::Unit(unit)
    }
}

impl From<NirGraph> for Node {
    fn from(graph: NirGraph) -> Node {
        Node::Graph(graph)
    }
}
