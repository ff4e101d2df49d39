//! The checks of one recipe, and how they can fail.

use crate::generator::Recipe;
use crate::{cosim, cycle, icarus};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Check {
    Cosim,
    Icarus,
    Cycle,
}

/// What is wrong. A smaller recipe shows the same failure if it fails in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wrong {
    /// The recipe makes no network.
    Recipe,
    /// The Verilog cannot be made, or Verilator or the compiler refuses it.
    Verilog,
    /// Runs of one recipe differ in their Verilog.
    Structure,
    /// The hardware and the cycle model differ.
    Cycles,
    /// The hardware and the functional model differ.
    Counts,
    /// The functional model and the Loihi 2 equations differ.
    Loihi,
    /// The simulation gets stuck.
    Stuck,
    /// A check failed, or the code panicked.
    Panic,
}

/// A check that did not pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub wrong: Wrong,
    /// The run in which it showed, if it is one's.
    pub run: Option<usize>,
    pub text: String,
}

impl Failure {
    pub fn new(wrong: Wrong, run: Option<usize>, text: impl fmt::Display) -> Failure {
        Failure { wrong, run, text: text.to_string() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.wrong)?;
        if let Some(run) = self.run {
            write!(f, " in run {run}")?;
        }
        write!(f, ": {}", self.text)
    }
}

/// What was compared, and how much happened in the networks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub structures: u64,
    pub comparisons: u64,
    pub cycles: u64,
    /// Payloads that hidden populations sent.
    pub spikes: u64,
    /// Steps of leaky neurons whose membranes were clamped.
    pub clamped: u64,
    /// Steps of neurons that held more spikes than they may send.
    pub held_back: u64,
    /// What populations behind windows sent, compared with the Loihi 2 equations.
    pub loihi: u64,
}

impl Tally {
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            structures: self.structures + other.structures,
            comparisons: self.comparisons + other.comparisons,
            cycles: self.cycles + other.cycles,
            spikes: self.spikes + other.spikes,
            clamped: self.clamped + other.clamped,
            held_back: self.held_back + other.held_back,
            loihi: self.loihi + other.loihi,
        }
    }
}

pub type Verdict = Result<Tally, Failure>;

impl Check {
    /// False, after saying so, where the tools are missing.
    pub fn possible(self) -> bool {
        match self {
            Check::Cosim => cosim::toolchain().is_some(),
            Check::Icarus => icarus::tools().is_some(),
            Check::Cycle => true,
        }
    }

    /// Checks a recipe; what it makes on the way stays in `folder`.
    pub fn judge(self, recipe: &Recipe, folder: &Path) -> Verdict {
        let check = || match self {
            Check::Cosim => cosim::check(recipe, folder),
            Check::Icarus => icarus::check(recipe),
            Check::Cycle => cycle::check(recipe),
        };
        catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked");
            Err(Failure::new(Wrong::Panic, None, text))
        })
    }
}
