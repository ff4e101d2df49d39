//! What the tests that co-simulate compiled networks share: tools, real data, designs, the command line.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use synfire::cosim::{Library, Outcome, PixelCodes, Settings as Run, Simulation, Toolchain};
use synfire::data::{Images, Labels, load_images, load_labels};
use synfire::fixed::PixelFormat;
use synfire::golden::cycle::CycleModel;
use synfire::golden::functional::Functional;
use synfire::settings::Settings;
use synfire::{Design, Model};
use tempfile::TempDir;

/// True where nothing may be left out.
pub fn ci() -> bool {
    std::env::var("CI").as_deref() == Ok("true")
}

/// The build cache of all test binaries.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache")
}

/// Verilator and a C++ compiler; `None`, after saying so, where they are missing.
pub fn toolchain() -> Option<Toolchain> {
    match Toolchain::find() {
        Ok(found) => Some(Toolchain { cache: cache(), ..found }),
        Err(error) => {
            assert!(!ci(), "{error}");
            println!("ignored: {error}");
            None
        }
    }
}

/// The 784-128-10 network and its test set.
pub struct Mnist {
    pub model: Model,
    pub test: Images,
    pub labels: Labels,
    pub test_file: PathBuf,
    pub labels_file: PathBuf,
}

/// `None`, after saying so, where the data sets are missing.
pub fn mnist() -> Option<&'static Mnist> {
    static MNIST: OnceLock<Option<Mnist>> = OnceLock::new();
    MNIST.get_or_init(load_mnist).as_ref()
}

fn load_mnist() -> Option<Mnist> {
    let root = std::env::var_os("SYNFIRE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if !root.join("models").is_dir() {
        assert!(!ci(), "the data sets are missing: {}", root.display());
        println!("ignored: no data sets at {}; set SYNFIRE_DATA", root.display());
        return None;
    }
    let data = |name: &str| root.join("data/mnist").join(name);
    let network = root.join("models/mnist_mlp_784-128-10.onnx");
    let (test_file, labels_file) = (data("t10k-images-idx3-ubyte.gz"), data("t10k-labels-idx1-ubyte.gz"));
    Some(Mnist {
        model: Model::open(network, data("train-images-idx3-ubyte.gz")).unwrap(),
        test: load_images(&test_file).unwrap().0,
        labels: load_labels(&labels_file).unwrap(),
        test_file,
        labels_file,
    })
}

/// A design in a folder of its own.
pub struct Built {
    pub folder: TempDir,
    pub design: Design,
}

impl Built {
    pub fn new(model: &Model, settings: &Settings) -> Built {
        let design = synfire::compile_with(model, settings).unwrap();
        let folder = tempfile::tempdir().unwrap();
        design.write(&folder.path().join("design"), false).unwrap();
        Built { folder, design }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("design")
    }

    pub fn library(&self, tools: &Toolchain) -> Library {
        tools.build(&self.path(), &self.design.net.top).unwrap()
    }

    /// Runs `images` and expects no mismatch with the cycle model, and the functional model's counts and logits.
    pub fn agrees(&self, library: &Library, images: &Codes, settings: &Run) -> Outcome {
        let net = &self.design.net;
        let (input, output) = (settings.input, settings.output);
        let mut simulation = Simulation::new(library, &self.path(), net, settings.seed).unwrap();
        let mut sent = Vec::new();
        let mut observe = |c: &synfire::cosim::PhaseCounts| {
            sent.push((c.image, c.phase as usize, c.population.0, c.values.to_vec()));
        };
        let outcome =
            synfire::cosim::run(net, &mut simulation, &mut CycleModel::new(net), images, settings, &mut observe)
                .unwrap();
        assert_eq!(outcome.mismatch, None, "input {input}, output {output}");
        assert_eq!((outcome.mismatches, outcome.images), (0, images.count));
        let functional = Functional::new(&net.quant).unwrap();
        let golden: Vec<_> = (0..images.count).map(|i| functional.image_by_phase(&images.of(i)).unwrap()).collect();
        let readout = net.quant.readout().0;
        for (image, phase, population, values) in &sent {
            let golden = &golden[*image];
            let expected = if *population == readout {
                &golden.logits
            } else {
                &golden.phases.as_ref().unwrap()[*phase][*population]
            };
            assert_eq!(values, expected, "image {image}, phase {phase}, population {population}");
        }
        // Every population once a phase, the readout once an image.
        let phases = net.quant.phases() as usize;
        assert_eq!(sent.len(), images.count * (phases * readout + 1));
        assert!(outcome.logits.iter().eq(golden.iter().map(|g| &g.logits)));
        outcome
    }
}

/// The first images of a set, as the hardware takes them.
pub struct Codes<'a> {
    pub images: &'a Images,
    pub format: PixelFormat,
    pub count: usize,
}

impl Codes<'_> {
    pub fn of(&self, image: usize) -> Vec<i64> {
        self.images.codes(image, &self.format)
    }
}

impl PixelCodes for Codes<'_> {
    fn images(&self) -> usize {
        self.count
    }

    fn codes(&self, image: usize, codes: &mut Vec<i64>) {
        *codes = self.of(image);
    }
}

/// Runs `synfire` with the tests' build cache.
pub fn synfire(args: &[&dyn AsRef<OsStr>]) -> Output {
    let args = args.iter().map(|a| a.as_ref());
    Command::new(env!("CARGO_BIN_EXE_synfire")).args(args).env("SYNFIRE_CACHE", cache()).output().unwrap()
}

/// Runs `synfire` with `--json` and returns its exit code and the JSON.
pub fn synfire_json(args: &[&dyn AsRef<OsStr>]) -> (i32, Value, Output) {
    let mut args = args.to_vec();
    args.extend([&"--json" as &dyn AsRef<OsStr>, &"-"]);
    let output = synfire(&args);
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json, output)
}
