//! `synfire cosim`

use super::inputs::{Output, TestSet};
use super::verify::{self, Request};
use crate::cosim::{Pattern, Report};
use crate::design::Design;
use crate::error::{Error, Kind, Problem, Result};
use crate::report;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `cosim`.
#[derive(clap::Args)]
pub struct Args {
    /// Design directory
    dir: PathBuf,
    #[command(flatten)]
    test_set: TestSet,
    /// When the input has a beat to offer: always, random[:PERCENT], bursts or long-stalls
    #[arg(long, value_name = "PATTERN", default_value = "always")]
    input: Pattern,
    /// When the output is ready: always, random[:PERCENT], bursts or long-stalls
    #[arg(long, value_name = "PATTERN", default_value = "always")]
    back_pressure: Pattern,
    /// Seed of the patterns and of the design's uninitialised memories
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Run N cycles and reset in their midst before the comparison begins
    #[arg(long, value_name = "N", default_value_t = 0)]
    disturb: u64,
    /// Where the waveform of a mismatch goes [default: cosim/mismatch.fst in the design directory]
    #[arg(long, value_name = "FILE.fst")]
    wave: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// The co-simulation's report and what the untimed models say of it.
#[derive(Serialize)]
pub struct CosimReport {
    #[serde(flatten)]
    cosim: Report,
    #[serde(flatten)]
    models: verify::Models,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&args.test_set.files(), Some(&args.dir))?;
    let design = Design::load(&args.dir)?;
    let quant = &design.net.quant;
    let classes = quant.population(quant.readout()).shape.len();
    let (images, labels) = args.test_set.load(quant.input_shape(), classes)?;
    let wave = args.wave.clone().unwrap_or_else(|| args.dir.join("cosim").join("mismatch.fst"));
    if let Some(folder) = wave.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create the folder", &e))?;
    }
    let request = Request {
        input: args.input,
        output: args.back_pressure,
        seed: args.seed,
        disturb: args.disturb,
        wave: Some(wave),
        command: command(args),
    };
    let (report, models) = verify::verify(&design, &args.dir, &images, labels.as_ref(), &request)?;
    let result = CosimReport { cosim: report, models };
    report::emit(&args.output.json, &result, &text(&result))?;
    let mut problems: Vec<Problem> = Vec::new();
    if let Some(mismatch) = &result.cosim.first_mismatch {
        problems.extend(mismatch.to_error().problems);
    }
    problems.extend(result.models.first_difference.clone().map(Problem::new));
    if !problems.is_empty() {
        // The first thing to know of a mismatch: whether these are still the files that the compiler wrote.
        problems.extend(Design::changed_files(&args.dir)?);
    }
    Error::check(Kind::Mismatch, problems)
}

/// The command line that repeats this run.
fn command(args: &Args) -> String {
    let quote = |path: &Path| {
        let text = path.display().to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
        if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    let mut line = format!("synfire cosim {} --images {}", quote(&args.dir), quote(&args.test_set.images));
    if let Some(labels) = &args.test_set.labels {
        line.push_str(&format!(" --labels {}", quote(labels)));
    }
    line.push_str(&format!(" --input {} --back-pressure {} --seed {}", args.input, args.back_pressure, args.seed));
    if args.disturb > 0 {
        line.push_str(&format!(" --disturb {}", args.disturb));
    }
    line
}

/// A table of the layers and the sums below it.
fn text(r: &CosimReport) -> String {
    let mut table = report::Table::new(&["layer", "mode", "lanes", "active cycles", "lower bound", "bound / active"]);
    for l in &r.cosim.layers {
        table.row(&[
            l.label.clone(),
            l.mode.into(),
            l.lanes.to_string(),
            report::grouped(l.cycles),
            report::grouped(l.bound_cycles),
            format!("{:.3}", l.bound_cycles as f64 / l.cycles.max(1) as f64),
        ]);
    }
    let c = &r.cosim;
    let mut text = format!(
        "{} images, {} cycles ({:.0} an image), {:.2} Mcycle/s\n{table}",
        report::grouped(c.images as u64),
        report::grouped(c.cycles),
        c.cycles_per_image.unwrap_or(0.0),
        c.cycles_per_second / 1e6
    );
    text.push_str(&format!(
        "cycle model:      {} mismatches in {} comparisons of {} signals\n",
        c.mismatches,
        report::grouped(c.comparisons),
        c.compared_signals
    ));
    text.push_str(&format!(
        "functional model: {} mismatches in {} spike counts and logits\n",
        r.models.functional_mismatches,
        report::grouped(r.models.functional_comparisons)
    ));
    for layer in &r.models.loihi {
        text.push_str(&format!("Loihi 2:          {layer}\n"));
    }
    if r.models.loihi.iter().any(|layer| layer.compared > 0) {
        text.push_str("                  (with the one difference that the reset subtracts the threshold)\n");
    }
    if c.accuracy.is_some() {
        text.push_str(&format!("accuracy of the hardware: {}\n", report::percent(c.accuracy)));
    }
    text
}
