//! The same inputs give the same bytes: whatever the thread count, the place and the way in which paths are written.

use crate::cli_support;

use cli_support::{Scratch, cnn, images, mlp_of, tree};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn compile(s: &Scratch, threads: &str, cwd: &Path, model: &str, calibrate: &str, out: &str) {
    let args = ["compile", model, "--calibrate", calibrate, "--out", out, "--target", "generic"];
    let output = s.command(&args).env("RAYON_NUM_THREADS", threads).current_dir(cwd).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn same(a: &BTreeMap<PathBuf, Option<Vec<u8>>>, b: &BTreeMap<PathBuf, Option<Vec<u8>>>, what: &str) {
    let names = |t: &BTreeMap<PathBuf, _>| t.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(a), names(b), "{what}");
    for (path, bytes) in a {
        assert!(bytes == &b[path], "{what}: {} differs", path.display());
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let s = Scratch::new();
    s.model("in/net.onnx", &mlp_of(90, 40, 10, &["a", "r", "y"]));
    s.file("in/images.npy", &images(300, 90));
    let home = s.path().to_path_buf();
    compile(&s, "1", &home, "in/net.onnx", "in/images.npy", "first");
    let first = tree(&s.at("first"));
    assert!(first.len() > 15);
    for threads in ["1", "2", "4", "13"] {
        let out = format!("threads{threads}");
        compile(&s, threads, &home, "in/net.onnx", "in/images.npy", &out);
        same(&first, &tree(&s.at(&out)), &out);
    }
    let absolute = |name: &str| home.join(name).to_str().unwrap().to_string();
    fs::create_dir(s.at("elsewhere")).unwrap();
    compile(
        &s,
        "4",
        &s.at("elsewhere"),
        &absolute("in/net.onnx"),
        &absolute("in/images.npy"),
        &absolute("deep/er/out"),
    );
    same(&first, &tree(&s.at("deep/er/out")), "absolute paths");
    compile(&s, "4", &s.at("elsewhere"), "../in/./net.onnx", "../in/images.npy", "out");
    same(&first, &tree(&s.at("elsewhere/out")), "relative paths");
    let here = home.to_str().unwrap();
    for (path, bytes) in first {
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        assert!(!text.contains(here), "{} holds a path of this machine", path.display());
    }
}

/// Windows, a fork, a merge and a pool, where the search for a layout has most freedom.
#[test]
fn networks_with_pixels_are_the_same_on_any_number_of_threads() {
    let s = Scratch::new();
    s.model("in/net.onnx", &cnn());
    s.file("in/images.npy", &images(100, 72));
    let home = s.path().to_path_buf();
    for threads in ["1", "3"] {
        compile(&s, threads, &home, "in/net.onnx", "in/images.npy", &format!("threads{threads}"));
    }
    same(&tree(&s.at("threads1")), &tree(&s.at("threads3")), "3 threads");
}

#[test]
fn running_gives_the_same_figures_on_any_number_of_threads() {
    let s = Scratch::with_design();
    let run = |threads: &str| {
        let args = ["run", "design", "--images", "images.npy", "--labels", "labels.npy", "--json", "-"];
        let output = s.command(&args).env("RAYON_NUM_THREADS", threads).output().unwrap();
        let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let fields = report.as_object_mut().unwrap();
        fields.retain(|key, _| !key.ends_with("images_per_second"));
        report
    };
    assert_eq!(run("1"), run("2"));
    assert_eq!(run("1"), run("4"));
}
