//! Leaky neurons in float.

use std::fmt::Write;

/// One form for NIR's I, IF, LI, LIF, CubaLI and CubaLIF, discretised. With `a` the weighted input of a time step it does
/// ```text
/// u' = keep_current·u + gain·a + current
/// v' = keep·v + u' + bias                                  bias: the population's
/// s  = v' > theta   (or v' >= theta);   v = s ? reset : v'
/// ```
/// `u` is 0 before the first step. Vectors have one entry per neuron. With [`FloatReset::Never`] nothing fires: the population is the
/// network's readout, and its membranes after the last step are the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct LeakyModel {
    /// Share of the synaptic current that is kept from step to step, 0 to 1; 0 for neurons without one.
    pub keep_current: Vec<f64>,
    /// Share of the membrane that is kept from step to step, 0 to 1.
    pub keep: Vec<f64>,
    /// What one unit of weighted input adds to the current; above 0.
    pub gain: Vec<f64>,
    /// Added to the current in every step; 0 where no current is kept, because the bias does the same there.
    pub current: Vec<f64>,
    /// Threshold; infinite for neurons that their input never lets fire, empty with [`FloatReset::Never`].
    pub theta: Vec<f64>,
    /// Fires at `v' >= theta`, else at `v' > theta`.
    pub at_threshold: bool,
    /// What a spike leaves of the membrane.
    pub reset: FloatReset,
    /// Membrane before the first step.
    pub v_init: Vec<f64>,
}

/// Says whether a value of a parameter can be computed with.
type Check<'a> = &'a dyn Fn(f64) -> bool;

/// What a spike leaves of a [`LeakyModel`]'s membrane.
#[derive(Clone, Debug, PartialEq)]
pub enum FloatReset {
    /// This value, one per neuron.
    Value(Vec<f64>),
    /// What it was, less the threshold.
    Subtract,
    /// Nothing ever fires: the population is the readout.
    Never,
}

impl LeakyModel {
    /// False for a readout, whose membranes are the answer.
    pub fn fires(&self) -> bool {
        self.reset != FloatReset::Never
    }

    /// What is wrong with the parameters of `n` neurons, in words that continue "the population".
    pub(super) fn problems(&self, n: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let nothing = Vec::new();
        let reset = match &self.reset {
            FloatReset::Value(value) => value,
            FloatReset::Subtract | FloatReset::Never => &nothing,
        };
        let share = |x: f64| (0.0..=1.0).contains(&x);
        let vectors: [(&str, &[f64], Check); 7] = [
            ("share of the current that is kept", &self.keep_current, &share),
            ("share of the membrane that is kept", &self.keep, &share),
            ("gain", &self.gain, &|x| x.is_finite() && x > 0.0),
            ("constant current", &self.current, &f64::is_finite),
            ("threshold", &self.theta, &|x| !x.is_nan() && x > f64::NEG_INFINITY),
            ("reset value", reset, &f64::is_finite),
            ("membrane before the first step", &self.v_init, &f64::is_finite),
        ];
        for (what, values, fine) in vectors {
            let expected = match (what, &self.reset) {
                ("reset value", FloatReset::Subtract) | ("reset value" | "threshold", FloatReset::Never) => 0,
                _ => n,
            };
            if values.len() != expected {
                problems.push(format!("has {} values of '{what}' for {n} neurons", values.len()));
            } else if let Some((i, x)) = values.iter().enumerate().find(|(_, x)| !fine(**x)) {
                problems.push(format!("has a {what} of {x} (neuron {i})"));
            }
        }
        problems
    }

    /// One line of a dump: the range of every parameter.
    pub(super) fn dump(&self) -> String {
        let mut text = String::from("Leaky");
        let mut range = |name: &str, values: &[f64]| {
            let (min, max) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
            let _ = if min == max { write!(text, " {name}={min}") } else { write!(text, " {name}={min}..={max}") };
        };
        range("keep_current", &self.keep_current);
        range("keep", &self.keep);
        range("gain", &self.gain);
        range("current", &self.current);
        if self.fires() {
            range(if self.at_threshold { "theta(>=)" } else { "theta(>)" }, &self.theta);
        }
        match &self.reset {
            FloatReset::Value(value) => range("reset", value),
            FloatReset::Subtract => text.push_str(" reset=subtract"),
            FloatReset::Never => text.push_str(" readout"),
        }
        text
    }
}
