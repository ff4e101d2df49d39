//! `synfire nir`

mod convert;
mod info;
mod input;
mod run;

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
    /// Whose neuron equations to follow
    #[arg(long, value_enum, default_value = "nir")]
    nir_dialect: Name,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Name {
    /// NIR's own: explicit Euler, strict threshold, reset to v_reset
    Nir,
    /// snnTorch: IF decays by 0.9 and resets by subtraction
    Snntorch,
    /// Norse: no time step in IF
    Norse,
    /// sinabs: several spikes in a step, reset by subtraction
    Sinabs,
}

impl Reading {
    fn settings(&self) -> Settings {
        let dialect = match self.nir_dialect {
            Name::Nir => Dialect::Nir,
            Name::Snntorch => Dialect::Snntorch,
            Name::Norse => Dialect::Norse,
            Name::Sinabs => Dialect::Sinabs,
        };
        Settings { dt: self.dt, dialect }
    }
}
