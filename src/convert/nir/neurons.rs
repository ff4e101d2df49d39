//! NIR's neurons in the one form of [`LeakyModel`].

use crate::frontends::nir::{Firing, Neurons};
use crate::ir::snn::{FloatReset, LeakyModel};

/// Why a membrane cannot be read.
pub(super) const NOT_READ: &str = "sends its membrane instead of spikes; hardware reads the membrane of an I, LI or CubaLI only where it alone, with no \
                        layer behind it, is the network's Output";
const LIMITED: &str = "keeps its membrane within limits of its own, which hardware neurons do not";

/// A population's neurons, and what must still be done to its synapses.
pub(super) struct Lowered {
    pub model: LeakyModel,
    /// By what the synapses are to be multiplied, one per neuron. Of neurons that fire, the sign: the gain of the model is positive. Of a
    /// readout, the gain itself, because its membranes are compared with each other and must have one unit. 0 for neurons that do not
    /// see their input.
    pub factor: Vec<f64>,
    /// Added to the membrane in every step.
    pub bias: Vec<f64>,
}

/// Lowers neurons whose input has the constant part `constant`; without `firing`, the network's readout. What hardware cannot do comes
/// back as sentences.
pub(super) fn lower(neurons: &Neurons, firing: Option<&Firing>, constant: &[f64]) -> Result<Lowered, Vec<String>> {
    let n = neurons.keep.len();
    let mut wrong = firing.map_or_else(Vec::new, unlike_hardware);
    if neurons.limited && firing.is_none_or(|firing| !firing.clamped) {
        wrong.push(LIMITED.into());
    }
    let decays = [(&neurons.keep_u, "tau_syn"), (&neurons.keep, "tau")];
    for (keep, what) in decays {
        if let Some(i) = keep.iter().position(|k| !(0.0..=1.0).contains(k)) {
            wrong.push(format!(
                "has a time constant ({what}) shorter than the time step (neuron {i}), so its state would swing"
            ));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    // u = gain·I takes the membrane's gain into the current.
    let gain: Vec<f64> = neurons.gain.iter().zip(&neurons.gain_u).map(|(v, u)| v * u).collect();
    let sign = |&g: &f64| if g == 0.0 { 0.0 } else { g.signum() };
    let (gain_of, factor) = match firing {
        Some(_) => {
            (gain.iter().map(|&g| if g == 0.0 { 1.0 } else { g.abs() }).collect(), gain.iter().map(sign).collect())
        }
        None => (vec![1.0; n], gain.clone()),
    };
    let steady: Vec<f64> = (0..n).map(|i| gain[i] * constant[i] + neurons.gain[i] * neurons.add_u[i]).collect();
    let forgets = |i: usize| neurons.keep_u[i] == 0.0;
    let model = LeakyModel {
        keep_current: neurons.keep_u.clone(),
        keep: neurons.keep.clone(),
        gain: gain_of,
        current: (0..n).map(|i| if forgets(i) { 0.0 } else { steady[i] }).collect(),
        theta: firing.map_or_else(Vec::new, |firing| firing.theta.clone()),
        at_threshold: firing.is_some_and(|firing| firing.at_threshold),
        reset: match firing.map(|firing| &firing.reset) {
            Some(Some(value)) => FloatReset::Value(value.clone()),
            Some(None) => FloatReset::Subtract,
            None => FloatReset::Never,
        },
        v_init: neurons.start.clone(),
    };
    let bias = (0..n).map(|i| neurons.add[i] + if forgets(i) { steady[i] } else { 0.0 }).collect();
    Ok(Lowered { model, factor, bias })
}

/// Ways of firing that hardware does not have.
fn unlike_hardware(firing: &Firing) -> Vec<String> {
    let mut wrong = Vec::new();
    if firing.many {
        wrong.push(
            "may fire several times in one step, as sinabs lets it; hardware neurons send at most one spike a step"
                .into(),
        );
    } else if firing.clamped {
        wrong.push(LIMITED.into());
    }
    if !firing.subtracts_theta {
        wrong.push("subtracts another number than its threshold when it fires".into());
    }
    if firing.two_phase {
        wrong.push(
            "fires after all input is in: the network was converted from an ANN, and this is not its original".into(),
        );
    }
    wrong
}

/// True for an integrator that does no more than add up, as the plain readout does.
pub(super) fn adds_up(neurons: &Neurons) -> bool {
    let all = |values: &[f64], x: f64| values.iter().all(|&v| v == x);
    neurons.fire.is_none()
        && !neurons.limited
        && all(&neurons.keep, 1.0)
        && all(&neurons.keep_u, 0.0)
        && all(&neurons.start, 0.0)
}

/// A `Threshold` is a neuron without memory.
pub(super) fn threshold(theta: &[f64]) -> (Neurons, Firing) {
    let all = |x: f64| vec![x; theta.len()];
    let neurons = Neurons {
        keep_u: all(0.0),
        gain_u: all(1.0),
        add_u: all(0.0),
        keep: all(0.0),
        gain: all(1.0),
        add: all(0.0),
        start: all(0.0),
        limited: false,
        fire: None,
    };
    let firing = Firing {
        theta: theta.to_vec(),
        at_threshold: false,
        reset: Some(all(0.0)),
        subtracts_theta: true,
        many: false,
        clamped: false,
        two_phase: false,
    };
    (neurons, firing)
}
