//! Small integer networks with fixed weights and images.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use ndarray::{Array, Dimension, ShapeBuilder};
use synfire::fixed::PixelFormat;
use synfire::ir::quant::{
    Coding, Combine, Input, Leaky, MultiSpike, Neuron, QPopulation, QProjection, QuantGraph, Reset,
};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};

pub const TIMESTEPS: u32 = 5;

/// Reproducible integers of `least..=greatest`, a different series for each seed; about a quarter of them 0.
fn numbers(seed: u64, least: i64, greatest: i64) -> impl FnMut() -> i64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (zero, value) = (state >> 62 == 0, (state >> 33) % (greatest - least + 1) as u64);
        if zero { 0 } else { least + value as i64 }
    }
}

fn weights<D: Dimension>(seed: u64, shape: impl ShapeBuilder<Dim = D>) -> Array<i32, D> {
    let mut next = numbers(seed, -3, 4);
    Array::from_shape_simple_fn(shape, || next() as i32)
}

/// Puts a network together, population by population.
pub struct Builder {
    net: QuantGraph,
}

impl Builder {
    fn new(coding: Coding, pixels: PixelFormat, shape: &[usize]) -> Builder {
        let source =
            QPopulation { name: "image".into(), shape: Shape(shape.to_vec()), neuron: Neuron::Source, range: (0, 0) };
        let name = "fixed".into();
        let (populations, projections) = (vec![source], Vec::new());
        Builder {
            net: QuantGraph {
                name,
                coding,
                timesteps: TIMESTEPS,
                pixels,
                input: Input::Constant,
                normalisation: None,
                populations,
                projections,
            },
        }
    }

    /// Adds a population with what projects into it: sender, delay, synapses.
    fn add(&mut self, name: &str, shape: &[usize], neuron: Neuron, inputs: Vec<(usize, u32, Synapses<i32>)>) {
        let post = PopId(self.net.populations.len());
        let shape = Shape(shape.to_vec());
        self.net.populations.push(QPopulation { name: name.into(), shape, neuron, range: (0, 0) });
        for (pre, delay, synapses) in inputs {
            let name = format!("{name} from {pre}");
            let projection = Projection { name, pre: PopId(pre), post, delay, synapses };
            self.net.projections.push(QProjection { projection, weight_bits: 4 });
        }
        let range = self.net.prove_range(post);
        let population = &mut self.net.populations[post.0];
        population.range = range;
        if let Neuron::Pool { max, .. } = &mut population.neuron {
            *max = range.1;
        }
    }

    /// Thresholds by channel, initial membranes by channel, biases (in rate coding) by neuron.
    fn fire(&self, shape: &[usize], theta: i64) -> Neuron {
        let shape = Shape(shape.to_vec());
        let mut bias = numbers(theta as u64, -4, 4);
        let by_channel =
            |f: &dyn Fn(i64) -> i64| (0..shape.len()).map(|n| f(shape.channel_of(n) as i64)).collect::<Vec<_>>();
        Neuron::If {
            theta: by_channel(&|c| theta + c * theta / 7),
            v_init: by_channel(&|c| theta / 2 - 3 * c),
            bias: (0..shape.len()).map(|_| if self.net.coding == Coding::Rate { bias() } else { 0 }).collect(),
        }
    }
}

fn channelwise(seed: u64, window: Window, channels: usize, from: usize, to: usize) -> Synapses<i32> {
    Synapses::Channelwise { weight: weights(seed, (channels, window.kernel[0], window.kernel[1])), window, from, to }
}

fn conv(seed: u64, window: Window, groups: usize) -> Synapses<i32> {
    let shape = (window.output[0], window.input[0] / groups, window.kernel[0], window.kernel[1]);
    Synapses::Conv { weight: weights(seed, shape), window, groups }
}

