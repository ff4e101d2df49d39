//! Convolution in one and two dimensions.

use super::super::call::{Call, Outcome, Stop, Value};
use super::window::{geometry, image};
use crate::ir::graph::Op;
use ndarray::{Array1, Ix4, IxDyn};

/// `W ∗ x + B`, with groups, strides, dilations and padding.
pub(super) fn conv(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let weight = call.floats(1)?;
    let dims = weight.shape().to_vec();
    let refuse = |what: &str| Stop::new(format!("has kernels of extents {dims:?} {what}"));
    let Some((&[outputs, inputs], kernel)) = dims.split_first_chunk::<2>() else {
        return Err(refuse("without channels"));
    };
    if kernel.len() != image.rank {
        return Err(refuse(&format!("for an image of {} dimensions", image.rank)));
    }
    let groups = call.int("group").unwrap_or(1);
    let groups = usize::try_from(groups).ok().filter(|&g| {
        let divides = g > 0 && image.extent[0].is_multiple_of(g) && outputs.is_multiple_of(g);
        divides && image.extent[0] / g == inputs
    });
    let groups = groups.ok_or_else(|| {
        refuse(&format!("and {} groups for {} channels", call.int("group").unwrap_or(1), image.extent[0]))
    })?;
    let mut window = geometry(call, &image, Some(kernel))?.window;
    window.output[0] = outputs;
    let four = [outputs, inputs, window.kernel[0], window.kernel[1]];
    let shaped = weight.into_shape_with_order(IxDyn(&four)).ok();
    let weight = shaped.and_then(|w| w.into_dimensionality::<Ix4>().ok()).ok_or_else(|| refuse("out of order"))?;
    let bias = if call.has_input(2) {
        let bias = call.floats(2)?;
        if bias.shape() != [outputs] {
            return Err(Stop::new(format!("has biases of extents {:?} for {outputs} channels", bias.shape())));
        }
        bias.iter().copied().collect()
    } else {
        Array1::zeros(outputs)
    };
    image.emit(call, Op::Conv { weight, bias, window, groups }, window.output).map(Value::Activation)
}
