//! Operators that keep all elements: Flatten, Reshape, Transpose, Identity, Dropout.
//!
//! The batch axis stays in front. Constants are reshaped and transposed on the spot.

use super::super::call::{Activation, Call, Outcome, Stop, Value, canonical};
use super::super::tensor::Tensor;
use crate::ir::Shape;
use crate::ir::graph::Op;
use ndarray::IxDyn;

/// Passes its input on.
pub(super) fn identity(call: &mut Call<'_, '_>) -> Outcome<Value> {
    match call.value(0)? {
        Value::Activation(x) => renamed(call, &x, x.dims.clone()),
        constant => Ok(constant),
    }
}

/// Does nothing outside training.
pub(super) fn dropout(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let training = match call.opset() {
        6 => call.int("is_test").unwrap_or(0) == 0,
        12.. if call.has_input(2) => call.ints(2)?.iter().any(|&on| on != 0),
        _ => false,
    };
    if training {
        return Err(Stop::with_help("is in training mode", "call model.eval() before the export"));
    }
    identity(call)
}

/// Two axes: those before `axis` and those from it on.
pub(super) fn flatten(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let axis = call.int("axis").unwrap_or(1);
    match call.value(0)? {
        Value::Activation(x) => {
            let rank = x.dims.len() as i64 + 1;
            let place = if axis < 0 { axis.checked_add(rank) } else { Some(axis) };
            // Axis 0 is the batch; axes between it and `place` would join it unless they are 1.
            let kept = place.filter(|&p| 1 <= p && p <= rank).and_then(|p| usize::try_from(p - 1).ok());
            match kept.and_then(|kept| x.dims.get(..kept)) {
                Some(joined) if joined.iter().all(|&d| d == 1) => renamed(call, &x, vec![x.len()]),
                _ => Err(Stop::with_help(
                    format!("flattens an activation of {:?} a sample at the axis {axis}", x.dims),
                    "flatten at axis 1, behind the batch",
                )),
            }
        }
        constant => Ok(constant),
    }
}

/// New extents, of which 0 copies one and -1 takes what is left.
pub(super) fn reshape(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let target = call.ints(1)?;
    let allow_zero = call.int("allowzero").unwrap_or(0) != 0;
    let refuse = |from: &[usize]| {
        Stop::with_help(
            format!("reshapes {from:?} into {target:?}"),
            "the batch axis must stay in front, and the number of elements the same",
        )
    };
    match value {
        Value::Constant(tensor) => {
            let dims = tensor.dims().to_vec();
            let target = resolve(&target, &dims, allow_zero).ok_or_else(|| refuse(&dims))?;
            tensor.reshaped(&target).map(Value::Constant).ok_or_else(|| refuse(&dims))
        }
        Value::Activation(x) => {
            let dims = sample_dims(&target, &x, call.batch(), allow_zero).ok_or_else(|| refuse(&x.dims))?;
            renamed(call, &x, dims)
        }
        Value::Broken => Err(Stop::Upstream),
    }
}

/// A permutation of the axes.
pub(super) fn transpose(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let permutation = call.attribute("perm").map(|a| a.ints.clone());
    let checked = |rank: usize| {
        let axes: Vec<usize> = match &permutation {
            Some(axes) => axes.iter().map(|&axis| usize::try_from(axis).unwrap_or(rank)).collect(),
            None => (0..rank).rev().collect(),
        };
        let mut seen = axes.clone();
        seen.sort_unstable();
        let valid = seen.iter().copied().eq(0..rank);
        valid.then_some(axes).ok_or_else(|| Stop::new(format!("permutes {rank} axes by {permutation:?}")))
    };
    match call.value(0)? {
        Value::Constant(tensor) => {
            let axes = IxDyn(&checked(tensor.dims().len())?);
            Ok(Value::Constant(match tensor {
                Tensor::Floats(a) => Tensor::Floats(a.permuted_axes(axes).as_standard_layout().into_owned()),
                Tensor::Ints(a) => Tensor::Ints(a.permuted_axes(axes).as_standard_layout().into_owned()),
            }))
        }
        Value::Activation(x) => {
            let axes = checked(x.dims.len() + 1)?;
            let long: Vec<usize> = axes.iter().copied().filter(|&a| a > 0 && x.dims[a - 1] != 1).collect();
            if axes.first() != Some(&0) {
                return Err(Stop::with_help(
                    format!("moves the batch axis of an activation of {:?} a sample by {axes:?}", x.dims),
                    "keep the batch axis in front",
                ));
            }
            let dims: Vec<usize> = axes.iter().skip(1).map(|&a| x.dims[a - 1]).collect();
            if !long.is_sorted() {
                let plain = call.shaped(&x, Shape(x.dims.clone()))?;
                let op = Op::Permute { axes: axes.iter().skip(1).map(|&a| a - 1).collect() };
                let turned = call.emit_shaped(op, &[&plain], dims.clone(), Shape(dims.clone()))?;
                return call.shaped(&turned, canonical(&dims)).map(Value::Activation);
            }
            renamed(call, &x, dims)
        }
        Value::Broken => Err(Stop::Upstream),
    }
}

