//! Neurons that send several spikes in a step, in front of others: what cannot be built is named, what can is as fine as it may be.

use ndarray::{Array3, ArrayD};
use std::path::Path;
use synfire::convert::nir::import_graph;
use synfire::data::save_npy;
use synfire::error::Kind as ErrorKind;
use synfire::frontends::nir::convention::Notes;
use synfire::frontends::nir::{self, Array, Data, Dialect, Kind, NirGraph, Settings as Reading, Unit};
use synfire::ir::quant::{Input, Neuron, QuantGraph};
use synfire::pipeline::SpikingModel;
use synfire::quantise::{LeakySettings, quantise_leaky};
use synfire::settings::Settings;

const SINABS: Reading = Reading { dt: Some(1.0), dialect: Dialect::Sinabs };

fn array(shape: &[usize], values: Vec<f64>) -> Array {
    Array::new(shape.to_vec(), Data::F64(values)).unwrap()
}

fn all(n: usize, x: f64) -> Array {
    array(&[n], vec![x; n])
}

fn port(kind: Kind, n: usize) -> Unit {
    Unit::new(kind).with("shape", array(&[1], vec![n as f64]))
}

/// `n` outputs, each of which reads every input with weights of up to `w` and gets `bias`.
fn fc(n: usize, inputs: usize, w: f64, bias: f64) -> Unit {
    let weight = (0..n * inputs).map(|i| w * (1.0 - (i % 7) as f64 / 20.0)).collect();
    Unit::new(Kind::Affine).with("weight", array(&[n, inputs], weight)).with("bias", all(n, bias))
}

fn integrate(n: usize, theta: f64) -> Unit {
    Unit::new(Kind::If).with("r", all(n, 1.0)).with("v_threshold", all(n, theta))
}

fn leaky(kind: Kind, n: usize, tau: f64) -> Unit {
    Unit::new(kind).with("tau", all(n, tau)).with("r", all(n, tau)).with("v_leak", all(n, 0.0))
}

/// One node behind the other, from `input` to `output`.
fn chain(inputs: usize, nodes: Vec<(&str, Unit)>, outputs: usize) -> NirGraph {
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, inputs));
    let mut last = "input".to_string();
    for (name, unit) in nodes {
        graph.node(name, unit).edge(&last, name);
        last = name.to_string();
    }
    graph.node("output", port(Kind::Output, outputs)).edge(&last, "output");
    graph
}

/// Why the network of `graph` has no integers.
fn refused(graph: &NirGraph, settings: &LeakySettings) -> String {
    let snn = import_graph(graph, "test", SINABS).unwrap().snn;
    let error = quantise_leaky(&snn, settings).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input, "{error}");
    error.to_string()
}

fn settings(steps: u32) -> LeakySettings {
    LeakySettings { timesteps: steps, input: Input::Train { max: 1 }, ..LeakySettings::default() }
}

/// Nothing stood in the place of a population that could not be built, so that the readout looked for its senders beyond the end.
#[test]
fn populations_that_cannot_be_built_do_not_move_those_behind_them() {
    let nodes = vec![
        ("l1", fc(3, 2, 1.0, 0.0)),
        ("a", integrate(3, 1e-6)),
        ("l2", fc(3, 3, 1.0, 0.0)),
        ("b", integrate(3, 1e-6)),
        ("l3", fc(3, 3, 1.0, 0.0)),
        ("c", integrate(3, 1.0)),
        ("l4", fc(3, 3, 1.0, 0.0)),
        ("d", integrate(3, 1.0)),
        ("l5", fc(3, 3, 1.0, 0.0)),
        ("e", integrate(3, 1.0)),
        ("l6", fc(2, 3, 1.0, 0.0)),
        ("li", leaky(Kind::Li, 2, 4.0)),
    ];
    // Two places further on, the synapses into `d` would be the readout's, and their sender beyond the end.
    let mut graph = chain(2, nodes, 2);
    graph.node("back", fc(3, 3, 1.0, 0.0)).edge("e", "back").edge("back", "d");
    let text = refused(&graph, &settings(16));
    assert!(text.contains("node 'a': has weights so far beyond") && text.contains("node 'b': has weights"), "{text}");
}

