//! A network that came from NIR goes back.

use super::differences;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::convert::nir::export::export;
use synfire::convert::nir::import_graph;
use synfire::data::load_trains;
use synfire::frontends::nir::{Dialect, Settings};
use synfire::golden::functional::Functional;
use synfire::ir::PopId;
use synfire::ir::quant::Input;
use synfire::quantise::{LeakySettings, quantise_leaky};

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
    let most = net.max_payload(PopId(0));
    let mut image = || (0..net.codes_per_image()).map(|_| rng.random_range(0..=most)).collect::<Vec<i64>>();
    let images: Vec<_> = (0..10).map(|_| image()).collect();
    assert_eq!(differences(&net, &images).0, 0);
    let again = quantised(&export(&net).unwrap().graph, None);
    let [before, after] = [&net, &again].map(|net| Functional::new(net).unwrap());
    for codes in &images {
        assert_eq!(before.image(codes).unwrap().class, after.image(codes).unwrap().class);
    }
}

/// Neurons that send several spikes in a step, with a floor under their membranes: the notes say so, whatever the dialect.
#[test]
fn several_spikes_in_a_step_survive_the_way_out_and_in_again() {
    let Some(folder) = crate::nir_support::files() else { return };
    let graph = synfire::frontends::nir::read(&folder.join("cnn_nmnist/cnn_sinabs.nir")).unwrap();
    let quantised = |graph, dialect| {
        let import = import_graph(graph, "nmnist", Settings { dt: Some(1.0), dialect }).unwrap();
        let settings = LeakySettings { timesteps: 10, input: Input::Train { max: 8 }, ..LeakySettings::default() };
        quantise_leaky(&import.snn, &settings).unwrap()
    };
    let net = quantised(&graph, Dialect::Sinabs);
    let trains = load_trains(&folder.join("cnn_nmnist/nir4s_nmnist_sample.npy"), net.input_shape()).unwrap();
    let codes = trains.codes(0);
    assert_eq!(differences(&net, std::slice::from_ref(&codes)).0, 0);
    let written = export(&net).unwrap();
    assert!(written.needs.iter().any(|need| need.starts_with("synfire_spikes (5 nodes)")), "{:?}", written.needs);
    let again = quantised(&written.graph, Dialect::Nir);
    let [before, after] = [&net, &again].map(|net| Functional::new(net).unwrap().image(&codes).unwrap());
    assert_eq!(before.class, after.class);
}
