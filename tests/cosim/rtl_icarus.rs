//! The emitted Verilog: clean under Verilator's lint, and its own bench passes under Icarus, a four-state simulator, with what the
//! functional model says.

use crate::cycle_support;
use crate::rtl_support;

use cycle_support::{Layer, quant};
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rtl_support::{Tools, vectors};
use std::collections::BTreeMap;
use synfire::ir::mapped::{Mode, Payload, Target};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::Beat;
use synfire::map::{LayerChoice, MapRequest, ModeChoice, WeightsChoice};

const CODINGS: [Coding; 3] = [Coding::Graded, Coding::Unit, Coding::Rate];
const TARGETS: [Target; 6] =
    [Target::Ecp5_25k, Target::Ecp5_85k, Target::Ice40Hx8k, Target::Ice40Up5k, Target::Xc7, Target::Generic];

fn random_images(rng: &mut impl Rng, count: usize, pixels: usize, bits: u32) -> Vec<Vec<i64>> {
    let mut pixel = || if rng.random_bool(0.5) { rng.random_range(0..(1i64 << bits)) } else { 0 };
    (0..count).map(|_| (0..pixels).map(|_| pixel()).collect()).collect()
}

/// Inputs, hidden neurons and classes of the network that is laid out in every way. 19 is a multiple of no number of lanes
/// but its own.
const SIZES: [usize; 3] = [11, 19, 5];

/// A network of `sizes` with random parameters.
fn small(coding: Coding, sizes: [usize; 3]) -> synfire::ir::quant::QuantGraph {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let [inputs, hidden, classes] = sizes;
    let mut weights = |post, pre| Array2::from_shape_simple_fn((post, pre), || rng.random_range(-31..=31));
    let bias = if coding == Coding::Rate { 2 } else { 0 };
    let mode = Mode::Event { lanes: 1, payload: Payload::Multiply };
    let neuron = Neuron::If { theta: vec![45; hidden], v_init: vec![22; hidden], bias: vec![bias; hidden] };
    let layers = [
        Layer { neuron, mode, from: vec![(0, weights(hidden, inputs))] },
        Layer { neuron: Neuron::Readout { v_init: vec![3; classes] }, mode, from: vec![(1, weights(classes, hidden))] },
    ];
    quant(coding, 6, 4, inputs, &layers)
}

/// Every kind of core in `coding`, as what is asked of the mapper.
fn layouts(coding: Coding) -> Vec<(&'static str, MapRequest)> {
    let asked = |mode, rows, payload| MapRequest { mode, rows, payload, ..MapRequest::new(Target::Generic) };
    let mut matrix = asked(ModeChoice::Matrix, Some(4), None);
    if coding == Coding::Unit {
        // Unit spikes are for event cores.
        let readout = LayerChoice { mode: Some(ModeChoice::Event), rows: Some(1), ..LayerChoice::default() };
        matrix.overrides = BTreeMap::from([("p2".to_string(), readout)]);
    }
    vec![
        ("event, multiply", asked(ModeChoice::Event, None, Some(Payload::Multiply))),
        ("event, shift-add", asked(ModeChoice::Event, None, Some(Payload::ShiftAdd))),
        ("matrix", matrix),
        (
            "external weights",
            MapRequest { weights: WeightsChoice::External, ..asked(ModeChoice::Event, None, Some(Payload::Multiply)) },
        ),
    ]
}

/// Lays `small` out as asked and checks it.
fn check_mapped(tools: &Tools, coding: Coding, sizes: [usize; 3], request: &MapRequest, what: &str) {
    let net = synfire::map::map(small(coding, sizes), request).unwrap_or_else(|e| panic!("{what}: {e}"));
    let images = random_images(&mut ChaCha8Rng::seed_from_u64(5), 3, sizes[0], 4);
    tools.check(&net, &images, what);
}

