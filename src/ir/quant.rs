//! The integer network. Everything after this stage computes exactly what it says, and holds no float.
//!
//! One image is presented for [`QuantGraph::phases`] *phases*. In two-phase coding a phase is the whole image: every
//! population integrates all of its input, then fires. In rate coding a phase is one time step.
//! With `a[n] = Σ w·x` over every projection into the population, a phase does
//! ```text
//! v' = v + a + bias                                   (before the first phase of an image: v = v_init)
//! two-phase:  n = clip(floor(v' / theta), 0, T)       sent as n unit spikes or as one event with payload n
//! rate:       s = v' >= theta;  v = s ? v' - theta : v'            (several spikes a step: [`MultiSpike`]; decays: [`Leaky`])
//! pool:       v = Σ w·x, or max w·x (two-phase), sent as one event with payload v
//! readout:    after the image's last phase the membranes are the logits
//! ```
//! Guarantees (verified by [`QuantGraph::check`]): the topology guarantees of [`super::snn`]; per-neuron vectors have
//! the population's length; `theta >= 1`; every weight fits `weight_bits`; no partial sum, in whatever order, leaves
//! [`QPopulation::range`].

mod leaky;
mod multi;

pub use leaky::{LeakyReach, MAX_STATE};
pub use multi::{MOST_SPIKES, MultiSpike};

use super::snn::{Projection, Role, Synapses, check_topology};
use super::{PopId, ProjId, Shape};
use crate::error::Problem;
use crate::fixed::{Normalisation, PixelFormat, weight_limit};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// An integer network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuantGraph {
    /// The model's name (untrusted text).
    pub name: String,
    /// How activations become spikes.
    pub coding: Coding,
    /// Time steps `T`.
    pub timesteps: u32,
    /// How pixels become integers.
    pub pixels: PixelFormat,
    /// What the source sends in each phase.
    pub input: Input,
    /// What the float network expects in front of its input; already folded into the weights.
    pub normalisation: Option<Normalisation>,
    /// Populations in topological order; 0 is the source, the last is the readout.
    pub populations: Vec<QPopulation>,
    /// Projections, ordered by their target.
    pub projections: Vec<QProjection>,
}

/// What the source sends in each phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// The pixel's code, the same in every phase.
    #[default]
    Constant,
    /// Rate coding only: a spike where an integer integrate-and-fire encoder per pixel fires, `e += code; if e >= max { 1; e -= max }` with
    /// `max` = [`PixelFormat::max`] and `e = 0` before an image.
    Encoded,
    /// Rate coding only: recorded spike trains, a value of `0..=max` for every neuron and phase.
    Train {
        /// Largest value.
        max: i64,
    },
}

/// A projection with integer weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QProjection {
    /// Sender, receiver and weights.
    #[serde(flatten)]
    pub projection: Projection<i32>,
    /// Bits of a (two's complement) weight.
    pub weight_bits: u32,
}

/// How a population's activation is coded in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coding {
    /// Two-phase, one event per active neuron whose payload is its spike count.
    Graded,
    /// Two-phase, one event per spike.
    Unit,
    /// Every population fires in the time step in which its input arrives.
    Rate,
}

/// A population of integer neurons.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QPopulation {
    /// Name of the node it comes from (untrusted text).
    pub name: String,
    /// Extent, `[N]` or `[C, H, W]`.
    pub shape: Shape,
    /// What its neurons do.
    pub neuron: Neuron,
    /// Least and greatest value that a membrane can take, proved from weights and payloads for any order of additions.
    pub range: (i64, i64),
}

