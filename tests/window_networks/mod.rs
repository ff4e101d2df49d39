//! Random networks of windows, pools and joins for the tests of window cores.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use ndarray::{Array2, Array3, Array4};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, Target, UnitKind};
use synfire::ir::quant::{Coding, Combine, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};
use synfire::map::{MapRequest, cost, map};

/// What shrinks; the rest is drawn from the seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub coding: Coding,
    pub timesteps: u32,
    pub pixel_bits: u32,
    pub signed: bool,
    pub hidden: usize,
    /// Largest extent of the image.
    pub side: usize,
    /// Most channels of a population.
    pub channels: usize,
    pub seed: u64,
}

/// A plan from its seed alone.
pub fn plan(seed: u64) -> Plan {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    Plan {
        coding: [Coding::Graded, Coding::Graded, Coding::Unit, Coding::Rate][rng.random_range(0..4)],
        timesteps: [1, 3, 4, 7, 16][rng.random_range(0..5)],
        pixel_bits: [1, 3, 8][rng.random_range(0..3)],
        signed: rng.random_bool(0.3),
        hidden: rng.random_range(0..5),
        side: rng.random_range(1..9),
        channels: rng.random_range(1..8),
        seed,
    }
}

struct Draw {
    rng: ChaCha8Rng,
    quant: QuantGraph,
    plan: Plan,
}

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn vector(&mut self, n: usize, range: std::ops::RangeInclusive<i64>) -> Vec<i64> {
        (0..n).map(|_| self.rng.random_range(range.clone())).collect()
    }

    fn weights(&mut self, n: usize, least: i32) -> Vec<i32> {
        let limit = [1, 7, 31][self.below(3)];
        (0..n)
            .map(|_| if self.rng.random_bool(0.2) { 0 } else { self.rng.random_range(least.max(-limit)..=limit) })
            .collect()
    }

    fn image(&self, pop: usize) -> [usize; 3] {
        self.quant.populations[pop].shape.image().unwrap()
    }

    /// A window that maps `input` to `output`, both known but for what `None` leaves open.
    fn window(&mut self, input: [usize; 3], output: Option<[usize; 3]>) -> Window {
        let mut w = Window { output: output.unwrap_or(input), ..Window::identity(input) };
        for axis in 0..2 {
            w.kernel[axis] = self.rng.random_range(1..5);
            w.stride[axis] = [1, 1, 2, 3][self.below(4)];
            w.dilation[axis] = [1, 1, 1, 2][self.below(4)];
            w.pad[axis] = [0, 0, 1, 1, 2, -1][self.below(6)];
            if output.is_none() {
                let reach = ((w.kernel[axis] - 1) * w.dilation[axis]) as i64;
                let span = input[axis + 1] as i64 + 2 * w.pad[axis] - reach;
                let natural = ((span - 1) / w.stride[axis] as i64 + 1).max(1) as usize;
                w.output[axis + 1] = natural.min(12) + self.below(2);
            }
        }
        w
    }

    fn conv(&mut self, mut window: Window, channels: usize) -> Synapses<i32> {
        window.output[0] = channels;
        let common: Vec<usize> =
            (1..=channels).filter(|g| channels.is_multiple_of(*g) && window.input[0].is_multiple_of(*g)).collect();
        let groups = if self.rng.random_bool(0.3) { common[self.below(common.len())] } else { 1 };
        let shape = [channels, window.input[0] / groups, window.kernel[0], window.kernel[1]];
        let weights = self.weights(shape.iter().product(), -99);
        Synapses::Conv { weight: Array4::from_shape_vec(shape, weights).unwrap(), window, groups }
    }

    /// `channels` receiver channels, of which some may get nothing.
    fn channelwise(&mut self, mut window: Window, channels: usize, weights: Option<i32>) -> Synapses<i32> {
        window.output[0] = channels;
        let count = self.rng.random_range(1..=channels.min(window.input[0]));
        let (from, to) = (self.below(window.input[0] - count + 1), self.below(channels - count + 1));
        let shape = [count, window.kernel[0], window.kernel[1]];
        let n = shape.iter().product();
        let weights = weights.map_or_else(|| self.weights(n, -99), |w| vec![w; n]);
        Synapses::Channelwise { weight: Array3::from_shape_vec(shape, weights).unwrap(), window, from, to }
    }

    fn dense(&mut self, pre: usize, post: usize) -> Synapses<i32> {
        let weights = self.weights(pre * post, -99);
        Synapses::Dense { weight: Array2::from_shape_vec((post, pre), weights).unwrap() }
    }

    fn project(&mut self, pre: usize, post: usize, synapses: Synapses<i32>) {
        let name = format!("w{}", self.quant.projections.len());
        let weight_bits = synapses.weights().map(|w| 33 - w.unsigned_abs().leading_zeros()).max().unwrap_or(2).max(2);
        let projection = Projection { name, pre: PopId(pre), post: PopId(post), delay: 0, synapses };
        self.quant.projections.push(QProjection { projection, weight_bits });
    }

    fn population(&mut self, shape: Vec<usize>, neuron: Neuron) -> usize {
        let name = format!("p{}", self.quant.populations.len());
        self.quant.populations.push(QPopulation { name, shape: Shape(shape), neuron, range: (0, 0) });
        self.quant.populations.len() - 1
    }

    fn fires(&mut self, n: usize) -> Neuron {
        let bias = if self.plan.coding == Coding::Rate { self.vector(n, -9..=9) } else { vec![0; n] };
        Neuron::If { theta: self.vector(n, 1..=90), v_init: self.vector(n, -20..=60), bias }
    }

    fn prove(&mut self, pop: usize) {
        self.quant.populations[pop].range = self.quant.prove_range(PopId(pop));
    }

    /// A pool over an earlier population whose payloads are not negative.
    fn pool(&mut self, pre: usize) {
        let channels = self.image(pre)[0];
        let window = self.window(self.image(pre), None);
        // The largest of several events of one neuron is not the largest of their sum.
        let single = self.quant.max_per_phase(PopId(pre)) <= self.quant.max_payload(PopId(pre));
        let combine = if single && self.rng.random_bool(0.5) { Combine::Max } else { Combine::Sum };
        let weight = if combine == Combine::Max { 1 } else { 1 + self.below(3) as i32 };
        let synapses = self.channelwise(window, channels, Some(weight));
        let [c, h, w] = synapses.window().unwrap().output;
        let neuron = Neuron::Pool { combine, max: self.quant.max_payload(PopId(pre)) * i64::from(weight) };
        let pop = self.population(vec![c, h, w], neuron);
        self.project(pre, pop, synapses);
        if combine == Combine::Sum {
            let most = self.quant.prove_range(PopId(pop)).1.max(1);
            self.quant.populations[pop].neuron = Neuron::Pool { combine, max: most };
        }
        self.prove(pop);
        if let Neuron::Pool { max, .. } = self.quant.populations[pop].neuron {
            self.quant.populations[pop].range = (0, max);
        }
    }

    /// Neurons that read one to three earlier populations through any synapses.
    fn join(&mut self, first: usize, readout: bool) {
        let pre_image = self.image(first);
        let flat = self.rng.random_bool(if readout { 0.6 } else { 0.2 });
        let extent = if flat {
            [self.rng.random_range(1..=self.plan.channels), 1, 1]
        } else {
            let window = self.window(pre_image, None);
            let channels = self.rng.random_range(1..=self.plan.channels);
            [channels, window.output[1], window.output[2]]
        };
        let n: usize = extent.iter().product();
        let neuron = if readout { Neuron::Readout { v_init: self.vector(n, -50..=50) } } else { self.fires(n) };
        let before = self.quant.populations.len();
        let mut pres = vec![first];
        (0..[0, 0, 1, 2][self.below(4)]).for_each(|_| pres.push(self.below(before)));
        if readout {
            // Everybody must be read by somebody.
            let read =
                |pop: &usize| self.quant.projections.iter().any(|p| p.projection.pre.0 == *pop) || pres.contains(pop);
            let unread: Vec<usize> = (0..before).filter(|pop| !read(pop)).collect();
            pres.extend(unread);
        }
        let shape = if flat && self.rng.random_bool(0.5) { vec![extent[0]] } else { extent.to_vec() };
        let post = self.population(shape, neuron);
        for pre in pres {
            let input = self.image(pre);
            let synapses = match self.below(if flat { 5 } else { 4 }) {
                0 | 1 if !flat => {
                    let window = self.window(input, Some(extent));
                    self.conv(window, extent[0])
                }
                2 => {
                    let window = self.window(input, Some(extent));
                    self.channelwise(window, extent[0], None)
                }
                3 => {
                    let window = Window { output: extent, ..Window::identity(input) };
                    self.channelwise(window, extent[0], Some(3))
                }
                _ => self.dense(input.iter().product(), n),
            };
            self.project(pre, post, synapses);
        }
        self.prove(post);
    }
}

