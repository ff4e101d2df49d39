//! Designs to put faults into, what they should compute, and the checks that every caught fault must pass.

use crate::cosim_support::{Built, cache, ci, synfire_json};
use ndarray::{Array1, Array2};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use synfire::Model;
use synfire::data::{Images, load_images};
use synfire::flow::{Tool, tools};
use synfire::golden::cycle::{Border, CycleModel};
use synfire::ir::Shape;
use synfire::ir::graph::{Node, NodeId, Op};
use synfire::ir::mapped::{Payload, Target};
use synfire::ir::quant::Neuron;
use synfire::ir::snn::Synapses;
use synfire::ir::stream::{Beat, Wires};
use synfire::settings::{ModeChoice, Settings};
use tempfile::TempDir;

const TIMESTEPS: u32 = 16;
/// Bits of a count.
const COUNT_BITS: u32 = 5;

/// The handwritten digits and the committed 64-48-10 network.
pub struct Digits {
    folder: TempDir,
    pub model: Model,
    images: Images,
}

/// `None`, after saying so, where there is no Python to write the digits with.
pub fn digits() -> Option<&'static Digits> {
    static DIGITS: OnceLock<Option<Digits>> = OnceLock::new();
    DIGITS.get_or_init(load).as_ref()
}

fn load() -> Option<Digits> {
    let python = match tools::find(Tool::Python) {
        Ok(found) => found,
        Err(error) => {
            assert!(!ci(), "{error}");
            println!("ignored: {error}");
            return None;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut script: Command = python.command();
    script.arg("scripts/digits.py").arg(folder.path()).current_dir(root).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = script.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let network = root.join("scripts/models/digits_mlp.onnx");
    let model = Model::open(network, folder.path().join("calibration_images.npy")).unwrap();
    let (images, _) = load_images(&folder.path().join("test_images.npy")).unwrap();
    Some(Digits { folder, model, images })
}

/// Event cores of 4 lanes: 12 groups of hidden neurons, 3 of classes, the last with 2 lanes in use.
pub fn event() -> Settings {
    Settings {
        target: Target::Generic,
        timesteps: TIMESTEPS,
        weight_bits: 6,
        input_bits: 5,
        mode: ModeChoice::Event,
        lanes: Some(4),
        payload: Some(Payload::Multiply),
        ..Settings::default()
    }
}

/// Matrix cores of 4 rows and 4 lanes.
pub fn matrix() -> Settings {
    Settings { mode: ModeChoice::Matrix, rows: Some(4), payload: None, ..event() }
}

/// The digits network with a second projection from the image to the classes: a fork and a merge.
pub fn joined(digits: &Digits) -> Model {
    let mut model = digits.model.clone();
    let graph = &mut model.graph;
    let classes = graph.node(graph.output).shape.clone();
    let weight = Array2::from_shape_fn((classes.len(), 64), |(n, i)| ((n * 7 + i * 3) % 11) as f32 / 50.0 - 0.1);
    let dense = Op::Dense { weight, bias: Array1::zeros(classes.len()) };
    let flat = Shape(vec![64]);
    let flatten = graph.nodes.iter().position(|n| n.shape == flat).expect("the image is flattened");
    let direct = NodeId(graph.nodes.len());
    graph.nodes.push(Node { name: "direct".into(), op: dense, inputs: vec![NodeId(flatten)], shape: classes.clone() });
    graph.nodes.push(Node { name: "sum".into(), op: Op::Add, inputs: vec![graph.output, direct], shape: classes });
    graph.output = NodeId(direct.0 + 1);
    model
}

impl Digits {
    pub fn design(&self, settings: &Settings) -> Built {
        Built::new(&self.model, settings)
    }

    pub fn count(&self) -> usize {
        self.images.len()
    }

    /// The pixels of a test image.
    pub fn codes(&self, image: usize) -> Vec<i64> {
        self.images.codes(image, &synfire::fixed::PixelFormat::unsigned(event().input_bits))
    }

    /// The first test image with a property.
    pub fn first(&self, is: impl Fn(&[i64]) -> bool) -> usize {
        (0..self.count()).find(|&i| is(&self.codes(i))).expect("a test image shows the fault")
    }

    /// `synfire cosim` on all test images.
    pub fn cosim(&self, built: &Built, more: &[&str]) -> (i32, Value, String) {
        let (path, images) = (built.path(), self.folder.path().join("test_images.npy"));
        let mut args: Vec<&dyn AsRef<OsStr>> = vec![&"cosim", &path, &"--images", &images, &"--seed", &"3"];
        args.extend(more.iter().map(|a| a as &dyn AsRef<OsStr>));
        let (code, report, output) = synfire_json(&args);
        (code, report, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Replaces text that stands exactly once in a file of the design.
pub fn edit(built: &Built, file: &str, from: &str, to: &str) {
    let path = built.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{file} has no single '{from}' any more: adapt this test");
    std::fs::write(&path, text.replace(from, to)).unwrap();
}

/// The hidden layer, computed from the integer network's definition.
#[derive(Clone)]
pub struct Hidden {
    weight: Array2<i32>,
    pub theta: Vec<i64>,
    pub v_init: Vec<i64>,
}

impl Hidden {
    pub fn of(built: &Built) -> Hidden {
        let quant = &built.design.net.quant;
        let Neuron::If { theta, v_init, .. } = &quant.populations[1].neuron else { panic!("the hidden layer fires") };
        let (_, projection) = quant.projections_into(synfire::ir::PopId(1)).next().unwrap();
        let Synapses::Dense { weight } = &projection.projection.synapses else { panic!("dense networks only") };
        Hidden { weight: weight.clone(), theta: theta.clone(), v_init: v_init.clone() }
    }

    /// Membranes when firing begins.
    pub fn membranes(&self, codes: &[i64]) -> Vec<i64> {
        let sum = |(row, v): (ndarray::ArrayView1<i32>, &i64)| {
            v + row.iter().zip(codes).map(|(&w, x)| i64::from(w) * x).sum::<i64>()
        };
        self.weight.rows().into_iter().zip(&self.v_init).map(sum).collect()
    }

    /// Counts and what is left of the membranes, by successive approximation with the given comparison.
    fn approximate(&self, codes: &[i64], fires: impl Fn(i64, i64) -> bool) -> Vec<(i64, i64)> {
        let one = |(mut v, theta): (i64, &i64)| {
            let mut count = 0;
            for bit in (0..COUNT_BITS).rev() {
                let fired = fires(v, theta << bit);
                v -= if fired { theta << bit } else { 0 };
                count = 2 * count + i64::from(fired);
            }
            (count, v)
        };
        self.membranes(codes).into_iter().zip(&self.theta).map(one).collect()
    }

    pub fn unclipped(&self, codes: &[i64], fires: impl Fn(i64, i64) -> bool) -> Vec<i64> {
        self.approximate(codes, fires).into_iter().map(|(count, _)| count).collect()
    }

    pub fn counts_by(&self, codes: &[i64], fires: impl Fn(i64, i64) -> bool) -> Vec<i64> {
        self.unclipped(codes, fires).into_iter().map(|count| count.min(i64::from(TIMESTEPS))).collect()
    }

    pub fn counts(&self, codes: &[i64]) -> Vec<i64> {
        self.counts_by(codes, |v, scaled| v >= scaled)
    }

    pub fn left(&self, codes: &[i64]) -> Vec<i64> {
        self.approximate(codes, |v, scaled| v >= scaled).into_iter().map(|(_, left)| left).collect()
    }
}

/// Every stream in the first cycles of the sound design, without back-pressure, by the cycle model.
pub fn timeline(built: &Built, digits: &Digits, cycles: usize) -> Vec<Vec<Wires>> {
    let ids = built.design.net.stream(built.design.net.input()).layout;
    let mut beats = (0..).flat_map(|i| Beat::phase_of(&digits.codes(i), &ids).collect::<Vec<_>>());
    let mut next = beats.next();
    let mut model = CycleModel::new(&built.design.net);
    let mut cycle = || {
        let wires = model.cycle(&Border { input: next, output_ready: true }).to_vec();
        if wires[0].moves() {
            next = beats.next();
        }
        wires
    };
    (0..cycles).map(|_| cycle()).collect()
}

/// A mismatch as `synfire cosim` reported it.
pub struct Found {
    pub json: Value,
}

impl Found {
    fn text(&self, key: &str) -> &str {
        self.json[key].as_str().unwrap()
    }

    fn number(&self, key: &str) -> usize {
        self.json[key].as_u64().unwrap() as usize
    }

    /// `stream` and its name, or `membrane` and its unit.
    pub fn place(&self) -> (&str, &str) {
        let place = &self.json["place"];
        let name = if place["kind"] == "stream" { &place["stream"] } else { &place["unit"] };
        // The requests of external weights are one's only.
        let kind = if place["kind"] == "state" { &place["state"] } else { &place["kind"] };
        (kind.as_str().unwrap(), name.as_str().unwrap_or_default())
    }

    pub fn cycle(&self) -> usize {
        self.number("cycle")
    }

    pub fn image(&self) -> usize {
        self.number("image")
    }

    pub fn phase(&self) -> usize {
        self.number("phase")
    }

    pub fn layer(&self) -> &str {
        self.text("layer")
    }

    pub fn neuron(&self) -> Option<usize> {
        self.json["neuron"].as_u64().map(|n| n as usize)
    }

    pub fn expected(&self) -> &str {
        self.text("expected")
    }

    pub fn got(&self) -> &str {
        self.text("got")
    }

    /// Expected and got membrane.
    pub fn membranes(&self) -> (i64, i64) {
        let value = |text: &str| text.strip_prefix("membrane ").unwrap().parse().unwrap();
        (value(self.expected()), value(self.got()))
    }
}

/// Runs the co-simulation of a faulty design: it must fail, say where in JSON and in words, leave a small waveform in which
/// the two sides first part in the named cycle, and name a command that does all of this again.
pub fn caught(digits: &Digits, built: &Built, more: &[&str]) -> Found {
    let (code, report, message) = digits.cosim(built, more);
    assert_eq!(code, 3, "{message}");
    assert!(report["mismatches"].as_u64().unwrap() > 0);
    let found = Found { json: report["first_mismatch"].clone() };
    println!("{message}");
    for part in [format!("cycle {}:", found.cycle()), format!("layer '{}'", found.layer())] {
        assert!(message.contains(&part), "{part} in {message}");
    }
    assert!(message.contains(found.expected()) && message.contains(found.got()), "{message}");
    check_wave(&found);

    // The command, as it stands in the message.
    let command = found.text("reproduce");
    assert!(message.contains(command), "{message}");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_synfire"));
    let path = std::env::join_paths(
        [program.parent().unwrap().to_path_buf()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").expect("PATH"))),
    );
    let output = Command::new("sh")
        .args(["-c", &format!("{command} --json -")])
        .env("PATH", path.unwrap())
        .env("SYNFIRE_CACHE", cache())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["cycle", "place", "layer", "image", "phase", "neuron", "expected", "got", "streams"] {
        assert_eq!(again["first_mismatch"][key], found.json[key], "{key} after {command}");
    }
    found
}

fn check_wave(found: &Found) {
    let path = PathBuf::from(found.text("wave"));
    let size = std::fs::metadata(&path).unwrap().len();
    assert!((1..100_000).contains(&size), "{size} bytes");
    let mut waves = wellen::simple::read(&path).unwrap();
    let times: Vec<u64> = waves.time_table().to_vec();
    let cycle = found.cycle() as u64;
    let mut at = |scope: &[&str], name: &str, time: u64| {
        let var = waves.hierarchy().lookup_var(scope, name).unwrap_or_else(|| panic!("{scope:?} {name}"));
        let signal = waves.hierarchy()[var].signal_ref();
        waves.load_signals(&[signal]);
        let index = times.iter().position(|&t| t == time).unwrap();
        let signal = waves.get_signal(signal).unwrap();
        let offset = signal.get_offset(u32::try_from(index).unwrap()).unwrap();
        signal.get_value_at(&offset, 0).to_string()
    };
    for &time in times.iter().filter(|&&t| t < cycle && t >= cycle.saturating_sub(256)) {
        assert_eq!(at(&[], "differs", time), "0", "cycle {time} before cycle {cycle}");
    }
    assert_eq!(at(&[], "differs", cycle), "1");
    let (kind, name) = found.place();
    if kind == "stream" {
        let wires = ["valid", "ready", "last", "value", "id"];
        assert!(wires.iter().any(|wire| at(&["rtl", name], wire, cycle) != at(&["model", name], wire, cycle)));
    } else if kind == "weights" {
        let wires = ["valid", "ready"];
        assert!(wires.iter().any(|wire| at(&["rtl", kind], wire, cycle) != at(&["model", kind], wire, cycle)));
    } else {
        let (unit, membrane) = (format!("u_{name}"), format!("membrane_{}", found.neuron().unwrap()));
        let (expected, got) = found.membranes();
        assert_eq!(at(&["model", &unit], &membrane, cycle), format!("{expected:064b}"));
        assert_eq!(at(&["rtl", &unit], &membrane, cycle), format!("{got:064b}"));
    }
}
