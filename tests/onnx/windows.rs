//! Convolution, pooling, slices, padding, joins and computations with shapes: our graph must compute what the `rten` engine computes from the
//! same file, and the spiking network must compute what the graph does.

use crate::onnx_support;

use ndarray::Array2;
use onnx_support::*;
use synfire::convert::convert;
use synfire::data::Images;
use synfire::error::Kind;
use synfire::fixed::Normalisation;
use synfire::float;
use synfire::frontends::onnx::proto::{AttributeProto, ModelProto, NodeProto, TensorProto, data_type};
use synfire::frontends::{Reference, evaluate, onnx, verify};
use synfire::ir::Shape;
use synfire::ir::graph::Graph;

fn images(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 131 + j * 17) % 29) as f32 / 14.0 - 1.0)
}

fn parse(model: &ModelProto) -> Graph {
    onnx::parse(&bytes(model), "m").unwrap_or_else(|e| panic!("{e}"))
}

fn compare(graph: &Graph, ours: &Array2<f32>, theirs: &Array2<f32>) {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * (1.0 + a.abs());
    let same = ours.dim() == theirs.dim() && ours.iter().zip(theirs).all(close);
    assert!(same, "{}\nours {ours}\nreference {theirs}", graph.dump());
    assert!(ours.iter().any(|&y| y != 0.0), "a test that compares zeros shows nothing");
}

/// Runs both machines on three images, and returns the graph for closer looks.
fn agrees(model: &ModelProto) -> Graph {
    let graph = parse(model);
    let images = images(3, graph.input_shape().len());
    let ours = evaluate(&graph, images.view()).unwrap();
    let reference = Reference::load(bytes(model)).unwrap_or_else(|e| panic!("{e}")).logits(images.view()).unwrap();
    compare(&graph, &ours, &reference);
    graph
}

fn single(opset: i64, dims: &[i64], node: NodeProto, constants: Vec<TensorProto>) -> Graph {
    agrees(&model(opset, dims, vec![node], constants))
}

/// The graph, and its spiking network on images of pixels.
fn converts(model: &ModelProto) {
    let graph = agrees(model);
    let pixels = images(3, graph.input_shape().len()).mapv(f32::abs);
    let snn = convert(&graph, None).unwrap_or_else(|e| panic!("{e}"));
    compare(&graph, &float::evaluate(&snn, pixels.view()).unwrap(), &evaluate(&graph, pixels.view()).unwrap());
}

