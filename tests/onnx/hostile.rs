//! Hostile model files: each ends in a message within two seconds and 512 MiB.

use crate::onnx_support;

use onnx_support::*;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use synfire::frontends::onnx::proto::*;
use tempfile::TempDir;

/// Runs the compiler up to the spiking network; the file must be refused with a text that holds every part.
fn refused(model: &ModelProto, parts: &[&str]) {
    refused_bytes(&bytes(model), parts);
}

fn refused_bytes(file: &[u8], parts: &[&str]) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("hostile.onnx");
    std::fs::write(&path, file).unwrap();
    let (ok, text, time, memory) = inspect(&path);
    assert!(!ok, "accepted:\n{}", &text[..text.len().min(2000)]);
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in\n{text}");
    }
    assert!(text.contains("hostile.onnx"), "{text}");
    assert!(time < Duration::from_secs(2), "took {time:?}: {text}");
    assert!(memory < 512 << 20, "took {} MiB: {text}", memory >> 20);
}

/// Success, what was printed, time, and most resident memory in bytes (0 where the system does not tell).
fn inspect(path: &Path) -> (bool, String, Duration, u64) {
    // The machine may be busy with other tests: what counts is the time that the process computes, not that it waits.
    let mut child = Command::new(env!("CARGO_BIN_EXE_synfire"))
        .args(["inspect", "--stage", "snn"])
        .arg(path)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (mut memory, mut ticks) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        memory = memory.max(peak.and_then(|kib| kib.trim().parse::<u64>().ok()).unwrap_or(0) << 10);
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let used = |i: usize| fields.get(i).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        ticks = ticks.max(used(11) + used(12));
        std::thread::sleep(Duration::from_millis(2));
    }
    // The kernel counts in hundredths of a second.
    let time = Duration::from_millis(10 * ticks);
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned(), time, memory)
}

fn one(dims: &[i64], node: NodeProto, constants: Vec<TensorProto>) -> ModelProto {
    model(17, dims, vec![node], constants)
}

fn conv() -> NodeProto {
    node("Conv", &["x", "w"], "y")
}

fn pool(kernel: &[i64]) -> NodeProto {
    node("AveragePool", &["x"], "y").ints("kernel_shape", kernel)
}

#[test]
fn convolutions_that_do_not_fit() {
    let x = [4, 8, 8];
    let w = || vec![weights("w", &[6, 4, 3, 3])];
    for (node, constants, part) in [
        (conv(), vec![weights("w", &[6, 3, 3, 3])], "1 groups for 4 channels"),
        (conv().int("group", 3), vec![weights("w", &[6, 1, 3, 3])], "3 groups for 4 channels"),
        (conv().int("group", 0), w(), "0 groups"),
        (conv().int("group", i64::MIN), w(), "groups"),
        (conv().int("group", 4), vec![weights("w", &[6, 1, 3, 3])], "4 groups"),
        (conv(), vec![weights("w", &[6, 4, 3])], "for an image of 2 dimensions"),
        (conv(), vec![weights("w", &[24])], "without channels"),
        (conv(), vec![weights("w", &[6, 4, 9, 9])], "does not fit 8 elements"),
        (conv().ints("kernel_shape", &[2, 2]), w(), "kernel_shape of [2, 2]"),
        (conv().ints("strides", &[0, 1]), w(), "strides [0, 1]"),
        (conv().ints("strides", &[1]), w(), "1 strides for 2 dimensions"),
        (conv().ints("strides", &[1, i64::MAX]), w(), "strides"),
        (conv().ints("dilations", &[0, 1]), w(), "dilations [0, 1]"),
        (conv().ints("dilations", &[1 << 24, 1 << 24]), w(), "does not fit"),
        (conv().ints("pads", &[-1, 0, 0, 0]), w(), "pads [-1, 0, 0, 0]"),
        (conv().ints("pads", &[1 << 40, 0, 0, 0]), w(), "pads"),
        (conv().ints("pads", &[1 << 23, 1 << 23, 1 << 23, 1 << 23]), w(), "elements"),
        (conv().ints("pads", &[1, 1]), w(), "2 pads for 2 dimensions"),
    ] {
        refused(&one(&x, node, constants), &["node 'Conv_y'", part]);
    }
    let bias = node("Conv", &["x", "w", "b"], "y");
    refused(&one(&x, bias, vec![weights("w", &[6, 4, 3, 3]), weights("b", &[5])]), &["biases of extents [5]"]);
    refused(&one(&[4], conv(), w()), &["which is no image"]);
    refused(&one(&[4, 2, 2, 2], conv(), w()), &["which is no image"]);
    let mut auto = conv();
    auto.attribute.push(AttributeProto {
        name: "auto_pad".into(),
        s: b"GUESS".to_vec(),
        r#type: 3,
        ..Default::default()
    });
    refused(&one(&x, auto, w()), &["auto_pad 'GUESS'"]);
}