fn renamed(call: &mut Call<'_, '_>, x: &Activation, dims: Vec<usize>) -> Outcome<Value> {
    call.emit(Op::Reshape, &[x], dims).map(Value::Activation)
}

/// The extents that `target` gives an array of extents `dims`, if their products agree.
fn resolve(target: &[i64], dims: &[usize], allow_zero: bool) -> Option<Vec<usize>> {
    let total = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    let mut open = None;
    let mut result = Vec::with_capacity(target.len());
    for (i, &size) in target.iter().enumerate() {
        result.push(match size {
            -1 if open.replace(i).is_some() => return None,
            -1 => 1,
            0 if !allow_zero => *dims.get(i)?,
            size => usize::try_from(size).ok()?,
        });
    }
    let product = result.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    if let Some(i) = open {
        *result.get_mut(i)? = total.checked_div(product).filter(|_| total % product == 0)?;
    } else if product != total {
        return None;
    }
    Some(result)
}

/// The extents of one sample after a reshape whose first entry must leave the batch alone.
///
/// An entry of 1 counts as the batch too: it is what a model traced with a single image holds.
fn sample_dims(target: &[i64], x: &Activation, batch: Option<usize>, allow_zero: bool) -> Option<Vec<usize>> {
    let (&first, rest) = target.split_first()?;
    let batch_kept = match first {
        -1 | 1 => true,
        0 => !allow_zero,
        n => batch.is_some_and(|batch| usize::try_from(n) == Ok(batch)),
    };
    if !batch_kept || (first == -1 && rest.contains(&-1)) {
        return None;
    }
    resolve(rest, &x.dims, allow_zero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::graph::NodeId;

    #[test]
    fn targets_are_resolved() {
        assert_eq!(resolve(&[-1], &[2, 3], false), Some(vec![6]));
        assert_eq!(resolve(&[0, -1], &[2, 3, 4], false), Some(vec![2, 12]));
        assert_eq!(resolve(&[3, 2], &[2, 3], false), Some(vec![3, 2]));
        for (target, zero) in
            [(&[-1, -1][..], false), (&[4], false), (&[-2, -3], false), (&[0, -1], true), (&[5, -1], false)]
        {
            assert_eq!(resolve(target, &[2, 3], zero), None, "{target:?}");
        }
        assert_eq!(resolve(&[i64::MAX, i64::MAX, -1], &[2, 3], false), None);
    }

    #[test]
    fn the_batch_stays_in_front() {
        let x = Activation { node: NodeId(0), dims: vec![1, 28, 28] };
        let dims = |target: &[i64], batch| sample_dims(target, &x, batch, false);
        for target in [[-1, 784], [0, -1], [0, 784], [1, 784], [1, -1]] {
            assert_eq!(dims(&target, None), Some(vec![784]), "{target:?}");
        }
        assert_eq!(dims(&[32, 784], Some(32)), Some(vec![784]));
        for target in [&[32, 784][..], &[784, -1], &[-1, -1], &[-1, 392], &[], &[784]] {
            assert_eq!(dims(target, None), None, "{target:?}");
        }
        // Each extent that is copied counts from the batch axis on.
        assert_eq!(dims(&[0, 0, -1], None), Some(vec![1, 784]));
    }
}
