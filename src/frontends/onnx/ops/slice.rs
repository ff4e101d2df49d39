//! Slice and Pad: parts of an activation, with steps, and zeros around it.

use super::super::call::{Activation, Call, Outcome, Stop, Value};
use super::super::tensor::Tensor;
use crate::ir::Shape;
use crate::ir::graph::Op;
use ndarray::{ArrayD, Axis};

/// Elements `start, start + step, …` before `end` along one axis of `extent`, by ONNX's rules.
#[derive(Clone, Copy)]
struct Cut {
    axis: usize,
    start: usize,
    count: usize,
    step: i64,
}

/// A part of every axis named, by attributes before operator set 10 and by inputs since.
pub(super) fn slice(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let list = |call: &Call<'_, '_>, name: &str| call.attribute(name).map(|a| a.ints.clone());
    let (starts, ends, axes, steps) = if call.opset() < 10 {
        (list(call, "starts").unwrap_or_default(), list(call, "ends").unwrap_or_default(), list(call, "axes"), None)
    } else {
        let axes = if call.has_input(3) { Some(call.ints(3)?) } else { None };
        let steps = if call.has_input(4) { Some(call.ints(4)?) } else { None };
        (call.ints(1)?, call.ints(2)?, axes, steps)
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Stop::new(format!("has {} starts, but other numbers of ends, axes or steps", starts.len())));
    }
    let dims: Vec<usize> = match &value {
        Value::Activation(x) => std::iter::once(call.batch().unwrap_or(1)).chain(x.dims.iter().copied()).collect(),
        Value::Constant(tensor) => tensor.dims().to_vec(),
        Value::Broken => return Err(Stop::Upstream),
    };
    let mut cuts = Vec::new();
    for (((&start, &end), &axis), &step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
        let place = super::axis(axis, dims.len())?;
        cuts.push((cut(place, dims[place], start, end, step)?, end));
    }
    once(cuts.iter().map(|(cut, _)| cut.axis), "slices", &axes)?;
    match value {
        Value::Constant(Tensor::Floats(array)) => Ok(Value::Constant(Tensor::Floats(cut_array(array, &cuts)))),
        Value::Constant(Tensor::Ints(array)) => Ok(Value::Constant(Tensor::Ints(cut_array(array, &cuts)))),
        Value::Activation(x) => {
            let mut start = vec![0; x.dims.len()];
            let mut step = vec![1; x.dims.len()];
            let mut out = x.dims.clone();
            for (cut, end) in cuts {
                match cut.axis.checked_sub(1) {
                    // Of the batch, all images must stay; how many there will be is not known.
                    None if cut.start == 0 && cut.step == 1 && (cut.count == dims[0] && end != -1) => {}
                    None => return Err(Stop::new("cuts images out of the batch")),
                    Some(axis) => {
                        start[axis] = cut.start as i64;
                        step[axis] = usize::try_from(cut.step).map_err(|_| {
                            Stop::with_help("reverses an activation", "steps of a slice must be positive")
                        })?;
                        out[axis] = cut.count;
                    }
                }
            }
            strided(call, &x, &start, &step, out)
        }
        Value::Broken => Err(Stop::Upstream),
    }
}

fn cut(axis: usize, extent: usize, start: i64, end: i64, step: i64) -> Outcome<Cut> {
    if step == 0 {
        return Err(Stop::new("slices with a step of 0"));
    }
    let size = extent as i64;
    let (least, most) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let place = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
    let first = place(start).clamp(least.max(0), most.max(0));
    let end = place(end).clamp(least, most);
    let distance = if step > 0 { end - first } else { first - end };
    let count = if distance <= 0 { 0 } else { (distance as u64).div_ceil(step.unsigned_abs()) as usize };
    Ok(Cut { axis, start: first as usize, count, step })
}

fn cut_array<T: Clone>(array: ArrayD<T>, cuts: &[(Cut, i64)]) -> ArrayD<T> {
    cuts.iter().fold(array, |array, (cut, _)| {
        let places = (0..cut.count as i64).map(|i| (cut.start as i64 + i * cut.step) as usize).collect::<Vec<_>>();
        array.select(Axis(cut.axis), &places)
    })
}

