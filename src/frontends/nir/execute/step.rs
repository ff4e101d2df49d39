//! Which time step a run uses.

use crate::error::Problem;
use crate::frontends::nir::flat::Flat;
use crate::frontends::nir::model::{Meta, Metadata};
use std::fmt;

/// A time step and where it comes from. NIR files hold none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// In seconds, or in whatever unit the file's time constants are.
    pub seconds: f64,
    /// A sentence fragment for reports.
    pub origin: &'static str,
}

impl TimeStep {
    /// The convention for networks without units.
    pub(super) const UNIT: TimeStep = TimeStep { seconds: 1.0, origin: "1, as for networks without units" };

    /// What the user gives, else what the file's metadata note, else 1 if the network's times could be meant in steps: no
    /// time constant is shorter than a step, and all delays are whole.
    ///
    /// # Errors
    /// The given step is not positive, or none is given and 1 cannot be meant.
    pub(super) fn choose(given: Option<f64>, noted: Option<f64>, flat: &Flat) -> Result<TimeStep, Problem> {
        if let Some(seconds) = given {
            if seconds.is_finite() && seconds > 0.0 {
                return Ok(TimeStep { seconds, origin: "as given" });
            }
            return Err(Problem::new(format!("the time step {seconds} is not positive")).help("give it in seconds"));
        }
        if let Some(seconds) = noted {
            return Ok(TimeStep { seconds, origin: "from the metadata of the file" });
        }
        for (name, unit) in &flat.units {
            for (field, array) in &unit.fields {
                let values = || array.to_f64().unwrap_or_default();
                let odd = match field.as_str() {
                    "tau" | "tau_mem" | "tau_syn" => values().into_iter().find(|&tau| tau < 1.0),
                    "delay" => values().into_iter().find(|delay| delay.fract() != 0.0),
                    _ => None,
                };
                if let Some(odd) = odd {
                    let what =
                        format!("'{field}' is {odd} s, so the network needs a time step, which NIR does not store");
                    return Err(Problem::new(what).at_node(name).help("add --dt SECONDS, such as --dt 0.001"));
                }
            }
        }
        Ok(TimeStep::UNIT)
    }
}

/// What is wrong with the time step among a graph's metadata; `None` if there is none, or a usable one.
pub(super) fn unusable(metadata: &Metadata) -> Option<Problem> {
    let meta = metadata.get("dt")?;
    let text = match meta {
        Meta::Value(value) => match (value.single(), value.as_text()) {
            (Some(dt), _) if dt.is_finite() && dt > 0.0 => return None,
            (Some(dt), _) => dt.to_string(),
            (None, Some(text)) => format!("the string '{}'", text.chars().take(40).collect::<String>()),
            (None, None) => format!("an array of the shape {:?}", value.shape()),
        },
        Meta::Group(_) => "a group".into(),
    };
    let what = format!("the metadata 'dt' is {text}, not a positive number of seconds");
    Some(Problem::new(what).help("add --dt SECONDS, or correct it in the file"))
}

impl fmt::Display for TimeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s ({})", self.seconds, self.origin)
    }
}
