//! The neurons of a core: their membranes and what a FIRE cycle does to them.
//!
//! They stand pixel by pixel, the channels of a pixel side by side: neuron `(c, y, x)` at `(y·W + x)·C + c`. On one pixel that is
//! the neuron's number.

use super::State;
use super::leaky::LeakyNeurons;
use super::word::Word;
use crate::ir::layout::{IdLayout, Place};
use crate::ir::mapped::{Core, Fire};
use crate::ir::quant::{Neuron, QuantGraph};
use crate::ir::stream::Beat;

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

/// A lane of a group whose neuron exists.
#[derive(Clone, Copy, Debug)]
struct Lane {
    /// Where the neuron stands.
    at: usize,
    /// The id that it sends.
    id: u32,
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
    /// Channels and pixels.
    extent: [usize; 2],
    /// The lanes of all groups, group after group, lowest lane first.
    lanes: Vec<Lane>,
    /// `lanes[starts[g]..starts[g + 1]]` are those of group `g`.
    starts: Vec<usize>,
    leaky: Option<LeakyNeurons>,
}

impl Neurons {
    /// Neurons at their initial membrane, whose events carry ids as `ids` says.
    pub fn new(quant: &QuantGraph, core: &Core, ids: &IdLayout) -> Self {
        let neuron = &quant.population(core.population).neuron;
        let extent = [core.extent[0], core.extent[1] * core.extent[2]];
        let stands = |n: usize| stands(n, extent);
        let sized = |values: &[i64], fill: i64| {
            let mut sorted = vec![fill; core.neurons];
            for (n, &value) in values.iter().enumerate().take(core.neurons) {
                sorted[stands(n)] = value;
            }
            sorted
        };
        let (theta, bias): (&[i64], &[i64]) = match neuron {
            Neuron::If { theta, bias, .. } => (theta, bias),
            Neuron::MultiSpike(multi) => (&multi.theta, &multi.bias),
            Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => (&[], &[]),
        };
        let grid = core.grid();
        let (mut lanes, mut starts) = (Vec::with_capacity(core.neurons), vec![0]);
        for group in 0..grid.groups() {
            let neurons = (0..grid.group_lanes()).filter_map(|lane| grid.neuron(Place { group, lane }));
            lanes.extend(neurons.map(|n| Lane { at: stands(n), id: ids.id(n) }));
            starts.push(lanes.len());
        }
        let (v_init, leaky): (&[i64], _) = match neuron {
            Neuron::Leaky(leaky) => (&[], Some(LeakyNeurons::new(leaky, stands))),
            _ => (neuron.v_init(), None),
        };
        let v_init = sized(v_init, 0);
        let membranes = v_init.clone();
        let (theta, bias) = (sized(theta, 1), sized(bias, 0));
        Neurons { membranes, v_init, theta, bias, fire: core.fire, extent, lanes, starts, leaky }
    }

    /// Every membrane back to `v_init`.
    pub fn reset(&mut self) {
        self.membranes.copy_from_slice(&self.v_init);
        if let Some(leaky) = &mut self.leaky {
            leaky.reset();
        }
    }

    /// What events are added to.
    pub fn receiving(&self) -> State {
        if self.leaky.is_some() { State::Input } else { State::Membrane }
    }

    /// The state of the neurons in the order of their numbers; what they do not have is 0.
    pub fn in_order(&self, state: State, out: &mut [i64]) {
        for (n, x) in out.iter_mut().enumerate() {
            let at = stands(n, self.extent);
            *x = match (&self.leaky, state) {
                (None, State::Membrane) | (Some(_), State::Input) => self.membranes[at],
                (Some(leaky), State::Membrane) => leaky.v(at),
                (Some(leaky), State::Current) => leaky.u(at),
                (None, State::Input | State::Current) => 0,
            };
        }
    }

