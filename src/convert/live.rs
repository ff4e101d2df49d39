//! Which nodes the network's answer depends on.

use crate::error::{Error, Problem, Result};
use crate::ir::graph::Graph;

/// One flag per node: true if the output depends on it.
///
/// # Errors
/// The output does not depend on the input, so there is nothing to compute.
pub(super) fn live(graph: &Graph) -> Result<Vec<bool>> {
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
    if live[0] {
        Ok(live)
    } else {
        let output = &graph.node(graph.output).name;
        Err(Error::from(Problem::new("the network's output does not depend on its input").at_node(output)))
    }
}
