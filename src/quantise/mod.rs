//! `SnnGraph` → `QuantGraph`: integer weights and thresholds, chosen without labels.
//!
//! A spike of neuron `c` stands for a *step* `s_c` (about `θ_c·α_c`) of float activation, so a population's drive is
//! `z_i = Σ_c (W_ic·s_c)·n_c + b_i` in spike counts `n_c`. Folding the sender's step into the columns gives `V =
//! W·s`, which becomes integers `q_i = round(V_i / α_i)` with a scale `α_i` per receiving *unit*: a neuron, or a channel
//! where windows make all of its neurons share their weights. The membrane then
//! counts in units of `α_i`, the threshold is an integer number of them, and no multiplier is left. The readout has
//! one `α` for all outputs, which keeps arg-max exact. Pools are exact: they carry the senders' steps on.
//!
//! Populations are calibrated in topological order, each on the quantised activity of those before it:
//!
//! | step | file | chooses |
//! |---|---|---|
//! | settings | `settings.rs` | nothing: refuses what cannot be built |
//! | calibration | `calibration.rs` | nothing: checks the set, gives the float network's activations |
//! | fit | `assemble.rs`, `samples.rs`, `panel.rs` | the float weights that come closest to the drive from what the senders really send |
//! | weights | `weights.rs`, `rounding.rs`, `drowned.rs` | scale and integer weights that lose least of the drive |
//! | bias | `mod.rs` | the integer bias for which the mean drive equals the float network's |
//! | threshold | `threshold.rs` | the integer threshold with the least squared error |
//! | level | `levels.rs` | the activation that a spike stands for, and where between two counts the border lies |
//! | activity | `activity.rs`, `pools.rs` | nothing: what the finished population sends |
//!
//! Channelwise projections of a single tap beside other synapses (identity and strided skip connections) take up to
//! [`SKIP_BITS`] bits: it is one weight a channel, and fewer bits would make the others coarser.
//!
//! Every sum of floats (`gemm.rs`, `operator.rs`) has a fixed order, so that the result depends neither on the number of
//! threads nor on the processor.

mod activity;
mod assemble;
mod calibration;
mod drowned;
mod gemm;
mod leaky;
mod levels;
mod operator;
mod panel;
mod pools;
mod rounding;
mod samples;
mod settings;
mod threshold;
mod weights;

pub use leaky::{Arithmetic, LEAKY_TIMESTEPS, LeakySettings, NEURON_SPIKES, is_leaky, quantise_leaky};
pub use settings::{LayerSettings, PIXEL_BITS, QuantSettings, SKIP_BITS, TIMESTEPS, WEIGHT_BITS};

use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::{self, PixelFormat};
use crate::ir::PopId;
use crate::ir::quant::{self, Coding, Combine, Neuron, QPopulation, QProjection, QuantGraph};
use crate::ir::snn::{Model, Projection, SnnGraph, Synapses};
use activity::Activity;
use assemble::{Input, Receiver};
use ndarray::{Array2, Array3, Array4, ArrayView2, Axis};
use rayon::prelude::*;
use weights::Integer;

/// Up to so many time steps the weights are fitted to what their senders really send, and a channel's levels are moved to where its
/// activations are. With more, a sender loses so little that these, which favour large activations, move the logits of images that are
/// hard to tell apart further than they bring them (measured on ResNet-20).
const FITTED_TIMESTEPS: u32 = 8;

