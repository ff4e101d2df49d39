//! The neurons of a core: their membranes and what a FIRE cycle does to them.

use super::leaky::LeakyNeurons;
use super::word::Word;
use crate::ir::mapped::{Core, Fire};
use crate::ir::quant::{Neuron, QuantGraph};
use crate::ir::stream::Beat;
use std::ops::Range;

/// One FIRE cycle of one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct FireCycle {
    /// 0 to `F - 1`.
    pub step: u32,
    /// `F`.
    pub steps: u32,
    /// True if this is the last phase of an image.
    pub last_phase: bool,
}

impl FireCycle {
    /// True in the group's last FIRE cycle.
    pub fn is_last(self) -> bool {
        self.step + 1 == self.steps
    }
}

/// Membranes with the parameters that firing needs; every vector has one entry per neuron.
#[derive(Clone, Debug)]
pub(super) struct Neurons {
    /// The membranes; of leaky neurons the weighted input of the phase.
    pub membranes: Vec<i64>,
    v_init: Vec<i64>,
    theta: Vec<i64>,
    bias: Vec<i64>,
    fire: Fire,
    leaky: Option<LeakyNeurons>,
}

impl Neurons {
    /// Neurons at their initial membrane.
    pub fn new(quant: &QuantGraph, core: &Core) -> Self {
        let neuron = &quant.population(core.population).neuron;
        let sized = |values: &[i64], fill: i64| {
            let mut values = values.to_vec();
            values.resize(core.neurons, fill);
            values
        };
        let (theta, bias): (&[i64], &[i64]) = match neuron {
            Neuron::If { theta, bias, .. } => (theta, bias),
            Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => (&[], &[]),
        };
        let (v_init, leaky) = match neuron {
            Neuron::Leaky(leaky) => (Vec::new(), Some(LeakyNeurons::new(leaky, |n| n))),
            _ => (neuron.v_init().to_vec(), None),
        };
        let v_init = sized(&v_init, 0);
        Neurons { membranes: v_init.clone(), v_init, theta: sized(theta, 1), bias: sized(bias, 0), fire: core.fire, leaky }
    }

    /// Every membrane back to `v_init`.
    pub fn reset(&mut self) {
        self.membranes.copy_from_slice(&self.v_init);
        if let Some(leaky) = &mut self.leaky {
            leaky.reset();
        }
    }

    /// True if the membranes are not what events are added to.
    pub fn is_leaky(&self) -> bool {
        self.leaky.is_some()
    }

    /// The membranes by the neurons' numbers.
    pub fn visible(&self, out: &mut [i64]) {
        match &self.leaky {
            Some(leaky) => out.iter_mut().enumerate().for_each(|(n, v)| *v = leaky.v(n)),
            None => out.copy_from_slice(&self.membranes),
        }
    }

    /// One FIRE cycle of the neurons `group`; what they send is appended to `word`.
    pub fn fire(&mut self, group: Range<usize>, cycle: FireCycle, word: &mut Word) {
        match self.fire {
            Fire::Count { bits, max } => {
                // The search over `bits` binary digits finds the quotient, clipped to what the digits can say; below
                // zero nothing is sent. All of it happens here in the last cycle: nobody sees the membranes before.
                if cycle.is_last() {
                    let most = ((1i64 << bits) - 1).min(i64::from(max));
                    for n in group.clone() {
                        let count = (self.membranes[n] / self.theta[n]).min(most);
                        if count > 0 {
                            word.push(Beat::event(n as u32, count));
                        }
                    }
                }
            }
            Fire::Unit { .. } => self.compare(group.clone(), word),
            Fire::Leaky => {
                // The first slots only calculate.
                if let Some(leaky) = self.leaky.as_mut().filter(|_| cycle.is_last()) {
                    for n in group.clone() {
                        if leaky.step(n, std::mem::take(&mut self.membranes[n]), cycle.last_phase) {
                            word.push(Beat::event(n as u32, 1));
                        }
                    }
                }
            }
            Fire::Relay => {
                for n in group.clone().filter(|&n| self.membranes[n] != 0) {
                    word.push(Beat::event(n as u32, self.membranes[n]));
                }
            }
            Fire::Step => {
                for n in group.clone() {
                    self.membranes[n] += self.bias[n];
                }
                self.compare(group.clone(), word);
            }
            Fire::Readout => {
                if cycle.last_phase {
                    for n in group.clone() {
                        word.push(Beat::event(n as u32, self.membranes[n]));
                    }
                }
            }
        }
        let two_phase = matches!(self.fire, Fire::Count { .. } | Fire::Unit { .. } | Fire::Relay);
        if cycle.is_last() && (two_phase || cycle.last_phase) {
            self.membranes[group.clone()].copy_from_slice(&self.v_init[group]);
        }
    }

    /// True if firing in such a phase closes with an end of phase.
    pub fn sends_end(&self, last_phase: bool) -> bool {
        last_phase || !matches!(self.fire, Fire::Readout)
    }

    fn compare(&mut self, group: Range<usize>, word: &mut Word) {
        for n in group {
            if self.membranes[n] >= self.theta[n] {
                self.membranes[n] -= self.theta[n];
                word.push(Beat::event(n as u32, 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The search of the text, digit by digit.
    fn search(mut v: i64, theta: i64, bits: u32, max: i64) -> i64 {
        let mut count = 0;
        for k in (0..bits).rev() {
            if v >= theta << k {
                v -= theta << k;
                count |= 1 << k;
            }
        }
        count.min(max)
    }

    #[test]
    fn count_is_the_search_over_binary_digits() {
        for (bits, max) in [(1, 1), (4, 15), (5, 16), (5, 17), (3, 16)] {
            for theta in 1..6 {
                let membranes: Vec<i64> = (-20..120).collect();
                let n = membranes.len();
                let fire = Fire::Count { bits, max };
                let v_init = vec![7; n];
                let (thetas, bias) = (vec![theta; n], vec![0; n]);
                let mut neurons = Neurons { membranes, v_init, theta: thetas, bias, fire, leaky: None };
                let expected: Vec<Beat> = (0..n as u32)
                    .map(|id| Beat::event(id, search(i64::from(id) - 20, theta, bits, i64::from(max))))
                    .filter(|beat| beat.value > 0)
                    .collect();
                let mut word = Word::with_lanes(n);
                for step in 0..bits {
                    assert!(!word.busy());
                    neurons.fire(0..n, FireCycle { step, steps: bits, last_phase: true }, &mut word);
                }
                assert_eq!(std::iter::from_fn(|| word.take()).collect::<Vec<_>>(), expected);
                assert!(neurons.membranes.iter().all(|&v| v == 7));
            }
        }
    }
}
