//! A projection as a chain of linear NIR nodes.
//!
//! | synapses | between images `[C, H, W]` | from an image to a vector `[N]` | between vectors |
//! |---|---|---|---|
//! | dense | `Conv2d` over the whole image, through a single pixel | `Flatten`, `Linear` | `Linear` |
//! | conv | `Conv2d` | `Conv2d`, `Flatten` | `Linear` |
//! | channelwise, all channels, nothing moved | nothing, or `Scale` | | nothing, or `Scale` |
//! | channelwise, all channels, one weight each | `SumPool2d`, or with `Scale` | the same, `Flatten` | |
//! | channelwise | `Conv2d` with zeros | `Conv2d`, `Flatten` | `Linear` with zeros |
//!
//! Convolutions in groups are written as one group with zeros: Python's `nir` demands `input_shape` of a file, and then takes the
//! channels of one group for those of the input.

use super::geometry::{Square, pool};
use crate::frontends::nir::{Array, Data, Kind, Unit};
use crate::ir::snn::Synapses;
use crate::ir::window::Window;

/// Weights that one node may hold: matrices and kernels of zeros could otherwise become very large.
const MOST_WEIGHTS: usize = 1 << 26;
/// Single precision holds every integer up to here.
const SINGLE: u64 = 1 << 24;

/// Nodes one behind the other, each with the shape of what it sends.
pub(super) type Chain = Vec<(Unit, Vec<usize>)>;
type Link = (Unit, Vec<usize>);

/// The nodes of a projection from a node of the shape `from` to one of the shape `to`; if the latter is an image, so is the former.
///
/// # Errors
/// What cannot be expressed, in words that continue the projection's name.
pub(super) fn chain(synapses: &Synapses<i32>, from: &[usize], to: &[usize]) -> Result<Chain, String> {
    let (pre, post) = synapses.extent();
    let (&[c, h, w], image) = (from, <[usize; 3]>::try_from(to).ok()) else { return vector(synapses, pre, post) };
    let mut chain = match (synapses, image) {
        (Synapses::Dense { .. }, None) => return Ok(vec![flatten(from), matrix(synapses, pre, post)?]),
        (Synapses::Dense { weight }, Some(to)) => dense(|o, i| weight[[o, i]], [c, h, w], to)?,
        (Synapses::Conv { window, groups, weight }, _) => {
            let taps = weight.indexed_iter().map(|((o, i, y, x), &w)| ([o, i, y, x], w));
            vec![convolution(window, *groups, taps)?]
        }
        (Synapses::Channelwise { .. }, _) => channelwise(synapses)?,
    };
    if image.is_none() {
        let last = chain.last().map_or_else(|| from.to_vec(), |(_, shape)| shape.clone());
        chain.push(flatten(&last));
    }
    Ok(chain)
}

/// A node that passes values on.
pub(super) fn same(shape: &[usize]) -> Unit {
    Unit::new(Kind::Scale).with("scale", numbers(shape, &vec![1; shape.iter().product()]))
}

/// What to call a node of the projection `name`.
pub(super) fn label(name: &str, unit: &Unit) -> String {
    match unit.kind {
        Kind::Flatten => format!("{name}.flatten"),
        _ => name.to_string(),
    }
}

/// Lets a chain add `bias`, one per neuron, in every step; false if none of its nodes can.
pub(super) fn carry(chain: &mut Chain, bias: &[i64]) -> bool {
    let Some((unit, shape)) = chain.iter_mut().rev().find(|(unit, _)| unit.kind != Kind::Flatten) else { return false };
    match (unit.kind, shape.as_slice()) {
        (Kind::Linear, shape) => {
            unit.kind = Kind::Affine;
            unit.fields.insert("bias".into(), numbers(shape, bias));
            true
        }
        (Kind::Conv2d, &[channels, h, w]) => {
            let pixels: Vec<&[i64]> = bias.chunks(h * w).collect();
            if pixels.len() != channels || pixels.iter().any(|channel| channel.iter().any(|b| *b != channel[0])) {
                return false;
            }
            let each: Vec<i64> = pixels.iter().map(|channel| channel[0]).collect();
            unit.fields.insert("bias".into(), numbers(&[channels], &each));
            true
        }
        _ => false,
    }
}

