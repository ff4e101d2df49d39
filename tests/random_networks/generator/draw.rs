//! A seed → a recipe.

use super::parameters::stream;
use super::recipe::{Kind, Layer, Layout, Link, Recipe, Run, Style, Synapse, Taps};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::ir::quant::{Coding, Input};

/// Layers of a network, as often as they stand here.
const LAYERS: [usize; 13] = [1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 8];
/// As `synfire cosim` takes them.
const PATTERNS: [&str; 4] = ["always", "random:40", "bursts", "long-stalls"];
/// How the memory outside takes its time.
const MEMORIES: [&str; 4] = ["60", "1", "7+50/3", "20"];
/// Sets of weights of a structure.
const RUNS: usize = 3;

/// What a network is made for.
#[derive(Clone, Copy, PartialEq)]
enum Family {
    TwoPhase(Coding),
    /// Rate coding with integrate-and-fire neurons.
    Rate,
    /// Rate coding with leaky neurons.
    Leaky,
}

struct Draw {
    rng: ChaCha8Rng,
    family: Family,
    recipe: Recipe,
    /// Nothing but vectors and dense projections: cores without windows.
    dense: bool,
    /// Populations without a reader.
    unread: Vec<usize>,
}

/// The recipe of a seed. Seeds in a row go through the kinds of networks.
pub fn draw(seed: u64) -> Recipe {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let family = match seed % 5 {
        0 => Family::TwoPhase(Coding::Graded),
        1 | 4 => Family::Leaky,
        2 => Family::TwoPhase([Coding::Unit, Coding::Graded][rng.random_range(0..2)]),
        _ => Family::Rate,
    };
    let dense = rng.random_range(0..100) < 40;
    let mut draw = Draw { family, recipe: Recipe::default(), dense, unread: vec![0], rng };
    draw.source();
    let layers = draw.pick(&LAYERS);
    (1..=layers).for_each(|pop| draw.layer(pop, pop == layers));
    draw.recurrence();
    draw.move_out(seed);
    draw.leak_out(seed);
    draw.several_spikes(seed);
    draw.recipe.seed = seed;
    draw.recipe.runs = (0..RUNS).map(|run| draw.run(seed, run)).collect();
    draw.recipe
}

impl Draw {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn up_to(&mut self, most: usize) -> usize {
        self.rng.random_range(1..=most)
    }

    fn source(&mut self) {
        let (coding, timesteps) = match self.family {
            Family::TwoPhase(Coding::Unit) => (Coding::Unit, self.pick(&[1, 2, 3, 4, 7])),
            Family::TwoPhase(coding) => (coding, self.pick(&[1, 3, 4, 7, 8, 15, 16])),
            Family::Rate | Family::Leaky => (Coding::Rate, self.pick(&[1, 2, 3, 5, 9])),
        };
        let input = match (coding, self.rng.random_range(0..4)) {
            (Coding::Rate, 0) => Input::Encoded,
            (Coding::Rate, 1) => Input::Train { max: self.pick(&[1, 5]) },
            _ => Input::Constant,
        };
        let flat = self.dense || self.chance(20);
        let source = if flat { vec![self.up_to(16)] } else { vec![self.up_to(3), self.up_to(6), self.up_to(6)] };
        self.recipe.signed = input == Input::Constant && self.chance(30);
        self.recipe.pixel_bits = self.pick(&[1, 2, 3, 8]);
        (self.recipe.coding, self.recipe.timesteps, self.recipe.input) = (coding, timesteps, input);
        self.recipe.source = source;
    }

    fn layer(&mut self, pop: usize, readout: bool) {
        let mut senders = vec![pop - 1];
        while self.chance(35) && senders.len() < 3 {
            senders.push(self.rng.random_range(0..pop));
        }
        self.unread.retain(|unread| !senders.contains(unread));
        if readout {
            senders.append(&mut self.unread);
        }
        let neuron = self.neuron(&senders, readout);
        let [_, h, w] = self.recipe.image(pop - 1);
        let pools = matches!(neuron, Kind::Sum | Kind::Max);
        let flat = self.dense || self.chance(if readout { 60 } else { 30 }) && !(pools && h * w > 1);
        let shape = match (flat, self.chance(60)) {
            (true, _) => vec![self.up_to(12)],
            // The sender's pixels, or about half of them.
            (false, true) => vec![self.up_to(6), h.div_ceil(self.up_to(2)), w.div_ceil(self.up_to(2))],
            (false, false) => vec![self.up_to(5), self.up_to(6), self.up_to(6)],
        };
        let (layout, shared) = (self.layout(), self.chance(65));
        self.recipe.layers.push(Layer { shape, neuron, shared, from: Vec::new(), layout });
        let from = senders.into_iter().map(|pre| self.link(pre, pop, 0)).collect();
        self.recipe.layers[pop - 1].from = from;
        self.unread.push(pop);
    }

