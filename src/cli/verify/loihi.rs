//! What is told about the comparison with the Loihi 2 equations.

use crate::ir::quant::{Neuron, Reset};
use crate::report;
use serde::Serialize;
use std::fmt;

/// One population against the Loihi 2 equations.
#[derive(Clone, Debug, Serialize)]
pub struct LoihiReport {
    /// The population's name (untrusted text).
    pub layer: String,
    /// Its core's name, and this one where it differs.
    #[serde(skip)]
    pub label: String,
    /// What its neurons are, and whether their reset is that of Loihi 2's stock neuron.
    pub neurons: String,
    /// Spikes of each step (in two-phase coding: of each image) and logits compared.
    pub compared: u64,
    /// How many of them differ.
    pub mismatches: u64,
    /// Images that were not compared, because they leave the chip's registers.
    pub overflowing_images: u64,
    /// What the chip's registers cannot hold, if anything.
    pub limits: Vec<String>,
}

/// The neurons of a population in the terms of Loihi 2's published LIF. A reset that does not set the voltage to 0 is the one difference from
/// it: the chip's stock neuron has no other.
pub(super) fn neurons(neuron: &Neuron) -> String {
    let leaky = match neuron {
        Neuron::Leaky(leaky) => leaky,
        Neuron::If { .. } => return "IF, reset subtracts the threshold, unlike the chip's stock neuron".into(),
        Neuron::MultiSpike(_) => return "IF that sends several spikes a step, unlike any neuron of the chip".into(),
        Neuron::Source | Neuron::Pool { .. } | Neuron::Readout { .. } => return "sums, no threshold".into(),
    };
    let all = |values: &[i64], x: i64| values.iter().all(|&v| v == x);
    let name = match (all(&leaky.du, 4096), all(&leaky.dv, 0)) {
        (true, true) => "IF",
        (true, false) => "LIF",
        (false, _) => "LIF with a synaptic current",
    };
    if !leaky.fires() {
        let current = if all(&leaky.du, 4096) { "" } else { " with a synaptic current" };
        return format!("leaky integrator{current}, no threshold");
    }
    let reset = match &leaky.reset {
        Reset::Value(to) if all(to, 0) => "reset to 0, as on the chip",
        Reset::Value(_) => "reset to a value, unlike the chip's stock neuron",
        Reset::Subtract(_) | Reset::Never => "reset by subtraction, unlike the chip's stock neuron",
    };
    format!("{name}, fires at v > threshold, {reset}")
}

impl fmt::Display for LoihiReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compared {
            0 => write!(f, "{}: not compared", self.label)?,
            n => {
                let (label, n) = (&self.label, report::grouped(n));
                write!(f, "{label}: {} mismatches in {n} values ({})", self.mismatches, self.neurons)?;
            }
        }
        if self.overflowing_images > 0 {
            write!(f, "; {} images leave the chip's registers", report::grouped(self.overflowing_images))?;
        }
        if !self.limits.is_empty() && (self.compared == 0 || self.overflowing_images > 0) {
            write!(f, " ({})", self.limits.join("; "))?;
        }
        Ok(())
    }
}
