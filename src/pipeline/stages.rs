//! From the integer network to hardware.

use super::map_request;
use super::probe::Probe;
use crate::error::{Error, Kind, Result};
use crate::golden::functional::{Functional, Saturations};
use crate::ir::PopId;
use crate::ir::mapped::MappedNet;
use crate::ir::quant::QuantGraph;
use crate::ir::stream::Beat;
use crate::map::cost::Traffic;
use crate::map::{self, MapRequest};
use crate::rtl::Vectors;
use crate::settings::Settings;
use rayon::prelude::*;

/// Samples that the emitted bench sends.
const BENCH_SAMPLES: usize = 4;

/// The integer network, and what typical input does in it.
pub(super) struct Stages {
    probe: Probe,
    quant: QuantGraph,
    functional: Functional,
    traffic: Vec<Traffic>,
    saturations: Vec<Saturations>,
}

impl Stages {
    pub fn new(quant: QuantGraph, probe: Probe) -> Result<Stages> {
        let functional = Functional::new(&quant)?;
        let (traffic, saturations) = traffic(&functional, &quant, &probe)?;
        Ok(Stages { probe, quant, functional, traffic, saturations })
    }

    /// The integer network.
    pub fn quant(&self) -> &QuantGraph {
        &self.quant
    }

    /// How often, over all samples, neurons of each population could not do what they wanted.
    pub fn saturations(&self) -> &[Saturations] {
        &self.saturations
    }

    /// Cores and streams, and what the bench sends and expects.
    pub fn hardware(&self, settings: &Settings) -> Result<(MappedNet, Vectors)> {
        let net = self.mapped(settings)?;
        let vectors = self.vectors(&net)?;
        Ok((net, vectors))
    }

    /// Samples that were given to measure the traffic on.
    pub fn calibration_images(&self) -> usize {
        match &self.probe {
            Probe::Given(samples) => samples.len(),
            Probe::Random(_) => 0,
        }
    }

    /// The traffic in thousandths.
    pub fn recorded_traffic(&self) -> Vec<(u64, u64)> {
        self.traffic.iter().map(|t| (thousandths(t.events), thousandths(t.set_bits))).collect()
    }

    /// One of the counts of [`Self::saturations`] of every population; nothing if it is 0 everywhere.
    pub fn recorded_saturations(&self, count: impl Fn(&Saturations) -> u64) -> Vec<u64> {
        let counts: Vec<u64> = self.saturations.iter().map(count).collect();
        if counts.iter().all(|&count| count == 0) { Vec::new() } else { counts }
    }

    fn mapped(&self, settings: &Settings) -> Result<MappedNet> {
        let request = MapRequest {
            events: self.traffic.iter().map(|t| t.events).collect(),
            event_bits: self.traffic.iter().map(|t| (t.set_bits / t.events.max(1e-9)).max(1.0)).collect(),
            ..map_request(settings)
        };
        let net = map::map(self.quant.clone(), &request)?;
        Error::check(Kind::Internal, net.check())?;
        Ok(net)
    }

    /// What the bench sends and expects, by the functional golden model.
    fn vectors(&self, net: &MappedNet) -> Result<Vectors> {
        let mut vectors = Vectors::default();
        for i in 0..self.probe.len().min(BENCH_SAMPLES) {
            let codes = self.probe.codes(i, &self.quant);
            vectors.inputs.extend(Beat::image_of(&codes, &net.stream(net.input()).layout, net.quant.phases()));
            let logits = self.functional.image(&codes)?.logits;
            let ids = net.stream(net.output()).layout;
            let order = net.cores().last().into_iter().flat_map(|(_, _, readout)| readout.grid().neurons());
            vectors.outputs.extend(order.filter_map(|n| Some(Beat::event(ids.id(n), *logits.get(n)?))));
            vectors.outputs.push(Beat::END);
        }
        Ok(vectors)
    }
}

/// Rounded, but never to nothing: 0 means that nothing was sent at all.
fn thousandths(x: f64) -> u64 {
    ((x * 1000.0).round() as u64).max(u64::from(x > 0.0))
}

/// Mean events per sample that each population sends, and the set bits of their payloads; and its saturations on all samples together.
fn traffic(functional: &Functional, quant: &QuantGraph, probe: &Probe) -> Result<(Vec<Traffic>, Vec<Saturations>)> {
    type Sums = (Vec<(u64, u64)>, Vec<Saturations>);
    let populations = quant.populations.len();
    let sample = |i: usize| -> Result<Sums> {
        let outcome = functional.image_by_phase(&probe.codes(i, quant))?;
        let mut sums = vec![(0, 0); populations];
        for (pop, counts) in outcome.phases.iter().flatten().flat_map(|phase| phase.iter().enumerate()) {
            let unit = quant.max_payload(PopId(pop)) == 1;
            for &n in counts {
                sums[pop].0 += if unit { n.unsigned_abs() } else { u64::from(n != 0) };
                sums[pop].1 += if unit { n.unsigned_abs() } else { u64::from(n.count_ones()) };
            }
        }
        Ok((sums, outcome.saturations))
    };
    let add = |(mut a, mut saturations): Sums, (b, more): Sums| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a = (a.0 + b.0, a.1 + b.1));
        saturations.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        Ok((a, saturations))
    };
    let none = || (vec![(0, 0); populations], vec![Saturations::default(); populations]);
    let (sums, saturations) = (0..probe.len()).into_par_iter().map(sample).try_reduce(none, add)?;
    let samples = probe.len().max(1) as f64;
    let mean =
        |(events, bits): (u64, u64)| Traffic { events: events as f64 / samples, set_bits: bits as f64 / samples };
    Ok((sums.into_iter().map(mean).collect(), saturations))
}
