//! `synfire nir convert`

use crate::cli::inputs::Output;
use crate::convert::nir::export::{Export, export};
use crate::error::{Problem, Result, printable};
use crate::fixed::Normalisation;
use crate::frontends::nir;
use crate::ir::quant::{Coding, QuantGraph};
use crate::pipeline::{self, Model};
use crate::report::{self, grouped};
use crate::settings::{Settings, parse_normalisation};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The first bytes of every HDF5 file.
const HDF5: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Arguments of `nir convert`.
#[derive(clap::Args)]
#[command(after_help = HELP, allow_negative_numbers = true)]
pub struct Args {
    /// Trained network (ONNX, operator sets 6 to 21)
    model: PathBuf,
    /// Images that the thresholds are chosen on, as for 'synfire compile'
    #[arg(long, value_name = "IMAGES")]
    calibrate: PathBuf,
    /// NIR file to write; must not exist
    #[arg(long, value_name = "NET.nir")]
    out: PathBuf,
    /// Replace the NIR file in --out
    #[arg(long)]
    force: bool,
    /// Settings file of 'synfire compile'; what concerns hardware is passed over, command-line options override its top level
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Time steps T, 1 to 255: activations have T + 1 levels [default: 16]
    #[arg(long, value_name = "T")]
    timesteps: Option<u32>,
    /// Bits of a weight, 2 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    weight_bits: Option<u32>,
    /// Bits of a pixel, 1 to 16 [default: 8]
    #[arg(long, value_name = "BITS")]
    input_bits: Option<u32>,
    /// How activations become spikes: graded (one event per active neuron), unit (one per spike) or rate [default: graded]
    #[arg(long, value_parser = parse_coding, value_name = "graded|unit|rate")]
    coding: Option<Coding>,
    /// What the float network expects in front of its input: (pixel - MEAN) / STD, one value or one per channel
    #[arg(long, value_name = "MEAN[,…]/STD[,…]", allow_hyphen_values = true, value_parser = parse_normalisation)]
    normalize: Option<Normalisation>,
    /// Use the first N calibration images [default: 512]
    #[arg(long, value_name = "N")]
    calibration_limit: Option<usize>,
    #[command(flatten)]
    output: Output,
}

const HELP: &str = "Example:\n  synfire nir convert net.onnx --calibrate train-images.gz --out net.nir\n  \
    synfire nir input net.nir --images test-images.gz --index 0 --out x.npy\n  \
    synfire nir run net.nir --input x.npy --output y.npy\n\n\
    The last row of y.npy holds the logits, the same integers as those of the compiled design. NIR has no fields for what a converted \
    network needs beside weights and thresholds (a membrane to begin with, reset by subtraction, firing after all input); it is noted in \
    'metadata' under keys that begin with synfire_, which other interpreters pass over.";

fn parse_coding(text: &str) -> std::result::Result<Coding, String> {
    match text {
        "graded" => Ok(Coding::Graded),
        "unit" => Ok(Coding::Unit),
        "rate" => Ok(Coding::Rate),
        _ => Err("expected graded, unit or rate".into()),
    }
}

impl Args {
    /// The settings file, or the defaults, below what the command line says.
    fn settings(&self) -> Result<Settings> {
        let base = self
            .config
            .as_deref()
            .map_or_else(|| Ok(Settings::default()), |file| Settings::load(file, &Settings::default()))?;
        Ok(Settings {
            timesteps: self.timesteps.unwrap_or(base.timesteps),
            weight_bits: self.weight_bits.unwrap_or(base.weight_bits),
            input_bits: self.input_bits.unwrap_or(base.input_bits),
            coding: self.coding.unwrap_or(base.coding),
            normalize: self.normalize.clone().or(base.normalize),
            calibration_limit: self.calibration_limit.unwrap_or(base.calibration_limit),
            ..base
        })
    }
}

/// What `nir convert` reports.
#[derive(Serialize)]
struct Report<'a> {
    out: &'a Path,
    /// Length of the file.
    bytes: usize,
    coding: Coding,
    timesteps: u32,
    nodes: usize,
    edges: usize,
    populations: Vec<PopulationReport<'a>>,
    /// What an interpreter that passes over the notes gets wrong.
    notes: &'a [String],
}

/// Where a population is in the file.
#[derive(Serialize)]
struct PopulationReport<'a> {
    name: &'a str,
    neurons: usize,
    /// The node whose output is what the population sends.
    node: &'a str,
}

pub fn run(args: &Args) -> Result<()> {
    let settings = args.settings()?;
    check_out(&args.out, args.force)?;
    args.output.check(None)?;
    let spinner = report::spinner("converting");
    let result = convert(args, &settings);
    spinner.finish_and_clear();
    let (net, export, bytes) = result?;
    let populations = net.populations.iter().zip(&export.nodes);
    let result = Report {
        out: &args.out,
        bytes,
        coding: net.coding,
        timesteps: net.timesteps,
        nodes: export.graph.nodes.len(),
        edges: export.graph.edges.len(),
        populations: populations
            .map(|(p, node)| PopulationReport { name: &p.name, neurons: p.shape.len(), node })
            .collect(),
        notes: &export.needs,
    };
    report::emit(&args.output.json, &result, &describe(&result, &net.name))
}

fn convert(args: &Args, settings: &Settings) -> Result<(QuantGraph, Export, usize)> {
    let model = Model::open(&args.model, &args.calibrate)?;
    let snn = pipeline::convert(&model.graph, settings).map_err(|e| e.in_file(&args.model))?;
    let net = pipeline::quantise(&snn, &model.calibration, settings)?;
    let export = export(&net).map_err(|e| e.in_file(&args.model))?;
    let bytes = nir::write(&args.out, &export.graph)?;
    Ok((net, export, bytes))
}

fn describe(report: &Report, name: &str) -> String {
    let neurons: usize = report.populations.iter().skip(1).map(|p| p.neurons).sum();
    let mut text = format!(
        "{}: {} neurons in {} populations are {} nodes and {} edges\nwritten to {} ({} bytes)\n",
        printable(name),
        grouped(neurons as u64),
        report.populations.len().saturating_sub(1),
        report.nodes,
        report.edges,
        report.out.display(),
        grouped(report.bytes as u64)
    );
    text.push_str(
        "NIR has no fields for these notes in 'metadata'; whoever passes over them computes another network:\n",
    );
    for note in report.notes {
        let _ = writeln!(text, "  {note}");
    }
    let file = report.out.display();
    let _ = writeln!(text, "to present an image: synfire nir input {file} --images IMAGES --index 0 --out x.npy");
    text
}

/// An existing file is the user's; only a NIR file may be replaced, and only on demand.
fn check_out(out: &Path, replace: bool) -> Result<()> {
    let refuse = |what: &str, help: &str| Err(Problem::new(what).in_file(out).help(help).into());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if out.file_name().is_none() {
        return refuse("is no name of a file", "choose another --out");
    }
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("cannot be written: its folder does not exist", "make the folder, or choose another --out");
    }
    if fs::symlink_metadata(out).is_err() {
        return Ok(());
    }
    let mut head = [0; HDF5.len()];
    let hdf5 = out.is_file() && fs::File::open(out).and_then(|mut f| f.read_exact(&mut head)).is_ok() && head == *HDF5;
    match (replace, hdf5) {
        (true, true) => Ok(()),
        (true, false) => refuse("exists and is no NIR file, so it is not replaced", "choose another --out"),
        (false, true) => refuse("exists", "choose another --out, or replace the file with --force"),
        (false, false) => refuse("exists", "choose another --out"),
    }
}
