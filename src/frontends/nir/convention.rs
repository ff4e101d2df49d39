//! What Synfire notes in a node's `metadata`, because NIR 1.0 has no field for it.
//!
//! A network converted from an ANN starts from a membrane other than 0, resets by subtraction, fires at `v ≥ θ`, and may
//! fire only after all input is in. Python's `nir` keeps metadata but does not interpret it, nor does any simulator, so
//! whoever exports such a network must say that these notes are needed to reproduce its spikes.
//!
//! | key of a neuron's metadata | value | without it |
//! |---|---|---|
//! | `synfire_v_init` | number, or an array that broadcasts to the node's shape: the membrane before the first step | 0 |
//! | `synfire_reset` | `"value"`: to `v_reset`; `"subtract"`: `v −= v_threshold` | the dialect's |
//! | `synfire_compare` | `"greater"`: spike if `v > v_threshold`; `"greater-equal"`: if `v ≥ v_threshold` | the dialect's |
//! | `synfire_firing` | `"step"`: may fire in every step; `"two-phase"`: integrates all `T` steps, then fires | `"step"` |
//! | `synfire_levels` | whole number ≥ 1: the most spikes after a two-phase integration (needed there) | – |
//! | `synfire_payload` | two-phase only. `"unit"`: the count `n` is sent as 1 in the first `n` steps; `"graded"`: as `n` in the first step | `"unit"` |
//!
//! | key of the graph's metadata | value |
//! |---|---|
//! | `synfire_convention` | whole number: the version of this table, 1. A higher one is refused |
//! | `dt` | number: the time step in seconds, used where the command line names none |
//!
//! Any other key that begins with `synfire_` is refused, so that a note that matters is not passed over.
//!
//! # Two-phase firing
//! A two-phase node is an IF, in no circle. It takes in all `T` steps of its input with firing disabled; then its count is
//! `n = clip(⌊v/θ⌋, 0, levels)` for `greater-equal` (one less where `v` is a multiple of `θ` for `greater`), and its output
//! has `T` rows again, of which the first `n` hold 1, or the first one holds `n`. A reader adds up the same total either way, and
//! since it fires only after its own last row, the order within the rows does not matter. In hardware the reader's `T` steps
//! are the next phase; here every node simply gets all rows of its senders, so a residual join of branches of different
//! depth needs no care.
//!
//! # How to export a `QuantGraph`
//! The exporter is not written yet; this is its design. All numbers are integers that float32 holds exactly (weights,
//! thresholds and biases below 2²⁴; else use float64), and `dt = 1`, so double precision computes without rounding.
//! - *Input*: `Input(shape)`. Row 0 of `X` holds the pixel codes, the other rows 0 (two-phase, analog input);
//!   or each row holds the codes or spikes of that step (rate coding).
//! - *Population*: `IF` of the population's full shape, `r = 1`, `v_threshold = θ` (per channel: repeated), `v_reset = 0`, and
//!   the notes `synfire_v_init`, `synfire_reset = "subtract"`, `synfire_compare = "greater-equal"`. Two-phase coding adds
//!   `synfire_firing = "two-phase"`, `synfire_levels = T`, and `synfire_payload = "graded"` if the design sends counts.
//! - *Readout*: `I` with `r = 1` and `synfire_v_init`; the last row of its output holds the logits.
//! - *Projection*: `Linear` for dense; `Conv2d` with a bias of zeros, `input_shape` left out if `groups > 1` (Python's `nir`
//!   takes `weight.shape[1]` for the input's channels) and a square kernel padded with zeros if it is not square (it takes
//!   `weight.shape[2]` for both extents); `Scale` for identity and diagonal; `SumPool2d` for pools; a strided, zero-padded
//!   shortcut is a 1×1 `Conv2d`. A delayed projection needs nothing special: it closes a circle.
//! - *Residual join*: two edges into one `IF`.
//! - *Bias*: in two-phase coding it is part of `synfire_v_init`. In rate coding it is added in every step: make one of the
//!   projections `Affine`, or the `Conv2d`'s bias non-zero.
//! - *Graph*: `synfire_convention = 1`, `dt = 1.0`.
//!
//! The test is: write, read, execute, and compare `Outcome::spikes` and the outputs with the functional golden model.

use super::array::Array;
use super::model::{Meta, Metadata};
use crate::error::Problem;

/// The version of the table above.
pub const CONVENTION: i64 = 1;

/// Prefix of all keys of the convention.
const PREFIX: &str = "synfire_";

/// What a neuron's metadata say about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The membrane before the first step.
    pub v_init: Option<Array>,
    /// True: by subtraction; false: to `v_reset`.
    pub subtract: Option<bool>,
    /// True: `≥`; false: `>`.
    pub at_threshold: Option<bool>,
    /// Fires only after all input is in.
    pub two_phase: Option<TwoPhase>,
}

/// Firing after all input is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoPhase {
    /// The most spikes.
    pub levels: u32,
    /// The count is sent at once.
    pub graded: bool,
}

