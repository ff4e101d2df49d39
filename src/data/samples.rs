//! What a network is presented: images, or recorded spike trains.

use super::{Images, Labels, SpikeTrains, check_labels, load_images, load_trains, presented, trains};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::grouped;
use crate::ir::quant::{Input, QuantGraph};
use std::path::Path;

/// Samples of one of the two kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Images, which the network reads as pixels or as the spikes of an encoder.
    Images(Images),
    /// Recorded spike trains.
    Trains(SpikeTrains),
}

impl Samples {
    /// Reads a file for `net`, and the labels if it holds them too. A network that encodes pixels as spikes takes recorded trains of
    /// 0 and 1 as well; what could be either is read as images.
    ///
    /// # Errors
    /// [`Kind::Input`] if the file cannot be read, is not what the network reads, or has another shape or number of steps.
    pub fn load(path: &Path, net: &QuantGraph) -> Result<(Samples, Option<Labels>)> {
        let shape = net.input_shape();
        match net.input {
            Input::Train { max } => match Self::trains(path, net, max) {
                Ok(trains) => Ok((trains, None)),
                Err(e) => Err(also(e, load_images(path).is_ok(), path, PIXELS)),
            },
            Input::Encoded if trains::announced(path, shape)? => {
                Self::trains(path, net, 1).map(|trains| (trains, None))
            }
            Input::Encoded | Input::Constant => {
                let read = || {
                    let (images, labels) = load_images(path)?;
                    Ok((images.shaped(shape)?, labels))
                };
                let (images, labels) = read().map_err(|e: Error| {
                    let trains = trains::announced(path, shape).unwrap_or(false);
                    also(e.in_file(path), trains, path, TRAINS)
                })?;
                Ok((Samples::Images(images), labels))
            }
        }
    }

    fn trains(path: &Path, net: &QuantGraph, max: i64) -> Result<Samples> {
        let trains = load_trains(path, net.input_shape())?;
        let mut problems = Vec::new();
        let mut complain = |what: String, help: String| problems.push(Problem::new(what).in_file(path).help(help));
        let (has, wants) = (trains.steps(), net.phases());
        if has != wants as usize {
            complain(
                format!("holds spike trains of {has} steps, the network runs for {wants}"),
                format!("give trains of {wants} steps, or compile with --timesteps {has}"),
            );
        }
        if trains.max() > max {
            let has = trains.max();
            complain(
                format!("holds up to {has} spikes of one input in a step, the network reads {max} at most"),
                format!("compile with --encoding spikes --spikes-per-step {has}"),
            );
        }
        Error::check(Kind::Input, problems)?;
        Ok(Samples::Trains(trains))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Samples::Images(images) => images.len(),
            Samples::Trains(trains) => trains.len(),
        }
    }

    /// True if there are none (only after [`Samples::truncated`] to 0).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are, for messages about several.
    pub fn noun(&self) -> &'static str {
        match self {
            Samples::Images(_) => "images",
            Samples::Trains(_) => "spike trains",
        }
    }

    /// How many of what.
    pub fn count(&self) -> String {
        let noun = match self.len() {
            1 => self.noun().trim_end_matches('s'),
            _ => self.noun(),
        };
        format!("{} {noun}", grouped(self.len() as u64))
    }

    /// The first `limit` samples, or all if there are fewer.
    pub fn truncated(self, limit: usize) -> Samples {
        match self {
            Samples::Images(images) => Samples::Images(images.truncated(limit)),
            Samples::Trains(trains) => Samples::Trains(trains.truncated(limit)),
        }
    }

    /// Sample `index` as `net` reads it; see [`QuantGraph::codes_per_image`].
    ///
    /// # Panics
    /// If `index` is not below [`Samples::len`].
    pub fn codes(&self, index: usize, net: &QuantGraph) -> Vec<i64> {
        match self {
            Samples::Images(images) => presented(images, index, net),
            Samples::Trains(trains) => trains.codes(index),
        }
    }

    /// Sample `index` as the float network behind `net` reads it in every step, `[phases, inputs]`, row-major: the same spikes, or pixels
    /// in `[0, 1]` that were not rounded.
    ///
    /// # Panics
    /// If `index` is not below [`Samples::len`].
    pub fn steps(&self, index: usize, net: &QuantGraph) -> Vec<f64> {
        match (self, net.input) {
            (Samples::Images(images), Input::Constant) => {
                let pixels: Vec<f64> = images.pixels(index).into_iter().map(f64::from).collect();
                pixels.repeat(net.phases() as usize)
            }
            _ => self.codes(index, net).into_iter().map(|code| code as f64).collect(),
        }
    }

    /// Verifies that there is one label a sample and that every label is below `classes`.
    ///
    /// # Errors
    /// [`Kind::Input`] with every disagreement.
    pub fn check_labels(&self, labels: &Labels, classes: usize) -> Result<()> {
        check_labels(self.len(), self.noun(), labels, classes)
    }
}

/// What the file may be in another design's eyes, and what to do then.
const PIXELS: [&str; 2] = [
    "may hold images, but the network reads recorded spike trains",
    "compile the NIR file with --encoding rate, which encodes pixels as spikes, or constant",
];
const TRAINS: [&str; 2] = [
    "may hold recorded spike trains, but the network reads pixels",
    "give images; designs read spike trains that are compiled from NIR files with --encoding rate or spikes",
];

/// The error, and that the file may have been meant for another kind of design.
fn also(mut error: Error, meant: bool, path: &Path, [what, help]: [&str; 2]) -> Error {
    if meant {
        error.problems.push(Problem::new(what).in_file(path).help(help));
    }
    error
}
