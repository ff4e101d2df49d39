//! Computations with shapes, which exporters write out as nodes: all of them are done here, once.
//!
//! The batch axis counts as 1 where the model leaves it open; Reshape takes a leading 1 for the batch.

use super::super::call::{Call, MAX_CONSTANT, Outcome, Stop, Value};
use super::super::tensor::Tensor;
use crate::ir::graph::Op;
use ndarray::{ArrayD, Axis, IxDyn, arr1};

/// The extents of its input, from `start` to `end` where given.
pub(super) fn shape(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let dims: Vec<i64> = match call.value(0)? {
        Value::Constant(tensor) => tensor.dims().iter().map(|&d| d as i64).collect(),
        Value::Activation(x) => std::iter::once(call.batch().unwrap_or(1)).chain(x.dims).map(|d| d as i64).collect(),
        Value::Broken => return Err(Stop::Upstream),
    };
    let rank = dims.len() as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, end) = (place(call.int("start").unwrap_or(0)), place(call.int("end").unwrap_or(rank)));
    Ok(ints(&dims[start.min(end)..end]))
}

/// Number of elements. Of an activation it depends on the batch, so it is refused.
pub(super) fn size(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let tensor = call.constant(0)?;
    Ok(Value::Constant(Tensor::Ints(ArrayD::from_elem(IxDyn(&[]), tensor.len() as i64))))
}

/// Entries of a constant.
pub(super) fn gather(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let data = call.constant(0)?;
    let Tensor::Ints(indices) = call.constant(1)? else { return Err(Stop::new("has indices that are no integers")) };
    let axis = super::axis(call.int("axis").unwrap_or(0), data.dims().len())?;
    let extent = data.dims()[axis];
    let place = |&i: &i64| {
        let at = if i < 0 { i.checked_add(extent as i64) } else { Some(i) };
        at.and_then(|at| usize::try_from(at).ok()).filter(|&at| at < extent)
    };
    let places: Option<Vec<usize>> = indices.iter().map(place).collect();
    let places = places.ok_or_else(|| Stop::new(format!("has an index outside {extent} entries")))?;
    let mut dims = data.dims().to_vec();
    let rest: usize = dims.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, &d)| d).product();
    small(rest.saturating_mul(places.len()))?;
    dims.splice(axis..=axis, indices.shape().iter().copied());
    let picked = match data {
        Tensor::Ints(array) => Tensor::Ints(array.select(Axis(axis), &places)),
        Tensor::Floats(array) => Tensor::Floats(array.select(Axis(axis), &places)),
    };
    picked.reshaped(&dims).map(Value::Constant).ok_or_else(|| Stop::new("has indices that do not fit"))
}

/// New axes of extent 1, which are an attribute before operator set 13 and an input since.
pub(super) fn unsqueeze(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let axes = axes(call)?.ok_or_else(|| Stop::new("lacks its axes"))?;
    let dims = dims(call, &value);
    let rank = dims.len() + axes.len();
    let mut places = axes.iter().map(|&axis| super::axis(axis, rank)).collect::<Outcome<Vec<_>>>()?;
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Stop::new(format!("adds the axes {axes:?}, one of them twice")));
    }
    let mut new = dims;
    places.iter().for_each(|&place| new.insert(place.min(new.len()), 1));
    if matches!(value, Value::Activation(_)) && places.first() == Some(&0) {
        return Err(Stop::new("adds an axis in front of the batch"));
    }
    with_dims(call, value, new)
}

/// Without axes of extent 1: all of them, or those given.
pub(super) fn squeeze(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let dims = dims(call, &value);
    let places = match axes(call)? {
        Some(axes) => axes.iter().map(|&axis| super::axis(axis, dims.len())).collect::<Outcome<Vec<_>>>()?,
        None => {
            let first = usize::from(matches!(value, Value::Activation(_)));
            (first..dims.len()).filter(|&axis| dims[axis] == 1).collect()
        }
    };
    if places.iter().any(|&place| dims[place] != 1) {
        return Err(Stop::new(format!("takes axes away from {dims:?} that are longer than 1")));
    }
    if matches!(value, Value::Activation(_)) && places.contains(&0) {
        return Err(Stop::with_help("takes the batch axis away", "name the axes to squeeze, such as (2, 3)"));
    }
    let new = dims.iter().enumerate().filter(|(axis, _)| !places.contains(axis)).map(|(_, &d)| d).collect();
    with_dims(call, value, new)
}

