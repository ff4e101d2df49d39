//! What the comparison reports, as JSON.

use super::driver::Outcome;
use super::mismatch::Mismatch;
use crate::fixed::arg_max;
use crate::ir::mapped::{Core, MappedNet};
use serde::Serialize;

/// Result of a co-simulation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Images that went through the design.
    pub images: usize,
    /// Cycles compared.
    pub cycles: u64,
    /// Signals compared: five wires a stream in every cycle, two of the requests of external weights, and of every neuron the
    /// membrane and, if it is leaky, what it receives in a step (event mode) and the current that it keeps.
    pub compared_signals: u64,
    /// Values of these signals that were compared.
    pub comparisons: u64,
    /// Values that differed; the simulation stops shortly after the first.
    pub mismatches: u64,
    /// Values in which the design's spikes and logits differ from the Loihi 2 equations; `null` where the mapping does not allow the comparison.
    pub loihi_mismatches: Option<u64>,
    /// Share of images that the design classified as labelled; `null` without labels.
    pub accuracy: Option<f64>,
    /// Cycles divided by images; `null` without images.
    pub cycles_per_image: Option<f64>,
    /// Cycles simulated, predicted and compared per second.
    pub cycles_per_second: f64,
    /// Every core, in order.
    pub layers: Vec<LayerReport>,
    /// The first mismatch.
    pub first_mismatch: Option<Mismatch>,
}

/// How one core spent its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// The unit's name.
    pub name: String,
    /// What the model file calls its population (untrusted text).
    pub source: String,
    /// Both, for people.
    #[serde(skip)]
    pub label: String,
    /// `event` or `matrix`.
    pub mode: &'static str,
    /// Neurons computed at a time.
    pub lanes: usize,
    /// Cycles in which the core neither starved for input nor was stalled by its output.
    pub cycles: u64,
    /// The least number of cycles that the same input can take on this core.
    pub bound_cycles: u64,
    /// Cycles in which it was stalled by its output.
    pub stalled_cycles: u64,
    /// Events that it received.
    pub events: u64,
}

impl Report {
    /// Sums a run up. `labels` has the class of every image, in order.
    pub fn new(net: &MappedNet, outcome: &Outcome, labels: Option<&[usize]>) -> Self {
        let seconds = outcome.elapsed.as_secs_f64();
        let kept = |core: &Core| {
            let input = core.input_bits > 0 && core.mode.is_event();
            core.neurons * (1 + usize::from(input) + usize::from(core.current_bits > 0))
        };
        let state: usize = net.cores().map(|(_, _, core)| kept(core)).sum();
        Report {
            images: outcome.images,
            cycles: outcome.cycles,
            compared_signals: (5 * net.streams.len() + 2 * usize::from(net.weight_port().is_some()) + state) as u64,
            comparisons: outcome.comparisons,
            mismatches: outcome.mismatches,
            loihi_mismatches: None,
            accuracy: labels.and_then(|labels| accuracy(&outcome.logits, labels)),
            cycles_per_image: (outcome.images > 0).then(|| outcome.cycles as f64 / outcome.images as f64),
            cycles_per_second: if seconds > 0.0 { outcome.cycles as f64 / seconds } else { 0.0 },
            layers: layers(net, outcome),
            first_mismatch: outcome.mismatch.clone(),
        }
    }
}

fn accuracy(logits: &[Vec<i64>], labels: &[usize]) -> Option<f64> {
    let right = logits.iter().zip(labels).filter(|(logits, label)| arg_max(logits.iter()) == Some(**label)).count();
    let all = logits.len().min(labels.len());
    (all > 0).then(|| right as f64 / all as f64)
}

fn layers(net: &MappedNet, outcome: &Outcome) -> Vec<LayerReport> {
    let report = |(index, (_, unit, core)): (usize, (_, &crate::ir::mapped::Unit, &Core))| {
        let cycles = outcome.cores.get(index).copied().unwrap_or_default();
        let input = unit.inputs.first().and_then(|id| outcome.streams.get(id.0)).copied().unwrap_or_default();
        LayerReport {
            name: unit.name.clone(),
            source: net.quant.population(core.population).name.clone(),
            label: net.layer_name(unit, core),
            mode: core.mode.name(),
            lanes: core.mode.lanes(),
            cycles: cycles.active,
            bound_cycles: input.least_slots + input.ends * core.least_phase_slots(),
            stalled_cycles: cycles.stalled,
            events: input.events,
        }
    };
    net.cores().enumerate().map(report).collect()
}
