//! Neurons that may send several spikes in one step.

use super::{Coding, LARGEST_PARAMETER, QuantGraph};
use serde::{Deserialize, Serialize};

/// Most spikes of a neuron in a step that hardware sends: a payload of 12 bits.
pub const MOST_SPIKES: u32 = 4095;

/// Integrate and fire with reset by subtraction, as often in a step as the threshold fits. Vectors have one entry per neuron. A time
/// step does
/// ```text
/// v' = v + a + bias;   with a floor: v' = max(v', -theta)
/// n  = clip(floor(v' / theta), 0, most)                       sent as one event with payload n
/// v  = v' - n·theta
/// ```
/// with `a` the weighted input of the step. `v` is `v_init` before the first step of an image. What is above `most·theta` stays in the
/// membrane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultiSpike {
    /// Threshold; fires at `v >= theta`.
    #[serde(with = "crate::ir::runs")]
    pub theta: Vec<i64>,
    /// Membrane before the first step.
    #[serde(with = "crate::ir::runs")]
    pub v_init: Vec<i64>,
    /// Added in every step.
    #[serde(with = "crate::ir::runs")]
    pub bias: Vec<i64>,
    /// The membrane ends no step below `-theta`.
    pub floor: bool,
    /// Most spikes in a step, 1 to [`MOST_SPIKES`].
    pub most: u32,
}

impl QuantGraph {
    /// Least and greatest membrane of neurons that receive sums in `reach`, one entry per neuron, for any input.
    ///
    /// A step adds at most `gain` to what firing left, and firing leaves at most `theta - 1`, or `most·theta` less than there was. So a
    /// membrane grows from step to step by `gain - most·theta` at most, and only if that is positive.
    pub(super) fn multi_range(&self, neurons: &MultiSpike, reach: &[(i64, i64)]) -> (i64, i64) {
        let steps = i128::from(self.phases());
        let of = |values: &[i64], n: usize| i128::from(values.get(n).copied().unwrap_or(0));
        let mut range = (0i128, 0i128);
        for (n, &(down, up)) in reach.iter().enumerate() {
            let (theta, start, bias) = (of(&neurons.theta, n), of(&neurons.v_init, n), of(&neurons.bias, n));
            let (gain, loss) = (i128::from(up) + bias.max(0), i128::from(down) + bias.min(0));
            let growth = (gain - i128::from(neurons.most) * theta).max(0);
            let high = (start.max(theta - 1).max(0) + gain + (steps - 1) * growth).min(start.max(0) + steps * gain);
            let unbounded = start.min(0) + steps * loss;
            let low = if neurons.floor { unbounded.max(start.min(-theta) + loss) } else { unbounded };
            range = (range.0.min(low), range.1.max(high));
        }
        let saturate = |x: i128| i64::try_from(x).unwrap_or(if x < 0 { i64::MIN } else { i64::MAX });
        (saturate(range.0), saturate(range.1))
    }

    /// What is wrong with the parameters, in words that continue the population's name.
    pub(super) fn multi_problems(&self, neurons: &MultiSpike) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.coding != Coding::Rate {
            wrong.push("sends several spikes a step, which only rate coding has".to_string());
        }
        if !(1..=MOST_SPIKES).contains(&neurons.most) {
            wrong.push(format!("sends up to {} spikes a step; 1 to {MOST_SPIKES} are possible", neurons.most));
        }
        if neurons.theta.iter().any(|theta| !(1..=LARGEST_PARAMETER).contains(theta)) {
            wrong.push(format!("has a threshold that is not 1 to {LARGEST_PARAMETER}"));
        }
        wrong
    }
}

impl MultiSpike {
    /// One line of a dump.
    pub(super) fn dump(&self) -> String {
        let (min, max) = (self.theta.iter().min().unwrap_or(&0), self.theta.iter().max().unwrap_or(&0));
        format!("multi theta={min}..={max} most={} floor={}", self.most, self.floor)
    }
}
