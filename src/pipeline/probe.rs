//! What a network is presented while it is compiled.

use crate::data::Samples;
use crate::fixed::grouped;
use crate::ir::PopId;
use crate::ir::quant::QuantGraph;
use crate::settings::Settings;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random samples. They stand in for real ones where the mapper weighs events, and fill the bench.
const RANDOM_SAMPLES: usize = 4;
/// Codes of all of them together, unless a single one has more.
const MOST_CODES: usize = 1 << 24;
/// Share of the inputs that are not silent, in each step or, where pixels do not change, in each sample: that of sparse images and of
/// busy event cameras.
const DENSITY: f64 = 0.125;

/// Samples of what a network will read.
pub(super) enum Probe {
    /// Real ones.
    Given(Samples),
    /// Codes of random ones.
    Random(Vec<Vec<i64>>),
}

impl Probe {
    /// Random samples, the same for the same network.
    pub fn random(net: &QuantGraph) -> Probe {
        let rng = &mut ChaCha8Rng::seed_from_u64(0);
        let (_, most) = net.payload_range(PopId(0));
        let mut code = || if rng.random_bool(DENSITY) { rng.random_range(1..=most.max(1)) } else { 0 };
        let mut sample = || (0..net.codes_per_image()).map(|_| code()).collect();
        let count = (MOST_CODES / net.codes_per_image().max(1)).clamp(1, RANDOM_SAMPLES);
        Probe::Random((0..count).map(|_| sample()).collect())
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Probe::Given(samples) => samples.len(),
            Probe::Random(samples) => samples.len(),
        }
    }

    /// Sample `index` as the network reads it.
    pub fn codes(&self, index: usize, net: &QuantGraph) -> Vec<i64> {
        match self {
            Probe::Given(samples) => samples.codes(index, net),
            Probe::Random(samples) => samples.get(index).cloned().unwrap_or_default(),
        }
    }
}

/// Says that not all of the samples given are used.
pub(super) fn left_out(given: usize, settings: &Settings) -> Option<String> {
    let (limit, given) = (settings.calibration_limit, given as u64);
    let used = grouped(limit as u64);
    (given > limit as u64)
        .then(|| format!("uses the first {used} of the {} samples given (calibration-limit)", grouped(given)))
}
