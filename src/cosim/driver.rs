//! The lock-step run: one model, one simulated design, the same stimulus, every cycle compared.
//!
//! Cycles are run in batches. The model goes first, with a border that follows what it predicts; the design then runs the same
//! cycles with a border that follows what the design answers (on the other side of the C interface). As long as the
//! two agree, both borders are the same; the first cycle in which they do not is the mismatch.

use super::feed::{Feed, PixelCodes};
use super::mismatch::{self, Mismatch, Place};
use super::observe::{Observer, PhaseCounts, StreamCount};
use super::pattern::{Pattern, Player};
use super::predict::Predictor;
use super::simulation::{CoreCycles, Frame, OFFER, READY, RESET, Simulation, signals};
use super::trace::Trace;
use super::wave::{self, WrongState};
use crate::error::{Error, Result};
use crate::golden::cycle::{Border, FiringKind, MemoryTiming, State};
use crate::ir::mapped::{MappedNet, StreamId, UnitId};
use crate::ir::stream::Wires;
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Cycles per call of the simulator.
const BATCH: usize = 256;
/// Cycles that a waveform shows before the mismatch.
const BEFORE: u64 = 256;
/// Cycles that are simulated after the mismatch.
const AFTER: u64 = 32;
/// Cycles that the rings hold: what a waveform needs, and the batches in work.
const RING: usize = 1024;
/// Cycles that are still compared after the last output, because nothing may come any more.
const TAIL: u64 = 64;
/// Cycles of a reset.
const RESET_CYCLES: usize = 3;

/// How to run the comparison.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Seeds the patterns. (The design's initial state has its own seed: [`Simulation::new`].)
    pub seed: u64,
    /// When the input has something to offer.
    pub input: Pattern,
    /// When the output is ready.
    pub output: Pattern,
    /// How the memory of external weights takes its time.
    pub memory: MemoryTiming,
    /// Runs this many cycles, uncompared, and resets the design in their midst before the comparison begins.
    pub disturb: u64,
    /// Where a mismatch's waveform goes, if anywhere.
    pub wave: Option<PathBuf>,
    /// The command line of this run, without `--limit`: what a mismatch names to see it again.
    pub command: String,
}

/// What came out of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Images whose logits the design has sent.
    pub images: usize,
    /// Cycles compared.
    pub cycles: u64,
    /// Logits of these images, from the design.
    pub logits: Vec<Vec<i64>>,
    /// What moved on every stream of the design.
    pub streams: Vec<StreamCount>,
    /// What the design's cores say about their cycles, in the order of `MappedNet::cores`.
    pub cores: Vec<CoreCycles>,
    /// Values compared: five wires of every stream in every cycle, and the neurons' state.
    pub comparisons: u64,
    /// Stream-cycles and numbers of neurons that differed, until the simulation was stopped shortly after the first.
    pub mismatches: u64,
    /// The first of them.
    pub mismatch: Option<Mismatch>,
    /// Wall-clock time of simulation, prediction and comparison.
    pub elapsed: Duration,
}

/// Streams `images` through `simulation` and `model`, both fresh, and compares them in every cycle until the last logits have been sent or
/// something differs. `observe` is told what the design's populations send.
///
/// # Errors
/// `Input` if an image has the wrong size; `Internal` if the design or the model gets stuck. A mismatch is
/// not an error here: see [`Outcome::mismatch`].
pub fn run(
    net: &MappedNet,
    simulation: &mut Simulation<'_>,
    model: &mut impl Predictor,
    images: &dyn PixelCodes,
    settings: &Settings,
    observe: &mut dyn FnMut(&PhaseCounts),
) -> Result<Outcome> {
    let start = Instant::now();
    simulation.set_memory(settings.memory)?;
    model.set_memory(settings.memory);
    let disturbed = match settings.disturb {
        0 => 0,
        _ => disturb(net, simulation, &mut Feed::of(images, net), settings)?,
    };
    reset(net, simulation)?;
    let mut driver = Driver {
        net,
        simulation,
        model,
        settings,
        disturbed,
        feed: Feed::of(images, net),
        trace: Trace::new(signals(net), RING),
        observer: Observer::new(net),
        input: Player::new(settings.input, settings.seed, 0),
        output: Player::new(settings.output, settings.seed, 1),
        drive: [0; BATCH],
        cycle: 0,
        offering: false,
        predicted: 0,
        taken: 0,
        model_images: 0,
        patience: patience(net),
        last_move: 0,
        snapshots: Vec::new(),
        expected: Vec::new(),
        got: Vec::new(),
        logits: Vec::new(),
        comparisons: 0,
        mismatches: 0,
        mismatch: None,
        wrong_state: None,
    };
    driver.run(images.images(), observe)?;
    driver.outcome(start)
}

