//! Settings that networks of spiking neurons do not have.

use crate::error::Problem;
use crate::ir::quant::Coding;
use crate::settings::{Encoding, Settings};

/// Settings that mean nothing here: silence about them would be an answer to another question.
pub(super) fn refused(settings: &Settings, samples: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |what: &str, help: &str| problems.push(Problem::new(what).help(help));
    let default = Settings::spiking();
    if settings.coding != Coding::Rate {
        refuse(
            "the coding of a NIR network cannot be chosen: its neurons fire in every time step",
            "leave out 'coding' (it is rate)",
        );
    }
    if settings.normalize.is_some() {
        refuse(
            "a NIR network reads spikes or pixels as they are, and no mean and deviation can be taken off ('normalize')",
            "leave it out, or put it into the network in front of its first weights",
        );
    }
    if settings.bias_calibration {
        refuse("a NIR network has nothing to calibrate", "leave out 'bias-calibration'");
    }
    if settings.calibration_limit == 0 {
        refuse("a calibration limit of 0 leaves no sample", "give at least 1");
    } else if settings.calibration_limit != default.calibration_limit && !samples {
        refuse("'calibration-limit' is given, but no samples are (--calibrate)", "leave it out, or add --calibrate");
    }
    match (settings.encoding.unwrap_or_default(), settings.spikes_per_step) {
        (Encoding::Spikes, None | Some(1..=255)) => {}
        (Encoding::Spikes, Some(n)) => {
            refuse(&format!("the number of spikes per step cannot be {n}"), "choose 1 to 255");
        }
        (_, Some(_)) => refuse(
            "'spikes-per-step' is given, but the network reads pixels",
            "leave it out, or choose the encoding 'spikes'",
        ),
        (_, None) => {}
    }
    if settings.encoding == Some(Encoding::Spikes) && settings.input_bits != default.input_bits {
        refuse("'input-bits' is given, but recorded spikes have no pixels", "leave it out, or choose another encoding");
    }
    problems
}