    fn neuron(&mut self, senders: &[usize], readout: bool) -> Kind {
        let signed = self.recipe.signed && senders.contains(&0);
        let kind = |pop: usize| self.recipe.layers[pop - 1].neuron;
        // A maximum needs senders that say all that they have to say in one event.
        let once = self.recipe.coding != Coding::Unit
            || self.recipe.timesteps == 1
            || senders.iter().all(|&pre| pre == 0 || kind(pre) != Kind::If);
        if readout {
            return Kind::Readout;
        }
        let (pool, mixed) = (!signed && self.chance(30), self.chance(15));
        match self.family {
            Family::TwoPhase(_) if pool && once => [Kind::Max, Kind::Sum][self.rng.random_range(0..2)],
            _ if pool => Kind::Sum,
            Family::Leaky if !mixed => Kind::Leaky(self.style()),
            Family::TwoPhase(_) | Family::Rate | Family::Leaky => Kind::If,
        }
    }

    fn style(&mut self) -> Style {
        let [current, alike, subtract, tight] = [50, 40, 50, 40].map(|percent| self.chance(percent));
        let bursts = !subtract && self.chance(8);
        Style { current, alike, subtract, tight, bursts, align: self.pick(&[0, 2, 6]) }
    }

    fn link(&mut self, pre: usize, post: usize, delay: u32) -> Link {
        let ([input, _, _], [output, h, w]) = (self.recipe.image(pre), self.recipe.image(post));
        let pixels = h * w > 1 || self.recipe.image(pre)[1..] != [1, 1];
        let kind = self.recipe.layers[post - 1].neuron;
        let choice = match kind {
            Kind::Max | Kind::Sum => self.rng.random_range(if pixels { 4..12 } else { 0..6 }),
            _ => self.rng.random_range(if pixels { 1..10 } else { 0..6 }),
        };
        let synapses = match choice {
            _ if self.dense => Synapse::Dense,
            5 | 6 if pixels => self.skip(pre, post),
            1 | 2 if !pixels => Synapse::Dense,
            0 | 1 => Synapse::Dense,
            2..=4 => {
                let groups = (2..4).find(|g| input.is_multiple_of(*g) && output.is_multiple_of(*g)).unwrap_or(1);
                let groups = if self.chance(40) { groups } else { 1 };
                Synapse::Conv { taps: self.taps(), groups }
            }
            _ => self.channelwise(pre, post),
        };
        let limit = match kind {
            Kind::Max => self.pick(&[1, 1, 3]),
            Kind::Sum => self.up_to(3) as i32,
            _ => self.pick(&[1, 7, 31, 100]),
        };
        Link { pre, delay, synapses, limit, density: self.pick(&[100, 80, 80, 30]) }
    }

    fn taps(&mut self) -> Taps {
        let mut two = |from: &[usize]| [self.pick(from), self.pick(from)];
        let (kernel, stride, dilation) = (two(&[1, 2, 3, 3, 4]), two(&[1, 1, 1, 2, 3]), two(&[1, 1, 1, 2]));
        Taps { kernel, stride, dilation, pad: [self.pick(&[0, 1, 1, 2, -1]), self.pick(&[0, 1, 1, 2, -1])] }
    }

    fn channelwise(&mut self, pre: usize, post: usize) -> Synapse {
        let ([input, ..], [output, ..]) = (self.recipe.image(pre), self.recipe.image(post));
        let channels = self.up_to(input.min(output));
        let (from, to) = (self.up_to(input - channels + 1) - 1, self.up_to(output - channels + 1) - 1);
        Synapse::Channelwise { taps: self.taps(), from, to, channels }
    }

