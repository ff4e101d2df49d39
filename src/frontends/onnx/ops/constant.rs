//! Constant, and Cast.

use super::super::call::{Call, Outcome, Stop, Value};
use super::super::proto::data_type;
use super::super::tensor::Tensor;
use crate::ir::graph::Op;
use ndarray::{ArrayD, IxDyn, arr0};

/// A constant that is written as a node.
pub(super) fn constant(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let list = |n: usize| IxDyn(&[n]);
    let broken = |_| Stop::new("holds a broken list");
    let tensor = if let Some(attribute) = call.attribute("value") {
        let proto = attribute.t.as_ref().ok_or_else(|| Stop::new("has a value that is no tensor"))?;
        Tensor::decode(proto).map_err(|what| Stop::new(format!("its value {what}")))?
    } else if let Some(value) = call.float("value_float") {
        Tensor::Floats(arr0(value).into_dyn())
    } else if let Some(value) = call.int("value_int") {
        Tensor::Ints(arr0(value).into_dyn())
    } else if let Some(a) = call.attribute("value_floats") {
        Tensor::Floats(ArrayD::from_shape_vec(list(a.floats.len()), a.floats.clone()).map_err(broken)?)
    } else if let Some(a) = call.attribute("value_ints") {
        Tensor::Ints(ArrayD::from_shape_vec(list(a.ints.len()), a.ints.clone()).map_err(broken)?)
    } else {
        return Err(Stop::new("holds no number (strings and sparse tensors are not supported)"));
    };
    Ok(Value::Constant(tensor))
}

/// A change of the element type; between floats it changes nothing that matters here.
pub(super) fn cast(call: &mut Call<'_, '_>) -> Outcome<Value> {
    use data_type::{BFLOAT16, DOUBLE, FLOAT, FLOAT16, INT32, INT64};
    let to = call.int("to").and_then(|to| i32::try_from(to).ok()).unwrap_or(0);
    match (call.value(0)?, to) {
        (Value::Activation(x), FLOAT | DOUBLE | FLOAT16 | BFLOAT16) => {
            call.emit(Op::Reshape, &[&x], x.dims.clone()).map(Value::Activation)
        }
        (Value::Constant(tensor), FLOAT | DOUBLE | FLOAT16 | BFLOAT16) => {
            Ok(Value::Constant(Tensor::Floats(tensor.into_floats())))
        }
        (Value::Constant(Tensor::Floats(array)), INT32 | INT64) => {
            Ok(Value::Constant(Tensor::Ints(array.mapv(|x| x as i64))))
        }
        (Value::Constant(tensor), INT32 | INT64) => Ok(Value::Constant(tensor)),
        _ => Err(Stop::with_help(
            format!("casts to {}; only floats stay what they are", data_type::name(to)),
            "export the network in floats, without casts",
        )),
    }
}
