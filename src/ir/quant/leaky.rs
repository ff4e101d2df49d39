//! What leaky neurons can reach, and whether a network's claims about it hold.

use super::{Coding, Input, Leaky, Neuron, PopId, QuantGraph, Reset, add_reach};

/// Synaptic currents and membranes beyond this would leave 64 bits when they decay.
pub const MAX_STATE: i64 = 1 << 47;

/// Least and greatest values that a leaky population can take, for any input and any order of the additions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakyReach {
    /// Partial sums of the weighted input of one step.
    pub input: (i64, i64),
    /// Synaptic current.
    pub current: (i64, i64),
    /// Membrane after the update and before clamping and reset, if no step before has clamped it.
    pub membrane: (i64, i64),
}

impl QuantGraph {
    /// Least and greatest partial sum of the weighted input of one phase, for each neuron of `pop`.
    pub(super) fn input_reach(&self, pop: PopId) -> Vec<(i64, i64)> {
        let mut reach = vec![(0i64, 0i64); self.population(pop).shape.len()];
        for (_, p) in self.projections_into(pop) {
            add_reach(&p.projection.synapses, self.range_per_phase(p.projection.pre), &mut reach);
        }
        reach
    }

    /// The interval proof for a leaky population, `None` for others. All of it holds for any input.
    ///
    /// A state that keeps `(4096 - d) / 4096` of itself and gains at most `A >= 0` a step never exceeds `A·4096 / d`, because rounding
    /// towards zero only brings it nearer to zero; nor `A` times the number of steps.
    pub fn prove_leaky(&self, pop: PopId) -> Option<LeakyReach> {
        let Neuron::Leaky(leaky) = &self.population(pop).neuron else { return None };
        let steps = i128::from(self.phases());
        let none = LeakyReach { input: (0, 0), current: (0, 0), membrane: (0, 0) };
        let reach = self.input_reach(pop).into_iter().enumerate().fold(none, |all, (n, input)| {
            let at = |values: &[i64]| i128::from(values.get(n).copied().unwrap_or(0));
            let gain = |end: i64| i128::from(end) << leaky.align.min(32);
            let (low, high) = (gain(input.0), gain(input.1));
            let current = (-steady(-low, at(&leaky.du), steps), steady(high, at(&leaky.du), steps));
            let (bias, start, reset) = (at(&leaky.bias), at(&leaky.v_init), at(leaky.reset.by()));
            // What the membrane is at the beginning, or jumps to, decays from there; a subtraction moves it down by `reset`.
            let (jump_low, jump_high) = match leaky.reset {
                Reset::Value(_) => (reset.min(0), reset.max(0)),
                Reset::Subtract(_) => ((at(&leaky.theta) + 1 - reset).min(0), (-reset).max(0) * steps),
                Reset::Never => (0, 0),
            };
            let down = steady((-(current.0 + bias)).max(0), at(&leaky.dv), steps) + (-start).max(-jump_low).max(0);
            let up = steady((current.1 + bias).max(0), at(&leaky.dv), steps) + start.max(jump_high).max(0);
            let wider = |a: (i64, i64), b: (i128, i128)| (a.0.min(saturate(b.0)), a.1.max(saturate(b.1)));
            LeakyReach {
                input: (all.input.0.min(input.0), all.input.1.max(input.1)),
                current: wider(all.current, current),
                membrane: wider(all.membrane, (-down, up)),
            }
        });
        Some(reach)
    }

