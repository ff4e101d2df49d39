//! Cores in the modes of a recipe, and images for its networks.

use super::parameters::{quants, stream};
use super::recipe::{Layout, Recipe, Run};
use rand::RngExt;
use synfire::ir::PopId;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, Target, UnitKind, Weights};
use synfire::ir::quant::{Combine, Input, QuantGraph};
use synfire::map::{MapRequest, map};

/// The network of each run, laid out. They differ in nothing but numbers in memories.
///
/// # Errors
/// Recipes that make no sound network.
pub fn realise(recipe: &Recipe) -> Result<Vec<MappedNet>, String> {
    let lay = |quant: QuantGraph| {
        let net = map(quant, &MapRequest::new(Target::Generic)).map_err(|e| e.to_string())?;
        Ok(arrange(net, recipe))
    };
    let mut nets = quants(recipe)?.into_iter().map(lay).collect::<Result<Vec<MappedNet>, String>>()?;
    let mut widest = nets[0].clone();
    nets.iter().for_each(|net| widen(&mut widest, net));
    for net in &mut nets {
        (net.units, net.streams) = (widest.units.clone(), widest.streams.clone());
        if let Some(problem) = net.check().into_iter().next() {
            return Err(format!("{problem}\n{}", net.dump()));
        }
    }
    Ok(nets)
}

/// Gives every core the mode that the recipe asks for.
fn arrange(mut net: MappedNet, recipe: &Recipe) -> MappedNet {
    let once: Vec<bool> = net.cores().map(|(_, _, core)| net.one_event_per_phase(core)).collect();
    for (core, once) in cores(&mut net).zip(once) {
        let layout = recipe.layers[core.population.0 - 1].layout;
        core.mode = mode(core, layout, once);
        core.slice_bits = layout.slice_bits;
        if layout.external && core.mode.is_event() {
            core.weights = Weights::External { base: 0 };
        }
    }
    net.place_weights();
    net
}

fn mode(core: &Core, Layout { matrix, lanes, rows, banks, shift_add, .. }: Layout, once: bool) -> Mode {
    let shifts = shift_add && !core.value_signed && core.combine == Combine::Sum;
    let payload = if shifts { Payload::ShiftAdd } else { Payload::Multiply };
    match (core.mode.is_window(), matrix && once) {
        (false, false) => Mode::Event { lanes, payload },
        (false, true) => Mode::Matrix { rows, lanes },
        (true, false) => Mode::WindowEvent { lanes, banks, payload },
        (true, true) => Mode::WindowMatrix { rows, lanes },
    }
}

fn cores(net: &mut MappedNet) -> impl Iterator<Item = &mut Core> {
    net.units.iter_mut().filter_map(|unit| match &mut unit.kind {
        UnitKind::Core(core) => Some(core),
        UnitKind::Fork | UnitKind::Merge { .. } | UnitKind::Queue { .. } => None,
    })
}

/// Makes memories and wires wide enough for `other`'s numbers, too.
fn widen(net: &mut MappedNet, other: &MappedNet) {
    for (core, (_, _, other)) in cores(net).zip(other.cores()) {
        for (bits, others) in [
            (&mut core.membrane_bits, other.membrane_bits),
            (&mut core.theta_bits, other.theta_bits),
            (&mut core.bias_bits, other.bias_bits),
            (&mut core.input_bits, other.input_bits),
            (&mut core.current_bits, other.current_bits),
        ] {
            *bits = (*bits).max(others);
        }
    }
    for (stream, other) in net.streams.iter_mut().zip(&other.streams) {
        stream.value_bits = stream.value_bits.max(other.value_bits);
    }
}

/// The codes of a run's images: full, empty, and of the run's density.
pub fn images(recipe: &Recipe, run: &Run, quant: &QuantGraph) -> Vec<Vec<i64>> {
    let mut rng = stream(run.weights, 1 << 32);
    let (neurons, pixels) = (quant.input_shape().len(), &quant.pixels);
    let [_, h, w] = recipe.image(0);
    (0..run.images)
        .map(|image| {
            let density = [run.density, 100, run.density, 0].get(image).copied().unwrap_or(run.density);
            let mut code = |n: usize| {
                if rng.random_range(0..100) >= density {
                    return 0;
                }
                match quant.input {
                    Input::Constant => rng.random_range(0..=pixels.max()) - pixels.zero_of(n % neurons / (h * w)),
                    Input::Encoded | Input::Train { .. } => rng.random_range(0..=quant.max_payload(PopId(0))),
                }
            };
            (0..quant.codes_per_image()).map(&mut code).collect()
        })
        .collect()
}
