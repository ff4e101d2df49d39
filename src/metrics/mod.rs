//! NeuroBench's metrics (definitions of version 2.3) of an integer network, per layer, and what one pass of the networks that it
//! competes with would cost.
//!
//! A *layer* is a population with the projections into it. A *call* presents one image for one phase to a projection:
//!
//! | coding | calls per image | what a call sees |
//! |---|---|---|
//! | graded | 1 | spike counts |
//! | rate | `T` | the spikes of one time step; the image itself in every one |
//! | unit | `T` behind neurons, in call `t` the spike of each neuron with `n ≥ t`; 1 behind the source and pools, which send graded events | spikes, or payloads |
//!
//! - **Effective operations** of a call: `Σ 1[x≠0]·1[w≠0]` over its synapses. Taps in the padding are no synapses; biases do not
//!   count. They are accumulations (*ACs*) if all inputs of the call are in {-1, 0, 1}, else multiply-accumulations (*MACs*).
//!   Inputs are the integers that travel, so a black-and-white image counts as AC only if its pixel codes are 0 and 1. NeuroBench
//!   classifies a batch as a whole: this is its answer at a batch size of 1.
//! - **Dense operations**: synapses times calls.
//! - **Activation sparsity**: share of zeros in the outputs of all calls. Of neurons that fire only; NeuroBench does not look at
//!   the image, at pools and at a readout.
//! - **Membrane updates**: every neuron in an image's first call, and in each later one the neurons whose membrane changed. In unit
//!   coding the first call integrates the whole image and fires once, the later ones only fire. The readout has membranes and counts.
//! - **Footprint**: bytes of parameters and buffers, see `footprint.rs`.
//! - **Pools** are no connection layer to NeuroBench and have no operations there; what they do is reported apart (`pool_operations`)
//!   and is in no sum. Skip connections are synapses here, with weights of their own, and count as the depthwise convolutions they are.
//!
//! Beside them stand the operations of one pass of the float network (the synapses, each once) and of a quantised network whose
//! activations have `⌈log2(T+1)⌉` bits: the non-zero weights that the same non-zero activations meet, once an image.

mod footprint;
mod meter;
mod report;
mod updates;
mod wiring;

pub use footprint::Footprint;
pub use meter::{Meter, Operations, PopulationTally, ProjectionTally, Tally};
pub use report::{ConnectionMetrics, LayerMetrics, Metrics, NOTE, Totals};

/// The `sample` of `images` images that is measured: spread evenly, because test sets may be sorted by class.
pub fn spread(images: usize, sample: usize) -> Vec<usize> {
    let sample = sample.min(images);
    // In 128 bits: nobody has as many images, but the product has no business overflowing.
    (0..sample).map(|i| (i as u128 * images as u128 / sample as u128) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn a_sample_is_spread_and_never_larger_than_the_set() {
        assert_eq!(spread(10, 4), [0, 2, 5, 7]);
        assert_eq!(spread(3, 200), [0, 1, 2]);
        assert_eq!(spread(3, 0), Vec::<usize>::new());
    }
}