/// A constant of equal entries.
pub(super) fn constant_of_shape(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let dims = call.ints(0)?;
    let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims.ok_or_else(|| Stop::new("has a negative extent"))?;
    small(dims.iter().fold(1usize, |n, &d| n.saturating_mul(d)))?;
    let value = call.attribute("value").and_then(|a| a.t.as_ref()).map(Tensor::decode).transpose();
    let value = value.map_err(|what| Stop::new(format!("its value {what}")))?;
    Ok(Value::Constant(match value {
        Some(Tensor::Ints(array)) => Tensor::Ints(ArrayD::from_elem(dims, array.first().copied().unwrap_or(0))),
        Some(Tensor::Floats(array)) => Tensor::Floats(ArrayD::from_elem(dims, array.first().copied().unwrap_or(0.0))),
        None => Tensor::Floats(ArrayD::zeros(dims)),
    }))
}

/// `start, start + delta, …` before `limit`, in integers.
pub(super) fn range(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let number = |call: &mut Call<'_, '_>, i: usize| -> Outcome<i64> {
        call.ints(i)?.first().copied().ok_or_else(|| Stop::new(format!("its input {i} holds no number")))
    };
    let (start, limit, delta) = (number(call, 0)?, number(call, 1)?, number(call, 2)?);
    let distance = if delta < 0 { start.checked_sub(limit) } else { limit.checked_sub(start) };
    let count = match (delta, distance) {
        (0, _) | (_, None) => return Err(Stop::new(format!("counts from {start} to {limit} by {delta}"))),
        (_, Some(distance)) if distance <= 0 => 0,
        (delta, Some(distance)) => distance.unsigned_abs().div_ceil(delta.unsigned_abs()) as usize,
    };
    small(count)?;
    Ok(ints(&(0..count as i64).map(|i| start + i * delta).collect::<Vec<_>>()))
}

fn ints(values: &[i64]) -> Value {
    Value::Constant(Tensor::Ints(arr1(values).into_dyn()))
}

fn axes(call: &mut Call<'_, '_>) -> Outcome<Option<Vec<i64>>> {
    if call.opset() < 13 {
        return Ok(call.attribute("axes").map(|a| a.ints.clone()));
    }
    if call.has_input(1) { call.ints(1).map(Some) } else { Ok(None) }
}

/// All extents, with the batch axis of an activation.
fn dims(call: &Call<'_, '_>, value: &Value) -> Vec<usize> {
    match value {
        Value::Activation(x) => std::iter::once(call.batch().unwrap_or(1)).chain(x.dims.iter().copied()).collect(),
        Value::Constant(tensor) => tensor.dims().to_vec(),
        Value::Broken => Vec::new(),
    }
}

/// The same elements under extents that hold the batch axis of an activation in front.
fn with_dims(call: &mut Call<'_, '_>, value: Value, dims: Vec<usize>) -> Outcome<Value> {
    match value {
        Value::Activation(x) => {
            call.emit(Op::Reshape, &[&x], dims.into_iter().skip(1).collect()).map(Value::Activation)
        }
        Value::Constant(tensor) => {
            tensor.reshaped(&dims).map(Value::Constant).ok_or_else(|| Stop::new("changes the number of elements"))
        }
        Value::Broken => Err(Stop::Upstream),
    }
}

fn small(elements: usize) -> Outcome<()> {
    match elements > MAX_CONSTANT {
        true => Err(Stop::new(format!("would write out {elements} constants; {MAX_CONSTANT} are the limit"))),
        false => Ok(()),
    }
}
