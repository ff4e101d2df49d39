//! Recipes of known networks.

use super::parameters::quants;
use super::recipe::{Kind, Layer, Layout, Link, Recipe, Run, Style, Synapse, Taps};
use synfire::ir::quant::{Coding, Input, QuantGraph};

/// 3×3 with zeros around.
const PATCH: Taps = Taps { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], pad: [1, 1] };

fn run(weights: u64) -> Run {
    let always = || "always".to_string();
    Run { weights, images: 1, density: 50, input: always(), output: always(), disturb: 0, memory: "20".into() }
}

fn link(pre: usize, synapses: Synapse, limit: i32) -> Link {
    Link { pre, delay: 0, synapses, limit, density: 100 }
}

fn layer(shape: Vec<usize>, neuron: Kind, from: Vec<Link>) -> Layer {
    Layer { shape, neuron, shared: false, from, layout: Layout::LEAST }
}

/// Leaky populations of `sizes`, the first the source and the last the (plain) readout, with dense projections (sender, receiver, delay).
pub fn dense(sizes: &[usize], wiring: &[(usize, usize, u32)], style: Style, steps: u32) -> Recipe {
    let into = |post: usize| {
        let wires = wiring.iter().filter(move |wire| wire.1 == post);
        wires.map(|&(pre, _, delay)| Link { delay, ..link(pre, Synapse::Dense, 7) }).collect()
    };
    let neuron = |post: usize| if post + 1 == sizes.len() { Kind::Readout } else { Kind::Leaky(style) };
    let layers = (1..sizes.len()).map(|post| layer(vec![sizes[post]], neuron(post), into(post)));
    Recipe {
        coding: Coding::Rate,
        timesteps: steps,
        pixel_bits: 3,
        source: vec![sizes[0]],
        layers: layers.collect(),
        runs: vec![run(3)],
        ..Recipe::default()
    }
}

/// A dense reader (population 2) of ids that become fields only because of another reader that comes later.
pub fn late_fields() -> QuantGraph {
    let image = vec![1, 3, 3];
    let conv = |pre| link(pre, Synapse::Conv { taps: PATCH, groups: 1 }, 7);
    let dense = |pre| link(pre, Synapse::Dense, 7);
    let layers = vec![
        layer(image.clone(), Kind::If, vec![conv(0)]),
        layer(vec![3], Kind::If, vec![dense(1)]),
        layer(image.clone(), Kind::If, vec![dense(1), conv(0)]),
        layer(vec![2], Kind::Readout, vec![dense(2), dense(3)]),
    ];
    let recipe = Recipe { timesteps: 4, source: image, layers, runs: vec![run(1)], ..Recipe::default() };
    quants(&recipe).unwrap().remove(0)
}

/// Vectors: `pixels` of one bit, of which all channels may be below zero, into a population that adds or takes the largest, and a readout.
pub fn vectors(signed: bool, neuron: Kind, seed: u64) -> QuantGraph {
    let dense = |pre| link(pre, Synapse::Dense, 1);
    let layers = vec![layer(vec![3], neuron, vec![dense(0)]), layer(vec![2], Kind::Readout, vec![dense(1)])];
    let recipe =
        Recipe { timesteps: 3, signed, seed, source: vec![1], layers, runs: vec![run(1)], ..Recipe::default() };
    quants(&recipe).unwrap().remove(0)
}

/// An image, and a convolution of it by 3×3 with zeros around it, which is the readout.
pub fn single_conv(input: [usize; 3], channels: usize) -> QuantGraph {
    let conv = link(0, Synapse::Conv { taps: PATCH, groups: 1 }, 31);
    let recipe = Recipe {
        timesteps: 4,
        pixel_bits: 4,
        source: input.to_vec(),
        layers: vec![layer(vec![channels, input[1], input[2]], Kind::Readout, vec![conv])],
        runs: vec![run(0)],
        ..Recipe::default()
    };
    quants(&recipe).unwrap().remove(0)
}

/// The shape of a residual network for images of `side`² pixels in three colours: three stages of `blocks` blocks with 16, 32 and 64
/// channels, an average pool and a dense readout; weights and thresholds at random.
pub fn resnet(blocks: usize, side: usize) -> QuantGraph {
    let mut recipe = Recipe {
        timesteps: 16,
        pixel_bits: 8,
        input: Input::Constant,
        source: vec![3, side, side],
        runs: vec![run(20)],
        ..Recipe::default()
    };
    convolution(&mut recipe, 16, 1, None);
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let last = recipe.layers.len();
            convolution(&mut recipe, channels, stride, None);
            convolution(&mut recipe, channels, 1, Some((last, stride)));
        }
    }
    let last = recipe.layers.len();
    let [channels, height, width] = recipe.image(last);
    let taps = Taps { kernel: [height, width], ..Taps::ONE };
    let pool = Synapse::Channelwise { taps, from: 0, to: 0, channels };
    recipe.layers.push(layer(vec![channels, 1, 1], Kind::Sum, vec![link(last, pool, 1)]));
    recipe.layers.push(layer(vec![10], Kind::Readout, vec![link(last + 1, Synapse::Dense, 100)]));
    quants(&recipe).unwrap().remove(0)
}

/// Appends a convolution of 3×3, and perhaps the skip connection (sender, stride) that joins it.
fn convolution(recipe: &mut Recipe, channels: usize, stride: usize, skip: Option<(usize, usize)>) {
    let last = recipe.layers.len();
    let [_, h, w] = recipe.image(last);
    let taps = Taps { stride: [stride; 2], ..PATCH };
    let mut from = vec![link(last, Synapse::Conv { taps, groups: 1 }, 100)];
    if let Some((pre, stride)) = skip {
        let [senders, ..] = recipe.image(pre);
        let taps = Taps { stride: [stride; 2], ..Taps::ONE };
        let to = (channels - senders) / 2;
        from.push(link(pre, Synapse::Channelwise { taps, from: 0, to, channels: senders }, 100));
    }
    recipe.layers.push(layer(vec![channels, h.div_ceil(stride), w.div_ceil(stride)], Kind::If, from));
}