/// The state that a core's neurons should have in the cycle `visible`.
struct Snapshot {
    visible: u64,
    unit: UnitId,
    kind: FiringKind,
    state: State,
    image: u64,
    phase: u32,
    /// Where they are in `Driver::expected`.
    values: Range<usize>,
}

struct Driver<'a, 'l, M> {
    net: &'a MappedNet,
    simulation: &'a mut Simulation<'l>,
    model: &'a mut M,
    settings: &'a Settings,
    /// Images that had begun to enter when the design was reset in their midst.
    disturbed: usize,
    feed: Feed<'a>,
    trace: Trace,
    observer: Observer,
    input: Player,
    output: Player,
    drive: [u8; BATCH],
    /// Cycles that both sides have run.
    cycle: u64,
    /// A beat stands on the predicted input and has not been taken.
    offering: bool,
    /// Beats that the model has taken.
    predicted: usize,
    /// Beats that the design has taken.
    taken: usize,
    /// Images whose last output the model has sent.
    model_images: usize,
    /// Cycles after which, without any movement, both sides count as stuck.
    patience: u64,
    last_move: u64,
    snapshots: Vec<Snapshot>,
    expected: Vec<i64>,
    got: Vec<i64>,
    logits: Vec<Vec<i64>>,
    comparisons: u64,
    mismatches: u64,
    mismatch: Option<Mismatch>,
    /// The neuron's state that `mismatch` is about, if it is about one.
    wrong_state: Option<WrongState>,
}

impl<M: Predictor> Driver<'_, '_, M> {
    fn run(&mut self, images: usize, observe: &mut dyn FnMut(&PhaseCounts)) -> Result<()> {
        let mut tail = TAIL;
        while self.mismatch.is_none() && tail > 0 {
            let mut batch = self.batch()?;
            // A population that the readout does not wait for may still be at work.
            let finished = self.model_images >= images && self.observer.all_have_sent(images);
            if finished {
                batch.end = batch.end.min(batch.start + tail);
            }
            let end = self.predict(batch.clone(), images);
            if finished {
                tail -= end - batch.start;
            }
            batch.end = end;
            self.simulate(&batch, true)?;
            self.compare(&batch, observe);
        }
        match &self.mismatch {
            Some(mismatch) => {
                let at = mismatch.cycle;
                self.finish_after(at)
            }
            None => self.compare_counters(),
        }
    }

    /// The next cycles, with their stimulus in `drive` and enough beats at hand.
    fn batch(&mut self) -> Result<Range<u64>> {
        let length = self.trace.contiguous(self.cycle).min(BATCH);
        self.drive.fill(0);
        self.input.play(&mut self.drive[..length], OFFER);
        self.output.play(&mut self.drive[..length], READY);
        self.feed.prepare(self.predicted.max(self.taken), BATCH, self.predicted.min(self.taken))?;
        if self.cycle - self.last_move > self.patience {
            return Err(Error::internal(format!(
                "the design and the model agree that nothing moves any more since cycle {}",
                self.last_move
            )));
        }
        Ok(self.cycle..self.cycle + length as u64)
    }

