//! Broken and unsupported model files: each gets a message that names the place and says what is wrong.

use crate::onnx_support;

use ndarray::Array2;
use onnx_support::*;
use proptest::prelude::*;
use std::path::Path;
use synfire::error::{Error, Kind};
use synfire::frontends::onnx::proto::*;
use synfire::frontends::{self, Reference, onnx};

fn error_of(model: &ModelProto) -> Error {
    match onnx::parse(&bytes(model), "m") {
        Ok(graph) => panic!("accepted as\n{}", graph.dump()),
        Err(error) => error,
    }
}

/// The model must be refused with a text that holds every part.
fn refused(model: &ModelProto, parts: &[&str]) {
    let error = error_of(model);
    assert_eq!(error.kind, Kind::Input);
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
}

/// A network that is fine: x[6] → Gemm → Relu → Gemm → y[3].
fn fine() -> ModelProto {
    let nodes =
        vec![node("Gemm", &["x", "w1", "b1"], "a"), node("Relu", &["a"], "r"), node("Gemm", &["r", "w2", "b2"], "y")];
    let constants = vec![weights("w1", &[6, 4]), weights("b1", &[4]), weights("w2", &[4, 3]), weights("b2", &[3])];
    model(13, &[6], nodes, constants)
}

fn changed(change: impl FnOnce(&mut GraphProto)) -> ModelProto {
    let mut model = fine();
    change(graph(&mut model));
    model
}

fn one(opset: i64, dims: &[i64], node: NodeProto, constants: Vec<TensorProto>) -> ModelProto {
    model(opset, dims, vec![node], constants)
}

#[test]
fn files_that_are_no_models() {
    for junk in [&b""[..], b"hello, this is text\n", &[0xff; 64], &bytes(&fine())[..100], b"\x89PNG\r\n\x1a\n"] {
        let error = onnx::parse(junk, "m").unwrap_err().to_string();
        assert!(error.contains("no ONNX file, or is truncated") && error.contains("help:"), "{error}");
    }
    let error = frontends::load(Path::new("no/such/file.onnx")).unwrap_err().to_string();
    assert!(error.contains("no/such/file.onnx: cannot read the model"), "{error}");
    assert!(frontends::load(Path::new(env!("CARGO_MANIFEST_DIR"))).is_err());
    assert!(Reference::load(b"junk".to_vec()).is_err());
}

#[test]
fn every_unsupported_operator_is_named_at_once() {
    let mut model = changed(|g| {
        g.node[1].op_type = "Tanh".into();
        g.node.push(node("MaxUnpool", &["y"], "p"));
        g.node.push(node("Softmax", &["p"], "s"));
        let mut foreign = node("FusedGelu", &["s"], "z");
        foreign.domain = "com.example".into();
        g.node.push(foreign);
        g.output[0].name = "z".into();
    });
    refused(
        &model,
        &[
            "node 'Relu_r': the operator Tanh is not supported",
            "train the network with ReLU",
            "node 'MaxUnpool_p': the operator MaxUnpool",
            "node 'Softmax_s'",
            "node 'FusedGelu_z': the operator com.example.FusedGelu",
            "supported operators are Add, ",
        ],
    );
    assert_eq!(error_of(&model).problems.len(), 4);
    // Problems of another kind are reported beside them.
    graph(&mut model).initializer[0] = weights("w1", &[7, 4]);
    assert_eq!(error_of(&model).problems.len(), 5);
}

#[test]
fn operator_sets_outside_the_range() {
    for version in [0, 5, 22, i64::MAX] {
        let mut model = fine();
        model.opset_import[0].version = version;
        refused(&model, &[&format!("uses operator set {version}; 6 to 21"), "opset_version=17"]);
    }
    let mut model = fine();
    model.opset_import.clear();
    refused(&model, &["names no version"]);
}

