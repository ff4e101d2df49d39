//! Results: JSON first, tables and plots are views of the same values.

mod file;
mod plot;
mod table;

pub use crate::fixed::grouped;
pub use plot::curves;
pub use table::Table;

use crate::error::{Error, Result, printable};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Prints `text` for people, and `value` as JSON to `json` (`-`: standard output, and the text goes to standard error).
///
/// # Errors
/// The file cannot be written.
pub fn emit(json: &Option<PathBuf>, value: &impl Serialize, text: &str) -> Result<()> {
    // Names in it come from model files.
    let text = &printable(text);
    let Some(path) = json else {
        return print(&mut io::stdout(), text);
    };
    let mut encoded =
        serde_json::to_string_pretty(value).map_err(|e| Error::internal(format!("cannot encode the result: {e}")))?;
    encoded.push('\n');
    if path.as_os_str() == "-" {
        print(&mut io::stderr(), text)?;
        print(&mut io::stdout(), &encoded)
    } else {
        print(&mut io::stdout(), text)?;
        file::write(path, &encoded)
    }
}

/// Finds out whether [`emit`] will be able to write `json`, without leaving anything there.
///
/// # Errors
/// It will not.
pub fn check_json(json: &Path) -> Result<()> {
    if json.as_os_str() == "-" { Ok(()) } else { file::check(json) }
}

/// A reader that closed the pipe has seen enough: that is no error.
fn print(out: &mut dyn Write, text: &str) -> Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Error::io("standard output", "write", &e)),
        _ => Ok(()),
    }
}

/// A spinner for work of unknown length; silent unless standard error is a terminal.
pub fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target());
    bar.set_message(what.to_string());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A progress bar over `len` steps; silent unless standard error is a terminal.
pub fn progress(len: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(len), target());
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_string());
    bar
}

fn target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

/// `97.91 %`, or a dash where there is nothing to show.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |s| format!("{:.2} %", s * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(percent(Some(0.97906)), "97.91 %");
        assert_eq!(percent(None), "–");
    }
}
