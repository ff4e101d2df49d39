//! Walks through a graph, with stacks of our own: a chain of nodes may be long.

/// Places in the reverse postorder of a depth-first search from the inputs, then from whatever they do not reach.
pub(super) fn ranks(readers: &[Vec<usize>], inputs: &[usize]) -> Vec<usize> {
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
pub(super) fn components(readers: &[Vec<usize>]) -> Vec<usize> {
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
