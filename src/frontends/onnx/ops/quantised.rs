//! QuantizeLinear and DequantizeLinear: weights that are stored in few bits, and activations that a quantised model rounds.
//!
//! Constants are computed. Of an activation, the pair rounds and clips: the graph leaves the rounding to the integer network, which
//! chooses levels itself, and keeps the clip at 0 and the upper end where a ReLU can do it. A clip of activations of both signs is left
//! out: it is meant never to bind.

use super::super::call::{Activation, Call, Outcome, Stop, Value};
use super::super::proto::data_type;
use super::super::tensor::Tensor;
use crate::ir::graph::Op;
use ndarray::{ArrayD, IxDyn};

/// `(x - zero_point) · scale`, in one piece or per channel.
pub(super) fn dequantize(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = match call.value(0)? {
        Value::Constant(x) => x,
        Value::Activation(x) => return dequantize_activation(call, &x),
        Value::Broken => return Err(Stop::Upstream),
    };
    let (scale, zero) = parameters(call, x.dims())?;
    let mut x = x.into_floats();
    // Integers of up to 24 bits are exact in `f32`, the usual 32-bit biases rounded to it.
    x.zip_mut_with(&zero, |x, z| *x -= z);
    x.zip_mut_with(&scale, |x, s| *x *= s);
    Ok(Value::Constant(Tensor::Floats(x)))
}

/// `round(x / scale) + zero_point`, ties to even, clipped to the type of the zero point.
pub(super) fn quantize(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let value = call.value(0)?;
    let kind = match call.int("output_dtype").filter(|&kind| kind != 0) {
        Some(kind) => i32::try_from(kind).unwrap_or(0),
        None if call.has_input(2) => call.data_type(2).unwrap_or(0),
        None => data_type::UINT8,
    };
    let (low, high) = match kind {
        data_type::UINT8 => (0.0, 255.0),
        data_type::INT8 => (-128.0, 127.0),
        data_type::UINT16 => (0.0, 65535.0),
        data_type::INT16 => (-32768.0, 32767.0),
        other => return Err(Stop::new(format!("quantises to {}, which is not supported", data_type::name(other)))),
    };
    let x = match value {
        Value::Constant(x) => x,
        Value::Activation(x) => return quantize_activation(call, &x, [low, high]),
        Value::Broken => return Err(Stop::Upstream),
    };
    let (scale, zero) = parameters(call, x.dims())?;
    let mut x = x.into_floats();
    x.zip_mut_with(&scale, |x, s| *x = (*x / s).round_ties_even());
    x.zip_mut_with(&zero, |x, z| *x = (*x + z).clamp(low, high));
    Ok(Value::Constant(Tensor::Ints(x.mapv(|x| x as i64))))
}

/// Scale and zero point at every element of a constant of extents `dims`.
fn parameters(call: &mut Call<'_, '_>, dims: &[usize]) -> Outcome<(ArrayD<f32>, ArrayD<f32>)> {
    if call.int("block_size").is_some_and(|size| size != 0) {
        return Err(Stop::with_help("quantises in blocks", "quantise per tensor or per channel"));
    }
    let scale = call.floats(1)?;
    if scale.iter().any(|&s| s <= 0.0) {
        return Err(Stop::new("has a scale that is not above zero"));
    }
    let zero = match call.has_input(2) {
        true => call.constant(2)?.into_floats(),
        false => ArrayD::zeros(scale.raw_dim()),
    };
    let axis = call.int("axis").unwrap_or(1);
    let spread = |values: &ArrayD<f32>, what: &str| -> Outcome<ArrayD<f32>> {
        let mut extents = vec![1; dims.len()];
        if values.len() > 1 {
            let axis = super::axis(axis, dims.len())?;
            extents[axis] = values.len();
        }
        let all = values.to_shape(IxDyn(&extents)).ok();
        let all = all.and_then(|all| all.broadcast(IxDyn(dims)).map(|all| all.to_owned()));
        all.ok_or_else(|| Stop::new(format!("has {} {what} for a constant of extents {dims:?}", values.len())))
    };
    Ok((spread(&scale, "scales")?, spread(&zero, "zero points")?))
}

/// The activation, clipped where a ReLU does that; `ends` are those of the integers.
fn quantize_activation(call: &mut Call<'_, '_>, x: &Activation, ends: [f32; 2]) -> Outcome<Value> {
    let (scale, zero) = per_tensor(call)?;
    let name = call.node.output.first().map_or("", String::as_str);
    let reads = call.lowering.reads.get(name).copied().unwrap_or(0);
    if call.lowering.dequantised.get(name).copied().unwrap_or(0) != reads {
        return Err(Stop::with_help(
            "rounds activations to integers that something other than a DequantizeLinear reads",
            "export in the QDQ format, where the two stand in pairs, or give the float network",
        ));
    }
    let [low, high] = ends.map(|end| (end - zero) * scale);
    let node = match call.end_of_sole_relu(0, x) {
        Some(max) if low <= 0.0 && high > 0.0 => {
            *max = Some(max.map_or(high, |max| max.min(high)));
            call.emit_like(Op::Reshape, x)?
        }
        // The exporter has drawn a ReLU into the clip.
        None if low == 0.0 && high > 0.0 => call.emit_like(Op::Relu { max: Some(high) }, x)?,
        _ => call.emit_like(Op::Reshape, x)?,
    };
    call.lowering.notes.rounded.insert(node.node.0, (scale, zero));
    Ok(Value::Activation(node))
}

fn dequantize_activation(call: &mut Call<'_, '_>, x: &Activation) -> Outcome<Value> {
    let own = per_tensor(call)?;
    match call.lowering.notes.rounded.get(&x.node.0) {
        Some(rounded) if *rounded == own => call.emit_like(Op::Reshape, x).map(Value::Activation),
        Some(_) => Err(Stop::with_help(
            "has another scale or zero point than the QuantizeLinear in front of it",
            "export the pair with the same parameters, or give the float network",
        )),
        None => Err(Stop::with_help(
            "reads integers that no QuantizeLinear directly in front of it makes",
            "export in the QDQ format, where the two stand in pairs, or give the float network",
        )),
    }
}

/// Scale and zero point of an activation, of which there must be one each.
fn per_tensor(call: &mut Call<'_, '_>) -> Outcome<(f32, f32)> {
    if call.floats(1)?.len() > 1 {
        return Err(Stop::with_help("quantises an activation per channel", "quantise activations per tensor"));
    }
    let (scale, zero) = parameters(call, &[1])?;
    match (scale.first(), zero.first()) {
        (Some(&scale), Some(&zero)) => Ok((scale, zero)),
        _ => Err(Stop::new("lacks its scale")),
    }
}
