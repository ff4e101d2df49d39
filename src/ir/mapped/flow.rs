//! What flows through a network whose units are connected: whose ids stand on which wires, and whether these are wide enough.

use super::{Core, Fire, MappedNet, Stream, StreamId, UnitKind};
use crate::error::Problem;
use crate::fixed::{signed_bits, unsigned_bits};
use crate::ir::PopId;

impl MappedNet {
    /// Follows the populations' ids from unit to unit, and compares the wires with what they must carry.
    pub(super) fn check_flow(&self, problems: &mut Vec<Problem>) {
        // The senders of each stream, in the order of their ids, and how many phases old their events are. Units stand in
        // topological order, but for the senders of queues.
        let mut senders: Vec<Vec<(PopId, u32)>> = vec![Vec::new(); self.streams.len()];
        senders[self.input().0] = vec![(PopId(0), 0)];
        let (least, greatest) = self.quant.payload_range(PopId(0));
        let signed = least < 0;
        let pixels = if signed { signed_bits(least, greatest) } else { unsigned_bits(greatest.unsigned_abs()) };
        let input = self.stream(self.input());
        if input.population != PopId(0) || input.signed != signed || input.value_bits < pixels {
            let what = format!("does not carry the image, whose pixels have {pixels} bits");
            problems.push(Problem::new(what).at_node(&input.name));
        }
        for unit in &self.units {
            let mut complain = |what: String| problems.push(Problem::new(what).at_node(&unit.name));
            let inputs: Vec<&Stream> = unit.inputs.iter().map(|&s| self.stream(s)).collect();
            let outputs: Vec<&Stream> = unit.outputs.iter().map(|&s| self.stream(s)).collect();
            let arriving: Vec<Vec<(PopId, u32)>> = unit.inputs.iter().map(|s| senders[s.0].clone()).collect();
            let leaving = match &unit.kind {
                UnitKind::Core(core) => {
                    core_flow(core, &inputs, &outputs).into_iter().for_each(&mut complain);
                    let projections = core.projections.iter().map(|&p| &self.quant.projection(p).projection);
                    if !projections.map(|p| (p.pre, p.delay)).eq(arriving.concat()) {
                        complain("does not receive its projections' senders in the order of its input ids".into());
                    }
                    vec![(core.population, 0)]
                }
                UnitKind::Queue { depth } => {
                    self.queue_flow(*depth, &inputs, &outputs).into_iter().for_each(&mut complain);
                    // Who sends may stand further on: see below.
                    inputs.iter().map(|s| (s.population, 1)).collect()
                }
                UnitKind::Fork => {
                    let same = |s: &&Stream| {
                        inputs
                            .iter()
                            .all(|i| (i.id_bits, i.value_bits, i.signed) == (s.id_bits, s.value_bits, s.signed))
                    };
                    if !outputs.iter().all(same) {
                        complain("has streams whose widths do not fit together".into());
                    }
                    arriving.concat()
                }
                UnitKind::Merge { bases } => {
                    let fits = |o: &&Stream, i: &&Stream| {
                        o.id_bits >= i.id_bits
                            && o.value_bits >= i.value_bits + u32::from(o.signed && !i.signed)
                            && o.signed >= i.signed
                    };
                    if !outputs.iter().all(|o| inputs.iter().all(|i| fits(o, i))) {
                        complain("has streams whose widths do not fit together".into());
                    }
                    // Behind a merge stands the core that reads it, and it knows where its senders' ids begin.
                    let reader = outputs.first().and_then(|s| s.to).map(|port| &self.unit(port.unit).kind);
                    let expected = match reader {
                        Some(UnitKind::Core(core)) if core.mode.is_window() => {
                            core.fields.iter().map(|input| u64::from(input.base)).collect()
                        }
                        _ => self.bases(&arriving),
                    };
                    if !bases.iter().map(|&b| u64::from(b)).eq(expected.iter().copied()) {
                        complain(format!("has the bases {bases:?}, its inputs' populations need {expected:?}"));
                    }
                    arriving.concat()
                }
            };
            for s in &unit.outputs {
                senders[s.0].clone_from(&leaving);
            }
        }
        for unit in self.units.iter().filter(|unit| matches!(unit.kind, UnitKind::Queue { .. })) {
            let claimed = |s: &StreamId| senders[s.0] == [(self.stream(*s).population, 0)];
            if !unit.inputs.iter().all(claimed) {
                problems.push(Problem::new("does not delay the one population that it says").at_node(&unit.name));
            }
        }
        for (stream, senders) in self.streams.iter().zip(&senders) {
            let needed = self.merged_id_bits(stream).unwrap_or_else(|| stream.layout.id_bits());
            if stream.id_bits < needed {
                let what = format!("has {}-bit ids, its senders need {needed}", stream.id_bits);
                problems.push(Problem::new(what).at_node(&stream.name));
            }
            problems.extend(self.layout_problem(stream, senders).map(|what| Problem::new(what).at_node(&stream.name)));
        }
    }

