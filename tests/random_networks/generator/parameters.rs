//! The integer networks of a recipe: one for each run, all of the same structure and with the same widths.

use super::recipe::{Kind, Layer, Link, Recipe, Style, Synapse, Taps};
use ndarray::{Array2, Array3, Array4};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::{PixelFormat, signed_bits};
use synfire::ir::quant::{Coding, Combine, Leaky, MultiSpike, Neuron, QPopulation, QProjection, QuantGraph, Reset};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};

/// A generator for one purpose, so that a change of the recipe changes as few numbers as possible.
pub fn stream(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose);
    rng
}

/// The network of each run. What the hardware is built for (ranges, largest payloads, decays) is the same in all of them.
///
/// # Errors
/// Recipes that make no sound network, which shrinking produces.
pub fn quants(recipe: &Recipe) -> Result<Vec<QuantGraph>, String> {
    if let Some(problem) = recipe.problem() {
        return Err(problem);
    }
    let mut nets: Vec<QuantGraph> = recipe.runs.iter().map(|run| blank(recipe, run.weights)).collect();
    for (i, layer) in recipe.layers.iter().enumerate() {
        let pop = PopId(i + 1);
        let mut shared = None;
        for (net, run) in nets.iter_mut().zip(&recipe.runs) {
            // Weights that do not fit the populations would not be looked at twice.
            if let Some(problem) = net.projections_into(pop).find_map(|(_, p)| p.projection.synapses.problem()) {
                return Err(problem);
            }
            let mut rng = stream(run.weights, 1000 + i as u64);
            let neuron = match layer.neuron.style() {
                Some(style) => {
                    let common = shared.get_or_insert_with(|| {
                        Common::draw(&mut stream(recipe.seed, i as u64), style, layer, reach(net, pop))
                    });
                    Neuron::Leaky(Box::new(common.neurons(&mut rng, style, layer, reach(net, pop))))
                }
                None => neuron(&mut rng, net, pop, layer),
            };
            net.populations[pop.0].neuron = neuron;
        }
        settle(&mut nets, pop);
    }
    match nets.iter().flat_map(QuantGraph::check).next() {
        Some(problem) => Err(problem.to_string()),
        None => Ok(nets),
    }
}

/// The network with its weights and without its neurons.
fn blank(recipe: &Recipe, seed: u64) -> QuantGraph {
    let populations = (0..=recipe.layers.len()).map(|pop| {
        let shape = recipe.shape(pop);
        let zeros = vec![0; shape.len()];
        // What they send is known already: the sender of a delayed projection may come later.
        let neuron = match pop.checked_sub(1).map(|layer| recipe.layers[layer].neuron) {
            None => Neuron::Source,
            Some(Kind::Multi { most, floor }) => {
                let (theta, bias) = (vec![1; shape.len()], zeros.clone());
                Neuron::MultiSpike(Box::new(MultiSpike { theta, v_init: zeros, bias, floor, most }))
            }
            Some(_) => Neuron::Readout { v_init: zeros },
        };
        QPopulation { name: format!("p{pop}"), shape, neuron, range: (0, 0) }
    });
    let mut projections: Vec<QProjection> = Vec::new();
    for (i, layer) in recipe.layers.iter().enumerate() {
        for link in &layer.from {
            let name = format!("w{}", projections.len());
            let mut rng = stream(seed, projections.len() as u64);
            let synapses = synapses(&mut rng, recipe, layer, link, i + 1);
            let limit = i64::from(link.limit);
            projections.push(QProjection {
                projection: Projection { name, pre: PopId(link.pre), post: PopId(i + 1), delay: link.delay, synapses },
                weight_bits: signed_bits(-limit, limit).max(2),
            });
        }
    }
    let mut pixels = PixelFormat::unsigned(recipe.pixel_bits);
    if recipe.signed {
        let mut rng = stream(recipe.seed, u64::MAX);
        pixels.zero = (0..recipe.image(0)[0]).map(|_| rng.random_range(0..=pixels.max())).collect();
    }
    QuantGraph {
        name: "random".into(),
        coding: recipe.coding,
        timesteps: recipe.timesteps,
        pixels,
        input: recipe.input,
        normalisation: None,
        populations: populations.collect(),
        projections,
    }
}

