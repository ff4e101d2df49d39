//! Networks of leaky neurons: `SnnGraph` → `QuantGraph` without calibration, because they are spiking networks already.
//!
//! A membrane counts in units of `α_n·gain_n / 2^align`, where `α_n` is the float weight that the integer 1 stands for. Decays
//! become 12-bit fractions ([`Leaky`]); everything else about a neuron is divided by the unit.
//!
//! | file | chooses |
//! |---|---|
//! | `settings.rs` | nothing: what the user may choose |
//! | `scale.rs` | `α`: shared by a channel of a window's receivers, else one per neuron |
//! | `neurons.rs` | thresholds, decays, biases, resets |
//! | `multi.rs` | the same of neurons that may send several spikes in a step |
//! | `readout.rs` | the fraction bits of a readout that leaks |
//! | `pools.rs` | nothing: what pools may pass on |
//! | `loihi.rs` | nothing: which integers Loihi 2's fields hold |
//!
//! # Equal to Loihi 2
//! With [`Arithmetic::Loihi`], and by default wherever it costs nothing, `α` is such that the threshold is a whole number of
//! weights: `theta = k << 6` with `align = 6`, and the weights, not the threshold, are stretched to fit. The population then
//! is Loihi 2's LIF if it compares strictly, resets to zero, has weights of at most 8 bits, 24-bit states, `du >= 1` (Loihi's field
//! holds `du - 1`) and `dv <= 4095`; its bias is rounded to 13 bits and an exponent. [`crate::loihi::network`] says of every
//! population whether it is, and evaluates it by the published equations.
//!
//! # Constant currents
//! A bias in front of a neuron with a synaptic current builds up over time, which no constant on the membrane does. Where a network
//! has any, it gets one population *always on*, a neuron that fires in every step, whose synapses are those biases. What rounding
//! leaves of a bias is added to the membrane at its steady state.
//!
//! # Readouts that leak
//! The neurons of a readout ([`LeakyModel::fires`] is false) are compared with each other, so they share one `α`, chosen for the weights
//! alone as for a plain readout, and their gains are in the synapses. How many fraction bits they have says `readout.rs`. Such a population
//! is Loihi 2's if it has 6, and never reaches the chip's highest threshold.

mod loihi;
mod multi;
mod neurons;
mod pools;
mod readout;
mod scale;
mod settings;

pub use settings::{Arithmetic, LEAKY_TIMESTEPS, LeakySettings, NEURON_SPIKES};

use crate::error::{Error, Kind, Problem, Result};
use crate::fixed;
use crate::ir::PopId;
use crate::ir::Shape;
use crate::ir::quant::{Coding, Combine, Input, Leaky, MAX_STATE, Neuron, QPopulation, QProjection, QuantGraph, Reset};
use crate::ir::snn::{LeakyModel, Model, MultiSpikeModel, Projection, SnnGraph, Synapses};
use ndarray::Array2;
use scale::Receivers;

/// Name of the population that fires in every step.
const ALWAYS_ON: &str = "always on";
/// Bits of weights that are 0 or ±1.
const UNIT_BITS: u32 = 2;

/// True for networks that [`quantise_leaky`] quantises.
pub fn is_leaky(snn: &SnnGraph) -> bool {
    snn.populations.iter().any(|p| matches!(p.model, Model::Leaky(_) | Model::MultiSpike(_)))
}

/// Quantises a network of leaky neurons, pools and a readout, in rate coding. The result passes [`QuantGraph::check`], and all its
/// ranges are proved.
///
/// # Errors
/// [`Kind::Input`] with everything that is wrong with the settings, and everything in the network that they cannot express.
pub fn quantise_leaky(snn: &SnnGraph, settings: &LeakySettings) -> Result<QuantGraph> {
    Error::check(Kind::Internal, snn.check())?;
    let mut problems = settings.problems(snn);
    problems.extend(foreign(snn));
    Error::check(Kind::Input, problems)?;
    let mut builder = Builder::new(snn, settings);
    let last = snn.populations.len() - 1;
    (1..last).for_each(|index| builder.population(PopId(index)));
    // What a readout can reach depends on what pools may pass on. A pool without bound is reported in the end.
    pools::bound(&mut builder.net);
    builder.population(PopId(last));
    Error::check(Kind::Input, builder.problems)?;
    settle(builder.net)
}

