//! Every supported operator: our graph must compute what the `rten` engine computes from the same file.

use crate::onnx_support;

use ndarray::Array2;
use onnx_support::*;
use synfire::frontends::onnx::proto::{ModelProto, NodeProto, TensorProto, data_type};
use synfire::frontends::{Reference, evaluate, onnx};
use synfire::ir::graph::{Graph, Op};

fn parse(model: &ModelProto) -> Graph {
    onnx::parse(&bytes(model), "m").unwrap_or_else(|e| panic!("{e}"))
}

fn images(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 131 + j * 17) % 29) as f32 / 14.0 - 1.0)
}

fn close(a: &Array2<f32>, b: &Array2<f32>) -> bool {
    a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + a.abs()))
}

/// Lowers the model, runs both machines on five images, and returns the graph for closer looks.
fn agrees(model: &ModelProto) -> Graph {
    let graph = parse(model);
    let images = images(5, graph.input_shape().len());
    let ours = evaluate(&graph, images.view()).unwrap();
    let reference = Reference::load(bytes(model)).unwrap_or_else(|e| panic!("{e}")).logits(images.view()).unwrap();
    assert!(close(&ours, &reference), "{}\nours {ours}\nreference {reference}", graph.dump());
    assert!(ours.iter().any(|&y| y != 0.0), "a test that compares zeros shows nothing");
    graph
}

/// A model of one operator.
fn single(opset: i64, dims: &[i64], node: NodeProto, constants: Vec<TensorProto>) -> ModelProto {
    model(opset, dims, vec![node], constants)
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.op.name()).collect()
}

#[test]
fn gemm_in_every_form() {
    let wt = || weights("w", &[4, 6]);
    let w = || weights("w", &[6, 4]);
    let gemm = || node("Gemm", &["x", "w", "b"], "y");
    agrees(&single(13, &[6], gemm().int("transB", 1), vec![wt(), weights("b", &[4])]));
    agrees(&single(13, &[6], gemm().float("alpha", 0.5).float("beta", -2.0), vec![w(), weights("b", &[4])]));
    agrees(&single(13, &[6], gemm(), vec![w(), weights("b", &[1, 4])]));
    agrees(&single(13, &[6], gemm(), vec![w(), floats("b", &[1], &[0.5])]));
    agrees(&single(13, &[6], gemm(), vec![w(), floats("b", &[], &[0.5])]));
    agrees(&single(13, &[6], node("Gemm", &["x", "w"], "y"), vec![w()]));
    agrees(&single(13, &[6], node("Gemm", &["x", "w", ""], "y"), vec![w()]));
}

/// A product with a matrix of one column may come back in another layout than every other product.
#[test]
fn a_window_behind_a_layer_of_one_neuron_sees_its_image() {
    for window in [
        node("Conv", &["i", "k"], "c").ints("pads", &[1, 1, 1, 1]),
        node("AveragePool", &["i"], "c").ints("kernel_shape", &[2, 2]),
        node("MaxPool", &["i"], "c").ints("kernel_shape", &[2, 2]),
    ] {
        let nodes = vec![
            node("Gemm", &["x", "w", "b"], "a"),
            node("Relu", &["a"], "r"),
            node("Gemm", &["r", "v", "d"], "p"),
            node("Reshape", &["p", "s"], "i"),
            window,
            node("Flatten", &["c"], "y"),
        ];
        let constants = vec![
            weights("w", &[4, 1]),
            floats("b", &[1], &[1.0]),
            weights("v", &[1, 9]),
            weights("d", &[9]),
            ints("s", &[0, 1, 3, 3]),
            weights("k", &[2, 1, 3, 3]),
        ];
        agrees(&model(17, &[4], nodes, constants));
    }
}

