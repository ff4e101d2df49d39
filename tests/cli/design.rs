//! Design directories that were damaged or edited: every reader refuses them with the file's name, soon, and without taking
//! the memory that they ask for.

use crate::cli_support;

use cli_support::{Scratch, cnn, images, npy};
use ndarray::{Array1, Array2};
use serde_json::{Value, json};
use std::fs;

/// The commands that read a design.
const READERS: [&[&str]; 3] = [
    &["run", "design", "--images", "images.npy"],
    &["inspect", "design", "--stage", "rtl"],
    &["inspect", "design", "--stage", "mapped"],
];

fn refused(s: &Scratch, parts: &[&str]) {
    for args in READERS {
        s.refused(2, args, &[parts, &["help:"]].concat());
    }
}

#[test]
fn a_directory_that_is_no_design() {
    let s = Scratch::with_design();
    s.refused(
        2,
        &["run", "nowhere", "--images", "images.npy"],
        &["nowhere/design.json: cannot read", "synfire compile"],
    );
    s.refused(2, &["run", "net.onnx", "--images", "images.npy"], &["net.onnx/design.json: cannot read"]);
    s.refused(2, &["synth", "nowhere"], &["nowhere/design.json: cannot read"]);
    let good = fs::read(s.at("design/design.json")).unwrap();
    for cut in [0, 1, 100, good.len() / 2, good.len() - 3] {
        s.file("design/design.json", &good[..cut]);
        refused(&s, &["design.json: is not a design description"]);
    }
    for junk in [&b"[]"[..], b"null", b"{\"format\": 2}", b"\xff\xfe", &b"[".repeat(100_000)] {
        s.file("design/design.json", junk);
        refused(&s, &["design.json: is not a design description"]);
    }
    s.file("design/design.json", b"{\"format\": 7, \"something\": \"else\"}");
    refused(&s, &["design.json: has format 7, this synfire reads format 2"]);
}

/// Where in the JSON, what it becomes.
type Edit<'a> = (&'a str, Value);

