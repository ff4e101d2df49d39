//! `synfire synth`

use super::inputs::Output;
use crate::design::Design;
use crate::error::Result;
use crate::flow::synth::{self, Options};
use crate::report;
use std::path::PathBuf;

/// Arguments of `synth`.
#[derive(clap::Args)]
pub struct Args {
    /// Design directory
    dir: PathBuf,
    /// Also place and route with nextpnr, and write a bitstream
    #[arg(long)]
    pnr: bool,
    /// Clock frequency that place and route aims at, in MHz
    #[arg(long, value_name = "MHZ", default_value_t = 75.0)]
    freq: f64,
    /// Seed of place and route
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args) -> Result<()> {
    let design = Design::load(&args.dir)?;
    let spinner = report::spinner(if args.pnr { "synthesis, place and route" } else { "synthesis" });
    let options = Options { pnr: args.pnr, freq_mhz: args.freq, seed: args.seed };
    let result = synth::synth(&args.dir, &design.net.top, design.net.target, &options);
    spinner.finish_and_clear();
    let result = result?;
    report::emit(&args.output.json, &result, &report::synth_text(&result))
}