#[test]
fn a_bias_after_matmul_joins_it() {
    let nodes = || vec![node("MatMul", &["x", "w"], "h"), node("Add", &["b", "h"], "y")];
    let constants = || vec![weights("w", &[6, 4]), weights("b", &[4])];
    let graph = agrees(&model(17, &[6], nodes(), constants()));
    assert_eq!(names(&graph), ["Input", "Dense"]);
    // Not if something else reads the product.
    let mut shared = nodes();
    shared[1].output = vec!["s".into()];
    shared.push(node("Add", &["s", "h"], "y"));
    let graph = agrees(&model(17, &[6], shared, constants()));
    assert_eq!(names(&graph), ["Input", "Dense", "Affine", "Add"]);
}

#[test]
fn matmul_keeps_unit_axes() {
    let graph = agrees(&single(13, &[1, 6], node("MatMul", &["x", "w"], "y"), vec![weights("w", &[6, 4])]));
    assert_eq!(graph.node(graph.output).shape.0, [1, 1, 4]);
}

#[test]
fn clips_of_both_eras() {
    agrees(&single(6, &[6], node("Clip", &["x"], "y").float("min", 0.0).float("max", 0.5), vec![]));
    let ends = || vec![floats("lo", &[], &[0.0]), floats("hi", &[], &[0.5])];
    let graph = agrees(&single(11, &[6], node("Clip", &["x", "lo", "hi"], "y"), ends()));
    assert!(matches!(graph.nodes[1].op, Op::Relu { max: Some(max) } if max == 0.5));
    let graph = agrees(&single(13, &[6], node("Clip", &["x", "lo"], "y"), ends()));
    assert!(matches!(graph.nodes[1].op, Op::Relu { max: None }));
    let open = vec![floats("lo", &[], &[0.0]), floats("hi", &[], &[f32::INFINITY])];
    let graph = agrees(&single(13, &[6], node("Clip", &["x", "lo", "hi"], "y"), open));
    assert!(matches!(graph.nodes[1].op, Op::Relu { max: None }));
    agrees(&single(13, &[6], node("Relu", &["x"], "y"), vec![]));
}

#[test]
fn batch_normalisation_is_per_channel() {
    let variance = || floats("v", &[3], &[0.5, 1.0, 2.0]);
    let constants = || vec![weights("s", &[3]), weights("b", &[3]), weights("m", &[3]), variance()];
    let bn = || node("BatchNormalization", &["x", "s", "b", "m", "v"], "y");
    let graph = agrees(&single(9, &[3, 2, 2], bn().float("epsilon", 1e-3), constants()));
    assert!(matches!(&graph.nodes[1].op, Op::Affine { scale, .. } if scale.len() == 3));
    agrees(&single(15, &[3], bn(), constants()));
    agrees(&single(6, &[3, 2, 2], bn().int("is_test", 1), constants()));
}

#[test]
fn arithmetic_with_constants() {
    for op in ["Add", "Sub", "Mul", "Div"] {
        for (dims, expected) in [
            (&[][..], vec!["Input", "Affine"]),
            (&[1], vec!["Input", "Affine"]),
            (&[3, 1, 1], vec!["Input", "Affine"]),
            (&[1, 3, 1, 1], vec!["Input", "Affine"]),
            (&[3, 2, 2], vec!["Input", "Reshape", "Affine", "Reshape"]),
            (&[1, 1, 1, 2], vec!["Input", "Reshape", "Affine", "Reshape"]),
        ] {
            let mut constant = weights("c", dims);
            constant.float_data.iter_mut().for_each(|c| *c += 2.5);
            let graph = agrees(&single(13, &[3, 2, 2], node(op, &["x", "c"], "y"), vec![constant.clone()]));
            assert_eq!(names(&graph), expected, "{op} {dims:?}");
            if op != "Div" {
                agrees(&single(13, &[3, 2, 2], node(op, &["c", "x"], "y"), vec![constant]));
            }
        }
    }
}

