//! Which nodes the answer depends on, in an order in which they can be computed. Works on lists, not by recursion, so
//! a long chain cannot exhaust the stack.

use super::label;
use super::proto::GraphProto;
use crate::error::Problem;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Indices of the live nodes in topological order; those of a file that is sorted already keep its order.
///
/// Finds values that two nodes compute, values that nothing computes, and cycles.
pub(in crate::frontends) fn live_nodes(graph: &GraphProto) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    let producers = producers(graph, &mut problems);
    let live = live(graph, &producers);
    let given: HashSet<&str> =
        graph.initializer.iter().map(|t| t.name.as_str()).chain(graph.input.iter().map(|i| i.name.as_str())).collect();
    for (index, node) in graph.node.iter().enumerate().filter(|(index, _)| live[*index]) {
        for input in node.input.iter().filter(|name| !name.is_empty()) {
            if !producers.contains_key(input.as_str()) && !given.contains(input.as_str()) {
                let problem = Problem::new(format!("reads '{input}', which nothing in the file computes"))
                    .help("the file is damaged, or only a part of a network: export it again");
                problems.push(problem.at_node(label(graph, index)));
            }
        }
    }
    for output in &graph.output {
        if !producers.contains_key(output.name.as_str()) {
            problems.push(match given.contains(output.name.as_str()) {
                true => Problem::new(format!("the output '{}' is not computed by any node", output.name)),
                false => Problem::new(format!("the output '{}' does not exist", output.name)),
            });
        }
    }
    let order = sorted(graph, &producers, &live, &mut problems);
    if problems.is_empty() { Ok(order) } else { Err(problems) }
}

/// The node that computes each value.
fn producers<'a>(graph: &'a GraphProto, problems: &mut Vec<Problem>) -> HashMap<&'a str, usize> {
    let mut given = HashMap::new();
    for tensor in &graph.initializer {
        if given.insert(tensor.name.as_str(), "a constant").is_some() {
            problems.push(Problem::new(format!("two constants are called '{}'", tensor.name)));
        }
    }
    let mut inputs = HashSet::new();
    for input in &graph.input {
        // The same name as a constant's is legal: the constant is the input's default value.
        given.entry(&input.name).or_insert("an input");
        if !inputs.insert(&input.name) {
            problems.push(Problem::new(format!("two inputs are called '{}'", input.name)));
        }
    }
    let mut producers = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for output in node.output.iter().filter(|name| !name.is_empty()) {
            let mut complain = |other: String| {
                let problem = Problem::new(format!("computes '{output}', which is also the name of {other}"));
                problems.push(problem.at_node(label(graph, index)));
            };
            if let Some(what) = given.get(output.as_str()) {
                complain(what.to_string());
            } else if let Some(first) = producers.insert(output.as_str(), index) {
                complain(format!("a result of '{}'", label(graph, first)));
            }
        }
    }
    producers
}

fn live(graph: &GraphProto, producers: &HashMap<&str, usize>) -> Vec<bool> {
    let mut live = vec![false; graph.node.len()];
    let mut pending: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    while let Some(name) = pending.pop() {
        let Some(&index) = producers.get(name) else { continue };
        if !live[index] {
            live[index] = true;
            pending.extend(graph.node[index].input.iter().map(String::as_str));
        }
    }
    live
}

/// Kahn's algorithm; of the nodes that are ready, the first in the file goes first.
fn sorted(
    graph: &GraphProto,
    producers: &HashMap<&str, usize>,
    live: &[bool],
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    let mut readers = vec![Vec::new(); graph.node.len()];
    let mut waits_for = vec![0usize; graph.node.len()];
    for (index, node) in graph.node.iter().enumerate().filter(|(index, _)| live[*index]) {
        for producer in node.input.iter().filter_map(|name| producers.get(name.as_str())) {
            readers[*producer].push(index);
            waits_for[index] += 1;
        }
    }
    let is_ready = |index: &usize| live[*index] && waits_for[*index] == 0;
    let mut ready: BinaryHeap<_> = (0..graph.node.len()).filter(is_ready).map(Reverse).collect();
    let mut order = Vec::new();
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &reader in &readers[index] {
            waits_for[reader] -= 1;
            if waits_for[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    if order.len() < live.iter().filter(|&&l| l).count() {
        problems.push(cycle(graph, producers, &waits_for));
    }
    order
}

/// Names one cycle. Every node that still waits reads another one that does, so walking up must come round.
fn cycle(graph: &GraphProto, producers: &HashMap<&str, usize>, waits_for: &[usize]) -> Problem {
    let waiting = |index: &usize| waits_for[*index] > 0;
    let mut path: Vec<usize> = (0..graph.node.len()).find(waiting).into_iter().collect();
    let mut place: HashMap<usize, usize> = path.iter().map(|&index| (index, 0)).collect();
    while let Some(&last) = path.last() {
        let inputs = graph.node[last].input.iter().filter_map(|name| producers.get(name.as_str()).copied());
        let Some(next) = inputs.into_iter().find(waiting) else { break };
        if let Some(&start) = place.get(&next) {
            path.drain(..start);
            break;
        }
        place.insert(next, path.len());
        path.push(next);
    }
    // The path was walked against the flow; in its direction, and closed, it reads as a circle.
    let (first, rest) = path.split_at(path.len().min(1));
    let circle = first.iter().chain(rest.iter().rev()).take(8);
    let names: Vec<String> = circle.chain(first).map(|&index| format!("'{}'", label(graph, index))).collect();
    let what = if path.len() > 8 { "a part of the circle is" } else { "the circle is" };
    Problem::new(format!("the network feeds back into itself; {what} {}", names.join(" → ")))
        .help("recurrent networks are not supported in ONNX files")
}
