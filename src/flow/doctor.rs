//! The state of every tool at once.

use super::tools::{Origin, Tool, find};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is known about one tool; a row of `synfire doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolStatus {
    /// The tool's name.
    pub tool: String,
    /// What it is needed for.
    pub purpose: String,
    /// The oldest version that works, if that matters.
    pub minimum: Option<String>,
    /// True if it can be used.
    pub usable: bool,
    /// The version in use.
    pub version: Option<String>,
    /// The program in use.
    pub program: Option<PathBuf>,
    /// Where that comes from.
    pub origin: Option<Origin>,
    /// Other programs that would have come first, with the reasons why they are not used.
    pub rejected: Vec<String>,
    /// What is wrong and what to do, if it cannot be used.
    pub problem: Option<String>,
}

/// Looks for every tool. WebAssembly tools that were never run may take a minute to answer.
pub fn doctor() -> Vec<ToolStatus> {
    Tool::ALL.par_iter().map(|&tool| status(tool)).collect()
}

fn status(tool: Tool) -> ToolStatus {
    let blank = ToolStatus {
        tool: tool.name().into(),
        purpose: tool.purpose().into(),
        minimum: tool.minimum(),
        usable: false,
        version: None,
        program: None,
        origin: None,
        rejected: Vec::new(),
        problem: None,
    };
    match find(tool) {
        Err(error) => {
            ToolStatus { problem: Some(error.problems.iter().map(ToString::to_string).collect::<String>()), ..blank }
        }
        Ok(found) => {
            // Scripts of the project-local environment are run by its Python; the script says more.
            let script = found.args.first().filter(|_| found.origin == Origin::Project).map(PathBuf::from);
            ToolStatus {
                usable: true,
                version: Some(found.version),
                program: Some(script.unwrap_or(found.program)),
                origin: Some(found.origin),
                rejected: found.rejected,
                ..blank
            }
        }
    }
}
