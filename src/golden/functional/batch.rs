//! Whole test sets.

use super::packed::{Fired, Scratch};
use super::{Functional, Outcome, Saturations};
use crate::error::{Error, Result};
use crate::fixed::arg_max;
use crate::ir::quant::{Coding, Neuron};
use rayon::prelude::*;
use std::time::{Duration, Instant};

/// Images that one task takes at a time: enough to make the bookkeeping cheap.
const CHUNK: usize = 64;

/// What the network made of a whole test set. Integers; ratios are computed on demand.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Images presented.
    pub images: usize,
    /// Class of each image.
    pub classes: Vec<usize>,
    /// Images whose class equals the label, where labels were given.
    pub correct: Option<usize>,
    /// Spikes per population over all images (payloads counted as that many spikes; the source's are the magnitudes of its
    /// pixel codes; 0 for pools and the readout, which do not spike).
    pub spikes: Vec<u64>,
    /// Events per population over all images: beats on the population's stream, without ends of phases (0 for the
    /// readout).
    pub events: Vec<u64>,
    /// How often neurons of each population could not do what they wanted, over all images.
    pub saturations: Vec<Saturations>,
    /// Neurons in the populations that spike (without source, pools and readout).
    pub neurons: usize,
    /// Wall-clock time.
    pub elapsed: Duration,
}

impl Summary {
    /// Share of correct classes, 0 to 1.
    pub fn accuracy(&self) -> Option<f64> {
        Some(self.correct? as f64 / self.images.max(1) as f64)
    }

    /// Mean spikes of a spiking neuron per image.
    pub fn spikes_per_neuron(&self) -> f64 {
        let spikes: u64 = self.spikes.iter().skip(1).sum();
        spikes as f64 / (self.neurons * self.images).max(1) as f64
    }

    /// Mean events per image, all populations together.
    pub fn events_per_image(&self) -> f64 {
        self.events.iter().sum::<u64>() as f64 / self.images.max(1) as f64
    }

    /// The saturations of all populations together.
    pub fn saturated(&self) -> Saturations {
        self.saturations.iter().sum()
    }

    /// Images per second of wall-clock time.
    pub fn images_per_second(&self) -> f64 {
        self.images as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Sums over a chunk of images; chunks are joined in order.
struct Tally {
    classes: Vec<usize>,
    spikes: Vec<u64>,
    events: Vec<u64>,
    saturations: Vec<Saturations>,
}

impl Functional {
    /// Presents `images` images in parallel; `codes(i)` gives the pixel codes of image `i`, `labels` their classes.
    ///
    /// All figures but the time are independent of the number of threads.
    ///
    /// # Errors
    /// An image that does not fit the network; as many labels as images are needed.
    pub fn classify(
        &self,
        images: usize,
        codes: impl Fn(usize) -> Vec<i64> + Sync,
        labels: Option<&[usize]>,
    ) -> Result<Summary> {
        if let Some(labels) = labels.filter(|l| l.len() != images) {
            return Err(Error::input(format!("there are {} labels for {images} images", labels.len()))
                .help("give the label file that belongs to the images"));
        }
        let start = Instant::now();
        let chunks: Vec<usize> = (0..images).step_by(CHUNK).collect();
        let tallies: Result<Vec<Tally>> = chunks
            .into_par_iter()
            .map(|first| {
                let mut tally = Tally::new(self.layers.len());
                let mut scratch = Scratch::default();
                for i in first..images.min(first + CHUNK) {
                    let codes = codes(i);
                    self.check_codes(&codes)?;
                    match &self.packed {
                        Some(packed) => {
                            tally.classes.push(arg_max(&packed.present(&codes, &mut scratch)).unwrap_or(0));
                            self.count_packed(&scratch.fired, &mut tally);
                        }
                        None => self.count(&self.present(&codes, self.sends_sums()), &mut tally),
                    }
                }
                Ok(tally)
            })
            .collect();
        let mut total = Tally::new(self.layers.len());
        tallies?.into_iter().for_each(|t| total.join(t));
        let correct =
            labels.map(|labels| labels.iter().zip(&total.classes).filter(|(label, class)| label == class).count());
        let spiking = self.layers.iter().filter(|l| l.neuron.fires());
        Ok(Summary {
            images,
            correct,
            classes: total.classes,
            spikes: total.spikes,
            events: total.events,
            saturations: total.saturations,
            neurons: spiking.map(|l| l.neurons).sum(),
            elapsed: start.elapsed(),
        })
    }

    /// True if what a neuron sends over all phases does not say in how many events: pools send sums, and neurons and recorded trains
    /// may send several spikes a step.
    fn sends_sums(&self) -> bool {
        let sums = |neuron: &Neuron| match neuron {
            Neuron::Pool { .. } | Neuron::MultiSpike(_) => true,
            Neuron::Source => !self.constant && self.codes.1 > 1,
            Neuron::If { .. } | Neuron::Leaky(_) | Neuron::Readout { .. } => false,
        };
        self.phases > 1 && self.layers.iter().any(|layer| sums(&layer.neuron))
    }

    fn count(&self, outcome: &Outcome, tally: &mut Tally) {
        tally.classes.push(outcome.class);
        tally.saturations.iter_mut().zip(&outcome.saturations).for_each(|(a, b)| *a += *b);
        for (index, counts) in outcome.counts.iter().enumerate() {
            let spikes: u64 = counts.iter().map(|c| c.unsigned_abs()).sum();
            let active = counts.iter().filter(|c| **c != 0).count() as u64;
            let phases = outcome.phases.iter().flatten();
            // Of several phases, each neuron sends one event at most in each.
            let events = match outcome.phases {
                Some(_) => phases.flat_map(|phase| &phase[index]).filter(|sent| **sent != 0).count() as u64,
                None => self.events(index, spikes, active),
            };
            self.count_population(index, spikes, events, tally);
        }
    }

    fn count_packed(&self, fired: &[Fired], tally: &mut Tally) {
        for (index, fired) in fired.iter().enumerate() {
            tally.saturations[index].clipped += fired.clipped;
            self.count_population(index, fired.total, self.events(index, fired.total, fired.active), tally);
        }
    }

    fn count_population(&self, index: usize, spikes: u64, events: u64, tally: &mut Tally) {
        let pool = matches!(self.layers[index].neuron, Neuron::Pool { .. });
        tally.spikes[index] += if pool { 0 } else { spikes };
        tally.events[index] += events;
    }

    /// In how many events a population has sent payloads of the sum `spikes`, where `active` of its neurons sent any.
    fn events(&self, index: usize, spikes: u64, active: u64) -> u64 {
        match (&self.layers[index].neuron, self.coding) {
            // A pixel is one graded event in every phase.
            (Neuron::Source, _) if self.constant => active * self.phases as u64,
            (Neuron::Source, _) => spikes,
            (Neuron::Pool { .. } | Neuron::MultiSpike(_), _) | (_, Coding::Graded) => active,
            (_, Coding::Unit | Coding::Rate) => spikes,
        }
    }
}

impl Tally {
    fn new(populations: usize) -> Self {
        Tally {
            classes: Vec::new(),
            spikes: vec![0; populations],
            events: vec![0; populations],
            saturations: vec![Saturations::default(); populations],
        }
    }

    fn join(&mut self, other: Tally) {
        self.classes.extend(other.classes);
        self.saturations.iter_mut().zip(other.saturations).for_each(|(a, b)| *a += b);
        self.spikes.iter_mut().zip(other.spikes).for_each(|(a, b)| *a += b);
        self.events.iter_mut().zip(other.events).for_each(|(a, b)| *a += b);
    }
}
