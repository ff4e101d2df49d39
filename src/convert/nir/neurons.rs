//! NIR's neurons in the two forms that hardware has: [`LeakyModel`], and [`MultiSpikeModel`] for those that may send several spikes in
//! a step.

use crate::frontends::nir::{Firing, Neurons};
use crate::ir::snn::{FloatReset, LeakyModel, Model, MultiSpikeModel};

/// Why a membrane cannot be read.
pub(super) const NOT_READ: &str = "sends its membrane instead of spikes; hardware reads the membrane of an I, LI or CubaLI only where it alone, with no \
                        layer behind it, is the network's Output";
const LIMITED: &str = "keeps its membrane within limits of its own, which hardware neurons do not";

/// A population's neurons, and what must still be done to its synapses.
pub(super) struct Lowered {
    pub model: Model,
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
    let mut wrong = firing.map_or_else(Vec::new, |firing| unlike_hardware(neurons, firing));
    if neurons.limited || firing.is_some_and(|firing| firing.floor && several(neurons, firing).is_none()) {
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
    let bias = (0..n).map(|i| neurons.add[i] + if forgets(i) { steady[i] } else { 0.0 }).collect();
    if let Some((firing, most)) = firing.and_then(|firing| Some((firing, several(neurons, firing)?))) {
        let model = MultiSpikeModel {
            gain: gain_of,
            theta: firing.theta.clone(),
            v_init: neurons.start.clone(),
            floor: firing.floor,
            // Beyond 32 bits there is no limit.
            most: (most < f64::from(u32::MAX)).then_some(most as u32),
        };
        return Ok(Lowered { model: Model::MultiSpike(Box::new(model)), factor, bias });
    }
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
    Ok(Lowered { model: Model::Leaky(Box::new(model)), factor, bias })
}

/// Ways of firing that hardware does not have.
fn unlike_hardware(neurons: &Neurons, firing: &Firing) -> Vec<String> {
    let mut wrong = if several(neurons, firing).is_some() { not_multi(neurons, firing) } else { Vec::new() };
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

/// The most spikes in a step of neurons that are to be those that may send several. A bound of one spike makes others of those that such
/// hardware does not have.
fn several(neurons: &Neurons, firing: &Firing) -> Option<f64> {
    firing.many.filter(|&most| most != 1.0 || not_multi(neurons, firing).is_empty())
}

/// Why neurons that may fire several times in a step cannot be hardware.
fn not_multi(neurons: &Neurons, firing: &Firing) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(i) = firing.theta.iter().position(|theta| !theta.is_finite()) {
        wrong.push(format!("has no finite threshold (neuron {i}), which neurons that may fire several times need"));
    }
    if neurons.keep.iter().any(|&k| k != 1.0) || neurons.keep_u.iter().any(|&k| k != 0.0) {
        wrong.push(
            "may fire several times in one step, and has a membrane or a current that decays; in hardware only neurons \
             without decay (IF) send more than one spike a step"
                .into(),
        );
    }
    if !firing.at_threshold {
        wrong.push(
            "may fire several times in one step, but only above its threshold; hardware neurons that send several \
             spikes a step fire at it"
                .into(),
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
        many: None,
        floor: false,
        two_phase: false,
    };
    (neurons, firing)
}
