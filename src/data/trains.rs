//! Recorded spike trains: NPY, `[samples, T, input shape]`.

use super::npy::{self, Header};
use super::{byte_count, source::Source};
use crate::error::{Error, Problem, Result};
use crate::ir::Shape;
use std::path::Path;

/// Largest value of a neuron in a step. Sensors that count several events in a bin stay far below.
const MAX_VALUE: f64 = 255.0;

/// Spike trains of one shape and length: whole numbers of `0..=255`, mostly 0 and 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpikeTrains {
    shape: Shape,
    steps: usize,
    count: usize,
    values: Vec<u8>,
}

impl SpikeTrains {
    /// Trains for inputs of `shape` from `[samples, steps, shape]`, row-major.
    ///
    /// # Errors
    /// If there are no samples, or the values are no whole number of them.
    pub fn new(shape: Shape, steps: usize, values: Vec<u8>) -> Result<SpikeTrains> {
        let sample = shape.len().saturating_mul(steps);
        if sample == 0 || values.is_empty() || !values.len().is_multiple_of(sample) {
            let what =
                format!("{} values are no whole number of spike trains of {steps} steps of {shape}", values.len());
            return Err(Error::input(what));
        }
        Ok(SpikeTrains { shape, steps, count: values.len() / sample, values })
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there are none (only after [`SpikeTrains::truncated`] to 0).
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Steps of a sample.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Shape of the input in one step.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Largest value of any neuron in any step; at least 1.
    pub fn max(&self) -> i64 {
        self.values.iter().copied().max().unwrap_or(0).max(1).into()
    }

    /// Sample `index` as `[steps, inputs]`, row-major.
    ///
    /// # Panics
    /// If `index` is not below [`SpikeTrains::len`].
    pub fn codes(&self, index: usize) -> Vec<i64> {
        let sample = self.shape.len() * self.steps;
        self.values[index * sample..][..sample].iter().map(|&v| v.into()).collect()
    }

    /// The first `limit` samples, or all if there are fewer.
    pub fn truncated(mut self, limit: usize) -> SpikeTrains {
        self.count = self.count.min(limit);
        self.values.truncate(self.count * self.shape.len() * self.steps);
        self
    }
}

/// Reads recorded spike trains for inputs of `shape`. The file is an NPY array (or a gzipped one) of `[samples, T, shape]`, or of `[T, shape]`
/// for a single sample, of any number type. The shape may be written flat.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input) if the file cannot be read, is no such array, or holds anything but whole numbers of 0 to 255.
pub fn load_trains(path: &Path, shape: &Shape) -> Result<SpikeTrains> {
    let read = || {
        let mut source = Source::open(path)?;
        source.fill(super::source::HEAD)?;
        if !npy::is_npy(source.bytes()) {
            let help = "save the array [samples, T, input shape] with numpy.save";
            return Err(Error::from(Problem::new("is no NPY file, as recorded spike trains are").help(help)));
        }
        let (header, start) = npy::header(&mut source)?;
        let bytes = byte_count(&header.extents, header.element_size())?;
        let data = source.exactly(start + bytes)?.get(start..).unwrap_or_default();
        let (steps, values) = (steps(&header.extents, shape)?, values(&header, data)?);
        SpikeTrains::new(shape.clone(), steps, values)
    };
    read().map_err(|e| e.in_file(path))
}

/// True if a file announces an array that can be spike trains for inputs of `shape`, but no images for them.
///
/// # Errors
/// The file cannot be read, or its header is damaged.
pub(super) fn announced(path: &Path, shape: &Shape) -> Result<bool> {
    let read = || {
        let mut source = Source::open(path)?;
        source.fill(super::source::HEAD)?;
        if !npy::is_npy(source.bytes()) {
            return Ok(false);
        }
        let (header, _) = npy::header(&mut source)?;
        let images = matches!(header.extents.as_slice(), [_, image @ ..] if (1..=3).contains(&image.len())
            && image.iter().try_fold(1usize, |n, &d| n.checked_mul(d)) == Some(shape.len()));
        Ok(!images && steps(&header.extents, shape).is_ok())
    };
    read().map_err(|e: Error| e.in_file(path))
}

/// The steps of a sample in an array of these extents.
fn steps(extents: &[usize], shape: &Shape) -> Result<usize> {
    let flat = [shape.len()];
    let of = |shape: &[usize]| {
        let rank = extents.len().checked_sub(shape.len()).filter(|rank| (1..=2).contains(rank))?;
        let (front, back) = extents.split_at(rank);
        (back == shape).then(|| front.last().copied()).flatten()
    };
    // A vector of one neuron may come without its axis.
    let bare = || (shape.len() == 1 && (1..=2).contains(&extents.len())).then(|| extents.last().copied()).flatten();
    of(&shape.0).or_else(|| of(&flat)).or_else(bare).ok_or_else(|| {
        let list = shape.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Problem::new(format!("holds an array of {}, but the network's input is {shape}", Shape(extents.to_vec())))
            .help(format!("spike trains are [samples, T, {list}]"))
            .into()
    })
}

fn values(header: &Header, data: &[u8]) -> Result<Vec<u8>> {
    if let Some(bytes) = header.single_bytes(data) {
        return Ok(header.row_major(bytes));
    }
    let numbers = header.row_major(header.numbers(data));
    let whole = |v: f64| (v.fract() == 0.0 && (0.0..=MAX_VALUE).contains(&v)).then_some(v as u8);
    numbers.iter().map(|&v| whole(v)).collect::<Option<Vec<u8>>>().ok_or_else(|| {
        let wrong: Vec<(usize, &f64)> = numbers.iter().enumerate().filter(|(_, v)| whole(**v).is_none()).collect();
        let (at, value) = wrong.first().copied().unwrap_or((0, &0.0));
        Problem::new(format!(
            "{} of {} values are no spikes; the first is {value} at element {at}",
            wrong.len(),
            numbers.len()
        ))
        .help("spike trains hold 0 and 1, or whole numbers of spikes up to 255")
        .into()
    })
}
