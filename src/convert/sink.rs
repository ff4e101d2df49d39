//! Moves max pooling behind what does not change which element is the greatest: ReLUs and per-channel factors above zero.
//!
//! Many networks pool before the ReLU. Behind it, the pooling reads the activations of a population, which hardware can do.

use crate::ir::graph::{Graph, Op, PoolKind};

/// The same function with every max pooling as far back as it can go.
pub(super) fn sink(mut graph: Graph) -> Graph {
    let mut readers = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| readers[input.0].push(index));
    }
    // Nodes stand in topological order, so a pooling that moves is met again at its new place.
    for pool in 0..graph.nodes.len() {
        if !matches!(graph.nodes[pool].op, Op::Pool { kind: PoolKind::Max, .. }) || graph.output.0 == pool {
            continue;
        }
        let ([reader], [input]) = (readers[pool].as_slice(), graph.nodes[pool].inputs.as_slice()) else { continue };
        let (reader, shape) = (*reader, graph.node(*input).shape.clone());
        let commutes = match &graph.nodes[reader].op {
            Op::Relu { .. } => true,
            Op::Affine { scale, .. } => scale.iter().all(|&s| s > 0.0) && shape.channels() == scale.len(),
            _ => false,
        };
        if commutes {
            let (front, behind) = graph.nodes.split_at_mut(reader);
            let (first, second) = (&mut front[pool], &mut behind[0]);
            std::mem::swap(&mut first.op, &mut second.op);
            std::mem::swap(&mut first.name, &mut second.name);
            first.shape = shape;
        }
    }
    graph
}
