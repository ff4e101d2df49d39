//! The weights into one population, folded with the senders' steps and sorted into panels and skips.

use super::activity::Activity;
use super::panel::{Block, Panel, Skip, centre};
use super::samples::Samples;
use super::weights::Folded;
use crate::fixed::weight_limit;
use crate::ir::snn::Synapses;
use ndarray::{Array2, ArrayView1, Axis, concatenate};
use std::collections::BTreeMap;

/// Observations for each weight of a panel, within these bounds altogether.
const OBSERVATIONS: usize = 8;
const LEAST: usize = 8192;
const MOST: usize = 24_576;

/// One projection into the population.
pub(super) struct Input<'a> {
    /// Weights in float activation units.
    pub synapses: &'a Synapses<f32>,
    /// What the sender sends.
    pub sender: &'a Activity,
    /// The sender is a population that never fired on the calibration set.
    pub silent: bool,
    /// Bits of a weight.
    pub bits: u32,
}

/// The population that receives.
pub(super) struct Receiver<'a> {
    /// Bias of every neuron.
    pub bias: &'a [f32],
    /// Neurons that share their weights' scale: a channel's pixels, or 1.
    pub pixels: usize,
    /// The float network's drive, `[samples, neurons]`.
    pub target: &'a Array2<f32>,
    /// The mean drive will be corrected.
    pub centred: bool,
    /// The weights are to make up for what the senders lose.
    pub fitted: bool,
}

/// True if this projection is a [`Skip`] beside these others.
pub(super) fn is_skip(synapses: &Synapses<f32>, all: &[&Synapses<f32>]) -> bool {
    let kernels = all.iter().any(|s| !matches!(s, Synapses::Channelwise { .. }));
    kernels && matches!(synapses, Synapses::Channelwise { window, .. } if window.kernel == [1, 1])
}

/// Folds all `inputs` of a population, fitted to what their senders really send where that is asked for.
pub(super) fn fold(inputs: &[Input], receiver: &Receiver) -> Folded {
    let (images, pixels) = (receiver.target.nrows(), receiver.pixels);
    let all: Vec<&Synapses<f32>> = inputs.iter().map(|i| i.synapses).collect();
    let dims: Vec<(usize, usize)> = all.iter().map(|s| matrix(s)).collect();
    let widest = dims.iter().map(|d| d.1).max().unwrap_or(0);
    let samples = Samples::spread(images, pixels, (OBSERVATIONS * widest).clamp(LEAST, MOST));
    let whole = Samples::spread(images, 1, images);

    let (mut kernels, mut filters, mut skips) = (BTreeMap::<usize, Vec<usize>>::new(), Vec::new(), Vec::new());
    let mut single = Vec::new();
    for (index, synapses) in all.iter().enumerate() {
        match synapses {
            Synapses::Conv { groups, .. } => kernels.entry(*groups).or_default().push(index),
            Synapses::Dense { .. } if pixels == 1 => kernels.entry(1).or_default().push(index),
            Synapses::Dense { .. } => single.push(index),
            Synapses::Channelwise { .. } if is_skip(synapses, &all) => skips.push(index),
            Synapses::Channelwise { .. } => filters.push(index),
        }
    }
    let seen = |seen: Array2<f32>| {
        let mut seen = seen;
        if receiver.centred {
            centre(&mut seen);
        }
        seen
    };
    let units = receiver.bias.len() / pixels;
    let mut panels = Vec::new();
    for (&groups, members) in &kernels {
        for group in 0..groups {
            let rows = units / groups * group..units / groups * (group + 1);
            let parts = members.iter().map(|&i| kernel(&inputs[i], i, &rows, group, &samples)).collect();
            panels.push(join(rows.collect(), parts, seen));
        }
    }
    for unit in 0..units {
        let parts: Vec<Part> = filters.iter().filter_map(|&i| filter(&inputs[i], i, unit, &samples)).collect();
        if !parts.is_empty() {
            panels.push(join(vec![unit], parts, seen));
        }
    }
    let primary = if kernels.is_empty() { panels.len() } else { kernels.keys().sum() };
    let fitted = receiver.fitted && single.is_empty();
    for &i in &single {
        let rows = 0..receiver.bias.len();
        let part = kernel(&inputs[i], i, &rows, 0, &whole);
        panels.push(join(rows.map(|n| n / pixels).collect(), vec![part], seen));
    }
    let skips = skips.iter().filter_map(|&i| skip(&inputs[i], i, &samples, seen)).collect();
    let unit_bias = |biases: &[f32]| biases.iter().map(|b| f64::from(b.abs())).fold(0.0, f64::max);
    let bias = receiver.bias.chunks(pixels).map(unit_bias).collect();
    let largest = |x: &Array2<f32>| x.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let payload = inputs.iter().map(|i| largest(&i.sender.totals)).fold(1.0, f32::max);
    let payload_bits = payload.log2() as i32 + 1;
    let silent = inputs.iter().map(|i| i.silent).collect();
    let mut folded = Folded { panels, skips, dims, silent, bias, payload_bits };
    if fitted {
        fit(&mut folded, primary, receiver, &samples);
    }
    folded
}

