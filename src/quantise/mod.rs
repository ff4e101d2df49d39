//! `SnnGraph` → `QuantGraph`: integer weights and thresholds, chosen without labels.
//!
//! A spike of neuron `c` stands for a *step* `s_c = θ_c·α_c` of float activation, so a population's drive is
//! `z_i = Σ_c (W_ic·s_c)·n_c + b_i` in spike counts `n_c`. Folding the sender's step into the columns gives `V =
//! W·s`, which becomes integers `q_i = round(V_i / α_i)` with a scale `α_i` per receiving neuron. The membrane then
//! counts in units of `α_i`, the threshold is an integer number of them, and no multiplier is left. The readout has
//! one `α` for all outputs, which keeps arg-max exact.
//!
//! Populations are calibrated in topological order, each on the quantised activity of those before it:
//!
//! | step | file | chooses |
//! |---|---|---|
//! | settings | `settings.rs` | nothing: refuses what cannot be built |
//! | calibration | `calibration.rs` | nothing: checks the set, gives the float network's activations |
//! | weights | `weights.rs`, `rounding.rs` | scale and integer weights that lose least of the drive |
//! | bias | `mod.rs` | the integer bias for which the mean drive equals the float network's |
//! | threshold | `threshold.rs` | the integer threshold with the least squared error |
//! | activity | `activity.rs` | nothing: what the finished population sends |
//!
//! Every sum of floats has a fixed order, so that the result does not depend on the number of threads.

mod activity;
mod calibration;
mod leaky;
mod rounding;
mod settings;
mod threshold;
mod weights;

pub use leaky::{Arithmetic, LEAKY_TIMESTEPS, LeakySettings, is_leaky, quantise_leaky};
pub use settings::{LayerSettings, PIXEL_BITS, QuantSettings, TIMESTEPS, WEIGHT_BITS};

use crate::error::{Error, Kind, Problem, Result};
use crate::fixed;
use crate::ir::PopId;
use crate::ir::quant::{Coding, Input, Neuron, QPopulation, QProjection, QuantGraph};
use crate::ir::snn::{Model, Projection, SnnGraph, Synapses};
use activity::Activity;
use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};

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
    Error::check(Kind::Input, problems)?;

    let mut quantiser = Quantiser::new(snn, pixels, settings);
    for index in 1..snn.populations.len() {
        quantiser.population(PopId(index));
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
    float: Vec<Array2<f64>>,
    /// What the integer network sends, per population.
    activity: Vec<Activity>,
    /// Projections that do not survive.
    problems: Vec<Problem>,
}

impl<'a> Quantiser<'a> {
    fn new(snn: &'a SnnGraph, pixels: ArrayView2<f32>, settings: &'a QuantSettings) -> Self {
        let source = &snn.populations[0];
        let net = QuantGraph {
            name: snn.name.clone(),
            coding: settings.coding,
            timesteps: settings.timesteps,
            pixels: settings.pixels.clone(),
            input: Input::Constant,
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
        let activity = vec![Activity::source(pixels, &settings.pixels, phases)];
        Quantiser { snn, settings, net, float: vec![pixels.mapv(f64::from)], activity, problems: Vec::new() }
    }

    /// Quantises one population with the projections into it.
    fn population(&mut self, pop: PopId) {
        let population = &self.snn.populations[pop.0];
        let target = calibration::drive(self.snn, pop, &self.float);
        let folded = self.folded(pop);
        let integer = folded.choose(matches!(population.model, Model::Readout));

        let first = self.net.projections.len();
        let mut column = 0;
        for (id, p) in self.snn.projections_into(pop) {
            let senders = p.synapses.extent().0;
            let columns = column..column + senders;
            column = columns.end;
            if folded.vanishes(&integer, columns.clone()) {
                self.problems.push(vanished(&p.name));
            }
            let weight = integer.weight.slice_axis(Axis(1), Slice::from(columns)).to_owned();
            self.net.projections.push(QProjection {
                projection: Projection {
                    name: p.name.clone(),
                    pre: p.pre,
                    post: p.post,
                    delay: p.delay,
                    synapses: Synapses::Dense { weight },
                },
                weight_bits: self.settings.bits_of(self.snn, id),
            });
        }
        let incoming = &self.net.projections[first..];
        let mut drive = activity::drive(incoming, &self.activity);
        let bias = self.bias(&target, &drive, &population.bias, &integer.scale);
        drive += &bias;

        let (neuron, activity, float) = match population.model {
            Model::Source | Model::Readout | Model::Sum | Model::Max | Model::Leaky(_) => {
                (Neuron::Readout { v_init: bias.to_vec() }, Activity::silent(), target)
            }
            Model::Relu { max } => {
                let ceiling = max.map_or(f64::INFINITY, f64::from);
                let float = target.mapv_into(|z| z.clamp(0.0, ceiling));
                let theta = threshold::thresholds(&float, &drive, &integer.scale, self.settings.timesteps);
                let step = theta.iter().zip(&integer.scale).map(|(&theta, scale)| theta as f64 * scale).collect();
                let neuron = self.integrate_and_fire(theta, bias);
                let activity = activity::fire(&neuron, &self.net, incoming, &self.activity, &drive).with_step(step);
                (neuron, activity, float)
            }
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

    /// The weights into `pop` in units of the senders' spikes, all projections side by side.
    fn folded(&self, pop: PopId) -> weights::Folded {
        let bias = &self.snn.populations[pop.0].bias;
        let mut folded = weights::Folded::new(bias, self.float[0].nrows(), self.settings.bias_calibration);
        for (id, p) in self.snn.projections_into(pop) {
            let Synapses::Dense { weight } = &p.synapses else { continue };
            folded.push(weight, &self.activity[p.pre.0], self.settings.bits_of(self.snn, id));
        }
        folded
    }

    /// Integer bias per neuron. With bias calibration it makes the mean drive equal the float network's, which takes
    /// out the mean of every error made so far: rounded weights, and clipped and rounded activations in the senders.
    fn bias(&self, target: &Array2<f64>, drive: &Array2<i64>, bias: &[f32], scale: &[f64]) -> Array1<i64> {
        let samples = target.nrows() as f64;
        (0..scale.len())
            .map(|n| {
                let exact = f64::from(bias[n]) / scale[n];
                if !self.settings.bias_calibration {
                    return fixed::round(exact);
                }
                let difference: f64 =
                    target.column(n).iter().zip(drive.column(n)).map(|(&z, &v)| z / scale[n] - v as f64).sum();
                fixed::round(difference / samples)
            })
            .collect()
    }

    /// The bias enters two-phase coding at once, rate coding bit by bit; what does not divide by `T` enters at once.
    fn integrate_and_fire(&self, theta: Vec<i64>, bias: Array1<i64>) -> Neuron {
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

fn vanished(name: &str) -> Problem {
    Problem::new("has weights that all round to zero beside those of the population's other projections")
        .at_node(name)
        .help("use more bits per weight, fewer bits per pixel, or graded coding")
}

#[cfg(test)]
mod tests;
