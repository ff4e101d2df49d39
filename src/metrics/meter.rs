//! Counting, image by image.

use super::updates::Updates;
use super::wiring::Wiring;
use crate::error::{Error, Result};
use crate::golden::functional::{Functional, Outcome};
use crate::ir::quant::{Coding, Input, Neuron, QProjection, QuantGraph};
use rayon::prelude::*;

/// Images that one task takes at a time.
const CHUNK: usize = 8;

/// Measures an integer network; images come by their pixel codes.
#[derive(Clone, Debug)]
pub struct Meter<'a> {
    pub(super) net: &'a QuantGraph,
    functional: Functional,
    pub(super) projections: Vec<Projection>,
    /// In rate coding alone can a membrane stay as it was.
    updates: Option<Updates>,
}

/// What is known of a projection before any image.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    pre: usize,
    delay: usize,
    /// Synapses with a weight other than 0, per sender.
    reach: Vec<u64>,
    pub(super) synapses: u64,
    /// Calls per image.
    pub(super) calls: u64,
    /// A phase is `calls` calls, one a spike.
    unit: bool,
    /// The sender sends the same in every phase.
    constant: bool,
}

/// Sums over images. Integers: ratios are the report's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Images measured.
    pub images: u64,
    /// One per population.
    pub populations: Vec<PopulationTally>,
    /// One per projection.
    pub projections: Vec<ProjectionTally>,
}

/// Sums of one population.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PopulationTally {
    /// Outputs of all calls; 0 unless the neurons fire.
    pub outputs: u64,
    /// Those that are not 0.
    pub active: u64,
    /// Membrane updates.
    pub updates: u64,
}

/// Sums of one projection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProjectionTally {
    /// What the spiking network does.
    pub operations: Operations,
    /// Effective operations of one pass with the same non-zeros.
    pub one_pass: u64,
}

/// NeuroBench's synaptic operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Effective multiply-accumulations.
    pub macs: u64,
    /// Effective accumulations.
    pub acs: u64,
    /// Synapses times calls.
    pub dense: u64,
}

impl<'a> Meter<'a> {
    /// Prepares the tables of a network.
    ///
    /// # Errors
    /// As for [`Functional::new`].
    pub fn new(net: &'a QuantGraph) -> Result<Meter<'a>> {
        let functional = Functional::new(net)?;
        let projections = net.projections.iter().map(|p| Projection::new(net, p)).collect();
        let updates = (net.coding == Coding::Rate).then(|| Updates::new(net));
        Ok(Meter { net, functional, projections, updates })
    }

    /// Presents the images in parallel; `codes(i)` gives the pixel codes of image `i`. The sums do not depend on the number of threads.
    ///
    /// # Errors
    /// An image that does not fit the network.
    pub fn images(&self, images: &[usize], codes: impl Fn(usize) -> Vec<i64> + Sync) -> Result<Tally> {
        let tallies: Result<Vec<Tally>> = images
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut total = self.empty();
                for &i in chunk {
                    // In two-phase coding there is one phase: what an image's neurons send in it is what they send.
                    let outcome = match self.updates {
                        Some(_) => self.functional.image_by_phase(&codes(i))?,
                        None => self.functional.image(&codes(i))?,
                    };
                    self.count(&outcome, &mut total)?;
                }
                Ok(total)
            })
            .collect();
        Ok(tallies?.into_iter().fold(self.empty(), Tally::join))
    }

    fn empty(&self) -> Tally {
        Tally {
            images: 0,
            populations: vec![PopulationTally::default(); self.net.populations.len()],
            projections: vec![ProjectionTally::default(); self.projections.len()],
        }
    }

    /// Adds one image, of which in rate coding the golden model must have kept the phases.
    fn count(&self, outcome: &Outcome, total: &mut Tally) -> Result<()> {
        let phases = match (&outcome.phases, &self.updates) {
            (Some(phases), _) => phases.as_slice(),
            (None, None) => std::slice::from_ref(&outcome.counts),
            (None, Some(_)) => return Err(Error::internal("the golden model kept no phases")),
        };
        total.images += 1;
        for (projection, tally) in self.projections.iter().zip(&mut total.projections) {
            projection.count(phases, &outcome.counts, tally);
        }
        let later = self.updates.as_ref().map(|u| u.later(phases));
        for (index, (population, tally)) in self.net.populations.iter().zip(&mut total.populations).enumerate() {
            let neurons = population.shape.len() as u64;
            let sent = || phases.iter().flat_map(|phase| &phase[index]);
            let later = later.as_ref().map_or(0, |later| later[index]);
            match (&population.neuron, self.net.coding) {
                (Neuron::Source | Neuron::Pool { .. }, _) => {}
                (Neuron::Readout { .. }, _) => tally.updates += neurons + later,
                (Neuron::Leaky(leaky), _) if !leaky.fires() => tally.updates += neurons + later,
                (Neuron::If { .. }, Coding::Graded | Coding::Rate) | (Neuron::Leaky(_) | Neuron::MultiSpike(_), _) => {
                    tally.outputs += neurons * phases.len() as u64;
                    tally.active += sent().filter(|n| **n != 0).count() as u64;
                    tally.updates += neurons + later;
                }
                (Neuron::If { .. }, Coding::Unit) => {
                    tally.outputs += neurons * u64::from(self.net.timesteps);
                    tally.active += sent().map(|n| n.unsigned_abs()).sum::<u64>();
                    tally.updates += neurons + sent().map(|n| n.unsigned_abs().saturating_sub(1)).sum::<u64>();
                }
            }
        }
        Ok(())
    }
}