/// The integer neuron models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Neuron {
    /// The image's pixels, sent as graded events (in rate coding: again in every time step).
    Source,
    /// Integrate and fire, reset by subtraction. Vectors have one entry per neuron.
    If {
        /// Threshold; fires at `v >= theta`.
        #[serde(with = "super::runs")]
        theta: Vec<i64>,
        /// Membrane before the first phase of an image (in two-phase coding this includes the bias).
        #[serde(with = "super::runs")]
        v_init: Vec<i64>,
        /// Added in every phase (zero in two-phase coding).
        #[serde(with = "super::runs")]
        bias: Vec<i64>,
    },
    /// Passes on, as one event, what it combined from its inputs since the phase began. A maximum exists in two-phase coding only.
    Pool {
        /// How inputs are combined; a phase begins with 0.
        combine: Combine,
        /// Largest value that it passes on. Never reached by a sum's clipping: the range proof bounds it.
        max: i64,
    },
    /// Leaky neurons with or without a synaptic current; rate coding only. The readout, if they never fire.
    Leaky(Box<Leaky>),
    /// Neurons that may send several spikes in one step; rate coding only.
    MultiSpike(Box<MultiSpike>),
    /// Integrates only; `v_init` includes the bias of all phases.
    Readout {
        /// Membrane before the first phase of an image.
        #[serde(with = "super::runs")]
        v_init: Vec<i64>,
    },
}

/// The leaky neuron of `semantics.md` §3. Vectors have one entry per neuron. A time step does
/// ```text
/// u' = rtz(u·(4096 - du), 12) + (a << align)            du = 4096: no current is kept, u' = a << align
/// v' = clamp(rtz(v·(4096 - dv), 12) + u' + bias, limits)
/// s  = v' > theta;   v = s ? reset : v'                 u is not reset
/// ```
/// with `a` the weighted input of the step. `v` is `v_init` and `u` is 0 before the first step of an image. With [`Reset::Never`] there is
/// no threshold and no spike: such a population is the readout, and its `v'` after the last step are the logits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaky {
    /// Fraction bits of `u` and `v` below one unit of the input.
    pub align: u32,
    /// Decay of the synaptic current in 1/4096 a step, 0 to 4096.
    #[serde(with = "super::runs")]
    pub du: Vec<i64>,
    /// Decay of the membrane in 1/4096 a step, 0 to 4096.
    #[serde(with = "super::runs")]
    pub dv: Vec<i64>,
    /// Added to the membrane in every step.
    #[serde(with = "super::runs")]
    pub bias: Vec<i64>,
    /// Fires above this membrane; empty with [`Reset::Never`].
    #[serde(with = "super::runs")]
    pub theta: Vec<i64>,
    /// What a spike leaves of the membrane.
    pub reset: Reset,
    /// Membrane before the first step.
    #[serde(with = "super::runs")]
    pub v_init: Vec<i64>,
    /// Least and greatest membrane; what lies beyond is clamped, and counted as a saturation.
    pub limits: (i64, i64),
    /// Least and greatest synaptic current, proved.
    pub current_range: (i64, i64),
    /// Least and greatest `a` of one step, proved for any order of the additions.
    pub input_range: (i64, i64),
}

/// What a spike leaves of a [`Leaky`] neuron's membrane. Vectors have one entry per neuron.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reset", content = "by", rename_all = "snake_case")]
pub enum Reset {
    /// This value.
    Value(#[serde(with = "super::runs")] Vec<i64>),
    /// What it was, less this much.
    Subtract(#[serde(with = "super::runs")] Vec<i64>),
    /// Nothing ever fires: the population is the readout.
    Never,
}

impl Reset {
    /// The vector; empty if nothing fires.
    pub fn by(&self) -> &[i64] {
        match self {
            Reset::Value(by) | Reset::Subtract(by) => by,
            Reset::Never => &[],
        }
    }
}

impl Leaky {
    /// False for a readout, whose membranes are the answer.
    pub fn fires(&self) -> bool {
        self.reset != Reset::Never
    }
}

/// How a [`Neuron::Pool`] combines `w·x` into its membrane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// `v + w·x`.
    Sum,
    /// `max(v, w·x)`; each sender sends at most one event a phase.
    Max,
}

/// No membrane is further from 0: sums of two still fit 64 bits.
const WIDEST: i64 = 1 << 62;

/// Largest magnitude of a threshold, an initial membrane or a bias that any hardware here can hold.
pub const LARGEST_PARAMETER: i64 = 1 << 48;

impl Neuron {
    /// The first of its parameters beyond [`LARGEST_PARAMETER`].
    pub fn unholdable(&self) -> Option<i64> {
        self.beyond(LARGEST_PARAMETER)
    }

