//! `synfire nir` as a user calls it.

#[path = "../nir_export/cli.rs"]
mod convert;
use crate::nir_support;

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
    assert!(out.contains("not for hardware: node 'lif': 'tau' is 0.002 s, so the network needs a time step"), "{out}");
    let out = text(&succeeds(folder.path(), &["nir", "info", "two.nir"]).stdout);
    assert!(out.contains("not for hardware: has 2 Inputs and 2 Outputs"), "{out}");
    // How many steps a delay is, and so whether hardware can wait so long, depends on the time step.
    let slow = ("slow", Unit::new(Kind::Delay).with("delay", full(&[2], 100.0)));
    let late =
        chain(&[2], &[("fc", Unit::new(Kind::Linear).with("weight", eye(2))), slow, ("lif", lif(2, 1e3, 0.5))], &[2]);
    nir::write(&folder.path().join("late.nir"), &late).unwrap();
    let out = text(&succeeds(folder.path(), &["nir", "info", "late.nir"]).stdout);
    assert!(out.contains("not for hardware: node 'slow': "), "{out}");
    let out = text(&succeeds(folder.path(), &["nir", "info", "late.nir", "--dt", "100"]).stdout);
    assert!(!out.contains("not for hardware"), "{out}");
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
    refused(folder.path(), &["nir", "info", "one.nir", "--dt=0"], &["one.nir", "time step 0 is not positive"]);
    let output = synfire(folder.path(), &["nir", "run", "one.nir", "--nir-dialect", "lava"]);
    assert!(text(&output.stderr).contains("`nir`, `snntorch`, `norse`, `sinabs`"));
}

/// The output took the place of the input, or the report that of the network.
#[test]
fn outputs_never_take_the_place_of_what_is_read() {
    let folder = scratch();
    let run = |output: &str, json: &str, what: &str| {
        let args = ["nir", "run", "one.nir", "--dt", "0.001", "--input", "x.npy", "--output", output, "--json", json];
        refused(folder.path(), &args, &[what, "is read or written by this command"]);
    };
    run("x.npy", "r.json", "--output");
    run("one.nir", "r.json", "--output");
    run("y.npy", "one.nir", "--json");
    run("y.npy", "y.npy", "--json");
    refused(folder.path(), &["nir", "info", "one.nir", "--json", "./one.nir"], &["is read or written by this command"]);
    let args =
        ["nir", "run", "one.nir", "--dt", "0.001", "--input", "x.npy", "--output", "y.npy", "--json", "no/r.json"];
    let output = synfire(folder.path(), &args);
    assert!(output.status.code() == Some(2) && !folder.path().join("y.npy").exists(), "noticed before the run");
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
