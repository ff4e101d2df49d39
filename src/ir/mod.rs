//! The intermediate representations, the ground floor of the crate.
//!
//! | stage | type | numbers | says |
//! |---|---|---|---|
//! | `graph` | [`graph::Graph`] | float | which operators the model file holds |
//! | `snn` | [`snn::SnnGraph`] | float | populations of neurons and the projections between them |
//! | `quant` | [`quant::QuantGraph`] | integer | the network, exactly: this *defines* what every later stage computes |
//! | `mapped` | [`mapped::MappedNet`] | integer | cores, streams, widths and memory layout |
//!
//! A pass reads one stage and writes the next. Each type has a `check()` that lists every broken guarantee, and a
//! `dump()` whose text is stable.

pub mod graph;
pub mod layout;
pub mod mapped;
pub mod quant;
mod runs;
pub mod snn;
pub mod stream;
pub mod window;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The extent of an activation without its batch axis: `[N]` or `[C, H, W]`, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// Number of elements; saturates instead of overflowing.
    pub fn len(&self) -> usize {
        self.0.iter().fold(1usize, |n, &d| n.saturating_mul(d))
    }

    /// True if some extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of channels: the first extent.
    pub fn channels(&self) -> usize {
        self.0.first().copied().unwrap_or(1)
    }

    /// The extent as `[C, H, W]`: a vector is `N` channels of one pixel, and missing axes have extent 1. `None` for more than
    /// three axes.
    pub fn image(&self) -> Option<[usize; 3]> {
        match *self.0.as_slice() {
            [] => Some([1, 1, 1]),
            [n] => Some([n, 1, 1]),
            [c, w] => Some([c, 1, w]),
            [c, h, w] => Some([c, h, w]),
            _ => None,
        }
    }

    /// The channel that element `index` (row-major) belongs to.
    pub fn channel_of(&self, index: usize) -> usize {
        let per_channel = self.len() / self.channels().max(1);
        index.checked_div(per_channel).unwrap_or(0)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[")?;
        for (i, d) in self.0.iter().enumerate() {
            write!(f, "{}{d}", if i > 0 { ", " } else { "" })?;
        }
        write!(f, "]")
    }
}

/// Index of a population in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PopId(pub usize);

/// Index of a projection in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjId(pub usize);