/// Refuses a list that names an axis twice; ONNX says nothing of which entry would count.
fn once(places: impl Iterator<Item = usize>, does: &str, axes: &[i64]) -> Outcome<()> {
    let mut places: Vec<usize> = places.collect();
    places.sort_unstable();
    match places.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(Stop::new(format!("{does} one of the axes {axes:?} twice"))),
        false => Ok(()),
    }
}

/// Zeros before and behind every axis; a negative number cuts off.
pub(super) fn pad(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    let mode = call.attribute("mode").map_or(&b"constant"[..], |a| a.s.as_slice());
    if mode != b"constant" {
        let what = format!("pads in the mode '{}'", String::from_utf8_lossy(mode));
        return Err(Stop::with_help(what, "padding with zeros is supported"));
    }
    let old = call.opset() < 11;
    let pads = match old {
        true => call.attribute("pads").map(|a| a.ints.clone()).unwrap_or_default(),
        false => call.ints(1)?,
    };
    let value = match old {
        true => call.float("value").unwrap_or(0.0),
        false if call.has_input(2) => call.constant(2)?.into_floats().first().copied().unwrap_or(0.0),
        false => 0.0,
    };
    if value != 0.0 {
        return Err(Stop::with_help(format!("pads with {value}"), "padding with zeros is supported"));
    }
    let rank = x.dims.len() + 1;
    let axes = match call.has_input(3) {
        true => {
            let named = call.ints(3)?;
            let axes = named.iter().map(|&axis| super::axis(axis, rank)).collect::<Outcome<Vec<_>>>()?;
            once(axes.iter().copied(), "pads", &named)?;
            axes
        }
        false => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(Stop::new(format!("has {} pads for {} axes", pads.len(), axes.len())));
    }
    let (mut start, mut out) = (vec![0i64; x.dims.len()], x.dims.clone());
    for (i, &axis) in axes.iter().enumerate() {
        let (before, behind) = (pads[i], pads[i + axes.len()]);
        let Some(place) = axis.checked_sub(1) else {
            if (before, behind) == (0, 0) {
                continue;
            }
            return Err(Stop::new(format!("pads the batch with {before} and {behind} images")));
        };
        let extent = (x.dims[place] as i64).checked_add(before).and_then(|n| n.checked_add(behind));
        let extent = extent.and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
        out[place] = extent.ok_or_else(|| {
            Stop::new(format!("pads an axis of {} elements with {before} and {behind}", x.dims[place]))
        })?;
        start[place] = before.checked_neg().ok_or_else(|| Stop::new(format!("pads with {before} elements")))?;
    }
    strided(call, &x, &start, &vec![1; x.dims.len()], out)
}

/// Adds a node that reads element `start + i·step` along every axis of `x`.
fn strided(call: &mut Call<'_, '_>, x: &Activation, start: &[i64], step: &[usize], out: Vec<usize>) -> Outcome<Value> {
    // The axes of [N], [C, W] and [C, H, W] among those of an image.
    let places: &[usize] = match x.dims.len() {
        1 => &[0],
        2 => &[0, 2],
        3 => &[0, 1, 2],
        n => return Err(Stop::new(format!("slices or pads {n} axes a sample; up to three are supported"))),
    };
    let (mut from, mut to, mut first, mut steps) = ([1; 3], [1; 3], [0; 3], [1; 3]);
    for (i, &place) in places.iter().enumerate() {
        (from[place], to[place], first[place], steps[place]) = (x.dims[i], out[i], start[i], step[i]);
    }
    if first == [0; 3] && from == to {
        return call.emit(Op::Reshape, &[x], out).map(Value::Activation);
    }
    let shape = |extent: [usize; 3]| Shape(if x.dims.len() == 1 { vec![extent[0]] } else { extent.to_vec() });
    let x = call.shaped(x, shape(from))?;
    let op = Op::Strided { start: first, step: steps };
    call.emit_shaped(op, &[&x], out, shape(to)).map(Value::Activation)
}
