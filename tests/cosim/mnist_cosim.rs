//! The 784-128-10 network on MNIST: generated Verilog in Verilator against the cycle model, the functional golden model and
//! the Loihi 2 equations.

use crate::cosim_support;

use cosim_support::{Built, Codes, Mnist, mnist, synfire_json, toolchain};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use synfire::cosim::{Pattern, Settings as Run};
use synfire::ir::mapped::{Payload, Target};
use synfire::ir::quant::Coding;
use synfire::loihi::network::Network;
use synfire::settings::{Count, LayerSettings, ModeChoice, Settings, WeightsChoice};

const HIDDEN: &str = "/n/n.2/Relu";

/// Event cores of 16 lanes on no particular device.
fn event() -> Settings {
    Settings {
        target: Target::Generic,
        mode: ModeChoice::Event,
        lanes: Some(16),
        payload: Some(Payload::Multiply),
        ..Settings::default()
    }
}

/// Matrix cores of 8 rows and 16 lanes on no particular device.
fn matrix() -> Settings {
    Settings {
        target: Target::Generic,
        mode: ModeChoice::Matrix,
        lanes: Some(16),
        rows: Some(8),
        ..Settings::default()
    }
}

/// `synfire cosim` on the first `limit` test images; it must end with success.
fn cosim(built: &Built, mnist: &Mnist, limit: usize, more: &[&dyn AsRef<OsStr>]) -> Value {
    let (path, limit) = (built.path(), limit.to_string());
    let mut args: Vec<&dyn AsRef<OsStr>> = vec![&"cosim", &path, &"--images", &mnist.test_file];
    args.extend([&"--labels" as &dyn AsRef<OsStr>, &mnist.labels_file, &"--limit", &limit]);
    args.extend(more);
    let (code, report, output) = synfire_json(&args);
    assert_eq!(code, 0, "{}", String::from_utf8_lossy(&output.stderr));
    report
}

/// The functional golden model's accuracy on the same images.
fn golden_accuracy(built: &Built, mnist: &Mnist, limit: usize) -> f64 {
    let (path, limit) = (built.path(), limit.to_string());
    let (code, report, _) = synfire_json(&[
        &"run",
        &path,
        &"--images",
        &mnist.test_file,
        &"--labels",
        &mnist.labels_file,
        &"--limit",
        &limit,
    ]);
    assert_eq!((code, &report["images"]), (0, &json!(limit.parse::<u64>().unwrap())));
    report["accuracy"].as_f64().unwrap()
}

/// Every signal was compared in every cycle, and nothing differed. `snapshots`: how often a phase's membranes are compared.
fn assert_complete(report: &Value, images: u64, phases: u64, snapshots: u64) {
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key}: {}", report[key]));
    assert_eq!(number("images"), images);
    assert_eq!((number("mismatches"), number("functional_mismatches"), number("loihi_mismatches")), (0, 0, 0));
    assert_eq!((&report["first_mismatch"], &report["first_difference"]), (&Value::Null, &Value::Null));
    // 3 streams of 5 wires; 128 and 10 membranes; an active and a stalled counter for each of the 2 cores.
    assert_eq!(number("compared_signals"), 3 * 5 + 138);
    assert_eq!(number("comparisons"), 15 * number("cycles") + snapshots * 138 * phases * images + 4);
    // Pixels and spikes of every phase, logits of every image.
    assert_eq!(number("functional_comparisons"), images * (phases * (784 + 128) + 10));
    assert_eq!(report["cycles_per_image"].as_f64(), Some(number("cycles") as f64 / images as f64));
    assert!(report["cycles_per_second"].as_f64().unwrap() > 0.0);
    assert!(report["build_seconds"].as_f64().unwrap() > 0.0 && report["build_cached"].is_boolean());
}

/// `[compared values, mismatches, images not compared]` of both layers.
fn loihi(report: &Value) -> [[u64; 3]; 2] {
    [0, 1].map(|layer| {
        let layer = &report["loihi"][layer];
        ["compared", "mismatches", "overflowing_images"].map(|key| layer[key].as_u64().unwrap())
    })
}