fn text(mut node: NodeProto, name: &str, value: &str) -> NodeProto {
    let s = value.as_bytes().to_vec();
    node.attribute.push(AttributeProto { name: name.into(), s, r#type: 3, ..Default::default() });
    node
}

fn conv() -> NodeProto {
    node("Conv", &["x", "w", "b"], "y")
}

/// The channels of a signal `[C, L]`, or of an image that the model makes of a row of pixels, are those that a normalisation names.
#[test]
fn the_input_has_the_channels_that_its_first_convolution_reads() {
    let signal = |x: &[i64]| {
        model(13, x, vec![conv().ints("pads", &[1, 1])], vec![weights("w", &[2, 3, 3]), weights("b", &[2])])
    };
    let image = |extra: Vec<NodeProto>| {
        let reshape = node("Reshape", &["x", "to"], "i");
        let conv = node("Conv", &["i", "w", "b"], "c").ints("pads", &[1, 1, 1, 1]);
        let constants = vec![ints("to", &[1, 3, 2, 4]), weights("w", &[3, 3, 3, 3]), weights("b", &[3])];
        model(13, &[24], [vec![reshape, conv], extra].concat(), constants)
    };
    let flat = node("Flatten", &["c"], "y");
    // The row itself is read too: by a sum, which does not care how the input is shaped.
    let skip = vec![node("Flatten", &["c"], "f"), node("Flatten", &["x"], "g"), node("Add", &["f", "g"], "y")];
    let normalisation = Normalisation { mean: vec![0.5, 0.3, 0.1], std: vec![0.5, 0.25, 0.75] };
    for (model, shape) in [(signal(&[3, 6]), [3, 1, 6]), (image(vec![flat]), [3, 2, 4]), (image(skip), [3, 2, 4])] {
        let graph = agrees(&model);
        assert_eq!(graph.input_shape().0, shape);
        let pixels = Images::from_floats(
            Shape(shape.to_vec()),
            images(2, graph.input_shape().len()).mapv(f32::abs).iter().copied().collect(),
        )
        .unwrap();
        let snn = convert(&graph, Some(&normalisation)).unwrap_or_else(|e| panic!("{e}"));
        let seen = pixels.normalised(0..2, Some(&normalisation));
        compare(
            &graph,
            &float::evaluate(&snn, pixels.matrix(0..2).view()).unwrap(),
            &evaluate(&graph, seen.view()).unwrap(),
        );
    }
    // A dense layer reads the signal too, in its own order: it keeps its shape.
    let nodes = vec![node("Flatten", &["x"], "f"), node("Gemm", &["f", "w", "b"], "y")];
    let graph = agrees(&model(13, &[3, 6], nodes, vec![weights("w", &[18, 2]), weights("b", &[2])]));
    assert_eq!(graph.input_shape().0, [1, 3, 6]);
}

#[test]
fn convolutions_of_two_dimensions() {
    let constants = |w: &[i64]| vec![weights("w", w), weights("b", &[w[0]])];
    let x = [4, 7, 6];
    single(17, &x, node("Conv", &["x", "w"], "y"), constants(&[3, 4, 3, 2]));
    single(17, &x, conv().ints("kernel_shape", &[3, 2]).ints("strides", &[2, 1]), constants(&[3, 4, 3, 2]));
    single(11, &x, conv().ints("pads", &[1, 0, 2, 1]), constants(&[3, 4, 3, 3]));
    single(11, &x, conv().ints("pads", &[2, 2, 2, 2]).ints("dilations", &[2, 2]), constants(&[3, 4, 3, 3]));
    single(17, &x, conv().int("group", 2).ints("strides", &[2, 2]), constants(&[6, 2, 2, 2]));
    let graph = single(6, &x, conv().int("group", 4).ints("pads", &[1, 1, 1, 1]), constants(&[4, 1, 3, 3]));
    assert!(graph.dump().contains("weight=4x1x3x3 groups=4 pad=1x1"), "{}", graph.dump());
    for pad in ["SAME_UPPER", "VALID", "NOTSET"] {
        single(17, &x, text(conv(), "auto_pad", pad).ints("strides", &[2, 2]), constants(&[3, 4, 4, 3]));
    }
}

/// The engine takes SAME_LOWER for SAME_UPPER: it must be given the padding in numbers.
#[test]
fn the_float_engine_puts_the_odd_element_of_same_lower_in_front() {
    let lower = |node: NodeProto| text(node, "auto_pad", "SAME_LOWER");
    let constants = |w: &[i64]| vec![weights("w", w), weights("b", &[w[0]])];
    for opset in [11, 21] {
        single(opset, &[4, 7, 6], lower(conv()), constants(&[3, 4, 2, 2]));
        single(opset, &[4, 7, 6], lower(conv().ints("strides", &[2, 2])), constants(&[3, 4, 4, 3]));
        single(opset, &[4, 9], lower(conv()), constants(&[3, 4, 2]));
        let pool = node("MaxPool", &["x"], "y").ints("kernel_shape", &[2, 2]);
        single(opset, &[3, 7, 6], lower(pool), vec![]);
    }
}

/// A difference between the two machines must not go unnoticed, whoever is right.
#[test]
fn a_graph_that_is_not_what_the_file_says_is_found_out() {
    let with = |pads: &[i64]| {
        model(17, &[4, 7, 6], vec![conv().ints("pads", pads)], vec![weights("w", &[3, 4, 2, 2]), weights("b", &[3])])
    };
    let (file, other) = (with(&[1, 1, 0, 0]), with(&[0, 0, 1, 1]));
    let images = images(2, 168);
    verify(&bytes(&file), &parse(&file), images.view()).unwrap();
    let error = verify(&bytes(&file), &parse(&other), images.view()).unwrap_err();
    assert!(error.kind == Kind::Internal && error.to_string().contains("differently"), "{error}");
}

/// What the compiler knows and the engine does not still has float figures, and says whose they are.
#[test]
fn networks_that_the_engine_refuses_are_run_by_our_own_graph() {
    let pool = |op: &str| node(op, &["x"], "y").ints("kernel_shape", &[2, 2]).ints("dilations", &[2, 2]);
    let old = node("Add", &["x", "c"], "y").int("axis", 1).int("broadcast", 1);
    for (opset, node, constants) in
        [(13, pool("MaxPool"), vec![]), (19, pool("AveragePool"), vec![]), (6, old, vec![weights("c", &[2])])]
    {
        let model = model(opset, &[2, 5, 4], vec![node], constants);
        let reference = Reference::load(bytes(&model)).unwrap_or_else(|e| panic!("{e}"));
        let (graph, images) = (parse(&model), images(3, 40));
        compare(&graph, &evaluate(&graph, images.view()).unwrap(), &reference.logits(images.view()).unwrap());
        assert!(reference.substitute().is_some_and(|why| why.contains("float engine")), "{:?}", reference.substitute());
    }
}

/// The padding written out is the oracle.
#[test]
fn the_odd_element_of_same_lower_stands_in_front() {
    let run = |conv: NodeProto| {
        let constants = vec![weights("w", &[3, 4, 4, 3]), weights("b", &[3])];
        let graph = parse(&model(17, &[4, 7, 6], vec![conv.ints("strides", &[2, 2])], constants));
        evaluate(&graph, images(2, 168).view()).unwrap()
    };
    assert_eq!(run(text(conv(), "auto_pad", "SAME_LOWER")), run(conv().ints("pads", &[2, 1, 1, 0])));
}

#[test]
fn convolutions_of_one_dimension() {
    let constants = |w: &[i64]| vec![weights("w", w), weights("b", &[w[0]])];
    single(17, &[4, 9], conv().ints("pads", &[1, 2]).ints("strides", &[2]), constants(&[3, 4, 3]));
    let bn = ["s", "t", "m"].map(|name| weights(name, &[3])).into_iter();
    let all = constants(&[3, 4, 3]).into_iter().chain(bn).chain([floats("v", &[3], &[0.5, 1.0, 2.0])]).collect();
    let nodes = vec![
        node("Conv", &["x", "w", "b"], "c"),
        node("BatchNormalization", &["c", "s", "t", "m", "v"], "n"),
        node("Relu", &["n"], "r"),
        node("Add", &["r", "r"], "a"),
        node("AveragePool", &["a"], "p").ints("kernel_shape", &[2]).ints("strides", &[2]),
        node("Flatten", &["p"], "f"),
        node("Gemm", &["f", "g"], "y"),
    ];
    let mut all: Vec<TensorProto> = all;
    all.push(weights("g", &[9, 2]));
    converts(&model(17, &[4, 9], nodes, all));
}

#[test]
fn pooling_in_every_form() {
    let x = [3, 7, 6];
    let pool = |op: &str| node(op, &["x"], "y").ints("kernel_shape", &[3, 2]);
    for op in ["AveragePool", "MaxPool"] {
        single(17, &x, pool(op), vec![]);
        single(17, &x, pool(op).ints("strides", &[2, 2]), vec![]);
        single(11, &[3, 9], node(op, &["x"], "y").ints("kernel_shape", &[3]).ints("strides", &[3]), vec![]);
    }
    single(17, &x, pool("AveragePool").ints("pads", &[1, 1, 1, 0]).int("count_include_pad", 1), vec![]);
    single(17, &x, pool("MaxPool").ints("pads", &[1, 1, 1, 0]), vec![]);
    single(17, &x, pool("MaxPool").ints("strides", &[3, 4]).int("ceil_mode", 1), vec![]);
    single(17, &x, text(pool("MaxPool"), "auto_pad", "SAME_UPPER").ints("strides", &[2, 2]), vec![]);
    single(17, &x, node("GlobalAveragePool", &["x"], "y"), vec![]);
    for (axes, keep) in [(&[2, 3][..], 1), (&[-1, -2], 0), (&[3], 0), (&[2], 1)] {
        single(13, &x, node("ReduceMean", &["x"], "y").ints("axes", axes).int("keepdims", keep), vec![]);
        single(18, &x, node("ReduceMean", &["x", "axes"], "y").int("keepdims", keep), vec![ints("axes", axes)]);
    }
}

/// The engine knows neither dilated nor global max pooling; our own pooling over the whole image is the oracle.
#[test]
fn max_pooling_that_the_engine_does_not_know() {
    let run = |node: NodeProto| {
        let graph = parse(&model(17, &[2, 3, 3], vec![node], vec![]));
        evaluate(&graph, images(2, 18).view()).unwrap()
    };
    let pool = |kernel: &[i64]| node("MaxPool", &["x"], "y").ints("kernel_shape", kernel);
    assert_eq!(run(node("GlobalMaxPool", &["x"], "y")), run(pool(&[3, 3])));
    let corners = run(pool(&[2, 2]).ints("dilations", &[2, 2]));
    let x = images(2, 18);
    assert_eq!(corners[(0, 0)], x[(0, 0)].max(x[(0, 2)]).max(x[(0, 6)]).max(x[(0, 8)]));
}

#[test]
fn slices_of_both_eras() {
    let x = [4, 7, 6];
    let old = |starts: &[i64], ends: &[i64]| node("Slice", &["x"], "y").ints("starts", starts).ints("ends", ends);
    single(6, &x, old(&[1, 2], &[3, 100]).ints("axes", &[1, 3]), vec![]);
    single(9, &x, old(&[0, 1, 0, -3], &[i64::MAX, 4, 7, -1]), vec![]);
    let new = |axes: &[i64], starts: &[i64], ends: &[i64], steps: &[i64]| {
        let lists = vec![ints("s", starts), ints("e", ends), ints("a", axes), ints("t", steps)];
        single(13, &x, node("Slice", &["x", "s", "e", "a", "t"], "y"), lists)
    };
    new(&[2, 3], &[0, 1], &[i64::MAX, i64::MAX], &[2, 3]);
    new(&[-3, -1], &[1, 0], &[4, 5], &[2, 2]);
    new(&[1], &[-2], &[i64::MAX], &[1]);
    single(
        13,
        &[9],
        node("Slice", &["x", "s", "e", "a"], "y"),
        vec![ints("s", &[2]), ints("e", &[7]), ints("a", &[1])],
    );
}

#[test]
fn padding_of_both_eras() {
    let x = [2, 3, 4];
    single(6, &x, node("Pad", &["x"], "y").ints("pads", &[0, 1, 0, 2, 0, 0, 1, 3]), vec![]);
    let pads = || ints("p", &[0, 1, 0, 2, 0, 0, 1, 3]);
    single(13, &x, node("Pad", &["x", "p"], "y"), vec![pads()]);
    single(
        13,
        &x,
        text(node("Pad", &["x", "p", "v"], "y"), "mode", "constant"),
        vec![pads(), floats("v", &[], &[0.0])],
    );
    let axes = vec![ints("p", &[1, 2, 3, 0]), ints("a", &[2, -1])];
    // The engine lacks axes: the long form is the oracle.
    let short = parse(&model(18, &x, vec![node("Pad", &["x", "p", "", "a"], "y")], axes));
    let long = parse(&model(18, &x, vec![node("Pad", &["x", "p"], "y")], vec![ints("p", &[0, 0, 1, 2, 0, 0, 3, 0])]));
    let images = images(2, 24);
    assert_eq!(evaluate(&short, images.view()).unwrap(), evaluate(&long, images.view()).unwrap());
}

#[test]
fn joins_and_other_orders() {
    let nodes = vec![
        node("Conv", &["x", "w"], "a"),
        node("Relu", &["x"], "b"),
        node("Concat", &["a", "b", "a"], "y").int("axis", 1),
    ];
    agrees(&model(13, &[2, 3, 3], nodes, vec![weights("w", &[3, 2, 1, 1])]));
    let vectors = vec![node("Relu", &["x"], "b"), node("Concat", &["x", "b"], "y").int("axis", -1)];
    agrees(&model(13, &[5], vectors, vec![]));
    single(13, &[2, 3, 4], node("Transpose", &["x"], "y").ints("perm", &[0, 2, 3, 1]), vec![]);
    single(13, &[3, 4], node("Transpose", &["x"], "y").ints("perm", &[0, 2, 1]), vec![]);
    single(13, &[2, 3, 4], node("Unsqueeze", &["x", "a"], "y"), vec![ints("a", &[1])]);
    single(13, &[2, 1, 4], node("Squeeze", &["x", "a"], "y"), vec![ints("a", &[2])]);
    single(11, &[2, 1, 4], node("Squeeze", &["x"], "y").ints("axes", &[2]), vec![]);
}

/// What PyTorch's tracing exporter writes for `x.view(x.size(0), -1)` and for `F.pad`.
#[test]
fn computations_with_shapes_vanish() {
    let nodes = vec![
        node("Relu", &["x"], "r"),
        node("Shape", &["r"], "s"),
        node("Gather", &["s", "zero"], "n"),
        node("Unsqueeze", &["n", "axis0"], "n1"),
        node("Concat", &["n1", "rest"], "target").int("axis", 0),
        node("Reshape", &["r", "target"], "f"),
        node("Gemm", &["f", "w"], "y"),
    ];
    let zero = TensorProto { dims: vec![], ..ints("zero", &[0]) };
    let constants = vec![zero, ints("axis0", &[0]), ints("rest", &[-1]), weights("w", &[12, 3])];
    let graph = agrees(&model(13, &[3, 2, 2], nodes, constants));
    assert_eq!(graph.nodes.len(), 4);
    let value = ints("", &[0]);
    let nodes = vec![
        node("ConstantOfShape", &["two"], "front").tensor("value", value),
        node("Concat", &["last", "front"], "flat").int("axis", 0),
        node("Reshape", &["flat", "pairs"], "table"),
        node("Slice", &["table", "minus", "least", "zero", "minus"], "turned"),
        node("Transpose", &["turned"], "t").ints("perm", &[1, 0]),
        node("Reshape", &["t", "minus"], "long"),
        node("Cast", &["long"], "pads").int("to", data_type::INT64.into()),
        node("Pad", &["x", "pads"], "y"),
    ];
    let constants = vec![
        ints("two", &[2]),
        ints("last", &[0, 0, 0, 0, 1, 2]),
        ints("pairs", &[-1, 2]),
        ints("minus", &[-1]),
        ints("least", &[-i64::MAX]),
        ints("zero", &[0]),
    ];
    let graph = agrees(&model(13, &[3, 2, 2], nodes, constants));
    assert_eq!(graph.node(graph.output).shape.0, [6, 2, 2]);
    // Sizes that are computed.
    let nodes = vec![
        node("Shape", &["x"], "s").int("start", 1),
        node("Gather", &["s", "first"], "c"),
        node("Gather", &["s", "second"], "h"),
        node("Mul", &["c", "h"], "n"),
        node("Div", &["n", "one"], "n1"),
        node("Concat", &["batch", "n1", "rest"], "target").int("axis", 0),
        node("Reshape", &["x", "target"], "y"),
    ];
    let lists = [("first", 0), ("second", 1), ("one", 1), ("batch", 0), ("rest", -1)];
    let constants = lists.iter().map(|&(name, value)| ints(name, &[value])).collect();
    let graph = agrees(&model(15, &[3, 2, 2], nodes, constants));
    assert_eq!(graph.node(graph.output).shape.0, [1, 6, 2]);
}

fn bytes_of(name: &str, kind: i32, dims: &[i64], values: &[i32]) -> TensorProto {
    let (dims, int32_data) = (dims.to_vec(), values.to_vec());
    TensorProto { name: name.into(), data_type: kind, dims, int32_data, ..Default::default() }
}

#[test]
fn weights_that_are_stored_quantised() {
    let constants = || {
        vec![
            bytes_of("q", data_type::INT8, &[2, 3, 1, 1], &[1, -2, 3, 127, -128, 0]),
            floats("s", &[2], &[0.5, 0.25]),
            bytes_of("z", data_type::INT8, &[2], &[0, 3]),
        ]
    };
    let nodes = vec![node("DequantizeLinear", &["q", "s", "z"], "w").int("axis", 0), node("Conv", &["x", "w"], "y")];
    agrees(&model(13, &[3, 2, 2], nodes, constants()));
    let nodes = vec![
        node("QuantizeLinear", &["f", "s", "z"], "q").int("axis", 0),
        node("DequantizeLinear", &["q", "s", "z"], "w").int("axis", 0),
        node("Conv", &["x", "w"], "y"),
    ];
    let constants = vec![
        floats("f", &[2, 2, 1, 1], &[0.3, -99.0, 0.125, 31.0]),
        floats("s", &[2], &[0.5, 0.25]),
        bytes_of("z", data_type::INT8, &[2], &[0, 3]),
    ];
    let graph = parse(&model(13, &[2, 1, 1], nodes, constants));
    let ours = evaluate(&graph, Array2::from_shape_vec((2, 2), vec![1.0, 0.0, 0.0, 1.0]).unwrap().view()).unwrap();
    // 0.6 rounds to 1, -198 clips to -128; 0.5 rounds to the even 0, 124 + 3 is 127.
    assert_eq!(ours.iter().copied().collect::<Vec<f32>>(), [0.5, 0.0, -64.0, 31.0]);
}

/// The graph leaves the rounding to the integer network and keeps the ends of the range.
#[test]
fn activations_that_are_stored_quantised_keep_their_clip_and_lose_their_rounding() {
    let run = |front: Option<NodeProto>, kind: i32, zero: i32| {
        let first = if front.is_some() { "r" } else { "x" };
        let pair = [
            node("QuantizeLinear", &[first, "s", "z"], "q"),
            node("DequantizeLinear", &["q", "s", "z"], "d"),
            node("Gemm", &["d", "w"], "y"),
        ];
        let constants =
            vec![floats("s", &[], &[0.01]), bytes_of("z", kind, &[], &[zero]), floats("w", &[1, 1], &[1.0])];
        let model = model(17, &[1], front.into_iter().chain(pair).collect(), constants);
        let graph = parse(&model);
        let images = Array2::from_shape_vec((4, 1), vec![-1.0, 0.404, 1.0, 9.0]).unwrap();
        let reference = Reference::load(bytes(&model)).unwrap_or_else(|e| panic!("{e}"));
        assert!(reference.rounds());
        let (ours, theirs) = (evaluate(&graph, images.view()).unwrap(), reference.logits(images.view()).unwrap());
        // Up to the rounding, of half a step.
        let close = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs() <= 0.0051).collect::<Vec<bool>>();
        (ours.iter().copied().collect::<Vec<f32>>(), close)
    };
    let relu = || Some(node("Relu", &["x"], "r"));
    assert_eq!(run(relu(), data_type::UINT8, 0), (vec![0.0, 0.404, 1.0, 2.55], vec![true; 4]));
    assert_eq!(run(relu(), data_type::INT8, 0), (vec![0.0, 0.404, 1.0, 1.27], vec![true; 4]));
    assert_eq!(run(None, data_type::UINT8, 0), (vec![0.0, 0.404, 1.0, 2.55], vec![true; 4]));
    // Of both signs: a range that is meant never to bind.
    assert_eq!(run(None, data_type::INT8, 0), (vec![-1.0, 0.404, 1.0, 9.0], vec![true, true, true, false]));
}

/// Two blocks as a mobile network has them, with everything that exporters leave in.
#[test]
fn a_small_network_of_many_operators_converts() {
    let nodes = vec![
        node("Conv", &["x", "w1", "b1"], "c1").ints("pads", &[1, 1, 1, 1]).ints("strides", &[2, 2]),
        node("Clip", &["c1", "lo", "hi"], "r1"),
        node("Conv", &["r1", "dw"], "c2").ints("pads", &[1, 1, 1, 1]).int("group", 4),
        node("Clip", &["c2", "lo", "hi"], "r2"),
        node("Conv", &["r2", "pw"], "c3"),
        node("Add", &["c3", "r1"], "a"),
        node("Dropout", &["a"], "d"),
        node("Relu", &["d"], "r3"),
        node("Concat", &["r3", "r1"], "cat").int("axis", 1),
        node("MaxPool", &["cat"], "m").ints("kernel_shape", &[2, 2]).ints("strides", &[2, 2]),
        node("ReduceMean", &["m"], "g").ints("axes", &[2, 3]).int("keepdims", 0),
        node("Gemm", &["g", "w2"], "y"),
    ];
    let constants = vec![
        weights("w1", &[4, 3, 3, 3]),
        weights("b1", &[4]),
        weights("dw", &[4, 1, 3, 3]),
        weights("pw", &[4, 4, 1, 1]),
        weights("w2", &[8, 3]),
        floats("lo", &[], &[0.0]),
        floats("hi", &[], &[6.0]),
    ];
    converts(&model(13, &[3, 9, 9], nodes, constants));
}
