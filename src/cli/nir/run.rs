//! `synfire nir run`

use super::Reading;
use crate::cli::inputs::{Output, spares};
use crate::data::{self, Arrays};
use crate::error::{Error, Problem, Result};
use crate::frontends::nir::{self, Executor, Outcome, Port};
use crate::report;
use ndarray::ArrayD;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Arguments of `nir run`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// NIR file
    file: PathBuf,
    /// What is presented: NPY [T, input shape], or for several inputs NPZ with one array per Input node
    #[arg(long, value_name = "X.npy")]
    input: PathBuf,
    /// Where the outputs go: NPY [T, output shape], or for several outputs NPZ with one array per Output node
    #[arg(long, value_name = "Y.npy")]
    output: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    report: Output,
}

/// What `nir run` reports.
#[derive(Debug, Serialize)]
struct RunReport {
    /// Steps presented.
    steps: usize,
    /// Seconds per step.
    dt: f64,
    /// Where the time step comes from.
    dt_origin: &'static str,
    dialect: &'static str,
    /// Edges that carry the output of the previous step.
    feedback: Vec<[String; 2]>,
    /// Spikes of each population that fires.
    spikes: BTreeMap<String, f64>,
    /// The sum of each Output node's values over the steps, where there are at most 1,000.
    outputs: BTreeMap<String, Vec<f64>>,
    /// Their values in the last step: of a converted network, the logits.
    last: BTreeMap<String, Vec<f64>>,
}

pub fn run(args: &Args) -> Result<()> {
    args.report.check(None)?;
    args.report.spares(&[&args.file, &args.input, &args.output], None)?;
    report::check_json(&args.output)?;
    spares("--output", &args.output, &[&args.file, &args.input], None)?;
    let graph = nir::read(&args.file)?;
    let executor = Executor::new(&graph, args.reading.settings()).map_err(|e| e.in_file(&args.file))?;
    let outputs = executor.outputs();
    let archive = args.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("npz"));
    if outputs.len() > 1 && !archive {
        let names: Vec<&str> = outputs.iter().map(|port| port.name.as_str()).collect();
        let what = format!("the network has {} outputs ({})", outputs.len(), names.join(", "));
        return Err(Problem::new(what).in_file(&args.file).help("let --output end in .npz").into());
    }
    let inputs = inputs(&args.input, &executor.inputs())?;
    let steps = inputs.values().next().map_or(0, |x| x.len_of(ndarray::Axis(0)));
    let outcome = executor.run(&inputs).map_err(|e| e.in_file(&args.input))?;
    match (archive, outcome.outputs.values().next()) {
        (false, Some(only)) => data::save_npy(&args.output, only)?,
        _ => data::save_npz(&args.output, &outcome.outputs)?,
    }
    let result = summarise(&executor, &outcome, steps);
    let text = text(&result, &executor, &args.output);
    report::emit(&args.report.json, &result, &text)
}

/// The arrays of a file, by Input node; a single array belongs to the only one.
fn inputs(path: &Path, ports: &[Port]) -> Result<BTreeMap<String, ArrayD<f64>>> {
    match (data::load_arrays(path)?, ports) {
        (Arrays::Named(named), _) => Ok(named),
        (Arrays::Single(array), [port]) => Ok(BTreeMap::from([(port.name.clone(), array)])),
        (Arrays::Single(_), ports) => {
            let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
            let problem = Problem::new(format!("holds one array, but the network has {} inputs", ports.len()));
            let help = format!("give an NPZ file with the arrays {}", names.join(", "));
            Err(Error::from(problem.in_file(path).help(help)))
        }
    }
}

fn summarise(executor: &Executor, outcome: &Outcome, steps: usize) -> RunReport {
    let short = || outcome.outputs.iter().filter(|(_, y)| y.len() / steps.max(1) <= 1000);
    let last = |y: &ArrayD<f64>| y.outer_iter().next_back().map_or_else(Vec::new, |row| row.iter().copied().collect());
    RunReport {
        steps,
        dt: executor.time_step().seconds,
        dt_origin: executor.time_step().origin,
        dialect: executor.dialect().name(),
        feedback: executor.feedback().into_iter().map(|(from, to)| [from.into(), to.into()]).collect(),
        spikes: outcome.spikes.iter().map(|(name, counts)| (name.clone(), counts.iter().sum())).collect(),
        outputs: short().map(|(name, y)| (name.clone(), y.sum_axis(ndarray::Axis(0)).into_iter().collect())).collect(),
        last: short().map(|(name, y)| (name.clone(), last(y))).collect(),
    }
}

fn text(result: &RunReport, executor: &Executor, file: &Path) -> String {
    let mut text = format!(
        "{} steps of {}, dialect {}; outputs are in {}\n",
        result.steps,
        executor.time_step(),
        result.dialect,
        file.display()
    );
    for [from, to] in &result.feedback {
        let _ = writeln!(text, "feedback, one step late: {from} → {to}");
    }
    for (name, spikes) in &result.spikes {
        let _ = writeln!(text, "{name}: {spikes} spikes");
    }
    for (what, outputs) in [("sums over all steps", &result.outputs), ("in the last step", &result.last)] {
        for (name, values) in outputs.iter().filter(|(_, values)| values.len() <= 20) {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "{name}: {what} {}", values.join(" "));
        }
    }
    text
}
