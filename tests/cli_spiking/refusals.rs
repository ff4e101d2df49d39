//! What cannot be compiled or read: all of it said at once, with the files' names, and nothing written.

use super::*;
use ndarray::Array4;

#[test]
fn what_is_wrong_with_the_settings_is_all_said_at_once() {
    let s = scratch();
    let refused = |options: &[&str], parts: &[&str]| {
        s.refused(2, &[&["compile", "net.nir", "--out", "out"], options].concat(), &[parts, &["help:"]].concat())
    };
    let config = "bias-calibration = true\n[layers.fc9]\nweight-bits = 4\n";
    s.file("s.toml", config.as_bytes());
    let text = refused(
        &[
            "--config",
            "s.toml",
            "--coding",
            "graded",
            "--normalize",
            "0.5/0.5",
            "--calibration-limit",
            "9",
            "--spikes-per-step",
            "2",
            "--rows",
            "3",
            "--timesteps",
            "70000",
            "--weight-bits",
            "1",
        ],
        &[
            "'coding'",
            "('normalize')",
            "leave out 'bias-calibration'",
            "'calibration-limit' is given, but no samples are",
            "'spikes-per-step' is given, but the network reads pixels",
            "3 rows",
            "the number of time steps cannot be 70000",
            "the number of bits per weight cannot be 1",
        ],
    );
    assert!(!text.contains("panicked"));
    refused(&["--dt", "-1"], &["the time step -1 is not positive"]);
    refused(&["--encoding", "spikes", "--spikes-per-step", "256"], &["the number of spikes per step cannot be 256"]);
    refused(
        &["--encoding", "spikes", "--input-bits", "4"],
        &["'input-bits' is given, but recorded spikes have no pixels"],
    );
    refused(&["--calibrate", "images.npy", "--calibration-limit", "0"], &["leaves no sample"]);
    refused(
        &["--config", "s.toml"],
        &["leave out 'bias-calibration'", "a layer 'fc9', which the network does not have"],
    );
    refused(
        &["--neuron-spikes-per-step", "9"],
        &["'neuron-spikes-per-step' is given, but no neuron of the network may send several spikes"],
    );
    refused(
        &["--nir-dialect", "sinabs", "--neuron-spikes-per-step", "4096"],
        &["the number of spikes of a neuron in a step cannot be 4096", "choose 1 to 4095"],
    );
    s.refused(2, &["compile", "net.nir", "--out", "out", "--calibrate", "nowhere.npy"], &["nowhere.npy: cannot read"]);
    // A pixel's weight is a 255th of what a spike's is.
    let parts = [
        "node 'fc1': has weights that all round to zero",
        "help: use more bits per weight for layer 'if1', or fewer bits per pixel",
    ];
    refused(&["--encoding", "constant"], &parts);
}

#[test]
fn onnx_still_needs_calibration_and_takes_no_settings_of_nir() {
    let s = scratch();
    s.refused(
        2,
        &["compile", "net.onnx", "--out", "out", "--dt", "0.1", "--encoding", "rate", "--weight-bits", "99"],
        &[
            "net.onnx: is an ONNX network, whose thresholds are chosen on calibration images",
            "help: add --calibrate IMAGES",
            "the setting 'dt' is for NIR files, and the network is ONNX",
            "the setting 'encoding' is for NIR files",
            "bits per weight cannot be 99",
        ],
    );
    s.compile_refused(2, &["--nir-dialect", "norse"], &["the setting 'nir-dialect' is for NIR files"]);
    s.file("bad.nir", b"no HDF5 at all");
    s.refused(
        2,
        &["compile", "bad.nir", "--out", "out"],
        &["bad.nir: is called a NIR file, but does not begin as HDF5 files do"],
    );
    let good = fs::read(s.at("net.nir")).unwrap();
    s.file("bad.nir", &good[..good.len() / 2]);
    s.refused(2, &["compile", "bad.nir", "--out", "out"], &["bad.nir: ", "help:"]);
    s.refused(2, &["inspect", "bad.nir", "--stage", "quant"], &["bad.nir: ", "help:"]);
    s.compile("ann", &[]);
    s.refused(
        2,
        &["run", "ann", "--images", "trains.npy"],
        &["trains.npy: the images are", "trains.npy: may hold recorded spike trains, but the network reads pixels"],
    );
    s.refused(
        2,
        &["run", "ann", "--images", "images.npy", "--sweep"],
        &["needs calibration images", "help: add --calibrate IMAGES"],
    );
}