impl Projection {
    fn new(net: &QuantGraph, projection: &QProjection) -> Projection {
        let p = &projection.projection;
        let wiring = Wiring::new(&p.synapses);
        let unit = net.coding == Coding::Unit && matches!(net.population(p.pre).neuron, Neuron::If { .. });
        Projection {
            pre: p.pre.0,
            delay: p.delay as usize,
            reach: wiring.reach(),
            synapses: wiring.synapses(),
            calls: u64::from(if unit { net.timesteps } else { net.phases() }),
            unit,
            constant: p.pre.0 == 0 && net.input == Input::Constant,
        }
    }

    /// Adds one image; `phases` and `counts` are what the populations sent.
    fn count(&self, phases: &[Vec<Vec<i64>>], counts: &[Vec<i64>], tally: &mut ProjectionTally) {
        tally.operations.dense += self.synapses * self.calls;
        tally.one_pass += self.meet(&counts[self.pre]).0;
        let seen = phases.len().saturating_sub(self.delay);
        if self.constant {
            // The image is the same in every phase.
            let (operations, binary) = phases.first().map_or((0, true), |phase| self.meet(&phase[0]));
            tally.operations.add(operations * seen as u64, binary);
            return;
        }
        for x in phases[..seen].iter().map(|phase| &phase[self.pre]) {
            if self.unit {
                tally.operations.acs +=
                    x.iter().zip(&self.reach).map(|(n, reach)| n.unsigned_abs() * reach).sum::<u64>();
            } else {
                let (operations, binary) = self.meet(x);
                tally.operations.add(operations, binary);
            }
        }
    }

    /// Non-zero weights that the non-zero payloads meet, and whether all payloads are in {-1, 0, 1}.
    fn meet(&self, x: &[i64]) -> (u64, bool) {
        x.iter()
            .zip(&self.reach)
            .filter(|(x, _)| **x != 0)
            .fold((0, true), |(sum, binary), (x, reach)| (sum + reach, binary && x.unsigned_abs() == 1))
    }
}

impl Operations {
    fn add(&mut self, operations: u64, binary: bool) {
        *(if binary { &mut self.acs } else { &mut self.macs }) += operations;
    }
}

impl PopulationTally {
    pub(super) fn add(&mut self, other: &PopulationTally) {
        self.outputs += other.outputs;
        self.active += other.active;
        self.updates += other.updates;
    }
}

impl ProjectionTally {
    pub(super) fn add(&mut self, other: &ProjectionTally) {
        self.operations.macs += other.operations.macs;
        self.operations.acs += other.operations.acs;
        self.operations.dense += other.operations.dense;
        self.one_pass += other.one_pass;
    }
}

impl Tally {
    fn join(mut self, other: Tally) -> Tally {
        self.images += other.images;
        self.populations.iter_mut().zip(&other.populations).for_each(|(a, b)| a.add(b));
        self.projections.iter_mut().zip(&other.projections).for_each(|(a, b)| a.add(b));
        self
    }
}
