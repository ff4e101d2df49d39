//! `synfire nir info`

use super::Reading;
use crate::cli::inputs::Output;
use crate::convert::nir::import_graph;
use crate::error::{Kind, Result};
use crate::frontends;
use crate::frontends::nir::{self, Executor, Summary};
use crate::report::{self, Table, grouped};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `nir info`.
#[derive(clap::Args)]
pub struct Args {
    /// NIR file
    file: PathBuf,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

/// What `nir info` reports.
#[derive(Serialize)]
struct InfoReport {
    #[serde(flatten)]
    summary: Summary,
    /// What keeps the network from becoming hardware with this time step and dialect.
    hardware_problems: Vec<String>,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&[&args.file], None)?;
    let graph = nir::read(&args.file)?;
    let summary = Summary::of(&graph).map_err(|e| e.in_file(&args.file))?;
    let settings = args.reading.settings();
    // A time step that nothing can run with is no matter of hardware; that none is given is.
    if settings.dt.is_some() {
        Executor::new(&graph, settings).map_err(|e| e.in_file(&args.file))?;
    }
    let problems = match import_graph(&graph, &frontends::name_of(&args.file), settings) {
        Ok(_) => Vec::new(),
        Err(e) if e.kind == Kind::Input => e.problems,
        Err(e) => return Err(e.in_file(&args.file)),
    };
    let result = InfoReport { summary, hardware_problems: problems.iter().map(ToString::to_string).collect() };
    report::emit(&args.output.json, &result, &describe(&result))
}

fn describe(InfoReport { summary, hardware_problems }: &InfoReport) -> String {
    let mut text = format!(
        "NIR {}: {} nodes, {} edges, {} neurons, {} weights\n",
        summary.version.as_deref().unwrap_or("of an unknown version"),
        summary.nodes.len(),
        summary.edges.len(),
        grouped(summary.neurons as u64),
        grouped(summary.weights as u64)
    );
    for (key, value) in &summary.metadata {
        let _ = writeln!(text, "  {key}: {value}");
    }
    let mut table = Table::new(&["node", "type", "input", "output", "weights", "reads"]);
    let mut senders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for [from, to] in &summary.edges {
        senders.entry(to).or_default().push(from);
    }
    for node in &summary.nodes {
        let reads = senders.get(node.name.as_str()).map(|names| names.join(", "));
        table.row(&[
            node.name.clone(),
            node.kind.to_string(),
            extents(&node.input),
            extents(&node.output),
            grouped(node.weights as u64),
            reads.unwrap_or_default(),
        ]);
    }
    text.push_str(&table.to_string());
    for note in &summary.notes {
        let _ = writeln!(text, "note: {note}");
    }
    for problem in hardware_problems {
        let _ = writeln!(text, "not for hardware: {problem}");
    }
    text
}

fn extents(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}
