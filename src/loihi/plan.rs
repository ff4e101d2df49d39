//! A population in Loihi 2's fields, or everything that does not fit.

use super::fields::{BiasExponent, BiasMantissa, Decrement, Threshold};
use super::graded::MAX_PAYLOAD;
use super::leaky;
use super::lif::{ALIGN, Dynamics, Lif, Overflow, Reset, State};
use super::overflow::MAX_MEMBRANE;
use super::projection::Delivery;
use crate::ir::quant::{Combine, Leaky, Neuron, QuantGraph};
use crate::ir::{PopId, ProjId};

/// One population on Loihi 2.
#[derive(Debug)]
pub(super) struct Plan {
    /// The projections into it.
    pub synapses: Vec<(ProjId, Delivery)>,
    /// What its neurons are.
    pub neurons: Neurons,
}

/// The neurons of a population.
#[derive(Debug)]
pub(super) enum Neurons {
    /// One register set each.
    Lif(Vec<Compartment>),
    /// So many that pass on what they receive, `graded.rs`.
    Graded(usize),
}

/// One neuron on Loihi 2.
#[derive(Debug)]
pub(super) struct Compartment {
    /// The registers before an image.
    pub rest: State,
    /// Its parameters.
    pub firing: Lif,
    /// True if a clamped voltage is a departure from the integer network; leaky neurons clamp theirs too.
    clamps: bool,
}

impl Compartment {
    /// One step with firing switched off; no spikes, and the number of overflows.
    pub fn integrate(&self, state: &mut State, a: i64) -> (i64, usize) {
        let silent = Lif { vth: Threshold::MAX, ..self.firing };
        (0, self.overflows(silent.step(state, a).overflow))
    }

    /// `steps` steps, the first of which has input `a`; spikes and overflows.
    pub fn fire(&self, state: &mut State, a: i64, steps: u32) -> (i64, usize) {
        (0..steps).fold((0, 0), |(spikes, overflows), t| {
            let step = self.firing.step(state, if t == 0 { a } else { 0 });
            (spikes + i64::from(step.spike), overflows + self.overflows(step.overflow))
        })
    }

    fn overflows(&self, overflow: Overflow) -> usize {
        usize::from(overflow.wrapped || (self.clamps && overflow.clamped))
    }
}

impl Neurons {
    /// The registers before an image; none of neurons that keep nothing.
    pub fn at_rest(&self) -> Vec<State> {
        match self {
            Neurons::Lif(compartments) => compartments.iter().map(|n| n.rest).collect(),
            Neurons::Graded(_) => Vec::new(),
        }
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        match self {
            Neurons::Lif(compartments) => compartments.len(),
            Neurons::Graded(neurons) => *neurons,
        }
    }
}

/// Everything of a population that does not fit, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// Weights in front of it.
    pub weights: Vec<String>,
    /// The rest.
    pub others: Vec<String>,
}

impl Plan {
    /// Puts a population into Loihi's fields, or lists everything that does not fit.
    pub fn new(graph: &QuantGraph, population: PopId) -> Result<Self, Refusal> {
        let (mut weights, mut reasons) = (Vec::new(), Vec::new());
        let mut synapses = Vec::new();
        for (id, p) in graph.projections_into(population) {
            let name = &p.projection.name;
            match Delivery::exact(&p.projection.synapses) {
                Ok(delivery) => synapses.push((id, delivery)),
                Err(why) => weights.push(format!("projection '{name}' {why}")),
            }
            let payload = graph.max_payload(p.projection.pre);
            if payload > MAX_PAYLOAD {
                reasons.push(format!(
                    "projection '{name}' carries payloads up to {payload}: a graded spike holds {MAX_PAYLOAD}"
                ));
            }
        }
        let pop = graph.population(population);
        let neurons = match &pop.neuron {
            Neuron::Leaky(leaky) => {
                reasons.extend(leaky::clamps_apart(graph, population, leaky));
                reasons.extend(leaky::fires_apart(graph, population, leaky));
                Neurons::Lif(leaky_compartments(leaky, &mut reasons))
            }
            Neuron::MultiSpike(_) => {
                reasons.push("its neurons send several spikes in a step, which the equations do not know".into());
                Neurons::Lif(Vec::new())
            }
            Neuron::Pool { combine: Combine::Max, .. } => {
                reasons.push("it takes the largest of its inputs: Loihi 2's synapses add".into());
                Neurons::Graded(0)
            }
            Neuron::Pool { combine: Combine::Sum, .. } => Neurons::Graded(pop.shape.len()),
            neuron => Neurons::Lif(compartments(neuron, &mut reasons)),
        };
        let fits = weights.is_empty() && reasons.is_empty();
        if fits { Ok(Plan { synapses, neurons }) } else { Err(Refusal { weights, others: reasons }) }
    }
}

