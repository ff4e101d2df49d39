//! The files of a design directory that tools read.

use crate::error::{Error, Problem, Result};
use std::path::Path;

/// The files in the design's `rtl/` whose names end in one of `endings` (`.v`, …), as `rtl/<name>`, in the order of their names.
///
/// # Errors
/// The folder cannot be read, or has no Verilog in it.
pub fn rtl_files(design: &Path, endings: &[&str]) -> Result<Vec<String>> {
    let folder = design.join("rtl");
    let unreadable = |e| Error::io(&folder, "read the design's Verilog", &e);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(format!("rtl/{name}"));
        }
    }
    files.sort();
    if !files.iter().any(|file| file.ends_with(".v")) {
        let problem = Problem::new("holds no Verilog").in_file(folder);
        return Err(problem.help("give a design directory that `synfire compile` wrote").into());
    }
    Ok(files)
}
