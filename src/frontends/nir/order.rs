//! In which order the nodes of a step are computed, and which edges wait for the next step.
//!
//! Nodes that feed each other in circles form a *block*; all other nodes are blocks of their own. Within a block, a signal
//! is delayed where it leaves a neuron: an edge `neuron → x` sees the neuron's previous output (0 in the first step) if,
//! through `x`, it reaches a neuron that does not come after the sender. So a recurrent `Affine` adds its bias in every
//! step, and only the spikes are old; this is what a projection with `delay = 1` computes in hardware. "Comes after" means
//! the reverse postorder of a depth-first search from the inputs, by which as few edges as possible wait. A `Delay` of at
//! least one step breaks a circle by itself: no step is added to it.

use crate::error::Problem;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
    let rank = ranks(&readers, inputs);
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
    let mut waits_for = std::collections::HashMap::new();
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

/// Places in the reverse postorder of a depth-first search from the inputs, then from whatever they do not reach.
fn ranks(readers: &[Vec<usize>], inputs: &[usize]) -> Vec<usize> {
    let mut seen = vec![false; readers.len()];
    let mut postorder = Vec::with_capacity(readers.len());
    let starts: Vec<usize> = inputs.iter().copied().chain(0..readers.len()).collect();
    // What is searched last comes first in the reverse order, so the inputs go last.
    let reached = reach(readers, inputs);
    let (outside, inside): (Vec<usize>, Vec<usize>) = starts.into_iter().partition(|&node| !reached[node]);
    for start in outside.into_iter().chain(inside) {
        let mut stack = Vec::new();
        if !std::mem::replace(&mut seen[start], true) {
            stack.push((start, 0));
        }
        while let Some((node, next)) = stack.last_mut() {
            match readers[*node].get(*next) {
                Some(&to) => {
                    *next += 1;
                    if !std::mem::replace(&mut seen[to], true) {
                        stack.push((to, 0));
                    }
                }
                None => {
                    postorder.push(*node);
                    stack.pop();
                }
            }
        }
    }
    let mut rank = vec![0; readers.len()];
    for (place, node) in postorder.into_iter().rev().enumerate() {
        rank[node] = place;
    }
    rank
}

fn reach(readers: &[Vec<usize>], inputs: &[usize]) -> Vec<bool> {
    let mut reached = vec![false; readers.len()];
    let mut pending = inputs.to_vec();
    while let Some(node) = pending.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            pending.extend(&readers[node]);
        }
    }
    reached
}