/// Quantises a network for the given settings.
///
/// `pixels` is the calibration set, `[samples, inputs]` in `[0, 1]` *before* any normalisation (a few hundred samples
/// of the training data; labels are not needed). The result passes [`QuantGraph::check`], and its membrane ranges are
/// proved.
///
/// # Errors
/// [`Kind::Input`] with everything that is wrong with the settings and the calibration set.
pub fn quantise(snn: &SnnGraph, pixels: ArrayView2<f32>, settings: &QuantSettings) -> Result<QuantGraph> {
    if is_leaky(snn) {
        return quantise_leaky(snn, &settings.into());
    }
    let mut problems = settings.problems(snn);
    problems.extend(calibration::problems(snn, pixels));
    problems.extend(weights::problems(snn));
    problems.extend(pools::problems(snn, settings.coding));
    Error::check(Kind::Input, problems)?;

    let mut quantiser = Quantiser::new(snn, pixels, settings);
    for index in 1..snn.populations.len() {
        quantiser.population(PopId(index));
        quantiser.forget(PopId(index));
    }
    Error::check(Kind::Input, quantiser.problems)?;
    let mut net = quantiser.net;
    for index in 0..net.populations.len() {
        net.populations[index].range = net.prove_range(PopId(index));
    }
    Error::check(Kind::Internal, net.check())?;
    Ok(net)
}

/// The network as far as it is finished, with the activity of its finished populations on the calibration set.
struct Quantiser<'a> {
    snn: &'a SnnGraph,
    settings: &'a QuantSettings,
    net: QuantGraph,
    /// Activations of the float network, `[samples, neurons]` per population.
    float: Vec<Array2<f32>>,
    /// What the integer network sends, per population.
    activity: Vec<Activity>,
    /// Projections that do not survive.
    problems: Vec<Problem>,
}

impl<'a> Quantiser<'a> {
    fn new(snn: &'a SnnGraph, pixels: ArrayView2<f32>, settings: &'a QuantSettings) -> Self {
        let source = &snn.populations[0];
        let max = settings.pixels.max();
        let zero = snn.zero.iter().map(|&z| fixed::round(f64::from(z) * max as f64).clamp(0, max));
        let net = QuantGraph {
            name: snn.name.clone(),
            coding: settings.coding,
            timesteps: settings.timesteps,
            pixels: PixelFormat { bits: settings.pixels.bits, zero: zero.collect() },
            input: quant::Input::Constant,
            normalisation: settings.normalisation.clone(),
            populations: vec![QPopulation {
                name: source.name.clone(),
                shape: source.shape.clone(),
                neuron: Neuron::Source,
                range: (0, 0),
            }],
            projections: Vec::new(),
        };
        let phases = i64::from(net.phases());
        let activity = vec![Activity::source(pixels, &source.shape, &net.pixels, phases)];
        Quantiser { snn, settings, net, float: vec![calibration::source(snn, pixels)], activity, problems: Vec::new() }
    }

    /// Quantises one population with the projections into it.
    fn population(&mut self, pop: PopId) {
        let population = &self.snn.populations[pop.0];
        let (neuron, activity, float) = match (&population.model, pools::combine(&population.model)) {
            (_, Some(combine)) => self.pool(pop, combine),
            (Model::Relu { max }, _) => self.relu(pop, *max),
            _ => self.readout(pop),
        };
        self.activity.push(activity);
        self.float.push(float);
        self.net.populations.push(QPopulation {
            name: population.name.clone(),
            shape: population.shape.clone(),
            neuron,
            range: (0, 0),
        });
    }

    /// Frees the activations that no population after `done` reads.
    fn forget(&mut self, done: PopId) {
        for index in 0..=done.0 {
            if self.snn.projections.iter().all(|p| p.pre.0 != index || p.post.0 <= done.0) {
                self.float[index] = Array2::default((0, 0));
                self.activity[index] = Activity::default();
            }
        }
    }

