//! Neurons that may send several spikes in one step, in float.

use std::fmt::Write;

/// Says whether a value of a parameter can be computed with.
type Check<'a> = &'a dyn Fn(f64) -> bool;

/// Integrate and fire with reset by subtraction. With `a` the weighted input of a time step it does
/// ```text
/// v' = v + gain·a + bias;   with a floor: v' = max(v', -theta)                bias: the population's
/// n  = clip(floor(v' / theta), 0, most);   v = v' - n·theta
/// ```
/// Vectors have one entry per neuron.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiSpikeModel {
    /// What one unit of weighted input adds to the membrane; above 0.
    pub gain: Vec<f64>,
    /// Threshold; above 0, and fires at `v >= theta`.
    pub theta: Vec<f64>,
    /// Membrane before the first step.
    pub v_init: Vec<f64>,
    /// The membrane ends no step below `-theta`.
    pub floor: bool,
    /// Most spikes in a step; `None` if the model sets no limit.
    pub most: Option<u32>,
}

impl MultiSpikeModel {
    /// What is wrong with the parameters of `n` neurons, in words that continue "the population".
    pub(super) fn problems(&self, n: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let above_zero = |x: f64| x.is_finite() && x > 0.0;
        let vectors: [(&str, &[f64], Check); 3] = [
            ("gain", &self.gain, &above_zero),
            ("threshold", &self.theta, &above_zero),
            ("membrane before the first step", &self.v_init, &f64::is_finite),
        ];
        for (what, values, fine) in vectors {
            if values.len() != n {
                problems.push(format!("has {} values of '{what}' for {n} neurons", values.len()));
            } else if let Some((i, x)) = values.iter().enumerate().find(|(_, x)| !fine(**x)) {
                problems.push(format!("has a {what} of {x} (neuron {i})"));
            }
        }
        if self.most == Some(0) {
            problems.push("may send no spike in a step".into());
        }
        problems
    }

    /// One line of a dump: the range of every parameter.
    pub(super) fn dump(&self) -> String {
        let mut text = String::from("MultiSpike");
        for (name, values) in [("gain", &self.gain), ("theta", &self.theta)] {
            let (min, max) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
            let _ = if min == max { write!(text, " {name}={min}") } else { write!(text, " {name}={min}..={max}") };
        }
        let _ = match self.most {
            Some(most) => write!(text, " most={most} floor={}", self.floor),
            None => write!(text, " floor={}", self.floor),
        };
        text
    }
}
