//! `synfire nir info`

use crate::cli::inputs::Output;
use crate::error::Result;
use crate::frontends::nir::{self, Summary};
use crate::report::{self, Table, grouped};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Arguments of `nir info`.
#[derive(clap::Args)]
pub struct Args {
    /// NIR file
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    args.output.spares(&[&args.file], None)?;
    let graph = nir::read(&args.file)?;
    let summary = Summary::of(&graph).map_err(|e| e.in_file(&args.file))?;
    report::emit(&args.output.json, &summary, &describe(&summary))
}

fn describe(summary: &Summary) -> String {
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
    text
}

fn extents(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}
