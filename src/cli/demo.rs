//! `synfire demo`

use super::choices::Choices;
use super::inputs::{Output, TestSet};
use super::run::{self, RunReport};
use super::verify::{self, Models, Request, Verified};
use crate::cosim::{Pattern, Report};
use crate::design::Design;
use crate::error::{Error, Kind, Problem, Result};
use crate::flow::synth::{self, Options, SynthReport};
use crate::flow::{self, Tool};
use crate::golden::cycle::MemoryTiming;
use crate::ir::mapped::Target;
use crate::pipeline::{self, Model};
use crate::report::{self, grouped, percent};
use crate::settings::Settings;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The trained network of the demo, 8×8 digits → 48 → 10 (`scripts/train_digits.py`).
const NETWORK: &[u8] = include_bytes!("../../scripts/models/digits_mlp.onnx");
/// Writes scikit-learn's digits as NPY files.
const DIGITS: &str = include_str!("../../scripts/digits.py");

/// Arguments of `demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Where the data, the design and the results go; a design that is there already is replaced
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    out: PathBuf,
    /// Leave out synthesis, place and route
    #[arg(long)]
    no_synth: bool,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    output: Output,
}

/// What the demo found.
#[derive(Serialize)]
struct DemoReport {
    run: RunReport,
    cosim: Report,
    models: Models,
    synth: Option<SynthReport>,
    design: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(Some(&args.out))?;
    let step = |n: u32, what: &str| eprintln!("demo {n}/5: {what}");
    step(1, "the handwritten digits that scikit-learn carries");
    let data = args.out.join("data");
    write_digits(&data)?;
    let model = args.out.join("digits_mlp.onnx");
    std::fs::write(&model, NETWORK).map_err(|e| Error::io(&model, "write", &e))?;

    step(2, "compiling the trained network");
    let settings = args.choices.settings(Settings { target: Target::Ice40Hx8k, ..Settings::default() })?;
    let dir = args.out.join("design");
    let design = pipeline::compile_with(&Model::open(&model, data.join("calibration_images.npy"))?, &settings)?;
    design.write(&dir, true)?;

    step(3, "golden model and float network on the 450 test images");
    let test_set =
        TestSet { images: data.join("test_images.npy"), labels: Some(data.join("test_labels.npy")), limit: None };
    let (images, labels) = test_set.load(&design.net.quant)?;
    let golden = run::measure(&design, &images, labels.as_ref())?;

    step(4, "the Verilog in Verilator, compared cycle for cycle");
    let request = Request {
        input: Pattern::Always,
        output: Pattern::Always,
        memory: MemoryTiming::default(),
        seed: 0,
        disturb: 0,
        wave: Some(args.out.join("mismatch.fst")),
        command: test_set.cosim_command(&dir),
    };
    let Verified { report: cosim, models, .. } = verify::verify(&design, &dir, &images, labels.as_ref(), &request)?;

    let synth = if args.no_synth {
        None
    } else {
        step(5, "synthesis, place and route (the first run of the tools takes minutes)");
        let spinner = report::spinner("yosys, nextpnr");
        let options = Options { pnr: design.net.target.has_pnr(), ..Options::default() };
        let result = synth::synth(&dir, &design.net.top, design.net.target, &options);
        spinner.finish_and_clear();
        Some(result?)
    };
    let result = DemoReport { run: golden, cosim, models, synth, design: dir };
    report::emit(&args.output.json, &result, &text(&result, &design))?;
    let mismatch = result.cosim.first_mismatch.as_ref().map(|m| m.to_error());
    mismatch.map_or(Ok(()), Err)?;
    Error::check(Kind::Mismatch, result.models.first_difference.clone().map(Problem::new).into_iter().collect())
}

/// Runs the script that reads the installed scikit-learn package.
fn write_digits(out: &Path) -> Result<()> {
    let python = flow::tools::find(Tool::Python)?;
    let done = python
        .command()
        .args(["-c", DIGITS])
        .arg(out)
        .output()
        .map_err(|e| Error::io(&python.program, "run Python", &e))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it says nothing").to_string();
    let problem = Problem::new(format!("scikit-learn's digits cannot be read: {last}"))
        .help("run scripts/setup, which installs scikit-learn beside the other tools");
    Err(Error::new(Kind::MissingTool, problem))
}

fn text(r: &DemoReport, design: &Design) -> String {
    let mut table = report::Table::new(&["", "result"]);
    let mut row = |name: &str, value: String| table.row(&[name.to_string(), value]);
    row("accuracy of the float network", percent(r.run.float_accuracy));
    row("accuracy of the golden model", percent(r.run.accuracy));
    row("accuracy of the RTL", percent(r.cosim.accuracy));
    row("images", grouped(r.cosim.images as u64));
    row("cycles", grouped(r.cosim.cycles));
    row("cycles per image", format!("{:.1}", r.cosim.cycles_per_image.unwrap_or(0.0)));
    row("mismatches, cycle by cycle", r.cosim.mismatches.to_string());
    row("mismatches with the Loihi 2 equations", r.cosim.loihi_mismatches.map_or("–".into(), |n| n.to_string()));
    if let Some(s) = &r.synth {
        row("LUTs", grouped(s.lut));
        row("flip-flops", grouped(s.ff));
        row("block RAMs", s.bram.to_string());
        row("multipliers", s.dsp.to_string());
        row("clock rate", s.fmax_mhz.map_or("–".into(), |f| format!("{f:.1} MHz")));
        if let (Some(fmax), Some(cycles)) = (s.fmax_mhz, r.cosim.cycles_per_image) {
            row("images per second at that rate", grouped((fmax * 1e6 / cycles) as u64));
        }
    }
    let mut text = format!("\n{} on {}\n{table}", design.net.top, design.net.target.name());
    text.push_str(&format!("design:    {}\n", r.design.display()));
    if let Some(bitstream) = r.synth.as_ref().and_then(|s| s.bitstream.as_ref()) {
        text.push_str(&format!("bitstream: {}\n", r.design.join(bitstream).display()));
    }
    text
}
