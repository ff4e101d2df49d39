//! An integer network as a NIR file: written, read back and executed, it gives the same integers.

#[path = "../random_networks/generator/mod.rs"]
mod generator;

mod leaky;
mod python;
mod real;

use ndarray::{ArrayD, Axis, IxDyn};
use std::collections::{BTreeMap, BTreeSet};
use synfire::convert::nir::export::{Export, export, presentation};
use synfire::frontends::nir::{self, Executor, Kind, NirGraph, Node, Settings, Unit};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Combine, Neuron, QPopulation, QuantGraph};

/// What an image is to the exported graph, `[T, input shape]`.
fn sample(net: &QuantGraph, executor: &Executor, codes: &[i64]) -> ArrayD<f64> {
    let shape: Vec<usize> = std::iter::once(net.timesteps as usize).chain(executor.inputs()[0].shape.clone()).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), presentation(net).sample(codes)).unwrap()
}

/// Written and read back.
fn stored(export: &Export) -> NirGraph {
    let back = nir::parse(nir::to_bytes(&export.graph).unwrap()).unwrap();
    assert_eq!(NirGraph { version: None, ..back.clone() }, export.graph);
    back
}

/// Values that differ between the integer network and its export, of all that is sent and of the logits; and how many there are.
pub fn differences(net: &QuantGraph, images: &[Vec<i64>]) -> (usize, usize) {
    let functional = Functional::new(net).unwrap();
    let export = export(net).unwrap_or_else(|e| panic!("{e}"));
    let executor = Executor::new(&stored(&export), Settings::default()).unwrap_or_else(|e| panic!("{e}"));
    let watch: Vec<&str> = export.nodes.iter().map(String::as_str).collect();
    let (mut differing, mut all) = (0, 0);
    for codes in images {
        let golden = functional.image(codes).unwrap();
        let x = sample(net, &executor, codes);
        let outcome = executor.watch(&BTreeMap::from([("input".into(), x)]), &watch).unwrap();
        let y = &outcome.outputs["output"];
        let logits = y.index_axis(Axis(0), y.len_of(Axis(0)) - 1).iter().copied().collect::<Vec<_>>();
        let sent = export.nodes.iter().map(|node| outcome.watched[node].output.sum_axis(Axis(0)));
        let sent: Vec<Vec<f64>> = sent.map(|sum| sum.into_iter().collect()).collect();
        let pairs = golden.counts.iter().zip(&sent).filter(|(counts, _)| !counts.is_empty());
        for (integers, doubles) in pairs.chain([(&golden.logits, &logits)]) {
            assert_eq!(integers.len(), doubles.len());
            differing += integers.iter().zip(doubles).filter(|(a, b)| **a as f64 != **b).count();
            all += integers.len();
        }
    }
    (differing, all)
}

/// Random networks of all kinds, each with some images.
pub fn drawn(seed: u64) -> Vec<(QuantGraph, Vec<Vec<i64>>)> {
    let recipe = generator::draw(seed);
    let nets = generator::quants(&recipe).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    let image = |(run, net): (_, QuantGraph)| (generator::images(&recipe, run, &net), net);
    recipe.runs.iter().zip(nets).map(image).map(|(images, net)| (net, images)).collect()
}

/// Names of the populations that take a maximum.
fn maxima(net: &QuantGraph) -> Vec<String> {
    let max = |p: &&QPopulation| matches!(p.neuron, Neuron::Pool { combine: Combine::Max, .. });
    net.populations.iter().filter(max).map(|p| p.name.clone()).collect()
}

#[test]
fn random_networks_come_back_with_the_same_integers() {
    let (mut values, mut kinds, mut keys, mut refused) = (0, BTreeSet::new(), BTreeSet::new(), 0);
    for seed in 0..SEEDS {
        for (net, images) in drawn(seed) {
            match export(&net) {
                Ok(export) => {
                    for (_, unit) in units(&export.graph) {
                        kinds.insert(unit.kind);
                        keys.extend(unit.metadata.keys().cloned());
                    }
                }
                Err(e) => {
                    let parity = e.to_string().contains("square kernels with the same padding");
                    assert!(parity || !maxima(&net).is_empty(), "{seed}: {e}");
                    assert!(e.problems.iter().all(|p| p.node.is_some() && p.help.is_some()), "{e}");
                    refused += 1;
                    continue;
                }
            }
            let (differing, all) = differences(&net, &images);
            assert_eq!(differing, 0, "seed {seed}: of {all}");
            values += all;
        }
    }
    let expected = [
        Kind::Affine,
        Kind::Linear,
        Kind::Scale,
        Kind::Conv2d,
        Kind::Flatten,
        Kind::If,
        Kind::I,
        Kind::Lif,
        Kind::CubaLif,
        Kind::Li,
        Kind::CubaLi,
        Kind::Delay,
    ];
    assert!(expected.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let notes = ["v_init", "reset", "subtract", "compare", "spikes", "floor", "decay", "limits"]
        .map(|key| format!("synfire_{key}"));
    assert!(notes.iter().all(|key| keys.contains(key)), "{keys:?}");
    // Most of the refused ones take a maximum.
    assert!(values > 40_000 && refused < 200, "{values} values, {refused} refused");
}

/// Structures that are drawn, with a few sets of weights each.
const SEEDS: u64 = 200;

#[test]
fn everything_that_nir_cannot_express_is_listed_at_once() {
    let (net, _) = (0..2000).flat_map(drawn).find(|(net, _)| maxima(net).len() >= 2).unwrap();
    let error = export(&net).unwrap_err();
    let text = error.to_string();
    for name in maxima(&net) {
        assert!(text.contains(&format!("'{name}'")), "{text}");
    }
    assert!(text.contains("for which NIR has no primitive") && text.contains("average pooling"), "{text}");
}

pub fn units(graph: &NirGraph) -> impl Iterator<Item = (&String, &Unit)> {
    graph.nodes.iter().filter_map(|(name, node)| match node {
        Node::Unit(unit) => Some((name, unit)),
        Node::Graph(_) => None,
    })
}