#[test]
fn windows_larger_than_memory() {
    refused(
        &one(&[1, 8, 8], pool(&[1 << 20, 1 << 20]).ints("pads", &[1 << 20; 4]).int("count_include_pad", 1), vec![]),
        &["limit"],
    );
    let counted = pool(&[1 << 12, 1 << 12]).ints("pads", &[1 << 12; 4]).int("count_include_pad", 1);
    refused(&one(&[1, 8, 8], counted, vec![]), &["node 'AveragePool_y'", "elements"]);
    refused(&one(&[1, 8, 8], pool(&[i64::MAX, 1]), vec![]), &["kernel_shape"]);
    refused(&one(&[1, 8, 8], pool(&[0, 1]), vec![]), &["kernel_shape"]);
    refused(&one(&[1, 8, 8], node("AveragePool", &["x"], "y"), vec![]), &["lacks its kernel_shape"]);
    let blind = node("MaxPool", &["x"], "y").ints("kernel_shape", &[2, 2]).ints("pads", &[4, 4, 4, 4]);
    refused(&one(&[1, 8, 8], blind, vec![]), &["maximum of nothing"]);
    let border = pool(&[3, 3]).ints("pads", &[1, 1, 1, 1]);
    refused(&one(&[1, 8, 8], border, vec![]), &["another number at the border"]);
    // Few weights, many multiplications.
    let wide = conv().ints("pads", &[1 << 15, 0, 1 << 15, 0]);
    refused(&one(&[64, 1 << 16, 1], wide, vec![weights("w", &[64, 64, 1 << 11, 1])]), &["multiplications"]);
    let w = floats("w", &[1, 1, 1, 1 << 21], &vec![0.5; 1 << 21]);
    refused(&one(&[1, 1, (1 << 22) - 1], conv(), vec![w]), &["multiplications an image"]);
}

#[test]
fn slices_and_pads_out_of_reason() {
    let slice = |s: i64, e: i64, a: i64, t: i64| {
        let lists = vec![ints("s", &[s]), ints("e", &[e]), ints("a", &[a]), ints("t", &[t])];
        one(&[4, 4], node("Slice", &["x", "s", "e", "a", "t"], "y"), lists)
    };
    refused(&slice(0, 4, 1, 0), &["step of 0"]);
    refused(&slice(0, 4, 1, -1), &["reverses"]);
    refused(&slice(3, i64::MIN, 1, -1), &["reverses"]);
    refused(&slice(0, 4, 9, 1), &["axis 9 of 3"]);
    refused(&slice(0, 4, i64::MIN, 1), &["axis"]);
    refused(&slice(1, 4, 0, 1), &["batch"]);
    refused(&slice(i64::MAX, i64::MIN, 1, i64::MAX), &["[0, 4]"]);
    let pad = |pads: &[i64]| one(&[4, 4], node("Pad", &["x", "p"], "y"), vec![ints("p", pads)]);
    refused(&pad(&[0, 0, 1 << 40, 0, 0, 0]), &["limit"]);
    refused(&pad(&[0, 0, i64::MAX, 0, 0, i64::MAX]), &["pads an axis of 4"]);
    refused(&pad(&[0, 0, -4, 0, 0, 0]), &["pads an axis of 4"]);
    refused(&pad(&[0, 0, i64::MIN, 0, 0, i64::MAX]), &["pads"]);
    refused(&pad(&[1, 0, 0, 0, 0, 0]), &["pads the batch"]);
    refused(&pad(&[0, 0, 1]), &["3 pads for 3 axes"]);
    let value = vec![ints("p", &[0, 0, 1, 0, 0, 0]), floats("v", &[], &[1.0])];
    refused(&one(&[4, 4], node("Pad", &["x", "p", "v"], "y"), value), &["pads with 1", "zeros"]);
    let mut reflect = node("Pad", &["x", "p"], "y");
    reflect.attribute.push(AttributeProto {
        name: "mode".into(),
        s: b"reflect".to_vec(),
        r#type: 3,
        ..Default::default()
    });
    refused(&one(&[4, 4], reflect, vec![ints("p", &[0, 0, 1, 0, 0, 0])]), &["mode 'reflect'"]);
}

