//! The command line: one file per command.

mod choices;
mod compile;
mod cosim;
mod demo;
mod doctor;
mod inputs;
mod inspect;
mod nir;
mod operations;
mod reference;
mod run;
mod sweep;
mod synth;
mod verify;

use crate::error::Result;
use crate::interrupts;
use clap::{Parser, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// Compiles a trained neural network into a verified spiking FPGA design.
///
/// A network goes through five stages: operator graph, spiking network, integer network, cores and streams, Verilog.
/// 'compile' writes a design directory; 'run', 'cosim', 'synth' and 'inspect' read it.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:\n  0  success\n  1  a defect of synfire\n  2  bad input, option or data\n  \
    3  hardware and models disagree\n  4  a tool is missing or too old\n  5  the network does not fit the target\n  \
    6  a tool ran and failed";

#[derive(Subcommand)]
enum Command {
    /// Compile a trained network into a design directory
    Compile(compile::Args),
    /// Run the golden model on a test set
    Run(run::Args),
    /// Simulate the Verilog and compare it with the models, cycle for cycle
    Cosim(cosim::Args),
    /// Synthesise with Yosys; with --pnr also place, route and write a bitstream
    Synth(synth::Args),
    /// Print one stage of the compilation
    Inspect(inspect::Args),
    /// Describe, run and write NIR files
    Nir(nir::Args),
    /// Say which external tools are used, and why
    Doctor(doctor::Args),
    /// Take a small real network from file to bitstream
    Demo(demo::Args),
}

/// Parses the process's arguments, runs the command, prints errors; the exit code is documented in `--help`.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupts::install();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody listens any more, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(error.kind.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Compile(args) => compile::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Cosim(args) => cosim::run(&args),
        Command::Synth(args) => synth::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Nir(args) => nir::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Demo(args) => demo::run(&args),
    }
}
