//! `synfire nir` as a user calls it.

mod nir_support;

use ndarray::{ArrayD, IxDyn};
use nir_support::python::python;
use nir_support::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use synfire::data::{self, Arrays};
use synfire::frontends::nir::{self, Kind, Unit};
use tempfile::TempDir;

fn synfire(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synfire")).args(args).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeds(folder: &Path, args: &[&str]) -> Output {
    let output = synfire(folder, args);
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    output
}

/// The call must fail with code 2 and a message that holds every part, and leave nothing behind.
fn refused(folder: &Path, args: &[&str], parts: &[&str]) {
    let output = synfire(folder, args);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {errors}");
    for part in parts.iter().chain(&["help:"]) {
        assert!(errors.contains(part), "no '{part}' in {errors}");
    }
    assert!(!folder.join("y.npy").exists() && !errors.contains("panicked"), "{errors}");
}

/// A folder with `one.nir` (input[2] → LIF), `two.nir` (two inputs and outputs) and `x.npy` (4 steps).
fn scratch() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let one = chain(&[2], &[("fc", Unit::new(Kind::Linear).with("weight", eye(2))), ("lif", lif(2, 0.002, 0.5))], &[2]);
    nir::write(&folder.path().join("one.nir"), &one).unwrap();
    let mut two = chain(&[2], &[("double", Unit::new(Kind::Scale).with("scale", full(&[2], 2.0)))], &[2]);
    two.node("more", port(Kind::Input, &[1])).node("same", port(Kind::Output, &[1])).edge("more", "same");
    two.node("slow", Unit::new(Kind::Delay).with("delay", full(&[1], 100.0))).edge("more", "slow").edge("slow", "same");
    nir::write(&folder.path().join("two.nir"), &two).unwrap();
    data::save_npy(&folder.path().join("x.npy"), &rows(&[&[1.0, 0.0], &[1.0, 0.0], &[0.0, 3.0], &[1.0, 0.0]])).unwrap();
    folder
}

fn load(path: &Path) -> ArrayD<f64> {
    match data::load_arrays(path).unwrap() {
        Arrays::Single(array) => array,
        Arrays::Named(_) => panic!("several arrays"),
    }
}

#[test]
fn info_describes_the_network() {
    let folder = scratch();
    let out = text(&succeeds(folder.path(), &["nir", "info", "one.nir"]).stdout);
    for part in ["NIR 1.0.8: 4 nodes, 3 edges, 2 neurons, 4 weights", "LIF", "Linear", "fc"] {
        assert!(out.contains(part), "no '{part}' in {out}");
    }
    let out = text(&succeeds(folder.path(), &["nir", "info", "two.nir"]).stdout);
    assert!(out.contains("note: slow: Delay of up to 100 s"), "{out}");
    let output = succeeds(folder.path(), &["nir", "info", "one.nir", "--json", "-"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["neurons"].as_u64(), json["kinds"]["LIF"].as_u64()), (Some(2), Some(1)));
    // In the order of execution.
    let names: Vec<&str> =
        json["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["input", "fc", "lif", "output"]);
}

#[test]
fn run_writes_one_row_for_each_step_and_says_which_time_step_it_used() {
    let folder = scratch();
    let args = ["nir", "run", "one.nir", "--input", "x.npy", "--output", "y.npy", "--dt", "0.001"];
    let out = text(&succeeds(folder.path(), &args).stdout);
    for part in ["4 steps of 0.001 s (as given)", "dialect nir", "y.npy", "lif: 2 spikes"] {
        assert!(out.contains(part), "no '{part}' in {out}");
    }
    // dt/τ = 0.5: 0.5, 0.75 fires; 1.5 fires; 0.5
    assert_eq!(load(&folder.path().join("y.npy")), rows(&[&[0.0, 0.0], &[1.0, 0.0], &[0.0, 1.0], &[0.0, 0.0]]));
}

#[test]
fn run_reports_as_json() {
    let folder = scratch();
    let args = ["nir", "run", "one.nir", "--input", "x.npy", "--output", "y.npy", "--dt", "0.002", "--json", "-"];
    let output = succeeds(folder.path(), &[&args[..], &["--nir-dialect", "sinabs"]].concat());
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (json["steps"].as_u64(), json["dt"].as_f64(), json["dialect"].as_str()),
        (Some(4), Some(0.002), Some("sinabs"))
    );
    // Several spikes in a step: 1 / 0.5, and 3 / 0.5 in the third step.
    assert_eq!(json["outputs"]["output"][1].as_f64(), Some(6.0));
    assert_eq!(json["spikes"]["lif"].as_f64().unwrap(), load(&folder.path().join("y.npy")).sum());
}

