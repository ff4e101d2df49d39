//! In which order the nodes of a step are computed, and which edges wait for the next step.
//!
//! Nodes that feed each other in circles form a *block*; all other nodes are blocks of their own. Within a block, a signal
//! is delayed where it leaves a neuron: an edge `neuron → x` sees the neuron's previous output (0 in the first step) if,
//! through `x`, it reaches a neuron that does not come after the sender. So a recurrent `Affine` adds its bias in every
//! step, and only the spikes are old; this is what a projection with `delay = 1` computes in hardware. "Comes after" means
//! the reverse postorder of a depth-first search from the inputs, by which as few edges as possible wait. A `Delay` of at
//! least one step breaks a circle by itself: no step is added to it.

mod search;
#[cfg(test)]
mod tests;

use crate::error::Problem;
use search::{components, ranks};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// What a node means to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its output depends on its input of the same step, and it keeps nothing of its own.
    Plain,
    /// A neuron.
    Neuron,
    /// A Delay of at least one step.
    Delay,
}

/// The order of execution.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Nodes that must run step by step together, sorted; a block reads only blocks before it, and itself.
    pub blocks: Vec<Vec<usize>>,
    /// Of each node: who sends to it, and whether what was sent in the previous step is meant.
    pub senders: Vec<Vec<(usize, bool)>>,
}

/// Sorts the nodes. Fails where nodes wait for each other within a step; `name` is for the message.
pub(super) fn order<'a>(
    roles: &[Role],
    edges: &[(usize, usize)],
    inputs: &[usize],
    name: impl Fn(usize) -> &'a str,
) -> Result<Order, Vec<Problem>> {
    let mut readers = vec![Vec::new(); roles.len()];
    for &(from, to) in edges {
        readers[from].push(to);
    }
    // What enters a Delay binds nobody within the step, so where a Delay closes a circle, the rest has an order of its own.
    let instantly: Vec<Vec<usize>> =
        readers.iter().map(|to| to.iter().copied().filter(|&to| roles[to] != Role::Delay).collect()).collect();
    let rank = ranks(&instantly, inputs);
    let block_of = components(&readers);
    let count = block_of.iter().max().map_or(0, |last| last + 1);
    let mut members = vec![Vec::new(); count];
    for (node, &block) in block_of.iter().enumerate() {
        members[block].push(node);
    }
    let mut senders: Vec<Vec<(usize, bool)>> = vec![Vec::new(); roles.len()];
    let mut problems = Vec::new();
    let inside = |from: usize, to: usize| block_of[from] == block_of[to];
    // Within a step, a neuron's output and a Delay's input bind nobody, so what remains must be free of circles.
    let instant = |from: usize, to: usize| inside(from, to) && roles[from] != Role::Neuron && roles[to] != Role::Delay;
    let mut first = rank.clone();
    for block in &members {
        let sorted = sort(block, &rank, |node| readers[node].iter().copied().filter(move |&to| instant(node, to)));
        if sorted.len() < block.len() {
            problems.push(circle(block, &sorted, &readers, &instant, &name));
        }
        // The earliest neuron that a node's output reaches within the step.
        for &node in sorted.iter().rev().filter(|&&node| roles[node] != Role::Neuron) {
            let next = readers[node].iter().filter(|&&to| instant(node, to) && roles[to] != Role::Delay);
            first[node] = next.map(|&to| first[to]).min().unwrap_or(usize::MAX);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let late = |from: usize, to: usize| {
        inside(from, to) && roles[from] == Role::Neuron && roles[to] != Role::Delay && first[to] <= rank[from]
    };
    for &(from, to) in edges {
        senders[to].push((from, late(from, to)));
    }
    let binds = |from: usize, to: usize| inside(from, to) && roles[to] != Role::Delay && !late(from, to);
    // The components come out readers first.
    let mut blocks = Vec::with_capacity(count);
    for block in members.iter().rev() {
        let sorted = sort(block, &rank, |node| readers[node].iter().copied().filter(move |&to| binds(node, to)));
        blocks.push(sorted);
    }
    Ok(Order { blocks, senders })
}

/// Kahn's algorithm over some nodes; of those that are ready, the one of the lowest rank goes first. Nodes on circles, and
/// behind them, stay out.
fn sort<I: Iterator<Item = usize>>(nodes: &[usize], rank: &[usize], next: impl Fn(usize) -> I) -> Vec<usize> {
    let mut waits_for = HashMap::new();
    for &node in nodes {
        for to in next(node) {
            *waits_for.entry(to).or_insert(0usize) += 1;
        }
    }
    let free = nodes.iter().filter(|node| !waits_for.contains_key(node));
    let mut ready: BinaryHeap<_> = free.map(|&node| Reverse((rank[node], node))).collect();
    let mut sorted = Vec::with_capacity(nodes.len());
    while let Some(Reverse((_, node))) = ready.pop() {
        sorted.push(node);
        for to in next(node) {
            if let Some(count) = waits_for.get_mut(&to) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse((rank[to], to)));
                }
            }
        }
    }
    sorted
}

/// Names one circle among the nodes that could not be sorted.
fn circle<'a>(
    block: &[usize],
    sorted: &[usize],
    readers: &[Vec<usize>],
    instant: &impl Fn(usize, usize) -> bool,
    name: &impl Fn(usize) -> &'a str,
) -> Problem {
    let done: HashSet<usize> = sorted.iter().copied().collect();
    let left: Vec<usize> = block.iter().copied().filter(|node| !done.contains(node)).collect();
    // Whoever is left waits for somebody who is left: walking up must come round.
    let mut waits_for = HashMap::new();
    for &from in &left {
        for &to in readers[from].iter().filter(|&&to| instant(from, to)) {
            waits_for.entry(to).or_insert(from);
        }
    }
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    let mut place = HashMap::new();
    while let Some(&last) = path.last() {
        if let Some(&start) = place.get(&last) {
            path.pop();
            path.drain(..start);
            break;
        }
        place.insert(last, path.len() - 1);
        match waits_for.get(&last) {
            Some(&from) => path.push(from),
            None => break,
        }
    }
    let names: Vec<String> = path.iter().rev().take(8).map(|&node| format!("'{}'", name(node))).collect();
    let what = if path.len() > 8 { "a part of the circle is" } else { "the circle is" };
    Problem::new(format!("nodes wait for each other within one step; {what} {}", names.join(" → ")))
        .at_node(path.last().map_or("", |&node| name(node)))
        .help("put a neuron, or a Delay of at least one time step, into the circle")
}
