//! Arithmetic on two constants, by ONNX's rules of broadcasting.

use super::super::call::{MAX_CONSTANT, Outcome, Stop};
use super::super::tensor::Tensor;
use ndarray::{ArrayD, IxDyn, Zip};

/// The four operations.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
}

/// `a ∘ b`; integers stay integers, as ONNX wants it, and division drops the remainder.
pub(super) fn combine(operation: Operation, a: Tensor, b: Tensor) -> Outcome<Tensor> {
    if let (Tensor::Ints(a), Tensor::Ints(b)) = (&a, &b) {
        let f = |x: i64, y: i64| match operation {
            Operation::Add => x.checked_add(y),
            Operation::Sub => x.checked_sub(y),
            Operation::Mul => x.checked_mul(y),
            Operation::Div => x.checked_div(y),
        };
        let results = broadcast(a, b, |&x, &y| f(x, y))?;
        let dims = results.shape().to_vec();
        let values: Option<Vec<i64>> = results.into_iter().collect();
        let values = values.ok_or_else(|| Stop::new("computes a constant that is no 64-bit integer"))?;
        let array = ArrayD::from_shape_vec(dims, values);
        return array.map(Tensor::Ints).map_err(|e| Stop::new(format!("computes a broken constant: {e}")));
    }
    let f = |x: &f32, y: &f32| match operation {
        Operation::Add => x + y,
        Operation::Sub => x - y,
        Operation::Mul => x * y,
        Operation::Div => x / y,
    };
    broadcast(&a.into_floats(), &b.into_floats(), f).map(Tensor::Floats)
}

fn broadcast<T, R>(a: &ArrayD<T>, b: &ArrayD<T>, f: impl Fn(&T, &T) -> R) -> Outcome<ArrayD<R>> {
    let refuse = || Stop::new(format!("combines constants of extents {:?} and {:?}", a.shape(), b.shape()));
    let rank = a.ndim().max(b.ndim());
    let extent = |x: &ArrayD<T>, axis: usize| (axis + x.ndim()).checked_sub(rank).map_or(1, |axis| x.shape()[axis]);
    let dims: Vec<usize> = (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (1, n) | (n, 1) => Ok(n),
            (n, m) if n == m => Ok(n),
            _ => Err(refuse()),
        })
        .collect::<Outcome<_>>()?;
    let elements = dims.iter().fold(1usize, |n, &d| n.saturating_mul(d));
    if elements > MAX_CONSTANT {
        return Err(Stop::new(format!("would write out {elements} constants; {MAX_CONSTANT} are the limit")));
    }
    let a = a.broadcast(IxDyn(&dims)).ok_or_else(refuse)?;
    let b = b.broadcast(IxDyn(&dims)).ok_or_else(refuse)?;
    Ok(Zip::from(&a).and(&b).map_collect(f))
}
