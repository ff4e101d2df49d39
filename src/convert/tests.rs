use super::convert;
use super::oracle::{run_graph, run_snn};
use crate::fixed::Normalisation;
use crate::ir::Shape;
use crate::ir::graph::{Graph, Node, NodeId, Op};
use crate::ir::snn::{Model, SnnGraph};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Builds graphs node by node; parameters are random but repeatable.
struct Builder {
    graph: Graph,
    rng: ChaCha8Rng,
}

impl Builder {
    fn new(input: &[usize]) -> Self {
        let nodes = vec![Node { name: "input".into(), op: Op::Input, inputs: vec![], shape: Shape(input.to_vec()) }];
        Builder { graph: Graph { name: "test".into(), nodes, output: NodeId(0) }, rng: ChaCha8Rng::seed_from_u64(7) }
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[usize], shape: Shape) -> usize {
        let inputs = inputs.iter().map(|&i| NodeId(i)).collect();
        self.graph.nodes.push(Node { name: name.into(), op, inputs, shape });
        self.graph.output = NodeId(self.graph.nodes.len() - 1);
        self.graph.output.0
    }

    fn values(&mut self, n: usize) -> Array1<f32> {
        (0..n).map(|_| self.rng.random_range(-1.0..1.0)).collect()
    }

    fn dense(&mut self, name: &str, input: usize, outputs: usize) -> usize {
        let inputs = self.graph.nodes[input].shape.len();
        let weight = Array2::from_shape_vec((outputs, inputs), self.values(outputs * inputs).to_vec()).unwrap();
        let bias = self.values(outputs);
        self.push(name, Op::Dense { weight, bias }, &[input], Shape(vec![outputs]))
    }

    fn affine(&mut self, name: &str, input: usize) -> usize {
        let shape = self.graph.nodes[input].shape.clone();
        let (scale, shift) = (self.values(shape.channels()), self.values(shape.channels()));
        self.push(name, Op::Affine { scale, shift }, &[input], shape)
    }

    fn relu(&mut self, name: &str, input: usize, max: Option<f32>) -> usize {
        let shape = self.graph.nodes[input].shape.clone();
        self.push(name, Op::Relu { max }, &[input], shape)
    }

    fn add(&mut self, name: &str, inputs: &[usize]) -> usize {
        let shape = self.graph.nodes[inputs[0]].shape.clone();
        self.push(name, Op::Add, inputs, shape)
    }

    fn reshape(&mut self, name: &str, input: usize, shape: &[usize]) -> usize {
        self.push(name, Op::Reshape, &[input], Shape(shape.to_vec()))
    }

    /// Converts, and compares both networks on random images.
    fn converts(mut self, normalisation: Option<&Normalisation>) -> SnnGraph {
        let snn = convert(&self.graph, normalisation).unwrap();
        for _ in 0..20 {
            let x: Vec<f64> = (0..self.graph.input_shape().len()).map(|_| self.rng.random_range(0.0..1.0)).collect();
            let (expected, got) = (run_graph(&self.graph, &x, normalisation), run_snn(&snn, &x).pop().unwrap());
            assert_eq!(expected.len(), got.len());
            for (e, g) in expected.iter().zip(&got) {
                assert!((e - g).abs() < 1e-4 * (1.0 + e.abs()), "{expected:?} {got:?}");
            }
        }
        snn
    }

    fn refused(&self) -> String {
        convert(&self.graph, None).unwrap_err().to_string()
    }
}

#[test]
fn affine_folds_in_front_behind_and_across_reshape() {
    let mut b = Builder::new(&[2, 2, 3]);
    let x = b.affine("in_bn", 0);
    let x = b.reshape("flat", x, &[12]);
    let x = b.dense("fc1", x, 8);
    let x = b.reshape("image", x, &[2, 2, 2]);
    let x = b.affine("bn", x);
    let x = b.relu("relu", x, None);
    let x = b.affine("after", x);
    let x = b.reshape("flat2", x, &[8]);
    let x = b.dense("fc2", x, 3);
    b.affine("out_bn", x);
    let snn = b.converts(None);
    assert_eq!(
        snn.dump(),
        "snn \"test\"\n\
         population 0 \"input\" [2, 2, 3] Source\n\
         population 1 \"relu\" [2, 2, 2] Relu { max: None }\n\
         population 2 \"out_bn\" [3] Readout\n\
         projection 0 \"fc1\" 0 -> 1 dense 8x12 delay=0\n\
         projection 1 \"fc2\" 1 -> 2 dense 3x8 delay=0\n"
    );
}

#[test]
fn normalisation_folds_into_every_reader_of_the_input() {
    let normalisation = Normalisation { mean: vec![0.4, 0.1, 0.7], std: vec![0.2, 0.5, 0.3] };
    let mut b = Builder::new(&[3, 2, 2]);
    let x = b.reshape("flat", 0, &[12]);
    let left = b.dense("left", x, 5);
    let left = b.relu("relu", left, None);
    let left = b.dense("mid", left, 4);
    let right = b.dense("right", 0, 4);
    b.add("sum", &[left, right]);
    let snn = b.converts(Some(&normalisation));
    assert_eq!(snn.populations.len(), 3);
    assert_eq!(snn.projections.len(), 3);
}

