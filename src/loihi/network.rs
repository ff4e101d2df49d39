//! A converted network, evaluated by the Loihi 2 equations.
//!
//! A population of integrate-and-fire neurons becomes LIF neurons whose current lives for one step (`du = 4095`) and whose
//! voltage never leaks (`dv = 0`); an integer membrane `m` stands in the voltage register as `m << 6`, where synaptic input
//! and thresholds are aligned too. Two-phase coding takes one step that integrates, with firing switched off by the
//! highest threshold, and then `T` steps without input in which the neuron fires at `m >= theta`, that is `v > (theta-1) << 6`.
//! Rate coding takes one step per time step. Before an image the voltage is set to `v_init << 6`.
//!
//! The one departure from the published equations is the reset by subtraction ([`Reset::Subtract`]): Lava's LIF sets the
//! voltage to 0. A threshold per neuron and a change of threshold between the phases are configuration, not equations.
//!
//! Leaky populations (`leaky.rs`) take one step per time step; their integers are the registers'.
//!
//! Each population is evaluated on its own, from what its senders were observed to send, so that a population that does
//! not fit Loihi's fields does not hide the others.

use super::dense::Dense;
use super::fields::{BiasExponent, BiasMantissa, Decrement, Threshold, Voltage};
use super::leaky;
use super::lif::{ALIGN, Dynamics, Lif, Overflow, Reset, State};
use crate::error::{Error, Problem, Result};
use crate::ir::quant::{Coding, Leaky, Neuron, QuantGraph};
use crate::ir::snn::Synapses;
use crate::ir::{PopId, ProjId};

/// Largest payload of a graded spike: 24 bits, signed.
const MAX_PAYLOAD: i64 = (1 << 23) - 1;
/// Largest magnitude of a membrane, which stands `<< 6` in a voltage register.
const MAX_MEMBRANE: i64 = Voltage::MAX.get() as i64 >> ALIGN;

/// Whether a population maps onto Loihi 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The population; the source has no coverage, because it computes nothing.
    pub population: PopId,
    /// True if every field fits and no image whatsoever can overflow a register.
    pub expressible: bool,
    /// True if every field fits. If `expressible` is false nevertheless, images exist that could overflow a register; those that
    /// do not (`Response::overflows == 0`) can still be compared.
    pub fields_fit: bool,
    /// Why it is not expressible, one sentence each; empty if it is.
    pub reasons: Vec<String>,
}

/// What a population does in one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseResponse {
    /// Spikes per neuron; 0 for a readout.
    pub spikes: Vec<i64>,
    /// Membrane per neuron after the phase's last step, in the integer network's units. A readout's last ones are the logits.
    pub membranes: Vec<i64>,
}

/// What a population does for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Spikes per neuron over all phases.
    pub counts: Vec<i64>,
    /// Each phase on its own.
    pub phases: Vec<PhaseResponse>,
    /// Register overflows (a wrapped current, a clamped voltage); 0 wherever the population is expressible. If it is not 0, this
    /// image's integers need not equal the integer network's.
    pub overflows: usize,
}

impl Response {
    /// The membranes at the end of the image: the logits, if the population is the readout.
    pub fn membranes(&self) -> &[i64] {
        self.phases.last().map_or(&[], |p| p.membranes.as_slice())
    }
}

/// One population on Loihi 2.
#[derive(Debug)]
struct Plan {
    synapses: Vec<(ProjId, Dense)>,
    neurons: Vec<Compartment>,
}

/// One neuron on Loihi 2.
#[derive(Debug)]
struct Compartment {
    rest: State,
    firing: Lif,
    /// True if a clamped voltage is a departure from the integer network; leaky neurons clamp theirs too.
    clamps: bool,
}

/// An integer network on Loihi 2.
#[derive(Debug)]
pub struct Network<'a> {
    graph: &'a QuantGraph,
    plans: Vec<Option<Plan>>,
    coverage: Vec<Coverage>,
}

impl<'a> Network<'a> {
    /// Maps each population of `graph`, which must have passed its `check()`.
    pub fn new(graph: &'a QuantGraph) -> Self {
        let mut plans = vec![None];
        let mut coverage = Vec::new();
        for population in (1..graph.populations.len()).map(PopId) {
            let (plan, mut reasons) = match Plan::new(graph, population) {
                Ok(plan) => (Some(plan), Vec::new()),
                Err(reasons) => (None, reasons),
            };
            let fields_fit = plan.is_some();
            reasons.extend(overflow_risks(graph, population));
            coverage.push(Coverage { population, expressible: reasons.is_empty(), fields_fit, reasons });
            plans.push(plan);
        }
        Network { graph, plans, coverage }
    }

