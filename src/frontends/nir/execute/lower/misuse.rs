//! What a neuron's notes and parameters ask for in vain.

use super::Builder;
use crate::frontends::nir::convention::Notes;
use crate::frontends::nir::dialect::Dialect;
use crate::frontends::nir::kind::Kind;

impl Builder<'_> {
    /// Notes and parameters that this kind of neuron, or this dialect, cannot honour.
    pub(super) fn misused(&self, notes: &Notes) -> Vec<String> {
        let (kind, dialect) = (self.unit.kind, self.timing.dialect);
        let mut wrong = Vec::new();
        if notes.two_phase.is_some() && kind != Kind::If {
            wrong.push("only an IF can fire in two phases".into());
        }
        if !kind.fires() && (notes.subtract.is_some() || notes.subtrahend.is_some() || notes.at_threshold.is_some()) {
            wrong.push(format!("{kind} does not fire, so it has no reset and no comparison"));
        }
        let leaks = self.param("v_leak", 0.0).is_ok_and(|leak| !leak.all(|v| v == 0.0));
        if leaks && matches!(dialect, Dialect::Snntorch | Dialect::Sinabs) {
            wrong.push(format!("{dialect} knows no 'v_leak' other than 0; use the dialect nir"));
        }
        if dialect == Dialect::Sinabs && matches!(kind, Kind::CubaLi | Kind::CubaLif) {
            wrong.push(format!("sinabs reads no {kind}; use the dialect nir"));
        }
        if notes.truncate && matches!(kind, Kind::I | Kind::If) {
            wrong.push(format!("{kind} has no decay that could be truncated"));
        }
        if notes.truncate && dialect != Dialect::Nir {
            wrong.push(format!("truncated decays follow NIR's equations, not those of {dialect}; use the dialect nir"));
        }
        if !kind.fires() && (notes.spikes.is_some() || notes.floor.is_some()) {
            wrong.push(format!("{kind} does not fire, so 'synfire_spikes' and 'synfire_floor' mean nothing"));
        }
        if notes.two_phase.is_some() && (notes.spikes.is_some() || notes.floor.is_some()) {
            wrong.push("'synfire_spikes' and 'synfire_floor' speak of a step, and two-phase firing knows none".into());
        }
        if notes.spikes.is_some() && !self.subtracts(notes) {
            wrong.push("several spikes in a step need a reset by subtraction".into());
        }
        if notes.subtrahend.is_some() {
            if notes.subtract != Some(true) {
                wrong.push("'synfire_subtract' has a meaning beside synfire_reset = 'subtract' only".into());
            }
            if dialect == Dialect::Sinabs || notes.two_phase.is_some() || notes.spikes.is_some() {
                wrong.push(
                    "neurons that fire several times at once subtract their threshold, not 'synfire_subtract'".into(),
                );
            }
        }
        if notes.limits.is_some() && notes.two_phase.is_some() {
            wrong.push(
                "a membrane with limits depends on the order of its input, which two-phase firing leaves open".into(),
            );
        }
        wrong
    }
}
