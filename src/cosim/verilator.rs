//! Verilator as the build needs it: a command, its headers, and a text that tells versions apart.

use crate::error::Result;
use crate::flow::tools::{self, Found, Tool};
use std::path::PathBuf;
use std::process::Command;

/// A Verilator installation.
#[derive(Clone, Debug)]
pub struct Verilator {
    found: Found,
    /// Folder that holds `include/verilated.h`.
    pub root: PathBuf,
}

impl Verilator {
    /// The installation that [`tools::find`] chooses.
    pub fn find() -> Result<Self> {
        let found = tools::find(Tool::Verilator)?;
        let root = tools::verilator_root(&found)?;
        Ok(Verilator { found, root })
    }

    /// A command that runs it.
    pub fn command(&self) -> Command {
        self.found.command()
    }

    /// The version that it reports.
    pub fn version(&self) -> &str {
        &self.found.version
    }
}