    /// The coverage of every population but the source, in order.
    pub fn coverage(&self) -> &[Coverage] {
        &self.coverage
    }

    /// Evaluates every population whose fields fit, for one image. `observed[phase][population]` is what each neuron sent in
    /// that phase (the sum of its payloads); delays of projections are applied here. The result has one entry per
    /// population: `None` for the source and for those whose fields do not fit.
    ///
    /// # Errors
    /// If `observed` does not have the network's phases, populations or neurons, or holds an impossible payload.
    pub fn run_image(&self, observed: &[Vec<Vec<i64>>]) -> Result<Vec<Option<Response>>> {
        let silence: Vec<Vec<i64>> = self.graph.populations.iter().map(|p| vec![0; p.shape.len()]).collect();
        let mut responses = Vec::with_capacity(self.plans.len());
        for (index, plan) in self.plans.iter().enumerate() {
            let Some(plan) = plan else {
                responses.push(None);
                continue;
            };
            let mut arrivals = Vec::with_capacity(observed.len());
            for phase in 0..observed.len() {
                let mut row = Vec::with_capacity(plan.synapses.len());
                for (id, _) in &plan.synapses {
                    let projection = &self.graph.projection(*id).projection;
                    let sent = match phase.checked_sub(projection.delay as usize) {
                        Some(earlier) => &observed[earlier],
                        None => &silence,
                    };
                    let counts = sent.get(projection.pre.0).ok_or_else(|| {
                        Error::input(format!("phase {phase} lacks the spikes of population {}", projection.pre.0))
                    })?;
                    row.push((*id, counts.as_slice()));
                }
                arrivals.push(row);
            }
            responses.push(Some(self.population_response(PopId(index), &arrivals)?));
        }
        Ok(responses)
    }

    /// Evaluates one population for one image. `arrivals[phase]` holds, for each projection into it, what *arrives* in that phase
    /// per sender: the sum of the payloads, after the projection's delay.
    ///
    /// # Errors
    /// If the population's fields do not fit, or `arrivals` does not have the network's phases, projections or senders.
    pub fn population_response(&self, population: PopId, arrivals: &[Vec<(ProjId, &[i64])>]) -> Result<Response> {
        let Some(plan) = self.plans.get(population.0).and_then(Option::as_ref) else {
            return Err(Error::input(format!("population {} does not map onto Loihi 2", population.0)));
        };
        if arrivals.len() != self.graph.phases() as usize {
            return Err(self.complain(
                population,
                format!("got {} phases of spikes, but an image has {}", arrivals.len(), self.graph.phases()),
            ));
        }
        let fires = self.graph.population(population).neuron.fires();
        let shift = match &self.graph.population(population).neuron {
            Neuron::Leaky(leaky) => leaky::shift(leaky).unwrap_or(0),
            _ => ALIGN,
        };
        let mut states: Vec<State> = plan.neurons.iter().map(|n| n.rest).collect();
        let mut response = Response { counts: vec![0; states.len()], phases: Vec::new(), overflows: 0 };
        for row in arrivals {
            let input = self.input(population, plan, row)?;
            let mut spikes = vec![0; states.len()];
            for (n, (neuron, state)) in plan.neurons.iter().zip(&mut states).enumerate() {
                let (fired, overflows) = match self.graph.coding {
                    _ if !fires => neuron.integrate(state, input[n]),
                    Coding::Rate => neuron.fire(state, input[n], 1),
                    Coding::Graded | Coding::Unit => {
                        let (_, before) = neuron.integrate(state, input[n]);
                        let (fired, after) = neuron.fire(state, 0, self.graph.timesteps);
                        (fired, before + after)
                    }
                };
                spikes[n] = fired;
                response.counts[n] += fired;
                response.overflows += overflows;
            }
            let membranes = states.iter().map(|s| i64::from(s.v.get() >> shift)).collect();
            response.phases.push(PhaseResponse { spikes, membranes });
        }
        Ok(response)
    }

