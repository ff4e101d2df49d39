//! One design under Verilator, compared with all three witnesses: the cycle model in every cycle, the functional golden model
//! and the Loihi 2 equations in every spike count and logit.

use crate::cosim::{self, Pattern, PhaseCounts, PixelCodes, Report, Settings, Simulation};
use crate::data::{Labels, Samples};
use crate::design::Design;
use crate::error::Result;
use crate::golden::cycle::{CycleModel, MemoryTiming};
use crate::golden::functional::{Functional, Outcome};
use crate::ir::mapped::MappedNet;
use crate::ir::quant::QuantGraph;
use crate::loihi::network::Network;
use crate::report;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod loihi;

pub use loihi::{Judged, LoihiReport, advice, summary};
use loihi::{neurons, way_out};

/// How to run the co-simulation.
pub struct Request {
    /// When the input has a beat to offer.
    pub input: Pattern,
    /// When the output is ready.
    pub output: Pattern,
    /// How the memory of external weights takes its time.
    pub memory: MemoryTiming,
    /// Seeds the patterns and the initial state.
    pub seed: u64,
    /// Cycles before the reset that precedes the comparison.
    pub disturb: u64,
    /// Where a mismatch's waveform goes.
    pub wave: Option<PathBuf>,
    /// The command line that repeats the run.
    pub command: String,
}

/// What the untimed models say of the spikes and logits that the hardware sent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Models {
    /// Counts and logits that differ from the functional golden model.
    pub functional_mismatches: u64,
    /// Counts and logits compared with it.
    pub functional_comparisons: u64,
    /// Spikes, payloads and logits compared with the Loihi 2 equations.
    pub loihi_comparisons: u64,
    /// How that comparison went, population by population.
    pub loihi: Vec<LoihiReport>,
    /// How many samples that is.
    #[serde(skip)]
    pub samples: Judged,
    /// The first difference from either model.
    pub first_difference: Option<String>,
}

/// How the simulation came about.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Build {
    /// Wall-clock seconds that Verilator and the C++ compiler took, or a look into the cache.
    pub build_seconds: f64,
    /// An equal design had been built before.
    pub build_cached: bool,
}

/// All that a co-simulation has to say.
pub struct Verified {
    /// The comparison with the cycle model.
    pub report: Report,
    /// The comparison with the untimed models.
    pub models: Models,
    /// How the simulation came about.
    pub build: Build,
}

struct Codes<'a> {
    samples: &'a Samples,
    net: &'a QuantGraph,
}

impl PixelCodes for Codes<'_> {
    fn images(&self) -> usize {
        self.samples.len()
    }

    fn codes(&self, image: usize, codes: &mut Vec<i64>) {
        *codes = self.samples.codes(image, self.net);
    }
}

/// Builds the design in `dir`, streams the samples through it and compares.
///
/// # Errors
/// Missing or failing tools, a design that gets stuck. A mismatch is not an error here: it stands in the results.
pub fn verify(
    design: &Design,
    dir: &Path,
    samples: &Samples,
    labels: Option<&Labels>,
    request: &Request,
) -> Result<Verified> {
    let net = &design.net;
    let start = Instant::now();
    let spinner = report::spinner("building the simulation");
    let library = cosim::build(dir, &net.top);
    spinner.finish_and_clear();
    let library = library?;
    let build = Build { build_seconds: start.elapsed().as_secs_f64(), build_cached: library.cached() };
    let mut simulation = Simulation::new(&library, dir, net, request.seed)?;
    let mut model = CycleModel::new(net);
    let settings = Settings {
        seed: request.seed,
        input: request.input,
        output: request.output,
        memory: request.memory,
        disturb: request.disturb,
        wave: request.wave.clone(),
        command: request.command.clone(),
    };
    let bar = report::progress(samples.len() as u64, "co-simulation");
    let codes = Codes { samples, net: &net.quant };
    let mut comparison = Comparison::new(&net.quant)?;
    comparison.models.samples.asked = samples.len();
    let mut judge = Judge { comparison: &mut comparison, codes: &codes, sent: BTreeMap::new(), spent: Duration::ZERO };
    let mut judged = Ok(());
    let mut observe = |counts: &PhaseCounts| {
        if counts.population == net.quant.readout() {
            bar.set_position(counts.image as u64 + 1);
        }
        if judged.is_ok() {
            judged = judge.note(counts);
        }
    };
    let mut outcome = cosim::run(net, &mut simulation, &mut model, &codes, &settings, &mut observe)?;
    bar.finish_and_clear();
    judged?;
    // The speed of the timed run is its own: the untimed models' time does not count.
    outcome.elapsed = outcome.elapsed.saturating_sub(judge.spent);
    let mut report = Report::new(net, &outcome, labels.map(Labels::as_slice));
    report.loihi_mismatches = comparison.loihi_mismatches();
    report.mismatches += comparison.models.functional_mismatches;
    Ok(Verified { report, models: comparison.finish(net), build })
}

