//! Weights outside the design: which cores have them there, and the one port that these share
//! (`ARCHITECTURE.md`, "External weights").

use super::{Core, MappedNet, UnitId};
use crate::fixed::unsigned_bits;
use serde::{Deserialize, Serialize};

/// Ops that the queue of a core with external weights holds, and answers that it stores; a power of two.
pub const FETCH_QUEUE: usize = 32;

/// Requests that may be unanswered at the port; a power of two.
pub const PORT_FLIGHTS: usize = 64;

/// Where a core's weights are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "weights", rename_all = "snake_case")]
pub enum Weights {
    /// In the core's own memory.
    #[default]
    Internal,
    /// In the memory behind the port of the top.
    External {
        /// The word of that memory in which the core's first weight word stands.
        base: usize,
    },
}

impl Weights {
    /// True if they are in the core's own memory.
    pub fn is_internal(&self) -> bool {
        *self == Weights::Internal
    }
}

/// The port to the external memory, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightPort {
    /// The cores that read through it, in order.
    pub cores: Vec<UnitId>,
    /// Bits of a word of the memory; a power of two, at least 8.
    pub word_bits: usize,
    /// Words that are used.
    pub words: usize,
}

impl WeightPort {
    /// Bits of an address.
    pub fn addr_bits(&self) -> u32 {
        unsigned_bits(self.words.saturating_sub(1) as u64)
    }

    /// Bytes of the image.
    pub fn bytes(&self) -> usize {
        self.words.saturating_mul(self.word_bits / 8)
    }
}

impl MappedNet {
    /// The port to the external weights; `None` if all cores have theirs inside.
    pub fn weight_port(&self) -> Option<WeightPort> {
        let outside = || self.cores().filter(|(_, _, core)| !core.weights.is_internal());
        let widest = outside().map(|(_, _, core)| core.weight_word_bits()).max()?;
        let end = |core: &Core| match core.weights {
            Weights::Internal => 0,
            Weights::External { base } => base.saturating_add(core.weight_words()),
        };
        Some(WeightPort {
            cores: outside().map(|(id, ..)| id).collect(),
            word_bits: widest.max(8).checked_next_power_of_two().unwrap_or(widest),
            words: outside().map(|(_, _, core)| end(core)).max()?,
        })
    }

    /// Lays the weights of the cores that have them outside one behind the other.
    pub fn place_weights(&mut self) {
        let mut next = 0usize;
        for unit in &mut self.units {
            if let super::UnitKind::Core(core) = &mut unit.kind
                && !core.weights.is_internal()
            {
                core.weights = Weights::External { base: next };
                next = next.saturating_add(core.weight_words());
            }
        }
    }

    /// What is wrong with where the cores' weights are: the unit's name, and what.
    pub(super) fn weight_problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut next = 0usize;
        for (_, unit, core) in self.cores() {
            let Weights::External { base } = core.weights else { continue };
            let mut complain = |what: String| problems.push((unit.name.clone(), what));
            if !core.mode.is_event() {
                complain("has external weights, which only event cores read".into());
            }
            if base != next {
                complain(format!("has its external weights from word {base}, {next} expected"));
            }
            next = base.saturating_add(core.weight_words());
            if u32::try_from(next).is_err() {
                complain("has external weights beyond 2^32 words".into());
            }
        }
        problems
    }
}
