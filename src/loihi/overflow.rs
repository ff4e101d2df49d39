//! What could leave Loihi 2's registers, by interval arithmetic.

use super::fields::Voltage;
use super::graded::MAX_PAYLOAD;
use super::leaky;
use super::lif::ALIGN;
use super::projection::add_reach;
use crate::ir::PopId;
use crate::ir::quant::{Neuron, QuantGraph};

/// Largest magnitude of a membrane, which stands `<< 6` in a voltage register.
pub(super) const MAX_MEMBRANE: i64 = Voltage::MAX.get() as i64 >> ALIGN;

/// Registers that some image could overflow, one sentence each.
pub(super) fn risks(graph: &QuantGraph, population: PopId) -> Vec<String> {
    let pop = graph.population(population);
    if let Neuron::Leaky(leaky) = &pop.neuron {
        return leaky::overflow_risks(graph, population, leaky);
    }
    if let Neuron::Pool { .. } = &pop.neuron {
        let wide = pop.range.1 > MAX_PAYLOAD;
        let why = || format!("sums can reach {}: a graded spike holds {MAX_PAYLOAD}", pop.range.1);
        return wide.then(why).into_iter().collect();
    }
    let mut reasons = Vec::new();
    if pop.range.0 < -MAX_MEMBRANE || pop.range.1 > MAX_MEMBRANE {
        reasons.push(format!(
            "membranes can reach {} to {}: a voltage register holds ±{MAX_MEMBRANE}",
            pop.range.0, pop.range.1
        ));
    }
    let mut input = vec![(0i64, 0i64); pop.shape.len()];
    for (_, p) in graph.projections_into(population) {
        add_reach(&p.projection.synapses, graph.range_per_phase(p.projection.pre), &mut input);
    }
    let (low, high) = input.iter().fold((0, 0), |(low, high), s| (low.min(s.0), high.max(s.1)));
    // The current register holds one value more than the voltage register, which no aligned voltage could use.
    if low < -MAX_MEMBRANE || high > MAX_MEMBRANE {
        reasons.push(format!(
            "synaptic input can reach {low} to {high} in one step: a current register holds ±{MAX_MEMBRANE}"
        ));
    }
    reasons
}
