//! What is told about the comparison with the Loihi 2 equations.

use crate::ir::quant::{Combine, Neuron, Reset};
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
    /// False if it can be compared in no sample whatever; the limits say why.
    #[serde(skip)]
    pub fits: bool,
    /// How to have it compared, should it not be.
    #[serde(skip)]
    pub way_out: Option<&'static str>,
}

/// How many samples the untimed models had a say in. The hardware may stop before the last, or differ from the cycle model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judged {
    /// Samples of which the hardware sent everything.
    pub finished: usize,
    /// Samples that were to be compared.
    pub asked: usize,
}

/// The neurons of a population in the terms of Loihi 2's published LIF. A reset that does not set the voltage to 0 is the one difference from
/// it: the chip's stock neuron has no other.
pub(super) fn neurons(neuron: &Neuron) -> String {
    let leaky = match neuron {
        Neuron::Leaky(leaky) => leaky,
        Neuron::If { .. } => return "IF, reset subtracts the threshold, unlike the chip's stock neuron".into(),
        Neuron::MultiSpike(_) => return "IF that sends several spikes a step, unlike any neuron of the chip".into(),
        Neuron::Pool { combine: Combine::Sum, .. } => return "sums sent as graded spikes, Lava's GradedVec".into(),
        Neuron::Pool { combine: Combine::Max, .. } => return "largest input, unlike any neuron of the chip".into(),
        Neuron::Source | Neuron::Readout { .. } => return "sums, no threshold".into(),
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

/// All populations in one sentence: how much was compared, and whether the network is Loihi 2's, which is said only if all samples were
/// finished and `agreed`: the hardware does not differ from the other models either.
pub fn summary(populations: &[LoihiReport], samples: Judged, agreed: bool) -> String {
    if samples.finished == 0 {
        return "nothing was compared: no sample was finished".into();
    }
    let sum = |count: fn(&LoihiReport) -> u64| populations.iter().map(count).sum::<u64>();
    let (values, mismatches) = (report::grouped(sum(|p| p.compared)), sum(|p| p.mismatches));
    let (all, compared) = (populations.len(), populations.iter().filter(|p| p.is_complete()).count());
    let Judged { finished, asked } = samples;
    if finished < asked {
        return format!(
            "{mismatches} mismatches in {values} values; {compared} of {all} populations compared in all finished samples, \
             {finished} of {asked}"
        );
    }
    match (compared == all, mismatches) {
        (true, 0) if agreed => format!("the network equals the equations in all {all} populations, {values} values"),
        (true, _) => format!("{mismatches} mismatches in {values} values of all {all} populations"),
        (false, _) => format!(
            "{mismatches} mismatches in {values} values; {compared} of {all} populations compared in all samples"
        ),
    }
}

/// What would let a population of such neurons be compared, or compared in more samples. Unless the weights in front of it fit, narrower sums
/// are no help.
pub(super) fn way_out(neuron: &Neuron, weights_fit: bool) -> Option<&'static str> {
    match neuron {
        Neuron::Leaky(_) => {
            Some("compile with --arithmetic loihi: the network in the chip's numbers, or all that forbids it")
        }
        Neuron::If { .. } | Neuron::Readout { .. } if !weights_fit => Some(
            "fewer bits for the weights named above, 8 of both signs: --weight-bits, and for a skip [layers.NAME] weight-bits = 8",
        ),
        Neuron::If { .. } | Neuron::Readout { .. } | Neuron::Pool { combine: Combine::Sum, .. } => {
            Some("fewer --weight-bits, --input-bits or --timesteps narrow the sums; the chip holds ±131,071")
        }
        Neuron::Source | Neuron::Pool { combine: Combine::Max, .. } | Neuron::MultiSpike(_) => None,
    }
}

/// The ways out for the populations that the chip cannot hold, or not in all samples, each once. One that was merely not reached needs none.
pub fn advice(populations: &[LoihiReport]) -> Vec<&'static str> {
    let kept_out = |p: &&LoihiReport| !p.fits || p.overflowing_images > 0;
    let mut ways: Vec<&str> = populations.iter().filter(kept_out).filter_map(|p| p.way_out).collect();
    ways.sort_unstable();
    ways.dedup();
    ways
}