/// Tarjan's strongly connected components, with a stack of our own; a component's number is above that of all it feeds.
fn components(readers: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let n = readers.len();
    let (mut index, mut low, mut component) = (vec![NONE; n], vec![0; n], vec![NONE; n]);
    let (mut open, mut stack) = (Vec::new(), Vec::<(usize, usize)>::new());
    let (mut visited, mut found) = (0, 0);
    for start in 0..n {
        if index[start] != NONE {
            continue;
        }
        stack.push((start, 0));
        while let Some(&mut (node, ref mut next)) = stack.last_mut() {
            if *next == 0 {
                (index[node], low[node]) = (visited, visited);
                visited += 1;
                open.push(node);
            }
            if let Some(&to) = readers[node].get(*next) {
                *next += 1;
                if index[to] == NONE {
                    stack.push((to, 0));
                } else if component[to] == NONE {
                    low[node] = low[node].min(index[to]);
                }
                continue;
            }
            stack.pop();
            if let Some(&(parent, _)) = stack.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                while let Some(member) = open.pop() {
                    component[member] = found;
                    if member == node {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

/// Names one circle among the nodes that could not be sorted.
fn circle<'a>(
    block: &[usize],
    sorted: &[usize],
    readers: &[Vec<usize>],
    instant: &impl Fn(usize, usize) -> bool,
    name: &impl Fn(usize) -> &'a str,
) -> Problem {
    let done: std::collections::HashSet<usize> = sorted.iter().copied().collect();
    let left: Vec<usize> = block.iter().copied().filter(|node| !done.contains(node)).collect();
    // Whoever is left waits for somebody who is left: walking up must come round.
    let mut waits_for = std::collections::HashMap::new();
    for &from in &left {
        for &to in readers[from].iter().filter(|&&to| instant(from, to)) {
            waits_for.entry(to).or_insert(from);
        }
    }
    let mut path: Vec<usize> = left.first().copied().into_iter().collect();
    let mut place = std::collections::HashMap::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{Delay, Neuron, Plain};

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    fn sorted(roles: &[Role], edges: &[(usize, usize)]) -> Result<Order, Vec<Problem>> {
        order(roles, edges, &[0], |i| NAMES[i])
    }

    fn late(order: &Order) -> Vec<(usize, usize)> {
        let all = order.senders.iter().enumerate();
        all.flat_map(|(to, from)| from.iter().filter(|s| s.1).map(move |s| (s.0, to))).collect()
    }

    #[test]
    fn without_circles_nothing_waits() {
        let order = sorted(&[Plain, Neuron, Plain, Neuron], &[(0, 1), (0, 2), (1, 3), (2, 3)]).unwrap();
        assert_eq!(late(&order), []);
        assert_eq!(order.blocks.len(), 4);
        assert_eq!((order.blocks[0].as_slice(), order.blocks[3].as_slice()), (&[0][..], &[3][..]));
    }

    #[test]
    fn a_recurrent_weight_sees_the_previous_spikes() {
        // a → b(neuron) → c → b, b → d
        let order = sorted(&[Plain, Neuron, Plain, Plain], &[(0, 1), (1, 2), (1, 3), (2, 1)]).unwrap();
        assert_eq!(late(&order), [(1, 2)]);
        assert_eq!(order.blocks, [vec![0], vec![2, 1], vec![3]]);
    }

    #[test]
    fn only_the_edge_that_closes_the_circle_waits() {
        // Two layers, the second feeds back into the first: a → b → c(neuron) → d → e(neuron) → b
        let edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 1)];
        let order = sorted(&[Plain, Plain, Neuron, Plain, Neuron], &edges).unwrap();
        assert_eq!(late(&order), [(4, 1)]);
        assert_eq!(order.blocks, [vec![0], vec![1, 2, 3, 4]]);
    }

    #[test]
    fn a_neuron_may_feed_itself() {
        let order = sorted(&[Plain, Neuron], &[(0, 1), (1, 1)]).unwrap();
        assert_eq!(late(&order), [(1, 1)]);
    }

    #[test]
    fn a_delay_adds_no_second_step() {
        // a → b(neuron) → c(delay) → b
        let order = sorted(&[Plain, Neuron, Delay], &[(0, 1), (1, 2), (2, 1)]).unwrap();
        assert_eq!(late(&order), []);
        assert_eq!(order.blocks, [vec![0], vec![2, 1]]);
    }

    #[test]
    fn circles_without_state_are_named() {
        let edges = [(0, 1), (1, 2), (2, 3), (3, 1), (3, 4)];
        let problems = sorted(&[Plain, Plain, Plain, Plain, Neuron], &edges).unwrap_err();
        let text = problems[0].to_string();
        assert!(["'b' → 'c' → 'd'", "'c' → 'd' → 'b'", "'d' → 'b' → 'c'"].iter().any(|c| text.contains(c)), "{text}");
        assert!(sorted(&[Plain, Plain], &[(0, 1), (1, 1)]).is_err());
    }

    #[test]
    fn long_chains_need_no_stack() {
        let n = 200_000;
        let edges: Vec<(usize, usize)> = (0..n - 1).map(|i| (i, i + 1)).chain([(n - 1, 1)]).collect();
        let order = order(&vec![Neuron; n], &edges, &[0], |_| "x").unwrap();
        assert_eq!(late(&order), [(n - 1, 1)]);
    }
}