#[test]
fn attributes_of_opset_6_are_understood() {
    let gemm = node("Gemm", &["x", "w", "b"], "h").int("broadcast", 1);
    let nodes = vec![
        gemm,
        node("Dropout", &["h"], "d").int("is_test", 1).float("ratio", 0.5),
        node("Add", &["d", "b"], "y").int("broadcast", 1),
    ];
    agrees(&model(6, &[6], nodes, vec![weights("w", &[6, 4]), weights("b", &[4])]));
}

/// The engine does not know the old alignment, so the same network in the new form is the oracle.
#[test]
fn arithmetic_before_opset_7_aligns_by_axis() {
    let old = single(
        6,
        &[3, 2, 2],
        node("Mul", &["x", "c"], "y").int("broadcast", 1).int("axis", 1),
        vec![weights("c", &[3])],
    );
    let new = single(7, &[3, 2, 2], node("Mul", &["x", "c"], "y"), vec![weights("c", &[3, 1, 1])]);
    let images = images(3, 12);
    let run = |model: &ModelProto| evaluate(&parse(model), images.view()).unwrap();
    assert_eq!(run(&old), run(&new));
}

#[test]
fn sums_of_activations() {
    let nodes = vec![
        node("Gemm", &["x", "w"], "a"),
        node("Relu", &["a"], "b"),
        node("Add", &["a", "b"], "c"),
        node("Sum", &["a", "b", "c"], "d"),
        node("Add", &["d", "d"], "y"),
    ];
    let graph = agrees(&model(13, &[6], nodes, vec![weights("w", &[6, 4])]));
    assert_eq!(names(&graph), ["Input", "Dense", "Relu", "Add", "Add", "Add"]);
}

#[test]
fn operators_that_keep_the_order() {
    let shape = [2, 3, 1];
    let same = |node: NodeProto, constants: Vec<TensorProto>| {
        let graph = agrees(&single(13, &shape, node, constants));
        assert_eq!(names(&graph), ["Input", "Reshape"]);
    };
    same(node("Flatten", &["x"], "y"), vec![]);
    same(node("Flatten", &["x"], "y").int("axis", -3), vec![]);
    for target in [&[-1, 6][..], &[0, -1], &[0, 0, 3], &[-1, 3, 2], &[0, 6, 1, 1]] {
        same(node("Reshape", &["x", "t"], "y"), vec![ints("t", target)]);
    }
    same(node("Transpose", &["x"], "y").ints("perm", &[0, 3, 1, 2]), vec![]);
    same(node("Identity", &["x"], "y"), vec![]);
    same(node("Dropout", &["x"], "y"), vec![]);
    same(node("Dropout", &["x", "ratio"], "y"), vec![floats("ratio", &[], &[0.5])]);
    same(node("Cast", &["x"], "y").int("to", data_type::FLOAT.into()), vec![]);
}

#[test]
fn a_traced_batch_of_one_is_run_image_by_image() {
    let graph = agrees(&single(13, &[2, 3], node("Reshape", &["x", "t"], "y"), vec![ints("t", &[1, 6])]));
    assert_eq!(graph.node(graph.output).shape.0, [6]);
    let mut fixed = single(13, &[6], node("Gemm", &["x", "w"], "y"), vec![weights("w", &[6, 4])]);
    for batch in [1, 3, 64] {
        onnx_support::graph(&mut fixed).input = vec![border("x", &[batch, 6])];
        agrees(&fixed);
    }
}

#[test]
fn constants_are_folded() {
    let nodes = vec![
        node("Constant", &[], "w0").tensor("value", weights("", &[4, 6])),
        node("Identity", &["w0"], "w1"),
        node("Transpose", &["w1"], "w2"),
        node("Cast", &["w2"], "w3").int("to", data_type::FLOAT.into()),
        node("Reshape", &["w3", "t"], "w4"),
        node("MatMul", &["x", "w4"], "y"),
    ];
    let graph = agrees(&model(13, &[6], nodes, vec![ints("t", &[6, -1])]));
    assert_eq!(names(&graph), ["Input", "Dense"]);
}

