//! Which layers have their weights outside the design.

use super::auto::{Plan, Problem};
use super::cost::{core_area, taken};
use crate::fixed::{grouped, grouped_tenths};
use crate::ir::mapped::{Core, Weights};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The widest weight word that is read from outside without lanes being asked for: what a board's memory gives at a time.
pub(super) const WIDEST: usize = 128;

/// Where a layer's weights are to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum WeightsChoice {
    /// In the design's block RAMs, as far as these suffice.
    #[default]
    Auto,
    /// In the design's block RAMs.
    Internal,
    /// In a memory outside the design.
    External,
}

impl WeightsChoice {
    /// True for the default, which old settings do not name.
    pub fn is_auto(&self) -> bool {
        *self == WeightsChoice::Auto
    }
}

impl fmt::Display for WeightsChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WeightsChoice::Auto => "auto",
            WeightsChoice::Internal => "internal",
            WeightsChoice::External => "external",
        })
    }
}

/// External weights whose place is not known yet.
pub(super) const OUTSIDE: Weights = Weights::External { base: 0 };

/// Lays `problem` out. If its block RAMs do not suffice, the weights of layers that leave it to us move out, those first of which
/// a bit is read least often, until the rest fits. Returns the problem as it was solved, and `None` beside it if nothing helps.
pub(super) fn solve(problem: Problem) -> (Problem, Option<Plan>) {
    if let Some(plan) = problem.solve() {
        return (problem, Some(plan));
    }
    let short = |problem: &Problem| {
        let excess = problem.smallest().map(|plan| problem.excess(&plan.area)).unwrap_or_default();
        excess.iter().any(|(resource, ..)| *resource == "block RAMs")
    };
    if !short(&problem) {
        return (problem, None);
    }
    let mut order: Vec<(usize, f64)> = problem
        .layers
        .iter()
        .enumerate()
        .filter(|(_, layer)| layer.choice.weights.is_auto() && layer.core.weights.is_internal())
        .filter_map(|(i, layer)| {
            let mode = layer.options.iter().map(|option| option.mode).find(|mode| mode.is_event())?;
            let core = Core { mode, ..layer.core.clone() };
            let bits = (core.weight_words() as f64) * core.weight_word_bits() as f64;
            // What takes no block RAM gains nothing outside.
            let outside = Core { weights: OUTSIDE, ..core.clone() };
            let gains = core_area(&core, problem.target).blocks > core_area(&outside, problem.target).blocks;
            let reads: f64 = layer.input.iter().enumerate().map(|(input, t)| taken(&core, input, t)).sum();
            gains.then_some((i, bits / reads.max(1.0)))
        })
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let at = |problem: &Problem, layer: usize, weights: Weights| {
        let population = problem.layers[layer].core.population;
        problem.variant(problem.target, |core, _| {
            if core.population == population {
                core.weights = weights;
            }
        })
    };
    let mut moved = problem;
    let mut outside = Vec::new();
    for (layer, _) in order {
        moved = at(&moved, layer, OUTSIDE);
        outside.push(layer);
        if moved.fits() {
            break;
        }
    }
    if !moved.fits() {
        return (moved, None);
    }
    // A small layer that went first may not be needed any more. The latest one was.
    outside.pop();
    for layer in outside {
        let back = at(&moved, layer, Weights::Internal);
        if back.fits() {
            moved = back;
        }
    }
    let plan = moved.solve();
    (moved, plan)
}

/// What to say of a layer whose weights are outside.
pub(super) fn sentence(problem: &Problem, plan: &Plan, i: usize) -> String {
    let layer = &problem.layers[i];
    if layer.core.weights.is_internal() {
        return String::new();
    }
    let core = Core { mode: plan.modes[i], ..layer.core.clone() };
    let bytes = (core.weight_words() as u64).saturating_mul(core.weight_word_bits() as u64).div_ceil(8);
    let inside = core_area(&Core { weights: Weights::Internal, ..core.clone() }, problem.target).blocks;
    let own = core_area(&core, problem.target).blocks;
    let reads: f64 = layer.input.iter().enumerate().map(|(input, t)| taken(&core, input, t)).sum();
    let why = match (layer.choice.weights, problem.device) {
        (WeightsChoice::External, _) => "as asked".to_string(),
        (_, Some(device)) => format!("because {} has {} block RAMs", device.name, grouped(device.blocks)),
        (_, None) => "to save block RAMs".to_string(),
    };
    format!(
        ", as only event cores read weights from outside; {} bytes of weights are there {why}: {} block RAMs in place of {}, {} reads of {} bits per image, of {} at the port",
        grouped(bytes),
        grouped(own),
        grouped(inside),
        grouped_tenths(reads),
        core.weight_word_bits(),
        grouped_tenths(plan.reads)
    )
}
