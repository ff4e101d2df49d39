//! Which external program is used for what, and why that one.
//!
//! The order is: the tool's environment variable ([`Tool::variable`]); the program on `PATH`, if it is new enough; the
//! project-local environment that `scripts/setup` makes (`$SYNFIRE_TOOLS`, else `.tools` in the source folder that this
//! program was built from, else `.tools` in a parent of the current directory or of this program). The Python
//! environment and libclang come from the project-local environment before the system, because only that one is sure to
//! hold the pinned packages.

mod search;
mod spec;
mod version;

pub use search::Search;

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// The external programs (and one library) that Synfire and its tests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// Verilog to C++; the simulator behind `cosim`.
    Verilator,
    /// The C++ compiler for what Verilator writes.
    Cxx,
    /// Logic synthesis.
    Yosys,
    /// Place and route for ECP5.
    NextpnrEcp5,
    /// Place and route for iCE40.
    NextpnrIce40,
    /// ECP5 bitstreams.
    Ecppack,
    /// iCE40 bitstreams.
    Icepack,
    /// Icarus Verilog's compiler.
    Iverilog,
    /// Icarus Verilog's run time.
    Vvp,
    /// Formal proofs of the Verilog library.
    YosysSmtbmc,
    /// The solver behind them.
    Z3,
    /// A Python with the packages of `scripts/requirements.txt`.
    Python,
    /// The library behind `bindgen`; [`Found::program`] is the shared object.
    Libclang,
}

/// Where a tool was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Its environment variable names it.
    Environment,
    /// A folder of `PATH`, or a system folder for libraries.
    System,
    /// The environment that `scripts/setup` makes.
    Project,
}

/// A tool that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which tool it is.
    pub tool: Tool,
    /// What to execute (for [`Tool::Libclang`]: the library).
    pub program: PathBuf,
    /// Arguments that come before all others.
    pub args: Vec<String>,
    /// Environment variables that it needs.
    pub env: Vec<(String, String)>,
    /// The version that it reports; "unknown" for icepack, which reports none.
    pub version: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Candidates that come earlier in the order, each with the reason why it is not used.
    pub rejected: Vec<String>,
}

impl Found {
    /// A command that runs the tool; add arguments and the working directory.
    ///
    /// The YoWASP builds see only paths below `/`'s ordinary folders without `/tmp`: give paths relative to the working
    /// directory.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// Finds a tool in this process's environment. The answer is remembered for the life of the process.
///
/// # Errors
/// [`Kind::MissingTool`](crate::error::Kind::MissingTool) if there is none or only ones that are too old; every rejected
/// candidate is named.
pub fn find(tool: Tool) -> Result<Found> {
    static SEARCH: LazyLock<Search> = LazyLock::new(Search::from_environment);
    static ANSWERS: LazyLock<Mutex<HashMap<Tool, Result<Found>>>> = LazyLock::new(Mutex::default);
    let known = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).get(&tool).cloned();
    // Asked without the lock, so that `doctor` can ask all tools at once.
    known.unwrap_or_else(|| {
        let answer = SEARCH.find(tool);
        ANSWERS.lock().unwrap_or_else(PoisonError::into_inner).insert(tool, answer.clone());
        answer
    })
}

/// The folder that holds Verilator's `include/` (what it calls `VERILATOR_ROOT`).
///
/// # Errors
/// [`Kind::MissingTool`](crate::error::Kind::MissingTool) if the installation is incomplete.
pub fn verilator_root(found: &Found) -> Result<PathBuf> {
    use crate::error::{Error, Kind, Problem};
    let told = found.env.iter().find(|(k, _)| k == "VERILATOR_ROOT").map(|(_, v)| PathBuf::from(v));
    let asked = || {
        let answer =
            super::process::output_of(found.command().args(["--getenv", "VERILATOR_ROOT"]), Duration::from_secs(20));
        answer.ok().and_then(|text| text.lines().last().map(|line| PathBuf::from(line.trim())))
    };
    let complete = |root: &PathBuf| root.join("include/verilated.h").is_file();
    // A program can be a link into its installation, as `/usr/bin/verilator` may be.
    let real = std::fs::canonicalize(&found.program).unwrap_or_else(|_| found.program.clone());
    let prefix = real.parent().and_then(Path::parent).map(Path::to_path_buf);
    told.filter(complete)
        .or_else(|| asked().filter(complete))
        .or_else(|| prefix.clone().filter(complete))
        .or_else(|| prefix.map(|p| p.join("share/verilator")).filter(complete))
        .ok_or_else(|| {
            Error::new(
                Kind::MissingTool,
                Problem::new("this Verilator has no include/verilated.h, so its models cannot be compiled")
                    .in_file(&found.program)
                    .help("reinstall it, set VERILATOR_ROOT, or run scripts/setup for a project-local one"),
            )
        })
}
