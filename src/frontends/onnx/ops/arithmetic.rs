//! Add, Sum, Sub, Mul and Div: of an activation and a constant, or the sum of activations.

use super::super::call::{Activation, Call, Outcome, Stop, Value};
use super::super::tensor::Tensor;
use super::affine;
use super::constants::{Operation, combine};
use crate::ir::graph::Op;
use ndarray::{ArrayD, IxDyn};

/// The two operands.
enum Pair {
    Constants(Tensor, Tensor),
    Activations(Activation, Activation),
    /// An activation and, broadcast to its elements, a constant; `swapped` if the constant stands first.
    Mixed {
        x: Activation,
        index: usize,
        constant: Vec<f32>,
        swapped: bool,
    },
}

/// A sum; a constant joins the bias of a dense layer in front of it.
pub(super) fn add(call: &mut Call<'_, '_>) -> Outcome<Value> {
    match operands(call)? {
        Pair::Activations(a, b) => add_activations(call, &[a, b]),
        Pair::Constants(a, b) => combine(Operation::Add, a, b).map(Value::Constant),
        Pair::Mixed { x, index, constant, .. } => {
            if let Some(bias) = call.bias_of_sole_dense(index, &x)
                && bias.len() == constant.len()
            {
                bias.iter_mut().zip(&constant).for_each(|(bias, c)| *bias += c);
                return Ok(Value::Activation(x));
            }
            let ones = vec![1.0; constant.len()];
            affine::emit(call, &x, &ones, &constant).map(Value::Activation)
        }
    }
}

/// A sum of any number of activations.
pub(super) fn sum(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let terms = (0..call.input_count()).map(|i| call.activation(i)).collect::<Result<Vec<_>, _>>()?;
    match terms.as_slice() {
        [] => Err(Stop::new("adds nothing")),
        [x] => call.emit(Op::Reshape, &[x], x.dims.clone()).map(Value::Activation),
        terms => add_activations(call, terms),
    }
}

/// `x - c` or `c - x`.
pub(super) fn sub(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (x, constant, swapped) = match mixed(call, Operation::Sub)? {
        Mixed::Activation(x, constant, swapped) => (x, constant, swapped),
        Mixed::Constant(value) => return Ok(value),
    };
    let sign = if swapped { -1.0 } else { 1.0 };
    let shift: Vec<f32> = constant.iter().map(|c| -sign * c).collect();
    affine::emit(call, &x, &vec![sign; shift.len()], &shift).map(Value::Activation)
}

/// `x · c`.
pub(super) fn mul(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (x, constant) = match mixed(call, Operation::Mul)? {
        Mixed::Activation(x, constant, _) => (x, constant),
        Mixed::Constant(value) => return Ok(value),
    };
    let zeros = vec![0.0; constant.len()];
    affine::emit(call, &x, &constant, &zeros).map(Value::Activation)
}

/// `x / c`.
pub(super) fn div(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (x, constant, swapped) = match mixed(call, Operation::Div)? {
        Mixed::Activation(x, constant, swapped) => (x, constant, swapped),
        Mixed::Constant(value) => return Ok(value),
    };
    if swapped {
        return Err(Stop::new("divides a constant by an activation, which no spiking layer can"));
    }
    let scale: Vec<f32> = constant.iter().map(|c| 1.0 / c).collect();
    let zeros = vec![0.0; scale.len()];
    affine::emit(call, &x, &scale, &zeros).map(Value::Activation)
}

fn add_activations(call: &mut Call<'_, '_>, terms: &[Activation]) -> Outcome<Value> {
    let Some(first) = terms.first() else { return Err(Stop::new("adds nothing")) };
    if let Some(other) = terms.iter().find(|term| term.dims != first.dims) {
        let what = format!("adds activations of {:?} and {:?} a sample", first.dims, other.dims);
        return Err(Stop::with_help(what, "both must have the same shape: activations are not broadcast"));
    }
    let shape = call.shape(first).clone();
    let terms = terms.iter().map(|term| call.shaped(term, shape.clone())).collect::<Outcome<Vec<_>>>()?;
    let inputs: Vec<&Activation> = terms.iter().collect();
    call.emit_shaped(Op::Add, &inputs, first.dims.clone(), shape).map(Value::Activation)
}

/// What is left for the operators that cannot combine activations.
enum Mixed {
    /// An activation, the constant at its elements, and whether that stands first.
    Activation(Activation, Vec<f32>, bool),
    /// The result for two constants.
    Constant(Value),
}

fn mixed(call: &mut Call<'_, '_>, operation: Operation) -> Outcome<Mixed> {
    match operands(call)? {
        Pair::Mixed { x, constant, swapped, .. } => Ok(Mixed::Activation(x, constant, swapped)),
        Pair::Constants(a, b) => combine(operation, a, b).map(|c| Mixed::Constant(Value::Constant(c))),
        Pair::Activations(..) => Err(Stop::with_help(
            "combines two activations; only Add and Sum can",
            "let one side be a constant, or put a layer with the weight -1 in front of an Add for a difference",
        )),
    }
}

fn operands(call: &mut Call<'_, '_>) -> Outcome<Pair> {
    let (index, constant, x) = match (call.value(0)?, call.value(1)?) {
        (Value::Activation(a), Value::Activation(b)) => return Ok(Pair::Activations(a, b)),
        (Value::Activation(x), Value::Constant(c)) => (0, c, x),
        (Value::Constant(c), Value::Activation(x)) => (1, c, x),
        (Value::Constant(a), Value::Constant(b)) => return Ok(Pair::Constants(a, b)),
        _ => return Err(Stop::Upstream),
    };
    let swapped = index == 1;
    let constant = constant.into_floats();
    call.finite(1 - index, &constant)?;
    let constant = aligned(call, constant, &x)?;
    let constant = affine::per_element(&constant, &x)?;
    Ok(Pair::Mixed { x, index, constant, swapped })
}

/// Before operator set 7, `axis` says at which axis of the activation the constant's first one lies.
fn aligned(call: &Call<'_, '_>, constant: ArrayD<f32>, x: &Activation) -> Outcome<ArrayD<f32>> {
    let Some(axis) = call.int("axis").filter(|_| call.opset() < 7) else { return Ok(constant) };
    let rank = x.dims.len() + 1;
    let from_end = if axis < 0 { axis.checked_neg() } else { (rank as i64).checked_sub(axis) };
    let trailing = from_end.and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= rank);
    let trailing = trailing.and_then(|n| n.checked_sub(constant.ndim()));
    let trailing = trailing.ok_or_else(|| Stop::new(format!("aligns its constant with the axis {axis} of {rank}")))?;
    let dims: Vec<usize> = constant.shape().iter().copied().chain(std::iter::repeat_n(1, trailing)).collect();
    let shaped = constant.into_shape_clone(IxDyn(&dims));
    shaped.map_err(|_| Stop::new(format!("aligns its constant with the axis {axis} of {rank}")))
}
