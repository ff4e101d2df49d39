//! NIR files and recorded spike trains through the built program: compile, inspect, run, cosim and the emitted bench.

use crate::cli_support;
use crate::data_support;
#[path = "../cli_spiking/bounds.rs"]
mod bounds;
#[path = "../cli_spiking/hardware.rs"]
mod hardware;
#[path = "../cli_spiking/refusals.rs"]
mod refusals;
#[path = "../cli_spiking/windows.rs"]
mod windows;

use cli_support::{Outcome, Scratch, npy};
use ndarray::{Array2, Array3};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::fs;
use synfire::data::encode_spikes;
use synfire::frontends::nir::{self, Array, Data, Kind, NirGraph, Unit};

const STEPS: usize = 12;

fn array(shape: &[usize], values: Vec<f64>) -> Array {
    Array::new(shape.to_vec(), Data::F64(values)).unwrap()
}

fn affine(rng: &mut ChaCha8Rng, outputs: usize, inputs: usize) -> Unit {
    let mut weights: Vec<f64> = (0..outputs * inputs).map(|_| f64::from(rng.random_range(-60..90))).collect();
    // With a weight of 127 in every row, 8 bits hold the weights as they are.
    weights.chunks_mut(inputs).for_each(|row| row[rng.random_range(0..inputs)] = 127.0);
    let bias = (0..outputs).map(|_| f64::from(rng.random_range(-6..12))).collect();
    Unit::new(Kind::Affine).with("weight", array(&[outputs, inputs], weights)).with("bias", array(&[outputs], bias))
}

fn neurons(n: usize, theta: f64) -> Unit {
    Unit::new(Kind::If)
        .with("r", array(&[n], vec![1.0; n]))
        .with("v_threshold", array(&[n], vec![theta; n]))
        .with("v_reset", array(&[n], vec![0.0; n]))
}

/// 6 inputs, 5 recurrent neurons, 3 neurons whose spikes are counted; all weights and thresholds are whole.
fn network() -> NirGraph {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let port = |kind, n: usize| Unit::new(kind).with("shape", Array::integers([n]));
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, 6)).node("output", port(Kind::Output, 3));
    graph.node("fc1", affine(rng, 5, 6)).node("if1", neurons(5, 150.0)).node("rec", affine(rng, 5, 5));
    graph.node("fc2", affine(rng, 3, 5)).node("if2", neurons(3, 120.0));
    for path in [&["input", "fc1", "if1", "fc2", "if2", "output"][..], &["if1", "rec", "if1"]] {
        path.windows(2).for_each(|edge| {
            graph.edge(edge[0], edge[1]);
        });
    }
    graph
}

/// Trains of `0..=most` for six inputs, `[samples, STEPS, 6]`.
fn trains(samples: usize, most: u8) -> Array3<u8> {
    let rng = &mut ChaCha8Rng::seed_from_u64(9);
    Array3::from_shape_simple_fn(
        (samples, STEPS, 6),
        || if rng.random_bool(0.4) { rng.random_range(1..=most) } else { 0 },
    )
}

/// A folder with `net.nir`, `images.npy` and `labels.npy` (32), `trains.npy` (8 of 0 and 1) and `counts.npy` (8 of 0 to 3).
fn scratch() -> Scratch {
    let s = Scratch::new();
    s.file("net.nir", &nir::to_bytes(&network()).unwrap());
    s.file("trains.npy", &npy(&trains(8, 1)));
    s.file("counts.npy", &npy(&trains(8, 3)));
    s
}

fn succeeds(s: &Scratch, args: &[&str]) -> Outcome {
    let outcome = s.run(args);
    assert_eq!(outcome.code, 0, "{args:?}\n{}\n{}", outcome.out, outcome.err);
    outcome
}

fn compile(s: &Scratch, out: &str, options: &[&str]) -> Outcome {
    succeeds(s, &[&["compile", "net.nir", "--timesteps", "12", "--out", out], options].concat())
}

fn report(s: &Scratch, args: &[&str]) -> Value {
    serde_json::from_str(&succeeds(s, &[args, &["--json", "-"]].concat()).out).unwrap()
}

