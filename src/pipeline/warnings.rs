//! What is suspicious about a design that can be built all the same.

use super::saturations::{design_saturations, saturation_warnings};
use crate::design::Design;
use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::quant::{Neuron, QuantGraph};

/// Layers that say the same whatever the image, because their weights are all zero or they never fire; those whose neurons were kept from
/// what they wanted to do; and what samples had no say in.
pub fn warnings(design: &Design) -> Vec<Problem> {
    let quant = &design.net.quant;
    let mut warnings = Vec::new();
    for (i, population) in quant.populations.iter().enumerate().skip(1) {
        let silent: Vec<&str> = quant
            .projections_into(PopId(i))
            .filter(|(_, p)| p.projection.synapses.weights().all(|&w| w == 0))
            .map(|(_, p)| p.projection.name.as_str())
            .collect();
        if fires_alone(&population.neuron) {
            // Its weights are zero on purpose: what sends to it only tells it when a step ends.
        } else if silent.len() == quant.projections_into(PopId(i)).count() {
            let what = "has integer weights that are all zero, so that it answers every image alike";
            warnings
                .push(Problem::new(what).at_node(&population.name).help("look at the trained weights of this layer"));
        } else {
            let what = "has integer weights that are all zero, so that its sender has no influence";
            let help = "look at the trained weights of this connection";
            warnings.extend(silent.into_iter().map(|name| Problem::new(what).at_node(name).help(help)));
        }
        // On random input alone, silence says nothing.
        let measured = design.origin.traffic.get(i).filter(|_| design.origin.calibration_images > 0);
        let sent = measured.map(|&(events, _)| events);
        warnings.extend(never_fires(quant, PopId(i), sent).map(|problem| problem.at_node(&population.name)));
    }
    warnings.extend(design.origin.unmeasured.as_ref().map(|reason| {
        let what = "how many spikes neurons may send in a step is the default, and not what the samples given need";
        Problem::new(format!("{what}: {reason}")).help("choose it with 'neuron-spikes-per-step'")
    }));
    let on = if design.origin.calibration_images > 0 { "on the samples given" } else { "on random input" };
    warnings.extend(saturation_warnings(design, &design_saturations(design), on));
    warnings
}

/// True for neurons that need no input.
fn fires_alone(neuron: &Neuron) -> bool {
    let (theta, bias) = match neuron {
        Neuron::If { theta, bias, .. } => (theta, bias),
        Neuron::MultiSpike(multi) => (&multi.theta, &multi.bias),
        Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => return false,
    };
    theta.iter().zip(bias).all(|(theta, bias)| bias >= theta)
}

/// `sent` is what the population sends on the calibration images.
fn never_fires(quant: &QuantGraph, pop: PopId, sent: Option<u64>) -> Option<Problem> {
    let population = quant.population(pop);
    let reach = population.range.1;
    // What recorded spikes leave silent, others may not.
    let (least, reach, sent) = match &population.neuron {
        Neuron::If { theta, .. } => (*theta.iter().min()?, reach, sent),
        Neuron::MultiSpike(multi) => (*multi.theta.iter().min()?, reach, None),
        // These fire above their thresholds, and their ranges are those of a word.
        Neuron::Leaky(leaky) => (leaky.theta.iter().min()?.saturating_add(1), quant.prove_leaky(pop)?.membrane.1, None),
        Neuron::Source | Neuron::Pool { .. } | Neuron::Readout { .. } => return None,
    };
    if reach < least {
        // A threshold at the limit of the membranes may have been lowered to it: nobody needs it any wider.
        let lowered = matches!(&population.neuron, Neuron::Leaky(leaky) if least > leaky.limits.1);
        let needs = if lowered { "its threshold is beyond that".into() } else { format!("it needs {least}") };
        let what = format!("can never fire: its membranes reach {reach} at most, and {needs}");
        return Some(Problem::new(what).help("look at the trained weights, biases and thresholds of this layer"));
    }
    (sent == Some(0)).then(|| {
        Problem::new("does not fire on any calibration image, so that what follows it never sees an event of it")
            .help("calibrate with images of the kind that the network was trained on, or look at the layer's weights")
    })
}