fn synapses(rng: &mut impl Rng, recipe: &Recipe, layer: &Layer, link: &Link, post: usize) -> Synapses<i32> {
    let least = match layer.neuron {
        Kind::Max => 1,
        Kind::Sum => 0,
        // Some networks are more lively than others.
        _ => [-link.limit, -link.limit / 2][rng.random_range(0..2)],
    };
    let mut weight = || {
        let w = rng.random_range(least..=link.limit);
        if rng.random_range(0..100) < link.density { w } else { 0 }
    };
    let (input, output) = (recipe.image(link.pre), recipe.image(post));
    let window = |Taps { kernel, stride, dilation, pad }: Taps| Window { input, output, kernel, stride, pad, dilation };
    match link.synapses {
        Synapse::Dense => {
            let shape = (recipe.shape(post).len(), recipe.shape(link.pre).len());
            Synapses::Dense { weight: Array2::from_shape_simple_fn(shape, weight) }
        }
        Synapse::Conv { taps, groups } => {
            let shape = (output[0], input[0] / groups.max(1), taps.kernel[0], taps.kernel[1]);
            let weight = Array4::from_shape_simple_fn(shape, weight);
            Synapses::Conv { weight, window: window(taps), groups }
        }
        Synapse::Channelwise { taps, from, to, channels } => {
            let weight = Array3::from_shape_simple_fn((channels, taps.kernel[0], taps.kernel[1]), &mut weight);
            Synapses::Channelwise { weight, window: window(taps), from, to }
        }
    }
}

/// Least and greatest weighted input of a neuron of `pop` in a phase, for any input.
fn reach(net: &QuantGraph, pop: PopId) -> (i64, i64) {
    let (low, high) = net.prove_range(pop);
    let phases = i64::from(net.phases());
    (low / phases, high / phases)
}

/// A value for each neuron of `layer`: the same for every pixel of a channel, as trained networks have it, or not.
fn vector(layer: &Layer, mut draw: impl FnMut() -> i64) -> Vec<i64> {
    let channels = layer.shape.first().copied().unwrap_or(1).max(1);
    let neurons: usize = layer.shape.iter().product();
    let pixels = (neurons / channels).max(1);
    let mut value = 0;
    let mut next = |i: usize| {
        if !layer.shared || i.is_multiple_of(pixels) {
            value = draw();
        }
        value
    };
    (0..neurons).map(&mut next).collect()
}

/// Membranes at the beginning; where parameters are not shared two differ for certain, because the structure tells.
fn beginnings(layer: &Layer, draw: impl FnMut() -> i64) -> Vec<i64> {
    let mut v_init = vector(layer, draw);
    let [_, h, w] = Shape(layer.shape.clone()).image().unwrap_or([1, 1, 1]);
    if let ([first, second, ..], false, true) = (&mut v_init[..], layer.shared, h * w > 1)
        && first == second
    {
        *second += if *second > 0 { -1 } else { 1 };
    }
    v_init
}

/// Neurons of a kind without shared parameters, whose counts take all values: thresholds follow what can arrive.
fn neuron(rng: &mut impl Rng, net: &QuantGraph, pop: PopId, layer: &Layer) -> Neuron {
    let (_, high) = reach(net, pop);
    let payload = net.projections_into(pop).map(|(_, p)| net.max_payload(p.projection.pre)).max().unwrap_or(1);
    match layer.neuron {
        Kind::Readout => Neuron::Readout { v_init: beginnings(layer, || rng.random_range(-50..=50)) },
        Kind::Max => {
            let weights = net.projections_into(pop).flat_map(|(_, p)| p.projection.synapses.weights());
            let most = weights.copied().max().unwrap_or(1).max(1);
            Neuron::Pool { combine: Combine::Max, max: payload * i64::from(most) }
        }
        Kind::Sum => Neuron::Pool { combine: Combine::Sum, max: high.max(1) },
        Kind::If | Kind::Leaky(_) | Kind::LeakyReadout(_) | Kind::Multi { .. } => {
            let spikes = if net.coding == Coding::Rate { 2 } else { 2 + i64::from(net.timesteps) };
            let most = (high / spikes).max(1);
            let theta = vector(layer, || rng.random_range(1..=most));
            let v_init = beginnings(layer, || rng.random_range(-most / 2..=most));
            let bias = match net.coding {
                Coding::Rate => vector(layer, || rng.random_range(-most / 8 - 1..=most / 8 + 1)),
                Coding::Graded | Coding::Unit => vec![0; theta.len()],
            };
            match layer.neuron {
                Kind::Multi { most, floor } => {
                    Neuron::MultiSpike(Box::new(MultiSpike { theta, v_init, bias, floor, most }))
                }
                _ => Neuron::If { theta, v_init, bias },
            }
        }
    }
}

