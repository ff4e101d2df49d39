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
fn a_delay_adds_no_step_elsewhere_either() {
    // a → b(neuron) → c(neuron) → d(delay) → b, and a → c, which a search may meet before b.
    for edges in [[(0, 1), (0, 2), (1, 2), (2, 3), (3, 1)], [(0, 2), (0, 1), (1, 2), (2, 3), (3, 1)]] {
        let order = sorted(&[Plain, Neuron, Neuron, Delay], &edges).unwrap();
        assert_eq!(late(&order), [], "{edges:?}");
    }
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