#[test]
fn content_tells_a_nir_file_and_its_design_holds_what_was_used() {
    let s = scratch();
    fs::rename(s.at("net.nir"), s.at("net.onnx")).unwrap();
    succeeds(&s, &["compile", "net.onnx", "--out", "design"]);
    let design = s.json("design/design.json");
    assert_eq!(
        design["settings"],
        json!({
            "target": "ecp5-25k", "timesteps": 16, "weight-bits": 8, "input-bits": 8, "coding": "rate", "mode": "auto",
            "lanes": null, "rows": null, "payload": null, "banks": "auto", "normalize": null, "calibration-limit": 512,
            "bias-calibration": false, "encoding": "rate", "dt": 1.0, "nir-dialect": "nir", "arithmetic": "auto", "layers": {}
        })
    );
    assert_eq!(design["origin"]["calibration_images"], 0);
    assert!(
        design["net"]["decisions"][0].as_str().unwrap().starts_with("time step 1 s (1, as for networks without units)")
    );
    assert_eq!(fs::read(s.at("design/model/source.nir")).unwrap(), fs::read(s.at("net.onnx")).unwrap());
    assert!(!s.at("design/model/source.onnx").exists());
    let readme = fs::read_to_string(s.at("design/README.md")).unwrap();
    assert!(readme.contains("for each input that spikes in this time step") && readme.contains("a sample has 16"));
}