    /// A queue has room for a whole phase, and what arrives leaves as it is.
    fn queue_flow(&self, depth: u32, inputs: &[&Stream], outputs: &[&Stream]) -> Vec<String> {
        let mut problems = Vec::new();
        let format = |s: &Stream| (s.population, s.id_bits, s.value_bits, s.signed, s.layout);
        if !inputs.iter().all(|i| outputs.iter().all(|o| format(i) == format(o))) {
            problems.push("has streams whose widths do not fit together".into());
        }
        for &population in inputs.iter().map(|s| &s.population) {
            let neurons = self.quant.population(population).shape.len() as u64;
            if u64::from(depth) <= neurons {
                problems.push(format!("holds {depth} beats, and a phase has up to {}", neurons.saturating_add(1)));
            }
            if self.quant.max_per_phase(population) > self.quant.max_payload(population) {
                problems.push("delays a population whose neurons send several events in a phase".into());
            }
        }
        problems
    }

    /// Number of ids of populations that lie side by side.
    fn ids(&self, senders: &[(PopId, u32)]) -> u64 {
        senders.iter().map(|&(p, _)| self.quant.population(p).shape.len() as u64).sum()
    }

    /// The first id of each input of a merge.
    fn bases(&self, inputs: &[Vec<(PopId, u32)>]) -> Vec<u64> {
        let next = |base: &mut u64, senders: &Vec<(PopId, u32)>| {
            let first = *base;
            *base += self.ids(senders);
            Some(first)
        };
        inputs.iter().scan(0, next).collect()
    }
}

/// The streams of a core: it reads exactly its payload width, and its wires are as wide as what it sends.
fn core_flow(core: &Core, inputs: &[&Stream], outputs: &[&Stream]) -> Vec<String> {
    let mut problems = Vec::new();
    if inputs.iter().any(|s| s.value_bits != core.value_bits || s.signed != core.value_signed) {
        problems.push("has streams whose widths do not fit together".into());
    }
    let (signed, value_bits) = match core.fire {
        Fire::Readout | Fire::LeakyReadout => (true, core.membrane_bits),
        Fire::Relay => (false, core.membrane_bits.saturating_sub(1).max(1)),
        Fire::Leaky => (false, 1),
        Fire::Count { bits, .. } | Fire::Multi { bits, .. } => (false, bits),
        Fire::Unit { .. } | Fire::Step => (false, 1),
    };
    for s in outputs {
        if (s.signed, s.value_bits) != (signed, value_bits) {
            let kind = |signed| if signed { "signed" } else { "unsigned" };
            let (has, needs) = (kind(s.signed), kind(signed));
            problems.push(format!("sends {has} values of {} bits, not {needs} ones of {value_bits}", s.value_bits));
        }
        if s.population != core.population {
            problems.push("sends on a stream of another population".into());
        }
    }
    problems
}
