//! A population as a NIR node with its notes. The time step is 1, so `r` is the gain.

use super::synapses::numbers;
use crate::frontends::nir::convention::{Notes, TwoPhase};
use crate::frontends::nir::{Array, Kind, Unit};
use crate::ir::PopId;
use crate::ir::quant::{Coding, Leaky, MultiSpike, QuantGraph, Reset};

/// The time constant of what never decays: `dt/τ` is far below 1/4096, and exact.
const FOREVER: f64 = (1u64 << 40) as f64;
/// Decays are so many parts of 1.
const PARTS: i64 = 4096;
/// States beyond this times [`PARTS`] are not exact in double precision.
const MOST_STATE: u64 = 1 << 40;

/// Integrate and fire with reset by subtraction.
pub(super) fn integrate_and_fire(net: &QuantGraph, theta: &[i64], v_init: &[i64], shape: &[usize]) -> Unit {
    let graded = net.coding == Coding::Graded;
    let notes = Notes {
        v_init: Some(compact(v_init, shape)),
        subtract: Some(true),
        at_threshold: Some(true),
        two_phase: (net.coding != Coding::Rate).then_some(TwoPhase { levels: net.timesteps, graded }),
        ..Notes::default()
    };
    Unit { metadata: notes.to_metadata(), ..plain(theta, shape) }
}

/// The same, which may send several spikes in a step.
pub(super) fn multi(neurons: &MultiSpike, shape: &[usize]) -> Unit {
    let notes = Notes {
        v_init: Some(compact(&neurons.v_init, shape)),
        subtract: Some(true),
        at_threshold: Some(true),
        spikes: Some(neurons.most),
        floor: Some(neurons.floor),
        ..Notes::default()
    };
    Unit { metadata: notes.to_metadata(), ..plain(&neurons.theta, shape) }
}

/// An `IF` that counts in its input's units.
fn plain(theta: &[i64], shape: &[usize]) -> Unit {
    Unit::new(Kind::If)
        .with("r", numbers(shape, &vec![1; theta.len()]))
        .with("v_threshold", numbers(shape, theta))
        .with("v_reset", numbers(shape, &vec![0; theta.len()]))
}

/// The network's answer: a membrane that is only added to.
pub(super) fn readout(v_init: &[i64], shape: &[usize]) -> Unit {
    let unit = Unit::new(Kind::I).with("r", numbers(shape, &vec![1; v_init.len()]));
    Unit { metadata: Notes { v_init: Some(compact(v_init, shape)), ..Notes::default() }.to_metadata(), ..unit }
}

/// A delay of one step.
pub(super) fn delay(shape: &[usize]) -> Unit {
    Unit::new(Kind::Delay).with("delay", numbers(shape, &vec![1; shape.iter().product()]))
}

/// Leaky neurons: `IF` where nothing decays, `LIF`, or `CubaLIF` where a synaptic current lasts; `I`, `LI` or `CubaLI` if they never fire.
///
/// # Errors
/// What cannot be expressed, in words that continue the population's name.
pub(super) fn leaky(net: &QuantGraph, pop: PopId, leaky: &Leaky, shape: &[usize]) -> Result<Unit, String> {
    let n = leaky.v_init.len();
    let gain = (1u64 << leaky.align.min(32)) as f64;
    let doubles = |f: &dyn Fn(usize) -> f64| {
        let values = crate::frontends::nir::Data::F64((0..n).map(f).collect());
        Array::new(shape.to_vec(), values).unwrap_or_else(|| Array::doubles(Vec::new()))
    };
    let whole = |values: &[i64]| doubles(&|i| values[i] as f64);
    let tau = |decay: i64| if decay == 0 { FOREVER } else { PARTS as f64 / decay as f64 };
    let forgets = leaky.du.iter().all(|&d| d == PARTS);
    let keeps = leaky.dv.iter().all(|&d| d == 0) && leaky.bias.iter().all(|&b| b == 0);
    let widest = [leaky.limits.0, leaky.limits.1, leaky.current_range.0, leaky.current_range.1];
    if widest.iter().any(|v| v.unsigned_abs() > MOST_STATE) {
        return Err(format!("has states of up to {widest:?}, whose decay double precision does not hold"));
    }
    let [sums, leaks, lasts] = match leaky.fires() {
        true => [Kind::If, Kind::Lif, Kind::CubaLif],
        false => [Kind::I, Kind::Li, Kind::CubaLi],
    };
    let unit = if forgets && keeps {
        Unit::new(sums).with("r", doubles(&|_| gain))
    } else {
        let v_leak = doubles(&|i| leaky.bias[i] as f64 * tau(leaky.dv[i]));
        match forgets {
            true => Unit::new(leaks)
                .with("tau", doubles(&|i| tau(leaky.dv[i])))
                .with("r", doubles(&|i| gain * tau(leaky.dv[i]))),
            false => Unit::new(lasts)
                .with("tau_syn", doubles(&|i| tau(leaky.du[i])))
                .with("w_in", doubles(&|i| gain * tau(leaky.du[i])))
                .with("tau_mem", doubles(&|i| tau(leaky.dv[i])))
                .with("r", doubles(&|i| tau(leaky.dv[i]))),
        }
        .with("v_leak", v_leak)
    };
    let reach = net.prove_leaky(pop).map(|reach| reach.membrane);
    let inside = reach.is_some_and(|(low, high)| leaky.limits.0 <= low && high <= leaky.limits.1);
    let notes = Notes {
        v_init: leaky.v_init.iter().any(|&v| v != 0).then(|| compact(&leaky.v_init, shape)),
        truncate: unit.kind != sums,
        limits: (!inside).then_some((leaky.limits.0 as f64, leaky.limits.1 as f64)),
        ..Notes::default()
    };
    let reset = match &leaky.reset {
        Reset::Value(value) => whole(value),
        Reset::Subtract(_) => doubles(&|_| 0.0),
        Reset::Never => return Ok(Unit { metadata: notes.to_metadata(), ..unit }),
    };
    let (theta, at_threshold) = threshold(leaky);
    let notes = Notes {
        subtract: Some(matches!(leaky.reset, Reset::Subtract(_))),
        subtrahend: match &leaky.reset {
            Reset::Subtract(by) if *by != theta => Some(compact(by, shape)),
            _ => None,
        },
        at_threshold: Some(at_threshold),
        ..notes
    };
    Ok(Unit { metadata: notes.to_metadata(), ..unit.with("v_threshold", whole(&theta)).with("v_reset", reset) })
}

/// The threshold, and whether it fires at the threshold itself: where that makes it the number that a spike subtracts.
fn threshold(leaky: &Leaky) -> (Vec<i64>, bool) {
    match &leaky.reset {
        Reset::Subtract(by) if by.iter().zip(&leaky.theta).all(|(by, theta)| *by == theta + 1) => (by.clone(), true),
        _ => (leaky.theta.clone(), false),
    }
}

/// One number for all, or one a channel, where that is enough.
fn compact(v: &[i64], shape: &[usize]) -> Array {
    let pixels = match *shape {
        [_, h, w] => h * w,
        _ => 1,
    };
    let channels: Vec<i64> = v.iter().copied().step_by(pixels.max(1)).collect();
    match channels.first() {
        Some(&first) if v.iter().all(|&v| v == first) => numbers(&[], &[first]),
        Some(_)
            if shape.len() == 3 && v.chunks(pixels).zip(&channels).all(|(v, first)| v.iter().all(|v| v == first)) =>
        {
            numbers(&[channels.len(), 1, 1], &channels)
        }
        _ => numbers(shape, v),
    }
}
