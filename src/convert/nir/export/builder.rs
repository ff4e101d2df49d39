//! A NIR graph in the making: names that a file can hold, nodes, edges.

use crate::frontends::nir::{Array, Kind, NirGraph, Unit};
use std::collections::HashSet;

/// Longer names are cut.
const LONGEST: usize = 100;

/// A node and the shape of what it sends.
#[derive(Clone, Debug)]
pub(super) struct Signal {
    pub node: String,
    pub shape: Vec<usize>,
}

/// The graph, and the names that are taken.
pub(super) struct Builder {
    graph: NirGraph,
    taken: HashSet<String>,
}

impl Builder {
    /// An empty graph. The names of its ports are taken already.
    pub fn new() -> Builder {
        Builder { graph: NirGraph::default(), taken: ["input", "output"].map(String::from).into() }
    }

    /// A free name that resembles `wish`, which may be any text.
    pub fn name(&mut self, wish: &str) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = wish.replace('/', ".").trim_matches('.').chars().take(LONGEST).map(legal).collect();
        let name = if name.is_empty() { "node".to_string() } else { name };
        let numbered = (2..).map(|n: usize| format!("{name}_{n}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(name);
        self.taken.insert(free.clone());
        free
    }

    /// Adds a node that reads `from`.
    pub fn put(&mut self, name: &str, unit: Unit, from: &[Signal]) {
        self.graph.node(name, unit);
        for signal in from {
            self.edge(&signal.node, name);
        }
    }

    /// Adds the Input or the Output; its name.
    pub fn port(&mut self, kind: Kind, shape: &[usize]) -> String {
        let name = if kind == Kind::Input { "input" } else { "output" };
        self.graph.node(name, Unit::new(kind).with("shape", Array::integers(shape.iter().copied())));
        name.to_string()
    }

    /// Adds an edge.
    pub fn edge(&mut self, from: &str, to: &str) {
        self.graph.edge(from, to);
    }

    /// The graph.
    pub fn finish(self) -> NirGraph {
        self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_a_file_and_are_unique() {
        let mut builder = Builder::new();
        let names = ["/layer1/conv1/Conv", "layer1.conv1.Conv", "", "..", "input", "µ\0\"", &"x".repeat(500)];
        let names: Vec<String> = names.iter().map(|name| builder.name(name)).collect();
        assert_eq!(names[..6], ["layer1.conv1.Conv", "layer1.conv1.Conv_2", "node", "node_2", "input_2", "___"]);
        assert_eq!(names[6].len(), LONGEST);
    }
}
