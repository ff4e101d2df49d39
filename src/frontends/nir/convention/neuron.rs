//! The notes on a neuron.

use super::PREFIX;
use crate::frontends::nir::array::Array;
use crate::frontends::nir::model::{Meta, Metadata};

/// What a neuron's metadata say about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The membrane before the first step.
    pub v_init: Option<Array>,
    /// True: by subtraction; false: to `v_reset`.
    pub subtract: Option<bool>,
    /// What a reset by subtraction subtracts, where it is not the threshold.
    pub subtrahend: Option<Array>,
    /// True: `≥`; false: `>`.
    pub at_threshold: Option<bool>,
    /// Fires only after all input is in.
    pub two_phase: Option<TwoPhase>,
    /// The most spikes of one step.
    pub spikes: Option<u32>,
    /// True: the membrane ends no step below `-v_threshold`.
    pub floor: Option<bool>,
    /// States are whole numbers: what a decay leaves of them is truncated.
    pub truncate: bool,
    /// Least and greatest membrane.
    pub limits: Option<(f64, f64)>,
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
                "synfire_floor" => notes.floor = choice(["none", "threshold"]),
                "synfire_decay" => notes.truncate = choice(["exact", "truncate"]) == Some(true),
                "synfire_limits" => match value.to_f64().as_deref() {
                    Some(&[low, high]) if low <= high && low.is_finite() && high.is_finite() => {
                        notes.limits = Some((low, high));
                    }
                    _ => wrong.push(format!("the note '{key}' is no pair of a lower and an upper limit")),
                },
                "synfire_levels" | "synfire_spikes" => match value.to_integers().as_deref() {
                    Some(&[n]) if (1..=1 << 24).contains(&n) && key == "synfire_spikes" => {
                        notes.spikes = u32::try_from(n).ok();
                    }
                    Some(&[n]) if (1..=1 << 24).contains(&n) => levels = u32::try_from(n).ok(),
                    _ => wrong.push(format!("the note '{key}' is no whole number between 1 and {}", 1 << 24)),
                },
                "synfire_v_init" | "synfire_subtract" => match value.to_f64() {
                    Some(values) if values.iter().any(|v| !v.is_finite()) => {
                        wrong.push(format!("the note '{key}' holds something else than finite numbers"));
                    }
                    None => wrong.push(format!("the note '{key}' holds no numbers")),
                    Some(_) if key == "synfire_v_init" => notes.v_init = Some(value.clone()),
                    Some(_) => notes.subtrahend = Some(value.clone()),
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
        if let Some(by) = &self.subtrahend {
            put("synfire_subtract", by.clone());
        }
        if let Some(at) = self.at_threshold {
            put("synfire_compare", Array::text(if at { "greater-equal" } else { "greater" }));
        }
        if let Some(two_phase) = self.two_phase {
            put("synfire_firing", Array::text("two-phase"));
            put("synfire_levels", Array::integer(two_phase.levels.into()));
            put("synfire_payload", Array::text(if two_phase.graded { "graded" } else { "unit" }));
        }
        if let Some(spikes) = self.spikes {
            put("synfire_spikes", Array::integer(spikes.into()));
        }
        if let Some(floor) = self.floor {
            put("synfire_floor", Array::text(if floor { "threshold" } else { "none" }));
        }
        if self.truncate {
            put("synfire_decay", Array::text("truncate"));
        }
        if let Some((low, high)) = self.limits {
            put("synfire_limits", Array::doubles(vec![low, high]));
        }
        metadata
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
            subtrahend: Some(Array::scalar(2.0)),
            at_threshold: Some(true),
            two_phase: Some(TwoPhase { levels: 16, graded: true }),
            spikes: Some(15),
            floor: Some(true),
            truncate: true,
            limits: Some((-8.0, 7.0)),
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
        assert!(one("synfire_spikes", Array::integer(0)).is_err());
        assert!(one("synfire_floor", Array::integer(0)).is_err());
        assert!(one("synfire_v_init", Array::scalar(f64::NAN)).is_err());
        assert!(one("synfire_subtract", Array::text("2")).is_err());
        assert!(one("synfire_decay", Array::text("perhaps")).is_err());
        assert!(one("synfire_limits", Array::doubles(vec![1.0, 0.0])).is_err());
        assert!(one("synfire_limits", Array::scalar(1.0)).is_err());
    }
}
