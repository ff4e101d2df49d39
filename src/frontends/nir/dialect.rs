//! Conventions of simulators that write NIR files but do not follow its equations to the letter.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose conventions to follow.
///
/// | | `nir` | `snntorch` | `norse` | `sinabs` |
/// |---|---|---|---|---|
/// | LIF, LI: membrane | `v += dt/τ·(v_leak − v + r·I)` | same, `v_leak` must be 0 | same | `v = e^(−dt/τ)·v + dt/τ·r·I`, `v_leak` must be 0 |
/// | IF: membrane | `v += dt·r·I` | `v = 0.9·v + r·I` | `v += r·I` | `v += r·I`, then at least `−v_threshold` |
/// | spike | `v > v_threshold` | `v > v_threshold` | `v > v_threshold` | `v ≥ v_threshold`, as often as it fits |
/// | reset of LIF, CubaLIF | to `v_reset` | to 0 | to 0 | by subtraction |
/// | reset of IF | to `v_reset` | by subtraction | to 0 | by subtraction |
/// | synapse of CubaLI, CubaLIF | `I += dt/τ_syn·(w_in·S − I)` | same | `I += dt/τ_syn·(v_leak + w_in·S − I)` | not supported |
///
/// These are what the importers of snnTorch (up to 0.9.4: `beta` of an IF is a constant), Norse and sinabs make of a file,
/// but for two things. sinabs takes `tau` as a number of steps and leaves the gain `dt/τ` to whoever prepares the weights,
/// while here `dt` does both; and snnTorch divides a CubaLIF's threshold by `w_in`, which its own exporter does not undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// NIR's own equations, explicit Euler.
    #[default]
    Nir,
    /// snnTorch.
    Snntorch,
    /// Norse.
    Norse,
    /// sinabs.
    Sinabs,
}

impl Dialect {
    /// The share of an IF's membrane that snnTorch keeps from step to step.
    pub const SNNTORCH_BETA: f64 = 0.9;

    /// All of them.
    pub const ALL: [Dialect; 4] = [Dialect::Nir, Dialect::Snntorch, Dialect::Norse, Dialect::Sinabs];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Nir => "nir",
            Dialect::Snntorch => "snntorch",
            Dialect::Norse => "norse",
            Dialect::Sinabs => "sinabs",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
