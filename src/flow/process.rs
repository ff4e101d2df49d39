//! Runs a program with its output in files and a time limit.

use crate::interrupts::{Folder, Running};
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How a program ended.
pub(super) enum Ended {
    /// By itself.
    Exit(ExitStatus),
    /// Killed, because it ran longer than this.
    TimedOut(Duration),
}

/// Runs `command` with standard output and standard error written to `log` and no standard input.
///
/// The output goes to a file, not a pipe, so a child that the program leaves behind cannot keep this waiting.
pub(super) fn run_logged(command: &mut Command, log: &Path, limit: Duration) -> io::Result<Ended> {
    let output = File::create(log)?;
    let errors = output.try_clone()?;
    let mut child = Running::spawn(command.stdin(Stdio::null()).stdout(output).stderr(errors))?;
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::Exit(status));
        }
        if start.elapsed() >= limit {
            child.kill();
            return Ok(Ended::TimedOut(limit));
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Everything that `command` prints, or why it could not be run to its end. The exit status is not looked at: several
/// tools print their version along with a failure.
pub(super) fn output_of(command: &mut Command, limit: Duration) -> Result<String, String> {
    let folder = Folder::new("synfire-", &std::env::temp_dir())
        .map_err(|e| format!("no temporary folder for its output: {e}"))?;
    let log = folder.path().join("output");
    match run_logged(command, &log, limit) {
        Err(e) => Err(format!("does not start: {e}")),
        Ok(Ended::TimedOut(limit)) => Err(format!("did not answer within {} s", limit.as_secs_f32())),
        Ok(Ended::Exit(_)) => {
            std::fs::read(&log).map(|b| String::from_utf8_lossy(&b).into_owned()).map_err(|e| e.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_program_is_killed() {
        let start = Instant::now();
        let answer = output_of(Command::new("sleep").arg("60"), Duration::from_millis(100));
        assert!(answer.is_err_and(|e| e.contains("did not answer")));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn both_output_channels_are_read() {
        let answer = output_of(Command::new("sh").args(["-c", "echo one; echo two >&2"]), Duration::from_secs(10));
        assert_eq!(answer.as_deref(), Ok("one\ntwo\n"));
    }

    #[test]
    fn an_absent_program_does_not_start() {
        let answer = output_of(&mut Command::new("/nonexistent/program"), Duration::from_secs(1));
        assert!(answer.is_err_and(|e| e.starts_with("does not start")));
    }
}