/// What a user gets who only chooses the mode: 1,000 images, all three witnesses.
fn a_thousand_images(mode: ModeChoice, name: &str, snapshots: u64) {
    let (Some(mnist), Some(_)) = (mnist(), toolchain()) else { return };
    let built = Built::new(&mnist.model, &Settings { mode, ..Settings::default() });
    assert_eq!((built.design.settings.weight_bits, built.design.settings.timesteps), (8, 16));
    let report = cosim(&built, mnist, 1000, &[]);
    assert_complete(&report, 1000, 1, snapshots);
    assert!(report["layers"].as_array().unwrap().iter().all(|l| l["mode"] == name));
    assert_eq!(report["accuracy"].as_f64(), Some(golden_accuracy(&built, mnist, 1000)));
    assert!(report["accuracy"].as_f64().unwrap() >= 0.975, "{}", report["accuracy"]);
    // With 8-bit pixels the hidden layer's membranes are wider than Loihi's; the readout's are not.
    assert_eq!(loihi(&report), [[0, 0, 1000], [10_000, 0, 0]]);
    let limits = report["loihi"][0]["limits"].to_string();
    assert!(limits.contains("a voltage register holds ±131071"), "{limits}");
    println!("{name}: {} cycles, {} Mcycle/s", report["cycles"], report["cycles_per_second"].as_f64().unwrap() / 1e6);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn a_thousand_images_in_event_mode() {
    a_thousand_images(ModeChoice::Event, "event", 2);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn a_thousand_images_in_matrix_mode() {
    a_thousand_images(ModeChoice::Matrix, "matrix", 1);
}

/// With 4-bit pixels both layers fit Loihi's registers, so the firing layer is compared too.
fn every_layer_on_loihi(settings: &Settings, phases: u64, snapshots: u64, images: usize) {
    let (Some(mnist), Some(_)) = (mnist(), toolchain()) else { return };
    let built = Built::new(&mnist.model, settings);
    let quant = &built.design.net.quant;
    for coverage in Network::new(quant).coverage() {
        assert!(coverage.expressible, "{:?}", coverage.reasons);
    }
    let report = cosim(&built, mnist, images, &[]);
    let count = images as u64;
    assert_complete(&report, count, phases, snapshots);
    assert_eq!(loihi(&report), [[128 * phases * count, 0, 0], [10 * count, 0, 0]]);
    assert_eq!((&report["loihi"][0]["layer"], &report["loihi"][0]["limits"]), (&json!(HIDDEN), &json!([])));
    // The layer does fire: about 60 of its 128 neurons in an image.
    assert!(report["layers"][1]["events"].as_u64().unwrap() > 40 * count);
    assert_eq!(report["accuracy"].as_f64(), Some(golden_accuracy(&built, mnist, images)));
    assert!(report["accuracy"].as_f64().unwrap() >= 0.97, "{}", report["accuracy"]);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn every_layer_equals_loihi_in_event_mode() {
    every_layer_on_loihi(&Settings { input_bits: 4, weight_bits: 6, ..event() }, 1, 2, 1000);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn every_layer_equals_loihi_in_matrix_mode() {
    every_layer_on_loihi(&Settings { input_bits: 4, weight_bits: 6, ..matrix() }, 1, 1, 1000);
}

/// In rate coding the reset by subtraction acts between the time steps.
#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn every_layer_equals_loihi_in_rate_coding() {
    let settings = Settings { input_bits: 2, weight_bits: 4, coding: Coding::Rate, ..matrix() };
    every_layer_on_loihi(&settings, 16, 1, 100);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn the_command_line_takes_every_pattern() {
    let (Some(mnist), Some(_)) = (mnist(), toolchain()) else { return };
    let built = Built::new(&mnist.model, &event());
    let mut cycles = Vec::new();
    for (input, output, disturb) in [
        ("always", "always", "0"),
        ("random:60", "bursts", "777"),
        ("long-stalls", "random", "1"),
        ("bursts", "long-stalls", "5000"),
    ] {
        let more: [&dyn AsRef<OsStr>; 8] =
            [&"--input", &input, &"--back-pressure", &output, &"--disturb", &disturb, &"--seed", &"5"];
        let report = cosim(&built, mnist, 20, &more);
        assert_complete(&report, 20, 1, 2);
        cycles.push(report["cycles"].as_u64().unwrap());
    }
    assert!(cycles[1..].iter().all(|&c| c > cycles[0]), "{cycles:?}");
}

const PATTERNS: [Pattern; 4] = [Pattern::Always, Pattern::Random { percent: 35 }, Pattern::Bursts, Pattern::LongStalls];

/// Every pattern on the input with every pattern on the output, most of them after a reset in mid-inference: in the cycles
/// of INIT, while events are added, while the population fires, and some images later.
fn under_back_pressure(settings: &Settings, images: usize) {
    let (Some(mnist), Some(tools)) = (mnist(), toolchain()) else { return };
    let built = Built::new(&mnist.model, settings);
    let library = built.library(&tools);
    let codes = Codes { images: &mnist.test, format: built.design.net.quant.pixels.clone(), count: images };
    let resets = [0, 1, 5, 9, 60, 700, 1_190, 1_203, 2_345, 9_999];
    let mut least = u64::MAX;
    for (i, input) in PATTERNS.into_iter().enumerate() {
        for (j, output) in PATTERNS.into_iter().enumerate() {
            let k = 4 * i + j;
            let run = Run { seed: k as u64, input, output, disturb: resets[k % resets.len()], ..Run::default() };
            let outcome = built.agrees(&library, &codes, &run);
            least = least.min(outcome.cycles);
            assert!(k == 0 || outcome.cycles >= least, "{input} {output} is faster than no back-pressure");
        }
    }
}

/// Unit spikes can only be read by event cores, so only the first layer can be a matrix core.
fn hidden_layer_in(mode: ModeChoice, settings: Settings) -> Settings {
    let layer = LayerSettings {
        mode: Some(mode),
        rows: Some(Count(Some(8))),
        lanes: Some(Count(Some(16))),
        ..LayerSettings::default()
    };
    Settings { layers: BTreeMap::from([(HIDDEN.to_string(), layer)]), ..settings }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_graded_event_cores() {
    under_back_pressure(&event(), 5);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_graded_matrix_cores() {
    under_back_pressure(&matrix(), 5);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_unit_event_cores() {
    under_back_pressure(&Settings { coding: Coding::Unit, ..event() }, 4);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_a_unit_matrix_core_and_an_event_core() {
    let settings = Settings { payload: None, coding: Coding::Unit, ..event() };
    under_back_pressure(&hidden_layer_in(ModeChoice::Matrix, settings), 4);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_rate_event_cores() {
    under_back_pressure(&Settings { coding: Coding::Rate, ..event() }, 2);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn back_pressure_on_rate_matrix_cores() {
    under_back_pressure(&Settings { coding: Coding::Rate, ..matrix() }, 2);
}

/// The weights of both layers behind one port, whose memory answers at once, soon, late, and whenever it likes.
#[test]
fn external_weights_agree_at_any_latency() {
    let (Some(mnist), Some(_)) = (mnist(), toolchain()) else { return };
    let built = Built::new(&mnist.model, &Settings { weights: WeightsChoice::External, ..event() });
    let mut cycles = Vec::new();
    for (memory, more) in [("1", "always"), ("7", "random:50"), ("60", "always"), ("5+60/2", "bursts")] {
        let report = cosim(&built, mnist, 20, &[&"--memory", &memory, &"--back-pressure", &more, &"--disturb", &"500"]);
        for key in ["mismatches", "functional_mismatches", "loihi_mismatches"] {
            assert_eq!(report[key], 0, "{key} with a memory of {memory}");
        }
        // And the two wires of the requests.
        assert_eq!(report["compared_signals"], 3 * 5 + 138 + 2);
        cycles.push(report["cycles"].as_u64().unwrap());
    }
    // 32 requests under way do not hide 60 cycles, nor a memory that pauses between them.
    assert!(cycles[2] > cycles[0] * 3 / 2 && cycles[3] > cycles[0] * 3 / 2, "{cycles:?}");
    // A latency that the queue hides costs the fill of the pipeline, not a latency an event.
    let hidden = cosim(&built, mnist, 20, &[&"--memory", &"20"])["cycles"].as_u64().unwrap();
    assert!(hidden < cycles[0] * 21 / 20, "{hidden} {cycles:?}");
}