#[test]
fn constants_larger_than_memory() {
    let fill = |dims: &[i64]| {
        let nodes = vec![node("ConstantOfShape", &["d"], "c"), node("Add", &["x", "c"], "y")];
        model(17, &[4], nodes, vec![ints("d", dims)])
    };
    refused(&fill(&[1 << 40]), &["constants", "limit"]);
    refused(&fill(&[1 << 31, 1 << 31, 1 << 31]), &["constants"]);
    refused(&fill(&[-1]), &["negative extent"]);
    let nodes = vec![node("Range", &["a", "b", "c"], "r"), node("Add", &["x", "r"], "y")];
    let range = |a, b, c| model(17, &[4], nodes.clone(), vec![ints("a", &[a]), ints("b", &[b]), ints("c", &[c])]);
    refused(&range(0, i64::MAX, 1), &["limit"]);
    refused(&range(i64::MIN, i64::MAX, 1), &["counts from"]);
    refused(&range(0, 4, 0), &["counts from"]);
    // A column and a row of 20,000 make a table of 400 million.
    let outer = vec![node("Add", &["a", "b"], "t"), node("Add", &["x", "t"], "y")];
    let constants = vec![weights("a", &[20_000, 1]), weights("b", &[1, 20_000])];
    refused(&model(17, &[4], outer, constants), &["constants", "limit"]);
    let overflow = vec![node("Mul", &["a", "a"], "t"), node("Reshape", &["x", "t"], "y")];
    refused(&model(17, &[4], overflow, vec![ints("a", &[i64::MAX])]), &["no 64-bit integer"]);
    let gather = vec![node("Gather", &["a", "i"], "t"), node("Reshape", &["x", "t"], "y")];
    refused(&model(17, &[4], gather, vec![ints("a", &[4]), ints("i", &[i64::MIN])]), &["index outside"]);
}

/// Nine kilobytes that double sixteen times, and eight megabytes that are copied a hundred times.
#[test]
fn constants_that_multiply_while_they_are_read() {
    let doubled = |i: usize| if i == 0 { "c".to_string() } else { format!("d{i}") };
    let mut nodes: Vec<NodeProto> =
        (0..16).map(|i| node("Concat", &[&doubled(i), &doubled(i)], &doubled(i + 1)).int("axis", 0)).collect();
    nodes.push(node("Reshape", &["x", "d16"], "y"));
    refused(
        &model(17, &[4], nodes, vec![ints("c", &[0; 1024])]),
        &["node 'Concat_d14'", "held at a time above 128 MiB"],
    );

    let large = || vec![ints("c", &vec![1; 1 << 20])];
    let many = ["c"; 100];
    let nodes = vec![node("Concat", &many, "d").int("axis", 0), node("Reshape", &["x", "d"], "y")];
    refused(&model(17, &[4], nodes, large()), &["constants together"]);

    let mut chain: Vec<NodeProto> = (0..120).map(|i| node("Identity", &[&doubled(i)], &doubled(i + 1))).collect();
    chain.push(node("Foo", &["x", "d120"], "y"));
    refused(&model(17, &[4], chain, large()), &["the operator Foo is not supported"]);

    let mut fan: Vec<NodeProto> = (0..120).map(|i| node("Identity", &["c"], &doubled(i + 1))).collect();
    fan.extend((0..120).map(|i| node("Add", &["x", &doubled(i + 1)], &format!("a{i}"))));
    let sums: Vec<String> = (0..120).map(|i| format!("a{i}")).collect();
    fan.push(node("Sum", &sums.iter().map(String::as_str).collect::<Vec<_>>(), "y"));
    refused(&model(17, &[4], fan, large()), &["held at a time above 128 MiB"]);
}

/// One channel of sixteen million elements: there are four parameters, not sixty-four million.
#[test]
fn a_normalisation_of_a_large_image_takes_no_time() {
    let one = |name: &str| floats(name, &[1], &[0.5]);
    let nodes = vec![node("BatchNormalization", &["x", "a", "b", "c", "d"], "y")];
    refused(&model(17, &[1, 4096, 4096], nodes, vec![one("a"), one("b"), one("c"), one("d")]), &["held at a time"]);
}

#[test]
fn axes_that_are_named_twice() {
    let lists = || vec![ints("s", &[0, 5]), ints("e", &[2, 10]), ints("a", &[0, -1])];
    let nodes = vec![node("Slice", &["c", "s", "e", "a"], "d"), node("Reshape", &["x", "d"], "y")];
    let mut constants = lists();
    constants.push(ints("c", &(0..10).collect::<Vec<i64>>()));
    refused(&model(17, &[4], nodes, constants), &["node 'Slice_d'", "slices one of the axes [0, -1] twice"]);
    let mut constants = lists();
    constants[2] = ints("a", &[1, 1]);
    refused(
        &one(&[12], node("Slice", &["x", "s", "e", "a"], "y"), constants),
        &["slices one of the axes [1, 1] twice"],
    );
    let pads = vec![ints("p", &[1, 2, 0, 0]), ints("a", &[1, -2])];
    refused(
        &model(18, &[4, 4], vec![node("Pad", &["x", "p", "", "a"], "y")], pads),
        &["pads one of the axes [1, -2] twice"],
    );
}