/// Fills in what follows from everything else: what pools pass on, and all ranges.
///
/// # Errors
/// [`Kind::Input`] for pools without bound, and for currents that no hardware here holds.
fn settle(mut net: QuantGraph) -> Result<QuantGraph> {
    Error::check(Kind::Input, pools::bound(&mut net))?;
    prove(&mut net);
    let wide = net.populations.iter().filter_map(|p| match &p.neuron {
        Neuron::Leaky(leaky) if leaky.current_range.0 < -MAX_STATE || leaky.current_range.1 > MAX_STATE => Some(
            Problem::new(format!("has currents that can reach {:?}, more than 47 bits", leaky.current_range))
                .at_node(&p.name)
                .help("use fewer bits per weight, fewer time steps, or fewer spikes per step of the neurons before it"),
        ),
        _ => None,
    });
    Error::check(Kind::Input, wide.collect())?;
    Error::check(Kind::Internal, net.check())?;
    Ok(net)
}

/// What only two-phase networks have.
fn foreign(snn: &SnnGraph) -> Vec<Problem> {
    let foreign = snn.populations.iter().filter(|p| matches!(p.model, Model::Relu { .. } | Model::Max));
    let mut problems: Vec<Problem> = foreign
        .map(|p| Problem::new("is a layer of an ANN beside leaky neurons").at_node(&p.name).help("convert it first"))
        .collect();
    if !snn.zero.is_empty() {
        problems.push(Problem::new("normalises its input, which spiking networks do not"));
    }
    problems
}

/// Largest magnitude of a neuron's parameters: it may be added in each of 65,535 steps.
const MOST_PARAMETER: i64 = 1 << 44;

