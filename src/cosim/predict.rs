//! What the driver needs from a model of the hardware.

use super::simulation::CoreCycles;
use crate::golden::cycle::{Border, CycleModel, Firing, FiringKind, MemoryTiming, State};
use crate::ir::mapped::UnitId;
use crate::ir::stream::Wires;

/// A model that predicts every cycle of the design, beginning with the first after reset.
pub trait Predictor {
    /// Says how the memory of external weights takes its time, before the first cycle.
    fn set_memory(&mut self, _timing: MemoryTiming) {}

    /// Advances by a cycle and returns the wires of every stream in it, ordered as in `MappedNet::streams`, and those of the requests of
    /// external weights if the network has such.
    fn cycle(&mut self, border: &Border) -> &[Wires];

    /// The cores that began or ended firing in the cycle just returned.
    fn firing(&self) -> &[Firing];

    /// The state of a core's neurons at its latest event of this kind; `None` if it cannot be compared.
    fn state(&self, unit: UnitId, kind: FiringKind, state: State) -> Option<&[i64]>;

    /// How a core spent the cycles since reset; `None` if the model does not count them.
    fn counters(&self, unit: UnitId) -> Option<CoreCycles>;
}

impl Predictor for CycleModel {
    fn set_memory(&mut self, timing: MemoryTiming) {
        CycleModel::set_memory(self, timing);
    }

    fn cycle(&mut self, border: &Border) -> &[Wires] {
        CycleModel::cycle(self, border)
    }

    fn firing(&self) -> &[Firing] {
        CycleModel::firing(self)
    }

    fn state(&self, unit: UnitId, kind: FiringKind, state: State) -> Option<&[i64]> {
        CycleModel::state(self, unit, kind, state)
    }

    fn counters(&self, unit: UnitId) -> Option<CoreCycles> {
        let counters = CycleModel::counters(self, unit);
        Some(CoreCycles { active: counters.active, stalled: counters.stalled })
    }
}