    /// One FIRE cycle of group `group`; what its neurons send is appended to `word`.
    pub fn fire(&mut self, group: usize, cycle: FireCycle, word: &mut Word) {
        let Neurons { membranes, v_init, theta, bias, leaky, .. } = self;
        let lanes = &self.lanes[self.starts[group]..self.starts[group + 1]];
        match self.fire {
            Fire::Count { bits, max } => {
                // The search over `bits` binary digits finds the quotient, clipped to what the digits can say; below
                // zero nothing is sent. All of it happens here in the last cycle: nobody sees the membranes before.
                if cycle.is_last() {
                    let most = ((1i64 << bits) - 1).min(i64::from(max));
                    for lane in lanes {
                        let count = (membranes[lane.at] / theta[lane.at]).min(most);
                        if count > 0 {
                            word.push(Beat::event(lane.id, count));
                        }
                    }
                }
            }
            Fire::Unit { .. } | Fire::Step => {
                for lane in lanes {
                    let v = &mut membranes[lane.at];
                    if self.fire == Fire::Step {
                        *v += bias[lane.at];
                    }
                    if *v >= theta[lane.at] {
                        *v -= theta[lane.at];
                        word.push(Beat::event(lane.id, 1));
                    }
                }
            }
            Fire::Multi { bits, max, floor } => {
                // As with Count, nobody sees the membranes before the last cycle.
                for lane in lanes.iter().filter(|_| cycle.is_last()) {
                    let (v, theta) = (&mut membranes[lane.at], theta[lane.at]);
                    *v += bias[lane.at];
                    if floor && *v < -theta {
                        *v = -theta;
                    }
                    let mut count = 0;
                    for digit in (0..bits).rev().map(|k| 1i64 << k) {
                        if *v >= theta * digit && count + digit <= i64::from(max) {
                            *v -= theta * digit;
                            count += digit;
                        }
                    }
                    if count > 0 {
                        word.push(Beat::event(lane.id, count));
                    }
                }
            }
            Fire::Leaky | Fire::LeakyReadout => {
                // The first slots only calculate.
                if let Some(leaky) = leaky.as_mut().filter(|_| cycle.is_last()) {
                    for lane in lanes {
                        let input = std::mem::take(&mut membranes[lane.at]);
                        if let Some(value) = leaky.step(lane.at, input, cycle.last_phase) {
                            word.push(Beat::event(lane.id, value));
                        }
                    }
                }
            }
            Fire::Relay => {
                for lane in lanes.iter().filter(|lane| membranes[lane.at] != 0) {
                    word.push(Beat::event(lane.id, membranes[lane.at]));
                }
            }
            Fire::Readout => {
                if cycle.last_phase {
                    lanes.iter().for_each(|lane| word.push(Beat::event(lane.id, membranes[lane.at])));
                }
            }
        }
        let two_phase = matches!(self.fire, Fire::Count { .. } | Fire::Unit { .. } | Fire::Relay);
        if cycle.is_last() && (two_phase || cycle.last_phase) {
            lanes.iter().for_each(|lane| membranes[lane.at] = v_init[lane.at]);
        }
    }

    /// True if firing in such a phase closes with an end of phase.
    pub fn sends_end(&self, last_phase: bool) -> bool {
        last_phase || !matches!(self.fire, Fire::Readout | Fire::LeakyReadout)
    }
}

/// Where neuron `n` of `[channels, pixels]` stands.
fn stands(n: usize, [channels, pixels]: [usize; 2]) -> usize {
    n % pixels * channels + n / pixels
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
                let lanes = (0..n).map(|at| Lane { at, id: at as u32 }).collect();
                let (theta_of, bias, extent, starts) = (vec![theta; n], vec![0; n], [n, 1], vec![0, n]);
                let mut neurons =
                    Neurons { membranes, v_init, theta: theta_of, bias, fire, extent, lanes, starts, leaky: None };
                let expected: Vec<Beat> = (0..n as u32)
                    .map(|id| Beat::event(id, search(i64::from(id) - 20, theta, bits, i64::from(max))))
                    .filter(|beat| beat.value > 0)
                    .collect();
                let mut word = Word::with_lanes(n);
                for step in 0..bits {
                    assert!(!word.busy());
                    neurons.fire(0, FireCycle { step, steps: bits, last_phase: true }, &mut word);
                }
                assert_eq!(std::iter::from_fn(|| word.take()).collect::<Vec<_>>(), expected);
                assert!(neurons.membranes.iter().all(|&v| v == 7));
            }
        }
    }
}
