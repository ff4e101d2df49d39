//! Integer thresholds: the coarseness of each neuron's activation.

use super::samples::Samples;
use ndarray::Array2;
use rayon::prelude::*;

/// Candidates go down from a little above the one that just reaches the largest activation, each by this factor.
const SHRINK: f64 = 0.97;
const CANDIDATES: i32 = 96;
const ABOVE: f64 = 1.15;

/// Places of a unit that are looked at.
const PLACES: usize = 8192;

/// How much more the squared error of a clipped activation weighs than that of a rounded one. What clipping takes from neighbouring
/// pixels points the same way and adds up in every window that reads them, where rounding errors cancel; the local error does not
/// see that. With more steps less is clipped, and coarser ones harm images that are hard to tell apart, whose activations are small.
/// The factors are those with which ResNet-20's logits came closest to the float network's on images that it was not calibrated with;
/// with 32 steps there was nothing to choose.
pub(super) fn clipped(timesteps: u32, pixels: usize) -> f64 {
    match (timesteps, pixels) {
        (_, 1) => 1.0,
        (..=8, _) => 3.0,
        (..=24, _) => 2.0,
        _ => 1.0,
    }
}

/// What thresholds are to serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// Neurons of a unit, which share a threshold.
    pub pixels: usize,
    /// Most spikes of a neuron.
    pub timesteps: u32,
    /// No activation is above it, however high the membrane.
    pub ceiling: f64,
    /// Weight of the squared error of an activation that is clipped for want of time steps.
    pub clipped: f64,
}

/// Thresholds of at least 1 that minimise `Σ (float - θ·scale·n)²` over the samples, each unit on its own, where `n` is the spike
/// count.
///
/// `float` are the activations to be met, `drive` the membranes (bias included), both `[samples, neurons]`; `scale`
/// is the value of one membrane unit. A unit that never fires takes the others' median of `θ·scale`.
pub(super) fn thresholds(float: &Array2<f32>, drive: &Array2<f64>, scale: &[f64], aim: &Aim) -> Vec<i64> {
    let pixels = aim.pixels;
    // Clipped activations are rare, so that more places are needed to weigh them.
    let places = if aim.clipped > 1.0 { 4 * PLACES } else { PLACES };
    let samples = Samples::spread(float.nrows(), pixels, places);
    let observe = |unit: usize| -> Vec<(f64, f64)> {
        let wanted = samples.of(float, unit, pixels).map(f64::from);
        wanted.zip(samples.of(drive, unit, pixels)).collect()
    };
    let best: Vec<Option<i64>> =
        (0..scale.len()).into_par_iter().map(|unit| best(&observe(unit), scale[unit], aim)).collect();
    let mut steps: Vec<f64> = best.iter().zip(scale).filter_map(|(theta, s)| theta.map(|t| t as f64 * s)).collect();
    steps.sort_by(f64::total_cmp);
    // A unit that was never seen to fire is not worth wider membranes.
    let widest = best.iter().copied().flatten().max().unwrap_or(1);
    let median = steps.get(steps.len() / 2).copied();
    best.iter()
        .enumerate()
        .map(|(unit, best)| match (best, median) {
            (Some(theta), _) => *theta,
            (None, Some(step)) => ((step / scale[unit]).round() as i64).clamp(1, widest),
            // The whole population is silent: any threshold beyond what was seen keeps it so.
            (None, None) => {
                (samples.of(drive, unit, pixels).map(f64::abs).fold(0.0, f64::max) as i64).clamp(1, MAX_THETA)
            }
        })
        .collect()
}

/// Keeps `theta·T` and all sums of membranes far from the ends of `i64`.
const MAX_THETA: i64 = 1 << 40;

/// `seen` holds the activation to be met and the membrane, place by place.
fn best(seen: &[(f64, f64)], scale: f64, aim: &Aim) -> Option<i64> {
    let highest = seen.iter().map(|s| s.1).fold(0.0, f64::max);
    if highest <= 0.0 || seen.iter().all(|s| s.0 <= 0.0) {
        return None;
    }
    // A clipped activation ends at the ceiling while its membrane goes on: thresholds above that one are not worth a look.
    let start = highest.min(aim.ceiling / scale) / (f64::from(aim.timesteps) - 0.5) * ABOVE;
    let mut best: Option<(f64, i64)> = None;
    let mut last = 0;
    for k in 0..CANDIDATES {
        let theta = ((start * SHRINK.powi(k)).round() as i64).clamp(1, MAX_THETA);
        if theta == last {
            continue;
        }
        last = theta;
        let error = loss(seen, theta, scale, aim);
        if best.is_none_or(|(least, _)| error < least) {
            best = Some((error, theta));
        }
    }
    best.map(|(_, theta)| theta)
}

/// Squared error of the activation. Membranes on the very edge of a level may count as the level below.
fn loss(seen: &[(f64, f64)], theta: i64, scale: f64, aim: &Aim) -> f64 {
    let (step, half, each) = (theta as f64 * scale, (theta / 2) as f64, 1.0 / theta as f64);
    let most = f64::from(aim.timesteps);
    // Membranes from here on would fire once more.
    let end = (most + 1.0) * theta as f64 - half;
    let error = |&(wanted, v): &(f64, f64)| {
        // Within 0..=T, so the conversion rounds down.
        let n = ((v + half) * each).clamp(0.0, most) as i32;
        let error = wanted - step * f64::from(n);
        if v < end { error * error } else { aim.clipped * error * error }
    };
    seen.iter().map(error).sum()
}

