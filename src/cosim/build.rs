//! From Verilog to a shared library: Verilator, then the C++ compiler, both behind the cache.

use super::cache::{self, Key};
use super::compiler::Compiler;
use super::simulation::Library;
use super::verilator::Verilator;
use crate::error::{Error, Kind, Problem, Result};
use crate::flow::rtl_files;
use crate::interrupts::{self, Folder};
use std::path::{Path, PathBuf};
use std::process::Command;

const HARNESS: [(&str, &str); 3] = [
    ("synfire_sim.h", include_str!("../../sim/synfire_sim.h")),
    (MEMORY_HEADER, include_str!("../../sim/synfire_memory.h")),
    // Among the Verilated files, so that a small design is one translation unit: Verilator's headers are read once.
    ("obj/synfire_sim.cpp", include_str!("../../sim/synfire_sim.cpp")),
];

/// Included in front of all Verilated code.
const MEMORY_HEADER: &str = "synfire_memory.h";

/// Which variables stay visible in the Verilated design; `@TOP@` stands for the top module.
const VISIBLE: &str = include_str!("../../sim/visible.vlt");

/// Parts of Verilator's run-time library that a design needs.
const SUPPORT: [&str; 3] = ["verilated", "verilated_dpi", "verilated_threads"];

/// Verilator's own warnings are errors: a design that is not clean is not a design.
const VERILATE: [&str; 11] =
    ["--cc", "--prefix", "Vsynfire", "-O3", "--x-initial", "unique", "--x-assign", "fast", "-Wall", "--Mdir", "obj"];

/// Name of the shared library in its cache entry.
const LIBRARY: &str = "libsynfire_sim.so";

/// The programs that build a simulation, and where results are kept.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Turns Verilog into C++.
    pub verilator: Verilator,
    /// Turns C++ into a library.
    pub compiler: Compiler,
    /// Folder of the build cache.
    pub cache: PathBuf,
}

/// Builds (or takes from the cache) the simulation of the design in `design` whose top module is `top`.
///
/// # Errors
/// `MissingTool` without Verilator or a C++ compiler; `ToolFailed`, with the tool's messages, if one of them rejects
/// the design (Verilator's lint warnings included).
pub fn build(design: &Path, top: &str) -> Result<Library> {
    Toolchain::find()?.build(design, top)
}

impl Toolchain {
    /// The tools of this machine and the user's cache.
    pub fn find() -> Result<Self> {
        Ok(Toolchain { verilator: Verilator::find()?, compiler: Compiler::find()?, cache: cache::default_root() })
    }

    /// See [`build`].
    pub fn build(&self, design: &Path, top: &str) -> Result<Library> {
        let sources = sources(design)?;
        let visible = VISIBLE.replace("@TOP@", top);
        let mut key = Key::new("model");
        self.add_tools(&mut key);
        for text in [top, &visible].into_iter().chain(VERILATE) {
            key.add(text);
        }
        for (name, text) in HARNESS {
            key.add(name);
            key.add(text);
        }
        for (name, text) in &sources {
            key.add(name);
            key.add(text);
        }
        let (entry, cached) = cache::entry(&self.cache, &format!("model-{}", key.name()), |dir| {
            self.make(design, top, &visible, &sources, dir)
        })?;
        Library::load(&entry.join(LIBRARY), cached)
    }

    fn add_tools(&self, key: &mut Key) {
        key.add(self.verilator.version());
        key.add(self.verilator.root.as_os_str().as_encoded_bytes());
        key.add(self.compiler.identity());
    }