#[test]
fn shapes_that_do_not_fit() {
    refused(
        &changed(|g| g.initializer[0] = weights("w1", &[7, 4])),
        &["node 'Gemm_a': has weights for 7 inputs, but reads 6"],
    );
    refused(&changed(|g| g.initializer[1] = weights("b1", &[5])), &["Gemm_a", "bias of extents [5] for 4 outputs"]);
    refused(&changed(|g| g.initializer[2] = weights("w2", &[4, 3, 1])), &["Gemm_y", "[4, 3, 1], not a matrix"]);
    refused(&changed(|g| g.initializer[0].float_data.truncate(5)), &["Gemm_a", "'w1' holds 5 elements"]);
    refused(&changed(|g| g.initializer[0].dims = vec![-6, 4]), &["negative extent"]);
    refused(&changed(|g| g.initializer[0].dims = vec![i64::MAX, i64::MAX]), &["overflows"]);
    refused(&changed(|g| g.output[0] = border("y", &[-1, 5])), &["declares the output as [5]", "[3]"]);
    refused(&one(13, &[2, 3], node("Gemm", &["x", "w"], "y"), vec![weights("w", &[6, 4])]), &["put a Flatten"]);
    refused(&one(13, &[2, 3], node("MatMul", &["x", "w"], "y"), vec![weights("w", &[3, 4])]), &["each row"]);
    refused(
        &one(13, &[6], node("Reshape", &["x", "t"], "y"), vec![ints("t", &[-1, 5])]),
        &["reshapes [6] into [-1, 5]"],
    );
    refused(&one(13, &[6], node("Flatten", &["x"], "y").int("axis", 0), vec![]), &["flattens", "axis 0"]);
    refused(&one(13, &[6], node("Flatten", &["x"], "y").int("axis", i64::MIN), vec![]), &["flattens"]);
    refused(&one(13, &[2, 3], node("Transpose", &["x"], "y").ints("perm", &[1, 0, 2]), vec![]), &["batch axis"]);
    refused(&one(13, &[2, 3], node("Transpose", &["x"], "y").ints("perm", &[0, 1, 1]), vec![]), &["permutes 3 axes"]);
    refused(&one(13, &[3], node("Add", &["x", "c"], "y"), vec![weights("c", &[4])]), &["combines a constant"]);
    refused(&one(13, &[1], node("Add", &["x", "c"], "y"), vec![weights("c", &[4])]), &["combines a constant"]);
    refused(&one(13, &[3], node("Add", &["x", "c"], "y"), vec![weights("c", &[5, 3])]), &["combines a constant"]);
    let sum = vec![node("Flatten", &["x"], "f"), node("Add", &["x", "f"], "y")];
    refused(&model(13, &[2, 3], sum, vec![]), &["Add_y", "[2, 3] and [6]"]);
}

#[test]
fn zero_size_layers() {
    refused(
        &changed(|g| g.initializer[2] = floats("w2", &[4, 0], &[])),
        &["Gemm_y", "'w2' of extents [4, 0] has no elements"],
    );
    refused(&changed(|g| g.input[0] = border("x", &[1, 0])), &["node 'x'", "size 0 along axis 1"]);
    let reshape = node("Reshape", &["x", "t"], "y").int("allowzero", 1);
    refused(&one(14, &[6], reshape, vec![ints("t", &[-1, 0])]), &["reshapes"]);
}

#[test]
fn parameters_that_are_not_finite() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        refused(&changed(|g| g.initializer[0].float_data[5] = bad), &["Gemm_a", "'w1' holds 1 values", "at 5"]);
        refused(&changed(|g| g.initializer[3].float_data[0] = bad), &["Gemm_y", "'b2' holds 1 values"]);
    }
    refused(&one(13, &[2], node("Div", &["x", "c"], "y"), vec![floats("c", &[], &[0.0])]), &["multiply or add inf"]);
    refused(&changed(|g| g.node[0] = node("Gemm", &["x", "w1"], "a").float("alpha", f32::NAN)), &["Gemm_a", "NaN"]);
    let variance = |v: f32| {
        let constants =
            ["s", "b", "m"].map(|name| weights(name, &[2])).into_iter().chain([floats("v", &[2], &[1.0, v])]);
        one(13, &[2], node("BatchNormalization", &["x", "s", "b", "m", "v"], "y"), constants.collect())
    };
    refused(&variance(-1.0), &["variance of -1"]);
    refused(&variance(f32::NAN), &["'v' holds 1 values"]);
}

#[test]
fn clips_that_are_no_relu() {
    let clip = |lo: f32, hi: f32| {
        one(13, &[2], node("Clip", &["x", "lo", "hi"], "y"), vec![floats("lo", &[], &[lo]), floats("hi", &[], &[hi])])
    };
    refused(&clip(-1.0, 1.0), &["lower end of -1", "ReLU6"]);
    refused(&clip(0.0, 0.0), &["clips at 0"]);
    refused(&clip(0.0, -2.0), &["clips at -2"]);
    refused(&clip(0.0, f32::NAN), &["clips at NaN"]);
    refused(&one(13, &[2], node("Clip", &["x"], "y"), vec![]), &["no lower end"]);
}

#[test]
fn training_mode() {
    let constants = || ["s", "b", "m", "v"].map(|name| floats(name, &[2], &[1.0, 2.0])).to_vec();
    let bn = || node("BatchNormalization", &["x", "s", "b", "m", "v"], "y");
    refused(&one(15, &[2], bn().int("training_mode", 1), constants()), &["training mode", "model.eval()"]);
    refused(&one(6, &[2], bn(), constants()), &["training mode"]);
    let mut dropout = vec![node("Dropout", &["x"], "d"), node("Relu", &["mask"], "y")];
    dropout[0].output.push("mask".into());
    refused(&model(13, &[2], dropout, vec![]), &["second result 'mask'"]);
}

