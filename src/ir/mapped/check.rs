//! The guarantees of a laid out network.

use super::{Core, Fire, MAX_PARALLEL, MappedNet, Port, StreamId, Unit, UnitId, UnitKind};
use crate::error::Problem;
use crate::fixed::{signed_bits, unsigned_bits};
use crate::ir::quant::{Coding, Neuron};
use std::collections::BTreeSet;

impl MappedNet {
    /// Every broken guarantee.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.quant.check();
        if !problems.is_empty() {
            return problems;
        }
        let names = self.units.iter().map(|u| &u.name).chain(std::iter::once(&self.top));
        check_names("unit", names, &mut problems);
        check_names("stream", self.streams.iter().map(|s| &s.name), &mut problems);
        let before = problems.len();
        self.check_units(&mut problems);
        self.check_streams(&mut problems);
        let mut sound = problems.len() == before;
        for (_, unit, core) in self.cores() {
            if core.population.0 >= self.quant.populations.len()
                || core.projections.iter().any(|p| p.0 >= self.quant.projections.len())
            {
                let what = "computes a population or projection that does not exist";
                problems.push(Problem::new(what).at_node(&unit.name));
                sound = false;
                continue;
            }
            for what in self.core_problems(core) {
                problems.push(Problem::new(what).at_node(&unit.name));
            }
        }
        if sound {
            problems.extend(self.weight_problems().into_iter().map(|(unit, what)| Problem::new(what).at_node(&unit)));
        }
        // What flows can only be followed where everything is connected.
        if sound {
            self.check_flow(&mut problems);
        }
        problems
    }

    /// Every unit has its streams, and they know it.
    fn check_units(&self, problems: &mut Vec<Problem>) {
        for (i, unit) in self.units.iter().enumerate() {
            let here = |port| Some(Port { unit: UnitId(i), port });
            let stream = |s: &StreamId| self.streams.get(s.0);
            let ends = |(port, s)| stream(s).is_some_and(|s| s.to == here(port));
            let begins = |(port, s)| stream(s).is_some_and(|s| s.from == here(port));
            let ok = unit.inputs.iter().enumerate().all(ends) && unit.outputs.iter().enumerate().all(begins);
            let arity = match &unit.kind {
                UnitKind::Core(_) => unit.inputs.len() == 1 && unit.outputs.len() == 1,
                UnitKind::Fork => unit.inputs.len() == 1 && unit.outputs.len() >= 2,
                UnitKind::Merge { bases } => {
                    unit.inputs.len() == bases.len() && bases.len() >= 2 && unit.outputs.len() == 1
                }
                UnitKind::Queue { .. } => unit.inputs.len() == 1 && unit.outputs.len() == 1,
            };
            if !ok || !arity {
                problems.push(Problem::new("is not properly connected").at_node(&unit.name));
            }
        }
    }

    /// Streams run from the border forward to the border, but for those into queues, on wires that exist.
    fn check_streams(&self, problems: &mut Vec<Problem>) {
        if self.streams.len() < 2 {
            problems.push(Problem::new("has no streams from the input to the output"));
        }
        for (i, stream) in self.streams.iter().enumerate() {
            let mut complain = |what: String| problems.push(Problem::new(what).at_node(&stream.name));
            let border_in = stream.from.is_none() == (i == 0);
            let border_out = stream.to.is_none() == (i + 1 == self.streams.len());
            // A stream into a queue may run backwards, and as no other one does, every circle passes a queue.
            let into_queue = |to: Port| {
                let unit = self.units.get(to.unit.0);
                unit.is_some_and(|unit| matches!(unit.kind, UnitKind::Queue { .. }))
            };
            let forward = match (stream.from, stream.to) {
                (Some(from), Some(to)) => from.unit < to.unit || into_queue(to),
                _ => true,
            };
            // The other end of `check_units`: a port that both name.
            let known = |port: Option<Port>, side: fn(&Unit) -> &[StreamId]| {
                port.is_none_or(|p| self.units.get(p.unit.0).is_some_and(|u| side(u).get(p.port) == Some(&StreamId(i))))
            };
            if !(1..=32).contains(&stream.id_bits) || !(1..=64).contains(&stream.value_bits) {
                complain(format!("is a stream of {}-bit ids and {}-bit values", stream.id_bits, stream.value_bits));
            }
            if stream.population.0 >= self.quant.populations.len() {
                complain("is a stream of a population that does not exist".into());
            }
            if !border_in || !border_out || !forward {
                complain("is a stream that does not run forward".into());
            }
            if !known(stream.from, |u| &u.outputs) || !known(stream.to, |u| &u.inputs) {
                complain("is a stream to or from a port that is not its own".into());
            }
        }
    }

    fn core_problems(&self, core: &Core) -> Vec<String> {
        let mut problems = Vec::new();
        let pop = self.quant.population(core.population);
        let senders: usize =
            core.projections.iter().map(|&p| self.quant.projection(p).projection.synapses.extent().0).sum();
        if core.inputs != senders || core.neurons != pop.shape.len() {
            problems.push(format!("is {}→{}, the network says {senders}→{}", core.inputs, core.neurons, pop.shape));
        }
        if core.projections.iter().any(|&p| self.quant.projection(p).projection.post != core.population) {
            problems.push("computes a projection into another population".into());
        }
        let widths = [core.value_bits, core.weight_bits, core.membrane_bits, core.theta_bits, core.bias_bits];
        if widths.iter().any(|w| !(1..=64).contains(w)) {
            problems.push(format!("has widths of {widths:?} bits, not 1 to 64"));
        }
        let weight_bits = core.projections.iter().map(|&p| self.quant.projection(p).weight_bits).max();
        if core.weight_bits < weight_bits.unwrap_or(0) {
            problems.push("has weights that are too narrow".into());
        }
        if core.slice_bits == 0 {
            problems.push("has a weight memory in slices of 0 bits".into());
        }
        let most = 1..=MAX_PARALLEL;
        if !most.contains(&core.mode.lanes())
            || !most.contains(&core.mode.rows())
            || !core.mode.rows().is_power_of_two()
        {
            problems.push(format!("needs 1 to {MAX_PARALLEL} lanes, and rows that are a power of two up to that"));
        }
        if !core.mode.is_event() && !self.one_event_per_phase(core) {
            problems.push("is a matrix core, but its senders send several events of one neuron in a phase".into());
        }
        if core.phases != self.quant.phases() {
            problems.push("disagrees with the network about the phases per image".into());
        }
        problems.extend(self.fire_problem(core));
        problems.extend(self.geometry_problems(core));
        if core.membrane_bits < signed_bits(pop.range.0, pop.range.1) {
            problems.push(format!("has {}-bit membranes for {:?}", core.membrane_bits, pop.range));
        }
        let payloads =
            core.projections.iter().map(|&p| self.quant.payload_range(self.quant.projection(p).projection.pre));
        let (least, greatest) = payloads.fold((0, 0), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        let (signed, value_bits) = match least < 0 {
            true => (true, signed_bits(least, greatest)),
            false => (false, unsigned_bits(greatest.unsigned_abs())),
        };
        if core.value_bits < value_bits || core.value_signed != signed {
            problems.push("has payloads that are too narrow".into());
        }
        match &pop.neuron {
            Neuron::Leaky(leaky) => problems.extend(core.leak_problems(leaky)),
            _ => problems.extend(core.no_leak_problems()),
        }
        let parameters = match &pop.neuron {
            Neuron::If { theta, bias, .. } => Some((theta, bias)),
            Neuron::MultiSpike(multi) => Some((&multi.theta, &multi.bias)),
            _ => None,
        };
        if let Some((theta, bias)) = parameters {
            let bits = bias.iter().map(|&b| signed_bits(b, b)).max().unwrap_or(1);
            if core.bias_bits < bits || core.bias_bits > core.membrane_bits.max(1) {
                problems.push(format!("has {}-bit biases, {bits} to {} expected", core.bias_bits, core.membrane_bits));
            }
            let max = theta.iter().copied().max().unwrap_or(0);
            if core.theta_bits < unsigned_bits(max.unsigned_abs()) {
                problems.push("has thresholds that are too narrow".into());
            }
        }
        problems
    }

    /// What a core does at the end of a phase follows from its neurons, the coding and `T`.
    fn fire_problem(&self, core: &Core) -> Option<String> {
        let t = self.quant.timesteps;
        let expected = match (&self.quant.population(core.population).neuron, self.quant.coding) {
            (Neuron::Source, _) => return Some("computes the image, which comes from outside".into()),
            (Neuron::Readout { .. }, _) => Fire::Readout,
            (Neuron::Pool { .. }, _) => Fire::Relay,
            (Neuron::Leaky(leaky), _) if leaky.fires() => Fire::Leaky,
            (Neuron::Leaky(_), _) => Fire::LeakyReadout,
            (Neuron::MultiSpike(multi), _) => {
                Fire::Multi { bits: unsigned_bits(multi.most.into()), max: multi.most, floor: multi.floor }
            }
            (Neuron::If { .. }, Coding::Graded) => Fire::Count { bits: unsigned_bits(t.into()), max: t },
            (Neuron::If { .. }, Coding::Unit) => Fire::Unit { sweeps: t },
            (Neuron::If { .. }, Coding::Rate) => Fire::Step,
        };
        (core.fire != expected).then(|| format!("fires as {:?}, the network needs {expected:?}", core.fire))
    }
}

fn check_names<'a>(what: &str, names: impl Iterator<Item = &'a String>, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for name in names {
        let legal = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !legal || !seen.insert(name.as_str()) {
            problems.push(Problem::new(format!("is not a legal, unique {what} name")).at_node(name));
        }
    }
}