    /// Lets the model run `cycles`, or less if the output of the last of `images` is among them. Returns where it stopped.
    fn predict(&mut self, cycles: Range<u64>, images: usize) -> u64 {
        self.snapshots.clear();
        self.expected.clear();
        let output = self.net.output().0;
        let had_all = self.model_images >= images;
        for (cycle, drive) in cycles.clone().zip(&self.drive) {
            if !self.offering && drive & OFFER != 0 {
                self.offering = self.feed.beat(self.predicted).is_some();
            }
            let input = if self.offering { self.feed.beat(self.predicted) } else { None };
            let wires = self.model.cycle(&Border { input, output_ready: drive & READY != 0 });
            if wires.first().is_some_and(Wires::moves) {
                self.offering = false;
                self.predicted += 1;
            }
            if wires.iter().any(Wires::moves) {
                self.last_move = cycle;
            }
            if wires.get(output).is_some_and(|w| w.moves() && w.beat.last) {
                self.model_images += 1;
            }
            self.trace.predict(cycle, wires);
            for firing in self.model.firing() {
                for state in State::ALL {
                    let Some(values) = self.model.state(firing.unit, firing.kind, state) else { continue };
                    let start = self.expected.len();
                    self.expected.extend_from_slice(values);
                    self.snapshots.push(Snapshot {
                        visible: cycle + u64::from(firing.kind == FiringKind::Ended),
                        unit: firing.unit,
                        kind: firing.kind,
                        state,
                        image: firing.image,
                        phase: firing.phase,
                        values: start..self.expected.len(),
                    });
                }
            }
            if !had_all && self.model_images >= images {
                return cycle + 1;
            }
        }
        cycles.end
    }

    /// Lets the design run the same cycles, and looks at its neurons in between.
    fn simulate(&mut self, cycles: &Range<u64>, compare: bool) -> Result<()> {
        let snapshots = std::mem::take(&mut self.snapshots);
        // An end visible in the next cycle may have been noted before a beginning visible in this one.
        let mut order: Vec<&Snapshot> = snapshots.iter().collect();
        order.sort_by_key(|s| s.visible);
        let mut at = cycles.start;
        for snapshot in order {
            self.advance(cycles.start, at..snapshot.visible)?;
            at = snapshot.visible;
            if compare {
                self.compare_state(snapshot)?;
            }
        }
        self.advance(cycles.start, at..cycles.end)?;
        self.cycle = cycles.end;
        self.snapshots = snapshots;
        Ok(())
    }

    fn advance(&mut self, batch: u64, cycles: Range<u64>) -> Result<()> {
        if cycles.is_empty() {
            return Ok(());
        }
        let drive = &self.drive[(cycles.start - batch) as usize..(cycles.end - batch) as usize];
        let frames = self.trace.rtl_mut(&cycles);
        self.taken += self.simulation.run(self.feed.from(self.taken), drive, frames)?;
        Ok(())
    }

    fn compare_state(&mut self, snapshot: &Snapshot) -> Result<()> {
        let expected = &self.expected[snapshot.values.clone()];
        self.simulation.state(snapshot.unit, snapshot.state, &mut self.got)?;
        self.comparisons += expected.len() as u64;
        if *expected == self.got {
            return Ok(());
        }
        let differing = expected.iter().zip(&self.got).enumerate().filter(|(_, (e, g))| e != g);
        self.mismatches += differing.clone().count() as u64;
        let Some((neuron, (&expected, &got))) = differing.clone().next() else {
            return Err(Error::internal(format!(
                "the model has {} neurons with a state '{}' in unit {}",
                expected.len(),
                snapshot.state,
                snapshot.unit.0
            )));
        };
        if self.mismatch.is_none() {
            let Snapshot { visible: cycle, unit, state, .. } = *snapshot;
            self.wrong_state = Some(WrongState { cycle, unit, state, neuron, expected, got });
            let unit = self.net.unit(unit);
            let population = unit.outputs.first().map_or(0, |&s| self.net.stream(s).population.0);
            self.mismatch = Some(Mismatch {
                cycle,
                place: Place::State { state, unit: unit.name.clone(), moment: mismatch::moment(snapshot.kind) },
                layer: self.net.quant.populations.get(population).map_or_else(String::new, |p| p.name.clone()),
                image: usize::try_from(snapshot.image).unwrap_or(usize::MAX),
                phase: snapshot.phase,
                neuron: Some(neuron),
                pixel: mismatch::pixel(&self.net.quant, population, neuron),
                expected: format!("{state} {expected}"),
                got: format!("{state} {got}"),
                streams: Vec::new(),
                reproduce: String::new(),
                wave: None,
                no_wave: None,
            });
        }
        Ok(())
    }

