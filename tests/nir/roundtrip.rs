//! What is written is what is read, by us and by Python's `nir`, and it runs the same.

#[path = "../nir_export/mod.rs"]
mod export;
use crate::nir_support;

use ndarray::{ArrayD, IxDyn};
use nir_support::python::{oracle, python};
use nir_support::random::{DT, graph};
use nir_support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use synfire::frontends::nir::{self, Array, Data, Executor, Kind, Meta, Metadata, NirGraph, Node, Unit};

/// Spikes on 30 % of the inputs.
fn spikes(seed: u64, steps: usize, shape: &[usize]) -> ArrayD<f64> {
    let mut state = seed | 1;
    let shape: Vec<usize> = std::iter::once(steps).chain(shape.iter().copied()).collect();
    ArrayD::from_shape_simple_fn(IxDyn(&shape), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u8::from(state % 10 < 3))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn written_read_and_executed_graphs_are_exactly_equal(seed: u64, size in 1usize..14) {
        let (graph, shape) = graph(seed, size);
        let bytes = nir::to_bytes(&graph).unwrap();
        let back = nir::parse(bytes.clone()).unwrap();
        prop_assert_eq!(back.version.as_deref(), Some(nir::VERSION));
        let back = NirGraph { version: None, ..back };
        prop_assert_eq!(&back, &graph);
        prop_assert_eq!(nir::to_bytes(&back).unwrap(), bytes);
        let x = spikes(seed, 40, &shape);
        let before = Executor::new(&graph, dt(DT)).unwrap().run(&input(x.clone())).unwrap();
        let after = Executor::new(&back, dt(DT)).unwrap().run(&input(x)).unwrap();
        prop_assert_eq!(before.spikes, after.spikes);
        for (name, y) in &before.outputs {
            let bits = |y: &ArrayD<f64>| y.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(y), bits(&after.outputs[name]));
            prop_assert!(y.iter().all(|v| v.is_finite()));
        }
    }
}

/// An array as the oracle prints it.
fn canon(array: &Array) -> Value {
    fn hex<T: Copy, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> String {
        values.iter().flat_map(|&v| bytes(v)).map(|byte| format!("{byte:02x}")).collect()
    }
    let hex = match array.data() {
        Data::Text(texts) if array.shape().is_empty() => return json!(texts[0]),
        Data::Text(texts) => return json!(texts),
        Data::F32(v) => hex(v, f32::to_le_bytes),
        Data::F64(v) => hex(v, f64::to_le_bytes),
        Data::I8(v) => hex(v, i8::to_le_bytes),
        Data::I16(v) => hex(v, i16::to_le_bytes),
        Data::I32(v) => hex(v, i32::to_le_bytes),
        Data::I64(v) => hex(v, i64::to_le_bytes),
        Data::U8(v) => hex(v, u8::to_le_bytes),
        Data::U16(v) => hex(v, u16::to_le_bytes),
        Data::U32(v) => hex(v, u32::to_le_bytes),
        Data::U64(v) => hex(v, u64::to_le_bytes),
        Data::Bool(v) => hex(v, |b| [u8::from(b)]),
    };
    json!({ "dtype": array.data().type_name(), "shape": array.shape(), "hex": hex })
}

fn notes(metadata: &Metadata) -> Value {
    let meta = |meta: &Meta| match meta {
        Meta::Value(array) => canon(array),
        Meta::Group(members) => notes(members),
    };
    Value::Object(metadata.iter().map(|(key, value)| (key.clone(), meta(value))).collect())
}

/// Everything in our graph must be in Python's, which adds defaults for what is absent.
pub fn same(graph: &NirGraph, python: &Value) {
    let mut edges: Vec<[&str; 2]> = graph.edges.iter().map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    edges.sort_unstable();
    assert_eq!(json!(edges), python["edges"]);
    assert_eq!(notes(&graph.metadata), python["metadata"]);
    let names: Vec<&String> = graph.nodes.keys().collect();
    let theirs = python["nodes"].as_object().unwrap();
    assert_eq!(names, theirs.keys().collect::<Vec<_>>());
    for (name, node) in &graph.nodes {
        let theirs = &theirs[name];
        let unit = match node {
            Node::Graph(inner) => {
                same(inner, theirs);
                continue;
            }
            Node::Unit(unit) => unit,
        };
        assert_eq!(json!(unit.kind.name()), theirs["type"]);
        assert_eq!(notes(&unit.metadata), theirs["metadata"], "{name}");
        for (field, array) in &unit.fields {
            assert_eq!(canon(array), theirs[field], "{name}.{field}");
        }
        for (field, _) in theirs.as_object().unwrap().iter().filter(|(field, _)| !unit.fields.contains_key(*field)) {
            let known = ["type", "metadata", "v_reset", "w_in", "input_shape", "input_type", "start_dim", "end_dim"];
            assert!(known.contains(&field.as_str()), "we lost {name}.{field}");
        }
    }
}

