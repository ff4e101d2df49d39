//! What cores of leaky neurons have beyond other cores: parameters of the library module, fields of the parameter memory.
//!
//! A word of the parameter memory holds for each lane of a group the fields, lowest first, each field lane by lane:
//!
//! | field | bits | |
//! |---|---|---|
//! | `theta` | `theta_bits` | two's complement; unsigned in other cores; 0 in a readout |
//! | `v_init` | `membrane_bits` | |
//! | `bias` | `bias_bits` | |
//! | `reset` | `leak.reset_bits` | what a spike leaves of the membrane, or takes from it |
//! | `dv` | `leak.dv_bits` | the membrane's decay in 1/4096 a step |
//! | `du` | `leak.du_bits` | the current's decay |
//!
//! The first three are those of every core. Of the others, those that are the same for all neurons have no bits here and are a
//! parameter of the module instead.

use crate::ir::mapped::Core;
use crate::ir::quant::{Leaky, Reset};

/// The fields of the parameter memory, lowest first, with their bits; a value per neuron.
pub(super) fn fields<'a>(leaky: &'a Leaky, core: &Core) -> Vec<(&'a [i64], u32)> {
    vec![
        (&leaky.theta, core.theta_bits),
        (&leaky.v_init, core.membrane_bits),
        (&leaky.bias, core.bias_bits),
        (leaky.reset.by(), core.leak.reset_bits),
        (&leaky.dv, core.leak.dv_bits),
        (&leaky.du, core.leak.du_bits),
    ]
}

/// The parameters of the library module that only leaky neurons set.
pub(super) fn parameters(leaky: &Leaky, core: &Core) -> Vec<(&'static str, String)> {
    let bits = core.membrane_bits;
    let first = |values: &[i64]| values.first().copied().unwrap_or(0);
    let keep = |decays: &[i64]| format!("13'd{}", (4096 - first(decays)).clamp(0, 4096));
    // What no membrane can reach need not be clamped.
    let (least, most) = (i64::MIN >> (64 - bits.clamp(1, 64)), i64::MAX >> (64 - bits.clamp(1, 64)));
    let number = |value: i64| vector(value, bits);
    let mut all = vec![
        ("InputBits", core.input_bits.to_string()),
        ("CurrentBits", core.current_bits.to_string()),
        ("StateBits", core.state_bits().to_string()),
        ("ResetBits", core.leak.reset_bits.to_string()),
        ("DvBits", core.leak.dv_bits.to_string()),
        ("DuBits", core.leak.du_bits.to_string()),
        ("ParamBits", core.param_bits().to_string()),
        ("Align", leaky.align.to_string()),
        ("Subtract", u32::from(matches!(leaky.reset, Reset::Subtract(_))).to_string()),
        ("VMin", number(leaky.limits.0.max(least))),
        ("VMax", number(leaky.limits.1.min(most))),
    ];
    if core.leak.reset_bits == 0 && leaky.fires() {
        all.push(("ResetBy", number(first(leaky.reset.by()))));
    }
    if core.leak.dv_bits == 0 {
        all.push(("KeepV", keep(&leaky.dv)));
    }
    if core.leak.du_bits == 0 && core.current_bits > 0 {
        all.push(("KeepU", keep(&leaky.du)));
    }
    all
}

/// What the core computes, for the reader of its wrapper.
pub(super) fn describe(leaky: &Leaky) -> String {
    let current = if leaky.du.iter().all(|&du| du == 4096) { "sum(w x)" } else { "u; u = u decay_u + sum(w x)" };
    let reset = match leaky.reset {
        Reset::Value(_) => "v = v_reset",
        Reset::Subtract(_) => "v -= amount",
        Reset::Never => {
            return format!("v = v decay_v + {current} + bias once a time step, sends every v at the image's end");
        }
    };
    format!("v = v decay_v + {current} + bias; a spike and {reset} where v > theta, once a time step")
}

/// A Verilog number of `bits` bits, two's complement.
fn vector(value: i64, bits: u32) -> String {
    let mask = u64::MAX >> (64 - bits.clamp(1, 64));
    format!("{bits}'h{:x}", value as u64 & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_two_s_complement() {
        assert_eq!(vector(-1, 24), "24'hffffff");
        assert_eq!(vector(-8_388_607, 24), "24'h800001");
        assert_eq!(vector(5, 4), "4'h5");
        assert_eq!(vector(i64::MIN, 64), "64'h8000000000000000");
    }
}
