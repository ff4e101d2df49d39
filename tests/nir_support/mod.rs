//! Small NIR graphs, the shared files, and Python's `nir` as an oracle.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

#[path = "../data_support/mod.rs"]
pub mod data;
pub mod python;
pub mod random;

use ndarray::{ArrayD, IxDyn};
use std::collections::BTreeMap;
use std::path::PathBuf;
use synfire::error::Error;
use synfire::frontends::nir::{Array, Data, Executor, Kind, NirGraph, Outcome, Settings, Unit};

/// The folder of the real NIR files, or `None` (after saying so) where it is absent. In CI its absence is a failure.
pub fn files() -> Option<PathBuf> {
    data::shared().map(|root| root.join("nir"))
}

pub fn f32s(shape: &[usize], values: Vec<f32>) -> Array {
    Array::new(shape.to_vec(), Data::F32(values)).unwrap()
}

pub fn f64s(shape: &[usize], values: Vec<f64>) -> Array {
    Array::new(shape.to_vec(), Data::F64(values)).unwrap()
}

/// `n` times the same.
pub fn full(shape: &[usize], value: f64) -> Array {
    f64s(shape, vec![value; shape.iter().product()])
}

pub fn port(kind: Kind, shape: &[usize]) -> Unit {
    Unit::new(kind).with("shape", Array::integers(shape.iter().copied()))
}

/// `input → nodes in this order → output`.
pub fn chain(input: &[usize], nodes: &[(&str, Unit)], output: &[usize]) -> NirGraph {
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, input)).node("output", port(Kind::Output, output));
    let mut before = "input";
    for (name, unit) in nodes {
        graph.node(*name, unit.clone()).edge(before, *name);
        before = name;
    }
    graph.edge(before, "output");
    graph
}

/// Identity weights.
pub fn eye(n: usize) -> Array {
    f64s(&[n, n], (0..n * n).map(|i| f64::from(u8::from(i % n == i / n))).collect())
}

pub fn if_neuron(n: usize, theta: f64) -> Unit {
    Unit::new(Kind::If)
        .with("r", full(&[n], 1.0))
        .with("v_threshold", full(&[n], theta))
        .with("v_reset", full(&[n], 0.0))
}

pub fn lif(n: usize, tau: f64, theta: f64) -> Unit {
    let mut unit = if_neuron(n, theta).with("tau", full(&[n], tau)).with("v_leak", full(&[n], 0.0));
    unit.kind = Kind::Lif;
    unit
}

/// `[T, n]` from rows.
pub fn rows(rows: &[&[f64]]) -> ArrayD<f64> {
    let values = rows.iter().flat_map(|row| row.iter().copied()).collect();
    ArrayD::from_shape_vec(IxDyn(&[rows.len(), rows[0].len()]), values).unwrap()
}

/// A single input called `input`.
pub fn input(x: ArrayD<f64>) -> BTreeMap<String, ArrayD<f64>> {
    BTreeMap::from([("input".to_string(), x)])
}

pub fn run(graph: &NirGraph, settings: Settings, x: ArrayD<f64>) -> Outcome {
    let executor = Executor::new(graph, settings).unwrap_or_else(|e| panic!("{e}"));
    executor.run(&input(x)).unwrap_or_else(|e| panic!("{e}"))
}

/// The output called `output`, as a list.
pub fn out(graph: &NirGraph, settings: Settings, x: ArrayD<f64>) -> Vec<f64> {
    run(graph, settings, x).outputs["output"].iter().copied().collect()
}

pub fn dt(dt: f64) -> Settings {
    Settings { dt: Some(dt), ..Settings::default() }
}

/// The error must hold every part.
pub fn holds(error: &Error, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "no '{part}' in\n{text}");
    }
    assert!(error.problems.iter().all(|p| p.help.is_some() || p.what.starts_with("and ")), "no help in\n{text}");
}