#[test]
fn consecutive_dense_layers_collapse() {
    let mut b = Builder::new(&[6]);
    let x = b.dense("a", 0, 4);
    let x = b.dense("b", x, 5);
    let x = b.relu("relu", x, Some(0.8));
    let x = b.dense("c", x, 3);
    b.dense("d", x, 2);
    let snn = b.converts(None);
    assert_eq!(snn.projections.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["b", "d"]);
    assert_eq!(snn.populations[1].model, Model::Relu { max: Some(0.8) });
}

#[test]
fn a_residual_join_is_several_projections_into_one_population() {
    let mut b = Builder::new(&[6]);
    let x = b.dense("stem", 0, 5);
    let r1 = b.relu("r1", x, None);
    let x = b.dense("body1", r1, 7);
    let x = b.relu("r2", x, None);
    let x = b.dense("body2", x, 5);
    let x = b.add("join", &[x, r1]);
    let x = b.relu("r3", x, None);
    b.dense("head", x, 3);
    let snn = b.converts(None);
    let joins: Vec<_> = snn.projections.iter().filter(|p| p.post.0 == 3).map(|p| (p.pre.0, p.name.as_str())).collect();
    assert_eq!(joins, [(2, "body2"), (1, "join")]);
}

#[test]
fn branches_from_one_sender_become_one_projection() {
    let mut b = Builder::new(&[4]);
    let x = b.dense("a", 0, 4);
    let r = b.relu("r", x, None);
    let left = b.dense("left", r, 4);
    let sum = b.add("sum", &[r, left, r]);
    let x = b.relu("r2", sum, None);
    let a = b.dense("h1", x, 2);
    let c = b.dense("h2", x, 2);
    b.add("out", &[a, c]);
    let snn = b.converts(None);
    assert_eq!(snn.projections.len(), 3);
}

#[test]
fn a_superfluous_relu_vanishes() {
    let mut b = Builder::new(&[4]);
    let x = b.relu("on_pixels", 0, Some(1.0));
    let x = b.dense("a", x, 4);
    let x = b.relu("r", x, None);
    let x = b.relu("again", x, None);
    let x = b.add("sum", &[x, x]);
    let x = b.relu("and_again", x, None);
    b.dense("out", x, 2);
    assert_eq!(b.converts(None).populations.len(), 3);
}

#[test]
fn dead_branches_are_dropped_and_never_refused() {
    let mut b = Builder::new(&[4]);
    b.affine("bn", 0);
    b.relu("dead", 1, None);
    b.dense("out", 0, 2);
    assert_eq!(b.converts(None).populations.len(), 2);
}

#[test]
fn a_relu_without_weights_becomes_one_to_one_synapses() {
    let mut b = Builder::new(&[2, 2, 1]);
    let x = b.affine("bn", 0);
    let x = b.relu("first", x, None);
    let skip = b.relu("clip", 0, Some(0.5));
    let x = b.add("sum", &[x, skip]);
    let x = b.reshape("flat", x, &[4]);
    b.dense("out", x, 2);
    let dump = b.converts(None).dump();
    assert!(dump.contains("projection 0 \"first\" 0 -> 1 channelwise"), "{dump}");
    assert!(dump.contains("projection 1 \"clip\" 0 -> 2 channelwise"), "{dump}");
}

#[test]
fn a_relu_at_the_output_is_refused_by_name() {
    let mut b = Builder::new(&[4]);
    let x = b.dense("a", 0, 4);
    let x = b.relu("last", x, None);
    b.reshape("flat", x, &[2, 2]);
    let message = b.refused();
    assert!(message.contains("node 'last'") && message.contains("without its last ReLU"), "{message}");
}

#[test]
fn an_output_without_weights_reads_one_to_one() {
    let mut b = Builder::new(&[4]);
    b.affine("bn", 0);
    assert!(b.converts(None).dump().contains("0 -> 1 channelwise 4x4"));
}

#[test]
fn an_oversized_product_is_refused_before_it_is_computed() {
    let mut b = Builder::new(&[10_000]);
    let x = b.dense("narrow", 0, 1);
    let x = b.dense("wide", x, 10_000);
    let x = b.relu("relu", x, None);
    b.dense("out", x, 1);
    let message = b.refused();
    assert!(message.contains("node 'wide'") && message.contains("10000×10000"), "{message}");
}

#[test]
fn a_bad_normalisation_is_refused_with_all_its_faults() {
    let mut b = Builder::new(&[3, 2, 2]);
    b.dense("out", 0, 2);
    let bad = Normalisation { mean: vec![0.1, 0.2], std: vec![0.0] };
    let message = convert(&b.graph, Some(&bad)).unwrap_err().to_string();
    assert!(message.contains("2 values for mean") && message.contains("std of 0"), "{message}");
}

#[test]
fn weights_that_overflow_are_refused() {
    let mut b = Builder::new(&[2]);
    let bias = Array1::from_elem(2, 1e30f32);
    let a = b.push("a", Op::Dense { weight: Array2::from_elem((2, 2), 1e30), bias }, &[0], Shape(vec![2]));
    let scale = Array1::from_elem(2, 1e30);
    b.push("bn", Op::Affine { shift: Array1::zeros(2), scale }, &[a], Shape(vec![2]));
    let message = b.refused();
    assert!(message.contains("node 'a'") && message.contains("node 'bn'"), "{message}");
}
