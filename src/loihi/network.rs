//! A converted network, evaluated by the Loihi 2 equations.
//!
//! A population of integrate-and-fire neurons becomes LIF neurons whose current lives for one step (`du = 4095`) and whose
//! voltage never leaks (`dv = 0`); an integer membrane `m` stands in the voltage register as `m << 6`, where synaptic input
//! and thresholds are aligned too. Two-phase coding takes one step that integrates, with firing switched off by the
//! highest threshold, and then `T` steps without input in which the neuron fires at `m >= theta`, that is `v > (theta-1) << 6`.
//! Rate coding takes one step per time step. Before an image the voltage is set to `v_init << 6`.
//!
//! The one departure from the published equations is the reset by subtraction ([`super::lif::Reset::Subtract`]): Lava's LIF sets
//! the voltage to 0. A threshold per neuron and a change of threshold between the phases are configuration, not equations.
//!
//! Leaky populations (`leaky.rs`) take one step per time step; their integers are the registers'. Pools that add take one step a
//! phase and are no LIF (`graded.rs`).
//!
//! Each population is evaluated on its own, from what its senders were observed to send, so that a population that does
//! not fit Loihi's fields does not hide the others.

use super::graded::{self, MAX_PAYLOAD};
use super::leaky;
use super::lif::{ALIGN, State};
use super::overflow;
use super::plan::{Compartment, Neurons, Plan, Refusal};
use crate::error::{Error, Problem, Result};
use crate::ir::quant::{Coding, Neuron, QuantGraph};
use crate::ir::{PopId, ProjId};

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
    /// False if some of the weights in front of it do not fit.
    pub weights_fit: bool,
    /// Why it is not expressible, one sentence each; empty if it is.
    pub reasons: Vec<String>,
}

/// What a population does in one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseResponse {
    /// Spikes per neuron, or the payload of its graded spike; 0 for a readout.
    pub spikes: Vec<i64>,
    /// Membrane per neuron after the phase's last step, in the integer network's units. A readout's last ones are the logits.
    pub membranes: Vec<i64>,
}

/// What a population does for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Spikes per neuron over all phases; payloads count as many.
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
            let (plan, Refusal { weights, mut others }) = match Plan::new(graph, population) {
                Ok(plan) => (Some(plan), Refusal::default()),
                Err(refusal) => (None, refusal),
            };
            let (fields_fit, weights_fit) = (plan.is_some(), weights.is_empty());
            others.extend(overflow::risks(graph, population));
            let reasons = [weights, others].concat();
            coverage.push(Coverage { population, expressible: reasons.is_empty(), fields_fit, weights_fit, reasons });
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
        let mut states = plan.neurons.at_rest();
        let mut response = Response { counts: vec![0; plan.neurons.len()], phases: Vec::new(), overflows: 0 };
        for row in arrivals {
            let input = self.input(population, plan, row)?;
            let (phase, overflows) = match &plan.neurons {
                Neurons::Lif(compartments) => self.fire(population, compartments, &input, &mut states),
                Neurons::Graded(neurons) => pass_on(*neurons, &input),
            };
            response.overflows += overflows;
            response.counts.iter_mut().zip(&phase.spikes).for_each(|(count, fired)| *count += fired);
            response.phases.push(phase);
        }
        Ok(response)
    }

    /// Lets one phase's input `a` drive the neurons; what they do, and how often registers overflow.
    fn fire(
        &self,
        population: PopId,
        neurons: &[Compartment],
        a: &[i64],
        states: &mut [State],
    ) -> (PhaseResponse, usize) {
        let model = &self.graph.population(population).neuron;
        let (mut spikes, mut overflows) = (Vec::with_capacity(neurons.len()), 0);
        for ((neuron, state), &a) in neurons.iter().zip(states.iter_mut()).zip(a) {
            let (fired, overflow) = match self.graph.coding {
                _ if !model.fires() => neuron.integrate(state, a),
                Coding::Rate => neuron.fire(state, a, 1),
                Coding::Graded | Coding::Unit => {
                    let (_, before) = neuron.integrate(state, a);
                    let (fired, after) = neuron.fire(state, 0, self.graph.timesteps);
                    (fired, before + after)
                }
            };
            spikes.push(fired);
            overflows += overflow;
        }
        let shift = match model {
            Neuron::Leaky(leaky) => leaky::shift(leaky).unwrap_or(0),
            _ => ALIGN,
        };
        let membranes = states.iter().map(|s| i64::from(s.v.get() >> shift)).collect();
        (PhaseResponse { spikes, membranes }, overflows)
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

/// What neurons without dynamics do with one phase's input `a`; how many sums do not fit a spike.
fn pass_on(neurons: usize, a: &[i64]) -> (PhaseResponse, usize) {
    let sent: Vec<(i64, bool)> = a.iter().map(|&a| graded::step(a)).collect();
    let overflows = sent.iter().filter(|(_, lost)| *lost).count();
    (PhaseResponse { spikes: sent.into_iter().map(|(s, _)| s).collect(), membranes: vec![0; neurons] }, overflows)
}