/// A random network whose populations have pixels.
pub fn network(plan: Plan) -> QuantGraph {
    let mut pixels = PixelFormat::unsigned(plan.pixel_bits);
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let extent: [usize; 3] =
        [0, 1, 2].map(|i| rng.random_range(1..=if i == 0 { plan.channels.min(3) } else { plan.side }));
    if plan.signed && plan.pixel_bits > 1 {
        pixels.zero = (0..extent[0]).map(|_| rng.random_range(0..=pixels.max())).collect();
    }
    let quant = QuantGraph {
        name: "windows".into(),
        coding: plan.coding,
        timesteps: plan.timesteps,
        pixels,
        input: synfire::ir::quant::Input::Constant,
        normalisation: None,
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let mut draw = Draw { rng, quant, plan };
    draw.population(extent.to_vec(), Neuron::Source);
    for _ in 0..plan.hidden {
        let last = draw.quant.populations.len() - 1;
        let positive = draw.quant.payload_range(PopId(last)).0 >= 0;
        if plan.coding != Coding::Rate && positive && draw.rng.random_bool(0.3) {
            draw.pool(last);
        } else {
            draw.join(last, false);
        }
    }
    let last = draw.quant.populations.len() - 1;
    draw.join(last, true);
    // Projections are ordered by their target already: each population got its own at once.
    assert_eq!(draw.quant.check(), []);
    draw.quant
}

/// Any mode that `core` may have.
pub fn any_mode(net: &MappedNet, core: &Core, rng: &mut ChaCha8Rng) -> Mode {
    let channels = core.extent[0];
    let lanes = [1, 2, 3, channels, channels.div_ceil(2)][rng.random_range(0..5)].min(channels).max(1);
    let window = core.mode.is_window();
    if net.one_event_per_phase(core) && rng.random_bool(0.4) {
        let rows = 1 << rng.random_range(0..4);
        return if window { Mode::WindowMatrix { rows, lanes } } else { Mode::Matrix { rows, lanes } };
    }
    let shifts = !core.value_signed && core.combine == Combine::Sum && rng.random_bool(0.4);
    let payload = if shifts { Payload::ShiftAdd } else { Payload::Multiply };
    let [_, height, width] = core.extent;
    let mut side = |extent: usize| rng.random_range(1..=extent.min(4));
    match (window, [side(height), side(width)]) {
        (true, banks) => {
            let banks = [[1, 1], core.patch(), banks][rng.random_range(0..3)];
            Mode::WindowEvent { lanes, banks, payload }
        }
        (false, _) => Mode::Event { lanes, payload },
    }
}

/// The network laid out, every core in a random mode.
pub fn laid_out(plan: Plan) -> MappedNet {
    let mut net = map(network(plan), &MapRequest::new(Target::Generic)).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 0xc0de);
    let modes: Vec<Mode> = net.cores().map(|(_, _, core)| any_mode(&net, core, &mut rng)).collect();
    let cores = net.units.iter_mut().filter_map(|unit| match &mut unit.kind {
        UnitKind::Core(core) => Some(core),
        UnitKind::Fork | UnitKind::Merge { .. } | UnitKind::Queue { .. } => None,
    });
    for (core, mode) in cores.zip(modes) {
        core.mode = mode;
        core.slice_bits = cost::slice_bits(core, Target::Generic);
    }
    assert_eq!(net.check(), [], "{}", net.dump());
    net
}

