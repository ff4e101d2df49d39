//! The fraction bits of a readout that leaks.
//!
//! Rounding towards zero takes less than one unit from a state in every step in which it is rounded (a decay of 0 or of all 4096 parts is
//! exact), and what it has taken decays with the state: after `T` steps a current lacks less than `min(T, 4096/du)` units, a membrane less than
//! `min(T, 4096/dv)·(1 + min(T, 4096/du))`. No threshold hides that, and small inputs are lost altogether if a weight of 1 is no more. So a
//! readout has as many fraction bits as bring this below a weight of 1, if the settings do not ask for more; and membranes as wide as the
//! range proof says, which for the few neurons of a readout cost little. Where they would be wider than [`MOST_BITS`] fraction bits go.

use super::loihi;
use super::neurons::decay;
use super::settings::{ALIGN, Arithmetic, LeakySettings, STATE_BITS};
use crate::error::Problem;
use crate::ir::quant::{Leaky, LeakyReach, Neuron, QuantGraph};
use crate::ir::snn::LeakyModel;

/// Most bits of a membrane or current.
const MOST_BITS: u32 = *STATE_BITS.end();
/// The furthest from 0 that a membrane is.
const MOST_MEMBRANE: i64 = (1 << (MOST_BITS - 1)) - 1;

/// Gives the last population of `net`, a readout, the fraction bits that it needs; `integers` gives its neurons for some settings. A problem,
/// in words that continue its name, if it cannot be built.
pub(super) fn refine(
    net: &mut QuantGraph,
    model: &LeakyModel,
    settings: &LeakySettings,
    integers: impl Fn(&LeakySettings) -> Leaky,
) -> Option<Problem> {
    let mut settings = wanted(model, settings);
    loop {
        let mut neurons = integers(&settings);
        if settings.arithmetic != Arithmetic::Loihi {
            // Fraction bits that were dropped because nothing uses them are room for larger membranes.
            neurons.limits = (-MOST_MEMBRANE, MOST_MEMBRANE);
        }
        let align = neurons.align;
        net.populations.last_mut()?.neuron = Neuron::Leaky(Box::new(neurons));
        match judge(&net.prove_leaky(net.readout())?, align, settings.arithmetic) {
            Verdict::Fits => return None,
            Verdict::Coarser(align) => settings.align = align,
            Verdict::Problem(problem) => return Some(problem),
        }
    }
}

/// What becomes of a readout with some number of fraction bits.
enum Verdict {
    /// It stays as it is.
    Fits,
    /// It is tried again with so many, which are fewer.
    Coarser(u32),
    /// It cannot be built.
    Problem(Problem),
}

/// The settings for the readout `model`: with its own number of fraction bits, and membranes as wide as it likes. Loihi 2's arithmetic has
/// numbers of its own.
fn wanted(model: &LeakyModel, settings: &LeakySettings) -> LeakySettings {
    if settings.arithmetic == Arithmetic::Loihi {
        return settings.clone();
    }
    let bits = i64::BITS - (lost(model, settings.timesteps) - 1).max(0).leading_zeros();
    let align = settings.align.max(bits).min(*ALIGN.end());
    LeakySettings { align, state_bits: MOST_BITS, ..settings.clone() }
}

/// Units that rounding may take from a membrane of `model` in `steps` steps.
fn lost(model: &LeakyModel, steps: u32) -> i64 {
    let steps = i64::from(steps);
    // Of a state that is rounded; another loses nothing.
    let life = |decay: i64| if decay <= 0 { steps } else { steps.min((4096 + decay - 1) / decay) };
    let rounded = |decay: i64| i64::from((1..4096).contains(&decay));
    let each = model.keep.iter().zip(&model.keep_current).map(|(&keep, &keep_current)| {
        let (dv, du) = (decay(keep), decay(keep_current));
        life(dv) * (rounded(dv) + rounded(du) * life(du))
    });
    each.max().unwrap_or(0)
}

