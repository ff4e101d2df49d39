//! QuantizeLinear and DequantizeLinear of constants: weights that are stored in few bits.
//!
//! Of an activation, the pair rounds and clips: the network is then another one than without it, so it is refused rather than
//! dropped. Synfire quantises a float network itself.

use super::super::call::{Call, Outcome, Stop, Value};
use super::super::proto::data_type;
use super::super::tensor::Tensor;
use ndarray::{ArrayD, IxDyn};

/// `(x - zero_point) · scale`, in one piece or per channel.
pub(super) fn dequantize(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::Constant(x) = call.value(0)? else { return Err(rounds_activations()) };
    let (scale, zero) = parameters(call, x.dims())?;
    let mut x = x.into_floats();
    // Integers of up to 24 bits are exact in `f32`, the usual 32-bit biases rounded to it.
    x.zip_mut_with(&zero, |x, z| *x -= z);
    x.zip_mut_with(&scale, |x, s| *x *= s);
    Ok(Value::Constant(Tensor::Floats(x)))
}

/// `round(x / scale) + zero_point`, ties to even, clipped to the type of the zero point.
pub(super) fn quantize(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Value::Constant(x) = call.value(0)? else { return Err(rounds_activations()) };
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

fn rounds_activations() -> Stop {
    Stop::with_help(
        "rounds activations, as quantised models do",
        "give the float network: synfire chooses bits and scales itself (only weights may be stored quantised)",
    )
}
