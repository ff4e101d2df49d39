//! Which nodes the network's answer depends on.

use crate::ir::graph::Graph;

/// One flag per node: true if the output depends on it. The input always is: it is the only node that reads nothing.
pub(super) fn live(graph: &Graph) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    live[graph.output.0] = true;
    // Nodes stand in topological order, so one sweep backwards reaches every ancestor.
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        if live[index] {
            for input in &node.inputs {
                live[input.0] = true;
            }
        }
    }
    live
}
