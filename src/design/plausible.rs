//! What `design.json` may say. Anybody can edit it, and the checks of the stages rely on numbers that can be added,
//! indices that exist and sizes that fit into memory; these are established here first.

use crate::error::Problem;
use crate::fixed::Normalisation;
use crate::ir::Shape;
use crate::ir::mapped::{Core, MappedNet, Mode, Port};
use crate::ir::quant::{MOST_SPIKES, Neuron, QuantGraph};
use crate::ir::window::Window;
use crate::quantise::{LEAKY_TIMESTEPS, PIXEL_BITS, TIMESTEPS, WEIGHT_BITS};
use crate::settings::Settings;
use std::ops::RangeInclusive;

/// Most neurons of a population. With the widest weights, payloads and most time steps, sums still fit 64 bits.
const MOST_NEURONS: usize = 1 << 22;
/// Most neurons or inputs a cycle.
const MOST_PARALLEL: usize = 1 << 12;
/// Most rows or columns of an image, and of a window on it.
const MOST_PIXELS: usize = 1 << 16;
/// Most taps of a window along one axis.
const MOST_TAPS: usize = 1 << 10;
/// Widest wire.
const WIDEST: u32 = 64;

/// Everything in a description that no compilation writes.
pub(super) fn problems(net: &MappedNet, settings: &Settings) -> Vec<Problem> {
    let timesteps = if settings.encoding.is_some() { LEAKY_TIMESTEPS } else { TIMESTEPS };
    let mut problems = quant_problems(&net.quant, timesteps);
    if let Some(n) = &settings.normalize
        && let Some(what) = normalisation_problem(n, net.quant.populations.first().map(|p| &p.shape))
    {
        problems.push(Problem::new(what));
    }
    let quant = &net.quant;
    let made_by = (net.target, quant.timesteps, quant.pixels.bits, quant.coding, &quant.normalisation, quant.input);
    let said = (settings.target, settings.timesteps, settings.input_bits, settings.coding, &settings.normalize);
    if made_by != (said.0, said.1, said.2, said.3, said.4, settings.input()) {
        problems.push(Problem::new("has settings that are not those of its network"));
    }
    problems.extend(spikes_problem(quant, settings));
    if problems.is_empty() {
        problems = mapped_problems(net);
    }
    problems
}

fn quant_problems(quant: &QuantGraph, timesteps: RangeInclusive<u32>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut complain = |node: &str, what: String| {
        let problem = Problem::new(what);
        problems.push(if node.is_empty() { problem } else { problem.at_node(node) });
    };
    if quant.populations.len() < 2 {
        complain("", format!("describes {} populations, a network has two at least", quant.populations.len()));
    }
    if !timesteps.contains(&quant.timesteps) {
        let (least, most) = (timesteps.start(), timesteps.end());
        complain("", format!("has {} time steps, {least} to {most} are possible", quant.timesteps));
    }
    if !PIXEL_BITS.contains(&quant.pixels.bits) {
        complain(
            "",
            format!(
                "has pixels of {} bits, {} to {} are possible",
                quant.pixels.bits,
                PIXEL_BITS.start(),
                PIXEL_BITS.end()
            ),
        );
    }
    if PIXEL_BITS.contains(&quant.pixels.bits) {
        let codes = 0..=quant.pixels.max();
        if let Some(zero) = quant.pixels.zero.iter().find(|&&zero| !codes.contains(&zero)) {
            complain("", format!("has the silent pixel {zero}, which is none of {} to {}", codes.start(), codes.end()));
        }
    }
    for p in &quant.populations {
        if p.shape.len() > MOST_NEURONS {
            complain(&p.name, format!("has the shape {}; {MOST_NEURONS} neurons are the limit", p.shape));
        }
        if let Some(x) = p.neuron.unholdable() {
            complain(&p.name, format!("has the parameter {x}, more than any hardware here can hold"));
        }
    }
    for p in &quant.projections {
        let name = &p.projection.name;
        if !WEIGHT_BITS.contains(&p.weight_bits) {
            complain(
                name,
                format!(
                    "has weights of {} bits, {} to {} are possible",
                    p.weight_bits,
                    WEIGHT_BITS.start(),
                    WEIGHT_BITS.end()
                ),
            );
        }
        if let Some(what) = p.projection.synapses.window().and_then(window_problem) {
            complain(name, what);
        }
        if p.projection.pre.0.max(p.projection.post.0) >= quant.populations.len() {
            complain(name, "connects a population that does not exist".into());
        }
    }
    problems
}

/// Geometry whose tables would not fit into memory or time.
fn window_problem(window: &Window) -> Option<String> {
    let large = |shape: &[usize; 3]| {
        shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).is_none_or(|n| n > MOST_NEURONS)
            || shape[1].max(shape[2]) > MOST_PIXELS
    };
    if large(&window.input) || large(&window.output) {
        return Some(format!("has a window on {:?} and {:?}, more than is possible", window.input, window.output));
    }
    let taps = window.kernel.iter().any(|&k| k > MOST_TAPS);
    taps.then(|| format!("has a window of {:?} taps, {MOST_TAPS} are the limit along an axis", window.kernel))
}

