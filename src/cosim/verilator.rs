//! Finding Verilator.

use crate::error::{Error, Kind, Problem, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Verilator installation.
#[derive(Clone, Debug)]
pub struct Verilator {
    /// The driver script or binary.
    pub program: PathBuf,
    /// Folder that holds `include/verilated.h`; also the `VERILATOR_ROOT` it runs with.
    pub root: PathBuf,
    /// What `--version` prints.
    pub version: String,
}

impl Verilator {
    /// A command that runs it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("VERILATOR_ROOT", &self.root);
        command
    }
}

/// The Verilator that `SYNFIRE_VERILATOR` names, or else the one in the project's tool environment.
pub fn verilator() -> Result<Verilator> {
    let candidates = match std::env::var_os("SYNFIRE_VERILATOR") {
        Some(program) => vec![PathBuf::from(program)],
        None => installed(Path::new(env!("CARGO_MANIFEST_DIR"))),
    };
    for program in candidates {
        let root = program.parent().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
        if !root.join("include/verilated.h").is_file() {
            continue;
        }
        let mut found = Verilator { program, root, version: String::new() };
        if let Ok(output) = found.command().arg("--version").output()
            && output.status.success()
        {
            found.version = String::from_utf8_lossy(&output.stdout).trim().to_string();
            return Ok(found);
        }
    }
    let problem = Problem::new("Verilator was not found")
        .help("run scripts/setup, or set SYNFIRE_VERILATOR to an installation's bin/verilator");
    Err(Error::new(Kind::MissingTool, problem))
}

fn installed(root: &Path) -> Vec<PathBuf> {
    let Ok(versions) = std::fs::read_dir(root.join(".tools/venv/lib")) else { return Vec::new() };
    versions
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/verilator/bin/verilator")))
        .filter(|path| path.is_file())
        .collect()
}
