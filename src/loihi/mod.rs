//! Loihi 2 by its published equations, and converted networks evaluated by them.
//!
//! | module | holds |
//! |---|---|
//! | [`fields`] | the register fields of a Loihi 2 neuron; values that do not fit are refused |
//! | [`lif`] | the bit-accurate leaky integrate-and-fire neuron and its ternary variant |
//! | `storage` | how the synapses store weights and shift sums |
//! | [`dense`] | what they make of a weight matrix |
//! | `conv` | and of weights that all pixels share: convolutions, and projections channel by channel |
//! | `projection` | a projection of any kind |
//! | `leaky` | leaky populations in the neuron's fields |
//! | `graded` | the neuron that passes on sums |
//! | `plan` | a population in these terms, or what does not fit |
//! | `overflow` | what could leave the registers |
//! | [`network`] | which populations of a [`QuantGraph`](crate::ir::quant::QuantGraph) map onto those fields, and what they answer |
//!
//! Nothing here looks at the other models of the network: this is a second opinion on the integers, drawn from
//! equations that were published for other hardware.

mod conv;
pub mod dense;
pub mod fields;
mod graded;
mod leaky;
pub mod lif;
pub mod network;
mod overflow;
mod plan;
mod projection;
mod storage;
