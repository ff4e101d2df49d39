//! The bench under Icarus, and the co-simulation under Verilator.

use super::*;
use std::path::Path;
use std::process::Command;
use synfire::cosim::Toolchain;
use synfire::flow::{Tool, tools};

/// The bench sends samples of the given file, or random ones, phase by phase.
#[test]
fn the_bench_of_every_encoding_passes_under_icarus() {
    let found = tools::find(Tool::Iverilog).and_then(|iverilog| Ok((iverilog, tools::find(Tool::Vvp)?)));
    let (iverilog, vvp) = match found {
        Ok(found) => found,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("ignored: {error}");
            return;
        }
    };
    let s = scratch();
    let sinabs = ["--nir-dialect", "sinabs", "--neuron-spikes-per-step", "5", "--calibrate", "images.npy"];
    let cases: [(&[&str], usize); 6] = [
        (&[], 4),
        (&["--calibrate", "images.npy"], 4),
        (&["--calibrate", "trains.npy", "--calibration-limit", "3"], 3),
        (&["--encoding", "constant", "--weight-bits", "16", "--calibrate", "images.npy"], 4),
        (&["--encoding", "spikes", "--spikes-per-step", "3", "--calibrate", "counts.npy"], 4),
        (&sinabs, 4),
    ];
    for (options, samples) in cases {
        compile(&s, "design", &[options, &["--force"]].concat());
        let run = |mut command: Command, line: &str| {
            let output = command.args(line.split(' ')).current_dir(s.at("design")).output().unwrap();
            (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
        };
        let mut verilog: Vec<String> = fs::read_dir(s.at("design/rtl"))
            .unwrap()
            .map(|file| format!("rtl/{}", file.unwrap().file_name().to_string_lossy()))
            .collect();
        verilog.sort();
        let (done, text) = run(iverilog.command(), &format!("-g2005 -o tb/tb.vvp tb/tb.v {}", verilog.join(" ")));
        assert!(done, "{options:?}: {text}");
        let (passed, text) = run(vvp.command(), "-N tb/tb.vvp");
        // Three logits and an end of phase a sample; an end of phase for each of the steps.
        assert!(passed && text.contains(&format!("PASS: {} beats", 4 * samples)), "{options:?}: {text}");
        let inputs = fs::read_to_string(s.at("design/tb/input.hex")).unwrap();
        assert!(inputs.lines().count() > samples * STEPS, "{options:?}: silent input");
    }
}

pub fn toolchain() -> bool {
    Toolchain::find()
        .map_err(|error| {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("ignored: {error}");
        })
        .is_ok()
}

/// The co-simulation of a design in `folder`, without the bound on memory that other commands get: it runs a C++ compiler.
pub fn cosim(folder: &Path, args: &[&str]) -> (String, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synfire"));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache");
    command.arg("cosim").args(args).args(["--json", "cosim.json"]).current_dir(folder).env("SYNFIRE_CACHE", cache);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{args:?}: {text}");
    (text, serde_json::from_slice(&fs::read(folder.join("cosim.json")).unwrap()).unwrap())
}

pub fn no_mismatches(report: &Value) {
    for key in ["mismatches", "functional_mismatches", "loihi_mismatches"] {
        assert_eq!(report[key], 0, "{report}");
    }
    assert!(report["comparisons"].as_u64().unwrap() > 0 && report["functional_comparisons"].as_u64().unwrap() > 0);
}