/// What the hardware of leaky neurons is built for.
struct Common {
    du: Vec<i64>,
    dv: Vec<i64>,
    reset: Reset,
    limits: (i64, i64),
}

impl Common {
    /// Decays, often extreme, for neurons that reach `reach` in a step.
    fn draw(rng: &mut impl Rng, style: Style, layer: &Layer, reach: (i64, i64)) -> Common {
        let n = layer.shape.iter().product();
        let all = |draw: &mut dyn FnMut() -> i64| match style.alike {
            true => vec![draw(); n],
            false => vector(layer, draw),
        };
        let most = reach.1.max(-reach.0).max(1) << style.align;
        let mut decay = || match rng.random_range(0..4) {
            0 => 0,
            1 => 4096,
            2 => rng.random_range(3900..=4096),
            _ => rng.random_range(0..=1500),
        };
        let dv = all(&mut decay);
        let du = if style.current { all(&mut decay) } else { vec![4096; n] };
        let (low, high) = if style.tight { (most / 3, most / 2) } else { (most * 40, most * 30) };
        let limits = (-low - 1, high + 1);
        let by = if style.subtract { 0..=most / 4 } else { (-most / 4).max(limits.0)..=most / 4 };
        let by = all(&mut || rng.random_range(by.clone()));
        let reset = match layer.neuron {
            Kind::LeakyReadout(_) => Reset::Never,
            _ if style.subtract => Reset::Subtract(by),
            _ => Reset::Value(by),
        };
        Common { du, dv, reset, limits }
    }

    /// Neurons with thresholds, biases and beginnings of their own. Their ranges are proved later.
    fn neurons(&self, rng: &mut impl Rng, style: Style, layer: &Layer, reach: (i64, i64)) -> Leaky {
        let most = reach.1.max(-reach.0).max(1) << style.align;
        let within = |v: i64| v.clamp(self.limits.0, self.limits.1);
        let mut theta = vector(layer, || rng.random_range(-most / 8..=most / 2));
        match &self.reset {
            Reset::Value(_) if style.bursts => theta.fill(self.limits.0 - 1),
            Reset::Value(_) => {}
            Reset::Never => theta.clear(),
            // What is left lies within the limits, whatever fired.
            Reset::Subtract(by) => {
                theta.iter_mut().zip(by).for_each(|(theta, by)| *theta = (*theta).max(by + self.limits.0 - 1));
            }
        }
        let bias = vector(layer, || rng.random_range(-most / 16 - 1..=most / 8 + 1));
        let v_init = beginnings(layer, || within(rng.random_range(-most / 4..=most / 4)));
        let (du, dv, reset, limits) = (self.du.clone(), self.dv.clone(), self.reset.clone(), self.limits);
        let align = style.align;
        Leaky { align, du, dv, bias, theta, reset, v_init, limits, current_range: (0, 0), input_range: (0, 0) }
    }
}

fn union(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// Gives `pop` the same largest payload and the same proved ranges in all networks.
fn settle(nets: &mut [QuantGraph], pop: PopId) {
    let largest = |net: &QuantGraph| match net.population(pop).neuron {
        Neuron::Pool { max, .. } => max,
        _ => 0,
    };
    let most = nets.iter().map(largest).max().unwrap_or(0);
    let reaches: Vec<_> = nets.iter().filter_map(|net| net.prove_leaky(pop)).collect();
    let input = reaches.iter().fold((0, 0), |all, reach| union(all, reach.input));
    let current = reaches.iter().fold((0, 0), |all, reach| union(all, reach.current));
    for net in &mut *nets {
        match &mut net.populations[pop.0].neuron {
            Neuron::Pool { max, .. } => *max = most,
            Neuron::Leaky(leaky) => (leaky.input_range, leaky.current_range) = (input, current),
            Neuron::Source | Neuron::If { .. } | Neuron::MultiSpike(_) | Neuron::Readout { .. } => {}
        }
    }
    let range = nets.iter().fold((0, 0), |all, net| union(all, net.prove_range(pop)));
    nets.iter_mut().for_each(|net| net.populations[pop.0].range = range);
}