    /// The first of its parameters whose magnitude is above `most`.
    pub fn beyond(&self, most: i64) -> Option<i64> {
        let vectors: &[&[i64]] = match self {
            Neuron::Source => &[],
            Neuron::Pool { max, .. } => &[&[*max]],
            Neuron::Leaky(l) => &[&l.du, &l.dv, &l.bias, &l.theta, l.reset.by(), &l.v_init],
            Neuron::MultiSpike(m) => &[&m.theta, &m.v_init, &m.bias],
            Neuron::If { theta, v_init, bias } => &[theta, v_init, bias],
            Neuron::Readout { v_init } => &[v_init],
        };
        let beyond = |x: &i64| !(-most..=most).contains(x);
        vectors.iter().flat_map(|v| v.iter()).copied().find(beyond)
    }

    /// The membrane of every neuron before an image's first phase; empty where it is 0 (pools) or there is none (the source).
    pub fn v_init(&self) -> &[i64] {
        match self {
            Neuron::Source | Neuron::Pool { .. } => &[],
            Neuron::Leaky(leaky) => &leaky.v_init,
            Neuron::MultiSpike(multi) => &multi.v_init,
            Neuron::If { v_init, .. } | Neuron::Readout { v_init } => v_init,
        }
    }

    /// True for neurons that send spikes.
    pub fn fires(&self) -> bool {
        match self {
            Neuron::Source | Neuron::Pool { .. } | Neuron::Readout { .. } => false,
            Neuron::If { .. } | Neuron::MultiSpike(_) => true,
            Neuron::Leaky(leaky) => leaky.fires(),
        }
    }

    /// True for neurons whose membranes after an image's last phase are the network's answer.
    pub fn is_readout(&self) -> bool {
        self.role() == Role::Readout
    }

    fn role(&self) -> Role {
        match self {
            Neuron::Source => Role::Source,
            Neuron::If { .. } | Neuron::Pool { .. } | Neuron::MultiSpike(_) => Role::Hidden,
            Neuron::Leaky(leaky) if leaky.fires() => Role::Hidden,
            Neuron::Leaky(_) | Neuron::Readout { .. } => Role::Readout,
        }
    }
}

impl QuantGraph {
    /// Phases per image: 1 in two-phase coding, `T` in rate coding.
    pub fn phases(&self) -> u32 {
        match self.coding {
            Coding::Graded | Coding::Unit => 1,
            Coding::Rate => self.timesteps,
        }
    }

    /// Numbers that describe an image: a code per pixel, or, where the source sends something else in every phase, a value per neuron
    /// and phase, phase by phase.
    pub fn codes_per_image(&self) -> usize {
        let neurons = self.input_shape().len();
        match self.input {
            Input::Constant => neurons,
            Input::Encoded | Input::Train { .. } => neurons.saturating_mul(self.phases() as usize),
        }
    }

    /// The population with this index.
    pub fn population(&self, id: PopId) -> &QPopulation {
        &self.populations[id.0]
    }

    /// The projection with this index.
    pub fn projection(&self, id: ProjId) -> &QProjection {
        &self.projections[id.0]
    }

    /// Shape of the image.
    pub fn input_shape(&self) -> &Shape {
        &self.populations[0].shape
    }

    /// The population whose membranes are the logits.
    pub fn readout(&self) -> PopId {
        PopId(self.populations.len() - 1)
    }

    /// The projections into `pop`, in order.
    pub fn projections_into(&self, pop: PopId) -> impl Iterator<Item = (ProjId, &QProjection)> {
        self.projections.iter().enumerate().filter(move |(_, p)| p.projection.post == pop).map(|(i, p)| (ProjId(i), p))
    }