#[test]
fn activations_larger_than_memory() {
    // A hundred layers of four million elements each.
    let name = |i: usize| {
        if i == 0 {
            "x".into()
        } else if i == 100 {
            "y".into()
        } else {
            format!("v{i}")
        }
    };
    let nodes = (0..100).map(|i| node("Relu", &[&name(i)], &name(i + 1))).collect();
    refused(&model(17, &[1, 2048, 2048], nodes, vec![]), &["elements of all activations"]);
    let nodes = (0..100).map(|i| node("Concat", &[&name(i), &name(i)], &name(i + 1)).int("axis", 1)).collect();
    refused(&model(17, &[1, 2, 2], nodes, vec![]), &["limit"]);
    // All of them are needed to the end.
    let mut nodes: Vec<NodeProto> = (0..8).map(|i| node("Mul", &["x", &format!("c{i}")], &format!("p{i}"))).collect();
    let all: Vec<String> = (0..8).map(|i| format!("p{i}")).collect();
    nodes.push(node("Sum", &all.iter().map(String::as_str).collect::<Vec<_>>(), "y"));
    let constants = (0..8).map(|i| floats(&format!("c{i}"), &[], &[i as f32 + 1.5])).collect();
    refused(&model(17, &[1, 1600, 1600], nodes, constants), &["held at a time"]);
}

#[test]
fn graphs_of_a_million_nodes_and_deep_nesting() {
    let count = 1_000_000;
    let name = |i: usize| {
        if i == 0 {
            "x".into()
        } else if i == count {
            "y".into()
        } else {
            format!("v{i}")
        }
    };
    let nodes = (0..count).map(|i| node("Relu", &[&name(i)], &name(i + 1))).collect();
    refused(&model(17, &[2], nodes, vec![]), &["1000000 nodes"]);
    // Attribute 5 (tensor), 6 (graph) and 11 (graphs) in one another: field 6 of AttributeProto, 1 of GraphProto, 5 of NodeProto.
    let mut inner = Vec::new();
    for _ in 0..200_000 {
        for tag in [0x32u8, 0x0a, 0x2a] {
            let mut outer = vec![tag];
            let mut length = inner.len();
            while length >= 0x80 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            if inner.len() > 20_000 {
                // Beyond this the nesting would take quadratic time to write; groups below go deeper.
                break;
            }
            outer.extend(&inner);
            inner = outer;
        }
    }
    let mut deep = bytes(&one(&[2], node("If", &["x"], "y"), vec![]));
    deep.extend([
        0x3a,
        0x80 | (inner.len() & 0x7f) as u8,
        0x80 | (inner.len() >> 7 & 0x7f) as u8,
        (inner.len() >> 14) as u8,
    ]);
    deep.extend(&inner);
    refused_bytes(&deep, &[]);
    // A million groups that begin and never end.
    let mut groups = bytes(&one(&[2], node("Relu", &["x"], "y"), vec![]));
    groups.extend(std::iter::repeat_n([0xa3u8, 0x06], 1_000_000).flatten());
    refused_bytes(&groups, &["no ONNX file, or is truncated"]);
}

#[test]
fn stages_that_would_multiply_out_to_more_than_memory() {
    let nodes = vec![
        node("Conv", &["x", "w"], "a").ints("pads", &[1, 1, 1, 1]),
        node("Conv", &["a", "v"], "b").ints("pads", &[1, 1, 1, 1]),
        node("Relu", &["b"], "y"),
    ];
    let kernels = vec![weights("w", &[8, 3, 3, 3]), weights("v", &[8, 8, 3, 3])];
    refused(&model(17, &[3, 64, 64], nodes, kernels), &["node 'Conv_b'", "too large"]);
}

#[test]
fn integers_that_are_not_dequantised_are_named() {
    let nodes =
        vec![node("Relu", &["x"], "r"), node("QuantizeLinear", &["r", "s", "z"], "q"), node("Relu", &["q"], "y")];
    let zero = TensorProto { name: "z".into(), data_type: data_type::UINT8, int32_data: vec![0], ..Default::default() };
    refused(
        &model(17, &[2], nodes, vec![floats("s", &[], &[0.1]), zero]),
        &["QuantizeLinear_q", "rounds activations", "QDQ"],
    );
}