#[test]
fn every_coding_mode_payload_and_number_of_lanes() {
    let Some(tools) = Tools::find() else { return };
    let mut cases = Vec::new();
    for coding in CODINGS {
        for (name, request) in layouts(coding) {
            for (lanes, sizes) in [(1, SIZES), (3, SIZES), (19, SIZES), (64, SIZES), (3, [1, 1, 1])] {
                cases.push((coding, sizes, MapRequest { lanes: Some(lanes), ..request.clone() }, name));
            }
        }
    }
    cases.par_iter().for_each(|(coding, sizes, request, name)| {
        check_mapped(
            &tools,
            *coding,
            *sizes,
            request,
            &format!("{coding:?}, {name}, {:?} lanes, {sizes:?}", request.lanes),
        );
    });
}

#[test]
fn every_target() {
    let Some(tools) = Tools::find() else { return };
    let mut cases = Vec::new();
    // The coding changes nothing in what a target is given: the memories' attributes and the default number of rows.
    for (name, request) in layouts(Coding::Graded) {
        cases.extend(TARGETS.map(|target| (MapRequest { target, rows: None, ..request.clone() }, name)));
    }
    cases.par_iter().for_each(|(request, name)| {
        check_mapped(&tools, Coding::Graded, SIZES, request, &format!("{name}, {}", request.target.name()));
    });
}

#[test]
fn the_bench_brings_a_memory_of_any_latency_for_external_weights() {
    let Some(tools) = Tools::find() else { return };
    let request = MapRequest { weights: WeightsChoice::External, lanes: Some(4), ..MapRequest::new(Target::Generic) };
    let net = synfire::map::map(small(Coding::Graded, SIZES), &request).unwrap();
    let vectors = vectors(&net, &random_images(&mut ChaCha8Rng::seed_from_u64(5), 3, SIZES[0], 4));
    let bench = tools.build(&net, &vectors, "external weights");
    let cycles = ["+latency=1", "+latency=90", "+spread=40"].map(|memory| {
        let (passed, text) = tools.simulate(&bench, memory);
        assert!(passed, "{memory}: {text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(2).find(|w| w[1] == "cycles,").map(|w| w[0].parse::<u64>().unwrap()).unwrap()
    });
    assert!(cycles[1] > cycles[0] && cycles[2] > cycles[0], "{cycles:?}");
}

/// It once stopped at the last beat that it expected, and its exit code was always 0.
#[test]
fn the_bench_fails_with_an_exit_code_for_wrong_missing_and_additional_beats() {
    let Some(tools) = Tools::find() else { return };
    let net = synfire::map::map(small(Coding::Graded, SIZES), &MapRequest::new(Target::Generic)).unwrap();
    let right = vectors(&net, &random_images(&mut ChaCha8Rng::seed_from_u64(5), 3, SIZES[0], 4));
    let changed = |change: &dyn Fn(&mut Vec<Beat>)| {
        let mut vectors = right.clone();
        change(&mut vectors.outputs);
        vectors
    };
    let outputs = right.outputs.len();
    for (vectors, said) in [
        (changed(&|_| ()), "PASS: ".to_string()),
        (changed(&|o| o[2].value += 1), format!("FAIL: 1 of {outputs} beats differ, 0 came after")),
        (changed(&|o| _ = o.pop()), format!("FAIL: 0 of {} beats differ, 1 came after", outputs - 1)),
        // A whole image more than expected: it comes long after the last beat that is.
        (changed(&|o| o.truncate(outputs / 3 * 2)), format!("differ, {} came after", outputs / 3)),
        (changed(&|o| o.push(Beat::END)), format!("after {outputs} of {} beats", outputs + 1)),
    ] {
        let bench = tools.build(&net, &vectors, &said);
        for stall in ["+stall=0", "+stall=1"] {
            let (passed, text) = tools.simulate(&bench, stall);
            assert!(text.contains(&said), "no '{said}' in {text}");
            assert_eq!(passed, said.starts_with("PASS"), "{text}");
        }
    }
}
