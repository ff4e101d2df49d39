//! Leaky neurons: truncated decays, currents, limits and every reset, in circles.

use super::leaky_networks::{Style, network, random_codes, random_wiring};
use super::{differences, units};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use synfire::convert::nir::export::export;
use synfire::convert::nir::import_graph;
use synfire::frontends::nir::{Kind, Settings};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, QuantGraph};
use synfire::quantise::{LeakySettings, quantise_leaky};

pub fn random(seed: u64) -> (QuantGraph, Vec<Vec<i64>>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sizes: Vec<usize> = (0..4).map(|_| rng.random_range(1..9)).collect();
    let wiring = random_wiring(&mut rng, sizes.len());
    let input = [Input::Constant, Input::Encoded, Input::Train { max: 3 }][seed as usize % 3];
    let net = network(&mut rng, &sizes, &wiring, Style::number(seed), 8 + seed as u32 % 9, input);
    let codes = random_codes(&mut rng, &net, 3);
    (net, codes)
}

#[test]
fn random_recurrent_networks_come_back_with_the_same_integers() {
    let (mut values, mut kinds, mut keys) = (0, BTreeSet::new(), BTreeSet::new());
    for seed in 0..120 {
        let (net, codes) = random(seed);
        let graph = export(&net).unwrap_or_else(|e| panic!("{seed}: {e}")).graph;
        for (_, unit) in units(&graph) {
            kinds.insert(unit.kind);
            keys.extend(unit.metadata.keys().cloned());
        }
        let (differing, all) = differences(&net, &codes);
        assert_eq!(differing, 0, "seed {seed}: of {all}");
        values += all;
    }
    assert!([Kind::Lif, Kind::CubaLif, Kind::Delay].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let notes = ["v_init", "reset", "subtract", "compare", "decay", "limits"].map(|key| format!("synfire_{key}"));
    assert!(notes.iter().all(|key| keys.contains(key)), "{keys:?}");
    assert!(values > 5_000, "{values}");
}

/// NIR → integers → NIR → integers: what has been rounded once stays as it is.
#[test]
fn an_imported_network_survives_the_way_out_and_in_again() {
    let Some(folder) = crate::nir_support::files() else { return };
    let graph = synfire::frontends::nir::read(&folder.join("mnist_lif_784-128-10.nir")).unwrap();
    let quantised = |graph, dt| {
        let import = import_graph(graph, "mnist", Settings { dt, ..Settings::default() }).unwrap();
        quantise_leaky(&import.snn, &LeakySettings::default()).unwrap()
    };
    let net = quantised(&graph, Some(0.001));
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let images = random_codes(&mut rng, &net, 10);
    assert_eq!(differences(&net, &images).0, 0);
    let again = quantised(&export(&net).unwrap().graph, None);
    let [before, after] = [&net, &again].map(|net| Functional::new(net).unwrap());
    for codes in &images {
        assert_eq!(before.image(codes).unwrap().class, after.image(codes).unwrap().class);
    }
}