impl Notes {
    /// Reads a neuron's metadata.
    ///
    /// # Errors
    /// Texts for every key that is unknown or has a value that means nothing.
    pub fn of(metadata: &Metadata) -> Result<Notes, Vec<String>> {
        let (mut notes, mut wrong) = (Notes::default(), Vec::new());
        let (mut two_phase, mut levels, mut graded) = (false, None, None);
        for (key, meta) in metadata.iter().filter(|(key, _)| key.starts_with(PREFIX)) {
            let Meta::Value(value) = meta else {
                wrong.push(format!("the note '{key}' is a group"));
                continue;
            };
            let mut choice = |options: [&str; 2]| {
                let found = value.as_text().and_then(|text| options.iter().position(|o| *o == text));
                if found.is_none() {
                    wrong.push(format!("the note '{key}' is neither '{}' nor '{}'", options[0], options[1]));
                }
                found.map(|place| place == 1)
            };
            match key.as_str() {
                "synfire_reset" => notes.subtract = choice(["value", "subtract"]),
                "synfire_compare" => notes.at_threshold = choice(["greater", "greater-equal"]),
                "synfire_firing" => two_phase = choice(["step", "two-phase"]) == Some(true),
                "synfire_payload" => graded = choice(["unit", "graded"]),
                "synfire_levels" => match value.to_integers().as_deref() {
                    Some(&[n]) if (1..=1 << 24).contains(&n) => levels = u32::try_from(n).ok(),
                    _ => wrong.push(format!("the note '{key}' is no whole number between 1 and {}", 1 << 24)),
                },
                "synfire_v_init" => match value.to_f64() {
                    Some(values) if values.iter().all(|v| v.is_finite()) => notes.v_init = Some(value.clone()),
                    _ => wrong.push(format!("the note '{key}' holds something else than finite numbers")),
                },
                _ => wrong.push(format!("the note '{key}' is not known")),
            }
        }
        match (two_phase, levels) {
            (true, Some(levels)) => notes.two_phase = Some(TwoPhase { levels, graded: graded.unwrap_or(false) }),
            (true, None) => wrong.push("two-phase firing needs the note 'synfire_levels'".into()),
            (false, _) if levels.is_some() || graded.is_some() => {
                wrong.push("'synfire_levels' and 'synfire_payload' have a meaning in two-phase firing only".into());
            }
            (false, _) => {}
        }
        if wrong.is_empty() { Ok(notes) } else { Err(wrong) }
    }

    /// The metadata that say this.
    pub fn to_metadata(&self) -> Metadata {
        let mut metadata = Metadata::new();
        let mut put = |key: &str, value: Array| metadata.insert(key.to_string(), Meta::Value(value));
        if let Some(v_init) = &self.v_init {
            put("synfire_v_init", v_init.clone());
        }
        if let Some(subtract) = self.subtract {
            put("synfire_reset", Array::text(if subtract { "subtract" } else { "value" }));
        }
        if let Some(at) = self.at_threshold {
            put("synfire_compare", Array::text(if at { "greater-equal" } else { "greater" }));
        }
        if let Some(two_phase) = self.two_phase {
            put("synfire_firing", Array::text("two-phase"));
            put("synfire_levels", Array::integer(two_phase.levels.into()));
            put("synfire_payload", Array::text(if two_phase.graded { "graded" } else { "unit" }));
        }
        metadata
    }
}

/// Reads the graph's metadata: the time step, if it is there.
pub(super) fn graph_notes(metadata: &Metadata, problems: &mut Vec<Problem>) -> Option<f64> {
    for (key, meta) in metadata.iter().filter(|(key, _)| key.starts_with(PREFIX)) {
        let version = match meta {
            Meta::Value(value) if key == "synfire_convention" => value.to_integers(),
            _ => None,
        };
        let what = match version.as_deref() {
            Some(&[v]) if (1..=CONVENTION).contains(&v) => continue,
            Some(&[v]) => format!("the notes follow version {v} of Synfire's convention; {CONVENTION} is known here"),
            _ => format!("the graph's note '{key}' is not understood"),
        };
        problems.push(Problem::new(what).help("use the version of synfire that wrote the file, or a later one"));
    }
    match metadata.get("dt") {
        Some(Meta::Value(value)) => value.single().filter(|dt| dt.is_finite() && *dt > 0.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_from_metadata() {
        let notes = Notes {
            v_init: Some(Array::doubles(vec![3.0, -1.0])),
            subtract: Some(true),
            at_threshold: Some(true),
            two_phase: Some(TwoPhase { levels: 16, graded: true }),
        };
        assert_eq!(Notes::of(&notes.to_metadata()), Ok(notes));
        assert_eq!(Notes::of(&Metadata::new()), Ok(Notes::default()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let one = |key: &str, value: Array| Notes::of(&Metadata::from([(key.to_string(), Meta::Value(value))]));
        assert!(one("colour", Array::text("red")).is_ok());
        assert!(one("synfire_colour", Array::text("red")).is_err());
        assert!(one("synfire_reset", Array::text("no")).is_err());
        assert!(one("synfire_firing", Array::text("two-phase")).is_err());
        assert!(one("synfire_levels", Array::integer(16)).is_err());
        assert!(one("synfire_v_init", Array::scalar(f64::NAN)).is_err());
        let mut problems = Vec::new();
        graph_notes(&Metadata::from([("synfire_convention".into(), Meta::Value(Array::integer(2)))]), &mut problems);
        assert_eq!(problems.len(), 1);
    }
}
