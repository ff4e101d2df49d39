//! A scratch folder, small input files, and the built program run in it as a user would.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

#[path = "../onnx_support/mod.rs"]
pub mod onnx;

use assert_cmd::Command;
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use onnx::With;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use synfire::frontends::onnx::proto::ModelProto;
use tempfile::TempDir;

/// Runs the program in little memory, and with `CPU_SECONDS` for so long at most.
const LIMITED: &str = "ulimit -v 1500000; ulimit -t \"${CPU_SECONDS:-unlimited}\"; exec \"$0\" \"$@\"";

/// What a run of the program gave.
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A folder with `net.onnx` (6 → 4 → 3), `images.npy` (32 images) and `labels.npy`.
pub struct Scratch {
    dir: TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        let scratch = Scratch { dir: tempfile::tempdir().unwrap() };
        scratch.model("net.onnx", &mlp(&["Gemm_a", "Relu_r", "Gemm_y"]));
        scratch.file("images.npy", &images(32, 6));
        scratch.file("labels.npy", &labels(32, 3));
        scratch
    }

    /// As [`Scratch::new`], and `net.onnx` compiled to `design`.
    pub fn with_design() -> Self {
        let scratch = Scratch::new();
        scratch.compile("design", &[]);
        scratch
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn model(&self, name: &str, model: &ModelProto) -> PathBuf {
        self.file(name, &onnx::bytes(model))
    }

    /// The program with a bounded address space, so that a large allocation fails here as it would on a small machine. With
    /// `CPU_SECONDS` it is killed after so much processor time: time on the wall says more of what else the machine is doing.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", LIMITED, env!("CARGO_BIN_EXE_synfire")])
            .args(args)
            .current_dir(self.path())
            .env("RAYON_NUM_THREADS", "2")
            .timeout(Duration::from_secs(300));
        command
    }

    pub fn run(&self, args: &[&str]) -> Outcome {
        finish(&mut self.command(args))
    }

    pub fn compile(&self, out: &str, options: &[&str]) -> Outcome {
        let args = [&["compile", "net.onnx", "--calibrate", "images.npy", "--out", out], options].concat();
        let outcome = self.run(&args);
        assert_eq!(outcome.code, 0, "{}", outcome.err);
        outcome
    }

    /// The run must fail with `code` and a message that holds every part, soon, and must leave the folder as it was.
    pub fn refused(&self, code: i32, args: &[&str], parts: &[&str]) -> String {
        self.refused_by(self.command(args), code, parts)
    }

    pub fn refused_by(&self, mut command: Command, code: i32, parts: &[&str]) -> String {
        let before = tree(self.path());
        let outcome = finish(command.env("CPU_SECONDS", "2"));
        let what = format!("{command:?}\n{}\n{}", outcome.out, outcome.err);
        assert_eq!(outcome.code, code, "{what}");
        assert!(!outcome.err.contains("panicked"), "{what}");
        for part in parts {
            assert!(outcome.err.contains(part), "no '{part}' in {what}");
        }
        assert_eq!(outcome.out, "", "{what}");
        let after = tree(self.path());
        assert!(before == after, "the folder changed: {:?} {what}", after.keys().collect::<Vec<_>>());
        outcome.err
    }

    /// `compile` of `net.onnx` with these options must be refused.
    pub fn compile_refused(&self, code: i32, options: &[&str], parts: &[&str]) -> String {
        let args = [&["compile", "net.onnx", "--calibrate", "images.npy", "--out", "out"], options].concat();
        self.refused(code, &args, parts)
    }

    pub fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.at(path)).unwrap()).unwrap()
    }
}

fn finish(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or_else(|| panic!("{:?}: {}", output.status, text(&output.stderr)));
    Outcome { code, out: text(&output.stdout), err: text(&output.stderr) }
}

/// Every path below `dir` with its content (folders: none).
pub fn tree(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_folder = fs::symlink_metadata(&path).unwrap().is_dir();
            let content = (!is_folder).then(|| fs::read(&path).unwrap_or_default());
            found.insert(path.strip_prefix(dir).unwrap().to_path_buf(), content);
            if is_folder {
                open.push(path);
            }
        }
    }
    found
}

/// `x[6]` → Gemm → Relu → Gemm → `y[3]` with these node names.
pub fn mlp(names: &[&str; 3]) -> ModelProto {
    mlp_of(6, 4, 3, names)
}

/// As [`mlp`], of any size.
pub fn mlp_of(inputs: i64, hidden: i64, outputs: i64, names: &[&str; 3]) -> ModelProto {
    let mut nodes = vec![
        onnx::node("Gemm", &["x", "w1", "b1"], "a"),
        onnx::node("Relu", &["a"], "r"),
        onnx::node("Gemm", &["r", "w2", "b2"], "y"),
    ];
    for (node, name) in nodes.iter_mut().zip(names) {
        node.name = name.to_string();
    }
    let constants = vec![
        onnx::weights("w1", &[inputs, hidden]),
        onnx::weights("b1", &[hidden]),
        onnx::weights("w2", &[hidden, outputs]),
        onnx::weights("b2", &[outputs]),
    ];
    onnx::model(13, &[inputs], nodes, constants)
}

/// `x[2, 6, 6]` → Conv 3×3 → Relu → (Conv 3×3, and a skip) → Add → Relu → GlobalAveragePool → Gemm → `y[3]`.
pub fn cnn() -> ModelProto {
    let conv = |inputs: &[&str], output| onnx::node("Conv", inputs, output).ints("pads", &[1, 1, 1, 1]);
    let nodes = vec![
        conv(&["x", "w1", "b1"], "a"),
        onnx::node("Relu", &["a"], "r"),
        conv(&["r", "w2", "b2"], "c"),
        onnx::node("Add", &["c", "r"], "s"),
        onnx::node("Relu", &["s"], "t"),
        onnx::node("GlobalAveragePool", &["t"], "p"),
        onnx::node("Flatten", &["p"], "f"),
        onnx::node("Gemm", &["f", "w3", "b3"], "y"),
    ];
    let constants = vec![
        onnx::weights("w1", &[4, 2, 3, 3]),
        onnx::weights("b1", &[4]),
        onnx::weights("w2", &[4, 4, 3, 3]),
        onnx::weights("b2", &[4]),
        onnx::weights("w3", &[4, 3]),
        onnx::weights("b3", &[3]),
    ];
    onnx::model(13, &[2, 6, 6], nodes, constants)
}

/// An NPY file of `count` reproducible images of `pixels` bytes.
pub fn images(count: usize, pixels: usize) -> Vec<u8> {
    npy(&Array2::from_shape_fn((count, pixels), |(i, p)| ((i * 31 + p * p * 57 + i * p * 13) % 256) as u8))
}

/// An NPY file of `count` labels below `classes`.
pub fn labels(count: usize, classes: usize) -> Vec<u8> {
    let labels: ndarray::Array1<i64> = (0..count).map(|i| (i % classes) as i64).collect();
    npy(&labels)
}

/// The bytes of an NPY file.
pub fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}
