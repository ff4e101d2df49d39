//! Speed of the whole co-simulation (Verilator, cycle model and comparison of every signal) on the 784-128-10 network and MNIST, in
//! cycles a second. `taskset -c 0 cargo bench --bench cosim` measures what one core sustains.

use std::path::{Path, PathBuf};
use synfire::cosim::{PixelCodes, Settings as Run, Simulation, Toolchain};
use synfire::data::{Images, load_images};
use synfire::fixed::PixelFormat;
use synfire::golden::cycle::CycleModel;
use synfire::ir::mapped::{Payload, Target};
use synfire::settings::{ModeChoice, Settings};
use synfire::{Error, Model, Result};

/// Cycles of one measurement, about.
const CYCLES: u64 = 3_000_000;
const REPEATS: usize = 3;

struct Codes<'a> {
    images: &'a Images,
    format: PixelFormat,
    count: usize,
}

impl PixelCodes for Codes<'_> {
    fn images(&self) -> usize {
        self.count
    }

    fn codes(&self, image: usize, codes: &mut Vec<i64>) {
        *codes = self.images.codes(image % self.images.len(), &self.format);
    }
}

fn main() -> Result<()> {
    let root = std::env::var_os("SYNFIRE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let model =
        Model::open(root.join("models/mnist_mlp_784-128-10.onnx"), root.join("data/mnist/train-images-idx3-ubyte.gz"))?;
    let (images, _) = load_images(&root.join("data/mnist/t10k-images-idx3-ubyte.gz"))?;
    let tools = Toolchain::find()?;
    let event = |lanes, payload| Settings {
        target: Target::Generic,
        mode: ModeChoice::Event,
        lanes: Some(lanes),
        payload: Some(payload),
        ..Settings::default()
    };
    let mode = |mode| Settings { mode, ..Settings::default() };
    for (name, settings) in [
        ("ecp5-25k, auto", Settings::default()),
        ("ecp5-25k, event", mode(ModeChoice::Event)),
        ("ecp5-25k, matrix", mode(ModeChoice::Matrix)),
        ("event, 1 lane", event(1, Payload::Multiply)),
        ("event, 8 lanes", event(8, Payload::Multiply)),
        ("event, 16 lanes", event(16, Payload::Multiply)),
        ("event, 16 lanes, shift-add", event(16, Payload::ShiftAdd)),
        ("event, 32 lanes", event(32, Payload::Multiply)),
    ] {
        measure(name, &model, &images, &settings, &tools)?;
    }
    Ok(())
}

/// Prints the best of some runs: what else the machine does can only slow them down.
fn measure(name: &str, model: &Model, images: &Images, settings: &Settings, tools: &Toolchain) -> Result<()> {
    let design = synfire::compile_with(model, settings)?;
    let folder = tempfile::tempdir().map_err(|e| Error::io(Path::new("."), "create a temporary folder", &e))?;
    let dir = folder.path().join("design");
    design.write(&dir, false)?;
    let library = tools.build(&dir, &design.net.top)?;
    let format = &design.net.quant.pixels;
    let run = |count: usize| -> Result<(u64, f64)> {
        let mut simulation = Simulation::new(&library, &dir, &design.net, 1)?;
        let mut cycle_model = CycleModel::new(&design.net);
        let codes = Codes { images, format: format.clone(), count };
        let outcome =
            synfire::cosim::run(&design.net, &mut simulation, &mut cycle_model, &codes, &Run::default(), &mut |_| {})?;
        assert_eq!(outcome.mismatch, None);
        Ok((outcome.cycles, outcome.cycles as f64 / outcome.elapsed.as_secs_f64()))
    };
    let (cycles, _) = run(20)?;
    let count = (CYCLES * 20 / cycles.max(1)).max(20) as usize;
    let mut best = 0f64;
    for _ in 0..REPEATS {
        best = best.max(run(count)?.1);
    }
    println!("{name:<28} {:6.2} Mcycle/s  ({count} images)", best / 1e6);
    Ok(())
}
