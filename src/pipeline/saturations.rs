//! What is said where neurons were kept from what they wanted to do.

use crate::design::Design;
use crate::error::Problem;
use crate::fixed::grouped;
use crate::golden::functional::Saturations;
use crate::ir::quant::{MOST_SPIKES, Neuron};

/// Of every population, how often its neurons were kept from what they wanted to do while the design was compiled.
pub fn design_saturations(design: &Design) -> Vec<Saturations> {
    let of = |counts: &[u64], pop: usize| counts.get(pop).copied().unwrap_or(0);
    let origin = &design.origin;
    let each = (0..design.net.quant.populations.len()).map(|pop| Saturations {
        clipped: 0,
        held_back: of(&origin.held_back, pop),
        clamped: of(&origin.clamped, pop),
    });
    each.collect()
}

/// A warning for each population of `design` whose spikes were held back or whose membranes were clamped; `saturations` are per
/// population, `on` says what was presented. Clipped activations are part of how converted networks are quantised, and nothing to warn of.
pub fn saturation_warnings(design: &Design, saturations: &[Saturations], on: &str) -> Vec<Problem> {
    let calibrated = design.origin.calibration_images > 0;
    let each = design.net.quant.populations.iter().zip(saturations);
    each.filter_map(|(population, of)| {
        Some(warning(&population.neuron, *of, on, calibrated)?.at_node(&population.name))
    })
    .collect()
}

/// `calibrated`: samples were given when the design was compiled.
fn warning(neuron: &Neuron, of: Saturations, on: &str, calibrated: bool) -> Option<Problem> {
    match neuron {
        Neuron::MultiSpike(multi) if of.held_back > 0 => {
            let what = format!(
                "held back spikes {} {on}: a neuron held more than the {} that it may send in a step, and sends them later",
                times(of.held_back),
                multi.most
            );
            let help = match (multi.most < MOST_SPIKES, calibrated) {
                (false, _) => "no hardware here sends more: use higher thresholds, or smaller weights in front of them",
                (true, true) => {
                    "raise 'neuron-spikes-per-step', or leave it out and give samples like these (--calibrate), unless the \
                     network itself sets this bound"
                }
                // The number is a default, or chosen for who knows what; random input says nothing of what it should be.
                (true, false) => {
                    "compile with samples of what the network will read (--calibrate), which choose the number where \
                     'neuron-spikes-per-step' is not given, or raise it, unless the network itself sets this bound"
                }
            };
            Some(Problem::new(what).help(help))
        }
        Neuron::Leaky(leaky) if of.clamped > 0 => {
            let (whose, (least, greatest)) = (if leaky.fires() { "" } else { " of the readout" }, leaky.limits);
            let what = format!(
                "had membranes{whose} clamped {} {on}: they would have left the limits {least} and {greatest}, and what was beyond is lost",
                times(of.clamped)
            );
            let help = "use fewer bits per weight, fewer time steps or smaller inputs; whether answers change is in the \
                        agreement with the float network that 'run' reports";
            Some(Problem::new(what).help(help))
        }
        _ => None,
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".into() } else { format!("{} times", grouped(count)) }
}
