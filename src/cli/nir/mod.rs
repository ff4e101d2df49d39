//! `synfire nir`

mod convert;
mod info;
mod input;
mod run;

use crate::error::Result;

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
