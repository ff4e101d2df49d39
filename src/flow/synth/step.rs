//! One run of a tool in the design directory, with its files kept in `synth/<target>/`.

use super::super::process::{Ended, run_logged};
use super::super::tools::Found;
use super::logs::tail;
use crate::error::{Error, Kind, Problem, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The place and the limit that all steps of a synthesis share.
pub(super) struct Step {
    /// The design directory: the working directory of every tool.
    dir: PathBuf,
    /// The results' folder, relative to `dir`.
    folder: String,
    limit: Duration,
}

impl Step {
    /// An empty folder for the results of `device`; what an earlier run left there is removed.
    pub fn begin(dir: &Path, device: &str, limit: Duration) -> Result<Step> {
        let folder = format!("synth/{device}");
        let path = dir.join(&folder);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|e| Error::io(&path, "remove the last results", &e))?;
        }
        std::fs::create_dir_all(&path).map_err(|e| Error::io(&path, "create the folder for the results", &e))?;
        Ok(Step { dir: dir.to_path_buf(), folder, limit })
    }

    /// The results' folder relative to the working directory of the tools.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(&self.folder).join(name)
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.path(name);
        std::fs::write(&file, text).map_err(|e| Error::io(&file, "write", &e))
    }

    /// Runs a tool and keeps its output as `log`.
    ///
    /// # Errors
    /// [`Kind::ToolFailed`] with the end of the log.
    pub fn run(&self, tool: &Found, args: &[&str], log: &str) -> Result<()> {
        let log = self.path(log);
        let name = tool.tool.name();
        let mut command = tool.command();
        command.args(args).current_dir(&self.dir);
        let ended = run_logged(&mut command, &log, self.limit).map_err(|e| {
            let problem = Problem::new(format!("{name} does not start: {e}")).in_file(&tool.program);
            Error::new(Kind::ToolFailed, problem.help("`synfire doctor` shows which tools are used"))
        })?;
        let what = match ended {
            Ended::Exit(status) if status.success() => return Ok(()),
            Ended::Exit(status) => format!("{name} failed ({status})"),
            Ended::TimedOut(limit) => format!("{name} was stopped after {} s", limit.as_secs()),
        };
        let end = tail(&read(&log).unwrap_or_default(), 8);
        let help = format!("the whole log is in {}", log.display());
        Err(Error::new(Kind::ToolFailed, Problem::new(format!("{what}:\n  {end}")).help(help)))
    }
}

/// A file's text; bytes that are not UTF-8 are replaced.
pub(super) fn read(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).map_err(|e| Error::io(file, "read", &e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
