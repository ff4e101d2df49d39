//! What the driver needs from a model of the hardware.

use super::simulation::CoreCycles;
use crate::ir::mapped::UnitId;
use crate::ir::stream::{Beat, Wires};

/// What the outside drives at the border of the network in one cycle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// The beat offered to the network; `None` drives `valid` low.
    pub input: Option<Beat>,
    /// `ready` of the network's output.
    pub output_ready: bool,
}

/// The two ends of firing ("Membrane snapshots" in `ARCHITECTURE.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiringKind {
    /// `FIRE(0)` occupies stage A for the first time; the membranes meant are those visible in this cycle.
    Began,
    /// The last cycle of the last group's FIRE occupies stage A; the membranes meant are those visible in the next cycle.
    Ended,
}

/// A core began or ended firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The core.
    pub unit: UnitId,
    /// Began or ended.
    pub kind: FiringKind,
    /// Phase of the image, from 0.
    pub phase: u32,
    /// Image since reset, from 0.
    pub image: u64,
}

/// A model that predicts every cycle of the design, beginning with the first after reset.
pub trait Predictor {
    /// Advances by a cycle and returns the wires of every stream in it, ordered as in `MappedNet::streams`.
    fn cycle(&mut self, border: &Border) -> &[Wires];

    /// The cores that began or ended firing in the cycle just returned.
    fn firing(&self) -> &[Firing];

    /// The membranes of a core's neurons at its latest event of this kind; `None` if they cannot be compared.
    fn membranes(&self, unit: UnitId, kind: FiringKind) -> Option<&[i64]>;

    /// How a core spent the cycles since reset; `None` if the model does not count them.
    fn counters(&self, unit: UnitId) -> Option<CoreCycles>;
}
