//! The functional golden model: what an integer network answers, without saying in which cycle. Fast enough for whole
//! test sets.
//!
//! It is the definition in [`crate::ir::quant`] with the additions in another order: weights are transposed so that a
//! sender's event adds one contiguous row, silent senders are skipped, and in rate coding the constant input's sum is
//! computed once per image. The range proof makes the order irrelevant, and says where 32-bit membranes are enough.

mod batch;
mod leaky;
mod membranes;
mod multi;
mod packed;
mod present;
mod saturations;
mod windows;

pub use batch::Summary;
pub(crate) use leaky::Membranes;
pub(crate) use multi::fire as fire_multi;
pub use saturations::Saturations;

use crate::error::{Error, Kind, Problem, Result};
use crate::ir::PopId;
use crate::ir::quant::{Coding, Combine, Input as Source, Neuron, QuantGraph};
use membranes::BySender;
use packed::Packed;

/// An integer network made ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Functional {
    coding: Coding,
    timesteps: u32,
    phases: usize,
    /// Least and greatest payload of the source.
    codes: (i64, i64),
    /// True if the source sends the same in every phase.
    constant: bool,
    layers: Vec<Layer>,
    /// The same network laid out for speed, where it can be.
    packed: Option<Packed>,
}

/// One population with what projects into it.
#[derive(Clone, Debug)]
struct Layer {
    neuron: Neuron,
    neurons: usize,
    inputs: Vec<Input>,
}

/// One projection, its weights laid out by sender.
#[derive(Clone, Debug)]
struct Input {
    pre: usize,
    /// Reads what the sender sent in the phase before.
    delayed: bool,
    weights: BySender,
}

/// What the network makes of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The readout's membranes after the last phase, of a leaky readout after its last step.
    pub logits: Vec<i64>,
    /// Index of the largest logit; of equal ones, the lowest.
    pub class: usize,
    /// Sum of the payloads that each neuron of each population sends during the image. The source sends its pixel
    /// codes (in rate coding in every phase), a pool what it combined; the readout sends none, its entry is empty.
    pub counts: Vec<Vec<i64>>,
    /// Payloads per phase, population and neuron (`[phase][population][neuron]`), where asked for.
    pub phases: Option<Vec<Vec<Vec<i64>>>>,
    /// Membranes of each population when the last phase's input has been integrated and before it fires, of leaky populations after
    /// it has fired; empty for the source.
    pub membranes: Vec<Vec<i64>>,
    /// How often neurons of each population could not do what they wanted.
    pub saturations: Vec<Saturations>,
}

impl Outcome {
    /// The saturations of all populations together.
    pub fn saturated(&self) -> Saturations {
        self.saturations.iter().sum()
    }
}

impl Functional {
    /// Lays out the network's weights for evaluation.
    ///
    /// # Errors
    /// The network breaks a guarantee of [`QuantGraph::check`], or has a projection with a delay of two or more.
    pub fn new(net: &QuantGraph) -> Result<Functional> {
        let mut problems = net.check();
        for p in net.projections.iter().filter(|p| p.projection.delay > 1) {
            let what = format!("has a delay of {}: 0 and 1 are supported", p.projection.delay);
            problems.push(Problem::new(what).at_node(&p.projection.name));
        }
        problems.extend(spikes_into_maxima(net));
        Error::check(Kind::Input, problems)?;
        let layers = net
            .populations
            .iter()
            .enumerate()
            .map(|(index, population)| Layer {
                neuron: population.neuron.clone(),
                neurons: population.shape.len(),
                inputs: net
                    .projections_into(PopId(index))
                    .map(|(_, p)| {
                        let delayed = p.projection.delay > 0;
                        let weights = BySender::new(&p.projection.synapses, leaky::sum_range(population));
                        Input { pre: p.projection.pre.0, delayed, weights }
                    })
                    .collect(),
            })
            .collect();
        let phases = net.phases() as usize;
        Ok(Functional {
            coding: net.coding,
            timesteps: net.timesteps,
            phases,
            codes: net.payload_range(PopId(0)),
            constant: net.input == Source::Constant,
            layers,
            packed: Packed::new(net),
        })
    }

    /// Presents one image, given as pixel codes; where the source reads or encodes spike trains, given as what every input sends in
    /// every phase, `[phases, inputs]` row-major.
    ///
    /// # Errors
    /// The wrong number of codes, or a code outside the pixel format.
    pub fn image(&self, codes: &[i64]) -> Result<Outcome> {
        self.check_codes(codes)?;
        Ok(self.outcome(codes, false))
    }

    /// As [`Functional::image`], and also records what every neuron sends in every phase.
    ///
    /// # Errors
    /// As for [`Functional::image`].
    pub fn image_by_phase(&self, codes: &[i64]) -> Result<Outcome> {
        self.check_codes(codes)?;
        Ok(self.outcome(codes, true))
    }

    fn outcome(&self, codes: &[i64], by_phase: bool) -> Outcome {
        match &self.packed {
            Some(packed) => packed.outcome(codes, by_phase),
            None => self.present(codes, by_phase),
        }
    }

    fn check_codes(&self, codes: &[i64]) -> Result<()> {
        let inputs = self.layers.first().map_or(0, |source| source.neurons);
        let pixels = if self.constant { inputs } else { inputs * self.phases };
        if codes.len() != pixels && !self.constant {
            let what = format!(
                "a sample has {} values, the network reads {inputs} in each of {} steps",
                codes.len(),
                self.phases
            );
            return Err(
                Error::input(what).help("use samples of the shape and length that the network was compiled for")
            );
        }
        if codes.len() != pixels {
            return Err(Error::input(format!("an image has {} pixels, the network reads {pixels}", codes.len()))
                .help("use images of the shape that the network was compiled for"));
        }
        let (least, greatest) = self.codes;
        match codes.iter().find(|c| !(least..=greatest).contains(*c)) {
            Some(code) => Err(Error::input(format!("a pixel code of {code} is outside {least}..={greatest}"))),
            None => Ok(()),
        }
    }
}

/// A maximum is taken over events, so its senders must say all that they have to say in one.
fn spikes_into_maxima(net: &QuantGraph) -> impl Iterator<Item = Problem> {
    let maximum = |p: PopId| matches!(net.population(p).neuron, Neuron::Pool { combine: Combine::Max, .. });
    let spikes = |p: PopId| matches!(net.population(p).neuron, Neuron::If { .. }) && net.coding == Coding::Unit;
    let broken = net
        .projections
        .iter()
        .map(|p| &p.projection)
        .filter(move |p| maximum(p.post) && spikes(p.pre) && net.timesteps > 1);
    broken.map(|p| {
        Problem::new("takes the largest of several spikes of one neuron").at_node(&p.name).help("use graded coding")
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_tests;
