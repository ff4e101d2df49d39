//! What neurons could not do for want of room: three different things, each of neurons of its own kind.

use std::iter::Sum;
use std::ops::AddAssign;

/// How often neurons were kept from what their equations without bounds say. A population's neurons are of one kind, so of one
/// population at most one of the figures is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saturations {
    /// Activations clipped at `T` spikes: neurons of a converted network that could have fired once more at the end of an image. What
    /// is in their membranes is exact: [`crate::ir::quant::QuantGraph::prove_range`] holds for any input.
    pub clipped: u64,
    /// Steps of a neuron in which it held more spikes than it may send in one; it sends them later.
    pub held_back: u64,
    /// Steps of a leaky neuron in which its membrane was clamped to its limits; what was beyond is lost.
    pub clamped: u64,
}

impl Saturations {
    /// All three together.
    pub fn total(self) -> u64 {
        self.clipped + self.held_back + self.clamped
    }
}

impl AddAssign for Saturations {
    fn add_assign(&mut self, other: Saturations) {
        self.clipped += other.clipped;
        self.held_back += other.held_back;
        self.clamped += other.clamped;
    }
}

impl<'a> Sum<&'a Saturations> for Saturations {
    fn sum<I: Iterator<Item = &'a Saturations>>(each: I) -> Saturations {
        each.fold(Saturations::default(), |mut sum, one| {
            sum += *one;
            sum
        })
    }
}