/// Random pixel codes of the network.
pub fn image(net: &MappedNet, rng: &mut ChaCha8Rng) -> Vec<i64> {
    let density = [0.0, 0.2, 0.6, 1.0][rng.random_range(0..4)];
    let pixels = &net.quant.pixels;
    let [_, h, w] = net.quant.input_shape().image().unwrap();
    let code = |n: usize| {
        let zero = pixels.zero_of(n / (h * w));
        if rng.random_bool(density) { rng.random_range(0..=pixels.max()) - zero } else { 0 }
    };
    (0..net.quant.input_shape().len()).map(code).collect()
}

/// An image, and a convolution of it by 3×3 with zeros around it, which is the readout.
pub fn single_conv(input: [usize; 3], channels: usize) -> QuantGraph {
    let window =
        Window { output: [channels, input[1], input[2]], kernel: [3, 3], pad: [1, 1], ..Window::identity(input) };
    let plan = Plan {
        coding: Coding::Graded,
        timesteps: 4,
        pixel_bits: 4,
        signed: false,
        hidden: 0,
        side: 1,
        channels,
        seed: 0,
    };
    let quant = QuantGraph {
        name: "conv".into(),
        coding: plan.coding,
        timesteps: plan.timesteps,
        pixels: PixelFormat::unsigned(plan.pixel_bits),
        input: synfire::ir::quant::Input::Constant,
        normalisation: None,
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let mut draw = Draw { rng: ChaCha8Rng::seed_from_u64(0), quant, plan };
    draw.population(input.to_vec(), Neuron::Source);
    let neurons = channels * input[1] * input[2];
    draw.population(vec![channels, input[1], input[2]], Neuron::Readout { v_init: vec![0; neurons] });
    let synapses = draw.conv(window, channels);
    draw.project(0, 1, synapses);
    draw.prove(1);
    draw.quant
}

/// The shape of a residual network for images of `side`² pixels in three colours: three stages of `blocks` blocks with 16, 32 and 64
/// channels, an average pool and a dense readout; weights and thresholds at random, so that about every third neuron fires.
pub fn resnet(blocks: usize, side: usize) -> QuantGraph {
    let plan = Plan {
        coding: Coding::Graded,
        timesteps: 16,
        pixel_bits: 8,
        signed: false,
        hidden: 0,
        side,
        channels: 64,
        seed: 20,
    };
    let quant = QuantGraph {
        name: "resnet".into(),
        coding: plan.coding,
        timesteps: plan.timesteps,
        pixels: PixelFormat::unsigned(plan.pixel_bits),
        input: synfire::ir::quant::Input::Constant,
        normalisation: None,
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let mut draw = Draw { rng: ChaCha8Rng::seed_from_u64(20), quant, plan };
    let mut last = draw.population(vec![3, side, side], Neuron::Source);
    last = draw.layer(last, 16, 1, None);
    for (stage, channels) in [16, 32, 64].into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let inner = draw.layer(last, channels, stride, None);
            last = draw.layer(inner, channels, 1, Some((last, stride)));
        }
    }
    let [channels, height, width] = draw.image(last);
    let window =
        Window { output: [channels, 1, 1], kernel: [height, width], ..Window::identity([channels, height, width]) };
    let weight = Array3::from_elem((channels, height, width), 1);
    let pool = draw
        .population(vec![channels, 1, 1], Neuron::Pool { combine: Combine::Sum, max: 16 * (height * width) as i64 });
    draw.project(last, pool, Synapses::Channelwise { weight, window, from: 0, to: 0 });
    draw.prove(pool);
    let readout = draw.population(vec![10], Neuron::Readout { v_init: vec![0; 10] });
    let synapses = draw.dense(channels, 10);
    draw.project(pool, readout, synapses);
    draw.prove(readout);
    assert_eq!(draw.quant.check(), []);
    draw.quant
}

