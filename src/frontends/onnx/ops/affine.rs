//! A factor and an addend for every element, per channel where that is the same.

use super::super::call::{Activation, Call, Outcome, Stop};
use crate::ir::Shape;
use crate::ir::graph::Op;
use ndarray::{Array1, ArrayD, IxDyn};

/// The value of a constant at every element of `x`, by ONNX's rules of broadcasting.
pub(super) fn per_element(constant: &ArrayD<f32>, x: &Activation) -> Outcome<Vec<f32>> {
    let refuse = || {
        Stop::with_help(
            format!(
                "combines a constant of extents {:?} with an activation of {:?} a sample",
                constant.shape(),
                x.dims
            ),
            "a constant may have one value, one a channel, or one an element",
        )
    };
    // The batch axis, and whatever stands in front of it, must not be stretched.
    let surplus = constant.ndim().saturating_sub(x.dims.len());
    let (front, back) = constant.shape().split_at(surplus);
    if front.iter().any(|&d| d != 1) {
        return Err(refuse());
    }
    let back = constant.to_shape(IxDyn(back)).map_err(|_| refuse())?;
    let all = back.broadcast(IxDyn(&x.dims)).ok_or_else(refuse)?;
    Ok(all.iter().copied().collect())
}

/// Adds nodes for `scale·x + shift`, both with one value an element of `x`.
///
/// Where they differ within a channel, every element is made a channel of its own.
pub(super) fn emit(call: &mut Call<'_, '_>, x: &Activation, scale: &[f32], shift: &[f32]) -> Outcome<Activation> {
    if let Some(bad) = scale.iter().chain(shift).find(|v| !v.is_finite()) {
        return Err(Stop::new(format!("would multiply or add {bad}")));
    }
    let shape = call.shape(x).clone();
    // A signal [C, W] is an image of one row, whatever its shape in the graph was up to here.
    let signal = if let [c, w] = *x.dims { Some(Shape(vec![c, 1, w])) } else { None };
    for shape in std::iter::once(shape.clone()).chain(signal) {
        if let (Some(scale), Some(shift)) = (per_channel(&shape, scale), per_channel(&shape, shift)) {
            let x = call.shaped(x, shape)?;
            return call.emit_like(Op::Affine { scale, shift }, &x);
        }
    }
    let flat = Shape(vec![x.len()]);
    let y = call.emit_shaped(Op::Reshape, &[x], x.dims.clone(), flat.clone())?;
    let op = Op::Affine { scale: scale.to_vec().into(), shift: shift.to_vec().into() };
    let y = call.emit_shaped(op, &[&y], x.dims.clone(), flat)?;
    call.emit_shaped(Op::Reshape, &[&y], x.dims.clone(), shape)
}

fn per_channel(shape: &Shape, values: &[f32]) -> Option<Array1<f32>> {
    let size = shape.len().checked_div(shape.channels()).filter(|&size| size > 0)?;
    values.chunks(size).map(|channel| channel.iter().all(|v| *v == channel[0]).then_some(channel[0])).collect()
}