#[test]
fn several_inputs_and_outputs_are_archives() {
    let folder = scratch();
    let x = BTreeMap::from([
        ("input".to_string(), rows(&[&[1.0, 2.0], &[3.0, 4.0]])),
        ("more".to_string(), rows(&[&[5.0], &[6.0]])),
    ]);
    data::save_npz(&folder.path().join("x.npz"), &x).unwrap();
    let args = ["nir", "run", "two.nir", "--input", "x.npz", "--output", "y.npz"];
    assert!(text(&succeeds(folder.path(), &args).stdout).contains("1 s (1, as for networks without units)"));
    let expected = BTreeMap::from([
        ("output".to_string(), rows(&[&[2.0, 4.0], &[6.0, 8.0]])),
        ("same".to_string(), rows(&[&[5.0], &[6.0]])),
    ]);
    assert_eq!(data::load_arrays(&folder.path().join("y.npz")).unwrap(), Arrays::Named(expected));
    let args = ["nir", "run", "two.nir", "--input", "x.npy", "--output", "y.npz"];
    refused(folder.path(), &args, &["x.npy", "one array, but the network has 2 inputs", "input, more"]);
    let args = ["nir", "run", "two.nir", "--input", "x.npz", "--output", "y.npy"];
    refused(folder.path(), &args, &["two.nir", "the network has 2 outputs (output, same)", ".npz"]);
}

#[test]
fn numpy_reads_and_writes_our_arrays() {
    let Some(python) = python() else { return };
    let folder = scratch();
    let code = "import numpy as np
x = np.array([[1, 2], [3, 4]], dtype='int16'); m = np.array([[5], [6]], dtype='float32')
np.savez('a.npz', input=x, more=m)
np.savez_compressed('b.npz', input=np.asfortranarray(x), more=m)
np.save('bool.npy', np.array([[True, False]])); np.save('big.npy', np.array([[1, -2]], dtype='>i4'))";
    assert!(Command::new(&python).args(["-c", code]).current_dir(folder.path()).status().unwrap().success());
    for name in ["a", "b"] {
        let args = ["nir", "run", "two.nir", "--input", &format!("{name}.npz"), "--output", "y.npz"];
        succeeds(folder.path(), &args);
        let code = "import numpy as np; y = np.load('y.npz'); assert sorted(y) == ['output', 'same'], list(y)
assert y['output'].dtype == 'float64' and y['output'].tolist() == [[2, 4], [6, 8]], y['output']";
        assert!(Command::new(&python).args(["-c", code]).current_dir(folder.path()).status().unwrap().success());
    }
    assert_eq!(load(&folder.path().join("bool.npy")), rows(&[&[1.0, 0.0]]));
    assert_eq!(load(&folder.path().join("big.npy")), rows(&[&[1.0, -2.0]]));
}

#[test]
fn bad_calls_are_explained() {
    let folder = scratch();
    let run = |change: &[&str]| {
        let mut args = vec!["nir", "run", "one.nir", "--input", "x.npy", "--output", "y.npy"];
        args.extend(change);
        args.iter().map(|s| (*s).to_string()).collect::<Vec<_>>()
    };
    let refused_with = |args: &[String], parts: &[&str]| {
        refused(folder.path(), &args.iter().map(String::as_str).collect::<Vec<_>>(), parts);
    };
    refused_with(&run(&[]), &["one.nir", "node 'lif'", "'tau' is 0.002 s", "--dt SECONDS"]);
    refused_with(&run(&["--dt", "-1"]), &["the time step -1 is not positive"]);
    data::save_npy(&folder.path().join("wide.npy"), &ArrayD::zeros(IxDyn(&[4, 3]))).unwrap();
    let mut wide = run(&["--dt", "0.001"]);
    wide[4] = "wide.npy".into();
    refused_with(&wide, &["wide.npy", "node 'input'", "the data has the shape [4, 3]", "[T, 2]"]);
    for (name, bytes) in [("text.npy", &b"hello"[..]), ("empty.npy", b""), ("cut.npz", b"PK\x03\x04 and no more")] {
        fs::write(folder.path().join(name), bytes).unwrap();
        wide[4] = name.into();
        refused_with(&wide, &[name]);
    }
    fs::write(folder.path().join("text.nir"), "hello").unwrap();
    refused(folder.path(), &["nir", "info", "text.nir"], &["text.nir", "is no HDF5 file"]);
    let output = synfire(folder.path(), &["nir", "run", "one.nir", "--nir-dialect", "lava"]);
    assert!(text(&output.stderr).contains("nir, snntorch, norse, sinabs"));
}

/// Converts a small trained network to `net.nir`.
fn convert(folder: &Path, shared: &Path, options: &[&str]) -> Output {
    let [model, images] = ["models/mnist16_mlp_256-64-10.onnx", "data/mnist16/train10k-images-idx3-ubyte.gz"]
        .map(|file| shared.join(file).to_str().unwrap().to_string());
    let args = ["nir", "convert", &model, "--calibrate", &images, "--calibration-limit", "32", "--out", "net.nir"];
    synfire(folder, &[&args[..], options].concat())
}

