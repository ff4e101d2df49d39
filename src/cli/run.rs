//! `synfire run`

use super::inputs::{Output, TestSet, spares};
use super::{operations, reference, sweep};
use crate::data::{Labels, Samples};
use crate::design::Design;
use crate::error::{Problem, Result};
use crate::golden::functional::{Functional, Saturations, Summary};
use crate::ir::quant::{Neuron, QuantGraph};
use crate::metrics::Metrics;
use crate::pipeline;
use crate::report::{self, percent};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `run`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Design directory
    dir: PathBuf,
    #[command(flatten)]
    test_set: TestSet,
    /// Also quantise anew for T = 4, 8, 16, 32 and 8, 6, 5, 4, 3 weight bits, in two-phase and in rate coding; NIR networks in
    /// rate coding, and for recorded spike trains at the design's T
    #[arg(long)]
    sweep: bool,
    /// Calibration images of the sweep, which ONNX networks need
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
    /// Share of correct classes of the float network: of ONNX in single, of NIR in double precision.
    pub float_accuracy: Option<f64>,
    /// Share of images to which both give the same class.
    pub agreement: f64,
    /// Mean spikes of a neuron per image.
    pub spikes_per_neuron: f64,
    /// Mean events on all streams per image.
    pub events_per_image: f64,
    /// Activations of a converted network that were clipped at `T`, over all images.
    pub clipped_activations: u64,
    /// How often, over all images, a neuron held more spikes than it may send in a step, and sent them later.
    pub held_back_spikes: u64,
    /// How often, over all images, a leaky membrane was clamped to its limits.
    pub clamped_membranes: u64,
    /// These three of each population.
    pub saturations_per_population: Vec<PopulationSaturations>,
    /// Golden model, all threads.
    pub images_per_second: f64,
    /// Float network, all threads.
    pub float_images_per_second: f64,
    /// Mean events per image that each population sends.
    pub events_per_population: Vec<f64>,
    /// Where spikes were held back or membranes clamped, and what to do about it.
    pub warnings: Vec<String>,
    /// NeuroBench's metrics, per layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// The accuracy for other settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Vec<sweep::Point>>,
}

/// How often neurons of a population could not do what they wanted.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationSaturations {
    population: String,
    clipped_activations: u64,
    held_back_spikes: u64,
    clamped_membranes: u64,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&args.test_set.files(), Some(&args.dir))?;
    if let Some(plot) = &args.plot {
        report::check_json(plot)?;
        spares("--plot", plot, &args.test_set.files(), Some(&args.dir))?;
    }
    let design = Design::load(&args.dir)?;
    let quant = &design.net.quant;
    let calibrate = sweep::calibration(&design, args.sweep, args.calibrate.as_deref())?;
    let (samples, labels) = args.test_set.load(quant)?;
    if args.plot.is_some() && labels.is_none() {
        return Err(Problem::new("--plot draws accuracy, which needs labels").help("add --labels FILE").into());
    }
    let mut result = measure(&design, &samples, labels.as_ref())?;
    let mut text = text(&result, &samples.count(), quant);
    if args.metrics > 0 {
        let metrics = operations::measure(quant, &samples, args.metrics)?;
        text.push_str(&operations::text(&metrics));
        result.metrics = Some(metrics);
    }
    if args.sweep {
        let points = sweep::run(&design, calibrate, &samples, labels.as_ref())?;
        text.push_str(&sweep::text(&points));
        result.sweep = Some(points);
    }
    report::emit(&args.output.json, &result, &text)?;
    match (&result.sweep, &args.plot) {
        (Some(points), Some(file)) => sweep::plot(points, file),
        _ => Ok(()),
    }
}

/// Golden model and float network on one test set.
pub fn measure(design: &Design, samples: &Samples, labels: Option<&Labels>) -> Result<RunReport> {
    let quant = &design.net.quant;
    let golden =
        Functional::new(quant)?.classify(samples.len(), |i| samples.codes(i, quant), labels.map(Labels::as_slice))?;
    let start = Instant::now();
    let float = reference::classes(design, samples)?;
    let float_seconds = start.elapsed().as_secs_f64().max(1e-9);
    let share = |hits: usize| hits as f64 / samples.len().max(1) as f64;
    let same = |a: &[usize], b: &[usize]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    let Saturations { clipped, held_back, clamped } = golden.saturated();
    let warnings = pipeline::saturation_warnings(design, &golden.saturations, "on these samples");
    Ok(RunReport {
        images: samples.len(),
        accuracy: golden.accuracy(),
        float_accuracy: labels.map(|l| share(same(l.as_slice(), &float))),
        agreement: share(same(&golden.classes, &float)),
        spikes_per_neuron: golden.spikes_per_neuron(),
        events_per_image: golden.events_per_image(),
        clipped_activations: clipped,
        held_back_spikes: held_back,
        clamped_membranes: clamped,
        saturations_per_population: saturations_per_population(quant, &golden),
        images_per_second: golden.images_per_second(),
        float_images_per_second: samples.len() as f64 / float_seconds,
        events_per_population: events_per_population(&golden),
        warnings: warnings.iter().map(ToString::to_string).collect(),
        metrics: None,
        sweep: None,
    })
}

fn events_per_population(golden: &Summary) -> Vec<f64> {
    golden.events.iter().map(|&e| e as f64 / golden.images.max(1) as f64).collect()
}

fn saturations_per_population(quant: &QuantGraph, golden: &Summary) -> Vec<PopulationSaturations> {
    let each = quant.populations.iter().zip(&golden.saturations).map(|(population, of)| PopulationSaturations {
        population: population.name.clone(),
        clipped_activations: of.clipped,
        held_back_spikes: of.held_back,
        clamped_membranes: of.clamped,
    });
    each.collect()
}

/// Of the figures of saturation, those that the network's kinds of neurons can have.
fn text(r: &RunReport, count: &str, quant: &QuantGraph) -> String {
    let mut table = report::Table::new(&["", "golden model", "float network"]);
    let mut row = |name: &str, golden: String, float: String| table.row(&[name.to_string(), golden, float]);
    row("accuracy", percent(r.accuracy), percent(r.float_accuracy));
    row("images per second", format!("{:.0}", r.images_per_second), format!("{:.0}", r.float_images_per_second));
    row("same class", percent(Some(r.agreement)), String::new());
    row("spikes per neuron and image", format!("{:.3}", r.spikes_per_neuron), String::new());
    row("events per image", format!("{:.1}", r.events_per_image), String::new());
    let any = |kind: fn(&Neuron) -> bool| quant.populations.iter().any(|p| kind(&p.neuron));
    let (several, leaky) = (any(|n| matches!(n, Neuron::MultiSpike(_))), any(|n| matches!(n, Neuron::Leaky(_))));
    let rows = [
        (!several && !leaky, "clipped activations", r.clipped_activations),
        (several, "spikes held back", r.held_back_spikes),
        (leaky, "membranes clamped", r.clamped_membranes),
    ];
    for (_, name, count) in rows.into_iter().filter(|(possible, ..)| *possible) {
        row(name, report::grouped(count), String::new());
    }
    let warnings: String = r.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    format!("{count}\n{table}{warnings}")
}