    /// Verilator's run-time library as objects, built once for all designs.
    fn support(&self) -> Result<Vec<PathBuf>> {
        let mut key = Key::new("support");
        self.add_tools(&mut key);
        let (entry, _) = cache::entry(&self.cache, &format!("support-{}", key.name()), |dir| {
            let include = self.verilator.root.join("include");
            let jobs: Vec<_> = SUPPORT
                .iter()
                .map(|name| (include.join(format!("{name}.cpp")), dir.join(format!("{name}.o"))))
                .collect();
            self.compiler.compile(&jobs, &self.includes())
        })?;
        Ok(SUPPORT.iter().map(|name| entry.join(format!("{name}.o"))).collect())
    }

    fn includes(&self) -> Vec<PathBuf> {
        let include = self.verilator.root.join("include");
        vec![include.join("vltstd"), include]
    }

    fn make(&self, design: &Path, top: &str, visible: &str, sources: &[(String, Vec<u8>)], dir: &Path) -> Result<()> {
        // Everything happens in a scratch folder, so that the entry holds only the library in the end.
        // It is in the cache, where a build that was killed leaves nothing in anybody's way.
        let scratch = |e| Error::io(&self.cache, "create a scratch folder", &e);
        let work = Folder::new("work-", &self.cache).map_err(scratch)?;
        let work = work.path();
        let put = |name: &str, text: &[u8]| {
            let path = work.join(name);
            std::fs::write(&path, text).map_err(|e| Error::io(&path, "write", &e))
        };
        for name in ["rtl", "obj"] {
            std::fs::create_dir(work.join(name)).map_err(|e| Error::io(work, "create a folder", &e))?;
        }
        put("visible.vlt", visible.as_bytes())?;
        for (name, text) in sources {
            put(name, text)?;
        }
        for (name, text) in HARNESS {
            put(name, text.as_bytes())?;
        }
        let mut verilate = self.verilator.command();
        verilate.current_dir(work).args(VERILATE).args(["--top-module", top, "visible.vlt"]);
        verilate.args(sources.iter().map(|(name, _)| name));
        run(verilate, "Verilator").map_err(|e| e.in_file(design.join("rtl")))?;

        let support = self.support()?;
        let obj = work.join("obj");
        let jobs = super::compiler::bundle(&obj, MEMORY_HEADER, self.compiler.bundle_bytes())?;
        let mut includes = self.includes();
        includes.extend([obj, work.to_path_buf()]);
        self.compiler.compile(&jobs, &includes)?;
        let objects = jobs.iter().map(|(_, object)| object.as_path()).chain(support.iter().map(PathBuf::as_path));
        self.compiler.link(objects, &dir.join(LIBRARY))
    }
}

/// The Verilog (`.v`) and lint configuration (`.vlt`) files of a design, as `rtl/<name>`, in the order of their names, configuration first.
fn sources(design: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut names = rtl_files(design, &[".v", ".vlt"])?;
    // Lint configuration must precede the modules it is about.
    names.sort_by_key(|name| name.ends_with(".v"));
    let read = |name: String| {
        let path = design.join(&name);
        let text = std::fs::read(&path).map_err(|e| Error::io(&path, "read", &e))?;
        Ok((name, text))
    };
    names.into_iter().map(read).collect()
}

/// Runs a tool; its messages become the error if it fails.
pub(super) fn run(mut command: Command, what: &str) -> Result<()> {
    let output = interrupts::output_of(&mut command).map_err(|e| {
        let problem = Problem::new(format!("cannot start {what}: {e}")).in_file(command.get_program());
        Error::new(Kind::MissingTool, problem)
    })?;
    if output.status.success() {
        return Ok(());
    }
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8_lossy(&log);
    let problem = Problem::new(format!("{what} failed ({}):\n{}", output.status, head(log.trim(), 60)));
    Err(Error::new(Kind::ToolFailed, problem))
}

/// The first `lines` lines: the first message is the one that matters.
fn head(text: &str, lines: usize) -> String {
    let count = text.lines().count();
    let mut shown = text.lines().take(lines).collect::<Vec<_>>().join("\n");
    if count > lines {
        shown.push_str(&format!("\n… ({} more lines)", count - lines));
    }
    shown
}
