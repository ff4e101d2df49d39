//! Gemm and MatMul: an activation times a constant matrix.

use super::super::call::{Call, Outcome, Stop, Value};
use crate::ir::graph::Op;
use ndarray::{Array1, Array2, Ix2};

/// `alpha·x·B + beta·C`, with `B` transposed if `transB` is set.
pub(super) fn gemm(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    if call.int("transA").unwrap_or(0) != 0 {
        return Err(Stop::with_help("transposes the activation (transA)", "export the layer with transA = 0"));
    }
    let [inputs] = *x.dims.as_slice() else {
        return Err(Stop::with_help(
            format!("reads an activation of {:?} elements a sample, which is not a vector", x.dims),
            "put a Flatten in front of it",
        ));
    };
    let alpha = call.float("alpha").unwrap_or(1.0);
    let beta = call.float("beta").unwrap_or(1.0);
    let matrix = matrix(call, 1)?;
    let weight = if call.int("transB").unwrap_or(0) != 0 { matrix } else { matrix.reversed_axes() };
    check_inputs(&weight, inputs)?;
    let outputs = weight.nrows();
    let bias = if call.has_input(2) {
        let constant = call.floats(2)?;
        let rows_are_one = constant.shape().iter().rev().skip(1).all(|&d| d == 1);
        let row = Array1::from_iter(constant.iter().map(|c| beta * c));
        match row.broadcast(outputs) {
            Some(row) if rows_are_one => row.to_owned(),
            _ => {
                let what = format!("has a bias of extents {:?} for {outputs} outputs", constant.shape());
                return Err(Stop::new(what));
            }
        }
    } else {
        Array1::zeros(outputs)
    };
    // The weights are made contiguous, which later passes and the products profit from.
    let weight = (weight.as_standard_layout().into_owned()) * alpha;
    call.emit(Op::Dense { weight, bias }, &[&x], vec![outputs]).map(Value::Activation)
}

/// `x·B`; the bias is a separate Add, which joins this node later.
pub(super) fn matmul(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    let weight = matrix(call, 1)?.reversed_axes();
    let (&inputs, leading) = x.dims.split_last().ok_or_else(|| Stop::new("reads an activation without elements"))?;
    if leading.iter().any(|&d| d != 1) {
        return Err(Stop::with_help(
            format!("multiplies each row of an activation of {:?} elements a sample", x.dims),
            "put a Flatten in front of it",
        ));
    }
    check_inputs(&weight, inputs)?;
    let outputs = weight.nrows();
    let dims = leading.iter().copied().chain([outputs]).collect();
    let op = Op::Dense { weight: weight.as_standard_layout().into_owned(), bias: Array1::zeros(outputs) };
    call.emit(op, &[&x], dims).map(Value::Activation)
}

fn matrix(call: &mut Call<'_, '_>, i: usize) -> Outcome<Array2<f32>> {
    let weights = call.floats(i)?;
    let dims = weights.shape().to_vec();
    weights
        .into_dimensionality::<Ix2>()
        .map_err(|_| Stop::new(format!("has weights of extents {dims:?}, not a matrix")))
}

fn check_inputs(weight: &Array2<f32>, inputs: usize) -> Outcome<()> {
    if weight.ncols() == inputs {
        return Ok(());
    }
    Err(Stop::new(format!("has weights for {} inputs, but reads {inputs}", weight.ncols())))
}