#[test]
fn a_converted_network_runs_like_the_original_and_says_what_it_needs() {
    let Some(shared) = nir_support::data::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = convert(folder, &shared, &["--timesteps", "9", "--weight-bits", "6", "--input-bits", "5"]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in [
        "written to net.nir",
        "synfire_v_init (2 nodes)",
        "synfire_reset (1 nodes)",
        "synfire_payload",
        "NIR has no fields",
    ] {
        assert!(out.contains(part), "no '{part}' in {out}");
    }
    let info = text(&succeeds(folder, &["nir", "info", "net.nir"]).stdout);
    assert!(info.contains("synfire_firing (1 nodes)") && info.contains("synfire_steps: 9"), "{info}");
    // The same by the library, up to the functional golden model.
    let [model, calibration] = ["models/mnist16_mlp_256-64-10.onnx", "data/mnist16/train10k-images-idx3-ubyte.gz"];
    let model = synfire::Model::open(shared.join(model), shared.join(calibration)).unwrap();
    let settings = synfire::settings::Settings {
        timesteps: 9,
        weight_bits: 6,
        input_bits: 5,
        calibration_limit: 32,
        ..Default::default()
    };
    let snn = synfire::pipeline::convert(&model.graph, &settings).unwrap();
    let net = synfire::pipeline::quantise(&snn, &model.calibration, &settings).unwrap();
    let golden = synfire::golden::functional::Functional::new(&net).unwrap();
    let test = shared.join("data/mnist16/t10k-images-idx3-ubyte.gz");
    let images = data::load_images(&test).unwrap().0;
    for index in [0, 7] {
        let place = index.to_string();
        succeeds(
            folder,
            &["nir", "input", "net.nir", "--images", test.to_str().unwrap(), "--index", &place, "--out", "x.npy"],
        );
        succeeds(folder, &["nir", "run", "net.nir", "--input", "x.npy", "--output", "y.npy"]);
        let y = load(&folder.join("y.npy"));
        assert_eq!(y.shape(), [9, 10]);
        let expected = golden.image(&images.codes(index, &net.pixels)).unwrap().logits;
        assert!(y.outer_iter().next_back().unwrap().iter().copied().eq(expected.iter().map(|&v| v as f64)), "{y}");
    }
    fs::remove_file(folder.join("y.npy")).unwrap();
    let args = ["nir", "input", "net.nir", "--images", test.to_str().unwrap(), "--index", "10000", "--out", "y.npy"];
    refused(folder, &args, &["holds 10000 images, so there is none of the index 10000"]);
}

#[test]
fn an_existing_file_is_replaced_on_demand_only_and_only_if_it_is_one_of_nirs() {
    let Some(shared) = nir_support::data::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fails = |options: &[&str], part: &str| {
        let output = convert(folder, &shared, options);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(part) && errors.contains("help:"), "no '{part}' in {errors}");
    };
    fs::write(folder.join("net.nir"), "a letter").unwrap();
    fails(&[], "exists");
    fails(&["--force"], "exists and is no NIR file, so it is not replaced");
    assert_eq!(fs::read(folder.join("net.nir")).unwrap(), b"a letter");
    fs::remove_file(folder.join("net.nir")).unwrap();
    fails(&["--timesteps", "0"], "the number of time steps cannot be 0");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    assert!(convert(folder, &shared, &["--json", "report.json"]).status.success());
    let json: Value = serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    let written = fs::read(folder.join("net.nir")).unwrap();
    assert_eq!(json["bytes"].as_u64(), Some(written.len() as u64));
    assert_eq!(json["populations"].as_array().map(Vec::len), Some(3));
    fails(&[], "or replace the file with --force");
    assert!(convert(folder, &shared, &["--force", "--coding", "rate"]).status.success());
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_ne!(fs::read(folder.join("net.nir")).unwrap(), written);
    // Files of others say nothing about images.
    nir::write(&folder.join("one.nir"), &chain(&[2], &[("lif", lif(2, 2.0, 0.5))], &[2])).unwrap();
    let images = shared.join("data/mnist16/t10k-images-idx3-ubyte.gz");
    let args = ["nir", "input", "one.nir", "--images", images.to_str().unwrap(), "--out", "y.npy"];
    refused(folder, &args, &["one.nir", "does not say how images enter it"]);
}

#[test]
fn files_without_a_version_are_read() {
    let Some(python) = python() else { return };
    let folder = scratch();
    let code = "import h5py
f = h5py.File('one.nir', 'a'); del f['version']; del f['node/nodes/lif/v_reset']
f['node/nodes/lif/tau'][...] = 4.0";
    assert!(Command::new(&python).args(["-c", code]).current_dir(folder.path()).status().unwrap().success());
    let out = text(&succeeds(folder.path(), &["nir", "info", "one.nir"]).stdout);
    assert!(out.contains("NIR of an unknown version"), "{out}");
    succeeds(folder.path(), &["nir", "run", "one.nir", "--input", "x.npy", "--output", "y.npy"]);
    // 0.25·3 fires.
    assert_eq!(load(&folder.path().join("y.npy")).sum(), 1.0);
    assert_eq!(nir::read(&folder.path().join("one.nir")).unwrap().version, None);
    assert!(nir::write(&folder.path().join("named.nir"), &nir::read(&folder.path().join("one.nir")).unwrap()).is_ok());
}
