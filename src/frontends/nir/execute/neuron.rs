//! The neuron models, in double precision.

use super::param::Param;
use crate::frontends::nir::convention::TwoPhase;

/// A population of neurons.
#[derive(Clone, Debug)]
pub(super) struct Neuron {
    /// CubaLI and CubaLIF: the input goes through a synaptic current.
    pub synapse: Option<Synapse>,
    pub membrane: Membrane,
    /// Least and greatest membrane before it is compared.
    pub limits: Option<(f64, f64)>,
    /// None: the membrane itself is the output.
    pub fire: Option<Fire>,
    /// The membrane before the first step.
    pub start: Param,
}

/// How the input changes the synaptic current.
#[derive(Clone, Debug)]
pub(super) enum Synapse {
    /// `u += rate·(leak + w_in·x − u)`, with `rate = dt/τ_syn`.
    Leak {
        rate: Param,
        leak: Param,
        w_in: Param,
    },
    Whole(Whole),
}

/// How a current changes the membrane.
#[derive(Clone, Debug)]
pub(super) enum Membrane {
    /// `v += rate·(leak − v + r·u)`, with `rate = dt/τ`.
    Leak {
        rate: Param,
        leak: Param,
        r: Param,
    },
    /// `v = keep·v + gain·u`.
    Decay {
        keep: Param,
        gain: Param,
    },
    Whole(Whole),
}

/// A state of whole numbers, `s = trunc(keep·s / 4096) + gain·x + add`.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub keep: Param,
    pub gain: Param,
    pub add: Param,
}

impl Whole {
    /// What `s += rate·(leak + gain·x − s)` is in whole numbers.
    pub fn of(rate: &Param, leak: &Param, gain: &Param) -> Whole {
        let scaled = |by: &Param| rate.zip(by, |rate, by| (rate * by).round());
        Whole { keep: rate.clone().map(|rate| (4096.0 * (1.0 - rate)).round()), gain: scaled(gain), add: scaled(leak) }
    }

    /// One step of neuron `i`.
    #[inline]
    fn step(&self, i: usize, state: f64, x: f64) -> f64 {
        // The product is a whole number; dividing it by a power of two loses nothing.
        (self.keep.at(i) * state / 4096.0).trunc() + self.gain.at(i) * x + self.add.at(i)
    }
}

/// When a membrane fires, and what becomes of it.
#[derive(Clone, Debug)]
pub(super) struct Fire {
    pub theta: Param,
    /// Fires at `v ≥ θ`; else at `v > θ`.
    pub at_threshold: bool,
    pub reset: Reset,
    /// As often in one step as the threshold fits, up to so many times; by subtraction. None: once.
    pub many: Option<f64>,
    /// The membrane never stays below.
    pub floor: Option<Param>,
    pub two_phase: Option<TwoPhase>,
}

/// What a spike does to the membrane.
#[derive(Clone, Debug)]
pub(super) enum Reset {
    /// `v = value`.
    To(Param),
    /// `v −= θ`.
    Subtract,
    /// `v −= value`.
    SubtractOther(Param),
}

/// Membranes and synaptic currents.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub v: Vec<f64>,
    /// Empty without synapses.
    u: Vec<f64>,
}

impl Neuron {
    /// The state before the first step.
    pub fn state(&self, neurons: usize) -> State {
        let u = if self.synapse.is_some() { vec![0.0; neurons] } else { Vec::new() };
        State { v: (0..neurons).map(|i| self.start.at(i)).collect(), u }
    }

    /// One step with the input `x`. Neurons that fire in a second phase only integrate.
    pub fn step(&self, state: &mut State, x: &[f64], y: &mut [f64]) {
        self.integrate(state, x);
        match &self.fire {
            None => y.copy_from_slice(&state.v),
            Some(fire) if fire.two_phase.is_some() => {}
            Some(fire) => {
                for (i, (v, y)) in state.v.iter_mut().zip(y).enumerate() {
                    *y = fire.spikes(i, v);
                }
            }
        }
    }