    /// `a[n] = Σ w·x` over all projections.
    fn input(&self, population: PopId, plan: &Plan, row: &[(ProjId, &[i64])]) -> Result<Vec<i64>> {
        let mut input = vec![0; plan.neurons.len()];
        for (id, synapses) in &plan.synapses {
            let Some((_, x)) = row.iter().find(|(other, _)| other == id) else {
                return Err(self.complain(population, format!("got no spikes for projection {}", id.0)));
            };
            let least = self.graph.range_per_phase(self.graph.projection(*id).projection.pre).0.min(0);
            if let Some(bad) = x.iter().find(|&&x| !(least..=MAX_PAYLOAD).contains(&x)) {
                return Err(self.complain(population, format!("got the payload {bad}")));
            }
            let delivered = synapses.deliver(x).map_err(|e| self.complain(population, e.to_string()))?;
            for (sum, a) in input.iter_mut().zip(delivered) {
                *sum += a;
            }
        }
        Ok(input)
    }

    fn complain(&self, population: PopId, what: String) -> Error {
        Problem::new(what).at_node(&self.graph.population(population).name).into()
    }
}

impl Compartment {
    /// One step with firing switched off; no spikes, and the number of overflows.
    fn integrate(&self, state: &mut State, a: i64) -> (i64, usize) {
        let silent = Lif { vth: Threshold::MAX, ..self.firing };
        (0, self.overflows(silent.step(state, a).overflow))
    }

    /// `steps` steps, the first of which has input `a`; spikes and overflows.
    fn fire(&self, state: &mut State, a: i64, steps: u32) -> (i64, usize) {
        (0..steps).fold((0, 0), |(spikes, overflows), t| {
            let step = self.firing.step(state, if t == 0 { a } else { 0 });
            (spikes + i64::from(step.spike), overflows + self.overflows(step.overflow))
        })
    }

    fn overflows(&self, overflow: Overflow) -> usize {
        usize::from(overflow.wrapped || (self.clamps && overflow.clamped))
    }
}

impl Plan {
    /// Puts a population into Loihi's fields, or lists everything that does not fit.
    fn new(graph: &QuantGraph, population: PopId) -> std::result::Result<Self, Vec<String>> {
        let mut reasons = Vec::new();
        let mut synapses = Vec::new();
        for (id, p) in graph.projections_into(population) {
            let name = &p.projection.name;
            let Synapses::Dense { weight } = &p.projection.synapses else {
                reasons.push(format!("projection '{name}' is {}, not dense", p.projection.synapses.name()));
                continue;
            };
            match Dense::exact(weight.view()) {
                Ok(dense) => synapses.push((id, dense)),
                Err(why) => reasons.push(format!("projection '{name}' holds {why}")),
            }
            let payload = graph.max_payload(p.projection.pre);
            if payload > MAX_PAYLOAD {
                reasons.push(format!(
                    "projection '{name}' carries payloads up to {payload}: a graded spike holds {MAX_PAYLOAD}"
                ));
            }
        }
        let neurons = match &graph.population(population).neuron {
            Neuron::Leaky(leaky) => {
                reasons.extend(leaky::clamps_apart(graph, population, leaky));
                reasons.extend(leaky::fires_apart(graph, population, leaky));
                leaky_compartments(leaky, &mut reasons)
            }
            Neuron::MultiSpike(_) => {
                reasons.push("its neurons send several spikes in a step, which the equations do not know".into());
                Vec::new()
            }
            neuron => compartments(neuron, &mut reasons),
        };
        if reasons.is_empty() { Ok(Plan { synapses, neurons }) } else { Err(reasons) }
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

/// Registers that some image could overflow.
fn overflow_risks(graph: &QuantGraph, population: PopId) -> Vec<String> {
    let pop = graph.population(population);
    if let Neuron::Leaky(leaky) = &pop.neuron {
        return leaky::overflow_risks(graph, population, leaky);
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
        // Others are refused by `Plan::new`.
        let Synapses::Dense { weight } = &p.projection.synapses else { continue };
        let x = graph.range_per_phase(p.projection.pre);
        for (row, sum) in weight.rows().into_iter().zip(&mut input) {
            let ends = row.iter().map(|&w| (i64::from(w) * x.0, i64::from(w) * x.1));
            *sum = ends.fold(*sum, |sum, (a, b)| (sum.0 + a.min(b).min(0), sum.1 + a.max(b).max(0)));
        }
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
