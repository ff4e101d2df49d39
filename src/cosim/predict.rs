//! What the driver needs from a model of the hardware.

use super::simulation::CoreCycles;
use crate::golden::cycle::{Border, CycleModel, Firing, FiringKind};
use crate::ir::mapped::UnitId;
use crate::ir::stream::Wires;

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

impl Predictor for CycleModel {
    fn cycle(&mut self, border: &Border) -> &[Wires] {
        CycleModel::cycle(self, border)
    }

    fn firing(&self) -> &[Firing] {
        CycleModel::firing(self)
    }

    fn membranes(&self, unit: UnitId, kind: FiringKind) -> Option<&[i64]> {
        CycleModel::membranes(self, unit, kind)
    }

    fn counters(&self, unit: UnitId) -> Option<CoreCycles> {
        let counters = CycleModel::counters(self, unit);
        Some(CoreCycles { active: counters.active, stalled: counters.stalled })
    }
}
