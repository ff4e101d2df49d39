//! What a spike stands for where a channel's many pixels say more than its threshold alone.
//!
//! A reader folds the sender's step into its weights, and the calibration of its bias takes out whatever is constant. So an
//! activation `a` need not be met by `θ·α·n`: any `step·n + constant` will do, and the membranes may be moved by a part of a
//! threshold before they fire. Rounding a density that falls towards large activations at half a step sends on average too
//! much; the best shift and step make up for that, and for what clipping loses on average.

use super::samples::Samples;
use ndarray::Array2;
use rayon::prelude::*;

/// Places of a unit that are looked at.
const PLACES: usize = 16_384;
/// Fewer places of a unit say too little about its shift and step.
const LEAST_PLACES: usize = 4096;

/// Shifts tried, in thresholds, the plain one first.
const SHIFTS: [f64; 8] = [0.0, -0.08, 0.08, -0.16, 0.16, -0.24, 0.24, -0.32];

/// How the neurons of a unit fire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    /// The threshold, at least 1.
    pub theta: i64,
    /// What is added to the membrane before it fires, less than half a threshold in magnitude.
    pub shift: i64,
    /// Float activation that a spike stands for; positive.
    pub step: f64,
}

/// Levels that are a threshold and its own value.
pub(super) fn plain(theta: &[i64], scale: &[f64]) -> Vec<Level> {
    theta.iter().zip(scale).map(|(&theta, scale)| Level { theta, shift: 0, step: theta as f64 * scale }).collect()
}

/// The shift and step of each unit that, up to a constant, come closest to the activations `float`, for thresholds that are given.
///
/// `float` and `drive` (the membranes, bias included) are `[samples, neurons]`; `scale` is the value of one membrane unit. Units with
/// too few places, or that hardly fire, keep the threshold's own value.
pub(super) fn levels(
    float: &Array2<f32>,
    drive: &Array2<f64>,
    scale: &[f64],
    pixels: usize,
    theta: &[i64],
    timesteps: u32,
) -> Vec<Level> {
    let samples = Samples::spread(float.nrows(), pixels, PLACES);
    let mut levels = plain(theta, scale);
    if samples.at.len() < LEAST_PLACES {
        return levels;
    }
    levels.par_iter_mut().enumerate().for_each(|(unit, level)| {
        let wanted = samples.of(float, unit, pixels).map(f64::from);
        let seen: Vec<(f64, f64)> = wanted.zip(samples.of(drive, unit, pixels)).collect();
        let mut least = f64::INFINITY;
        for shift in SHIFTS {
            let shift = (shift * level.theta as f64).round() as i64;
            if let Some((loss, step)) = regression(&seen, level.theta, shift, timesteps)
                && loss < least
            {
                least = loss;
                (level.shift, level.step) = (shift, step);
            }
        }
    });
    levels
}

/// Squared error of the activation `a` that remains beside the best `step·n + constant`, and the step. `None` if the
/// counts `n` do not say anything about it.
fn regression(seen: &[(f64, f64)], theta: i64, shift: i64, timesteps: u32) -> Option<(f64, f64)> {
    let (half, each, most) = ((theta / 2 + shift) as f64, 1.0 / theta as f64, f64::from(timesteps));
    let (mut a, mut n, mut aa, mut an, mut nn) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &(wanted, v) in seen {
        // Within 0..=T, so the conversion rounds down.
        let count = f64::from(((v + half) * each).clamp(0.0, most) as i32);
        a += wanted;
        n += count;
        aa += wanted * wanted;
        an += wanted * count;
        nn += count * count;
    }
    let places = seen.len() as f64;
    let (aa, an, nn) = (aa - a * a / places, an - a * n / places, nn - n * n / places);
    let step = an / nn;
    (nn > 0.0 && step > 0.0 && step.is_finite()).then_some((aa - an * step, step))
}

#[cfg(test)]
mod tests {
    use super::super::activity::count;
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// One channel: activations with a falling density, and membranes in units of 0.01.
    fn channel(samples: usize, pixels: usize) -> (Array2<f32>, Array2<f64>) {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let drive = Array2::from_shape_simple_fn((samples, pixels), || {
            (rng.random_range(-1.0f64..1.0).powi(3) * 2000.0).round()
        });
        (drive.mapv(|v| (v.max(0.0) * 0.01) as f32), drive)
    }

    /// Mean square of what no constant takes out.
    fn error(float: &Array2<f32>, drive: &Array2<f64>, level: Level, timesteps: u32) -> f64 {
        let sent = |v: f64| count(v as i64 + level.shift, level.theta, timesteps) as f64 * level.step;
        let errors: Vec<f64> = float.iter().zip(drive).map(|(&a, &v)| f64::from(a) - sent(v)).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / errors.len() as f64
    }

    #[test]
    fn shift_and_step_leave_less_of_the_error_than_the_threshold_alone() {
        let (float, drive) = channel(100, 64);
        for (timesteps, theta) in [(4, 330), (8, 180), (16, 100)] {
            let [level] = levels(&float, &drive, &[0.01], 64, &[theta], timesteps)[..] else { panic!("one channel") };
            let plain = plain(&[theta], &[0.01])[0];
            let (got, before) = (error(&float, &drive, level, timesteps), error(&float, &drive, plain, timesteps));
            assert!(level.theta == theta && 2 * level.shift.abs() < theta, "{level:?}");
            assert!(got < 0.97 * before, "T={timesteps}: {got} against {before}");
        }
    }

    #[test]
    fn few_places_and_silent_units_keep_the_value_of_the_threshold() {
        let (float, drive) = channel(100, 40);
        assert_eq!(levels(&float, &drive, &[0.01], 40, &[100], 16), plain(&[100], &[0.01]));
        let (float, drive) = channel(100, 64);
        let silent = drive.mapv(|v| -v.abs() - 100.0);
        assert_eq!(levels(&float, &silent, &[0.01], 64, &[100], 16), plain(&[100], &[0.01]));
    }
}
