//! What went wrong, where, and what to do about it.
//!
//! Every stage gathers *all* the problems it can find before it gives up, so an [`Error`] carries a list. The
//! [`Kind`] decides the exit code of the command line and nothing else.

use std::fmt;
use std::path::{Path, PathBuf};

/// Shorthand used throughout the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What to do about a failure that is nobody's fault but ours.
const DEFECT: &str = "this is a defect of synfire: please report it";

/// The class of a failure; each has its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A defect of Synfire itself (exit code 1).
    Internal,
    /// The user's file, option or data is at fault (exit code 2, as for a bad command line).
    Input,
    /// Hardware and models disagree (exit code 3).
    Mismatch,
    /// An external program is absent or too old (exit code 4).
    MissingTool,
    /// The network does not fit the chosen target (exit code 5).
    DoesNotFit,
    /// An external program ran and failed (exit code 6).
    ToolFailed,
}

impl Kind {
    /// The process exit code that stands for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Input => 2,
            Kind::Mismatch => 3,
            Kind::MissingTool => 4,
            Kind::DoesNotFit => 5,
            Kind::ToolFailed => 6,
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file it was found in.
    pub file: Option<PathBuf>,
    /// The node, layer or key inside that file.
    pub node: Option<String>,
    /// What is wrong, as a sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with neither place nor advice yet.
    pub fn new(what: impl Into<String>) -> Self {
        Problem { file: None, node: None, what: what.into(), help: None }
    }

    /// Names the file.
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_path_buf());
        self
    }

    /// Names the node, layer or key.
    pub fn at_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", printable(&file.to_string_lossy()))?;
        }
        if let Some(node) = &self.node {
            write!(f, "node '{}': ", printable(node))?;
        }
        write!(f, "{}", printable(&self.what))?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {}", printable(help))?;
        }
        Ok(())
    }
}

/// Text from a model file may hold terminal escapes; nothing below a space but line breaks reaches the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// All the problems of one failure, in the order in which they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The class, which sets the exit code.
    pub kind: Kind,
    /// At least one problem.
    pub problems: Vec<Problem>,
}

impl Error {
    /// An error with a single problem.
    pub fn new(kind: Kind, problem: Problem) -> Self {
        Error { kind, problems: vec![problem] }
    }

    /// The user's input is at fault.
    pub fn input(what: impl Into<String>) -> Self {
        Error::new(Kind::Input, Problem::new(what))
    }

    /// Synfire itself is at fault.
    pub fn internal(what: impl Into<String>) -> Self {
        Error::new(Kind::Internal, Problem::new(what).help(DEFECT))
    }

    /// A file could not be read or written.
    pub fn io(file: impl AsRef<Path>, action: &str, source: &std::io::Error) -> Self {
        Error::new(Kind::Input, Problem::new(format!("cannot {action}: {source}")).in_file(file))
    }

    /// `Ok` if there are no problems, otherwise an error of `kind` that carries all of them.
    pub fn check(kind: Kind, problems: Vec<Problem>) -> Result<()> {
        match (problems.is_empty(), kind) {
            (true, _) => Ok(()),
            (false, Kind::Internal) => Err(Error { kind, problems }.help(DEFECT)),
            (false, _) => Err(Error { kind, problems }),
        }
    }

    /// Adds the file to every problem that does not name one yet.
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        for problem in &mut self.problems {
            problem.file.get_or_insert_with(|| file.as_ref().to_path_buf());
        }
        self
    }

    /// Adds advice to every problem that has none yet.
    pub fn help(mut self, help: &str) -> Self {
        for problem in &mut self.problems {
            problem.help.get_or_insert_with(|| help.to_string());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "error: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::new(Kind::Input, problem)
    }
}
