//! Shared by the tests of leaky networks.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use ndarray::{ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use synfire::convert::nir::{Import, import_nir};
use synfire::frontends::nir::{self, Dialect, Executor, Settings};
use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::PopId;
use synfire::ir::quant::{Neuron, QuantGraph};
use synfire::loihi::network::Network;

/// The folder with data sets and models; `None`, with a word about it, where there is none. In CI it must be there.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("SYNFIRE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    // The variable may name the folder of data sets itself.
    let folder = if folder.join("nir").is_dir() { folder } else { folder.join("..") };
    if folder.join("nir").is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no data sets in {}", folder.display());
    eprintln!("ignored: no data sets in {} (set SYNFIRE_DATA)", folder.display());
    None
}

/// A NIR file, for hardware and for the float executor.
pub fn network(path: &Path, dt: f64) -> (Import, Executor) {
    let import = import_nir(path, Some(dt), Dialect::Nir).unwrap();
    let graph = nir::read(path).unwrap();
    (import, Executor::new(&graph, Settings { dt: Some(dt), dialect: Dialect::Nir }).unwrap())
}

/// What the float network makes of a sample `[steps, inputs]`: spikes of every firing node over all steps.
pub fn float_spikes(executor: &Executor, steps: usize, codes: &[i64]) -> BTreeMap<String, Vec<f64>> {
    let port = executor.inputs().remove(0);
    let shape: Vec<usize> = std::iter::once(steps).chain(port.shape).collect();
    let data = ArrayD::from_shape_vec(IxDyn(&shape), codes.iter().map(|&c| c as f64).collect()).unwrap();
    executor.run(&BTreeMap::from([(port.name, data)])).unwrap().spikes
}

/// Random trains of 0 and 1, `[steps, inputs]`.
pub fn random_train(seed: u64, steps: usize, inputs: usize, rate: f64) -> Vec<i64> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    (0..steps * inputs).map(|_| i64::from(rng.random_bool(rate))).collect()
}

/// What the network answers to a sample, after every expressible population has been compared with the Loihi equations step by
/// step: its spikes, and its membranes at the end.
pub fn agrees_with_loihi(net: &QuantGraph, functional: &Functional, loihi: &Network, codes: &[i64]) -> Outcome {
    let outcome = functional.image_by_phase(codes).unwrap();
    let phases = outcome.phases.as_ref().unwrap();
    let observed: Vec<Vec<Vec<i64>>> = phases
        .iter()
        .map(|phase| {
            phase
                .iter()
                .zip(&net.populations)
                .map(|(sent, p)| if sent.is_empty() { vec![0; p.shape.len()] } else { sent.clone() })
                .collect()
        })
        .collect();
    let responses = loihi.run_image(&observed).unwrap();
    for coverage in loihi.coverage().iter().filter(|c| c.fields_fit) {
        let pop = coverage.population.0;
        let name = &net.populations[pop].name;
        let response = responses[pop].as_ref().unwrap();
        if response.overflows > 0 {
            assert!(!coverage.expressible, "'{name}' overflows a register");
            continue;
        }
        if !matches!(net.populations[pop].neuron, Neuron::Readout { .. }) {
            for (t, (phase, answer)) in observed.iter().zip(&response.phases).enumerate() {
                assert_eq!(phase[pop], answer.spikes, "'{name}' in step {t}");
            }
        }
        // Of other neurons, the functional model gives the membranes before they fire.
        if !matches!(net.populations[pop].neuron, Neuron::If { .. } | Neuron::Pool { .. }) {
            assert_eq!(outcome.membranes[pop], response.membranes(), "'{name}'");
        }
    }
    outcome
}

/// The populations that are Loihi 2's, or why not.
pub fn loihi_report(net: &QuantGraph) -> Vec<(String, Vec<String>)> {
    let network = Network::new(net);
    network.coverage().iter().map(|c| (net.population(PopId(c.population.0)).name.clone(), c.reasons.clone())).collect()
}
