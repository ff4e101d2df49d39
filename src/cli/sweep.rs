//! `synfire run --sweep`: the accuracy of one network over time steps and weight bits.

use crate::data::{self, Images, Labels};
use crate::design::Design;
use crate::error::Result;
use crate::frontends;
use crate::golden::functional::Functional;
use crate::ir::quant::Coding;
use crate::pipeline;
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

/// Quantises the design's source network for every point and runs the golden model.
pub fn run(design: &Design, calibrate: &Path, images: &Images, labels: Option<&Labels>) -> Result<Vec<Point>> {
    let graph = frontends::onnx::parse(&design.source, &design.net.quant.name)?;
    let (calibration, _) = data::load_images(calibrate)?;
    let calibration = calibration.shaped(graph.input_shape()).map_err(|e| e.in_file(calibrate))?;
    let snn = pipeline::convert(&graph, &design.settings)?;
    let codings = [Coding::Graded, Coding::Rate];
    let bar = report::progress((codings.len() * TIMESTEPS.len() * WEIGHT_BITS.len()) as u64, "sweep");
    let mut points = Vec::new();
    for coding in codings {
        for weight_bits in WEIGHT_BITS {
            for timesteps in TIMESTEPS {
                let settings =
                    Settings { coding, weight_bits, timesteps, layers: Default::default(), ..design.settings.clone() };
                let quant = pipeline::quantise(&snn, &calibration, &settings)?;
                let codes = |i: usize| images.codes(i, &quant.pixels);
                let summary = Functional::new(&quant)?.classify(images.len(), codes, labels.map(Labels::as_slice))?;
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
        let headings: Vec<String> = TIMESTEPS.iter().map(|t| format!("T = {t}")).collect();
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
