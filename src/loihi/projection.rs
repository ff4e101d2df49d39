//! A projection of any kind on Loihi 2.

use super::conv::Conv;
use super::dense::Dense;
use crate::error::Result;
use crate::ir::snn::Synapses;

/// Synapses as Loihi 2 stores them, such that every sum is exact.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    /// A matrix.
    Dense(Dense),
    /// Weights that all pixels share.
    Conv(Conv),
}

impl Delivery {
    /// Stores `synapses`.
    ///
    /// # Errors
    /// If they are not sound or some weight does not fit, in words that continue "the projection".
    pub fn exact(synapses: &Synapses<i32>) -> std::result::Result<Self, String> {
        if let Some(problem) = synapses.problem() {
            return Err(problem);
        }
        let stored = match synapses {
            Synapses::Dense { weight } => Dense::exact(weight.view()).map(Delivery::Dense),
            Synapses::Conv { weight, window, groups } => {
                Conv::grouped(weight.view(), window, *groups).map(Delivery::Conv)
            }
            Synapses::Channelwise { weight, window, from, to } => {
                Conv::channelwise(weight.view(), window, *from, *to).map(Delivery::Conv)
            }
        };
        stored.map_err(|why| format!("holds {why}"))
    }

    /// What each receiver gets for the payloads `x` of the senders.
    ///
    /// # Errors
    /// If `x` does not have one payload per sender.
    pub fn deliver(&self, x: &[i64]) -> Result<Vec<i64>> {
        match self {
            Delivery::Dense(dense) => dense.deliver(x),
            Delivery::Conv(conv) => conv.deliver(x),
        }
    }
}

/// Adds to `reach` (least and greatest sum of each receiver, at any time while its events come in) what `synapses` can deliver for payloads
/// within `x`. Receivers at the border of an image count as if all their taps lay inside, which only widens the interval.
pub(super) fn add_reach(synapses: &Synapses<i32>, x: (i64, i64), reach: &mut [(i64, i64)]) {
    let ends = |weights: ndarray::iter::Iter<'_, i32, ndarray::IxDyn>| {
        weights.fold((0i64, 0i64), |(low, high), &w| {
            let ends = [i64::from(w) * x.0, i64::from(w) * x.1];
            (low + ends[0].min(ends[1]).min(0), high + ends[0].max(ends[1]).max(0))
        })
    };
    // The receivers that each set of weights serves: a neuron, or all pixels of a channel.
    let (first, pixels) = match synapses {
        Synapses::Dense { .. } => (0, 1),
        Synapses::Conv { window, .. } => (0, window.output[1] * window.output[2]),
        Synapses::Channelwise { window, to, .. } => {
            let pixels = window.output[1] * window.output[2];
            (to * pixels, pixels)
        }
    };
    let mut receivers = reach.get_mut(first..).unwrap_or_default().chunks_mut(pixels.max(1));
    let mut widen = |(low, high): (i64, i64)| {
        for sum in receivers.next().into_iter().flatten() {
            *sum = (sum.0 + low, sum.1 + high);
        }
    };
    match synapses {
        Synapses::Dense { weight } => weight.outer_iter().for_each(|w| widen(ends(w.into_dyn().iter()))),
        Synapses::Conv { weight, .. } => weight.outer_iter().for_each(|w| widen(ends(w.into_dyn().iter()))),
        Synapses::Channelwise { weight, .. } => weight.outer_iter().for_each(|w| widen(ends(w.into_dyn().iter()))),
    }
}
