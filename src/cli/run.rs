//! `synfire run`

use super::inputs::{Output, TestSet};
use super::{operations, sweep};
use crate::data::{Images, Labels};
use crate::design::Design;
use crate::error::{Problem, Result};
use crate::fixed::arg_max;
use crate::frontends::Reference;
use crate::golden::functional::{Functional, Summary};
use crate::metrics::Metrics;
use crate::report::{self, percent};
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `run`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Design directory
    dir: PathBuf,
    #[command(flatten)]
    test_set: TestSet,
    /// Also quantise anew for T = 4, 8, 16, 32 and 8, 6, 5, 4, 3 weight bits, in two-phase and in rate coding
    #[arg(long, requires = "calibrate")]
    sweep: bool,
    /// Calibration images of the sweep
    #[arg(long, value_name = "FILE")]
    calibrate: Option<PathBuf>,
    /// Draw the sweep as SVG
    #[arg(long, value_name = "FILE.svg", requires = "sweep")]
    plot: Option<PathBuf>,
    /// Count synaptic operations, membrane updates and sparsity on N images, spread evenly over the set; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 200)]
    metrics: usize,
    #[command(flatten)]
    output: Output,
}

/// What `run` measures.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Images presented.
    pub images: usize,
    /// Share of correct classes of the golden model.
    pub accuracy: Option<f64>,
    /// Share of correct classes of the float network.
    pub float_accuracy: Option<f64>,
    /// Share of images to which both give the same class.
    pub agreement: f64,
    /// Mean spikes of a neuron per image.
    pub spikes_per_neuron: f64,
    /// Mean events on all streams per image.
    pub events_per_image: f64,
    /// Activations clipped at `T`.
    pub saturations: u64,
    /// Golden model, all threads.
    pub images_per_second: f64,
    /// Float network, all threads.
    pub float_images_per_second: f64,
    /// Mean events per image that each population sends.
    pub events_per_population: Vec<f64>,
    /// NeuroBench's metrics, per layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// The accuracy for other settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Vec<sweep::Point>>,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&args.test_set.files(), Some(&args.dir))?;
    let design = Design::load(&args.dir)?;
    let quant = &design.net.quant;
    let classes = quant.population(quant.readout()).shape.len();
    let (images, labels) = args.test_set.load(quant.input_shape(), classes)?;
    let mut result = measure(&design, &images, labels.as_ref())?;
    let mut text = text(&result);
    if args.metrics > 0 {
        let metrics = operations::measure(quant, &images, args.metrics)?;
        text.push_str(&operations::text(&metrics));
        result.metrics = Some(metrics);
    }
    if let (true, Some(calibrate)) = (args.sweep, &args.calibrate) {
        let points = sweep::run(&design, calibrate, &images, labels.as_ref())?;
        text.push_str(&sweep::text(&points));
        if let Some(file) = &args.plot {
            sweep::plot(&points, file)?;
        }
        result.sweep = Some(points);
    }
    report::emit(&args.output.json, &result, &text)
}

/// Golden model and float network on one test set.
pub fn measure(design: &Design, images: &Images, labels: Option<&Labels>) -> Result<RunReport> {
    let quant = &design.net.quant;
    let golden = Functional::new(quant)?.classify(
        images.len(),
        |i| images.codes(i, &quant.pixels),
        labels.map(Labels::as_slice),
    )?;
    let start = Instant::now();
    let float = float_classes(design, images)?;
    let float_seconds = start.elapsed().as_secs_f64().max(1e-9);
    let share = |hits: usize| hits as f64 / images.len().max(1) as f64;
    let same = |a: &[usize], b: &[usize]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    Ok(RunReport {
        images: images.len(),
        accuracy: golden.accuracy(),
        float_accuracy: labels.map(|l| share(same(l.as_slice(), &float))),
        agreement: share(same(&golden.classes, &float)),
        spikes_per_neuron: golden.spikes_per_neuron(),
        events_per_image: golden.events_per_image(),
        saturations: golden.saturations,
        images_per_second: golden.images_per_second(),
        float_images_per_second: images.len() as f64 / float_seconds,
        events_per_population: events_per_population(&golden),
        metrics: None,
        sweep: None,
    })
}

fn events_per_population(golden: &Summary) -> Vec<f64> {
    golden.events.iter().map(|&e| e as f64 / golden.images.max(1) as f64).collect()
}

/// Class of each image by the float network; ties to the lowest index.
fn float_classes(design: &Design, images: &Images) -> Result<Vec<usize>> {
    const BATCH: usize = 256;
    let reference =
        Reference::load(design.source.clone()).map_err(|e| e.in_file(Path::new("model").join("source.onnx")))?;
    let quant = &design.net.quant;
    let (pixels, classes) = (quant.input_shape().len(), quant.population(quant.readout()).shape.len());
    if (reference.pixels(), reference.outputs()) != (pixels, classes) {
        let (inputs, outputs) = (reference.pixels(), reference.outputs());
        let what =
            format!("is a network of {inputs} inputs and {outputs} classes, the design has {pixels} and {classes}");
        let problem = Problem::new(what).in_file(Path::new("model").join("source.onnx"));
        return Err(problem.help("compile the design again").into());
    }
    let starts: Vec<usize> = (0..images.len()).step_by(BATCH).collect();
    let batches: Result<Vec<Vec<usize>>> = starts
        .into_par_iter()
        .map(|first| {
            let range = first..images.len().min(first + BATCH);
            let logits = reference.logits(images.normalised(range, design.settings.normalize.as_ref()).view())?;
            Ok(logits.rows().into_iter().map(|row| arg_max(row).unwrap_or(0)).collect())
        })
        .collect();
    Ok(batches?.concat())
}

fn text(r: &RunReport) -> String {
    let mut table = report::Table::new(&["", "golden model", "float network"]);
    let mut row = |name: &str, golden: String, float: String| table.row(&[name.to_string(), golden, float]);
    row("accuracy", percent(r.accuracy), percent(r.float_accuracy));
    row("images per second", format!("{:.0}", r.images_per_second), format!("{:.0}", r.float_images_per_second));
    row("same class", percent(Some(r.agreement)), String::new());
    row("spikes per neuron and image", format!("{:.3}", r.spikes_per_neuron), String::new());
    row("events per image", format!("{:.1}", r.events_per_image), String::new());
    row("clipped activations", report::grouped(r.saturations), String::new());
    format!("{} images\n{table}", report::grouped(r.images as u64))
}