#[test]
fn edited_descriptions() {
    let s = Scratch::with_design();
    let good = s.json("design/design.json");
    let huge = 1_000_000_000_000u64;
    let edits: Vec<Edit> = vec![
        ("/format", json!(-1)),
        ("/net/quant/timesteps", json!(0)),
        ("/net/quant/timesteps", json!(4_000_000_000u64)),
        ("/net/quant/timesteps", json!(17)),
        ("/net/quant/coding", json!("rate")),
        ("/net/quant/pixels/bits", json!(0)),
        ("/net/quant/pixels/bits", json!(64)),
        ("/net/quant/pixels/bits", json!(16)),
        ("/net/quant/populations", json!([])),
        ("/net/quant/populations/0", Value::Null),
        ("/net/quant/populations/0/shape", json!([huge])),
        ("/net/quant/populations/0/shape", json!([u64::MAX, u64::MAX])),
        ("/net/quant/populations/0/shape", json!([])),
        ("/net/quant/populations/0/shape", json!([0])),
        ("/net/quant/populations/0/shape", json!([-6])),
        ("/net/quant/populations/0/shape", json!([7])),
        ("/net/quant/populations/1/shape", json!([huge])),
        ("/net/quant/populations/1/shape", json!([5])),
        ("/net/quant/populations/2/shape", json!([1_000_000])),
        ("/net/quant/populations/1/neuron/theta", json!([])),
        ("/net/quant/populations/1/neuron/theta/0", json!(0)),
        ("/net/quant/populations/1/neuron/theta/0", json!(-5)),
        ("/net/quant/populations/1/neuron/theta/0", json!(i64::MAX)),
        ("/net/quant/populations/1/neuron/v_init/0", json!(i64::MIN)),
        ("/net/quant/populations/1/neuron/v_init/0", json!(1u64 << 47)),
        ("/net/quant/populations/1/neuron/bias/0", json!(i64::MAX)),
        ("/net/quant/populations/1/neuron/bias/0", json!(1)),
        ("/net/quant/populations/1/neuron/model", json!("source")),
        ("/net/quant/populations/2/neuron/v_init/0", json!(i64::MAX)),
        ("/net/quant/populations/1/range", json!([0, 0])),
        ("/net/quant/populations/1/range", json!([i64::MIN, i64::MAX])),
        ("/net/quant/projections", json!([])),
        ("/net/quant/projections/0/pre", json!(huge)),
        ("/net/quant/projections/0/post", json!(9)),
        ("/net/quant/projections/0/pre", json!(2)),
        ("/net/quant/projections/0/weight_bits", json!(0)),
        ("/net/quant/projections/0/weight_bits", json!(1)),
        ("/net/quant/projections/0/weight_bits", json!(4)),
        ("/net/quant/projections/0/weight_bits", json!(4_000_000_000u64)),
        ("/net/quant/projections/1/weight_bits", json!(16)),
        ("/net/top", json!("")),
        ("/net/top", json!("x; endmodule")),
        ("/net/top", json!("../../up")),
        ("/net/target", json!("virtex")),
        ("/net/units", json!([])),
        ("/net/units/0/name", json!("/etc/passwd")),
        ("/net/units/0/name", json!("")),
        ("/net/units/0/inputs", json!([])),
        ("/net/units/0/inputs", json!([99])),
        ("/net/units/0/outputs", json!([])),
        ("/net/units/0/kind/unit", json!("fork")),
        ("/net/units/0/kind/population", json!(0)),
        ("/net/units/0/kind/population", json!(77)),
        ("/net/units/0/kind/projections", json!([])),
        ("/net/units/0/kind/projections", json!([5])),
        ("/net/units/0/kind/inputs", json!(huge)),
        ("/net/units/0/kind/neurons", json!(huge)),
        ("/net/units/0/kind/neurons", json!(0)),
        ("/net/units/0/kind/mode/lanes", json!(0)),
        ("/net/units/0/kind/mode/lanes", json!(huge)),
        ("/net/units/0/kind/mode/lanes", json!(u64::MAX)),
        ("/net/units/0/kind/mode", json!({"mode": "matrix", "rows": 0, "lanes": 1})),
        ("/net/units/0/kind/mode", json!({"mode": "matrix", "rows": 3, "lanes": 1})),
        ("/net/units/0/kind/mode", json!({"mode": "matrix", "rows": 1u64 << 62, "lanes": 1})),
        ("/net/units/0/kind/fire", json!({"fire": "count", "bits": 0, "max": 16})),
        ("/net/units/0/kind/fire", json!({"fire": "count", "bits": 4_000_000_000u64, "max": 16})),
        ("/net/units/0/kind/fire", json!({"fire": "readout"})),
        ("/net/units/0/kind/phases", json!(0)),
        ("/net/units/0/kind/value_bits", json!(0)),
        ("/net/units/0/kind/value_bits", json!(99)),
        ("/net/units/0/kind/weight_bits", json!(0)),
        ("/net/units/0/kind/weight_bits", json!(4_000_000_000u64)),
        ("/net/units/0/kind/membrane_bits", json!(2)),
        ("/net/units/0/kind/membrane_bits", json!(65)),
        ("/net/units/0/kind/theta_bits", json!(0)),
        ("/net/units/0/kind/bias_bits", json!(0)),
        ("/net/streams", json!([])),
        ("/net/streams/0/name", json!("a b")),
        ("/net/streams/0/to", Value::Null),
        ("/net/streams/0/to/unit", json!(44)),
        ("/net/streams/0/to/port", json!(44)),
        ("/net/streams/1/from/unit", json!(44)),
        ("/net/streams/1/from/port", json!(44)),
        ("/net/streams/1/from/unit", json!(1)),
        ("/net/streams/1/population", json!(44)),
        ("/net/streams/0/value_bits", json!(0)),
        ("/net/streams/0/value_bits", json!(9)),
        ("/net/streams/1/id_bits", json!(0)),
        ("/net/streams/1/id_bits", json!(1)),
        ("/net/streams/2/value_bits", json!(1)),
        ("/net/streams/2/signed", json!(false)),
        ("/settings/normalize", json!({"mean": [0.5], "std": [0.0]})),
        ("/settings/normalize", json!({"mean": [], "std": []})),
        ("/settings/lanes", json!("many")),
        ("/settings/timesteps", json!(4)),
        ("/settings/target", json!("generic")),
        ("/settings/surprise", json!(1)),
    ];
    let mut accepted = Vec::new();
    for (pointer, value) in &edits {
        let mut edited = good.clone();
        match edited.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                edited.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.into(), value.clone());
            }
        }
        s.file("design/design.json", edited.to_string().as_bytes());
        println!("{pointer} = {value}");
        let outcome = s.run(READERS[0]);
        if outcome.code == 0 {
            accepted.push(format!("{pointer} = {value}"));
            continue;
        }
        // A weight file that no longer fits is named instead.
        let file = if outcome.err.contains(".npy: ") { "design/model/projection_" } else { "design/design.json: " };
        refused(&s, &[file]);
    }
    assert_eq!(accepted, Vec::<String>::new());
}