/// Grouped and dilated convolution, convolution with stride and a strided skip connection joined, pool (a depthwise convolution in
/// rate coding, which has no pools), readout.
pub fn windows(coding: Coding, combine: Combine) -> QuantGraph {
    let mut b = Builder::new(coding, PixelFormat::unsigned(4), &[2, 6, 7]);
    let first =
        Window { kernel: [3, 3], pad: [2, 2], dilation: [2, 2], output: [4, 6, 7], ..Window::identity([2, 6, 7]) };
    b.add("a", &[4, 6, 7], b.fire(&[4, 6, 7], 14), vec![(0, 0, conv(1, first, 2))]);
    let strided =
        Window { kernel: [3, 3], stride: [2, 3], pad: [1, 1], output: [5, 3, 3], ..Window::identity([4, 6, 7]) };
    let skip = Window { kernel: [1, 1], pad: [0, 0], ..strided };
    let join = vec![(1, 0, conv(2, strided, 1)), (1, 0, channelwise(10, skip, 3, 1, 2))];
    b.add("b", &[5, 3, 3], b.fire(&[5, 3, 3], 4), join);
    let halves = Window { kernel: [2, 2], output: [5, 2, 2], ..Window::identity([5, 3, 3]) };
    if coding == Coding::Rate {
        let neuron = b.fire(&[5, 2, 2], 2);
        b.add("c", &[5, 2, 2], neuron, vec![(2, 0, channelwise(4, halves, 5, 0, 0))]);
    } else {
        let ones = Synapses::Channelwise { weight: Array::ones((5, 2, 2)), window: halves, from: 0, to: 0 };
        b.add("c", &[5, 2, 2], Neuron::Pool { combine, max: 1 }, vec![(2, 0, ones)]);
    }
    let readout = Neuron::Readout { v_init: vec![-7, 300, 0] };
    b.add("y", &[3], readout, vec![(3, 0, Synapses::Dense { weight: weights(5, (3, 20)) })]);
    b.net
}

/// What the source of [`spiking`] sends.
pub const TRAIN: [i64; TIMESTEPS as usize] = [35, 0, 0, 20, 3];

/// One input → four neurons that may send two spikes in a step → a leaky readout of five, which also reads the input.
pub fn spiking() -> QuantGraph {
    let mut b = Builder::new(Coding::Rate, PixelFormat::unsigned(8), &[1]);
    b.net.input = Input::Train { max: 35 };
    let dense = |shape: (usize, usize), weight: &[i32]| Synapses::Dense {
        weight: Array::from_shape_vec(shape, weight.to_vec()).unwrap(),
    };
    let several = MultiSpike { theta: vec![10; 4], v_init: vec![0; 4], bias: vec![0, 0, 10, 3], floor: true, most: 2 };
    let several = Neuron::MultiSpike(Box::new(several));
    b.add("several", &[4], several, vec![(0, 0, dense((4, 1), &[1, -1, 0, 0]))]);
    let readout = Leaky {
        align: 0,
        du: vec![4096, 4096, 4096, 4096, 2048],
        dv: vec![2048, 0, 2048, 1024, 4096],
        bias: vec![0, 0, 5, 0, 0],
        theta: Vec::new(),
        reset: Reset::Never,
        v_init: vec![0, 0, 0, -3, 0],
        limits: (-40, 40),
        current_range: (-1000, 1000),
        input_range: (-1000, 1000),
    };
    let mut first = [0; 20];
    first[16] = 1;
    let inputs = vec![(0, 0, dense((5, 1), &[1, 2, 0, 0, 0])), (1, 0, dense((5, 4), &first))];
    b.add("readout", &[5], Neuron::Leaky(Box::new(readout)), inputs);
    b.net
}

/// Two layers, signed pixels; in rate coding the first one is recurrent.
pub fn dense(coding: Coding) -> QuantGraph {
    let mut b = Builder::new(coding, PixelFormat { bits: 4, zero: vec![7] }, &[9]);
    let mut inputs = vec![(0, 0, Synapses::Dense { weight: weights(6, (8, 9)) })];
    if coding == Coding::Rate {
        inputs.push((1, 1, Synapses::Dense { weight: weights(7, (8, 8)) }));
    }
    let neuron = b.fire(&[8], 11);
    b.add("h", &[8], neuron, inputs);
    let readout = Neuron::Readout { v_init: vec![1, -1, 0, 5] };
    b.add(
        "y",
        &[4],
        readout,
        vec![
            (1, 0, Synapses::Dense { weight: weights(8, (4, 8)) }),
            (0, 0, Synapses::Dense { weight: weights(9, (4, 9)) }),
        ],
    );
    b.net
}

/// Six images, as pixel codes; the third is all 0, the fourth of -1 (where codes are signed), 0 and 1 alone.
pub fn images(net: &QuantGraph) -> Vec<Vec<i64>> {
    let (least, greatest) = net.pixels.range();
    let image = |i: u64| {
        let (least, greatest) = if i == 3 { (least.max(-1), 1) } else { (least, greatest) };
        let mut next = numbers(100 + i, least, greatest);
        (0..net.input_shape().len()).map(|_| if i == 2 { 0 } else { next() }).collect()
    };
    (0..6).map(image).collect()
}