    /// Compares the streams of a batch and takes note of what the design sent up to the first difference.
    fn compare(&mut self, cycles: &Range<u64>, observe: &mut dyn FnMut(&PhaseCounts)) {
        let difference = self.trace.first_difference(cycles);
        let agreed = cycles.start..difference.unwrap_or(cycles.end);
        let readout = self.net.quant.readout();
        let logits = &mut self.logits;
        let mut sink = |counts: &PhaseCounts| {
            if counts.population == readout {
                logits.push(counts.values.to_vec());
            }
            observe(counts);
        };
        for cycle in agreed.clone() {
            self.observer.cycle(self.trace.rtl(cycle), &mut sink);
        }
        // Of the requests of external weights two wires are compared.
        let streams = self.net.streams.len();
        let wires = 5 * streams + 2 * (signals(self.net) - streams);
        self.comparisons += (agreed.end - agreed.start) * wires as u64;
        let Some(cycle) = difference else { return };
        // A state that is wrong at the beginning of a cycle was wrong before the wires.
        if self.mismatch.as_ref().is_none_or(|m| m.cycle > cycle) {
            self.mismatch = Some(self.stream_mismatch(cycle));
            self.wrong_state = None;
        }
    }

    fn stream_mismatch(&self, cycle: u64) -> Mismatch {
        let pairs = || {
            let frames = self.trace.model(cycle).iter().zip(self.trace.rtl(cycle)).enumerate();
            frames.map(|(i, (model, rtl))| (StreamId(i), Wires::from(model), Wires::from(rtl)))
        };
        let nothing = (self.net.output(), Wires::default(), Wires::default());
        let (id, expected, got) = mismatch::most_telling(pairs()).unwrap_or(nothing);
        let weights = id.0 >= self.net.streams.len();
        let (population, neuron) = match weights {
            // Nobody knows whose request it is.
            true => (usize::MAX, None),
            false => mismatch::culprit(self.net, id, &expected, &got),
        };
        let (image, phase) = self.observer.position(id.0);
        let differing = pairs().filter(|(_, expected, got)| expected != got);
        Mismatch {
            cycle,
            place: match weights {
                true => Place::Weights,
                false => Place::Stream { stream: self.net.stream(id).name.clone() },
            },
            layer: self.net.quant.populations.get(population).map_or_else(String::new, |p| p.name.clone()),
            image,
            phase,
            neuron,
            pixel: neuron.and_then(|neuron| mismatch::pixel(&self.net.quant, population, neuron)),
            expected: mismatch::wires_text(&expected),
            got: mismatch::wires_text(&got),
            streams: differing.filter_map(|(id, ..)| Some(self.net.streams.get(id.0)?.name.clone())).collect(),
            reproduce: String::new(),
            wave: None,
            no_wave: None,
        }
    }

    /// Simulates a little on after the mismatch in cycle `at` and writes the waveform.
    fn finish_after(&mut self, at: u64) -> Result<()> {
        while self.cycle <= at + AFTER {
            let batch = self.batch()?;
            self.predict(batch.clone(), usize::MAX);
            self.simulate(&batch, false)?;
        }
        let cycles = at.saturating_sub(BEFORE)..at + AFTER + 1;
        for cycle in at..cycles.end {
            let differ = |(model, rtl): &(&Frame, &Frame)| model != rtl;
            self.mismatches += self.trace.model(cycle).iter().zip(self.trace.rtl(cycle)).filter(differ).count() as u64;
        }
        if let Some(mismatch) = &mut self.mismatch {
            // All that had begun to enter, so that the stimulus up to the mismatch is the same.
            let begun = self.observer.images(self.net.input().0).max(mismatch.image) + 1;
            mismatch.reproduce = format!("{} --limit {}", self.settings.command, begun.max(self.disturbed));
            // A full disk must not hide what was found.
            match self.settings.wave.as_ref().map(|path| {
                wave::write(path, self.net, &self.trace, cycles, self.wrong_state.as_ref()).map(|()| path.clone())
            }) {
                Some(Ok(path)) => mismatch.wave = Some(path),
                Some(Err(e)) => mismatch.no_wave = e.problems.first().map(ToString::to_string),
                None => {}
            }
        }
        Ok(())
    }

