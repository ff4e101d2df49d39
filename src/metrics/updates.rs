//! Membranes that change from one time step to the next.

use super::wiring::Wiring;
use crate::golden::functional::{Membranes, fire_multi};
use crate::ir::PopId;
use crate::ir::quant::{Input as Presented, MultiSpike, Neuron, QuantGraph};

/// Counts the membrane updates of a network in rate coding.
#[derive(Clone, Debug)]
pub(super) struct Updates {
    populations: Vec<Population>,
}

#[derive(Clone, Debug)]
struct Population {
    index: usize,
    neuron: Neuron,
    neurons: usize,
    /// Projections from the source without delay: they add the same in every phase.
    constant: Vec<Input>,
    varying: Vec<Input>,
}

#[derive(Clone, Debug)]
struct Input {
    pre: usize,
    delay: usize,
    wiring: Wiring,
}

impl Updates {
    pub(super) fn new(net: &QuantGraph) -> Updates {
        let population = |index: usize| {
            let inputs = net.projections_into(PopId(index)).map(|(_, p)| &p.projection);
            let (constant, varying) = inputs
                .map(|p| Input { pre: p.pre.0, delay: p.delay as usize, wiring: Wiring::new(&p.synapses) })
                .partition(|i: &Input| i.pre == 0 && i.delay == 0 && net.input == Presented::Constant);
            let p = &net.populations[index];
            Population { index, neuron: p.neuron.clone(), neurons: p.shape.len(), constant, varying }
        };
        Updates { populations: (0..net.populations.len()).map(population).collect() }
    }

    /// Membranes that change in the phases of one image after the first, per population; `phases` are the payloads that
    /// were sent (`[phase][population][neuron]`).
    pub(super) fn later(&self, phases: &[Vec<Vec<i64>>]) -> Vec<u64> {
        self.populations.iter().map(|p| p.later(phases)).collect()
    }
}

impl Population {
    fn later(&self, phases: &[Vec<Vec<i64>>]) -> u64 {
        let mut same = match &self.neuron {
            Neuron::Source | Neuron::Pool { .. } => return 0,
            Neuron::If { bias, .. } => bias.clone(),
            Neuron::Leaky(_) => return self.later_leaky(phases),
            Neuron::MultiSpike(neurons) => return self.later_multi(neurons, phases),
            Neuron::Readout { .. } => vec![0; self.neurons],
        };
        if let Some(first) = phases.first() {
            self.constant.iter().for_each(|input| input.wiring.add(&first[input.pre], &mut same));
        }
        let mut changed = 0;
        for (t, sent) in phases.iter().enumerate().skip(1) {
            let mut change = same.clone();
            for input in &self.varying {
                if let Some(x) = t.checked_sub(input.delay).and_then(|t| phases.get(t)) {
                    input.wiring.add(&x[input.pre], &mut change);
                }
            }
            // The membranes themselves are not needed: what a neuron loses when it fires is known.
            if let Neuron::If { theta, .. } = &self.neuron {
                let fired = sent[self.index].iter().zip(theta);
                change.iter_mut().zip(fired).for_each(|(change, (spikes, theta))| *change -= spikes * theta);
            }
            changed += change.iter().filter(|change| **change != 0).count() as u64;
        }
        changed
    }

    /// A leaky membrane changes by what it was, so it has to be followed.
    fn later_leaky(&self, phases: &[Vec<Vec<i64>>]) -> u64 {
        let Some(mut state) = Membranes::new(&self.neuron) else { return 0 };
        let (mut sent, mut before) = (vec![0; self.neurons], state.v().to_vec());
        let mut changed = 0;
        for t in 0..phases.len() {
            let mut a = vec![0; self.neurons];
            self.arrive(phases, t, &mut a);
            state.step(&mut a, &mut sent);
            if t > 0 {
                changed += state.v().iter().zip(&before).filter(|(v, before)| v != before).count() as u64;
            }
            before.copy_from_slice(state.v());
        }
        changed
    }

    /// Nor is it known what a membrane with a floor loses.
    fn later_multi(&self, neurons: &MultiSpike, phases: &[Vec<Vec<i64>>]) -> u64 {
        let (mut v, mut sent) = (neurons.v_init.clone(), vec![0; self.neurons]);
        let mut changed = 0;
        for t in 0..phases.len() {
            let before = v.clone();
            self.arrive(phases, t, &mut v);
            v.iter_mut().zip(&neurons.bias).for_each(|(v, bias)| *v += bias);
            fire_multi(neurons, &mut v, &mut sent);
            if t > 0 {
                changed += v.iter().zip(&before).filter(|(v, before)| v != before).count() as u64;
            }
        }
        changed
    }

    /// Adds what arrives in phase `t` to `sums`.
    fn arrive(&self, phases: &[Vec<Vec<i64>>], t: usize, sums: &mut [i64]) {
        for input in self.constant.iter().chain(&self.varying) {
            if let Some(x) = t.checked_sub(input.delay).and_then(|t| phases.get(t)) {
                input.wiring.add(&x[input.pre], sums);
            }
        }
    }
}