    /// The projections out of `pop`, in order.
    pub fn projections_from(&self, pop: PopId) -> impl Iterator<Item = (ProjId, &QProjection)> {
        self.projections.iter().enumerate().filter(move |(_, p)| p.projection.pre == pop).map(|(i, p)| (ProjId(i), p))
    }

    /// Least and greatest payload of one event that `pop` sends; 0 is between them and is never sent. Only pixels are signed.
    pub fn payload_range(&self, pop: PopId) -> (i64, i64) {
        match (&self.population(pop).neuron, self.coding) {
            (Neuron::Source, _) => match self.input {
                Input::Constant => self.pixels.range(),
                Input::Encoded => (0, 1),
                Input::Train { max } => (0, max),
            },
            (Neuron::Pool { max, .. }, _) => (0, *max),
            (Neuron::MultiSpike(multi), _) => (0, i64::from(multi.most)),
            (_, Coding::Graded) => (0, i64::from(self.timesteps)),
            (_, Coding::Unit | Coding::Rate) => (0, 1),
        }
    }

    /// Largest magnitude of a payload of one event that `pop` sends (payloads are at least 1 in magnitude).
    pub fn max_payload(&self, pop: PopId) -> i64 {
        let (least, greatest) = self.payload_range(pop);
        greatest.max(-least)
    }

    /// Least and greatest sum of payloads that one neuron of `pop` sends within one phase.
    pub fn range_per_phase(&self, pop: PopId) -> (i64, i64) {
        match (&self.population(pop).neuron, self.coding) {
            (Neuron::If { .. } | Neuron::Readout { .. }, Coding::Unit) => (0, i64::from(self.timesteps)),
            _ => self.payload_range(pop),
        }
    }

    /// Largest magnitude of the sum of payloads that one neuron of `pop` sends within one phase.
    pub fn max_per_phase(&self, pop: PopId) -> i64 {
        let (least, greatest) = self.range_per_phase(pop);
        greatest.max(-least)
    }

    /// Least and greatest membrane of `pop` over one image, for any inputs and any order of the additions: the
    /// interval proof behind [`QPopulation::range`].
    pub fn prove_range(&self, pop: PopId) -> (i64, i64) {
        let population = self.population(pop);
        if let Neuron::Leaky(leaky) = &population.neuron {
            return leaky.limits;
        }
        if let Neuron::Pool { combine: Combine::Max, max } = population.neuron {
            return (0, max);
        }
        if let Neuron::MultiSpike(multi) = &population.neuron {
            return self.multi_range(multi, &self.input_reach(pop));
        }
        // A pool passes on in every phase what it holds.
        let phases = if let Neuron::Pool { .. } = population.neuron { 1 } else { i64::from(self.phases()) };
        let v_init = population.neuron.v_init();
        let mut range = (0i64, 0i64);
        for (n, &(down, up)) in self.input_reach(pop).iter().enumerate() {
            let v0 = v_init.get(n).copied().unwrap_or(0);
            let bias = match &population.neuron {
                Neuron::If { bias, .. } => bias.get(n).copied().unwrap_or(0),
                _ => 0,
            };
            // A spike only subtracts from a membrane at or above theta, so it never lowers the minimum below zero.
            let reach =
                |v0: i64, sum: i64, bias: i64| v0.saturating_add(phases.saturating_mul(sum.saturating_add(bias)));
            range.0 = range.0.min(reach(v0.min(0), down, bias.min(0)));
            range.1 = range.1.max(reach(v0.max(0), up, bias.max(0)));
        }
        range
    }

    /// A population whose sums could leave 64 bits, whatever its weights are.
    fn too_large(&self, pop: PopId) -> Option<Problem> {
        let incoming = self.projections.iter().map(|p| (&p.projection, p.weight_bits)).filter(|(p, _)| p.post == pop);
        let most = incoming.map(|(p, bits)| {
            let sent = i128::from(self.max_per_phase(p.pre)) * i128::from(self.phases());
            (self.population(p.pre).shape.len() as i128).saturating_mul(sent).saturating_mul(1 << (bits - 1))
        });
        let most = most.fold(0i128, i128::saturating_add);
        // Half of what 64 bits hold, for what the neurons add.
        (most >= 1 << 62).then(|| {
            let what = format!("could be sent sums of up to {most}, more than any hardware here can hold");
            Problem::new(what).at_node(&self.population(pop).name)
        })
    }

