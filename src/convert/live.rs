//! What the network's answer depends on.

use super::fold::Stretch;
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

/// Drops populations that no longer reach the last one: slices and crops may have cut them off. The source stays.
pub(super) fn prune(stretches: Vec<Stretch>) -> Vec<Stretch> {
    let mut read = vec![false; stretches.len()];
    read.first_mut().into_iter().for_each(|source| *source = true);
    read.last_mut().into_iter().for_each(|readout| *readout = true);
    for (index, stretch) in stretches.iter().enumerate().rev() {
        if read[index] {
            stretch.drive.terms.iter().for_each(|term| read[term.pre] = true);
        }
    }
    let mut number = 0;
    let numbers: Vec<usize> = read
        .iter()
        .map(|&read| {
            number += usize::from(read);
            number.saturating_sub(1)
        })
        .collect();
    let kept = stretches.into_iter().zip(&read).filter(|(_, read)| **read).map(|(stretch, _)| stretch);
    let mut kept: Vec<Stretch> = kept.collect();
    kept.iter_mut().flat_map(|stretch| &mut stretch.drive.terms).for_each(|term| term.pre = numbers[term.pre]);
    kept
}
