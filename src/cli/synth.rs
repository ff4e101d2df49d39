//! `synfire synth`

use super::inputs::Output;
use crate::design::Design;
use crate::error::Result;
use crate::flow::synth::{self, Options, SynthReport};
use crate::report;
use std::path::PathBuf;

/// Arguments of `synth`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Design directory
    dir: PathBuf,
    /// Also place and route with nextpnr, and write a bitstream
    #[arg(long)]
    pnr: bool,
    /// Clock frequency that place and route aims at, in MHz [default: 100 on ECP5, 80 on HX8K, 30 on UP5K]
    #[arg(long, value_name = "MHZ")]
    freq: Option<f64>,
    /// Seed of place and route
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> Result<()> {
    args.output.check(None)?;
    let design = Design::load(&args.dir)?;
    let spinner = report::spinner(if args.pnr { "synthesis, place and route" } else { "synthesis" });
    let options = Options { pnr: args.pnr, freq_mhz: args.freq, seed: args.seed, ..Options::default() };
    let result = synth::synth(&args.dir, &design.net.top, design.net.target, &options);
    spinner.finish_and_clear();
    let result = result?;
    report::emit(&args.output.json, &result, &text(&result))
}

/// Resources against the device, clock rate, warnings, files.
pub fn text(r: &SynthReport) -> String {
    let mut table = report::Table::new(&["resource", "used", "available", ""]);
    for resource in &r.resources {
        table.row(&[
            resource.name.clone(),
            report::grouped(resource.used),
            resource.available.map_or_else(|| "–".into(), report::grouped),
            resource.percent.map_or_else(String::new, |p| format!("{p:.1} %")),
        ]);
    }
    let mut text = format!("{} on {}\n{table}", r.top, r.target.name());
    if let Some(fmax) = r.fmax_mhz {
        text.push_str(&format!("clock rate after routing: {fmax:.1} MHz\n"));
    }
    for warning in &r.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    for file in r.logs.iter().chain(&r.bitstream) {
        text.push_str(&format!("{}\n", file.display()));
    }
    text
}
