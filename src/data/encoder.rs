//! Pixels as spike trains.

use super::Images;
use crate::ir::quant::{Input, QuantGraph};

/// Image `index` as `net` reads it: pixel codes, or where pixels are encoded, a spike train `[phases, pixels]`.
///
/// # Panics
/// If `index` is not below [`Images::len`].
pub fn presented(images: &Images, index: usize, net: &QuantGraph) -> Vec<i64> {
    let codes = images.codes(index, &net.pixels);
    match net.input {
        Input::Constant | Input::Train { .. } => codes,
        Input::Encoded => encode_spikes(&codes, net.pixels.max(), net.phases() as usize),
    }
}

/// The integer integrate-and-fire encoder of [`crate::ir::quant::Input::Encoded`]: in each of `steps` steps every pixel adds its code to
/// an accumulator that begins at 0, and sends a spike and loses `max` where that has reached `max`. A pixel of `code` so sends
/// `floor(steps·code / max)` spikes, evenly spaced.
///
/// `codes` are `0..=max`, with `max >= 1`. The result is `[steps, pixels]`, row-major, of 0 and 1.
pub fn encode_spikes(codes: &[i64], max: i64, steps: usize) -> Vec<i64> {
    let mut accumulator = vec![0i64; codes.len()];
    let mut spikes = Vec::with_capacity(codes.len().saturating_mul(steps));
    for _ in 0..steps {
        for (sum, code) in accumulator.iter_mut().zip(codes) {
            *sum += code;
            let spike = *sum >= max;
            *sum -= if spike { max } else { 0 };
            spikes.push(i64::from(spike));
        }
    }
    spikes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_pixel() {
        let codes = [0, 1, 64, 127, 128, 255];
        let spikes = encode_spikes(&codes, 255, 16);
        let count = |pixel: usize| spikes.iter().skip(pixel).step_by(codes.len()).sum::<i64>();
        assert_eq!((0..6).map(count).collect::<Vec<_>>(), [0, 0, 4, 7, 8, 16]);
        let train = |pixel: usize| spikes.iter().skip(pixel).step_by(codes.len()).copied().collect::<Vec<_>>();
        // 64·4 = 256 passes 255 for the first time; 128·2 likewise.
        assert_eq!(train(2)[..9], [0, 0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(train(4)[..4], [0, 1, 0, 1]);
    }
}
