//! `synfire compile`

use super::choices::{Choices, SETTINGS_HELP};
use super::inputs::Output;
use crate::design::Design;
use crate::error::{Result, printable};
use crate::ir::mapped::{Core, MappedNet, Target};
use crate::map::cost;
use crate::pipeline::{self, Network};
use crate::report;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments of `compile`.
#[derive(clap::Args)]
#[command(after_help = SETTINGS_HELP, allow_negative_numbers = true)]
pub struct Args {
    /// Trained network: ONNX (operator sets 6 to 21), or NIR; told apart by content
    model: PathBuf,
    /// Images that the thresholds of an ONNX network are chosen on, which it needs: a few hundred of the training images; labels
    /// are not used. IDX, NPY or CIFAR binary, each also gzipped; pixels are scaled to [0, 1]. A NIR network has its thresholds;
    /// samples of what it will read (or spike trains) only tell how many events its cores have to expect, and how many spikes
    /// neurons may send in a step
    #[arg(long, value_name = "IMAGES")]
    calibrate: Option<PathBuf>,
    /// Design directory to write; must not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the design in --out
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    output: Output,
}

/// What `compile` reports. Cycles are means over the calibration images, or over random input where there are none.
#[derive(Serialize)]
pub struct CompileReport<'a> {
    target: Target,
    out: &'a PathBuf,
    layers: Vec<LayerReport<'a>>,
    estimated_luts: u64,
    block_rams: u64,
    multipliers: u64,
    decisions: &'a [String],
    warnings: Vec<String>,
}

/// One core.
#[derive(Serialize)]
struct LayerReport<'a> {
    name: &'a str,
    source: &'a str,
    neurons: usize,
    mode: &'static str,
    lanes: usize,
    rows: usize,
    cycles: f64,
    membrane_bits: u32,
    /// How often on the calibration images or on random input a neuron held more spikes than it may send in a step.
    held_back_spikes: u64,
    /// How often a leaky membrane was clamped to its limits.
    clamped_membranes: u64,
}

pub fn run(args: &Args) -> Result<()> {
    Design::check_out(&args.out, args.force)?;
    args.output.check(Some(&args.out))?;
    let read: Vec<&Path> = std::iter::once(args.model.as_path()).chain(args.calibrate.as_deref()).collect();
    args.output.spares(&read, Some(&args.out))?;
    let spinner = report::spinner("compiling");
    let result = Network::open(&args.model, args.calibrate.as_deref(), |default| args.choices.settings(default))
        .and_then(|(network, settings)| network.compile(&settings))
        .and_then(|design| design.write(&args.out, args.force).map(|()| design));
    spinner.finish_and_clear();
    let design = result?;
    let (result, text) = describe(&design, &args.out);
    report::emit(&args.output.json, &result, &text)
}

/// The report and the text of a design that was written to `out`.
fn describe<'a>(design: &'a Design, out: &'a PathBuf) -> (CompileReport<'a>, String) {
    let net: &MappedNet = &design.net;
    let traffic = pipeline::design_traffic(design);
    let saturations = pipeline::design_saturations(design);
    let of = |core: &Core| saturations.get(core.population.0).copied().unwrap_or_default();
    let layers: Vec<LayerReport> = net
        .cores()
        .map(|(_, unit, core)| LayerReport {
            name: &unit.name,
            source: &net.quant.population(core.population).name,
            neurons: core.neurons,
            mode: core.mode.name(),
            lanes: core.mode.lanes(),
            rows: core.mode.rows(),
            cycles: cost::cycles(core, &cost::input(net, core, &traffic)),
            membrane_bits: core.membrane_bits,
            held_back_spikes: of(core).held_back,
            clamped_membranes: of(core).clamped,
        })
        .collect();
    let mut table =
        report::Table::new(&["layer", "neurons", "mode", "lanes", "rows", "cycles per image", "membrane bits"]);
    for ((_, unit, core), l) in net.cores().zip(&layers) {
        table.row(&[
            net.layer_name(unit, core),
            l.neurons.to_string(),
            l.mode.into(),
            l.lanes.to_string(),
            l.rows.to_string(),
            format!("{:.0}", l.cycles),
            l.membrane_bits.to_string(),
        ]);
    }
    let area = cost::net_area(net);
    let mut text = table.to_string();
    for line in &net.decisions {
        text.push_str(&format!("{}\n", printable(&line.replace('\n', " "))));
    }
    text.push_str(&format!(
        "{}: {} block RAMs, {} multipliers, about {} LUTs\nwritten to {}\n",
        net.target.name(),
        area.blocks,
        area.dsps,
        report::grouped(area.luts),
        out.display()
    ));
    let warnings: Vec<String> = pipeline::warnings(design).iter().map(ToString::to_string).collect();
    for warning in &warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    let result = CompileReport {
        target: net.target,
        out,
        layers,
        estimated_luts: area.luts,
        block_rams: area.blocks,
        multipliers: area.dsps,
        decisions: &net.decisions,
        warnings,
    };
    (result, text)
}
