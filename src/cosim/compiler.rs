//! The C++ compiler that this machine has.

use super::build::run;
use crate::error::{Error, Kind, Problem, Result};
use crate::flow::tools::{self, Found, Tool};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What every file is compiled with. Nothing but the C interface may be visible, because several designs are loaded into
/// one process; the `VL_USER` macros leave out the functions that `sim/synfire_sim.cpp` replaces.
const FLAGS: [&str; 18] = [
    "-std=gnu++17",
    "-fPIC",
    "-faligned-new",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-w",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVM_TRACE=0",
    "-DVM_TRACE_FST=0",
    "-DVM_TRACE_SAIF=0",
    "-DVM_TRACE_VCD=0",
    "-DVL_USER_FATAL",
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
    "-DVL_USER_WARN",
];

/// Verilated C++ is compiled in bundles of about this many bytes: most of the time of a small file goes into Verilator's headers.
const BUNDLE_BYTES: u64 = 256 << 10;

/// A C++ compiler with its flags.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program (or a wrapper such as ccache).
    pub program: PathBuf,
    /// Arguments of every call, in front of all others.
    pub arguments: Vec<OsString>,
    /// The version that it reports.
    pub version: String,
    /// How much it optimises, from 0 to 3. What saves time in a long simulation costs more than it saves in a short one.
    pub level: u8,
}

impl Compiler {
    /// The compiler that [`tools::find`] chooses, with the arguments that the `cc` crate gives its kind on this platform.
    pub fn find() -> Result<Self> {
        Compiler::of(tools::find(Tool::Cxx)?)
    }

    fn of(found: Found) -> Result<Self> {
        let triple = triple();
        // The last word of `ccache g++` is the compiler, which `cc` asks what it is.
        let compiler = found.args.last().map_or(found.program.as_path(), Path::new);
        let tool = cc::Build::new()
            .cpp(true)
            .compiler(compiler)
            .cargo_metadata(false)
            .cargo_warnings(false)
            .no_default_flags(true)
            .opt_level(2)
            .target(&triple)
            .host(&triple)
            .try_get_compiler()
            .map_err(|e| Error::new(Kind::MissingTool, Problem::new(e.to_string()).in_file(&found.program)))?;
        let command = tool.to_command();
        let mut arguments: Vec<OsString> = found.args.iter().map(OsString::from).collect();
        arguments.extend(command.get_args().map(OsString::from));
        if tool.is_like_gnu() {
            // GNU's unique symbols are merged across libraries, which would join the designs' run-time libraries.
            arguments.push("-fno-gnu-unique".into());
        }
        Ok(Compiler { program: found.program, arguments, version: found.version, level: 2 })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(format!("-O{}", self.level));
        command
    }

    /// How much is compiled in one piece: without optimisation headers are nearly all of the work.
    pub(super) fn bundle_bytes(&self) -> u64 {
        if self.level == 0 { 8 * BUNDLE_BYTES } else { BUNDLE_BYTES }
    }

    /// Everything about the compiler that shows in what it makes.
    pub(super) fn identity(&self) -> String {
        format!("{}\n{:?}\n{FLAGS:?}\n{}\n{}", self.version, self.arguments, self.level, std::env::consts::ARCH)
    }

    /// Compiles every (source, object) pair, as many at a time as there are processors. All failures are reported.
    pub(super) fn compile(&self, jobs: &[(PathBuf, PathBuf)], includes: &[PathBuf]) -> Result<()> {
        let next = AtomicUsize::new(0);
        let problems = Mutex::new(Vec::new());
        let work = || {
            while let Some((source, object)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut command = self.command();
                command.args(FLAGS);
                for include in includes {
                    command.arg("-I").arg(include);
                }
                command.arg("-c").arg(source).arg("-o").arg(object);
                if let Err(error) = run(command, "the C++ compiler") {
                    problems.lock().unwrap_or_else(|e| e.into_inner()).extend(error.in_file(source).problems);
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
        std::thread::scope(|scope| {
            (1..threads).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        Error::check(Kind::ToolFailed, problems.into_inner().unwrap_or_else(|e| e.into_inner()))
    }

    /// Links objects into a shared library.
    pub(super) fn link<'a>(&self, objects: impl Iterator<Item = &'a Path>, library: &Path) -> Result<()> {
        let mut command = self.command();
        command.arg("-shared").arg("-o").arg(library).args(objects).arg("-pthread");
        run(command, "the linker")
    }
}

/// The target triple of this machine; the compiler's name depends on it.
fn triple() -> String {
    let arch = std::env::consts::ARCH;
    match std::env::consts::OS {
        "macos" => format!("{arch}-apple-darwin"),
        os => format!("{arch}-unknown-{os}-gnu"),
    }
}

/// Writes files that include `header` and then the `.cpp` files of `folder` in bundles of about `most` bytes, and returns each with its
/// object's path.
pub(super) fn bundle(folder: &Path, header: &str, most: u64) -> Result<Vec<(PathBuf, PathBuf)>> {
    let unreadable = |e| Error::io(folder, "read Verilator's output", &e);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".cpp") {
            files.push((name, entry.metadata().map_err(unreadable)?.len()));
        }
    }
    files.sort();
    let mut bundles: Vec<(u64, String)> = Vec::new();
    for (name, bytes) in files {
        let line = format!("#include \"{name}\"\n");
        match bundles.last_mut() {
            Some((total, text)) if *total + bytes <= most => {
                *total += bytes;
                text.push_str(&line);
            }
            _ => bundles.push((bytes, line)),
        }
    }
    let write = |(i, (_, text)): (usize, (u64, String))| {
        let source = folder.join(format!("bundle_{i}.cc"));
        std::fs::write(&source, format!("#include \"{header}\"\n{text}"))
            .map_err(|e| Error::io(&source, "write", &e))?;
        let object = source.with_extension("o");
        Ok((source, object))
    };
    bundles.into_iter().enumerate().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CXX="ccache g++"` lost its second word.
    #[test]
    fn a_wrapper_gets_its_compiler() {
        let Ok(found) = tools::find(Tool::Cxx) else { return };
        let args = vec![found.program.display().to_string()];
        let compiler = Compiler::of(Found { program: "/usr/bin/env".into(), args, ..found }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (source, object) = (folder.path().join("a.cc"), folder.path().join("a.o"));
        std::fs::write(&source, "int a() { return 1; }").unwrap();
        compiler.compile(&[(source, object.clone())], &[]).unwrap();
        assert!(object.is_file());
    }
}
