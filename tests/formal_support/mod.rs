//! Runs proofs: Yosys makes a transition system, yosys-smtbmc asks z3.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use synfire::flow::tools::{Found, Tool, find};

/// One question to the solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Run {
    /// No assertion fails in this many steps after power-up.
    Bounded(u32),
    /// No assertion fails in a step after this many in which none did.
    Induction(u32),
    /// Every cover statement is reached within this many steps, so that the proofs are not about nothing.
    Cover(u32),
}

/// A property file, its parameters and the questions asked about it.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// Module of `rtl_templates/lib` or `sim/neuron`; the properties are in `sim/formal/<module>_props.v`.
    pub module: &'static str,
    /// Parameters of the property module that differ from its defaults.
    pub parameters: &'static [(&'static str, u32)],
    /// A macro that selects a part of the properties, or nothing.
    pub define: &'static str,
    pub runs: &'static [Run],
    /// Wires (separated by spaces) to which no path leads from the inputs but through registers.
    pub moore: (&'static str, &'static str),
}

impl Proof {
    pub const fn of(module: &'static str, runs: &'static [Run]) -> Self {
        Proof { module, parameters: &[], define: "", runs, moore: ("", "") }
    }

    pub const fn with(self, define: &'static str) -> Self {
        Proof { define, ..self }
    }

    /// Demands that `outputs` depend on `inputs` through registers alone.
    pub const fn registered(self, outputs: &'static str, inputs: &'static str) -> Self {
        Proof { moore: (outputs, inputs), ..self }
    }

    fn script(&self, modules: &[String]) -> String {
        let read: Vec<String> = modules.iter().map(|m| format!("read_verilog modules/{m}\n")).collect();
        let define = if self.define.is_empty() { String::new() } else { format!("-D{} ", self.define) };
        let parameters: String =
            self.parameters.iter().map(|(name, value)| format!(" -chparam {name} {value}")).collect();
        let (outputs, inputs) = self.moore;
        let moore: String = outputs
            .split_whitespace()
            .flat_map(|o| inputs.split_whitespace().map(move |i| (o, i)))
            .map(|(o, i)| format!("select -assert-any w:{o}\nselect -assert-none w:{o} %ci*:-$dff w:{i} %i\n"))
            .collect();
        // Memories become registers before the hierarchy is flattened, so that the properties can name their words.
        format!(
            "{}read_verilog -formal {define}props/queue_ref.v props/core_ref.v props/{module}_props.v\n\
             hierarchy -top {module}_props{parameters}\nproc\nmemory_collect\nmemory_map\nflatten\nopt_clean\n{moore}\
             opt -noff -keepdc\ncheck -assert\nasync2sync\ndffunmap\nwrite_smt2 -wires system.smt2\n",
            read.concat(),
            module = self.module
        )
    }
}

/// An edit of a module that its proof must notice.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// The file in `rtl_templates/lib` or `sim/neuron`, without `.v`.
    pub file: &'static str,
    /// This text, which stands there exactly once, ...
    pub from: &'static str,
    /// ... becomes this one.
    pub to: &'static str,
    pub proof: Proof,
}

/// The programs.
pub struct Tools {
    yosys: Found,
    smtbmc: Found,
    z3: Found,
}

impl Tools {
    /// Finds them. Where one is missing, this says so and gives none; on CI it fails.
    pub fn find() -> Option<Tools> {
        let found = || Ok(Tools { yosys: find(Tool::Yosys)?, smtbmc: find(Tool::YosysSmtbmc)?, z3: find(Tool::Z3)? });
        let found: synfire::error::Result<Tools> = found();
        match found {
            Ok(tools) => Some(tools),
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                println!("ignored: {error}");
                None
            }
        }
    }

    /// Runs one proof, on a mutated library if there is a mutation.
    ///
    /// # Errors
    /// What failed, with the program's output. That a program itself does not work is no answer and panics.
    pub fn prove(&self, proof: &Proof, mutation: Option<&Mutation>) -> Result<(), String> {
        // Not in /tmp, which the WebAssembly build of Yosys does not see.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let modules = copy_sources(folder.path(), mutation);
        fs::write(folder.path().join("prove.ys"), proof.script(&modules)).unwrap();
        let (works, output) = run(self.yosys.command().args(["-q", "prove.ys"]).current_dir(folder.path()));
        if !works {
            assert!(output.contains("ERROR: Assertion failed: selection"), "{proof:?}: {output}");
            return Err(format!("a path without a register\n{output}"));
        }
        for question in proof.runs {
            let start = Instant::now();
            self.ask(folder.path(), *question).map_err(|output| format!("{question:?}\n{output}"))?;
            if mutation.is_none() {
                let seconds = start.elapsed().as_secs_f32();
                println!("{} {:?} {} {question:?}: {seconds:.1} s", proof.module, proof.parameters, proof.define);
            }
        }
        Ok(())
    }

    fn ask(&self, folder: &Path, question: Run) -> Result<(), String> {
        let depth = |n: u32| ["-t".to_string(), n.to_string()];
        let mut command = self.smtbmc.command();
        match question {
            Run::Bounded(n) => command.args(depth(n)),
            Run::Induction(n) => command.arg("-i").args(depth(n)),
            Run::Cover(n) => command.arg("-c").args(depth(n)),
        };
        // It calls its solver by name.
        let paths = self.z3.program.parent().map(Path::to_path_buf).into_iter();
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let paths: Vec<PathBuf> = paths.chain(std::env::split_paths(&inherited)).collect();
        command.env("PATH", std::env::join_paths(paths).unwrap());
        let (works, output) = run(command.args(["-s", "z3", "system.smt2"]).current_dir(folder));
        match works {
            true => Ok(()),
            false if output.contains("Status: FAILED") => Err(output),
            false => panic!("yosys-smtbmc does not work: {output}"),
        }
    }
}

/// Copies the library, the reference of leaky neurons and the properties into `modules` and `props` (the WebAssembly Yosys takes `lib` for `/lib`); the names of the library's files. `sf_rom` and `sf_table` are
/// left out, which want memory images, and the bench's `leaky_neuron`.
fn copy_sources(folder: &Path, mutation: Option<&Mutation>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = Vec::new();
    for (from, to) in [("rtl_templates/lib", "modules"), ("sim/neuron", "modules"), ("sim/formal", "props")] {
        fs::create_dir_all(folder.join(to)).unwrap();
        for entry in fs::read_dir(root.join(from)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !name.ends_with(".v") || name == "leaky_neuron.v" || name == "sf_rom.v" || name == "sf_table.v" {
                continue;
            }
            let mut text = fs::read_to_string(&path).unwrap();
            if let Some(m) = mutation.filter(|m| name == format!("{}.v", m.file)) {
                assert_eq!(text.matches(m.from).count(), 1, "'{}' must stand exactly once in {name}", m.from);
                text = text.replace(m.from, m.to);
            }
            fs::write(folder.join(to).join(&name), text).unwrap();
            if to == "modules" {
                names.push(name);
            }
        }
    }
    names.sort();
    names
}

fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// Does `work` for every item, two at a time, and gives the failures.
pub fn each<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(failure) = work(item) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap()
}
