//! `synfire run --sweep`: the accuracy of one network over time steps and weight bits.

use crate::data::{self, Labels, Samples};
use crate::design::Design;
use crate::error::{Problem, Result};
use crate::frontends;
use crate::golden::functional::Functional;
use crate::ir::quant::{Coding, Neuron, QuantGraph};
use crate::pipeline::{self, SpikingModel};
use crate::report::{self, percent};
use crate::settings::Settings;
use serde::Serialize;
use std::path::Path;

const TIMESTEPS: [u32; 4] = [4, 8, 16, 32];
const WEIGHT_BITS: [u32; 5] = [8, 6, 5, 4, 3];

/// One point of the curve.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// `graded` (two-phase; unit spikes give the same integers) or `rate`.
    pub coding: Coding,
    /// Time steps `T`.
    pub timesteps: u32,
    /// Bits of every weight.
    pub weight_bits: u32,
    /// Share of correct classes.
    pub accuracy: Option<f64>,
    /// Mean spikes of a neuron per image.
    pub spikes_per_neuron: f64,
}

/// The source network in integers.
type Quantise<'a> = Box<dyn Fn(&Settings) -> Result<QuantGraph> + 'a>;

/// The calibration images that the sweep of a design needs.
///
/// # Errors
/// An ONNX network without them, or a NIR network with them, which has nothing to calibrate.
pub fn calibration<'a>(design: &Design, sweep: bool, given: Option<&'a Path>) -> Result<Option<&'a Path>> {
    let problem = match (sweep, design.is_nir(), given) {
        (true, true, Some(_)) => {
            Problem::new("the design is of a NIR network, which has nothing to calibrate").help("leave out --calibrate")
        }
        (true, false, None) => Problem::new("--sweep chooses thresholds anew, which needs calibration images")
            .help("add --calibrate IMAGES"),
        (false, _, Some(_)) => Problem::new("--calibrate is for --sweep alone").help("leave it out, or add --sweep"),
        _ => return Ok(given),
    };
    Err(problem.into())
}

/// Quantises the design's source network for every point and runs the golden model.
pub fn run(
    design: &Design,
    calibrate: Option<&Path>,
    samples: &Samples,
    labels: Option<&Labels>,
) -> Result<Vec<Point>> {
    let quantise: Quantise = match calibrate {
        Some(calibrate) => {
            let graph = frontends::onnx::parse(&design.source, &design.net.quant.name)?;
            let (calibration, _) = data::load_images(calibrate)?;
            let calibration = calibration.shaped(graph.input_shape()).map_err(|e| e.in_file(calibrate))?;
            let snn = pipeline::convert(&graph, &design.settings)?;
            Box::new(move |settings| pipeline::quantise(&snn, &calibration, settings))
        }
        None => {
            let model = SpikingModel::of(design).map_err(|e| e.in_file(design.source_path()))?;
            // What may be sent in a step is part of the design, not of what is swept.
            Box::new(move |settings| model.quantise_as(&design.net.quant, settings))
        }
    };
    // Pools of counts have no counterpart in rate coding.
    let pools = design.net.quant.populations.iter().any(|p| matches!(p.neuron, Neuron::Pool { .. }));
    let codings: &[Coding] = match (design.is_nir(), pools) {
        (true, _) => &[Coding::Rate],
        (false, true) => &[Coding::Graded],
        (false, false) => &[Coding::Graded, Coding::Rate],
    };
    let timesteps = match samples {
        Samples::Images(_) => TIMESTEPS.to_vec(),
        Samples::Trains(trains) => vec![trains.steps() as u32],
    };
    let bar = report::progress((codings.len() * timesteps.len() * WEIGHT_BITS.len()) as u64, "sweep");
    let calibration_limit =
        if design.is_nir() { Settings::default() } else { design.settings.clone() }.calibration_limit;
    let base = Settings { layers: Default::default(), calibration_limit, ..design.settings.clone() };
    let mut points = Vec::new();
    for &coding in codings {
        for weight_bits in WEIGHT_BITS {
            for &timesteps in &timesteps {
                let quant = quantise(&Settings { coding, weight_bits, timesteps, ..base.clone() })?;
                let codes = |i: usize| samples.codes(i, &quant);
                let summary = Functional::new(&quant)?.classify(samples.len(), codes, labels.map(Labels::as_slice))?;
                let (accuracy, spikes_per_neuron) = (summary.accuracy(), summary.spikes_per_neuron());
                points.push(Point { coding, timesteps, weight_bits, accuracy, spikes_per_neuron });
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(points)
}

fn coding_name(coding: Coding) -> &'static str {
    match coding {
        Coding::Graded => "two-phase",
        Coding::Unit => "two-phase, unit spikes",
        Coding::Rate => "rate",
    }
}

/// One table a coding: weight bits down, time steps across.
pub fn text(points: &[Point]) -> String {
    let mut text = String::new();
    for coding in [Coding::Graded, Coding::Rate] {
        let first = points.iter().filter(|p| p.coding == coding && p.weight_bits == WEIGHT_BITS[0]);
        let headings: Vec<String> = first.map(|p| format!("T = {}", p.timesteps)).collect();
        if headings.is_empty() {
            continue;
        }
        let mut columns = vec!["weight bits"];
        columns.extend(headings.iter().map(String::as_str));
        let mut table = report::Table::new(&columns);
        for bits in WEIGHT_BITS {
            let mut row = vec![bits.to_string()];
            let line = points.iter().filter(|p| p.coding == coding && p.weight_bits == bits);
            row.extend(line.map(|p| percent(p.accuracy)));
            table.row(&row);
        }
        text.push_str(&format!("\naccuracy, {} coding\n{table}", coding_name(coding)));
    }
    text
}

/// Accuracy over time steps, one line per coding and weight bits.
pub fn plot(points: &[Point], file: &Path) -> Result<()> {
    let mut curves: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for p in points {
        let name = format!("{}, {} bits", coding_name(p.coding), p.weight_bits);
        let point = (f64::from(p.timesteps), p.accuracy.unwrap_or(0.0) * 100.0);
        match curves.iter_mut().find(|(n, _)| *n == name) {
            Some((_, line)) => line.push(point),
            None => curves.push((name, vec![point])),
        }
    }
    report::curves(file, "Accuracy of the integer network", "time steps T", "accuracy / %", &curves)
}