/// Whether a readout with `align` fraction bits that reaches `reach` can be built.
fn judge(reach: &LeakyReach, align: u32, arithmetic: Arithmetic) -> Verdict {
    let most = |range: (i64, i64)| range.0.unsigned_abs().max(range.1.unsigned_abs());
    if arithmetic == Arithmetic::Loihi {
        let highest = loihi::MAX_THRESHOLD.unsigned_abs() << align;
        return match most(reach.membrane) {
            reach if reach <= highest => Verdict::Fits,
            reach => {
                let what = format!("has membranes that can reach {reach}: Loihi 2 fires above {highest}");
                Verdict::Problem(Problem::new(what).help("use fewer bits per weight, or the arithmetic 'auto'"))
            }
        };
    }
    let widest = most(reach.membrane).max(most(reach.current));
    let beyond = (u64::BITS - widest.leading_zeros()).saturating_sub(MOST_BITS - 1);
    match (beyond, align) {
        (0, _) => Verdict::Fits,
        (beyond, align @ 1..) => Verdict::Coarser(align.saturating_sub(beyond)),
        // Membranes are clamped, and that is counted; currents never are.
        (_, 0) if most(reach.current) < 1 << (MOST_BITS - 1) => Verdict::Fits,
        (_, 0) => {
            let what = format!("has currents that can reach {:?}, more than {MOST_BITS} bits", reach.current);
            Verdict::Problem(
                Problem::new(what).help("use fewer bits per weight, fewer time steps, or fewer spikes per step"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::snn::FloatReset;

    fn model(keep: f64, keep_current: f64) -> LeakyModel {
        LeakyModel {
            keep_current: vec![0.0, keep_current],
            keep: vec![1.0, keep],
            gain: vec![1.0; 2],
            current: vec![0.0; 2],
            theta: Vec::new(),
            at_threshold: false,
            reset: FloatReset::Never,
            v_init: vec![0.0; 2],
        }
    }

    #[test]
    fn rounding_loses_as_long_as_a_state_lives() {
        for (keep, keep_current, steps, units) in [
            (1.0, 0.0, 100, 0),
            (0.0, 0.0, 100, 0),
            (0.75, 0.0, 100, 4),
            (0.75, 0.0, 3, 3),
            (0.75, 0.5, 100, 4 * 3),
            (0.0, 0.5, 100, 2),
            (1.0, 0.75, 100, 100 * 4),
        ] {
            assert_eq!(lost(&model(keep, keep_current), steps), units, "{keep} {keep_current} {steps}");
        }
        let bits = |steps| wanted(&model(0.999, 0.0), &LeakySettings { timesteps: steps, ..LeakySettings::default() });
        assert_eq!([64, 65, 128, 129].map(|steps| bits(steps).align), [6, 7, 7, 8]);
    }

    #[test]
    fn fraction_bits_go_where_states_would_be_too_wide() {
        let reach =
            |current: i64, membrane: i64| LeakyReach { input: (0, 0), current: (-current, 0), membrane: (0, membrane) };
        let free = |reach: &LeakyReach, align: u32| judge(reach, align, Arithmetic::Auto);
        assert!(matches!(free(&reach(1, (1 << 39) - 1), 9), Verdict::Fits));
        assert!(matches!(free(&reach(1, 1 << 39), 9), Verdict::Coarser(8)));
        assert!(matches!(free(&reach(1 << 50, 1), 9), Verdict::Coarser(0)));
        // Membranes are clamped, currents are not.
        assert!(matches!(free(&reach(1, 1 << 50), 0), Verdict::Fits));
        assert!(matches!(free(&reach(1 << 50, 1), 0), Verdict::Problem(_)));
        let highest = loihi::MAX_THRESHOLD << 6;
        assert!(matches!(judge(&reach(1, highest), 6, Arithmetic::Loihi), Verdict::Fits));
        assert!(matches!(judge(&reach(1, highest + 1), 6, Arithmetic::Loihi), Verdict::Problem(_)));
    }
}
