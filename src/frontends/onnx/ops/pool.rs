//! Average and maximum over windows and over the whole image.

use super::super::call::{Call, Outcome, Stop, Value};
use super::window::{Geometry, Image, geometry, image};
use crate::ir::graph::{Op, PoolKind};
use crate::ir::window::Window;

/// The mean of the elements under a window.
pub(super) fn average_pool(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let geometry = geometry(call, &image, None)?;
    let counted = call.int("count_include_pad").unwrap_or(0) != 0;
    if geometry.overhangs || (!counted && geometry.window.reads_outside()) {
        return Err(Stop::with_help(
            "divides by another number at the border than inside (count_include_pad = 0, or ceil_mode)",
            "pool without padding, or with count_include_pad=True",
        ));
    }
    emit(call, &image, PoolKind::Average, &geometry)
}

/// The greatest of the elements under a window.
pub(super) fn max_pool(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let geometry = geometry(call, &image, None)?;
    emit(call, &image, PoolKind::Max, &geometry)
}

/// The mean of every channel.
pub(super) fn global_average_pool(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let [_, h, w] = image.extent;
    emit(call, &image, PoolKind::Average, &over(&image, [h, w]))
}

/// The greatest element of every channel.
pub(super) fn global_max_pool(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let [_, h, w] = image.extent;
    emit(call, &image, PoolKind::Max, &over(&image, [h, w]))
}

/// The mean over axes behind the channels, which are an attribute before operator set 18 and an input since.
pub(super) fn reduce_mean(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let image = image(call, 0)?;
    let total = image.rank as i64 + 2;
    let axes = match call.opset() < 18 {
        true => call.attribute("axes").map(|a| a.ints.clone()),
        false if call.has_input(1) => Some(call.ints(1)?).filter(|axes| !axes.is_empty()),
        false => None,
    };
    if axes.is_none() && call.opset() >= 18 && call.int("noop_with_empty_axes").unwrap_or(0) != 0 {
        return super::shape::identity(call);
    }
    let axes = axes.unwrap_or_else(|| (0..total).collect());
    let mut means = [false; 2];
    for &axis in &axes {
        let from_end = if axis < 0 { axis.checked_neg() } else { total.checked_sub(axis) };
        match from_end {
            Some(1) => means[1] = true,
            Some(2) if image.rank == 2 => means[0] = true,
            _ => {
                return Err(Stop::with_help(
                    format!("takes the mean over the axes {axes:?} of {total}"),
                    "means over height and width are supported, such as x.mean((2, 3))",
                ));
            }
        }
    }
    let [_, h, w] = image.extent;
    let geometry = over(&image, [if means[0] { h } else { 1 }, if means[1] { w } else { 1 }]);
    let Value::Activation(y) = emit(call, &image, PoolKind::Average, &geometry)? else { return Err(Stop::Upstream) };
    if call.int("keepdims").unwrap_or(1) != 0 {
        return Ok(Value::Activation(y));
    }
    let gone = |axis: usize| axis > 0 && means[2 - image.rank + axis - 1];
    let dims = y.dims.iter().enumerate().filter(|(axis, _)| !gone(*axis)).map(|(_, &d)| d).collect();
    call.emit(Op::Reshape, &[&y], dims).map(Value::Activation)
}

/// Windows of `kernel`, side by side, without padding; the kernel divides the image.
fn over(image: &Image, kernel: [usize; 2]) -> Geometry {
    let [c, h, w] = image.extent;
    let output = [c, h / kernel[0], w / kernel[1]];
    let window = Window { output, kernel, stride: kernel, ..Window::identity(image.extent) };
    Geometry { window, overhangs: false }
}

fn emit(call: &mut Call<'_, '_>, image: &Image, kind: PoolKind, geometry: &Geometry) -> Outcome<Value> {
    let window = geometry.window;
    image.emit(call, Op::Pool { kind, window }, window.output).map(Value::Activation)
}