    fn relu(&mut self, pop: PopId, max: Option<f32>) -> (Neuron, Activity, Array2<f32>) {
        let pixels = self.unit_pixels(pop);
        let first = self.net.projections.len();
        let mut float = calibration::drive(self.snn, pop, &self.float);
        let scale = self.weights(pop, &float, false);
        let incoming = &self.net.projections[first..];
        let mut drive = activity::drive(&self.net, incoming, &self.activity);
        let bias = self.bias(pop, &float, &drive, &scale);
        let mut bias = holdable(bias, &self.snn.populations[pop.0].name, &mut self.problems);
        drive.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
            row.iter_mut().zip(&bias).for_each(|(v, &b)| *v += b as f64);
        });
        let ceiling = max.unwrap_or(f32::INFINITY);
        float.par_mapv_inplace(|z| z.clamp(0.0, ceiling));
        let timesteps = self.settings.timesteps;
        let coarse = timesteps <= FITTED_TIMESTEPS && pixels > 1;
        let clipped = threshold::clipped(timesteps, pixels);
        let theta = threshold::thresholds(
            &float,
            &drive,
            &scale,
            &threshold::Aim { pixels, timesteps, ceiling: f64::from(ceiling), clipped },
        );
        // Where means are not corrected, or spikes say when they come, a spike stands for the threshold itself.
        let levels = match coarse && self.settings.bias_calibration && self.settings.coding != Coding::Rate {
            true => levels::levels(&float, &drive, &scale, pixels, &theta, timesteps),
            false => levels::plain(&theta, &scale),
        };
        let of = |n: usize| levels[n / pixels];
        bias.iter_mut().enumerate().for_each(|(n, b)| *b += of(n).shift);
        drive.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
            row.iter_mut().enumerate().for_each(|(n, v)| *v += of(n).shift as f64);
        });
        let step: Vec<f64> = (0..bias.len()).map(|n| of(n).step).collect();
        let theta: Vec<i64> = (0..bias.len()).map(|n| of(n).theta).collect();
        let neuron = self.integrate_and_fire(theta, bias);
        let activity = activity::fire(&neuron, &self.net, incoming, &self.activity, &drive).with_step(step);
        (neuron, activity, float)
    }

    fn readout(&mut self, pop: PopId) -> (Neuron, Activity, Array2<f32>) {
        let first = self.net.projections.len();
        let target = calibration::drive(self.snn, pop, &self.float);
        let scale = self.weights(pop, &target, true);
        let drive = activity::drive(&self.net, &self.net.projections[first..], &self.activity);
        let v_init = self.bias(pop, &target, &drive, &scale);
        let v_init = holdable(v_init, &self.snn.populations[pop.0].name, &mut self.problems);
        (Neuron::Readout { v_init }, Activity::default(), target)
    }

    fn pool(&mut self, pop: PopId, combine: Combine) -> (Neuron, Activity, Array2<f32>) {
        let first = self.net.projections.len();
        self.net.projections.extend(self.snn.projections_into(pop).map(|(_, p)| pools::projection(p)));
        let incoming = &self.net.projections[first..];
        let step = pools::step(self.snn, pop, &self.activity).unwrap_or_else(|problem| {
            self.problems.push(problem);
            vec![1.0; self.snn.populations[pop.0].shape.len()]
        });
        let (totals, float) = match combine {
            Combine::Sum => (
                activity::drive(&self.net, incoming, &self.activity).mapv(|v| v as f32),
                calibration::drive(self.snn, pop, &self.float),
            ),
            Combine::Max => self.largest(pop),
        };
        let taps = |p: &QProjection| p.projection.synapses.window().map_or(1, |w| w.kernel[0] * w.kernel[1]) as i64;
        let reach = incoming.iter().map(|p| match combine {
            Combine::Sum => taps(p) * self.net.max_per_phase(p.projection.pre),
            Combine::Max => self.net.max_per_phase(p.projection.pre),
        });
        let max = match combine {
            Combine::Sum => reach.sum::<i64>(),
            Combine::Max => reach.max().unwrap_or(1),
        };
        (Neuron::Pool { combine, max: max.max(1) }, Activity::of(totals, step), float)
    }

    /// Integer and float maxima of a pool.
    fn largest(&self, pop: PopId) -> (Array2<f32>, Array2<f32>) {
        let neurons = self.snn.populations[pop.0].shape.len();
        let ones: Vec<Array3<f32>> = self
            .snn
            .projections_into(pop)
            .filter_map(|(_, p)| match &p.synapses {
                Synapses::Channelwise { weight, .. } => Some(weight.mapv(|_| 1.0)),
                _ => None,
            })
            .collect();
        let channelwise = |p: &'a Projection<f32>| match &p.synapses {
            Synapses::Channelwise { weight, window, from, to } => Some((weight, window, (*from, *to), p.pre.0)),
            _ => None,
        };
        let inputs: Vec<_> = self.snn.projections_into(pop).filter_map(|(_, p)| channelwise(p)).collect();
        let float: Vec<_> = inputs.iter().map(|&(w, window, ends, pre)| (w, window, ends, &self.float[pre])).collect();
        let integer: Vec<_> = inputs
            .iter()
            .zip(&ones)
            .map(|(&(_, window, ends, pre), one)| (one, window, ends, &self.activity[pre].totals))
            .collect();
        (pools::largest(&integer, neurons), pools::largest(&float, neurons))
    }

    /// Neurons that share one scale and threshold: the pixels of a channel where a window reads or writes the population, for
    /// then its neurons share weights, and otherwise each on its own.
    fn unit_pixels(&self, pop: PopId) -> usize {
        let windows = self.snn.projections.iter().filter(|p| p.pre == pop || p.post == pop);
        let windows = windows.filter_map(|p| p.synapses.window()).next();
        match (windows, self.snn.populations[pop.0].shape.image()) {
            (Some(_), Some([_, height, width])) => height * width,
            _ => 1,
        }
    }

    /// Appends the integer projections into `pop`, and gives the scale of each unit.
    fn weights(&mut self, pop: PopId, target: &Array2<f32>, shared: bool) -> Vec<f64> {
        let projections: Vec<_> = self.snn.projections_into(pop).collect();
        let all: Vec<&Synapses<f32>> = projections.iter().map(|(_, p)| &p.synapses).collect();
        let inputs: Vec<Input> = projections
            .iter()
            .map(|(id, p)| Input {
                synapses: &p.synapses,
                sender: &self.activity[p.pre.0],
                silent: p.pre.0 > 0 && self.activity[p.pre.0].totals.iter().all(|&total| total == 0.0),
                bits: self.settings.bits_of(self.snn, *id, assemble::is_skip(&p.synapses, &all)),
            })
            .collect();
        let receiver = Receiver {
            bias: &self.snn.populations[pop.0].bias,
            pixels: self.unit_pixels(pop),
            target,
            centred: self.settings.bias_calibration,
            fitted: self.settings.timesteps <= FITTED_TIMESTEPS,
        };
        let mut folded = assemble::fold(&inputs, &receiver);
        let integer = folded.choose(shared);
        let bits: Vec<u32> = inputs.iter().map(|i| i.bits).collect();
        let lost: Vec<usize> = (0..projections.len()).filter(|&index| folded.loses(&integer, index)).collect();
        for index in lost {
            let enough = folded.enough_bits(index, shared);
            let population = &self.snn.populations[pop.0].name;
            self.problems.push(vanished(&projections[index].1.name, population, enough));
        }
        for (index, (_, p)) in projections.iter().enumerate() {
            let synapses = with_weights(&p.synapses, &integer, index);
            let projection = Projection { name: p.name.clone(), pre: p.pre, post: p.post, delay: p.delay, synapses };
            self.net.projections.push(QProjection { projection, weight_bits: bits[index] });
        }
        integer.scale
    }

    /// Integer bias per neuron. With bias calibration it makes the mean drive of each unit equal the float network's, which
    /// takes out the mean of every error made so far: rounded weights, and clipped and rounded activations in the senders.
    fn bias(&self, pop: PopId, target: &Array2<f32>, drive: &Array2<f64>, scale: &[f64]) -> Vec<i64> {
        let (bias, pixels) = (&self.snn.populations[pop.0].bias, self.unit_pixels(pop));
        let samples = (target.nrows() * pixels) as f64;
        let unit = |(unit, &scale): (usize, &f64)| {
            let neurons = unit * pixels..(unit + 1) * pixels;
            let exact = neurons.clone().map(|n| f64::from(bias[n]) / scale);
            if !self.settings.bias_calibration {
                return exact.map(fixed::round).collect::<Vec<i64>>();
            }
            let difference = |n: usize| {
                target.column(n).iter().zip(drive.column(n)).map(|(&z, &v)| f64::from(z) / scale - v).sum::<f64>()
            };
            let wanted = neurons.map(difference).sum::<f64>() / samples;
            let mean = exact.clone().sum::<f64>() / pixels as f64;
            exact.map(|b| fixed::round(wanted + (b - mean))).collect()
        };
        let units: Vec<Vec<i64>> = scale.par_iter().enumerate().map(unit).collect();
        units.concat()
    }

    /// The bias enters two-phase coding at once, rate coding bit by bit; what does not divide by `T` enters at once.
    fn integrate_and_fire(&self, theta: Vec<i64>, bias: Vec<i64>) -> Neuron {
        let phases = i64::from(self.net.phases());
        let per_phase: Vec<i64> = match self.settings.coding {
            Coding::Graded | Coding::Unit => vec![0; theta.len()],
            Coding::Rate => bias.iter().map(|b| b / phases).collect(),
        };
        let v_init =
            theta.iter().zip(&bias).zip(&per_phase).map(|((theta, b), step)| theta / 2 + b - step * phases).collect();
        Neuron::If { theta, v_init, bias: per_phase }
    }
}