#[test]
fn the_hardware_agrees_on_recorded_trains_and_is_loihis() {
    if !toolchain() {
        return;
    }
    let s = scratch();
    compile(&s, "design", &["--encoding", "spikes", "--spikes-per-step", "3", "--mode", "event"]);
    let (text, report) =
        cosim(s.path(), &["design", "--images", "counts.npy", "--back-pressure", "random:40", "--input", "bursts"]);
    no_mismatches(&report);
    // Per sample: inputs, hidden and output spikes in every step, and three logits.
    assert_eq!(
        (&report["images"], &report["functional_comparisons"]),
        (&json!(8), &json!(8 * (STEPS * (6 + 5 + 3) + 3)))
    );
    let compared: Vec<u64> =
        report["loihi"].as_array().unwrap().iter().map(|l| l["compared"].as_u64().unwrap()).collect();
    assert_eq!(compared, [8 * 12 * 5, 8 * 12 * 3, 8 * 3]);
    assert!(text.starts_with("8 spike trains, ") && text.contains("reset to 0, as on the chip"), "{text}");
    assert!(text.contains("the quantisation makes it so") && !text.contains("unlike"), "{text}");
}

/// The answer is the membrane at the end of the last step: of the float network, of the integers, of the hardware, of Loihi 2.
#[test]
fn a_leaky_readout_answers_with_its_last_membranes() {
    let s = scratch();
    let all = |x: f64| array(&[3], vec![x; 3]);
    let mut graph = network();
    graph.node("if2", Unit::new(Kind::Li).with("tau", all(4.0)).with("r", all(4.0)).with("v_leak", all(2.0)));
    s.file("net.nir", &nir::to_bytes(&graph).unwrap());
    compile(&s, "design", &["--encoding", "spikes", "--spikes-per-step", "3", "--mode", "matrix"]);
    let run = report(&s, &["run", "design", "--images", "counts.npy", "--metrics", "8"]);
    assert_eq!((&run["agreement"], &run["clamped_membranes"]), (&json!(1.0), &json!(0)), "{run}");
    assert!(run.to_string().contains("leaky readout"), "{run}");
    if !toolchain() {
        return;
    }
    let (text, report) =
        cosim(s.path(), &["design", "--images", "counts.npy", "--back-pressure", "random:40", "--input", "bursts"]);
    no_mismatches(&report);
    // Per sample: inputs and hidden spikes in every step, and three logits; Loihi 2 computes the neurons.
    assert_eq!(report["functional_comparisons"], 8 * (STEPS * (6 + 5) + 3));
    let compared = |layer: usize| report["loihi"][layer]["compared"].as_u64().unwrap();
    assert_eq!([0, 1].map(compared), [8 * 12 * 5, 8 * 3]);
    assert!(text.contains("(leaky integrator, no threshold)"), "{text}");
}

/// A file of the shared data.
fn shared(name: &str) -> Option<String> {
    data_support::shared().map(|root| root.join(name).to_str().unwrap().to_string())
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn mnist_lif_keeps_its_accuracy() {
    let (Some(file), Some(images), Some(labels)) = (
        shared("nir/mnist_lif_784-128-10.nir"),
        shared("data/mnist/t10k-images-idx3-ubyte.gz"),
        shared("data/mnist/t10k-labels-idx1-ubyte.gz"),
    ) else {
        return;
    };
    let s = Scratch::new();
    s.refused(
        2,
        &["compile", &file, "--out", "design"],
        &["needs a time step, which NIR does not store", "help: add --dt SECONDS"],
    );
    succeeds(&s, &["compile", &file, "--dt", "0.001", "--out", "design"]);
    let run = report(&s, &["run", "design", "--images", &images, "--labels", &labels, "--metrics", "0"]);
    println!("{run}");
    assert_eq!(run["float_accuracy"], 0.9636);
    assert!(run["accuracy"].as_f64().unwrap() >= 0.961 && run["agreement"].as_f64().unwrap() > 0.99, "{run}");
}

/// 200 images of 16 steps, in every layer and step also by the Loihi 2 equations.
#[test]
#[ignore = "takes a minute: cargo test --release --test cli mnist -- --ignored"]
fn mnist_lif_agrees_and_is_loihis() {
    let (Some(file), Some(images), Some(labels)) = (
        shared("nir/mnist_lif_784-128-10.nir"),
        shared("data/mnist/t10k-images-idx3-ubyte.gz"),
        shared("data/mnist/t10k-labels-idx1-ubyte.gz"),
    ) else {
        return;
    };
    if !toolchain() {
        return;
    }
    let s = Scratch::new();
    succeeds(&s, &["compile", &file, "--dt", "0.001", "--out", "design"]);
    let (text, report) = cosim(s.path(), &["design", "--images", &images, "--labels", &labels, "--limit", "200"]);
    println!("{text}");
    no_mismatches(&report);
    let compared = |layer: usize| report["loihi"][layer]["compared"].as_u64().unwrap();
    assert_eq!([0, 1, 2].map(compared), [200 * 16 * 128, 200 * 16 * 10, 200 * 10]);
    assert!(report["accuracy"].as_f64().unwrap() >= 0.96);
}

/// The population that turns constant currents into spikes has weights of zero, and fires all the same.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn a_population_that_needs_no_input_is_not_warned_of() {
    let Some(file) = shared("nir/braille/braille_noDelay_bias_zero.nir") else { return };
    let s = Scratch::new();
    let text = succeeds(&s, &["compile", &file, "--dt", "1e-4", "--timesteps", "256", "--out", "design"]).out;
    assert!(text.contains("always on") && !text.contains("warning"), "{text}");
}