/// A number of spikes per step that cannot have made these neurons. They may send less: a network may set bounds of its own.
fn spikes_problem(quant: &QuantGraph, settings: &Settings) -> Option<Problem> {
    let said = settings.neuron_spikes_per_step?;
    let several = quant.populations.iter().filter_map(|p| match &p.neuron {
        Neuron::MultiSpike(neurons) => Some((&p.name, neurons.most)),
        _ => None,
    });
    let Some((name, most)) = several.max_by_key(|(_, most)| *most) else {
        return Some(Problem::new(
            "has 'neuron-spikes-per-step' and no neurons that may send several spikes in a step",
        ));
    };
    if !(1..=MOST_SPIKES).contains(&said) {
        return Some(Problem::new(format!("has 'neuron-spikes-per-step' {said}, 1 to {MOST_SPIKES} are possible")));
    }
    let what = format!("sends up to {most} spikes in a step, and 'neuron-spikes-per-step' is {said}");
    (most > said).then(|| Problem::new(what).at_node(name))
}

fn normalisation_problem(n: &Normalisation, input: Option<&Shape>) -> Option<String> {
    let channels = input.map_or(1, Shape::channels);
    let length = |values: &[f32]| values.len() == 1 || values.len() == channels;
    let usable = n.mean.iter().chain(&n.std).all(|x| x.is_finite()) && n.std.iter().all(|&s| s > 0.0);
    (!length(&n.mean) || !length(&n.std) || !usable)
        .then(|| format!("has a normalisation that cannot be used for {channels} channels"))
}

fn mapped_problems(net: &MappedNet) -> Vec<Problem> {
    let mut problems = Vec::new();
    if net.streams.len() < 2 {
        problems.push(Problem::new("describes no streams from the input to the output"));
    }
    for unit in &net.units {
        if unit.inputs.iter().chain(&unit.outputs).any(|s| s.0 >= net.streams.len()) {
            problems.push(Problem::new("uses a stream that does not exist").at_node(&unit.name));
        }
    }
    for stream in &net.streams {
        let exists = |port: &Option<Port>| port.is_none_or(|p| p.unit.0 < net.units.len());
        let what = if !exists(&stream.from) || !exists(&stream.to) {
            "is a stream to or from a unit that does not exist"
        } else if stream.population.0 >= net.quant.populations.len() {
            "is a stream of a population that does not exist"
        } else if stream.layout.neurons() == 0 {
            "is a stream without ids"
        } else if stream.layout.neurons() > MOST_NEURONS {
            "is a stream with more ids than neurons are possible"
        } else if !(1..=32).contains(&stream.id_bits) || !(1..=WIDEST).contains(&stream.value_bits) {
            "is a stream with wires of an impossible width"
        } else {
            continue;
        };
        problems.push(Problem::new(what).at_node(&stream.name));
    }
    for (_, unit, core) in net.cores() {
        if let Some(what) = core_problem(&net.quant, core) {
            problems.push(Problem::new(what).at_node(&unit.name));
        }
    }
    problems
}

fn core_problem(quant: &QuantGraph, core: &Core) -> Option<String> {
    if core.population.0 >= quant.populations.len() {
        return Some("computes a population that does not exist".into());
    }
    if core.projections.is_empty() || core.projections.iter().any(|p| p.0 >= quant.projections.len()) {
        return Some("reads a projection that does not exist".into());
    }
    let widths = [core.value_bits, core.weight_bits, core.membrane_bits, core.theta_bits, core.bias_bits];
    if let Some(bits) = widths.into_iter().find(|bits| !(1..=WIDEST).contains(bits)) {
        return Some(format!("has numbers of {bits} bits, 1 to {WIDEST} are possible"));
    }
    let parallel = match core.mode {
        Mode::Event { lanes, .. } => lanes,
        Mode::Matrix { rows, lanes } | Mode::WindowMatrix { rows, lanes } => rows.max(lanes),
        Mode::WindowEvent { lanes, banks: [rows, columns], .. } => lanes.saturating_mul(rows).saturating_mul(columns),
    };
    if parallel > MOST_PARALLEL || core.mode.channel_lanes() > MOST_PARALLEL {
        return Some(format!("computes {parallel} neurons or inputs a cycle, {MOST_PARALLEL} are the limit"));
    }
    let needed = core.projections.iter().map(|p| quant.projection(*p).weight_bits).max().unwrap_or(1);
    if core.weight_bits < needed {
        return Some(format!("has weights of {} bits, the network's have {needed}", core.weight_bits));
    }
    None
}