/// Fits the first `primary` panels to what is left of the drive beside the others and the skips.
fn fit(folded: &mut Folded, primary: usize, receiver: &Receiver, samples: &Samples) {
    let (units, pixels) = (folded.bias.len(), receiver.pixels);
    let mut target = Array2::zeros((units, samples.at.len()));
    for (unit, mut row) in target.axis_iter_mut(Axis(0)).enumerate() {
        row.iter_mut().zip(samples.of(receiver.target, unit, pixels)).for_each(|(out, z)| *out = z);
        if !receiver.centred {
            row.iter_mut().zip(&samples.at).for_each(|(z, at)| *z -= receiver.bias[unit * pixels + at.1]);
        }
    }
    if receiver.centred {
        centre(&mut target);
    }
    let mut subtract = |unit: usize, weight: f64, seen: ArrayView1<f32>| {
        target.row_mut(unit).iter_mut().zip(seen).for_each(|(z, x)| *z -= weight as f32 * x);
    };
    for skip in &folded.skips {
        skip.value.iter().enumerate().for_each(|(i, &w)| subtract(skip.first_unit + i, w, skip.seen.row(i)));
    }
    for panel in &folded.panels[primary..] {
        for (row, &unit) in panel.value.rows().into_iter().zip(&panel.units) {
            row.iter().enumerate().for_each(|(c, &w)| subtract(unit, w, panel.seen.row(c)));
        }
    }
    for panel in &mut folded.panels[..primary] {
        let rows = target.select(Axis(0), &panel.units);
        panel.fit(&rows);
    }
}

/// Rows and columns of the weights as a matrix, a row for each receiver (channel) and a column for each sender (tap).
fn matrix(synapses: &Synapses<f32>) -> (usize, usize) {
    match synapses {
        Synapses::Dense { weight } => weight.dim(),
        Synapses::Conv { weight, .. } => {
            let (rows, channels, height, width) = weight.dim();
            (rows, channels * height * width)
        }
        Synapses::Channelwise { weight, .. } => {
            let (channels, height, width) = weight.dim();
            (channels, height * width)
        }
    }
}

/// Some columns of a panel.
struct Part {
    value: Array2<f64>,
    seen: Array2<f32>,
    limit: i32,
    block: Block,
}

fn join(units: Vec<usize>, parts: Vec<Part>, seen: impl Fn(Array2<f32>) -> Array2<f32>) -> Panel {
    let values: Vec<_> = parts.iter().map(|p| p.value.view()).collect();
    let value = concatenate(Axis(1), &values).unwrap_or_default();
    let limit = parts.iter().flat_map(|p| std::iter::repeat_n(p.limit, p.block.columns)).collect();
    let views: Vec<_> = parts.iter().map(|p| p.seen.view()).collect();
    let columns = concatenate(Axis(0), &views).unwrap_or_default();
    drop(views);
    Panel::new(units, value, limit, parts.into_iter().map(|p| p.block).collect(), seen(columns))
}

/// Rows `rows` of a convolution's kernels or of a dense matrix.
fn kernel(input: &Input, projection: usize, rows: &std::ops::Range<usize>, group: usize, samples: &Samples) -> Part {
    let (sender, step) = (input.sender, &input.sender.step);
    let (value, seen) = match input.synapses {
        Synapses::Dense { weight } => {
            let value = Array2::from_shape_fn((rows.len(), weight.ncols()), |(r, c)| {
                f64::from(weight[(rows.start + r, c)]) * step[c]
            });
            (value, samples.images(&sender.totals))
        }
        Synapses::Conv { weight, window, .. } => {
            let (_, channels, height, width) = weight.dim();
            let pixels = window.input[1] * window.input[2];
            let senders = group * channels..(group + 1) * channels;
            let value = Array2::from_shape_fn((rows.len(), channels * height * width), |(r, c)| {
                let (channel, tap) = (c / (height * width), c % (height * width));
                let w = weight[(rows.start + r, channel, tap / width, tap % width)];
                f64::from(w) * step[(senders.start + channel) * pixels]
            });
            (value, samples.patches(&sender.totals, window, senders))
        }
        Synapses::Channelwise { .. } => (Array2::zeros((rows.len(), 0)), Array2::zeros((0, samples.at.len()))),
    };
    let block = Block { projection, first_row: rows.start, columns: value.ncols() };
    Part { value, seen, limit: weight_limit(input.bits), block }
}

/// The taps through which receiver channel `unit` reads its sender channel, if it has one.
fn filter(input: &Input, projection: usize, unit: usize, samples: &Samples) -> Option<Part> {
    let Synapses::Channelwise { weight, window, from, to } = input.synapses else { return None };
    let row = unit.checked_sub(*to).filter(|&row| row < weight.dim().0)?;
    let (pixels, channel) = (window.input[1] * window.input[2], from + row);
    let step = input.sender.step[channel * pixels];
    let value = weight.index_axis(Axis(0), row).iter().map(|&w| f64::from(w) * step).collect::<Vec<f64>>();
    let columns = value.len();
    let value = Array2::from_shape_vec((1, columns), value).ok()?;
    let seen = samples.patches(&input.sender.totals, window, channel..channel + 1);
    let block = Block { projection, first_row: row, columns };
    Some(Part { value, seen, limit: weight_limit(input.bits), block })
}

fn skip(
    input: &Input,
    projection: usize,
    samples: &Samples,
    seen: impl Fn(Array2<f32>) -> Array2<f32>,
) -> Option<Skip> {
    let Synapses::Channelwise { weight, window, from, to } = input.synapses else { return None };
    let (pixels, channels) = (window.input[1] * window.input[2], weight.dim().0);
    let fold = |(i, &w): (usize, &f32)| f64::from(w) * input.sender.step[(from + i) * pixels];
    let value = weight.iter().enumerate().map(fold).collect();
    let seen = seen(samples.patches(&input.sender.totals, window, *from..from + channels));
    Some(Skip { projection, first_unit: *to, value, limit: weight_limit(input.bits), seen })
}