    /// A skip connection: every pixel, or every other one; where there are more channels than before, zeros on both sides.
    fn skip(&mut self, pre: usize, post: usize) -> Synapse {
        let ([input, h, _], [output, rows, _]) = (self.recipe.image(pre), self.recipe.image(post));
        let channels = input.min(output);
        let stride = if rows < h { [2, 2] } else { [1, 1] };
        let taps = Taps { stride, ..Taps::ONE };
        Synapse::Channelwise { taps, from: (input - channels) / 2, to: (output - channels) / 2, channels }
    }

    fn layout(&mut self) -> Layout {
        let banks = self.pick(&[[1, 1], [1, 1], [1, 2], [2, 1], [2, 2], [3, 2], [3, 3], [1, 4]]);
        // Simulations of much hardware take long to build.
        let widest = if banks[0] * banks[1] > 4 { 2 } else { 5 };
        let lanes = [1, 2, 3, 4, 8][self.rng.random_range(0..widest)];
        let rows = self.pick(if lanes > 4 { &[1, 2] } else { &[1, 2, 4, 8] });
        let (matrix, shift_add) = (self.chance(45), self.chance(45));
        Layout { matrix, lanes, rows, banks, shift_add, slice_bits: self.pick(&[3, 18, 18, 64]), external: false }
    }

    /// Projections of populations on themselves, on earlier ones, and on later ones past a step.
    fn recurrence(&mut self) {
        let layers = self.recipe.layers.len();
        if self.recipe.coding != Coding::Rate {
            return;
        }
        let most = if self.family == Family::Leaky { 3 } else { 1 };
        for _ in 0..self.rng.random_range(0..=most) {
            let (pre, post) = (self.rng.random_range(0..layers), self.up_to(layers));
            let sender = if pre == 0 { None } else { Some(self.recipe.layers[pre - 1].neuron) };
            let late = pre >= post && !matches!(sender, Some(Kind::If | Kind::Leaky(_)));
            let pool = self.recipe.layers[post - 1].neuron == Kind::Sum && self.recipe.signed && pre == 0;
            if !late && !pool {
                let link = self.link(pre, post, 1);
                self.recipe.layers[post - 1].from.push(link);
            }
        }
    }

    /// Moves weights of some networks outside.
    fn move_out(&mut self, seed: u64) {
        let rng = &mut stream(seed, 1);
        if rng.random_bool(0.3) {
            for layer in &mut self.recipe.layers {
                layer.layout.external = rng.random_bool(0.7);
            }
        }
    }

    /// Lets the readouts of some networks leak.
    fn leak_out(&mut self, seed: u64) {
        let rng = &mut stream(seed, 3);
        if self.recipe.coding != Coding::Rate || !rng.random_bool(0.4) {
            return;
        }
        let [current, alike, tight] = [0.5, 0.5, 0.3].map(|p| rng.random_bool(p));
        let align = [0, 2, 6][rng.random_range(0..3)];
        if let Some(readout) = self.recipe.layers.last_mut() {
            readout.neuron = Kind::LeakyReadout(Style { current, alike, tight, align, ..Style::default() });
        }
    }

    /// Lets some integrate-and-fire neurons send several spikes in a step.
    fn several_spikes(&mut self, seed: u64) {
        let rng = &mut stream(seed, 2);
        let single = |layer: &&mut Layer| layer.neuron == Kind::If;
        for layer in self.recipe.layers.iter_mut().filter(single) {
            if self.recipe.coding == Coding::Rate && rng.random_bool(0.5) {
                let most = [1, 2, 3, 5, 15, 20, 255][rng.random_range(0..7)];
                layer.neuron = Kind::Multi { most, floor: rng.random_bool(0.6) };
            }
        }
    }

    fn run(&mut self, seed: u64, run: usize) -> Run {
        let first = (seed as usize + run) % PATTERNS.len();
        Run {
            weights: seed.wrapping_mul(RUNS as u64).wrapping_add(run as u64),
            images: 4,
            density: self.pick(&[20, 50, 90]),
            input: PATTERNS[(first * 3 + run) % PATTERNS.len()].into(),
            output: PATTERNS[first].into(),
            disturb: if run == 1 { self.rng.random_range(1..300) } else { 0 },
            memory: MEMORIES[first].into(),
        }
    }
}
