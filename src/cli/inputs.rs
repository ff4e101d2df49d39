//! Arguments that several commands share.

use crate::data::{self, Labels, Samples};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::quant::QuantGraph;
use crate::report;
use std::path::{Path, PathBuf};

/// A test set.
#[derive(clap::Args, Clone, Debug)]
pub struct TestSet {
    /// Images: IDX, NPY or CIFAR binary, each also gzipped; told apart by content. For designs made from NIR files also recorded
    /// spike trains: NPY [samples, T, input shape], 0 and 1 or small whole numbers
    #[arg(long, value_name = "FILE")]
    pub images: PathBuf,
    /// Labels: IDX or NPY (not needed for CIFAR binary, which holds them)
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Use only the first N images
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl TestSet {
    /// The files that are read.
    pub fn files(&self) -> Vec<&Path> {
        std::iter::once(self.images.as_path()).chain(self.labels.as_deref()).collect()
    }

    /// Reads the files: samples that `net` can read, labels of its classes, one for each sample.
    ///
    /// # Errors
    /// Everything that is wrong with either file.
    pub fn load(&self, net: &QuantGraph) -> Result<(Samples, Option<Labels>)> {
        let mut problems = Vec::new();
        if self.limit == Some(0) {
            problems.push(Problem::new("--limit 0 leaves no image").help("give a limit of at least 1"));
        }
        let samples = Samples::load(&self.images, net).map_err(|e| problems.extend(e.problems));
        let given = self.labels.as_deref().map(data::load_labels).transpose().map_err(|e| problems.extend(e.problems));
        let (Ok((samples, inside)), Ok(given)) = (samples, given) else {
            return Err(Error { kind: Kind::Input, problems });
        };
        let labels = given.or(inside);
        if let Some(labels) = &labels {
            let classes = net.population(net.readout()).shape.len();
            let checked = samples.check_labels(labels, classes);
            let file = self.labels.as_ref().unwrap_or(&self.images);
            problems.extend(checked.map_err(|e| e.in_file(file)).err().into_iter().flat_map(|e| e.problems));
        }
        Error::check(Kind::Input, problems)?;
        let limit = self.limit.unwrap_or(samples.len());
        Ok((samples.truncated(limit), labels.map(|l| l.truncated(limit))))
    }

    /// The command that co-simulates the design in `dir` with this test set, without `--limit`, as a shell reads it.
    pub fn cosim_command(&self, dir: &Path) -> String {
        let quote = |path: &Path| {
            let text = path.display().to_string();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
            if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
        };
        let mut line = format!("synfire cosim {} --images {}", quote(dir), quote(&self.images));
        if let Some(labels) = &self.labels {
            line.push_str(&format!(" --labels {}", quote(labels)));
        }
        line
    }
}

/// Where the machine-readable result goes.
#[derive(clap::Args, Clone, Debug)]
pub struct Output {
    /// Write the result as JSON to FILE, or to standard output for '-'
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
}

impl Output {
    /// Refuses a file that cannot be written, before the work whose result it is for. `made` is a folder that the command
    /// itself makes: what lies in it cannot be known yet.
    pub fn check(&self, made: Option<&Path>) -> Result<()> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        match &self.json {
            Some(file) if !made.is_some_and(|made| absolute(file).starts_with(absolute(made))) => {
                report::check_json(file)
            }
            _ => Ok(()),
        }
    }

    /// Refuses to write the result over what the command reads: `inputs`, and the files of the design directory `design`.
    pub fn spares(&self, inputs: &[&Path], design: Option<&Path>) -> Result<()> {
        match &self.json {
            Some(file) if file.as_os_str() != "-" => spares("--json", file, inputs, design),
            _ => Ok(()),
        }
    }
}

/// Refuses the output `file` of `option` if it is one of `inputs`, or belongs to the design in `design`, which may not be there yet.
pub fn spares(option: &str, file: &Path, inputs: &[&Path], design: Option<&Path>) -> Result<()> {
    let target = place(file);
    let refused = |what: &str| {
        let help = format!("give {option} a file of its own");
        Err(Problem::new(format!("{what}, so the result must not go there")).in_file(file).help(help).into())
    };
    if inputs.iter().any(|input| place(input) == target) {
        return refused("is read or written by this command");
    }
    let inside = design.and_then(|design| target.strip_prefix(place(design)).ok().map(Path::to_path_buf));
    match inside.as_deref().and_then(|path| path.components().next()) {
        Some(first) if OF_DESIGN.iter().any(|name| first.as_os_str() == *name) => refused("is a part of the design"),
        _ => Ok(()),
    }
}

/// What a design directory holds: see ARCHITECTURE.md.
const OF_DESIGN: [&str; 7] = ["design.json", "model", "rtl", "mem", "constraints", "tb", "README.md"];

/// Where a file is, whatever it is called: links are followed as far as there is something.
fn place(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
    for known in absolute.ancestors() {
        if let (Ok(real), Ok(rest)) = (known.canonicalize(), absolute.strip_prefix(known)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    absolute
}