    /// What is wrong with a leaky population, in words that continue its name.
    pub(super) fn leaky_problems(&self, pop: PopId, leaky: &Leaky) -> Vec<String> {
        let mut wrong = Vec::new();
        if leaky.align > 24 {
            wrong.push(format!("has {} fraction bits, more than 24", leaky.align));
        }
        for (what, decays) in [("current", &leaky.du), ("membrane", &leaky.dv)] {
            if let Some(d) = decays.iter().find(|d| !(0..=4096).contains(*d)) {
                wrong.push(format!("has a decay of the {what} of {d}/4096"));
            }
        }
        let (low, high) = leaky.limits;
        if low > 0 || high < 0 || low < -MAX_STATE || high > MAX_STATE {
            wrong.push(format!("keeps its membranes within {:?}, which does not hold 0 or is too wide", leaky.limits));
        }
        let within = |v: &i64| (low..=high).contains(v);
        let lands = match &leaky.reset {
            Reset::Value(value) => value.iter().find(|v| !within(v)),
            // Whatever fires is above theta and at most at the upper limit.
            Reset::Subtract(by) => {
                let least = |(by, theta): (&i64, &i64)| theta.saturating_add(1).saturating_sub(*by) < low || *by < 0;
                by.iter().zip(&leaky.theta).find(|pair| least(*pair)).map(|(by, _)| by)
            }
            Reset::Never => None,
        };
        if !leaky.fires() && !leaky.theta.is_empty() {
            wrong.push("has thresholds, and never fires".into());
        }
        if let Some(v) = lands {
            wrong.push(format!("has a reset ({v}) that leads out of the limits {:?}", leaky.limits));
        }
        if let Some(v) = leaky.v_init.iter().find(|v| !within(v)) {
            wrong.push(format!("begins at {v}, outside its limits {:?}", leaky.limits));
        }
        let wide = |v: &&i64| v.unsigned_abs() > MAX_STATE.unsigned_abs();
        if leaky.theta.iter().chain(&leaky.bias).any(|v| wide(&v)) {
            wrong.push("has a threshold or bias of more than 47 bits".into());
        }
        if !wrong.is_empty() || self.coding != Coding::Rate {
            return wrong;
        }
        let Some(reach) = self.prove_leaky(pop) else { return wrong };
        let claims = [("inputs", leaky.input_range, reach.input), ("currents", leaky.current_range, reach.current)];
        for (what, claimed, proved) in claims {
            if claimed.0 > proved.0 || claimed.1 < proved.1 {
                wrong.push(format!("claims {what} in {claimed:?}, but {proved:?} can be reached"));
            }
        }
        if leaky.current_range.0 < -MAX_STATE || leaky.current_range.1 > MAX_STATE {
            wrong.push(format!("has currents in {:?}, more than 47 bits", leaky.current_range));
        }
        wrong
    }
}

impl Leaky {
    /// One line of a dump.
    pub(super) fn dump(&self) -> String {
        let range = |values: &[i64]| {
            let (min, max) = (values.iter().min().unwrap_or(&0), values.iter().max().unwrap_or(&0));
            format!("{min}..={max}")
        };
        let (theta, du, dv) = (range(&self.theta), range(&self.du), range(&self.dv));
        if !self.fires() {
            return format!("leaky readout align={} du={du} dv={dv}", self.align);
        }
        format!("leaky theta={theta} align={} du={du} dv={dv} reset={}", self.align, self.reset.name())
    }
}

impl Reset {
    /// The kind's name in dumps.
    fn name(&self) -> &'static str {
        match self {
            Reset::Value(_) => "value",
            Reset::Subtract(_) => "subtract",
            Reset::Never => "never",
        }
    }
}

impl Input {
    /// What the first line of a dump says about the source.
    pub(super) fn dump(&self) -> String {
        match self {
            Input::Constant => String::new(),
            Input::Encoded => " input=encoded".into(),
            Input::Train { max } => format!(" input=train max={max}"),
        }
    }
}

/// The most that a state reaches which gains at most `gain >= 0` in each of `steps` steps and loses `decay / 4096` of itself before.
fn steady(gain: i128, decay: i128, steps: i128) -> i128 {
    let gain = gain.max(0);
    let unbounded = gain * steps;
    if decay <= 0 { unbounded } else { unbounded.min(gain * 4096 / decay) }
}

fn saturate(x: i128) -> i64 {
    i64::try_from(x).unwrap_or(if x < 0 { i64::MIN } else { i64::MAX })
}