/// Their sums left 64 bits while the golden model ran.
#[test]
fn parameters_out_of_all_proportion_are_refused() {
    let graph = |bias: f64| chain(2, vec![("l1", fc(2, 2, 1.0, bias)), ("a", integrate(2, 1.0))], 2);
    let text = refused(&graph(1e20), &settings(64));
    assert!(text.contains("node 'a': has a bias") && text.contains("integer units"), "{text}");
    let mut begins = graph(0.0);
    let notes = Notes { v_init: Some(array(&[], vec![-1e20])), ..Notes::default() };
    begins.node("a", Unit { metadata: notes.to_metadata(), ..integrate(2, 1.0) });
    assert!(refused(&begins, &settings(64)).contains("node 'a': has a bias"));
    let readout = chain(2, vec![("l1", fc(2, 2, 1.0, 1e20)), ("li", leaky(Kind::Li, 2, 4.0))], 2);
    assert!(refused(&readout, &settings(64)).contains("node 'li': has a bias"));
}

/// Was an internal error. In software such neurons are fine: they never fire.
#[test]
fn infinite_thresholds_of_neurons_with_several_spikes_are_refused() {
    let graph = chain(2, vec![("l1", fc(2, 2, 1.0, 0.0)), ("a", integrate(2, f64::INFINITY))], 2);
    let error = import_graph(&graph, "test", SINABS).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input, "{error}");
    assert!(error.to_string().contains("node 'a': has no finite threshold (neuron 0)"), "{error}");
    let input = ArrayD::from_elem(vec![3, 2], 5.0);
    let sent = nir::Executor::new(&graph, SINABS).unwrap().run(&[("input".into(), input)].into()).unwrap();
    assert!(sent.outputs["output"].iter().all(|&x| x == 0.0));
}

/// Was an internal error: hidden currents never were so wide before.
#[test]
fn currents_of_hidden_neurons_that_become_too_wide_are_refused() {
    let notes = Notes { subtract: Some(true), at_threshold: Some(true), spikes: Some(4095), ..Notes::default() };
    let slow = [("tau_syn", 1000.0), ("w_in", 1000.0), ("tau_mem", 4.0), ("r", 4.0), ("v_leak", 0.0)];
    let lasting = slow.iter().fold(Unit::new(Kind::CubaLif), |unit, (name, x)| unit.with(name, all(2, *x)));
    let graph = chain(
        64,
        vec![
            ("l1", fc(512, 64, 1.0, 0.0)),
            ("a", Unit { metadata: notes.to_metadata(), ..integrate(512, 1.0) }),
            ("l2", fc(2, 512, 1.0, 0.0)),
            ("b", lasting.with("v_threshold", all(2, 30.0))),
        ],
        2,
    );
    let snn = import_graph(&graph, "test", Reading { dialect: Dialect::Nir, ..SINABS }).unwrap().snn;
    let wide = LeakySettings { weight_bits: 16, ..settings(1000) };
    let error = quantise_leaky(&snn, &wide).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input, "{error}");
    assert!(error.to_string().contains("node 'b': has currents that can reach"), "{error}");
}

/// The network as `file` is quantised for it.
fn quantised(file: &Path, samples: Option<&Path>, most: Option<u32>) -> QuantGraph {
    let settings = Settings {
        timesteps: 100,
        weight_bits: 16,
        dt: Some(1.0),
        nir_dialect: Some(Dialect::Sinabs),
        encoding: Some(synfire::settings::Encoding::Spikes),
        neuron_spikes_per_step: most,
        ..Settings::spiking()
    };
    SpikingModel::open(file, samples).unwrap().quantise(&settings).unwrap().1
}

/// The fraction bits stayed those of the widest membranes that were tried, with 4095 spikes a step.
#[test]
fn a_readout_behind_measured_neurons_is_as_fine_as_behind_limited_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (file, samples) = (folder.path().join("net.nir"), folder.path().join("x.npy"));
    let nodes = vec![
        ("l1", fc(64, 30, 1.0, 0.0)),
        ("a", integrate(64, 2.0)),
        ("l2", fc(2, 64, 1.0, 0.0)),
        ("li", leaky(Kind::Li, 2, 100.0)),
    ];
    nir::write(&file, &chain(30, nodes, 2)).unwrap();
    let ones: ArrayD<f64> = Array3::ones((1, 100, 30)).into_dyn();
    save_npy(&samples, &ones).unwrap();
    let [measured, limited] = [(Some(&*samples), None), (None, Some(15))].map(|(s, most)| quantised(&file, s, most));
    let Neuron::MultiSpike(a) = &measured.populations[1].neuron else { panic!("{}", measured.dump()) };
    assert_eq!(a.most, 15);
    let align = |net: &QuantGraph| match &net.populations[2].neuron {
        Neuron::Leaky(leaky) => leaky.align,
        other => panic!("{other:?}"),
    };
    assert_eq!(align(&measured), align(&limited));
    assert!(align(&quantised(&file, None, Some(4095))) < align(&limited));
}