impl LoihiReport {
    /// True if it was compared in every sample.
    fn is_complete(&self) -> bool {
        self.compared > 0 && self.overflowing_images == 0
    }
}

impl fmt::Display for LoihiReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compared {
            0 if self.fits && self.overflowing_images == 0 => {
                return write!(f, "{}: not compared, because no sample was finished", self.label);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn population(neuron: &Neuron, compared: u64, mismatches: u64, overflowing_images: u64) -> LoihiReport {
        LoihiReport {
            layer: "layer".into(),
            label: "layer".into(),
            neurons: neurons(neuron),
            compared,
            mismatches,
            overflowing_images,
            limits: Vec::new(),
            fits: compared > 0 || overflowing_images > 0,
            way_out: way_out(neuron, true),
        }
    }

    #[test]
    fn only_a_network_compared_throughout_is_said_to_equal_the_equations() {
        let readout = Neuron::Readout { v_init: vec![0] };
        let pool = |combine| Neuron::Pool { combine, max: 4 };
        let (sum, most) = (pool(Combine::Sum), pool(Combine::Max));
        let whole = [population(&readout, 1000, 0, 0), population(&sum, 234, 0, 0)];
        let all = Judged { finished: 5, asked: 5 };
        assert_eq!(summary(&whole, all, true), "the network equals the equations in all 2 populations, 1,234 values");
        assert!(advice(&whole).is_empty());
        let wrong = [population(&readout, 1000, 7, 0), population(&sum, 234, 0, 0)];
        assert_eq!(summary(&wrong, all, true), "7 mismatches in 1,234 values of all 2 populations");
        let part = [population(&readout, 10, 0, 3), population(&most, 0, 0, 0), population(&sum, 0, 0, 0)];
        assert_eq!(summary(&part, all, true), "0 mismatches in 10 values; 0 of 3 populations compared in all samples");
        assert_eq!(advice(&part), [way_out(&readout, true).unwrap()]);
        assert!(advice(&part[1..2]).is_empty());
    }

    #[test]
    fn what_was_merely_not_reached_is_not_advised_on() {
        let neuron = Neuron::If { theta: vec![1], v_init: vec![0], bias: vec![0] };
        let mut early = [population(&neuron, 0, 0, 0)];
        (early[0].fits, early[0].limits) = (true, vec!["some sample may overflow".into()]);
        assert!(advice(&early).is_empty());
        assert_eq!(early[0].to_string(), "layer: not compared, because no sample was finished");
        early[0].overflowing_images = 2;
        assert_eq!(advice(&early), [way_out(&neuron, true).unwrap()]);
        let text = "layer: not compared; 2 images leave the chip's registers (some sample may overflow)";
        assert_eq!(early[0].to_string(), text);
    }

    #[test]
    fn weights_that_do_not_fit_are_not_answered_with_narrower_sums() {
        let neuron = Neuron::If { theta: vec![1], v_init: vec![0], bias: vec![0] };
        let told = |weights_fit| way_out(&neuron, weights_fit).unwrap();
        assert!(told(false).contains("weight-bits = 8") && !told(false).contains("sums"));
        assert!(told(true).contains("narrow the sums"));
    }

    #[test]
    fn a_run_that_fails_is_not_said_to_equal_the_equations() {
        let whole = [population(&Neuron::Readout { v_init: vec![0] }, 111, 0, 0)];
        let told = |finished, agreed| summary(&whole, Judged { finished, asked: 5 }, agreed);
        assert_eq!(told(5, false), "0 mismatches in 111 values of all 1 populations");
        let part = "0 mismatches in 111 values; 1 of 1 populations compared in all finished samples, 2 of 5";
        assert_eq!([told(2, true), told(2, false)], [part; 2]);
        assert_eq!(told(0, false), "nothing was compared: no sample was finished");
    }
}