/// Collects what the hardware sends and has each image compared when all of it is there, so that only the images in flight
/// take memory. The logits may come before the spikes of a population that they do not wait for.
struct Judge<'c, 'q> {
    comparison: &'c mut Comparison<'q>,
    codes: &'c Codes<'c>,
    sent: BTreeMap<usize, Sent>,
    /// Time taken by the comparisons.
    spent: Duration,
}

/// What the hardware has sent of one image.
struct Sent {
    /// `[phase][population][neuron]`.
    phases: Vec<Vec<Vec<i64>>>,
    /// Ends of phase that are still to come.
    missing: usize,
}

impl Sent {
    fn nothing(quant: &QuantGraph) -> Self {
        let phase: Vec<Vec<i64>> = quant.populations.iter().map(|p| vec![0; p.shape.len()]).collect();
        let phases = quant.phases() as usize;
        // The readout sends at the end of the image alone.
        let missing = (quant.populations.len().saturating_sub(1)).saturating_mul(phases) + 1;
        Sent { phases: vec![phase; phases], missing }
    }
}

impl Judge<'_, '_> {
    fn note(&mut self, counts: &PhaseCounts) -> Result<()> {
        let quant = self.comparison.quant;
        let sent = self.sent.entry(counts.image).or_insert_with(|| Sent::nothing(quant));
        sent.phases[counts.phase as usize][counts.population.0].copy_from_slice(counts.values);
        sent.missing -= 1;
        if sent.missing > 0 {
            return Ok(());
        }
        let start = Instant::now();
        if let Some(sent) = self.sent.remove(&counts.image) {
            let codes = self.codes.samples.codes(counts.image, quant);
            self.comparison.image(counts.image, &codes, &sent.phases)?;
        }
        self.spent += start.elapsed();
        Ok(())
    }
}

/// What the Loihi 2 equations said of one population.
#[derive(Clone, Default)]
struct LoihiTally {
    compared: u64,
    differ: u64,
    /// Images in which the equations left the chip's registers, so that they say nothing of ours.
    overflows: u64,
}

struct Comparison<'a> {
    quant: &'a QuantGraph,
    functional: Functional,
    loihi: Network<'a>,
    tallies: Vec<LoihiTally>,
    models: Models,
}

impl<'a> Comparison<'a> {
    fn new(quant: &'a QuantGraph) -> Result<Self> {
        Ok(Comparison {
            quant,
            functional: Functional::new(quant)?,
            loihi: Network::new(quant),
            tallies: vec![LoihiTally::default(); quant.populations.len()],
            models: Models::default(),
        })
    }

    /// Compares what the hardware sent for one image.
    fn image(&mut self, image: usize, codes: &[i64], sent: &[Vec<Vec<i64>>]) -> Result<()> {
        let golden = self.functional.image_by_phase(codes)?;
        self.with_functional(image, &golden, sent);
        self.models.samples.finished += 1;
        self.with_loihi(image, sent)
    }