struct Builder<'a> {
    snn: &'a SnnGraph,
    settings: &'a LeakySettings,
    net: QuantGraph,
    /// True if population 1 of the integer network is the one that fires in every step.
    always_on: bool,
    problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    fn new(snn: &'a SnnGraph, settings: &'a LeakySettings) -> Self {
        let source = &snn.populations[0];
        let mut net = QuantGraph {
            name: snn.name.clone(),
            coding: Coding::Rate,
            timesteps: settings.timesteps,
            pixels: settings.pixels.clone(),
            input: settings.input,
            normalisation: None,
            populations: vec![population(&source.name, &source.shape, Neuron::Source)],
            projections: Vec::new(),
        };
        let constant = |p: &crate::ir::snn::Population| match &p.model {
            Model::Leaky(leaky) => leaky.current.iter().any(|&c| c != 0.0),
            _ => false,
        };
        let always_on = snn.populations.iter().any(constant);
        if always_on {
            let neuron = Neuron::If { theta: vec![1], v_init: vec![0], bias: vec![1] };
            net.populations.push(population(ALWAYS_ON, &Shape(vec![1]), neuron));
            // It needs somebody to tell it when a step ends.
            let weight = Array2::zeros((1, source.shape.len()));
            net.projections.push(QProjection {
                projection: Projection {
                    name: format!("{ALWAYS_ON}: clock"),
                    pre: PopId(0),
                    post: PopId(1),
                    delay: 0,
                    synapses: Synapses::Dense { weight },
                },
                weight_bits: UNIT_BITS,
            });
        }
        Builder { snn, settings, net, always_on, problems: Vec::new() }
    }

    /// The integer network's index of a population.
    fn index(&self, pop: PopId) -> PopId {
        PopId(pop.0 + usize::from(self.always_on && pop.0 > 0))
    }

    /// Float activation that a payload of 1 of `pop` stands for.
    fn step(&self, pop: PopId) -> f64 {
        match (pop.0, self.settings.input) {
            (0, Input::Constant) => 1.0 / self.settings.pixels.max() as f64,
            _ => 1.0,
        }
    }

    fn population(&mut self, pop: PopId) {
        let population = &self.snn.populations[pop.0];
        match &population.model {
            Model::Leaky(model) => self.leaky(pop, model),
            Model::MultiSpike(model) => self.multi(pop, model),
            Model::Sum => self.pool(pop),
            // The rest has been refused.
            Model::Source | Model::Relu { .. } | Model::Max | Model::Readout => self.readout(pop),
        }
    }

    fn leaky(&mut self, pop: PopId, model: &LeakyModel) {
        let population = &self.snn.populations[pop.0];
        let receivers = self.receivers(pop);
        let fit = match neurons::fit(model, &receivers, self.settings) {
            Ok(fit) => fit,
            Err(reasons) => {
                self.refuse(pop, reasons, "use the arithmetic 'auto', or change the neurons");
                return;
            }
        };
        self.project(pop, &receivers, &fit.scale);
        let biases =
            self.always_on.then(|| neurons::constant_weights(model, &fit, self.settings.weight_bits)).flatten();
        if let Some(weight) = &biases {
            let weight = Array2::from_shape_fn((weight.len(), 1), |(n, _)| weight[n]);
            let projection = Projection {
                name: format!("{}: constant current", population.name),
                pre: PopId(1),
                post: self.index(pop),
                delay: 0,
                synapses: Synapses::Dense { weight },
            };
            self.net.projections.push(QProjection { projection, weight_bits: self.settings.weight_bits });
        }
        let bias: Vec<f64> = population.bias.iter().map(|&b| f64::from(b)).collect();
        let integers = |settings: &LeakySettings| neurons::integer(model, &fit, &bias, biases.as_deref(), settings);
        self.push(pop, Neuron::Leaky(Box::new(integers(self.settings))));
        if !model.fires() {
            let problem = readout::refine(&mut self.net, model, self.settings, integers);
            self.problems.extend(problem.map(|problem| problem.at_node(&population.name)));
        }
    }

    fn multi(&mut self, pop: PopId, model: &MultiSpikeModel) {
        let population = &self.snn.populations[pop.0];
        let receivers = self.receivers(pop);
        match multi::fit(model, &receivers, self.settings) {
            Ok(fit) => {
                self.project(pop, &receivers, &fit.scale);
                let neuron = multi::integer(model, &fit, &population.bias, self.settings);
                self.push(pop, Neuron::MultiSpike(Box::new(neuron)));
            }
            Err(reasons) => {
                let help =
                    "use the arithmetic 'auto', one threshold for all neurons of a channel, or more bits per weight";
                self.refuse(pop, reasons, help);
            }
        }
    }

    /// Says why `pop` cannot be built.
    fn refuse(&mut self, pop: PopId, reasons: Vec<String>, help: &str) {
        let name = &self.snn.populations[pop.0].name;
        self.problems.extend(reasons.into_iter().map(|r| Problem::new(r).at_node(name).help(help)));
        // Something must stand here for those that read it.
        self.push(pop, Neuron::Pool { combine: Combine::Sum, max: 1 });
    }

    fn pool(&mut self, pop: PopId) {
        let receivers = self.receivers(pop);
        let scale = vec![1.0; receivers.groups()];
        self.project(pop, &receivers, &scale);
        // Its senders may follow later: `pools.rs` says what it passes on.
        self.push(pop, Neuron::Pool { combine: Combine::Sum, max: 1 });
    }

    fn readout(&mut self, pop: PopId) {
        let receivers = self.receivers(pop);
        let scale = receivers.shared_scale(&[]);
        self.project(pop, &receivers, &vec![scale; receivers.groups()]);
        let steps = f64::from(self.settings.timesteps);
        let bias = &self.snn.populations[pop.0].bias;
        let v_init = bias.iter().map(|&b| fixed::round(f64::from(b) * steps / scale)).collect();
        self.push(pop, Neuron::Readout { v_init });
    }

    fn receivers(&self, pop: PopId) -> Receivers {
        let mut receivers = Receivers::new(&self.snn.populations[pop.0].shape);
        for (id, p) in self.snn.projections_into(pop) {
            receivers.push(&p.synapses, self.step(p.pre), self.settings.bits_of(self.snn, id));
        }
        receivers
    }

    /// Adds the projections into `pop` with integer weights; `scale` holds one float value of 1 per group of receivers.
    fn project(&mut self, pop: PopId, receivers: &Receivers, scale: &[f64]) {
        let rounded: Vec<Synapses<i32>> =
            (0..self.snn.projections_into(pop).count()).map(|k| receivers.round(k, scale)).collect();
        // The larger weights of another projection can be the reason only if there are any.
        let all_vanish = rounded.iter().all(|synapses| synapses.weights().all(|&q| q == 0));
        for ((id, p), synapses) in self.snn.projections_into(pop).zip(rounded) {
            if synapses.weights().all(|&q| q == 0) && p.synapses.weights().any(|&w| w != 0.0) {
                let problem = self.vanished(pop, all_vanish);
                self.problems.push(problem.at_node(&p.name));
            }
            let unit = synapses.weights().all(|q| q.abs() <= 1);
            let bits = self.settings.bits_of(self.snn, id);
            self.net.projections.push(QProjection {
                projection: Projection {
                    name: p.name.clone(),
                    pre: self.index(p.pre),
                    post: self.index(pop),
                    delay: p.delay,
                    synapses,
                },
                weight_bits: if unit { UNIT_BITS } else { bits },
            });
        }
    }

    /// Why the weights of a projection into `pop` are all zero, alone or with `all` that the population has.
    fn vanished(&self, pop: PopId, all: bool) -> Problem {
        let population = &self.snn.populations[pop.0];
        let thresholds = match &population.model {
            Model::Leaky(model) => model.fires(),
            Model::MultiSpike(_) => true,
            Model::Source | Model::Relu { .. } | Model::Sum | Model::Max | Model::Readout => false,
        };
        if all && thresholds {
            let what = "has weights that all round to zero: the thresholds of their neurons are too far above them";
            let help = format!("look at the trained thresholds and weights of layer '{}'", population.name);
            return Problem::new(what).help(help);
        }
        let beside = if all { "" } else { " beside those of the population's other projections" };
        let help = format!("use more bits per weight for layer '{}', or fewer bits per pixel", population.name);
        Problem::new(format!("has weights that all round to zero{beside}")).help(help)
    }

    fn push(&mut self, pop: PopId, neuron: Neuron) {
        let from = &self.snn.populations[pop.0];
        if let Some(beyond) = neuron.beyond(MOST_PARAMETER) {
            let what = format!("has a bias, threshold, reset or initial membrane of {beyond} integer units");
            let help =
                format!("hardware holds up to {MOST_PARAMETER}: scale it to the size of the population's weights");
            self.problems.push(Problem::new(what).at_node(&from.name).help(help));
        }
        self.net.populations.push(population(&from.name, &from.shape, neuron));
    }
}