#[test]
fn weights_in_raw_bytes() {
    let list = weights("w", &[6, 4]);
    let raw_data = list.float_data.iter().flat_map(|x| x.to_le_bytes()).collect();
    let raw = TensorProto { raw_data, float_data: vec![], ..list.clone() };
    let build = |w| single(13, &[6], node("MatMul", &["x", "w"], "y"), vec![w]);
    agrees(&build(raw.clone()));
    let images = images(2, 6);
    let run = |w| evaluate(&parse(&build(w)), images.view()).unwrap();
    let doubles = list.float_data.iter().flat_map(|&x| f64::from(x).to_le_bytes()).collect();
    let double = TensorProto { raw_data: doubles, float_data: vec![], data_type: data_type::DOUBLE, ..list.clone() };
    assert_eq!(run(raw), run(double));
}

#[test]
fn legal_oddities_are_handled() {
    let gemm = || node("Gemm", &["x", "w"], "h");
    let relu = || node("Relu", &["h"], "y");
    let w = || weights("w", &[6, 4]);
    // Out of order, with a dead node of an unknown operator, two equal names, and a weight listed as input.
    let mut dead = node("NoSuchOperator", &["x"], "dead");
    dead.name = "same".into();
    let (mut first, mut second) = (relu(), gemm());
    (first.name, second.name) = ("same".into(), "same".into());
    let mut odd = model(13, &[6], vec![dead, first, second], vec![w()]);
    graph(&mut odd).input.push(border("w", &[6, 4]));
    let graph = parse(&odd);
    assert_eq!(names(&graph), ["Input", "Dense", "Relu"]);
    let plain = parse(&model(13, &[6], vec![gemm(), relu()], vec![w()]));
    let images = images(4, 6);
    assert_eq!(evaluate(&graph, images.view()).unwrap(), evaluate(&plain, images.view()).unwrap());
    // A name that would be code elsewhere is only a name.
    let mut hostile = model(13, &[6], vec![gemm(), relu()], vec![w()]);
    onnx_support::graph(&mut hostile).node[1].name = "x; endmodule".into();
    assert_eq!(parse(&hostile).nodes[2].name, "x; endmodule");
    // No names at all: the results' names stand in.
    onnx_support::graph(&mut hostile).node.iter_mut().for_each(|n| n.name.clear());
    assert_eq!(parse(&hostile).nodes[2].name, "y");
}

#[test]
fn the_dump_is_stable() {
    let nodes =
        vec![node("Flatten", &["x"], "f"), node("Gemm", &["f", "w"], "h"), node("Clip", &["h", "lo", "hi"], "y")];
    let constants = vec![weights("w", &[6, 4]), floats("lo", &[], &[0.0]), floats("hi", &[], &[6.0])];
    let graph = parse(&model(13, &[1, 2, 3], nodes, constants));
    assert_eq!(
        graph.dump(),
        "graph \"m\"\n\
         %0 = Input() : [1, 2, 3]  # \"x\"\n\
         %1 = Reshape(%0) : [6]  # \"Flatten_f\"\n\
         %2 = Dense(%1) weight=4x6 : [4]  # \"Gemm_h\"\n\
         %3 = Relu(%2) max=6 : [4]  # \"Clip_y\"\n\
         output %3\n"
    );
}

#[test]
fn a_long_chain_needs_no_stack() {
    let count = 50_000;
    let name = |i: usize| {
        if i == 0 {
            "x".to_string()
        } else if i == count {
            "y".into()
        } else {
            format!("v{i}")
        }
    };
    // Reversed, so that the sorting has to work too.
    let nodes = (0..count).rev().map(|i| node("Relu", &[&name(i)], &name(i + 1))).collect();
    let graph = parse(&model(13, &[2], nodes, vec![]));
    assert_eq!(graph.nodes.len(), count + 1);
}