    fn with_functional(&mut self, image: usize, golden: &Outcome, sent: &[Vec<Vec<i64>>]) {
        let readout = self.quant.readout().0;
        let logits = sent.last().map(|phase| (readout, &golden.logits, &phase[readout]));
        let spikes = golden.phases.iter().flatten().zip(sent).flat_map(|(expected, got)| {
            expected
                .iter()
                .zip(got)
                .enumerate()
                .filter(move |(pop, _)| *pop != readout)
                .map(|(pop, (e, g))| (pop, e, g))
        });
        let mut differences = Vec::new();
        for (pop, expected, got) in spikes.chain(logits) {
            self.models.functional_comparisons += expected.len() as u64;
            for (n, (e, g)) in expected.iter().zip(got).enumerate().filter(|(_, (e, g))| e != g) {
                differences.push((pop, n, *e, *g));
            }
        }
        self.models.functional_mismatches += differences.len() as u64;
        if let Some((pop, n, expected, got)) = differences.first() {
            self.note(format!("the functional model expects {expected}, the hardware sent {got}"), image, *pop, *n);
        }
    }

    fn with_loihi(&mut self, image: usize, sent: &[Vec<Vec<i64>>]) -> Result<()> {
        let readout = self.quant.readout().0;
        for (pop, response) in self.loihi.run_image(sent)?.into_iter().enumerate() {
            let Some(response) = response else { continue };
            if response.overflows > 0 {
                self.tallies[pop].overflows += 1;
                continue;
            }
            let pairs: Vec<(i64, i64)> = if pop == readout {
                let got = sent.last().map_or(&[][..], |phase| &phase[pop]);
                response.membranes().iter().copied().zip(got.iter().copied()).collect()
            } else {
                let phases = response.phases.iter().zip(sent);
                phases
                    .flat_map(|(expected, got)| expected.spikes.iter().copied().zip(got[pop].iter().copied()))
                    .collect()
            };
            let neurons = self.quant.populations[pop].shape.len().max(1);
            let mut differ = pairs.iter().enumerate().filter(|(_, (expected, got))| expected != got);
            self.tallies[pop].compared += pairs.len() as u64;
            self.tallies[pop].differ += differ.clone().count() as u64;
            if let Some((at, (expected, got))) = differ.next() {
                let what = format!("the Loihi 2 equations give {expected}, the hardware sent {got}");
                self.note(what, image, pop, at % neurons);
            }
        }
        Ok(())
    }

    fn note(&mut self, what: String, image: usize, pop: usize, neuron: usize) {
        let population = &self.quant.populations[pop];
        let name = &population.name;
        let pixel = match population.shape.image() {
            Some([_, h, w]) if h * w > 1 => {
                format!(" (channel {}, row {}, column {})", neuron / (h * w), neuron / w % h, neuron % w)
            }
            _ => String::new(),
        };
        self.models
            .first_difference
            .get_or_insert_with(|| format!("{what}: image {image}, layer '{name}', neuron {neuron}{pixel}"));
    }

    /// Differences from the Loihi 2 equations; `None` if no population could be compared.
    fn loihi_mismatches(&self) -> Option<u64> {
        let compared = self.tallies.iter().any(|t| t.compared > 0);
        compared.then(|| self.tallies.iter().map(|t| t.differ).sum())
    }

    fn finish(mut self, net: &MappedNet) -> Models {
        let label = |pop: usize| {
            let core = net.cores().find(|(_, _, core)| core.population.0 == pop);
            core.map_or_else(String::new, |(_, unit, core)| net.layer_name(unit, core))
        };
        self.models.loihi_comparisons = self.tallies.iter().map(|tally| tally.compared).sum();
        for coverage in self.loihi.coverage() {
            let (pop, tally) = (coverage.population.0, &self.tallies[coverage.population.0]);
            self.models.loihi.push(LoihiReport {
                layer: self.quant.populations[pop].name.clone(),
                label: label(pop),
                neurons: neurons(&self.quant.populations[pop].neuron),
                compared: tally.compared,
                mismatches: tally.differ,
                overflowing_images: tally.overflows,
                limits: coverage.reasons.clone(),
                fits: coverage.fields_fit,
                way_out: way_out(&self.quant.populations[pop].neuron, coverage.weights_fit),
            });
        }
        self.models
    }
}
