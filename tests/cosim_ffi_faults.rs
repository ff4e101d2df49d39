//! Faults put into a generated design must be found and located.

#[path = "cycle_support/mod.rs"]
mod cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::Array2;
use std::path::Path;
use synfire::cosim::{Mismatch, Pattern, Place, Settings, Simulation, Toolchain};
use synfire::golden::cycle::CycleModel;
use synfire::ir::mapped::{MappedNet, Mode, Payload, UnitKind};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::snn::Synapses;

const PIXELS: usize = 12;
const HIDDEN: usize = 9;

/// image → hidden; image and hidden → readout: a fork, a merge and two event cores of several groups.
fn network() -> MappedNet {
    let mode = Mode::Event { lanes: 4, payload: Payload::Multiply };
    let weights = |post: usize, pre: usize| {
        Array2::from_shape_fn((post, pre), |(n, i)| ((n * 31 + i * 17 + n * i * 5) % 15) as i32 - 5)
    };
    let hidden = Layer {
        neuron: Neuron::If { theta: vec![20; HIDDEN], v_init: vec![10; HIDDEN], bias: vec![0; HIDDEN] },
        mode,
        from: vec![(0, weights(HIDDEN, PIXELS))],
    };
    let readout = Layer {
        neuron: Neuron::Readout { v_init: vec![7; 5] },
        mode,
        from: vec![(0, weights(5, PIXELS)), (1, weights(5, HIDDEN))],
    };
    let layers = [hidden, readout];
    map(quant(Coding::Graded, 15, 4, PIXELS, &layers), &layers)
}

fn images() -> Vec<Vec<i64>> {
    (0..20).map(|image| (0..PIXELS).map(|i| ((image * 7 + i * 5 + image * i) % 16) as i64).collect()).collect()
}

/// What the co-simulation says about the design of `built` with its files changed by `edit`, when the network should be
/// `net`. `None` for nothing, and the outer `None` where tools are missing.
fn verdict(net: &MappedNet, built: &MappedNet, edit: impl Fn(&str, String) -> String) -> Option<Option<Mismatch>> {
    let tools = match Toolchain::find() {
        Ok(found) => Toolchain { cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache"), ..found },
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("ignored: {error}");
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    for file in synfire::rtl::generate(built).unwrap() {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, edit(&file.path, file.text)).unwrap();
    }
    let library = tools.build(folder.path(), &net.top).unwrap();
    let settings = Settings {
        seed: 3,
        input: Pattern::Random { percent: 80 },
        output: Pattern::LongStalls,
        disturb: 200,
        ..Settings::default()
    };
    let mut simulation = Simulation::new(&library, folder.path(), net, 3).unwrap();
    let mut model = CycleModel::new(net);
    let outcome = synfire::cosim::run(net, &mut simulation, &mut model, &images(), &settings, &mut |_| {}).unwrap();
    Some(outcome.mismatch)
}

fn replaced(text: String, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the library has no '{from}' any more: adapt this test");
    text.replacen(from, to, 1)
}

#[test]
fn the_sound_design_passes() {
    let net = network();
    let Some(found) = verdict(&net, &net, |_, text| text) else { return };
    assert_eq!(found, None);
}

#[test]
fn a_flipped_weight_bit_is_located() {
    let net = network();
    let mut faulty = net.clone();
    let Synapses::Dense { weight } = &mut faulty.quant.projections[0].projection.synapses;
    weight[(4, 7)] ^= 1;
    let Some(found) = verdict(&net, &faulty, |_, text| text) else { return };
    let found = found.unwrap();
    let (_, unit, _) = net.cores().next().unwrap();
    assert_eq!(found.place, Place::Membrane { unit: unit.name.clone(), moment: "began" });
    assert_eq!((found.layer.as_str(), found.neuron), ("p1", Some(4)));
    assert_eq!(found.image, images().iter().position(|image| image[7] != 0).unwrap());
}

#[test]
fn a_threshold_off_by_one_is_located() {
    let net = network();
    let mut faulty = net.clone();
    let Neuron::If { theta, .. } = &mut faulty.quant.populations[1].neuron else { panic!("layer 1 fires") };
    theta[2] += 1;
    let Some(found) = verdict(&net, &faulty, |_, text| text) else { return };
    let found = found.unwrap();
    let (_, unit, _) = net.cores().next().unwrap();
    let stream = net.stream(unit.outputs[0]).name.clone();
    assert_eq!(found.place, Place::Stream { stream });
    assert_eq!((found.layer.as_str(), found.neuron), ("p1", Some(2)));
}

#[test]
fn a_spike_lost_while_firing_is_found() {
    let net = network();
    let edit = |path: &str, text: String| match path {
        "rtl/sf_event_core.v" => replaced(text, "(finish && !stall)", "finish"),
        _ => text,
    };
    let Some(found) = verdict(&net, &net, edit) else { return };
    assert!(matches!(found.unwrap().place, Place::Stream { .. }));
}

#[test]
fn a_register_that_reset_forgets_is_found() {
    let net = network();
    let edit = |path: &str, text: String| match path {
        "rtl/sf_event_core.v" => replaced(text, "      group_q <= {GroupBits{1'b0}};\n", ""),
        _ => text,
    };
    let Some(found) = verdict(&net, &net, edit) else { return };
    assert!(found.is_some());
}

#[test]
fn swapped_streams_are_found() {
    let net = network();
    let merge = net.units.iter().find(|u| matches!(u.kind, UnitKind::Merge { .. })).unwrap();
    let name = |port: usize| format!("s_{}_", net.stream(merge.inputs[port]).name);
    let edit = |path: &str, text: String| {
        if path != format!("rtl/{}.v", net.top) {
            return text;
        }
        let start = text.find(&format!(" u_{} (", merge.name)).expect("the merge is in the top");
        let end = start + text[start..].find(");").expect("the instance ends");
        let instance = text[start..end].replace(&name(0), "@").replace(&name(1), &name(0)).replace('@', &name(1));
        // Both ids are as wide as each other here, so the swap is legal Verilog.
        format!("{}{instance}{}", &text[..start], &text[end..])
    };
    let Some(found) = verdict(&net, &net, edit) else { return };
    let found = found.unwrap();
    assert!(matches!(found.place, Place::Stream { .. }), "{found}");
}
