//! Leaky neurons: what the end of a phase does to one of them, as `ir/quant.rs` has it.

use crate::ir::quant::{Leaky, Reset};

/// The decays' denominator.
const ONE: i128 = 1 << 12;

/// State and parameters of one neuron, apart from what it is sent in the phase.
#[derive(Clone, Copy, Debug, Default)]
struct Neuron {
    v: i64,
    u: i64,
    v_init: i64,
    du: i64,
    dv: i64,
    bias: i64,
    theta: i64,
    /// What a spike leaves, or takes.
    reset: i64,
}

/// The leaky neurons of a core.
#[derive(Clone, Debug)]
pub(super) struct LeakyNeurons {
    neurons: Vec<Neuron>,
    align: u32,
    limits: (i64, i64),
    after: After,
}

/// What becomes of a membrane above the threshold.
#[derive(Clone, Copy, Debug)]
enum After {
    /// It loses `reset`.
    Subtract,
    /// It becomes `reset`.
    Set,
    /// There is no threshold.
    Readout,
}

impl LeakyNeurons {
    /// Neurons as they are before an image; neuron `n` is kept at place `stands(n)`.
    pub fn new(leaky: &Leaky, stands: impl Fn(usize) -> usize) -> Self {
        let of = |values: &[i64], n: usize| values.get(n).copied().unwrap_or(0);
        let mut neurons = vec![Neuron::default(); leaky.v_init.len()];
        for n in 0..neurons.len() {
            neurons[stands(n)] = Neuron {
                v: leaky.v_init[n],
                u: 0,
                v_init: leaky.v_init[n],
                du: of(&leaky.du, n),
                dv: of(&leaky.dv, n),
                bias: of(&leaky.bias, n),
                theta: of(&leaky.theta, n),
                reset: of(leaky.reset.by(), n),
            };
        }
        let after = match leaky.reset {
            Reset::Subtract(_) => After::Subtract,
            Reset::Value(_) => After::Set,
            Reset::Never => After::Readout,
        };
        LeakyNeurons { neurons, align: leaky.align, limits: leaky.limits, after }
    }

    /// The membrane of the neuron at place `at`.
    pub fn v(&self, at: usize) -> i64 {
        self.neurons[at].v
    }

    /// The current of the neuron at place `at`.
    pub fn u(&self, at: usize) -> i64 {
        self.neurons[at].u
    }

    /// Every neuron as before an image.
    pub fn reset(&mut self) {
        self.neurons.iter_mut().for_each(Neuron::rest);
    }

    /// The end of a phase that sent the neuron at place `at` the weighted input `a`; what it sends, if anything: 1 for a spike, a readout its
    /// membrane at the end of the last phase.
    pub fn step(&mut self, at: usize, a: i64, last_phase: bool) -> Option<i64> {
        let (align, limits, after) = (self.align, self.limits, self.after);
        let neuron = &mut self.neurons[at];
        // In 128 bits nothing can leave, whatever the widths of the network. Division rounds towards zero.
        let u = i128::from(neuron.u) * (ONE - i128::from(neuron.du)) / ONE + (i128::from(a) << align);
        let v = i128::from(neuron.v) * (ONE - i128::from(neuron.dv)) / ONE + u + i128::from(neuron.bias);
        let v = v.max(limits.0.into()).min(limits.1.into());
        let above = v > i128::from(neuron.theta);
        let (sends, left) = match after {
            After::Readout => (last_phase.then_some(v), v),
            After::Subtract if above => (Some(1), v - i128::from(neuron.reset)),
            After::Set if above => (Some(1), neuron.reset.into()),
            After::Subtract | After::Set => (None, v),
        };
        // The proofs in the network bound both.
        (neuron.u, neuron.v) = (u as i64, left as i64);
        if last_phase {
            neuron.rest();
        }
        sends.map(|value| value as i64)
    }
}

impl Neuron {
    fn rest(&mut self) {
        (self.u, self.v) = (0, self.v_init);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two neurons, one after the other in memory as `stands` says.
    fn leaky(reset: Reset) -> Leaky {
        Leaky {
            align: 1,
            du: vec![2048, 4096],
            dv: vec![1024, 0],
            bias: vec![1, 0],
            theta: vec![50, 7],
            reset,
            v_init: vec![-5, 3],
            limits: (-60, 100),
            current_range: (-1000, 1000),
            input_range: (-500, 500),
        }
    }

    #[test]
    fn decays_add_and_clamp_as_the_equations_say() {
        let mut neurons = LeakyNeurons::new(&leaky(Reset::Value(vec![-1, -2])), |n| 1 - n);
        // u = 2·7 = 14; v = rtz(-5·0.75) + 14 + 1 = -3 + 15.
        assert_eq!(neurons.step(1, 7, false), None);
        assert_eq!((neurons.neurons[1].u, neurons.v(1)), (14, 12));
        // u = 7 + 2·-50; v = 9 - 93 + 1, clamped.
        assert_eq!(neurons.step(1, -50, false), None);
        assert_eq!((neurons.neurons[1].u, neurons.v(1)), (-93, -60));
        // u = -46 + 2·92 = 138; v = -45 + 138 + 1 = 94: a spike, the current stays.
        assert_eq!(neurons.step(1, 92, false), Some(1));
        assert_eq!((neurons.neurons[1].u, neurons.v(1)), (138, -1));
        // No current is kept, the threshold is strict.
        assert_eq!(neurons.step(0, 2, false), None);
        assert_eq!((neurons.neurons[0].u, neurons.v(0)), (4, 7));
        assert_eq!(neurons.step(0, 1, true), Some(1));
        assert_eq!((neurons.neurons[0].u, neurons.v(0)), (0, 3), "the image is over");
    }

    #[test]
    fn subtraction_takes_from_the_clamped_membrane() {
        let mut neurons = LeakyNeurons::new(&leaky(Reset::Subtract(vec![51, 8])), |n| n);
        assert_eq!(neurons.step(0, 400, false), Some(1));
        assert_eq!(neurons.v(0), 49);
        neurons.reset();
        assert_eq!((neurons.neurons[0].u, neurons.v(0)), (0, -5));
    }

    #[test]
    fn a_readout_sends_its_membrane_once_and_keeps_it_until_then() {
        let mut neurons = LeakyNeurons::new(&Leaky { theta: vec![], ..leaky(Reset::Never) }, |n| n);
        // u = 184; v = rtz(-5·0.75) + 184 + 1, clamped.
        assert_eq!(neurons.step(0, 92, false), None);
        assert_eq!((neurons.neurons[0].u, neurons.v(0)), (184, 100));
        // u = 92 - 2·80; v = 75 - 68 + 1.
        assert_eq!(neurons.step(0, -80, true), Some(8));
        assert_eq!((neurons.neurons[0].u, neurons.v(0)), (0, -5), "the image is over");
    }
}
