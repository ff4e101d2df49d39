//! `synfire cosim`

use super::inputs::{Output, TestSet, spares};
use super::verify::{self, Request};
use crate::cosim::{Pattern, Report};
use crate::design::Design;
use crate::error::{Error, Kind, Problem, Result};
use crate::golden::cycle::MemoryTiming;
use crate::ir::quant::Neuron;
use crate::report;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `cosim`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
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
    /// Cycles that the memory of external weights takes to answer, up to SPREAD more at random, and up to PAUSE after a request until it
    /// takes the next
    #[arg(long, value_name = "LATENCY[+SPREAD][/PAUSE]", default_value_t)]
    memory: MemoryTiming,
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
    #[serde(flatten)]
    build: verify::Build,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&args.test_set.files(), Some(&args.dir))?;
    if let Some(wave) = &args.wave {
        spares("--wave", wave, &args.test_set.files(), Some(&args.dir))?;
    }
    let design = Design::load(&args.dir)?;
    let (samples, labels) = args.test_set.load(&design.net.quant)?;
    let wave = args.wave.clone().unwrap_or_else(|| args.dir.join("cosim").join("mismatch.fst"));
    let request = Request {
        input: args.input,
        output: args.back_pressure,
        memory: MemoryTiming { seed: args.seed, ..args.memory },
        seed: args.seed,
        disturb: args.disturb,
        wave: Some(wave),
        command: command(args),
    };
    let verified = verify::verify(&design, &args.dir, &samples, labels.as_ref(), &request)?;
    let result = CosimReport { cosim: verified.report, models: verified.models, build: verified.build };
    report::emit(&args.output.json, &result, &text(&result, &design, &samples.count()))?;
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
    let mut line = args.test_set.cosim_command(&args.dir);
    line.push_str(&format!(" --input {} --back-pressure {} --seed {}", args.input, args.back_pressure, args.seed));
    if args.memory != MemoryTiming::default() {
        line.push_str(&format!(" --memory {}", args.memory));
    }
    if args.disturb > 0 {
        line.push_str(&format!(" --disturb {}", args.disturb));
    }
    line
}

/// What makes a network of leaky neurons Loihi 2's; see [`crate::quantise::Arithmetic`].
const LOIHI_NOTE: &str = "                  (the quantisation makes it so, --arithmetic auto or loihi: a threshold is a whole number of weights,\n                  \
    which is the chip's vth << 6; currents and membranes have 6 fraction bits in 24, decays 12 bits, weights 8 at most)\n";

/// A table of the layers and the sums below it.
fn text(r: &CosimReport, design: &Design, count: &str) -> String {
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
        "{count}, {} cycles ({:.0} each), {:.2} Mcycle/s\n{table}",
        report::grouped(c.cycles),
        c.cycles_per_image.unwrap_or(0.0),
        c.cycles_per_second / 1e6
    );
    if !r.build.build_cached {
        text.push_str(&format!("the simulation was built in {:.1} s\n", r.build.build_seconds));
    }
    text.push_str(&format!(
        "cycle model:      {} mismatches in {} comparisons of {} signals\n",
        c.mismatches - r.models.functional_mismatches,
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
    let agreed = c.first_mismatch.is_none() && r.models.first_difference.is_none();
    text.push_str(&format!("Loihi 2:          {}\n", verify::summary(&r.models.loihi, r.models.samples, agreed)));
    for way in verify::advice(&r.models.loihi) {
        text.push_str(&format!("                  ({way})\n"));
    }
    let leaky = |name: &str| {
        let leaky = |neuron: &Neuron| matches!(neuron, Neuron::Leaky(leaky) if leaky.fires());
        design.net.quant.populations.iter().any(|p| p.name == name && leaky(&p.neuron))
    };
    if r.models.loihi.iter().any(|layer| layer.compared > 0 && leaky(&layer.layer)) {
        text.push_str(LOIHI_NOTE);
    }
    if c.accuracy.is_some() {
        text.push_str(&format!("accuracy of the hardware: {}\n", report::percent(c.accuracy)));
    }
    text
}