    /// Compares how the cores spent their cycles, if the model counts them.
    fn compare_counters(&mut self) -> Result<()> {
        for (index, (id, unit, core)) in self.net.cores().enumerate() {
            let Some(expected) = self.model.counters(id) else { continue };
            let got = self.simulation.core_cycles(index)?;
            self.comparisons += 2;
            if expected == got {
                continue;
            }
            self.mismatches += 1;
            if self.mismatch.is_none() {
                self.mismatch = Some(Mismatch {
                    cycle: self.cycle,
                    place: Place::Counter { unit: unit.name.clone() },
                    layer: self.net.quant.population(core.population).name.clone(),
                    image: self.observer.images(self.net.output().0),
                    phase: 0,
                    neuron: None,
                    pixel: None,
                    expected: format!("{} active, {} stalled", expected.active, expected.stalled),
                    got: format!("{} active, {} stalled", got.active, got.stalled),
                    streams: Vec::new(),
                    reproduce: format!("{} --limit {}", self.settings.command, self.logits.len().max(self.disturbed)),
                    wave: None,
                    no_wave: None,
                });
            }
        }
        Ok(())
    }

    fn outcome(self, start: Instant) -> Result<Outcome> {
        let cores =
            (0..self.net.cores().count()).map(|core| self.simulation.core_cycles(core)).collect::<Result<_>>()?;
        Ok(Outcome {
            images: self.logits.len(),
            cycles: self.mismatch.as_ref().map_or(self.cycle, |m| m.cycle),
            logits: self.logits,
            streams: self.observer.counts(),
            cores,
            comparisons: self.comparisons,
            mismatches: self.mismatches,
            mismatch: self.mismatch,
            elapsed: start.elapsed(),
        })
    }
}

/// Holds the design in reset.
fn reset(net: &MappedNet, simulation: &mut Simulation<'_>) -> Result<()> {
    let mut frames = vec![Frame::default(); signals(net) * RESET_CYCLES];
    simulation.run(&[], &[RESET; RESET_CYCLES], &mut frames)?;
    Ok(())
}

/// Runs the design for a while without comparing, so that the reset that follows finds it at work. Returns how many images
/// had begun to enter.
fn disturb(
    net: &MappedNet,
    simulation: &mut Simulation<'_>,
    feed: &mut Feed<'_>,
    settings: &Settings,
) -> Result<usize> {
    reset(net, simulation)?;
    let mut frames = vec![Frame::default(); signals(net) * BATCH];
    let mut input = Player::new(settings.input, settings.seed, 2);
    let mut output = Player::new(settings.output, settings.seed, 3);
    let (mut taken, mut left) = (0, settings.disturb);
    let mut ends = 0;
    while left > 0 {
        let length = left.min(BATCH as u64) as usize;
        let mut drive = [0; BATCH];
        input.play(&mut drive[..length], OFFER);
        output.play(&mut drive[..length], READY);
        feed.prepare(taken, BATCH, taken)?;
        let frames = &mut frames[..length * signals(net)];
        taken += simulation.run(feed.from(taken), &drive[..length], frames)?;
        let input = frames.iter().skip(net.input().0).step_by(signals(net));
        ends += input.filter(|frame| frame.moves() && Wires::from(*frame).beat.last).count();
        left -= length as u64;
    }
    Ok(ends / net.quant.phases().max(1) as usize + 1)
}

/// A bound on the cycles that the network can work without anything moving on a stream.
fn patience(net: &MappedNet) -> u64 {
    let work = net.cores().map(|(_, _, core)| {
        // No event takes more slots a pass than there are groups.
        let event = core.groups() as u64 * u64::from(core.value_bits);
        event.saturating_add(core.phase_slots()).saturating_add(core.buffer_words() as u64)
    });
    100_000 + 2 * work.fold(0, u64::saturating_add)
}