#[test]
fn settings_of_the_file_the_line_and_the_layers_are_used() {
    let s = scratch();
    let file = "timesteps = 12\nencoding = 'spikes'\nspikes-per-step = 3\ndt = 0.5\nnir-dialect = 'snntorch'\n\
        arithmetic = 'free'\nweight-bits = 6\nmode = 'event'\n[layers.rec]\nweight-bits = 5\n[layers.if2]\nmode = 'matrix'\nlanes = 2\nrows = 4\n";
    s.file("s.toml", file.as_bytes());
    succeeds(&s, &["compile", "net.nir", "--config", "s.toml", "--dt", "1", "--nir-dialect", "nir", "--out", "design"]);
    let design = s.json("design/design.json");
    let settings = &design["settings"];
    assert_eq!((&settings["encoding"], &settings["spikes-per-step"]), (&json!("spikes"), &json!(3)));
    assert_eq!(
        (&settings["dt"], &settings["nir-dialect"], &settings["arithmetic"]),
        (&json!(1.0), &json!("nir"), &json!("free"))
    );
    assert_eq!(design["net"]["quant"]["input"], json!({"input": "train", "max": 3}));
    let bits: Vec<(&str, u64)> = design["net"]["quant"]["projections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["name"].as_str().unwrap(), p["weight_bits"].as_u64().unwrap()))
        .collect();
    assert_eq!(bits, [("fc1", 6), ("rec", 5), ("fc2", 6), ("if2 to output", 2)]);
    let core = |name: &str| {
        let units = design["net"]["units"].as_array().unwrap();
        units.iter().find(|u| u["name"] == name).unwrap()["kind"]["mode"].clone()
    };
    assert_eq!(core("if2"), json!({"mode": "matrix", "lanes": 2, "rows": 4}));
    assert_eq!(core("if1")["mode"], "event");
}

#[test]
fn every_stage_of_the_file_is_that_of_its_design() {
    let s = scratch();
    let options = ["--encoding", "spikes", "--spikes-per-step", "2", "--weight-bits", "6"];
    compile(&s, "design", &options);
    for (stage, part) in [
        ("graph", "node \"if1\" IF 5 -> 5"),
        ("snn", "\"rec\""),
        ("quant", "input=train"),
        ("mapped", "if1"),
        ("rtl", "module"),
    ] {
        let of_file =
            succeeds(&s, &[&["inspect", "net.nir", "--stage", stage, "--timesteps", "12"], &options[..]].concat());
        let of_design = succeeds(&s, &["inspect", "design", "--stage", stage]);
        assert_eq!(of_file.out, of_design.out);
        assert!(of_file.out.contains(part), "{stage}: no '{part}' in {}", of_file.out);
    }
}

/// sinabs' neurons: each layer gets the bits that the samples need, wherever the network is quantised.
#[test]
fn samples_say_how_many_spikes_a_neuron_sends_in_a_step() {
    let s = scratch();
    let options = ["--nir-dialect", "sinabs", "--calibrate", "images.npy"];
    compile(&s, "design", &options);
    let quant = ["inspect", "net.nir", "--stage", "quant", "--timesteps", "12"];
    let of_file = succeeds(&s, &[&quant[..], &options[..]].concat());
    assert_eq!(of_file.out, succeeds(&s, &["inspect", "design", "--stage", "quant"]).out);
    let decisions = s.json("design/design.json")["net"]["decisions"].to_string();
    for part in ["most spikes of a neuron in a step: if1: ", "none held back more"] {
        assert!(decisions.contains(part), "no '{part}' in {decisions}");
    }
    let held = |design: &str| {
        report(&s, &["run", design, "--images", "images.npy", "--metrics", "0"])["held_back_spikes"].clone()
    };
    compile(&s, "least", &[&options[..], &["--neuron-spikes-per-step", "1"]].concat());
    assert!(held("design") == 0 && held("least").as_u64() > Some(0), "{} {}", held("design"), held("least"));
}

/// Nothing is rounded, so the integers must agree with the double-precision executor in every sample.
#[test]
fn images_and_their_spikes_give_the_same_answers_as_in_float() {
    let s = scratch();
    compile(&s, "design", &[]);
    let images: Array2<u8> = ndarray_npy::read_npy(s.at("images.npy")).unwrap();
    let spikes: Vec<u8> = images
        .rows()
        .into_iter()
        .flat_map(|row| encode_spikes(&row.mapv(i64::from).to_vec(), 255, STEPS))
        .map(|spike| spike as u8)
        .collect();
    let spikes = Array3::from_shape_vec((images.nrows(), STEPS, 6), spikes).unwrap();
    s.file("spikes.npy", &npy(&spikes));
    s.file("flat.npy", &npy(&spikes.map(|&spike| f64::from(spike))));
    let run = |file: &str| {
        let mut result = report(&s, &["run", "design", "--images", file, "--labels", "labels.npy"]);
        for clock in ["images_per_second", "float_images_per_second"] {
            assert!(result.as_object_mut().unwrap().remove(clock).unwrap().as_f64().unwrap() > 0.0);
        }
        result
    };
    let pixels = run("images.npy");
    assert_eq!((&pixels["images"], &pixels["agreement"], &pixels["warnings"]), (&json!(32), &json!(1.0), &json!([])));
    assert_eq!(pixels["accuracy"], pixels["float_accuracy"]);
    assert!(pixels["spikes_per_neuron"].as_f64().unwrap() > 0.5, "nobody fires: {pixels}");
    // Spikes are accumulations, not multiplications: one for each spike and weight that are not 0, in whichever step.
    assert_eq!(pixels["metrics"]["total"]["effective_macs"], 0.0);
    let connections = pixels["metrics"]["layers"][0]["connections"].as_array().unwrap();
    let weights: Array2<i32> = ndarray_npy::read_npy(s.at("design/model/projection_0.npy")).unwrap();
    let sent = |input: usize| spikes.slice(ndarray::s![.., .., input]).iter().filter(|&&spike| spike > 0).count();
    let reached = |input: usize| weights.column(input).iter().filter(|&&w| w != 0).count();
    let met: usize = (0..6).map(|input| sent(input) * reached(input)).sum();
    assert_eq!(connections.iter().find(|c| c["source"] == "fc1").unwrap()["effective_acs"], met as f64 / 32.0);
    assert_eq!(pixels, run("spikes.npy"));
    assert_eq!(pixels, run("flat.npy"));
    let text = succeeds(&s, &["run", "design", "--images", "spikes.npy", "--limit", "1", "--metrics", "0"]).out;
    assert!(text.starts_with("1 spike train\n"), "{text}");
}

#[test]
fn several_spikes_in_a_step_and_constant_pixels_are_read_too() {
    let s = scratch();
    compile(&s, "counted", &["--encoding", "spikes", "--spikes-per-step", "3"]);
    let counted = report(&s, &["run", "counted", "--images", "counts.npy"]);
    assert_eq!(
        (&counted["images"], &counted["agreement"], &counted["accuracy"]),
        (&json!(8), &json!(1.0), &Value::Null)
    );
    assert!(counted["spikes_per_neuron"].as_f64().unwrap() > 0.5, "{counted}");
    assert!(counted["metrics"]["layers"][0]["effective_macs"].as_f64().unwrap() > 0.0);

    compile(&s, "constant", &["--encoding", "constant", "--weight-bits", "16"]);
    let constant = report(&s, &["run", "constant", "--images", "images.npy", "--labels", "labels.npy"]);
    assert!(
        constant["agreement"].as_f64().unwrap() > 0.9 && constant["spikes_per_neuron"].as_f64().unwrap() > 0.5,
        "{constant}"
    );
}

#[test]
fn a_sweep_quantises_the_nir_file_anew() {
    let s = scratch();
    compile(&s, "design", &[]);
    let points =
        |file: &str| report(&s, &["run", "design", "--images", file, "--metrics", "0", "--sweep"])["sweep"].clone();
    let (images, trains) = (points("images.npy"), points("trains.npy"));
    assert_eq!((images.as_array().unwrap().len(), trains.as_array().unwrap().len()), (20, 5));
    assert!(trains.as_array().unwrap().iter().all(|p| p["timesteps"] == 12 && p["coding"] == "rate"));
    let text = succeeds(&s, &["run", "design", "--images", "trains.npy", "--metrics", "0", "--sweep"]).out;
    assert!(text.contains("T = 12") && !text.contains("two-phase"), "{text}");
    s.refused(
        2,
        &["run", "design", "--images", "images.npy", "--sweep", "--calibrate", "images.npy"],
        &["the design is of a NIR network, which has nothing to calibrate", "help: leave out --calibrate"],
    );
}
