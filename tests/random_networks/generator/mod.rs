//! Random networks over the whole vocabulary, as recipes that can be written to a file and made smaller.
//!
//! | file | does |
//! |---|---|
//! | `recipe` | everything that makes a network, its layout and its stimulus, but for numbers drawn from seeds |
//! | `draw` | a seed → a recipe |
//! | `parameters` | a recipe → the integer networks of its runs: weights, thresholds, decays, ranges |
//! | `handmade` | recipes of known networks |
//! | `layout` | these → cores in the recipe's modes, one structure for all runs; their images |
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of the generator")]

mod draw;
mod handmade;
mod layout;
mod parameters;
mod recipe;

pub use draw::draw;
pub use handmade::{dense, late_fields, resnet, single_conv, vectors};
pub use layout::{images, realise};
pub use parameters::quants;
pub use recipe::{Fault, Kind, Layer, Layout, Link, Recipe, Run, Style, Synapse, Taps};