#[cfg(test)]
mod tests {
    use super::super::activity::count;
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const AIM: Aim = Aim { pixels: 1, timesteps: 16, ceiling: f64::INFINITY, clipped: 1.0 };

    fn error(float: &[f64], drive: &[i64], theta: i64, scale: f64, timesteps: u32) -> f64 {
        let level = |v: i64| (theta * count(v, theta, timesteps)) as f64 * scale;
        float.iter().zip(drive).map(|(a, &v)| (a - level(v)).powi(2)).sum()
    }

    #[test]
    fn the_threshold_is_close_to_the_best_of_all_integers() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        for timesteps in [1, 2, 4, 16, 100] {
            // A long tail: the largest activation is a bad guide.
            let drive: Vec<i64> = (0..300)
                .map(|_| (rng.random_range(-1.0f64..1.0).powi(3) * 3000.0 + rng.random_range(-9.0..9.0)) as i64)
                .collect();
            let scale = 0.01;
            let float: Vec<f64> = drive.iter().map(|&v| (v as f64 * scale).max(0.0)).collect();
            let seen: Vec<(f64, f64)> = float.iter().zip(&drive).map(|(&a, &v)| (a, v as f64)).collect();
            let found = best(&seen, scale, &Aim { timesteps, ..AIM });
            let least = (1..8000).map(|t| error(&float, &drive, t, scale, timesteps)).fold(f64::MAX, f64::min);
            let got = error(&float, &drive, found.unwrap(), scale, timesteps);
            assert!(got <= least * 1.08 + 1e-9, "T={timesteps}: {got} against {least}");
        }
    }

    /// The choice for images ends where it was measured: up to 8, up to 24, and beyond; neurons without pixels have no neighbours in whose
    /// windows errors could add up, and two pixels have.
    #[test]
    fn clipping_weighs_by_time_steps_and_only_where_there_are_pixels() {
        for (timesteps, weight) in [(1, 3.0), (8, 3.0), (9, 2.0), (24, 2.0), (25, 1.0), (255, 1.0)] {
            assert_eq!([2, 64].map(|pixels| clipped(timesteps, pixels)), [weight; 2], "{timesteps} steps");
            assert_eq!(clipped(timesteps, 1), 1.0, "{timesteps} steps, one pixel");
        }
    }

    /// A long tail: where what is clipped weighs more, a threshold that clips less of it is worth some rounding.
    #[test]
    fn thresholds_clip_less_where_that_weighs_more() {
        let rng = &mut ChaCha8Rng::seed_from_u64(2);
        let drive = Array2::from_shape_simple_fn((1000, 4), || -rng.random_range(1e-6..1.0f64).ln() * 300.0);
        let float = drive.mapv(|v: f64| v.max(0.0) as f32);
        let aim = |clipped| Aim { pixels: 4, timesteps: 8, clipped, ..AIM };
        let theta = |clipped| thresholds(&float, &drive, &[1.0], &aim(clipped))[0] as f64;
        let (more, less, plain) = (theta(clipped(8, 4)), theta(clipped(16, 4)), theta(clipped(8, 1)));
        assert!(more > 1.02 * less && less > 1.02 * plain, "{more}, {less}, {plain}");
    }

    #[test]
    fn a_silent_neuron_takes_the_median_of_the_others() {
        let float = ndarray::array![[0.0, 8.0, 2.0, 4.0], [0.0, 4.0, 1.0, 2.0]];
        let drive = ndarray::array![[-5.0, 800.0, 100.0, 100.0], [-9.0, 400.0, 50.0, 50.0]];
        let scale = [0.5, 0.01, 0.02, 0.04];
        let theta = thresholds(&float, &drive, &scale, &Aim { timesteps: 2, ..AIM });
        let step = |n: usize| theta[n] as f64 * scale[n];
        assert!((step(0) - step(3)).abs() <= 0.25, "{theta:?}");
        let silent = thresholds(&float, &drive.mapv(|v: f64| -v.abs()), &scale, &Aim { timesteps: 2, ..AIM });
        assert_eq!(silent, [9, 800, 100, 100]);
    }

    /// The largest drive is 300 times the clip, far beyond what the candidates below the largest membrane reach.
    #[test]
    fn the_threshold_of_a_clipped_activation_is_found_far_below_the_largest_membrane() {
        let (scale, ceiling, timesteps) = (0.01, 1.0, 16);
        let drive: Vec<i64> = (0..300).map(|i| if i % 2 == 0 { i } else { 100 * i }).collect();
        let float: Vec<f64> = drive.iter().map(|&v| (v as f64 * scale).clamp(0.0, ceiling)).collect();
        let seen: Vec<(f64, f64)> = float.iter().zip(&drive).map(|(&a, &v)| (a, v as f64)).collect();
        let least = (1..2000).map(|t| error(&float, &drive, t, scale, timesteps)).fold(f64::MAX, f64::min);
        let found = best(&seen, scale, &Aim { timesteps, ceiling, ..AIM }).unwrap();
        let got = error(&float, &drive, found, scale, timesteps);
        assert!(got <= least * 1.08 + 1e-9, "theta {found}: {got} against {least}");
    }
}
