//! Leaky populations in Loihi 2's fields.
//!
//! With 6 fraction bits an integer [`Leaky`] neuron stands in the registers as it is, and one without decays and with fewer fraction
//! bits shifted: `du` is stored less 1, the threshold as
//! `theta >> 6`, the bias as mantissa and exponent. A readout has the highest threshold, which its membranes must not pass. A reset to another value than 0, or by subtraction, is the one departure from
//! the published equations, as in [`super::network`].

use super::fields::{BiasExponent, BiasMantissa, Decay, Decrement, Threshold, Voltage};
use super::lif::{ALIGN, Dynamics, Lif, Reset, State};
use crate::ir::PopId;
use crate::ir::quant::{self, Leaky, QuantGraph};

/// The registers of neuron `n`, or the first reason why they cannot hold it, in words that continue "neuron n".
pub(super) fn registers(leaky: &Leaky, n: usize) -> Result<(State, Lif), String> {
    let at = |values: &[i64]| values.get(n).copied().unwrap_or(0);
    let up = shift(leaky).ok_or_else(|| match leaky.align {
        align @ ..ALIGN => format!("has {align} fraction bits and decays: Loihi 2 rounds to {ALIGN}"),
        align => format!("has {align} fraction bits: Loihi 2 has {ALIGN}"),
    })?;
    let text = |e: crate::error::Error| format!("has a {}", e.problems.first().map_or("", |p| &p.what));
    let du = Decay::new(at(&leaky.du) - 1)
        .map_err(|_| format!("loses {}/4096 of its current a step: Loihi 2 loses 1 to 4096", at(&leaky.du)))?;
    let dv = Decay::new(at(&leaky.dv)).map_err(text)?;
    let raised = |values: &[i64]| at(values).saturating_mul(1 << up);
    let (bias_mantissa, bias_exponent) = split(raised(&leaky.bias))
        .ok_or_else(|| format!("has bias {} per step, which no mantissa << exponent equals", at(&leaky.bias)))?;
    if !leaky.fires() {
        let rest = State::new(0, raised(&leaky.v_init)).map_err(text)?;
        let dynamics = Dynamics { du, dv, bias_mantissa, bias_exponent };
        return Ok((rest, Lif { dynamics, vth: Threshold::MAX, reset: Reset::Zero }));
    }
    let theta = raised(&leaky.theta);
    if theta.rem_euclid(1 << ALIGN) != 0 {
        return Err(format!("has threshold {theta}: Loihi 2 compares with vth << {ALIGN}"));
    }
    let vth = Threshold::new(theta >> ALIGN).map_err(text)?;
    let by = raised(leaky.reset.by());
    let reset = match leaky.reset {
        quant::Reset::Value(_) if by == 0 => Reset::Zero,
        quant::Reset::Value(_) => Reset::Value(Voltage::new(by).map_err(text)?),
        quant::Reset::Subtract(_) => Reset::Subtract(Decrement::new(by).map_err(text)?),
        quant::Reset::Never => Reset::Zero,
    };
    let rest = State::new(0, raised(&leaky.v_init)).map_err(text)?;
    Ok((rest, Lif { dynamics: Dynamics { du, dv, bias_mantissa, bias_exponent }, vth, reset }))
}

/// By how many bits the registers stand above the integers of a population. Where nothing decays nothing is rounded, so fewer fraction
/// bits are the same network in another unit. `None` if the fraction bits are not Loihi's.
pub(super) fn shift(leaky: &Leaky) -> Option<u32> {
    let whole = leaky.du.iter().all(|&d| d == 4096) && leaky.dv.iter().all(|&d| d == 0);
    ALIGN.checked_sub(leaky.align).filter(|&up| up == 0 || whole)
}

/// Mantissa and the least exponent that equal `bias`, if there are any.
fn split(bias: i64) -> Option<(BiasMantissa, BiasExponent)> {
    (i64::from(BiasExponent::MIN.get())..=i64::from(BiasExponent::MAX.get())).find_map(|exponent| {
        let mantissa = BiasMantissa::new(bias >> exponent).ok()?;
        let exact = (bias >> exponent) << exponent == bias;
        exact.then_some(mantissa).zip(BiasExponent::new(exponent).ok())
    })
}

/// Registers that some sample could overflow.
pub(super) fn overflow_risks(graph: &QuantGraph, population: PopId, leaky: &Leaky) -> Vec<String> {
    let mut reasons = Vec::new();
    let Some(reach) = graph.prove_leaky(population) else { return reasons };
    let most = i64::from(Voltage::MAX.get()) >> shift(leaky).unwrap_or(0);
    let outside = |(low, high): (i64, i64), most: i64| low < -most || high > most;
    if outside(reach.current, most) {
        let (low, high) = reach.current;
        reasons.push(format!("synaptic currents can reach {low} to {high}: a current register holds ±{most}"));
    }
    reasons
}

/// Why membranes are clamped at other values than the network's, if some sample reaches them. Clamping is what leaky neurons do, not
/// an overflow that would be noticed in a sample, so such a population cannot be compared at all.
pub(super) fn clamps_apart(graph: &QuantGraph, population: PopId, leaky: &Leaky) -> Option<String> {
    let (up, full) = (shift(leaky)?, i64::from(Voltage::MAX.get()));
    let most = full >> up;
    let ((low, high), limits) = (graph.prove_leaky(population)?.membrane, leaky.limits);
    // Equal limits clamp alike, however often. In another unit they are never equal: the register's has fraction bits, which ours lacks.
    let alike = up == 0 && limits == (-most, most);
    let apart = !alike && (low < -most.min(-limits.0) || high > most.min(limits.1));
    apart.then(|| {
        let rest = if up == 0 { String::new() } else { format!(" and {}/{}", full - (most << up), 1i64 << up) };
        format!("membranes can reach {low} to {high}: the network clamps them to {limits:?}, Loihi 2 to ±{most}{rest}")
    })
}

/// Why a readout would fire on Loihi 2, where every neuron has a threshold, if some sample lets it: as with clamping, nobody would notice
/// in a sample.
pub(super) fn fires_apart(graph: &QuantGraph, population: PopId, leaky: &Leaky) -> Option<String> {
    let highest = (i64::from(Threshold::MAX.get()) << ALIGN) >> shift(leaky)?;
    let reach = graph.prove_leaky(population)?.membrane.1.min(leaky.limits.1);
    let apart = !leaky.fires() && reach > highest;
    apart.then(|| format!("membranes can reach {reach}: Loihi 2 has no threshold above {highest}, and would fire"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bias_has_thirteen_bits_anywhere_below_twenty() {
        let value = |b: i64| split(b).map(|(m, e)| i64::from(m.get()) << e.get());
        for bias in [0, 1, -4096, 4095, 4096, -8192, 4095 << 7, -(4096 << 7)] {
            assert_eq!(value(bias), Some(bias));
        }
        for bias in [4097, -4097, 4096 << 7, (4095 << 7) + 64] {
            assert_eq!(value(bias), None, "{bias}");
        }
    }
}
