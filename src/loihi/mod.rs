//! Loihi 2 by its published equations, and converted networks evaluated by them.
//!
//! | module | holds |
//! |---|---|
//! | [`fields`] | the register fields of a Loihi 2 neuron; values that do not fit are refused |
//! | [`lif`] | the bit-accurate leaky integrate-and-fire neuron and its ternary variant |
//! | [`dense`] | what the synapses make of a weight matrix |
//! | `leaky` | leaky populations in those fields |
//! | [`network`] | which populations of a [`QuantGraph`](crate::ir::quant::QuantGraph) map onto those fields, and what they answer |
//!
//! Nothing here looks at the other models of the network: this is a second opinion on the integers, drawn from
//! equations that were published for other hardware.

pub mod dense;
pub mod fields;
mod leaky;
pub mod lif;
pub mod network;
