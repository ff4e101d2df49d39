//! `synfire compile`

use super::inputs::Output;
use crate::design::Design;
use crate::error::{Result, printable};
use crate::fixed::Normalisation;
use crate::ir::mapped::{MappedNet, Payload, Target};
use crate::ir::quant::Coding;
use crate::map::cost;
use crate::pipeline::{self, Model};
use crate::report;
use crate::settings::{BanksChoice, ModeChoice, Settings, parse_normalisation};
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `compile`.
#[derive(clap::Args)]
#[command(after_help = SETTINGS_HELP, allow_negative_numbers = true)]
pub struct Args {
    /// Trained network (ONNX, operator sets 6 to 21)
    model: PathBuf,
    /// Images that the thresholds are chosen on: a few hundred of the training images; labels are not used. IDX, NPY or
    /// CIFAR binary, each also gzipped; pixels are scaled to [0, 1]
    #[arg(long, value_name = "IMAGES")]
    calibrate: PathBuf,
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

const SETTINGS_HELP: &str = "Example:\n  synfire compile net.onnx --calibrate train-images.gz --out design --target ecp5-25k\n  \
    synfire run design --images test-images.gz --labels test-labels.gz\n\nSettings file (all keys optional):\n  target = \"ecp5-25k\"   timesteps = 16   weight-bits = 8   \
    input-bits = 8\n  coding = \"graded\"     mode = \"auto\"   lanes = 16   rows = 4   payload = \"multiply\"\n  \
    banks = \"patch\"   calibration-limit = 512   bias-calibration = true\n  normalize = { mean = [0.5], std = [0.5] }\n  [layers.NAME]         \
    # a name as 'synfire inspect MODEL --stage snn' prints it\n  weight-bits, mode, lanes, rows, payload, banks\n\
    Precedence: [layers.NAME], then command line, then top level of the file, then default.\n\
    Every setting used is written to design.json. The design is written whole or not at all.";

/// Settings on the command line; `None` leaves what the file or the default says.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Settings file; command-line options override its top level, its [layers.NAME] tables override both
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Device [default: ecp5-25k]
    #[arg(long)]
    target: Option<Target>,
    /// Time steps T, 1 to 255: activations have T + 1 levels [default: 16]
    #[arg(long, value_name = "T")]
    timesteps: Option<u32>,
    /// Bits of a weight, 2 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    weight_bits: Option<u32>,
    /// Bits of a pixel, 1 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    input_bits: Option<u32>,
    /// Kind of core [default: auto]
    #[arg(long)]
    mode: Option<ModeChoice>,
    /// Neurons per cycle of every core, in layers with pixels channels per cycle; auto trades cycles for area on the target [default: auto]
    #[arg(long, value_name = "auto|N", value_parser = parse_count)]
    lanes: Option<Count>,
    /// Inputs per cycle of every matrix core, a power of two [default: auto]
    #[arg(long, value_name = "auto|N", value_parser = parse_count)]
    rows: Option<Count>,
    /// How event cores multiply [default: chosen by the mapper]
    #[arg(long, value_parser = parse_payload, value_name = "multiply|shift-add")]
    payload: Option<Payload>,
    /// Neighbouring pixels per cycle of event cores whose layers have pixels: 1, all receivers of an event (patch), or so many rows
    /// and columns [default: auto]
    #[arg(long, value_name = "auto|1|patch|RxC")]
    banks: Option<BanksChoice>,
    /// How activations become spikes: graded (one event per active neuron), unit (one per spike) or rate [default: graded]
    #[arg(long, value_parser = parse_coding, value_name = "graded|unit|rate")]
    coding: Option<Coding>,
    /// What the float network expects in front of its input: (pixel - MEAN) / STD, one value or one per channel, e.g.
    /// 0.485,0.456,0.406/0.229,0.224,0.225. It is stored in the design and folded into the weights
    #[arg(long, value_name = "MEAN[,…]/STD[,…]", allow_hyphen_values = true, value_parser = parse_normalisation)]
    normalize: Option<Normalisation>,
    /// Use the first N calibration images [default: 512]
    #[arg(long, value_name = "N")]
    calibration_limit: Option<usize>,
}

/// `auto` or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count(Option<usize>);

fn parse_count(text: &str) -> std::result::Result<Count, String> {
    match text {
        "auto" => Ok(Count(None)),
        _ => text.parse().map(|n| Count(Some(n))).map_err(|_| "expected 'auto' or a number".into()),
    }
}

/// The variants of a settings enum under the names that the settings file uses.
fn parse_name<T: serde::de::DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_string())).map_err(|e| e.to_string())
}

fn parse_payload(text: &str) -> std::result::Result<Payload, String> {
    parse_name(text)
}

fn parse_coding(text: &str) -> std::result::Result<Coding, String> {
    parse_name(text)
}

impl Choices {
    /// What these choices ask for, over the settings file, or over `default` where there is none.
    ///
    /// # Errors
    /// The settings file cannot be read or is not valid.
    pub fn settings(&self, default: Settings) -> Result<Settings> {
        let mut settings = self.config.as_deref().map_or(Ok(default), Settings::load)?;
        self.apply(&mut settings);
        Ok(settings)
    }

    /// Lays these choices over `settings`.
    fn apply(&self, settings: &mut Settings) {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                *to = value.clone();
            }
        }
        set(&mut settings.target, &self.target);
        set(&mut settings.timesteps, &self.timesteps);
        set(&mut settings.weight_bits, &self.weight_bits);
        set(&mut settings.input_bits, &self.input_bits);
        set(&mut settings.mode, &self.mode);
        set(&mut settings.lanes, &self.lanes.map(|c| c.0));
        set(&mut settings.rows, &self.rows.map(|c| c.0));
        set(&mut settings.banks, &self.banks);
        set(&mut settings.coding, &self.coding);
        set(&mut settings.calibration_limit, &self.calibration_limit);
        if self.payload.is_some() {
            settings.payload = self.payload;
        }
        if self.normalize.is_some() {
            settings.normalize.clone_from(&self.normalize);
        }
    }
}

/// What `compile` reports. Cycles are means over the calibration images.
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
}

pub fn run(args: &Args) -> Result<()> {
    let settings = args.choices.settings(Settings::default())?;
    Design::check_out(&args.out, args.force)?;
    args.output.check(Some(&args.out))?;
    args.output.spares(&[&args.model, &args.calibrate], Some(&args.out))?;
    let spinner = report::spinner("compiling");
    let result = Model::open(&args.model, &args.calibrate)
        .and_then(|model| pipeline::compile_with(&model, &settings))
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