/// A node that adds `bias` to what passes through it: along its last axis, an identity matrix with a bias.
pub(super) fn constant(bias: &[i64], shape: &[usize]) -> Result<Link, String> {
    let width = shape.last().copied().unwrap_or(1);
    let count = bias.len().checked_mul(width).filter(|&n| n <= MOST_WEIGHTS);
    let count = count.ok_or("has a bias of its own for each of too many neurons")?;
    let identity: Vec<i32> = (0..count).map(|i| i32::from(i / width % width == i % width)).collect();
    let weight: Vec<usize> = shape.iter().copied().chain([width]).collect();
    let unit = Unit::new(Kind::Affine).with("weight", numbers(&weight, &identity)).with("bias", numbers(shape, bias));
    Ok((unit, shape.to_vec()))
}

/// Integers as single precision where that holds them all, else as double.
pub(super) fn numbers<T: Copy + Into<i64>>(shape: &[usize], values: &[T]) -> Array {
    let single = values.iter().all(|&v| v.into().unsigned_abs() <= SINGLE);
    let data = match single {
        true => Data::F32(values.iter().map(|&v| v.into() as f32).collect()),
        false => Data::F64(values.iter().map(|&v| v.into() as f64).collect()),
    };
    // A wrong number of values is a defect, which the check of the finished graph would find.
    Array::new(shape.to_vec(), data).unwrap_or_else(|| Array::doubles(Vec::new()))
}

fn flatten(shape: &[usize]) -> Link {
    let unit = Unit::new(Kind::Flatten).with("input_type", Array::integers(shape.iter().copied()));
    let unit = unit.with("start_dim", Array::integer(0)).with("end_dim", Array::integer(-1));
    (unit, vec![shape.iter().product()])
}

/// Every sender to every receiver, zeros where the synapses connect none.
fn matrix(synapses: &Synapses<i32>, pre: usize, post: usize) -> Result<Link, String> {
    let count = pre.checked_mul(post).filter(|&n| n <= MOST_WEIGHTS);
    count.ok_or_else(|| format!("would be a matrix of {post}×{pre} weights; {MOST_WEIGHTS} are the limit"))?;
    let weights: Vec<i32> = match synapses {
        Synapses::Dense { weight } => weight.iter().copied().collect(),
        _ => (0..post).flat_map(|o| (0..pre).map(move |i| synapses.weight(o, i))).collect(),
    };
    Ok((Unit::new(Kind::Linear).with("weight", numbers(&[post, pre], &weights)), vec![post]))
}

fn vector(synapses: &Synapses<i32>, pre: usize, post: usize) -> Result<Chain, String> {
    match synapses {
        Synapses::Channelwise { weight, from: 0, to: 0, .. } if pre == post && weight.dim().0 == pre => {
            let diagonal: Vec<i32> = (0..pre).map(|n| synapses.weight(n, n)).collect();
            Ok(scale(&diagonal, &[pre], 1))
        }
        _ => Ok(vec![matrix(synapses, pre, post)?]),
    }
}

/// Multiplies each channel of `pixels` values; nothing where that changes nothing.
fn scale(channels: &[i32], shape: &[usize], pixels: usize) -> Chain {
    if channels.iter().all(|&w| w == 1) {
        return Vec::new();
    }
    let each: Vec<i32> = channels.iter().flat_map(|&w| std::iter::repeat_n(w, pixels)).collect();
    vec![(Unit::new(Kind::Scale).with("scale", numbers(shape, &each)), shape.to_vec())]
}

fn channelwise(synapses: &Synapses<i32>) -> Result<Chain, String> {
    let Synapses::Channelwise { weight, window, from, to } = synapses else { return Ok(Vec::new()) };
    let (channels, ..) = weight.dim();
    let whole = (*from, *to) == (0, 0) && [window.input[0], window.output[0]] == [channels; 2];
    if whole && *window == Window::identity(window.input) {
        let weights: Vec<i32> = weight.iter().copied().collect();
        return Ok(scale(&weights, &window.input, window.input[1] * window.input[2]));
    }
    let each: Option<Vec<i32>> =
        weight.outer_iter().map(|taps| taps.first().copied().filter(|first| taps.iter().all(|w| w == first))).collect();
    if whole
        && let Some(each) = each
        && let Some((padding, stride)) = pool(window)
    {
        let unit = Unit::new(Kind::SumPool2d).with("kernel_size", Array::integers(window.kernel));
        let unit = unit.with("padding", Array::integers(padding)).with("stride", Array::integers(stride));
        let mut chain = vec![(unit, window.output.to_vec())];
        chain.extend(scale(&each, &window.output, window.output[1] * window.output[2]));
        return Ok(chain);
    }
    let link = match whole {
        true => convolution(window, channels, weight.indexed_iter().map(|((c, y, x), &w)| ([c, 0, y, x], w))),
        false => convolution(window, 1, weight.indexed_iter().map(|((c, y, x), &w)| ([to + c, from + c, y, x], w))),
    };
    Ok(vec![link?])
}