#[test]
fn samples_that_the_design_cannot_read_say_why() {
    let s = scratch();
    compile(&s, "design", &[]);
    compile(&s, "counted", &["--encoding", "spikes"]);
    compile(&s, "constant", &["--encoding", "constant", "--weight-bits", "16"]);
    let refused = |design: &str, file: &str, parts: &[&str]| {
        s.refused(2, &["run", design, "--images", file], &[parts, &[file, "help:"]].concat());
        s.refused(2, &["cosim", design, "--images", file], parts);
    };
    s.file("short.npy", &npy(&trains(3, 1).slice_move(ndarray::s![.., ..7, ..])));
    s.file("long.npy", &npy(&Array3::<u8>::from_elem((2, 40, 6), 3)));
    s.file("wide.npy", &npy(&Array3::<u8>::zeros((2, STEPS, 7))));
    s.file("deep.npy", &npy(&Array4::<u8>::zeros((2, STEPS, 2, 3))));
    s.file("negative.npy", &npy(&trains(2, 1).mapv(|v| -i64::from(v))));
    s.file("half.npy", &npy(&trains(2, 1).mapv(|v| f32::from(v) / 2.0)));
    let steps = "holds spike trains of 7 steps, the network runs for 12";
    refused("design", "short.npy", &[steps, "help: give trains of 12 steps, or compile with --timesteps 7"]);
    refused(
        "counted",
        "long.npy",
        &["holds spike trains of 40 steps", "holds up to 3 spikes of one input in a step, the network reads 1"],
    );
    refused(
        "design",
        "counts.npy",
        &["holds up to 3 spikes", "help: compile with --encoding spikes --spikes-per-step 3"],
    );
    refused("counted", "wide.npy", &["[2, 12, 7]", "spike trains are [samples, T, 6]"]);
    refused("design", "deep.npy", &["the images are"]);
    refused("design", "negative.npy", &["are no spikes; the first is -1"]);
    refused("counted", "half.npy", &["are no spikes; the first is 0.5"]);
    refused(
        "counted",
        "images.npy",
        &["may hold images, but the network reads recorded spike trains", "--encoding rate"],
    );
    refused("constant", "trains.npy", &["may hold recorded spike trains, but the network reads pixels"]);
    s.file("few.npy", &cli_support::labels(2, 3));
    let labels = |design: &str, labels: &str, parts: &[&str]| {
        s.refused(2, &["run", design, "--images", "trains.npy", "--labels", labels], &[&[labels], parts].concat());
    };
    labels("design", "few.npy", &["there are 8 spike trains but 2 labels"]);
    labels("design", "labels.npy", &["there are 8 spike trains but 32 labels"]);
    labels("design", "trains.npy", &["help:"]);
    // Both files are wrong, and --limit.
    let all = ["run", "counted", "--images", "wide.npy", "--labels", "nowhere.npy", "--limit", "0"];
    s.refused(2, &all, &["wide.npy: ", "nowhere.npy: ", "--limit 0"]);
}

#[test]
fn edited_designs_are_refused() {
    let s = scratch();
    compile(&s, "design", &[]);
    let good = s.json("design/design.json");
    let leaky = "/net/quant/populations/1/neuron";
    for (place, value) in [
        ("/settings/encoding".into(), json!("constant")),
        ("/settings/encoding".into(), json!("morse")),
        ("/settings/timesteps".into(), json!(13)),
        ("/net/quant/timesteps".into(), json!(13)),
        ("/net/quant/timesteps".into(), json!(70_000)),
        ("/net/quant/input".into(), json!({"input": "train", "max": 1})),
        (format!("{leaky}/align"), json!(4_000_000_000u32)),
        (format!("{leaky}/du"), json!([[5, -1]])),
        (format!("{leaky}/dv"), json!([[5, 4097]])),
        (format!("{leaky}/theta"), json!([[5, i64::MAX]])),
        (format!("{leaky}/theta"), json!([[1_000_000_000_000u64, 1]])),
        (format!("{leaky}/limits"), json!([i64::MIN, i64::MAX])),
        (format!("{leaky}/input_range"), json!([0, 0])),
    ] {
        let mut design = good.clone();
        let at = design.pointer_mut(&place).unwrap_or_else(|| panic!("no {place}"));
        assert_ne!(*at, value, "{place}");
        *at = value;
        s.file("design/design.json", &serde_json::to_vec(&design).unwrap());
        s.refused(2, &["run", "design", "--images", "images.npy"], &["design.json", "help:"]);
    }
    s.file("design/design.json", &serde_json::to_vec(&good).unwrap());
    let source = fs::read(s.at("design/model/source.nir")).unwrap();
    let run: &[&str] = &["run", "design", "--images", "images.npy"];
    s.file("design/model/source.nir", &source[..source.len() / 2]);
    s.refused(2, run, &["model/source.nir: ", "help:"]);
    s.refused(2, &["inspect", "design", "--stage", "graph"], &["design/model/source.nir: "]);
    fs::remove_file(s.at("design/model/source.nir")).unwrap();
    s.refused(2, run, &["design/model/source.nir: cannot read"]);
}
