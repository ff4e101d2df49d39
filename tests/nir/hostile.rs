//! Damaged and hostile NIR files: a message, never a panic, soon, and in little memory.

use crate::nir_support;

use nir_support::python::{oracle, python};
use nir_support::random::graph;
use nir_support::*;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use synfire::error::Error;
use synfire::frontends::nir::{self, Array, Data, Kind, Meta, NirGraph, Node, Unit};

fn refused(graph: &NirGraph, parts: &[&str]) -> Error {
    let error = nir::to_bytes(graph).err().unwrap_or_else(|| panic!("accepted, not {parts:?}"));
    holds(&error, parts);
    error
}

/// A generator of bytes.
struct Bytes(u64);

impl Bytes {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn shared_broken_files_are_refused_by_name() {
    let Some(folder) = files() else { return };
    let read = |name: &str| nir::read(&folder.join("broken").join(name)).unwrap_err();
    let name = "braille_noDelay_bias_zero_subgraph.nir";
    holds(&read(name), &[name, "node 'lif1'", "the edge 'input' → 'lif' ends at 'lif', which does not exist"]);
    assert_eq!(read(name).problems.len(), 4);
    let name = "scnn_mnist_232ebad.nir";
    holds(&read(name), &[name, "node '8'", "Flatten lacks the field 'input_type'"]);
}

#[test]
fn damaged_bytes_never_panic() {
    let mut originals = vec![nir::to_bytes(&graph(3, 8).0).unwrap(), nir::to_bytes(&graph(5, 3).0).unwrap()];
    if let Some(folder) = files() {
        for name in
            ["lif/lif_norse.nir", "braille/braille_noDelay_bias_zero.nir", "synthetic_nir_1.0.8_allfeatures.nir"]
        {
            originals.push(fs::read(folder.join(name)).unwrap());
        }
    }
    let mut random = Bytes(42);
    for original in &originals {
        for round in 0..250 {
            let mut bytes = original.clone();
            match round % 4 {
                0 => bytes.truncate(random.below(original.len())),
                1 => (0..8).for_each(|_| {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }),
                2 => {
                    // Sizes and addresses are eight bytes long.
                    let at = random.below(bytes.len() - 8);
                    let value = [u64::MAX, 1 << 40, 0, original.len() as u64, 1 << 63][random.below(5)];
                    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
                }
                _ => {
                    let (from, to) = (random.below(bytes.len() - 64), random.below(bytes.len() - 64));
                    bytes.copy_within(from..from + 64, to);
                }
            }
            let started = Instant::now();
            if let Err(error) = nir::parse(bytes) {
                assert!(!error.to_string().contains("cannot digest"), "the library panicked: {error}");
            }
            assert!(started.elapsed() < Duration::from_secs(2));
        }
    }
}

#[test]
fn files_that_are_no_hdf5() {
    let mut random = Bytes(7);
    let noise: Vec<u8> = (0..5000).map(|_| random.below(256) as u8).collect();
    let signed: Vec<u8> = b"\x89HDF\r\n\x1a\n".iter().copied().chain(noise.iter().copied()).collect();
    for junk in [vec![], b"hello".to_vec(), noise, signed, b"\x89HDF\r\n\x1a\n".to_vec()] {
        holds(&nir::parse(junk).unwrap_err(), &["is no HDF5 file, or is damaged", "help: give a NIR file"]);
    }
    for path in ["no/such/file.nir", env!("CARGO_MANIFEST_DIR")] {
        assert!(nir::read(std::path::Path::new(path)).unwrap_err().to_string().contains(path));
    }
}

#[test]
fn h5py_can_make_files_that_are_refused_soon_and_in_little_memory() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    oracle(&python, "hostile", &[folder.path()]);
    let expected = [
        ("huge.nir", "announces the shape [1099511627776, 1048576]"),
        ("chunk.nir", "announces the shape [2, 2]"),
        ("itself.nir", "nested more than"),
        ("deep.nir", "nested more than"),
        ("million.nir", "nested more than"),
        ("overflow.nir", "'shape' holds 4611686018427387904"),
        ("circle.nir", "wait for each other within one step"),
        ("outside.nir", "lies outside of the file (4294967295 bytes"),
        ("half.nir", "holds elements of the type"),
        ("paths.nir", "refers to its own parts in circles, or far too often"),
    ];
    for (file, part) in expected {
        let program = env!("CARGO_BIN_EXE_synfire");
        let limited = format!("ulimit -v 524288; ulimit -t 2; exec {program} nir info {file}");
        let output = Command::new("sh").args(["-c", &limited]).current_dir(folder.path()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{file}: {errors}");
        assert!(errors.contains(part) && errors.contains(file) && errors.contains("help:"), "{file}: {errors}");
        assert!(errors.lines().all(|line| line.len() < 400), "{errors}");
    }
}

/// Bytes count as the doubles that they become: zeros of one byte shrink a thousandfold in the file.
#[test]
fn arrays_of_bytes_count_as_what_they_become() {
    let n = 1 << 24;
    let weight = Array::new(vec![2, n], Data::I8(vec![0; 2 * n])).unwrap();
    let graph = chain(&[n], &[("fc", Unit::new(Kind::Linear).with("weight", weight))], &[2]);
    let bytes = nir::to_bytes(&graph).unwrap();
    assert!(bytes.len() < 1 << 20);
    holds(&nir::parse(bytes).unwrap_err(), &["announces the shape [2, 16777216]", "may hold 128 MiB"]);
}

#[test]
fn every_problem_is_listed_at_once() {
    let mut graph = chain(&[3], &[("a", if_neuron(4, 1.0)), ("b", Unit::new(Kind::Scale))], &[3]);
    graph.edge("a", "nobody").edge("nobody", "a").edge("input", "a").edge("output", "a").edge("a", "input");
    refused(
        &graph,
        &[
            "ends at 'nobody', which does not exist",
            "starts at 'nobody'",
            "'input' → 'a' is listed twice",
            "starts at an Output node",
            "ends at an Input node",
            "node 'b': Scale lacks the field 'scale'",
        ],
    );
    let shapes = chain(&[3], &[("a", if_neuron(4, 1.0)), ("b", if_neuron(5, 1.0))], &[3]);
    let error =
        refused(&shapes, &["node 'a': IF: it takes the shape [4], but 'input' sends [3]", "node 'b'", "node 'output'"]);
    assert_eq!(error.problems.len(), 3);
}

#[test]
fn numbers_that_are_none_are_refused() {
    let scale = |value: f64| chain(&[2], &[("s", Unit::new(Kind::Scale).with("scale", full(&[2], value)))], &[2]);
    refused(&scale(f64::NAN), &["node 's'", "'scale' holds NaN"]);
    refused(&scale(f64::INFINITY), &["'scale' holds an infinite number"]);
    let neuron = |tau: f64, theta: f64| chain(&[2], &[("n", lif(2, tau, theta))], &[2]);
    refused(&neuron(0.0, 1.0), &["'tau' holds a time constant that is not positive"]);
    refused(&neuron(-1.0, f64::NAN), &["time constant", "'v_threshold' holds NaN"]);
    assert!(nir::to_bytes(&neuron(f64::INFINITY, f64::INFINITY)).is_ok());
    let late = chain(&[1], &[("d", Unit::new(Kind::Delay).with("delay", full(&[1], -1.0)))], &[1]);
    refused(&late, &["'delay' holds a negative time"]);
}

#[test]
fn sizes_that_overflow_are_refused() {
    let huge = 1usize << 40;
    refused(&chain(&[huge, huge], &[], &[huge, huge]), &["is not between 1 and"]);
    let wide = 1usize << 30;
    refused(&chain(&[wide, wide, wide], &[], &[1]), &["node 'input'", "are the limit"]);
    let conv = Unit::new(Kind::Conv2d).with("weight", full(&[1, 1, 3, 3], 1.0)).with("bias", full(&[1], 0.0));
    let conv = |stride: usize, padding: usize, dilation: usize| {
        let pairs = [("stride", stride), ("padding", padding), ("dilation", dilation)];
        let unit = conv.clone().with("groups", Array::integer(1));
        pairs.iter().fold(unit, |unit, (name, v)| unit.with(name, Array::integers([*v; 2])))
    };
    let net = |unit: Unit| chain(&[1, 4, 4], &[("c", unit)], &[1, 4, 4]);
    refused(&net(conv(0, 0, 1)), &["node 'c'", "'stride' holds 0"]);
    refused(&net(conv(1, 1 << 31, 1)), &["node 'c'", "are the limit"]);
    refused(&net(conv(1, 0, 1 << 31)), &["node 'c'", "larger than its padded input"]);
    refused(&net(conv(1, 1 << 40, 1)), &["'padding' holds 1099511627776"]);
    let groups = conv(1, 1, 1).with("groups", Array::integer(2));
    refused(&net(groups), &["cannot be split into 2 groups"]);
    let many: Vec<(String, Unit)> = (0..8).map(|i| (format!("n{i}"), if_neuron(1, 1.0))).collect();
    let many: Vec<(&str, Unit)> = many.iter().map(|(n, u)| (n.as_str(), u.clone())).collect();
    refused(&chain(&[1 << 24], &many, &[1 << 24]), &["values together"]);
}

#[test]
fn circles_need_a_neuron_or_a_delay() {
    let circle = |middle: Unit| {
        let mut graph = chain(&[2], &[("a", Unit::new(Kind::Scale).with("scale", full(&[2], 0.5)))], &[2]);
        graph.node("b", middle).edge("a", "b").edge("b", "a");
        graph
    };
    let scale = Unit::new(Kind::Scale).with("scale", full(&[2], 0.5));
    refused(&circle(scale), &["wait for each other within one step", "'a'", "'b'", "put a neuron"]);
    assert!(nir::to_bytes(&circle(if_neuron(2, 1.0))).is_ok());
    let delay = |time: f64| Unit::new(Kind::Delay).with("delay", full(&[2], time));
    assert!(nir::to_bytes(&circle(delay(0.1))).is_ok());
    refused(&circle(delay(0.0)), &["wait for each other"]);
    // Long enough in the file, but not for the time step.
    let error = nir::Executor::new(&circle(delay(0.1)), dt(1.0)).unwrap_err();
    holds(&error, &["wait for each other"]);
}

#[test]
fn nested_graphs_have_limits_and_one_port_each() {
    let inner = |inputs: usize| {
        let mut graph = chain(&[1], &[("n", if_neuron(1, 1.0))], &[1]);
        for i in 1..inputs {
            graph.node(format!("more{i}"), port(Kind::Input, &[1])).edge(format!("more{i}"), "n");
        }
        graph
    };
    let outer = |sub: NirGraph| {
        let mut graph = NirGraph::default();
        graph.node("input", port(Kind::Input, &[1])).node("output", port(Kind::Output, &[1])).node("sub", sub);
        graph.edge("input", "sub").edge("sub", "output");
        graph
    };
    assert!(nir::to_bytes(&outer(inner(1))).is_ok());
    refused(&outer(inner(2)), &["does not say which of the 2 Input nodes of 'sub' it means"]);
    refused(&outer(NirGraph::default()), &["needs a nested graph 'sub' with an Input node", "with an Output node"]);
    let mut deep = inner(1);
    for _ in 0..40 {
        deep = outer(deep);
    }
    refused(&deep, &["nested more than 32 deep"]);
}

#[test]
fn notes_that_are_not_understood_are_refused() {
    let note = |key: &str, value: Array| {
        let graph = chain(&[1], &[("n", if_neuron(1, 1.0).with_meta(key, value))], &[1]);
        nir::Executor::new(&graph, dt(1.0)).map(|_| ())
    };
    assert!(note("colour", Array::text("red")).is_ok());
    holds(&note("synfire_reset", Array::text("maybe")).unwrap_err(), &["node 'n'", "neither 'value' nor 'subtract'"]);
    holds(&note("synfire_firing", Array::text("two-phase")).unwrap_err(), &["needs the note 'synfire_levels'"]);
    holds(&note("synfire_v_init", full(&[3], 1.0)).unwrap_err(), &["does not spread over [1]"]);
    let mut graph = chain(&[1], &[("n", if_neuron(1, 1.0))], &[1]);
    graph.metadata.insert("synfire_convention".into(), Meta::Value(Array::integer(2)));
    holds(&nir::Executor::new(&graph, dt(1.0)).unwrap_err(), &["version 2 of Synfire's convention"]);
    let Some(Node::Unit(unit)) = graph.nodes.get_mut("n") else { panic!("no neuron") };
    unit.fields.insert("colour".into(), full(&[1], 1.0));
}

#[test]
fn notes_that_contradict_a_node_are_refused() {
    let with = |unit: Unit, notes: &[(&str, Array)]| {
        let unit =
            notes.iter().fold(unit, |unit, (key, value)| unit.with_meta(&format!("synfire_{key}"), value.clone()));
        nir::Executor::new(&chain(&[1], &[("n", unit)], &[1]), dt(1.0)).map(|_| ())
    };
    let two_phase = [("firing", Array::text("two-phase")), ("levels", Array::integer(4))];
    let limits = |low: f64, high: f64| ("limits", Array::doubles(vec![low, high]));
    holds(&with(if_neuron(1, 1.0), &[("decay", Array::text("truncate"))]).unwrap_err(), &["IF has no decay"]);
    holds(&with(if_neuron(1, 1.0), &[limits(1.0, -1.0)]).unwrap_err(), &["no pair of a lower and an upper limit"]);
    holds(&with(if_neuron(1, 1.0), &[limits(f64::NEG_INFINITY, 0.0)]).unwrap_err(), &["no pair of"]);
    let both = [two_phase[0].clone(), two_phase[1].clone(), limits(-1.0, 1.0)];
    holds(&with(if_neuron(1, 1.0), &both).unwrap_err(), &["depends on the order of its input"]);
    holds(&with(lif(1, 2.0, 1.0), &two_phase).unwrap_err(), &["only an IF can fire in two phases"]);
    let by = ("subtract", full(&[1], 2.0));
    holds(
        &with(if_neuron(1, 1.0), std::slice::from_ref(&by)).unwrap_err(),
        &["beside synfire_reset = 'subtract' only"],
    );
    let subtracts = [by, ("reset", Array::text("subtract")), two_phase[0].clone(), two_phase[1].clone()];
    holds(&with(if_neuron(1, 1.0), &subtracts).unwrap_err(), &["subtract their threshold"]);
    assert!(with(if_neuron(1, 1.0), &subtracts[..2]).is_ok());
    let sums = Unit::new(Kind::I).with("r", full(&[1], 1.0));
    holds(&with(sums, &[("subtract", full(&[1], 2.0))]).unwrap_err(), &["I does not fire"]);
}

#[test]
fn a_graphs_notes_are_checked() {
    let with = |notes: &[(&str, Array)]| {
        let mut graph = chain(&[1], &[("n", if_neuron(1, 1.0))], &[1]);
        let notes = notes.iter().map(|(key, value)| (format!("synfire_{key}"), Meta::Value(value.clone())));
        graph.metadata.extend(notes);
        nir::Executor::new(&graph, dt(1.0)).map(|executor| executor.presentation().is_some())
    };
    let whole = [("input", Array::text("first-step")), ("steps", Array::integer(8)), ("pixel_bits", Array::integer(8))];
    assert_eq!(with(&whole).ok(), Some(true));
    assert_eq!(with(&[]).ok(), Some(false));
    let mut inner = chain(&[1], &[("n", if_neuron(1, 1.0))], &[1]);
    inner.metadata.insert("synfire_steps".into(), Meta::Value(Array::integer(8)));
    let mut outer = NirGraph::default();
    outer.node("input", port(Kind::Input, &[1])).node("output", port(Kind::Output, &[1])).node("sub", inner);
    outer.edge("input", "sub").edge("sub", "output");
    let error = nir::Executor::new(&outer, dt(1.0)).unwrap_err();
    holds(&error, &["node 'sub'", "'synfire_steps' is on a nested graph"]);
    holds(&with(&whole[..2]).unwrap_err(), &["need each other"]);
    for (key, value) in [
        ("input", Array::text("backwards")),
        ("steps", Array::integer(i64::MAX)),
        ("steps", Array::scalar(1.5)),
        ("pixel_bits", Array::integer(0)),
        ("pixel_zero", Array::integers([1 << 20])),
        ("colour", Array::text("red")),
    ] {
        let notes: Vec<_> = whole.iter().filter(|(k, _)| *k != key).cloned().chain([(key, value)]).collect();
        holds(&with(&notes).unwrap_err(), &["is not understood", &format!("synfire_{key}")]);
    }
}
