//! What pools may pass on: sums of what their senders send, which may be pools themselves.

use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::quant::{Neuron, QuantGraph};

/// A pool may not pass on more: sums of sums of this size stay far from the ends of 64 bits.
const MOST: i64 = 1 << 24;

/// Fills in the largest value of every pool, senders first, wherever they stand in the network: a circle may lead from a later
/// population to a pool. Pools that cannot be bounded come back as problems.
pub(super) fn bound(net: &mut QuantGraph) -> Vec<Problem> {
    let is_pool = |net: &QuantGraph, pop: usize| matches!(net.populations[pop].neuron, Neuron::Pool { .. });
    let mut open: Vec<usize> = (0..net.populations.len()).filter(|&pop| is_pool(net, pop)).collect();
    let mut problems = Vec::new();
    loop {
        let waits = |pop: usize| net.projections_into(PopId(pop)).any(|(_, p)| open.contains(&p.projection.pre.0));
        let (later, ready): (Vec<usize>, Vec<usize>) = open.iter().partition(|&&pop| waits(pop));
        if ready.is_empty() {
            break;
        }
        for pop in ready {
            let reach = net.prove_range(PopId(pop)).1.max(1);
            if reach > MOST {
                let what = format!("passes on sums of up to {reach}; {MOST} are the limit");
                problems
                    .push(Problem::new(what).at_node(&net.populations[pop].name).help("put neurons in front of it"));
            }
            if let Neuron::Pool { max, .. } = &mut net.populations[pop].neuron {
                *max = reach.min(MOST);
            }
        }
        open = later;
    }
    let endless = open.into_iter().filter(|&pop| feeds_itself(net, pop));
    problems.extend(endless.map(|pop| {
        Problem::new("adds up its own output, which grows without bound")
            .at_node(&net.populations[pop].name)
            .help("put neurons into the circle")
    }));
    problems
}

/// True if a way through pools alone leads from a pool back to itself.
fn feeds_itself(net: &QuantGraph, pool: usize) -> bool {
    let (mut seen, mut ways) = (vec![false; net.populations.len()], vec![pool]);
    while let Some(pop) = ways.pop() {
        for (_, p) in net.projections_into(PopId(pop)) {
            let pre = p.projection.pre.0;
            if pre == pool {
                return true;
            }
            if matches!(net.populations[pre].neuron, Neuron::Pool { .. }) && !std::mem::replace(&mut seen[pre], true) {
                ways.push(pre);
            }
        }
    }
    false
}
