//! `synfire nir`

mod convert;
mod info;
mod input;
mod run;

use super::choices::parse_dialect;
use crate::error::Result;
use crate::frontends::nir::{Dialect, Settings};

/// Arguments of `nir`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Describe the network in a NIR file
    Info(info::Args),
    /// Run the network in a NIR file, in double precision
    Run(run::Args),
    /// Quantise a trained network and write it as a NIR file
    Convert(convert::Args),
    /// Write what a converted network gets for an image
    Input(input::Args),
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Info(args) => info::run(args),
        Command::Run(args) => run::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Input(args) => input::run(args),
    }
}

/// What a file leaves open.
#[derive(clap::Args)]
struct Reading {
    /// Time step; without it, the file's metadata decide, else 1 for networks without units
    #[arg(long, value_name = "SECONDS")]
    dt: Option<f64>,
    /// Whose neuron equations to follow: NIR's own (explicit Euler, strict threshold, reset to v_reset); snnTorch's (IF decays by 0.9 and
    /// resets by subtraction); Norse's (no time step in IF); sinabs' (several spikes in a step, reset by subtraction)
    #[arg(long, value_parser = parse_dialect, value_name = "nir|snntorch|norse|sinabs", default_value_t)]
    nir_dialect: Dialect,
}

impl Reading {
    fn settings(&self) -> Settings {
        Settings { dt: self.dt, dialect: self.nir_dialect }
    }
}