    fn integrate(&self, state: &mut State, x: &[f64]) {
        let current = match &self.synapse {
            None => x,
            Some(Synapse::Leak { rate, leak, w_in }) => {
                for (i, (u, x)) in state.u.iter_mut().zip(x).enumerate() {
                    *u += rate.at(i) * (leak.at(i) - *u + w_in.at(i) * x);
                }
                &state.u
            }
            Some(Synapse::Whole(whole)) => {
                for (i, (u, x)) in state.u.iter_mut().zip(x).enumerate() {
                    *u = whole.step(i, *u, *x);
                }
                &state.u
            }
        };
        let membranes = state.v.iter_mut().zip(current).enumerate();
        match &self.membrane {
            Membrane::Leak { rate, leak, r } => {
                for (i, (v, u)) in membranes {
                    *v += rate.at(i) * (leak.at(i) - *v + r.at(i) * u);
                }
            }
            Membrane::Decay { keep, gain } => {
                for (i, (v, u)) in membranes {
                    *v = keep.at(i) * *v + gain.at(i) * u;
                }
            }
            Membrane::Whole(whole) => {
                for (i, (v, u)) in membranes {
                    *v = whole.step(i, *v, *u);
                }
            }
        }
        if let Some((low, high)) = self.limits {
            state.v.iter_mut().for_each(|v| *v = v.clamp(low, high));
        }
    }

    /// The second phase of a two-phase population: `rows` rows of spikes, one after the other.
    pub fn fire_all(&self, state: &mut State, rows: usize, y: &mut [f64]) {
        let Some((fire, two_phase)) = self.fire.as_ref().and_then(|fire| Some((fire, fire.two_phase?))) else { return };
        let neurons = state.v.len();
        y.fill(0.0);
        for (i, v) in state.v.iter_mut().enumerate() {
            let count = fire.count(i, *v, f64::from(two_phase.levels));
            *v -= count * fire.theta.at(i);
            if two_phase.graded {
                y[i] = count;
            } else {
                let unit = y.iter_mut().skip(i).step_by(neurons).take(rows);
                unit.take(count as usize).for_each(|y| *y = 1.0);
            }
        }
    }
}

impl Fire {
    fn fires(&self, v: f64, theta: f64) -> bool {
        if self.at_threshold { v >= theta } else { v > theta }
    }

    /// The spikes of one step.
    fn spikes(&self, i: usize, v: &mut f64) -> f64 {
        let theta = self.theta.at(i);
        let mut spikes = 0.0;
        if self.fires(*v, theta) {
            spikes = self.many.map_or(1.0, |most| self.count(i, *v, most));
            match &self.reset {
                Reset::To(value) => *v = value.at(i),
                Reset::Subtract => *v -= spikes * theta,
                Reset::SubtractOther(value) => *v -= value.at(i),
            }
        }
        if let Some(floor) = &self.floor {
            *v = v.max(floor.at(i));
        }
        spikes
    }

    /// How often `v` fires if every spike subtracts the threshold, at most `most` times. The threshold is positive.
    fn count(&self, i: usize, v: f64, most: f64) -> f64 {
        let theta = self.theta.at(i);
        let mut count = (v / theta).floor().clamp(0.0, most);
        // The quotient is rounded, and a strict comparison refuses the last spike of a whole multiple.
        if count > 0.0 && !self.fires(v - (count - 1.0) * theta, theta) {
            count -= 1.0;
        } else if count < most && self.fires(v - count * theta, theta) {
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fire(at_threshold: bool) -> Fire {
        let (reset, theta) = (Reset::Subtract, Param::One(3.0));
        Fire { theta, at_threshold, reset, many: Some(f64::MAX), floor: None, two_phase: None }
    }

    #[test]
    fn counts_are_what_repeated_subtraction_gives() {
        for at_threshold in [true, false] {
            for v in -7..40 {
                let (fire, v) = (fire(at_threshold), f64::from(v));
                let (mut rest, mut expected) = (v, 0.0);
                while fire.fires(rest, 3.0) && expected < 8.0 {
                    rest -= 3.0;
                    expected += 1.0;
                }
                assert_eq!(fire.count(0, v, 8.0), expected, "{v}");
            }
        }
    }

    #[test]
    fn a_strict_threshold_is_not_reached_by_its_own_value() {
        let spikes = |at_threshold, mut v: f64| (fire(at_threshold).spikes(0, &mut v), v);
        assert_eq!(spikes(false, 3.0), (0.0, 3.0));
        assert_eq!(spikes(true, 3.0), (1.0, 0.0));
        assert_eq!(spikes(false, 7.0), (2.0, 1.0));
    }
}