fn population(name: &str, shape: &Shape, neuron: Neuron) -> QPopulation {
    QPopulation { name: name.to_string(), shape: shape.clone(), neuron, range: (0, 0) }
}

/// Fills in every range, and narrows membranes to what can be reached: what no limit clamps, a nearer one does not clamp either.
fn prove(net: &mut QuantGraph) {
    for index in 0..net.populations.len() {
        let reach = net.prove_leaky(PopId(index));
        if let (Some(reach), Neuron::Leaky(leaky)) = (reach, &mut net.populations[index].neuron) {
            leaky.input_range = reach.input;
            leaky.current_range = reach.current;
            narrow(leaky, reach.membrane);
        }
        net.populations[index].range = net.prove_range(PopId(index));
    }
}

fn narrow(leaky: &mut Leaky, reach: (i64, i64)) {
    // Symmetric, as Loihi's clamp.
    let most = reach.0.unsigned_abs().max(reach.1.unsigned_abs()).max(1);
    let most = i64::MAX >> (most.leading_zeros() - 1);
    if most >= leaky.limits.1 {
        return;
    }
    leaky.limits = (-most, most);
    // What could never be passed still cannot; the comparison need not be wider than the membrane.
    leaky.theta.iter_mut().for_each(|theta| *theta = (*theta).clamp(-most - 1, most));
    if let Reset::Subtract(by) = &mut leaky.reset {
        by.iter_mut().zip(&leaky.theta).for_each(|(by, theta)| *by = (*by).min(theta + 1 + most));
    }
}
