//! What cores of leaky neurons keep and are told beyond what other cores do.

use super::Core;
use crate::fixed::signed_bits;
use crate::ir::quant::{Leaky, Reset};
use serde::{Deserialize, Serialize};

/// Bits of a decay: 0 to 4096.
pub const DECAY_BITS: u32 = 13;

/// Widths that only cores of leaky neurons have. A parameter of 0 bits is the same for all neurons, and no memory holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Bits of what a spike leaves or takes (two's complement).
    pub reset_bits: u32,
    /// Bits of the membrane's decay, 0 or [`DECAY_BITS`].
    pub dv_bits: u32,
    /// Bits of the current's decay, 0 or [`DECAY_BITS`]; 0 where there is no current.
    pub du_bits: u32,
}

impl Leak {
    /// The widths that `leaky` needs.
    pub fn of(leaky: &Leaky) -> Leak {
        let decay_bits = |decays: &[i64]| if alike(decays) { 0 } else { DECAY_BITS };
        let by = leaky.reset.by();
        Leak {
            reset_bits: if alike(by) { 0 } else { width(by) },
            dv_bits: decay_bits(&leaky.dv),
            du_bits: decay_bits(&leaky.du),
        }
    }
}

/// True if all are the same.
fn alike(values: &[i64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

/// Bits of a two's complement number that can be any of `values`.
pub fn width(values: &[i64]) -> u32 {
    values.iter().map(|&v| signed_bits(v, v)).max().unwrap_or(1)
}

/// Bits of the input of a step.
pub fn input_bits(leaky: &Leaky) -> u32 {
    signed_bits(leaky.input_range.0, leaky.input_range.1)
}

/// Bits of the synaptic current that has to be kept from step to step: none if no neuron keeps any.
pub fn current_bits(leaky: &Leaky) -> u32 {
    let keeps = leaky.du.iter().any(|&du| du != 1 << 12);
    // A current that has just begun is an aligned input.
    let aligned = input_bits(leaky).saturating_add(leaky.align);
    if keeps { signed_bits(leaky.current_range.0, leaky.current_range.1).max(aligned) } else { 0 }
}

impl Core {
    /// Bits that a lane has in a word of the membrane memory: the membrane, then the input of the step, then the current.
    pub fn state_bits(&self) -> u32 {
        self.membrane_bits.saturating_add(self.input_bits).saturating_add(self.current_bits)
    }

    /// Bits that a lane has in a word of the parameter memory.
    pub fn param_bits(&self) -> u32 {
        let Leak { reset_bits, dv_bits, du_bits } = self.leak;
        let all = [self.theta_bits, self.membrane_bits, self.bias_bits, reset_bits, dv_bits, du_bits];
        all.iter().fold(0, |sum, &bits| sum.saturating_add(bits))
    }

    /// What is wrong with the widths, if `leaky` is what the core computes.
    pub(super) fn leak_problems(&self, leaky: &Leaky) -> Vec<String> {
        let mut problems = Vec::new();
        let mut least = |what: &str, bits: u32, needed: u32| {
            if bits < needed || bits > 64 {
                problems.push(format!("has {bits}-bit {what}, {needed} to 64 expected"));
            }
        };
        least("inputs of a step", self.input_bits, input_bits(leaky));
        least("thresholds", self.theta_bits, width(&leaky.theta));
        least("biases", self.bias_bits, width(&leaky.bias));
        least("membranes", self.membrane_bits, width(&leaky.v_init));
        if let Reset::Value(by) = &leaky.reset {
            least("membranes", self.membrane_bits, width(by));
        }
        let current = current_bits(leaky);
        if current > 0 {
            least("currents", self.current_bits, current);
        } else if self.current_bits > 0 {
            problems.push(format!("keeps {}-bit currents, and no neuron has one", self.current_bits));
        }
        let needed = Leak::of(leaky);
        if self.leak.reset_bits < needed.reset_bits
            || self.leak.reset_bits > 64
            || [self.leak.dv_bits, self.leak.du_bits] != [needed.dv_bits, needed.du_bits]
        {
            problems.push(format!("has parameters as {:?}, {needed:?} expected", self.leak));
        }
        problems
    }

    /// What is wrong with the widths, if the core has no leaky neurons.
    pub(super) fn no_leak_problems(&self) -> Vec<String> {
        let none = (self.input_bits, self.current_bits, self.leak) == (0, 0, Leak::default());
        if none { Vec::new() } else { vec!["has the state of leaky neurons, and computes others".into()] }
    }
}
