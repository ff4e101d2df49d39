//! `synfire nir convert` and `synfire nir input` as a user calls them.

use super::nir_support::{chain, data, lif};
use super::{load, refused, succeeds, synfire, text};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;
use synfire::data::load_images;
use synfire::frontends::nir;
use synfire::golden::functional::Functional;
use synfire::settings::Settings;

/// Converts a small trained network to `net.nir`.
fn convert(folder: &Path, shared: &Path, options: &[&str]) -> Output {
    let [model, images] = ["models/mnist16_mlp_256-64-10.onnx", "data/mnist16/train10k-images-idx3-ubyte.gz"]
        .map(|file| shared.join(file).to_str().unwrap().to_string());
    let args = ["nir", "convert", &model, "--calibrate", &images, "--calibration-limit", "32", "--out", "net.nir"];
    synfire(folder, &[&args[..], options].concat())
}

#[test]
fn a_converted_network_runs_like_the_original_and_says_what_it_needs() {
    let Some(shared) = data::shared() else { return };
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
    let settings =
        Settings { timesteps: 9, weight_bits: 6, input_bits: 5, calibration_limit: 32, ..Default::default() };
    let snn = synfire::pipeline::convert(&model.graph, &settings).unwrap();
    let net = synfire::pipeline::quantise(&snn, &model.calibration, &settings).unwrap();
    let golden = Functional::new(&net).unwrap();
    let test = shared.join("data/mnist16/t10k-images-idx3-ubyte.gz");
    let images = load_images(&test).unwrap().0;
    for index in [0, 7] {
        let place = index.to_string();
        succeeds(
            folder,
            &["nir", "input", "net.nir", "--images", test.to_str().unwrap(), "--index", &place, "--out", "x.npy"],
        );
        let run = succeeds(folder, &["nir", "run", "net.nir", "--input", "x.npy", "--output", "y.npy", "--json", "-"]);
        let y = load(&folder.join("y.npy"));
        assert_eq!(y.shape(), [9, 10]);
        let expected = golden.image(&images.codes(index, &net.pixels)).unwrap().logits;
        assert!(y.outer_iter().next_back().unwrap().iter().copied().eq(expected.iter().map(|&v| v as f64)), "{y}");
        let json: Value = serde_json::from_slice(&run.stdout).unwrap();
        let last: Vec<i64> = serde_json::from_value::<Vec<f64>>(json["last"]["output"].clone())
            .unwrap()
            .into_iter()
            .map(|v| v as i64)
            .collect();
        assert_eq!(last, expected);
    }
    fs::remove_file(folder.join("y.npy")).unwrap();
    let args = ["nir", "input", "net.nir", "--images", test.to_str().unwrap(), "--index", "10000", "--out", "y.npy"];
    refused(folder, &args, &["holds 10000 images, so there is none of the index 10000"]);
}

#[test]
fn an_existing_file_is_replaced_on_demand_only_and_only_if_it_is_one_of_nirs() {
    let Some(shared) = data::shared() else { return };
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