#[test]
fn python_reads_what_we_write() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut graphs, mut paths) = (Vec::new(), Vec::new());
    for seed in 0..12 {
        let (mut graph, _) = graph(seed, 4 + seed as usize);
        let mut deep =
            Metadata::from([("bool".into(), Meta::Value(Array::new(vec![2], Data::Bool(vec![true, false])).unwrap()))]);
        deep.insert("text".into(), Meta::Value(Array::text("µ \"quoted\"")));
        deep.insert("u8".into(), Meta::Value(Array::new(vec![], Data::U8(vec![7])).unwrap()));
        graph.metadata =
            Metadata::from([("deep".into(), Meta::Group(deep)), ("dt".into(), Meta::Value(Array::scalar(DT)))]);
        graph.version = Some("1.0".into());
        for node in graph.nodes.values_mut() {
            if let Node::Unit(unit) = node {
                unit.metadata.insert("seed".into(), Meta::Value(Array::integer(seed as i64)));
            }
        }
        let path = folder.path().join(format!("{seed}.nir"));
        nir::write(&path, &graph).unwrap();
        graphs.push(graph);
        paths.push(path);
    }
    for (graph, dump) in graphs.iter().zip(oracle(&python, "dump", &paths).as_array().unwrap()) {
        assert_eq!(dump["version"], "1.0");
        same(graph, dump);
    }
}

#[test]
fn we_read_what_python_writes_and_give_it_back() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let written = oracle(&python, "write", &[folder.path()]);
    let mut kinds = std::collections::BTreeSet::new();
    for (name, dump) in written.as_object().unwrap() {
        let graph = nir::read(&folder.path().join(format!("{name}.nir"))).unwrap_or_else(|e| panic!("{e}"));
        same(&graph, dump);
        let again = folder.path().join("again.nir");
        nir::write(&again, &graph).unwrap();
        assert_eq!(&oracle(&python, "dump", &[&again])[0], dump, "{name}");
        assert_eq!(nir::read(&again).unwrap(), graph);
        let units = graph.nodes.values().filter_map(|node| match node {
            Node::Unit(unit) => Some(unit.kind),
            Node::Graph(_) => None,
        });
        kinds.extend(units);
    }
    assert_eq!(kinds.len(), Kind::ALL.len(), "only {kinds:?}");
}

#[test]
fn shared_files_come_back_through_python() {
    let (Some(python), Some(folder)) = (python(), files()) else { return };
    let scratch = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (index, name) in [
        "lif/lif_norse.nir",
        "braille/braille_noDelay_bias_zero.nir",
        "cnn_nmnist/cnn_sinabs.nir",
        "mnist_lif_784-128-10.nir",
        "synthetic_nir_1.0.8_allfeatures.nir",
    ]
    .into_iter()
    .enumerate()
    {
        let original = folder.join(name);
        let graph = nir::read(&original).unwrap_or_else(|e| panic!("{e}"));
        let copy = scratch.path().join(index.to_string());
        nir::write(&copy, &graph).unwrap();
        paths.extend([original, copy]);
    }
    for (pair, paths) in oracle(&python, "dump", &paths).as_array().unwrap().chunks(2).zip(paths.chunks(2)) {
        assert_eq!(pair[0], pair[1], "{paths:?}");
    }
}

#[test]
fn an_independent_executor_agrees() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (mut args, mut ours) = (vec![DT.to_string()], Vec::new());
    for seed in 100..140 {
        let (graph, shape) = graph(seed, 3 + seed as usize % 11);
        let x = spikes(seed, 40, &shape);
        let [nir_file, x_file] = ["nir", "npy"].map(|end| folder.path().join(format!("{seed}.{end}")));
        nir::write(&nir_file, &graph).unwrap();
        synfire::data::save_npy(&x_file, &x).unwrap();
        args.extend([nir_file, x_file].map(|path| path.to_str().unwrap().to_string()));
        ours.push((seed, Executor::new(&graph, dt(DT)).unwrap().run(&input(x)).unwrap()));
    }
    let (mut values, mut live) = (0, 0);
    for ((seed, ours), theirs) in ours.iter().zip(oracle(&python, "run", &args).as_array().unwrap()) {
        assert_eq!(ours.outputs.len(), theirs.as_object().unwrap().len());
        for (name, y) in &ours.outputs {
            assert_eq!(json!(y.shape()), theirs[name]["shape"], "{seed} {name}");
            for (place, (a, b)) in y.iter().zip(theirs[name]["values"].as_array().unwrap()).enumerate() {
                let b = b.as_f64().unwrap();
                assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{seed} {name} {place}: {a} {b}");
                values += 1;
                live += usize::from(*a != 0.0);
            }
        }
    }
    assert!(values > 20_000 && live * 4 > values, "{live} of {values}");
}

#[test]
fn many_nodes_in_one_graph_are_written_and_read() {
    let scales = |count: usize| {
        let unit = Unit::new(Kind::Scale).with("scale", full(&[2], 1.0));
        let nodes: Vec<(String, Unit)> = (0..count).map(|i| (format!("scale{i}"), unit.clone())).collect();
        let nodes: Vec<(&str, Unit)> = nodes.iter().map(|(name, unit)| (name.as_str(), unit.clone())).collect();
        chain(&[2], &nodes, &[2])
    };
    let graph = scales(10_000);
    let back = NirGraph { version: None, ..nir::parse(nir::to_bytes(&graph).unwrap()).unwrap() };
    assert_eq!(back, graph);
    // Python takes time that grows with the square.
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.nir");
    nir::write(&path, &scales(400)).unwrap();
    same(&scales(400), &oracle(&python, "dump", &[path])[0]);
}