/// A `Conv2d` with the weights `taps`, by `[output, input of its group, row, column]`, where `groups` divides both channel counts.
fn convolution(window: &Window, groups: usize, taps: impl Iterator<Item = ([usize; 4], i32)>) -> Result<Link, String> {
    let square = Square::of(window).ok_or_else(|| {
        format!(
            "is a window of {:?} from {:?} to {:?}, which square kernels with the same padding on both sides cannot be",
            window.kernel, window.input, window.output
        )
    })?;
    let (inputs, outputs, size) = (window.input[0], window.output[0], square.size);
    let [inputs_each, outputs_each] = [inputs, outputs].map(|channels| (channels / groups.max(1)).max(1));
    let count = [outputs, size, size].iter().try_fold(inputs, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_WEIGHTS);
    let count = count.ok_or_else(|| format!("would be a kernel of more than {MOST_WEIGHTS} weights"))?;
    let mut weight = vec![0i32; count];
    for ([o, i, row, column], w) in taps {
        let [row, column] = square.place([row, column]);
        let input = o / outputs_each * inputs_each + i;
        weight[((o * inputs + input) * size + row) * size + column] = w;
    }
    let unit = Unit::new(Kind::Conv2d)
        .with("weight", numbers(&[outputs, inputs, size, size], &weight))
        .with("bias", numbers(&[outputs], &vec![0; outputs]))
        .with("stride", Array::integers(square.stride))
        .with("padding", Array::integers(square.padding))
        .with("dilation", Array::integers(square.dilation))
        .with("groups", Array::integer(1))
        .with("input_shape", Array::integers([window.input[1], window.input[2]]));
    Ok((unit, window.output.to_vec()))
}

/// Dense synapses between images: a kernel as large as the image gathers it into one pixel, and one as large as the receivers' image
/// spreads a pixel over it.
fn dense(weight: impl Fn(usize, usize) -> i32, from: [usize; 3], to: [usize; 3]) -> Result<Chain, String> {
    let single = |image: [usize; 3]| image[1] * image[2] == 1;
    let one = |o: usize, i: usize| i32::from(o == i);
    let (pre, post): (usize, usize) = (from.iter().product(), to.iter().product());
    Ok(match (single(from), single(to)) {
        (_, true) => vec![gather(&weight, from, post)?],
        (true, false) => vec![spread(&weight, pre, to)?],
        // Between them, whichever are fewer.
        _ if pre < post => vec![gather(&one, from, pre)?, spread(&weight, pre, to)?],
        _ => vec![gather(&weight, from, post)?, spread(&one, post, to)?],
    })
}

fn gather(weight: &impl Fn(usize, usize) -> i32, from: [usize; 3], outputs: usize) -> Result<Link, String> {
    let [_, h, w] = from;
    let window = Window { output: [outputs, 1, 1], kernel: [h, w], ..Window::identity(from) };
    let senders = 0..from.iter().product();
    let taps = (0..outputs)
        .flat_map(|o| senders.clone().map(move |i: usize| ([o, i / (h * w), i / w % h, i % w], weight(o, i))));
    convolution(&window, 1, taps)
}

fn spread(weight: &impl Fn(usize, usize) -> i32, inputs: usize, to: [usize; 3]) -> Result<Link, String> {
    let [_, h, w] = to;
    let pad = [h, w].map(|extent| i64::try_from(extent).unwrap_or(i64::MAX) - 1);
    let window = Window { output: to, kernel: [h, w], pad, ..Window::identity([inputs, 1, 1]) };
    let receivers = 0..to.iter().product();
    let taps = receivers.flat_map(|o: usize| {
        let place = [o / (h * w), h - 1 - o / w % h, w - 1 - o % w];
        (0..inputs).map(move |i| ([place[0], i, place[1], place[2]], weight(o, i)))
    });
    convolution(&window, 1, taps)
}