    /// Every broken guarantee.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = check_topology(
            self.populations.iter().map(|p| (p.name.as_str(), &p.shape, p.neuron.role())),
            self.projections.iter().map(|p| &p.projection),
        );
        if !problems.is_empty() {
            return problems;
        }
        // Outside these, the sums below would leave 64 bits.
        for (what, value, range) in
            [("time steps", self.timesteps, 1..=0xffff), ("bits per pixel", self.pixels.bits, 1..=16)]
                .into_iter()
                .chain(self.projections.iter().map(|p| ("bits per weight", p.weight_bits, 2..=31)))
        {
            if !range.contains(&value) {
                problems.push(Problem::new(format!("has {value} {what}, not {} to {}", range.start(), range.end())));
            }
        }
        problems.extend((0..self.populations.len()).filter_map(|i| self.too_large(PopId(i))));
        if !problems.is_empty() {
            return problems;
        }
        match self.input {
            Input::Constant => {}
            Input::Encoded | Input::Train { .. } if self.coding != Coding::Rate => {
                problems.push(Problem::new("reads spike trains, which only rate coding does"));
            }
            Input::Train { max } if !(1..=0xffff).contains(&max) => {
                problems.push(Problem::new(format!("reads spike trains of values up to {max}, not 1 to 65535")));
            }
            Input::Encoded if !self.pixels.zero.is_empty() => {
                problems.push(Problem::new("encodes signed pixels as spikes, which cannot be negative"));
            }
            Input::Encoded | Input::Train { .. } => {}
        }
        for (i, pop) in self.populations.iter().enumerate() {
            let mut complain = |what: String| problems.push(Problem::new(what).at_node(&pop.name));
            let n = pop.shape.len();
            let lengths = match &pop.neuron {
                Neuron::Source => continue,
                Neuron::If { theta, v_init, bias } => vec![theta.len(), v_init.len(), bias.len()],
                Neuron::Readout { v_init } => vec![v_init.len()],
                Neuron::Leaky(leaky) => {
                    if self.coding != Coding::Rate {
                        complain("is a leaky population, which only rate coding has".into());
                    }
                    self.leaky_problems(PopId(i), leaky).into_iter().for_each(&mut complain);
                    let mut lengths = vec![leaky.du.len(), leaky.dv.len(), leaky.bias.len(), leaky.v_init.len()];
                    if leaky.fires() {
                        lengths.extend([leaky.theta.len(), leaky.reset.by().len()]);
                    }
                    lengths
                }
                Neuron::MultiSpike(multi) => {
                    self.multi_problems(multi).into_iter().for_each(&mut complain);
                    vec![multi.theta.len(), multi.v_init.len(), multi.bias.len()]
                }
                Neuron::Pool { combine, max } => {
                    if self.coding == Coding::Rate && *combine == Combine::Max {
                        complain("takes a maximum, which only two-phase coding has".into());
                    }
                    if *max < 1 || pop.range.0 < 0 || pop.range.1 > *max {
                        complain(format!("is a pool that passes on at most {max}, but its range is {:?}", pop.range));
                    }
                    vec![]
                }
            };
            if lengths.iter().any(|&l| l != n) {
                complain(format!("has parameter vectors of lengths {lengths:?} for {n} neurons"));
                continue;
            }
            if let Neuron::If { theta, bias, .. } = &pop.neuron {
                if theta.iter().any(|&t| t < 1) {
                    complain("has a threshold below 1".into());
                }
                if self.coding != Coding::Rate && bias.iter().any(|&b| b != 0) {
                    complain("has a bias per phase, which two-phase coding keeps in v_init".into());
                }
            }
            let proved = self.prove_range(PopId(i));
            if proved.0 < -WIDEST || proved.1 > WIDEST {
                complain("can reach membranes of more than 62 bits".into());
            }
            if pop.range.0 > proved.0 || pop.range.1 < proved.1 {
                complain(format!("claims membranes in {:?}, but {proved:?} can be reached", pop.range));
            }
        }
        for p in &self.projections {
            let limit = weight_limit(p.weight_bits);
            if p.projection.synapses.weights().any(|&w| w.unsigned_abs() > limit.unsigned_abs()) {
                problems.push(
                    Problem::new(format!("holds a weight beyond ±{limit} ({} bits)", p.weight_bits))
                        .at_node(&p.projection.name),
                );
            }
        }
        problems
    }

    /// Stable text.
    pub fn dump(&self) -> String {
        let mut text = format!(
            "quant {:?} coding={:?} timesteps={} pixel_bits={}{}\n",
            self.name,
            self.coding,
            self.timesteps,
            self.pixels.bits,
            self.input.dump()
        );
        for (i, pop) in self.populations.iter().enumerate() {
            let detail = match &pop.neuron {
                Neuron::Source => "source".to_string(),
                Neuron::If { theta, .. } => {
                    let (min, max) = (theta.iter().min(), theta.iter().max());
                    format!("if theta={}..={}", min.unwrap_or(&0), max.unwrap_or(&0))
                }
                Neuron::Pool { combine, max } => format!("pool {combine:?} max={max}"),
                Neuron::Leaky(leaky) => leaky.dump(),
                Neuron::MultiSpike(multi) => multi.dump(),
                Neuron::Readout { .. } => "readout".to_string(),
            };
            let _ = writeln!(
                text,
                "population {i} {:?} {} {detail} membrane={}..={}",
                pop.name, pop.shape, pop.range.0, pop.range.1
            );
        }
        for (i, p) in self.projections.iter().enumerate() {
            let (pre, post) = p.projection.synapses.extent();
            let _ = writeln!(
                text,
                "projection {i} {:?} {} -> {} {} {post}x{pre} weight_bits={}",
                p.projection.name,
                p.projection.pre.0,
                p.projection.post.0,
                p.projection.synapses.name(),
                p.weight_bits
            );
        }
        text
    }
}