/// Biases that hardware can hold, and a problem for one that is beyond. Half of what is possible leaves room for what a membrane begins
/// with besides.
fn holdable(mut bias: Vec<i64>, population: &str, problems: &mut Vec<Problem>) -> Vec<i64> {
    const MOST: i64 = quant::LARGEST_PARAMETER / 2;
    if let Some(x) = bias.iter().find(|x| !(-MOST..=MOST).contains(*x)) {
        let what = format!("needs a bias of {x} membrane units, more than any hardware here can hold");
        let help =
            "look for numbers that are far too large beside the weights: a mean in --normalize, or the layer's biases";
        problems.push(Problem::new(what).at_node(population).help(help));
        bias.iter_mut().for_each(|x| *x = (*x).clamp(-MOST, MOST));
    }
    bias
}

/// The synapses with the integer weights of projection `index`.
fn with_weights(synapses: &Synapses<f32>, integer: &Integer, index: usize) -> Synapses<i32> {
    let matrix = &integer.weights[index];
    match synapses {
        Synapses::Dense { .. } => Synapses::Dense { weight: matrix.clone() },
        Synapses::Conv { weight, window, groups } => {
            let (_, channels, height, width) = weight.dim();
            let at = |(o, c, y, x): (usize, usize, usize, usize)| matrix[(o, (c * height + y) * width + x)];
            debug_assert_eq!(matrix.ncols(), channels * height * width);
            Synapses::Conv { weight: Array4::from_shape_fn(weight.dim(), at), window: *window, groups: *groups }
        }
        Synapses::Channelwise { weight, window, from, to } => {
            let width = weight.dim().2;
            let weight = Array3::from_shape_fn(weight.dim(), |(c, y, x)| matrix[(c, y * width + x)]);
            Synapses::Channelwise { weight, window: *window, from: *from, to: *to }
        }
    }
}

/// `enough` are the bits per weight with which the projection would be kept, if there are any.
fn vanished(name: &str, population: &str, enough: Option<u32>) -> Problem {
    let weights = match enough {
        Some(bits) => format!("use {bits} bits per weight for layer '{population}' (they keep it)"),
        None => format!("no number of bits per weight up to {} keeps it: use", WEIGHT_BITS.end()),
    };
    let or = if enough.is_some() { ", " } else { " " };
    Problem::new("has weights that all round to zero, or nearly so, beside those of the population's other projections")
        .at_node(name)
        .help(format!("{weights}{or}fewer bits per pixel, or graded coding"))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;