/// The neurons of a leaky population; those that do not fit are left out, and the first of them is named.
fn leaky_compartments(leaky: &Leaky, reasons: &mut Vec<String>) -> Vec<Compartment> {
    let mut neurons = Vec::with_capacity(leaky.v_init.len());
    let mut bad = FirstOf::default();
    for n in 0..leaky.v_init.len() {
        match leaky::registers(leaky, n) {
            Ok((rest, firing)) => neurons.push(Compartment { rest, firing, clamps: false }),
            Err(why) => bad.note(0, n, || why),
        }
    }
    reasons.extend(bad.into_reasons());
    neurons
}

/// The neurons of a population; those that do not fit are left out and named in `reasons`, the first of each kind.
fn compartments(neuron: &Neuron, reasons: &mut Vec<String>) -> Vec<Compartment> {
    let mut neurons = Vec::new();
    let mut bad = FirstOf::default();
    for (n, &v_init) in neuron.v_init().iter().enumerate() {
        let v = v_init.checked_mul(1 << ALIGN).and_then(|v| State::new(0, v).ok());
        if v.is_none() {
            bad.note(0, n, || format!("starts at membrane {v_init}: a voltage register holds ±{MAX_MEMBRANE}"));
        }
        let firing = match neuron {
            Neuron::If { theta, bias, .. } => {
                let (theta, bias) = (theta.get(n).copied().unwrap_or(0), bias.get(n).copied().unwrap_or(0));
                let threshold = threshold(theta);
                if threshold.is_none() {
                    bad.note(1, n, || {
                        format!("has threshold {theta}: vth = theta - 1 holds 0 to {}", Threshold::MAX.get())
                    });
                }
                let split = split_bias(bias);
                if split.is_none() {
                    bad.note(2, n, || format!("has bias {bias} per step, which no mantissa << exponent equals"));
                }
                threshold.zip(split).map(|((vth, decrement), (bias_mantissa, bias_exponent))| Lif {
                    dynamics: Dynamics { bias_mantissa, bias_exponent, ..Dynamics::integrator() },
                    vth,
                    reset: Reset::Subtract(decrement),
                })
            }
            Neuron::Source
            | Neuron::Pool { .. }
            | Neuron::Leaky(_)
            | Neuron::MultiSpike(_)
            | Neuron::Readout { .. } => {
                Some(Lif { dynamics: Dynamics::integrator(), vth: Threshold::MAX, reset: Reset::Zero })
            }
        };
        neurons.extend(v.zip(firing).map(|(rest, firing)| Compartment { rest, firing, clamps: true }));
    }
    reasons.extend(bad.into_reasons());
    neurons
}

/// The first example of each of three kinds of misfit, and how many there are.
#[derive(Default)]
struct FirstOf([Option<(usize, String, usize)>; 3]);

impl FirstOf {
    fn note(&mut self, kind: usize, neuron: usize, what: impl FnOnce() -> String) {
        match &mut self.0[kind] {
            Some((.., count)) => *count += 1,
            slot => *slot = Some((neuron, what(), 1)),
        }
    }

    fn into_reasons(self) -> impl Iterator<Item = String> {
        self.0.into_iter().flatten().map(|(neuron, what, count)| match count {
            1 => format!("neuron {neuron} {what}"),
            _ => format!("neuron {neuron} (and {} more) {what}", count - 1),
        })
    }
}

/// `vth` and the reset's decrement for a neuron that fires at membranes of at least `theta`.
fn threshold(theta: i64) -> Option<(Threshold, Decrement)> {
    let vth = Threshold::new(theta.checked_sub(1)?).ok()?;
    Some((vth, Decrement::new(theta.checked_mul(1 << ALIGN)?).ok()?))
}

/// Mantissa and exponent that equal `bias << 6`, if there are any.
fn split_bias(bias: i64) -> Option<(BiasMantissa, BiasExponent)> {
    let exponent = |e: u32| BiasExponent::new(i64::from(e)).ok();
    match BiasMantissa::new(bias) {
        Ok(mantissa) => Some((mantissa, exponent(ALIGN)?)),
        Err(_) if bias % 2 == 0 => Some((BiasMantissa::new(bias / 2).ok()?, exponent(ALIGN + 1)?)),
        Err(_) => None,
    }
}
