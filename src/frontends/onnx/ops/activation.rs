//! Relu, and Clip where it is a ReLU with an upper end.

use super::super::call::{Call, Outcome, Stop, Value};
use crate::ir::graph::Op;

/// `max(0, x)`.
pub(super) fn relu(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    call.emit_like(Op::Relu { max: None }, &x).map(Value::Activation)
}

/// `min(max(x, 0), c)`. The ends are attributes before operator set 11 and inputs since.
pub(super) fn clip(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    let (min, max) = match call.opset() < 11 {
        true => (call.float("min"), call.float("max")),
        false => (end(call, 1)?, end(call, 2)?),
    };
    if min != Some(0.0) {
        let from = min.map_or("no lower end".to_string(), |min| format!("a lower end of {min}"));
        return Err(Stop::with_help(
            format!("clips with {from}"),
            "a clip that begins at 0 (such as ReLU6) is supported",
        ));
    }
    let max = max.filter(|&max| max < f32::MAX);
    if max.is_some_and(|max| !(max > 0.0 && max.is_finite())) {
        let what = format!("clips at {}: the upper end must be above 0", max.unwrap_or_default());
        return Err(Stop::with_help(what, "a clip from 0 to a positive number (such as ReLU6) is supported"));
    }
    call.emit_like(Op::Relu { max }, &x).map(Value::Activation)
}

fn end(call: &mut Call<'_, '_>, i: usize) -> Outcome<Option<f32>> {
    if !call.has_input(i) {
        return Ok(None);
    }
    let constant = call.constant(i)?.into_floats();
    match (constant.len(), constant.first()) {
        (1, Some(&value)) if !value.is_nan() => Ok(Some(value)),
        (1, _) => Err(Stop::new("clips at NaN")),
        (n, _) => Err(Stop::new(format!("clips at {n} values; one for all elements is supported"))),
    }
}