/// Recurrent neurons with a synaptic current, 100 random trains of 256 steps of growing density, every wire in every cycle.
#[test]
#[ignore = "takes a minute: cargo test --release --test cli braille -- --ignored"]
fn braille_agrees_over_a_hundred_trains() {
    let Some(file) = shared("nir/braille/braille_noDelay_bias_zero.nir") else { return };
    if !toolchain() {
        return;
    }
    let s = Scratch::new();
    let rng = &mut ChaCha8Rng::seed_from_u64(20);
    let trains = Array3::from_shape_fn((100, 256, 12), |(i, ..)| rng.random_bool(0.02 + 0.002 * i as f64));
    s.file("trains.npy", &npy(&trains));
    succeeds(&s, &["compile", &file, "--dt", "1e-4", "--timesteps", "256", "--out", "design"]);
    let (text, report) = cosim(s.path(), &["design", "--images", "trains.npy"]);
    println!("{text}");
    no_mismatches(&report);
    assert_eq!(report["images"], 100);
}

/// Convolutions on a recorded sample: class 6 by NIR's equations, class 0 by those of sinabs, in hardware as in float.
#[test]
#[ignore = "takes two minutes: cargo test --release --test cli nmnist -- --ignored"]
fn nmnist_agrees_on_the_recorded_sample() {
    let (Some(file), Some(sample)) =
        (shared("nir/cnn_nmnist/cnn_sinabs.nir"), shared("nir/cnn_nmnist/nir4s_nmnist_sample.npy"))
    else {
        return;
    };
    if !toolchain() {
        return;
    }
    let s = Scratch::new();
    let options = ["--timesteps", "10", "--encoding", "spikes", "--spikes-per-step", "8", "--target", "ecp5-85k"];
    for (dialect, class) in [("nir", 6i64), ("sinabs", 0)] {
        let convention = ["--nir-dialect", dialect, "--calibrate", &sample, "--out", dialect];
        succeeds(&s, &[&["compile", &file], &convention[..], &options[..]].concat());
        s.file("class.npy", &npy(&ndarray::arr1(&[class])));
        let run = report(&s, &["run", dialect, "--images", &sample, "--labels", "class.npy"]);
        assert_eq!((&run["accuracy"], &run["float_accuracy"]), (&json!(1.0), &json!(1.0)), "{dialect}");
        let (text, report) = cosim(s.path(), &[dialect, "--images", &sample, "--labels", "class.npy"]);
        println!("{dialect}: {text}");
        no_mismatches(&report);
        assert_eq!(report["accuracy"], 1.0, "{dialect}");
    }
}
