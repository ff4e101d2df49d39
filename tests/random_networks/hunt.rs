//! Looks for a recipe that fails, makes it small, writes it down, and says how to see it again.

use crate::generator::{Recipe, draw};
use crate::judge::{Check, Failure, Tally, Verdict, Wrong};
use crate::shrink::shrink;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Recipes that are tried, at most, to make a failing one smaller.
const STEPS: usize = 80;

/// A failure as it is kept in a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    pub check: Check,
    pub failure: Failure,
    pub recipe: Recipe,
}

/// The seeds that the environment asks for, or these.
pub fn seeds(first: u64, count: u64) -> Range<u64> {
    let number =
        |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap_or_else(|e| panic!("{name}: {e}")));
    let first = number("SYNFIRE_SEED").unwrap_or(first);
    first..first + number("SYNFIRE_RANDOM_NETWORKS").unwrap_or(count)
}

/// Checks the recipes of all seeds; `None` where tools are missing.
///
/// # Panics
/// If one fails. The message names the file that it was written to and the command that repeats it.
pub fn hunt(check: Check, seeds: Range<u64>) -> Option<Tally> {
    if !check.possible() {
        return None;
    }
    let judge = |seed: u64| {
        let folder = tempfile::tempdir().unwrap();
        check.judge(&draw(seed), folder.path()).map_err(|failure| (seed, failure))
    };
    match seeds.into_par_iter().map(judge).try_reduce(Tally::default, |a, b| Ok(a.and(b))) {
        Ok(tally) => Some(tally),
        Err((seed, failure)) => {
            let (case, steps) = Case { check, failure, recipe: draw(seed) }.shrunk(STEPS);
            let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("failures/{check:?}-{seed}.json"));
            panic!("seed {seed}, {}", case.report(&file, steps));
        }
    }
}

impl Case {
    /// The smallest case with the same kind of failure that was found, and how many recipes were tried.
    pub fn shrunk(self, steps: usize) -> (Case, usize) {
        let Case { check, failure, recipe } = self;
        let judge = |recipe: &Recipe| {
            let folder = tempfile::tempdir().unwrap();
            check.judge(recipe, folder.path())
        };
        let (recipe, failure, tried) = shrink(recipe, failure, &judge, steps);
        (Case { check, failure, recipe }, tried)
    }

    /// Writes the case, with its design beside it, and says so.
    pub fn report(&self, file: &Path, steps: usize) -> String {
        let json = serde_json::to_string_pretty(self).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, json).unwrap();
        let again = self.repeat(file).is_err();
        format!(
            "{}\nmade small in {steps} steps: {} layers; it {} from its file\nthe design is in {}\nto see it again: \
             SYNFIRE_CASE={} cargo test --release --test random_networks reproduce -- --nocapture",
            self.failure,
            self.recipe.layers.len(),
            if again { "fails again" } else { "does NOT fail" },
            folder(file).display(),
            file.display()
        )
    }

    pub fn read(file: &Path) -> Case {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    }

    /// Checks the case again. The design, and the waveform of a mismatch, stay beside `file`.
    pub fn repeat(&self, file: &Path) -> Verdict {
        let folder = folder(file);
        if let Err(e) = std::fs::create_dir_all(&folder) {
            return Err(Failure::new(Wrong::Panic, None, format!("{}: {e}", folder.display())));
        }
        self.check.judge(&self.recipe, &folder)
    }
}

fn folder(file: &Path) -> PathBuf {
    file.with_extension("design")
}
