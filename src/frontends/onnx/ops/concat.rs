//! Concat: of activations along the channels, of constants along any axis.

use super::super::call::{Activation, Call, MAX_CONSTANT, Outcome, Stop, Value};
use super::super::tensor::Tensor;
use crate::ir::Shape;
use crate::ir::graph::Op;
use ndarray::{ArrayD, ArrayViewD, Axis, concatenate};

/// All inputs, one behind the other.
pub(super) fn concat(call: &mut Call<'_, '_>) -> Outcome<Value> {
    // Before any of them is copied: a short list of names may stand for very much.
    let elements = (0..call.input_count()).fold(0usize, |n, i| n.saturating_add(call.constant_len(i)));
    if elements > MAX_CONSTANT {
        return Err(Stop::new(format!("puts {elements} constants together; {MAX_CONSTANT} are the limit")));
    }
    let values = (0..call.input_count()).map(|i| call.value(i)).collect::<Outcome<Vec<_>>>()?;
    let axis = call.int("axis").unwrap_or(1);
    let activations: Vec<Activation> = values
        .iter()
        .filter_map(|value| if let Value::Activation(x) = value { Some(x.clone()) } else { None })
        .collect();
    if activations.is_empty() {
        return constants(values, axis);
    }
    if activations.len() != values.len() {
        return Err(Stop::new("puts constants beside activations"));
    }
    let Some(first) = activations.first() else { return Err(Stop::new("reads nothing")) };
    let rank = first.dims.len() + 1;
    if super::axis(axis, rank)? != 1 {
        return Err(Stop::with_help(
            format!("puts activations together along the axis {axis} of {rank}"),
            "along the channels (axis 1) is supported",
        ));
    }
    if let Some(other) = activations.iter().find(|x| x.dims.len() != rank - 1 || x.dims[1..] != first.dims[1..]) {
        return Err(Stop::new(format!("puts {:?} and {:?} a sample together", first.dims, other.dims)));
    }
    let channels = activations.iter().fold(0usize, |n, x| n.saturating_add(x.dims[0]));
    let shape = |channels: usize| match first.dims[1..] {
        [w] => Shape(vec![channels, 1, w]),
        [h, w] => Shape(vec![channels, h, w]),
        _ => Shape(vec![channels.saturating_mul(first.dims[1..].iter().product())]),
    };
    let parts = activations.iter().map(|x| call.shaped(x, shape(x.dims[0]))).collect::<Outcome<Vec<_>>>()?;
    let parts: Vec<&Activation> = parts.iter().collect();
    let dims = std::iter::once(channels).chain(first.dims[1..].iter().copied()).collect();
    call.emit_shaped(Op::Concat, &parts, dims, shape(channels)).map(Value::Activation)
}

fn constants(values: Vec<Value>, axis: i64) -> Outcome<Value> {
    let tensors: Vec<Tensor> =
        values.into_iter().filter_map(|value| if let Value::Constant(t) = value { Some(t) } else { None }).collect();
    let Some(first) = tensors.first() else { return Err(Stop::new("reads nothing")) };
    let axis = super::axis(axis, first.dims().len())?;
    let joined = if tensors.iter().all(|t| matches!(t, Tensor::Ints(_))) {
        let ints = tensors.into_iter().filter_map(|t| if let Tensor::Ints(a) = t { Some(a) } else { None });
        join(&ints.collect::<Vec<_>>(), axis).map(Tensor::Ints)
    } else {
        join(&tensors.into_iter().map(Tensor::into_floats).collect::<Vec<_>>(), axis).map(Tensor::Floats)
    };
    joined.map(Value::Constant)
}

fn join<T: Clone>(parts: &[ArrayD<T>], axis: usize) -> Outcome<ArrayD<T>> {
    let views: Vec<ArrayViewD<T>> = parts.iter().map(|part| part.view()).collect();
    concatenate(Axis(axis), &views).map_err(|e| Stop::new(format!("puts constants together that do not fit: {e}")))
}
