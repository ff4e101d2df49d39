//! How many spikes neurons may send in a step, where they may send several.

use super::stages::Stages;
use crate::convert::nir::Import;
use crate::data::Samples;
use crate::error::{Kind, Problem, Result};
use crate::fixed::grouped;
use crate::golden::functional::Functional;
use crate::ir::quant::{MOST_SPIKES, Neuron, QuantGraph};
use crate::ir::snn::Model;
use crate::quantise::{self, LeakySettings, NEURON_SPIKES};
use crate::settings::Settings;
use rayon::prelude::*;

/// Of every population that may send several spikes in a step, its number and the limit that the network itself sets.
fn several(import: &Import) -> impl Iterator<Item = (usize, Option<u32>)> {
    import.snn.populations.iter().enumerate().filter_map(|(pop, p)| match &p.model {
        Model::MultiSpike(model) => Some((pop, model.most)),
        _ => None,
    })
}

/// A setting that no neuron of the network has a use for.
pub(super) fn unused(settings: &Settings, import: &Import) -> Option<Problem> {
    let unused = settings.neuron_spikes_per_step.is_some() && several(import).next().is_none();
    unused.then(|| {
        Problem::new(
            "'neuron-spikes-per-step' is given, but no neuron of the network may send several spikes in a step",
        )
        .help("leave it out, or choose the dialect whose neurons do (--nir-dialect sinabs)")
    })
}

/// The most spikes of a neuron in a step, where neither the settings nor samples nor the network say anything.
pub(super) fn default(import: &Import) -> Option<u32> {
    (several(import).next().is_some() && several(import).all(|(_, most)| most.is_none())).then_some(NEURON_SPIKES)
}

/// True if samples can say how many spikes some neurons need.
pub(super) fn is_open(import: &Import) -> bool {
    several(import).any(|(_, most)| most.is_none())
}

/// Lets neurons send as many spikes in a step as those of `made`, which was made of the same network.
pub(super) fn bound_as(made: &QuantGraph, import: &mut Import) {
    // Quantisation may have put one population in front.
    let added = made.populations.len().saturating_sub(import.snn.populations.len());
    for (population, same) in import.snn.populations.iter_mut().zip(made.populations.iter().skip(added)) {
        if let (Model::MultiSpike(model), Neuron::MultiSpike(neurons)) = (&mut population.model, &same.neuron) {
            model.most = Some(neurons.most);
        }
    }
}

/// What samples say about how many spikes neurons need to send in a step.
pub(super) enum Measured {
    /// The network whose neurons may send as many as they want to on all samples, population by population in a full number of bits, but
    /// for [`MOST_SPIKES`] and limits of the network's own.
    Enough(QuantGraph),
    /// Nothing, for this reason: the default has to do.
    Unknown(String),
}

/// Lets the neurons send whatever they want to on all samples, and measures it.
///
/// # Errors
/// A sample that does not fit the network.
pub(super) fn enough_for(samples: &Samples, import: &Import, settings: &LeakySettings) -> Result<Measured> {
    let most = LeakySettings { neuron_spikes: Some(MOST_SPIKES), ..settings.clone() };
    let generous = match quantise::quantise_leaky(&import.snn, &most) {
        Ok(generous) => generous,
        // Pools may not be able to add up that much.
        Err(e) if e.kind == Kind::Input => return Ok(Measured::Unknown(reason(&e.problems))),
        Err(e) => return Err(e),
    };
    // Quantisation may have put one population in front.
    let added = generous.populations.len() - import.snn.populations.len();
    let open: Vec<usize> = several(import).filter(|(_, most)| most.is_none()).map(|(pop, _)| pop + added).collect();
    let functional = Functional::new(&generous)?;
    let sample = |i: usize| -> Result<Vec<i64>> {
        let phases = functional.image_by_phase(&samples.codes(i, &generous))?.phases.unwrap_or_default();
        let most = |&pop: &usize| phases.iter().flat_map(|phase| &phase[pop]).copied().max().unwrap_or(0);
        Ok(open.iter().map(most).collect())
    };
    let larger = |a: Vec<i64>, b: Vec<i64>| Ok(a.into_iter().zip(b).map(|(a, b)| a.max(b)).collect());
    let sent = (0..samples.len()).into_par_iter().map(sample).try_reduce(|| vec![0; open.len()], larger)?;
    let bits = |sent: &i64| u32::try_from(*sent).unwrap_or(MOST_SPIKES).max(1).ilog2() + 1;
    // From the start, because what is behind these neurons depends on how much they may send.
    let mut snn = import.snn.clone();
    for (&pop, sent) in open.iter().zip(&sent) {
        if let Model::MultiSpike(model) = &mut snn.populations[pop - added].model {
            model.most = Some(((1u32 << bits(sent).min(31)) - 1).min(MOST_SPIKES));
        }
    }
    quantise::quantise_leaky(&snn, settings).map(Measured::Enough)
}

/// Why what neurons want to send cannot be measured.
fn reason(problems: &[Problem]) -> String {
    let each = problems.iter().map(|p| match &p.node {
        Some(node) => format!("'{node}' {}", p.what),
        None => p.what.clone(),
    });
    format!("with up to {MOST_SPIKES} spikes of each neuron {}", each.collect::<Vec<_>>().join(", and "))
}

/// How many spikes neurons may send in a step, and how often that was not enough; `followed`: samples had a say in it, if there are any.
pub(super) fn decision(stages: &Stages, followed: bool) -> Option<String> {
    let several = stages.quant().populations.iter().filter_map(|p| match &p.neuron {
        Neuron::MultiSpike(multi) => Some(format!("{}: {}", p.name, multi.most)),
        _ => None,
    });
    let each: Vec<String> = several.collect();
    if each.is_empty() {
        return None;
    }
    let whence = if followed { "" } else { " (the default, not what the samples given need)" };
    let each = format!("most spikes of a neuron in a step: {}{whence}", each.join(", "));
    let held = stages.saturations().iter().map(|of| of.held_back).sum();
    Some(match (stages.calibration_images(), held) {
        (0, _) => each,
        (_, 0) => format!("{each}; on the samples given none held back more"),
        (_, held) => format!("{each}; on the samples given more was held back {} times", grouped(held)),
    })
}
