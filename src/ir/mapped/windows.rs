//! What the window cores of a laid out network must say: geometry, bases and how ids name neurons.

use super::{Connection, Core, CoreInput, MappedNet, Payload, Stream, UnitKind};
use crate::fixed::unsigned_bits;
use crate::ir::PopId;
use crate::ir::layout::IdLayout;
use crate::ir::quant::{Combine, Neuron};
use crate::ir::snn::Synapses;
use crate::ir::window::Window;

impl MappedNet {
    /// What is wrong with a core's geometry, whichever its mode.
    pub(super) fn geometry_problems(&self, core: &Core) -> Vec<String> {
        let mut problems = Vec::new();
        let shape = &self.quant.population(core.population).shape;
        let image = shape.image();
        let extent = if core.mode.is_window() { image } else { Some([shape.len(), 1, 1]) };
        if extent != Some(core.extent) {
            problems.push(format!("has neurons of extent {:?}, the network says {shape}", core.extent));
        }
        let combine = match self.quant.population(core.population).neuron {
            Neuron::Pool { combine, .. } => combine,
            _ => Combine::Sum,
        };
        if core.combine != combine {
            problems.push(format!("combines its inputs as {:?}, the network says {combine:?}", core.combine));
        }
        if core.mode.payload() == Some(Payload::ShiftAdd) && (core.value_signed || core.combine == Combine::Max) {
            problems.push("shifts and adds payloads that are signed or compared".into());
        }
        if core.combine == Combine::Max && !core.mode.is_window() {
            problems.push("takes a maximum, which only window cores do".into());
        }
        if core.mode.is_window() {
            problems.extend(self.field_problems(core));
        } else if core.projections.iter().any(|&p| self.quant.projection(p).projection.synapses.window().is_some()) {
            problems.push("has windows, which only window cores compute".into());
        }
        problems
    }

    fn field_problems(&self, core: &Core) -> Vec<String> {
        if core.fields.len() != core.projections.len() {
            return vec![format!("describes {} of {} projections", core.fields.len(), core.projections.len())];
        }
        let width = core.fields.iter().map(|input| input.ids().id_bits()).max().unwrap_or(0);
        let wrong = |(i, (input, &id)): (usize, (&CoreInput, _))| {
            let name = &self.quant.projection(id).projection.name;
            if Some((input.connection, input.window)) != self.connection(core, id) {
                return Some(format!("describes '{name}' as {:?}, which it is not", input.connection));
            }
            let base = (i as u64).checked_shl(width);
            (Some(u64::from(input.base)) != base)
                .then(|| format!("expects '{name}' from id {}, not from field {i} above {width} bits", input.base))
        };
        core.fields.iter().zip(&core.projections).enumerate().filter_map(wrong).collect()
    }

    /// What a window core must say of a projection.
    fn connection(&self, core: &Core, id: crate::ir::ProjId) -> Option<(Connection, Window)> {
        let p = &self.quant.projection(id).projection;
        Some(match &p.synapses {
            Synapses::Dense { .. } => {
                let input = self.quant.population(p.pre).shape.image()?;
                (Connection::Dense, Window { output: core.extent, ..Window::identity(input) })
            }
            Synapses::Conv { window, .. } => (Connection::Conv, *window),
            Synapses::Channelwise { weight, window, from, to } => {
                (Connection::Channelwise { from: *from, to: *to, channels: weight.dim().0 }, *window)
            }
        })
    }

    /// What is wrong with how a stream's ids name neurons; `senders` are the populations on it (and their
    /// delays) in the order of their ids.
    pub(super) fn layout_problem(&self, stream: &Stream, senders: &[(PopId, u32)]) -> Option<String> {
        let (first, _) = *senders.first()?;
        let shape = &self.quant.population(first).shape;
        let fields = shape.image().map(|extent| IdLayout::Fields { extent });
        let linear = IdLayout::Linear { neurons: shape.len() };
        if stream.layout != linear && Some(stream.layout) != fields {
            return Some(format!("has ids as {:?}, its population is {shape}", stream.layout));
        }
        let from = stream.from.map(|port| self.unit(port.unit));
        let copied = from.filter(|unit| !matches!(unit.kind, UnitKind::Core(_))).and_then(|unit| unit.inputs.first());
        if copied.is_some_and(|&input| self.stream(input).layout != stream.layout) {
            return Some("has other ids than the stream that it continues".into());
        }
        let mut reader = self.unit(stream.to?.unit);
        if let UnitKind::Merge { .. } = reader.kind {
            reader = self.unit(self.stream(*reader.outputs.first()?).to?.unit);
        }
        let UnitKind::Core(core) = &reader.kind else { return None };
        let pixels = shape.image().is_none_or(|[_, h, w]| h * w > 1);
        (pixels && (stream.layout == linear) == core.mode.is_window()).then(|| {
            let kind = if core.mode.is_window() { "fields" } else { "numbers" };
            format!("has ids as {:?}, its reader knows {kind} only", stream.layout)
        })
    }

    /// Bits that the ids behind a merge need.
    pub(super) fn merged_id_bits(&self, stream: &Stream) -> Option<u32> {
        let unit = self.unit(stream.from?.unit);
        let UnitKind::Merge { bases } = &unit.kind else { return None };
        let last = |(&base, &input): (&u32, &super::StreamId)| u64::from(base) + self.stream(input).layout.last_id();
        bases.iter().zip(&unit.inputs).map(last).max().map(unsigned_bits)
    }
}

impl CoreInput {
    /// How the ids of a window core's senders, above their base, name them.
    pub fn ids(&self) -> IdLayout {
        IdLayout::Fields { extent: self.window.input }
    }
}