impl Draw {
    /// A convolution of 3×3, and perhaps the skip connection that joins it.
    fn layer(&mut self, pre: usize, channels: usize, stride: usize, skip: Option<(usize, usize)>) -> usize {
        let [c, h, w] = self.image(pre);
        let (oh, ow) = (h.div_ceil(stride), w.div_ceil(stride));
        let window = Window {
            output: [channels, oh, ow],
            kernel: [3, 3],
            stride: [stride; 2],
            pad: [1, 1],
            ..Window::identity([c, h, w])
        };
        let n = channels * oh * ow;
        let payload = self.quant.max_payload(PopId(pre)) as f64;
        let theta = (payload / 4.0 * 30.0 * (9.0 * c as f64).sqrt() / 16.0) as i64 + 1;
        let theta: Vec<i64> = (0..n).map(|_| self.rng.random_range(theta..=2 * theta)).collect();
        let v_init = theta.iter().map(|t| t / 2).collect();
        let post = self.population(vec![channels, oh, ow], Neuron::If { theta, v_init, bias: vec![0; n] });
        let shape = [channels, c, 3, 3];
        let weights = (0..shape.iter().product()).map(|_| self.rng.random_range(-100..=90)).collect();
        let weight = Array4::from_shape_vec(shape, weights).unwrap();
        self.project(pre, post, Synapses::Conv { weight, window, groups: 1 });
        if let Some((pre, stride)) = skip {
            let input = self.image(pre);
            let window = Window { output: [channels, oh, ow], stride: [stride; 2], ..Window::identity(input) };
            let to = (channels - input[0]) / 2;
            self.project(
                pre,
                post,
                Synapses::Channelwise { weight: Array3::from_elem((input[0], 1, 1), 100), window, from: 0, to },
            );
        }
        self.prove(post);
        post
    }
}