#[test]
fn borders_other_than_one_input_and_one_output() {
    refused(&changed(|g| g.input.push(border("z", &[1, 2]))), &["2 inputs ('x', 'z')"]);
    refused(&changed(|g| g.output.push(border("a", &[1, 4]))), &["2 outputs ('y', 'a')"]);
    refused(&changed(|g| g.output.clear()), &["no output"]);
    refused(&changed(|g| g.input.clear()), &["no input"]);
    refused(&changed(|g| g.output[0].name = "nowhere".into()), &["'nowhere' does not exist"]);
    refused(&changed(|g| g.output[0].name = "x".into()), &["'x' is not computed by any node"]);
    refused(&changed(|g| g.input[0] = border("x", &[-1, -1])), &["axis 1 ('N') has no fixed size", "[N, 784]"]);
    refused(&changed(|g| g.input[0] = border("x", &[6])), &["rank 1"]);
    refused(&changed(|g| g.input[0] = border("x", &[])), &["scalar"]);
    refused(&changed(|g| g.input[0].r#type = None), &["no tensor"]);
    refused(&changed(|g| g.input[0] = border("x", &[-1, 1 << 40, 1 << 40])), &["limit"]);
    refused(&changed(|g| g.input[0] = border("x", &[-1, -7])), &["size -7"]);
    refused(
        &changed(|g| {
            let kind = g.input[0].r#type.as_mut().and_then(|t| t.tensor_type.as_mut());
            kind.expect("the input is a tensor").elem_type = data_type::UINT8;
        }),
        &["input of type UINT8"],
    );
}

#[test]
fn names_and_cycles() {
    refused(&changed(|g| g.node[1].output[0] = "a".into()), &["Relu_r", "computes 'a'", "'Gemm_a'"]);
    refused(&changed(|g| g.node[1].output[0] = "w1".into()), &["computes 'w1'", "a constant"]);
    refused(&changed(|g| g.initializer.push(weights("w1", &[6, 4]))), &["two constants are called 'w1'"]);
    refused(&changed(|g| g.node[0].input[0] = "missing".into()), &["Gemm_a", "reads 'missing'"]);
    refused(
        &changed(|g| g.node[0].input[0] = "r".into()),
        &["feeds back into itself", "the circle is 'Gemm_a' → 'Relu_r' → 'Gemm_a'"],
    );
    refused(
        &changed(|g| g.node[1].input[0] = "r".into()),
        &["feeds back into itself; the circle is 'Relu_r' → 'Relu_r'"],
    );
    refused(&changed(|g| g.node[0].input.truncate(1)), &["Gemm_a", "lacks its input 1"]);
    refused(&changed(|g| g.node[1].input.clear()), &["Relu_r", "lacks its input 0"]);
}

#[test]
fn constants_where_activations_belong() {
    refused(&changed(|g| g.node[0].input[0] = "w1".into()), &["input 0 is a constant"]);
    refused(&changed(|g| g.node[2].input[1] = "r".into()), &["input 1 is computed by the network"]);
    refused(&one(13, &[2], node("Mul", &["x", "x"], "y"), vec![]), &["combines two activations"]);
    refused(&one(13, &[2], node("Div", &["c", "x"], "y"), vec![weights("c", &[2])]), &["divides a constant"]);
    refused(
        &one(13, &[2], node("Constant", &[], "y").tensor("value", weights("", &[2])), vec![]),
        &["does not depend"],
    );
    refused(&one(13, &[2], node("Gemm", &["x", "w"], "y").int("transA", 1), vec![weights("w", &[2, 2])]), &["transA"]);
    refused(&one(13, &[2], node("Cast", &["x"], "y").int("to", 7), vec![]), &["casts to INT64"]);
}

#[test]
fn weights_outside_the_file() {
    let entry = StringStringEntryProto { key: "location".into(), value: "weights.bin".into() };
    let model = changed(|g| {
        g.initializer[0].float_data.clear();
        g.initializer[0].data_location = 1;
        g.initializer[0].external_data = vec![entry];
    });
    refused(&model, &["Gemm_a", "another file ('weights.bin')", "onnx.save"]);
}

#[test]
fn refusals_that_only_said_no_say_what_to_do() {
    let relu = || node("Relu", &["x"], "r");
    let conv = node("Conv", &["x", "w"], "y").ints("pads", &[-1, 0, 0, 0]);
    let mut short = weights("w1", &[6, 4]);
    short.float_data.clear();
    short.raw_data = vec![0; 10];
    for model in [
        model(13, &[6], vec![relu(), node("Sub", &["x", "r"], "y")], vec![]),
        one(13, &[1, 4, 4], conv, vec![weights("w", &[1, 1, 2, 2])]),
        one(13, &[6], node("Clip", &["x", "l", "h"], "y"), vec![floats("l", &[], &[0.0]), floats("h", &[], &[0.0])]),
        changed(|g| g.initializer[0] = short),
        changed(|g| g.node[1].input[0] = "fw".into()),
    ] {
        let error = error_of(&model);
        assert!(error.problems.iter().all(|p| p.help.is_some()), "{error}");
    }
}

#[test]
fn terminal_escapes_do_not_reach_the_message() {
    let text = error_of(&changed(|g| {
        g.node[1].op_type = "Tanh\u{1b}[31m".into();
        g.node[1].name = "\u{7}bell".into();
    }))
    .to_string();
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
}

#[test]
fn one_weight_used_often_does_not_exhaust_the_memory() {
    let size = 2048;
    let count = 100;
    let name = |i: usize| {
        if i == 0 {
            "x".to_string()
        } else if i == count {
            "y".into()
        } else {
            format!("v{i}")
        }
    };
    let nodes = (0..count).map(|i| node("MatMul", &[&name(i), "w"], &name(i + 1))).collect();
    refused(
        &model(13, &[size], nodes, vec![floats("w", &[size, size], &vec![0.1; (size * size) as usize])]),
        &["number of parameters"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = onnx::parse(&bytes, "m");
    }

    /// Damaged files give an error or a graph that keeps its guarantees; they never panic.
    #[test]
    fn damaged_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut file = bytes(&fine());
        for (place, byte) in edits {
            let at = place.index(file.len());
            file[at] = byte;
        }
        if let Some(cut) = cut {
            let length = cut.index(file.len());
            file.truncate(length);
        }
        if let Ok(graph) = onnx::parse(&file, "m") {
            prop_assert!(graph.check().is_empty());
        }
    }

    /// The same with random changes of meaning: operators, names, attributes, extents.
    #[test]
    fn scrambled_models_never_panic(
        op in prop::sample::select(vec![
            "Add", "BatchNormalization", "Cast", "Clip", "Constant", "Div", "Dropout", "Flatten", "Gemm", "Identity",
            "MatMul", "Mul", "Relu", "Reshape", "Sub", "Sum", "Transpose",
        ]),
        activation in prop::sample::select(vec!["x", "a", "w1"]),
        others in prop::collection::vec(prop::sample::select(vec!["x", "a", "w1", "w2", "b1", "t", "e", ""]), 0..5),
        attribute in prop::option::weighted(
            0.4,
            prop::sample::select(vec!["axis", "perm", "to", "alpha", "transB", "value_ints", "allowzero"]),
        ),
        numbers in prop::collection::vec(prop_oneof![-4i64..5, any::<i64>()], 0..5),
        dims in prop::collection::vec(1i64..4, 1..4),
        opset in 6i64..=21,
    ) {
        let inputs: Vec<&str> = std::iter::once(activation).chain(others).collect();
        let first = numbers.first().copied().unwrap_or(0);
        let mut scrambled = node(op, &inputs, "y");
        if let Some(attribute) = attribute {
            scrambled = scrambled.ints(attribute, &numbers);
            scrambled.attribute[0].i = first;
        }
        let elements = dims.iter().product();
        let w2 = weights("w2", &[elements, 2]);
        let constants = vec![weights("w1", &[6, 4]), w2, weights("b1", &dims), ints("t", &numbers), ints("e", &[])];
        let file = bytes(&model(opset, &dims, vec![node("Flatten", &["x"], "a"), scrambled], constants));
        let Ok(graph) = onnx::parse(&file, "m") else { return Ok(()) };
        prop_assert!(graph.check().is_empty());
        // What is accepted means the same to the float engine, if that knows it at all.
        let reference = match Reference::load(file) {
            Ok(reference) => reference,
            Err(e) => {
                prop_assert!(e.kind == Kind::Input, "{e}");
                return Ok(());
            }
        };
        let images = Array2::from_shape_fn((3, graph.input_shape().len()), |(i, j)| (i * 5 + j) as f32 / 8.0 - 0.7);
        let ours = frontends::evaluate(&graph, images.view()).unwrap();
        let theirs = reference.logits(images.view()).unwrap();
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * (1.0 + a.abs()) || (a.is_nan() && b.is_nan());
        let same = ours.dim() == theirs.dim() && ours.iter().zip(&theirs).all(close);
        prop_assert!(same, "{}\n{} {}", graph.dump(), ours, theirs);
    }
}
