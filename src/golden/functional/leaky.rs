//! Leaky neurons, step by step: the equations of [`Leaky`] as they stand there.

use crate::fixed::rtz;
use crate::ir::quant::{Leaky, Neuron, QPopulation, Reset};

/// The decay that forgets everything within a step.
const ALL: i64 = 4096;

/// Currents and membranes of one population while a sample is presented.
#[derive(Clone, Debug)]
pub(crate) struct Membranes<'a> {
    leaky: &'a Leaky,
    u: Vec<i64>,
    v: Vec<i64>,
    /// How often a membrane was clamped.
    clamped: u64,
}

/// Least and greatest partial sum of what is added up for a neuron of this population: of a membrane that keeps nothing but its
/// input, that input alone.
pub(super) fn sum_range(population: &QPopulation) -> (i64, i64) {
    match &population.neuron {
        Neuron::Leaky(leaky) => leaky.input_range,
        _ => population.range,
    }
}

impl<'a> Membranes<'a> {
    /// The state before a sample; `None` for other neurons.
    pub(crate) fn new(neuron: &'a Neuron) -> Option<Self> {
        let Neuron::Leaky(leaky) = neuron else { return None };
        Some(Membranes { leaky, u: vec![0; leaky.v_init.len()], v: leaky.v_init.clone(), clamped: 0 })
    }

    /// One time step with the weighted input `a`, which is 0 again afterwards; `sent` becomes the spikes, and stays as it is (it may be empty)
    /// if these neurons never fire.
    pub(crate) fn step(&mut self, a: &mut [i64], sent: &mut [i64]) {
        let Leaky { align, du, dv, bias, theta, reset, limits, .. } = self.leaky;
        for n in 0..self.v.len() {
            let keep = |x: i64, decay: i64| if x == 0 { 0 } else { rtz(x * (ALL - decay), 12) };
            let u = keep(self.u[n], du[n]) + (std::mem::take(&mut a[n]) << align);
            let sum = keep(self.v[n], dv[n]) + u + bias[n];
            let v = sum.clamp(limits.0, limits.1);
            self.clamped += u64::from(v != sum);
            self.u[n] = u;
            self.v[n] = v;
            if let Reset::Never = reset {
                continue;
            }
            let spike = v > theta[n];
            match reset {
                Reset::Value(value) if spike => self.v[n] = value[n],
                Reset::Subtract(by) if spike => self.v[n] -= by[n],
                _ => {}
            }
            sent[n] = i64::from(spike);
        }
    }

    /// The membranes after the last step.
    pub(crate) fn v(&self) -> &[i64] {
        &self.v
    }

    /// How often a membrane was clamped so far.
    pub(super) fn clamped(&self) -> u64 {
        self.clamped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neuron(reset: Reset) -> Neuron {
        let one = |x: i64| vec![x];
        Neuron::Leaky(Box::new(Leaky {
            align: 2,
            du: one(2048),
            dv: one(1024),
            bias: one(1),
            theta: one(20),
            reset,
            v_init: one(-3),
            limits: (-30, 30),
            current_range: (-100, 100),
            input_range: (-100, 100),
        }))
    }

    /// Worked out by hand.
    #[test]
    fn a_neuron_decays_towards_zero_clamps_and_resets() {
        let neuron = neuron(Reset::Value(vec![5]));
        let mut state = Membranes::new(&neuron).unwrap();
        let mut step = |a: i64| {
            let (mut input, mut sent) = ([a], [0]);
            state.step(&mut input, &mut sent);
            assert_eq!(input, [0]);
            (state.u[0], state.v[0], sent[0], state.clamped)
        };
        assert_eq!(step(3), (12, 11, 0, 0)); // rtz(-3·3/4) = -2; -2 + 12 + 1
        assert_eq!(step(0), (6, 15, 0, 0)); // rtz(11·3/4) = 8
        assert_eq!(step(1), (7, 19, 0, 0)); // 3 + 4; 11 + 7 + 1
        assert_eq!(step(0), (3, 18, 0, 0)); // 14 + 3 + 1
        assert_eq!(step(5), (21, 5, 1, 1)); // 13 + 21 + 1 = 35, clamped to 30
        assert_eq!(step(-9), (-26, -22, 0, 1)); // 10 - 36; 3 - 26 + 1
        assert_eq!(step(-1), (-17, -30, 0, 2)); // -13 - 4; rtz(-22·3/4) = -16; -32
    }

    #[test]
    fn without_a_threshold_only_the_membrane_goes_on() {
        let Neuron::Leaky(mut leaky) = neuron(Reset::Never) else { panic!() };
        leaky.theta.clear();
        let neuron = Neuron::Leaky(leaky);
        let mut state = Membranes::new(&neuron).unwrap();
        for (a, v) in [(3, 11), (8, 30), (0, 30), (-20, -30)] {
            // rtz(11·3/4) + 6 + 32 + 1 and what follows are beyond the limits.
            state.step(&mut [a], &mut []);
            assert_eq!(state.v(), [v]);
        }
        assert_eq!(state.clamped(), 3);
    }

    #[test]
    fn the_threshold_is_strict_and_subtraction_keeps_the_rest() {
        let neuron = neuron(Reset::Subtract(vec![20]));
        let mut state = Membranes::new(&neuron).unwrap();
        let mut sent = [7];
        for (v, after, spike) in [(19, 19, 0), (20, 20, 0), (21, 1, 1)] {
            (state.u[0], state.v[0]) = (0, 0);
            // The bias is 1, an input counts 4.
            let mut input = [5];
            state.v[0] = (v - 21) * 4 / 3;
            while rtz(state.v[0] * 3072, 12) != v - 21 {
                state.v[0] -= 1;
            }
            state.step(&mut input, &mut sent);
            assert_eq!((state.v[0], sent[0]), (after, spike), "{v}");
        }
    }
}