/// Divided by zero: the widths of ids were worked out before anybody had asked whether there are any.
#[test]
fn a_stream_of_pixels_without_rows_is_refused() {
    let s = Scratch::new();
    s.model("net.onnx", &cnn());
    s.file("images.npy", &images(32, 72));
    s.compile("design", &["--target", "generic"]);
    let good = s.json("design/design.json");
    let streams = good["net"]["streams"].as_array().unwrap();
    let pixels = (0..streams.len()).filter(|&i| streams[i]["layout"]["ids"] == "fields");
    let mut seen = 0;
    for stream in pixels {
        for axis in 0..3 {
            let mut edited = good.clone();
            *edited.pointer_mut(&format!("/net/streams/{stream}/layout/extent/{axis}")).unwrap() = json!(0);
            s.file("design/design.json", edited.to_string().as_bytes());
            refused(&s, &["design/design.json: ", "is a stream without ids"]);
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}

#[test]
fn damaged_weights() {
    let s = Scratch::with_design();
    let file = "design/model/projection_0.npy";
    let good = fs::read(s.at(file)).unwrap();
    let with = |bytes: &[u8], parts: &[&str]| {
        s.file(file, bytes);
        refused(&s, &[&["design/model/projection_0.npy: "], parts].concat());
    };
    with(b"", &["holds no weights of 2 axes"]);
    with(&good[..good.len() - 1], &["holds no weights of 2 axes"]);
    with(&good[..20], &["holds no weights of 2 axes"]);
    with(b"\x93NUMPY nonsense", &["holds no weights of 2 axes"]);
    with(&npy(&Array2::<i32>::zeros((6, 4))), &["holds weights [6, 4], the network needs [4, 6]"]);
    with(&npy(&Array2::<i32>::zeros((0, 0))), &["holds weights [0, 0]"]);
    with(&npy(&Array1::<i32>::zeros(24)), &["holds no weights of 2 axes"]);
    with(&npy(&Array2::<f32>::zeros((4, 6))), &["holds no weights of 2 axes"]);
    for w in [128, -128, i32::MIN, i32::MAX] {
        with(&npy(&Array2::from_elem((4, 6), w)), &[&format!("holds the weight {w}, beyond ±127 (8 bits)")]);
    }
    // A header that announces four terabytes.
    let dictionary = "{'descr': '<i4', 'fortran_order': False, 'shape': (1000000, 1000000), }";
    let header = [b"\x93NUMPY\x01\x00\x76\x00", format!("{dictionary:<117}\n").as_bytes()].concat();
    assert_eq!(header.len(), 128);
    with(&[&header, &good[128..]].concat(), &["holds no weights of 2 axes"]);
    fs::remove_file(s.at(file)).unwrap();
    refused(&s, &["design/model/projection_0.npy: cannot read the weights"]);
    s.file(file, &good);
    assert_eq!(s.run(READERS[0]).code, 0);
}

#[test]
fn a_damaged_or_foreign_source_network() {
    let s = Scratch::with_design();
    let run = READERS[0];
    let good = fs::read(s.at("design/model/source.onnx")).unwrap();
    s.file("design/model/source.onnx", &good[..100]);
    s.refused(2, run, &["model/source.onnx: "]);
    s.refused(2, &["inspect", "design", "--stage", "snn"], &["design/model/source.onnx: "]);
    for (inputs, outputs) in [(7, 3), (6, 5)] {
        s.model("design/model/source.onnx", &cli_support::mlp_of(inputs, 4, outputs, &["a", "b", "c"]));
        s.refused(2, run, &["model/source.onnx: ", "help:"]);
    }
    fs::remove_file(s.at("design/model/source.onnx")).unwrap();
    s.refused(2, run, &["design/model/source.onnx: cannot read"]);
}

#[test]
fn a_designs_settings_cannot_be_changed_by_inspect() {
    let s = Scratch::with_design();
    s.file("more.npy", &images(4, 6));
    for option in [&["--timesteps", "4"][..], &["--calibrate", "more.npy"], &["--lanes", "auto"]] {
        s.refused(2, &[&["inspect", "design", "--stage", "quant"], option].concat(), &["design: is a design", "fixed"]);
    }
}

/// Its figures would be those of another network, or of weights that nobody compiled.
#[test]
fn a_design_whose_model_was_changed_is_refused() {
    let s = Scratch::with_design();
    let other = cli_support::onnx::bytes(&cli_support::mlp(&["other", "r", "y"]));
    for (file, changed) in
        [("design/model/source.onnx", other), ("design/model/projection_0.npy", npy(&Array2::<i32>::zeros((4, 6))))]
    {
        let good = fs::read(s.at(file)).unwrap();
        assert!(good != changed);
        s.file(file, &changed);
        refused(&s, &[&format!("{file}: was changed after the design was compiled")]);
        s.file(file, &good);
    }
    let mut json = s.json("design/design.json");
    json["files"].as_object_mut().unwrap().remove("model/source.onnx");
    let good = fs::read(s.at("design/design.json")).unwrap();
    s.file("design/design.json", json.to_string().as_bytes());
    refused(&s, &["source.onnx: was changed"]);
    s.file("design/design.json", &good);
    assert_eq!(s.run(READERS[0]).code, 0);
}

/// Added up, they left 64 bits before anybody had asked how large they can be.
#[test]
fn sums_beyond_64_bits_are_refused() {
    let s = Scratch::new();
    s.model("net.onnx", &cnn());
    s.file("images.npy", &images(32, 72));
    s.compile("design", &["--target", "generic", "--weight-bits", "16"]);
    let mut edited = s.json("design/design.json");
    let populations = edited["net"]["quant"]["populations"].as_array_mut().unwrap();
    let pool = populations.iter_mut().find(|p| p["neuron"]["model"] == "pool").expect("the network has a pool");
    pool["neuron"]["max"] = json!(1u64 << 48);
    s.file("design/design.json", edited.to_string().as_bytes());
    refused(&s, &["design/design.json: ", "could be sent sums of up to", "more than any hardware here can hold"]);
}