/// Adds to `reach` (least and greatest sum of each receiver) what senders with payload sums in `x` can contribute in any order. For
/// windows the receivers at the border are credited with the taps that padding silences, which only widens the interval.
fn add_reach(synapses: &Synapses<i32>, x: (i64, i64), reach: &mut [(i64, i64)]) {
    let part = |w: i32| {
        let ends = (i64::from(w) * x.0, i64::from(w) * x.1);
        (ends.0.min(ends.1).min(0), ends.0.max(ends.1).max(0))
    };
    let total = |weights: &mut dyn Iterator<Item = &i32>| {
        weights.map(|&w| part(w)).fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    };
    let widen = |receivers: &mut [(i64, i64)], sum: (i64, i64)| {
        receivers.iter_mut().for_each(|r| *r = (r.0 + sum.0, r.1 + sum.1));
    };
    match synapses {
        Synapses::Dense { weight } => {
            for (row, receiver) in weight.rows().into_iter().zip(reach) {
                widen(std::slice::from_mut(receiver), total(&mut row.iter()));
            }
        }
        Synapses::Conv { weight, window, .. } => {
            let pixels = window.output[1] * window.output[2];
            for (kernel, receivers) in weight.outer_iter().zip(reach.chunks_mut(pixels)) {
                widen(receivers, total(&mut kernel.iter()));
            }
        }
        Synapses::Channelwise { weight, window, to, .. } => {
            let pixels = window.output[1] * window.output[2];
            for (filter, receivers) in weight.outer_iter().zip(reach.chunks_mut(pixels).skip(*to)) {
                widen(receivers, total(&mut filter.iter()));
            }
        }
    }
}
