//! The geometry of convolutions and pools: which inputs a window covers.

use super::fields::{extents, field, per_axis};
use crate::frontends::nir::kind::Kind;
use crate::frontends::nir::model::Unit;

/// A window that slides over two axes. One-dimensional convolutions have a first axis of extent 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::frontends::nir) struct Window {
    /// Extents of the kernel.
    pub kernel: [usize; 2],
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Zeros before the first input and after the last one, per axis.
    pub padding: [[usize; 2]; 2],
    /// Distance between the taps.
    pub dilation: [usize; 2],
}

impl Window {
    /// Extents of the output for an input of these extents.
    pub fn output(&self, input: [usize; 2]) -> Result<[usize; 2], String> {
        let mut output = [0; 2];
        for (axis, out) in output.iter_mut().enumerate() {
            let padded = input[axis].saturating_add(self.padding[axis][0]).saturating_add(self.padding[axis][1]);
            let reach = self.dilation[axis].saturating_mul(self.kernel[axis].saturating_sub(1)).saturating_add(1);
            let room = padded.checked_sub(reach).ok_or_else(|| {
                format!("its window of {reach} is larger than its padded input of {padded} (axis {axis})")
            })?;
            *out = room / self.stride[axis] + 1;
        }
        Ok(output)
    }
}

/// A convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::frontends::nir) struct Conv {
    /// Where it looks.
    pub window: Window,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Channels of the input, of all groups.
    pub inputs: usize,
    /// Channels of the output, of all groups.
    pub outputs: usize,
    /// 1 or 2.
    pub axes: usize,
}

impl Conv {
    /// Reads Conv1d and Conv2d; the declared input shape, if the file has one, comes along.
    pub fn of(unit: &Unit) -> Result<(Conv, Option<Vec<usize>>), String> {
        let axes = if unit.kind == Kind::Conv1d { 1 } else { 2 };
        let weight = field(unit, "weight")?.shape();
        let (outputs, per_group, kernel) = match *weight {
            [o, i, k] if axes == 1 => (o, i, [1, k]),
            [o, i, h, w] if axes == 2 => (o, i, [h, w]),
            _ => return Err(format!("its weight has the shape {weight:?}; [out, in, …] of rank {} is due", axes + 2)),
        };
        if weight.contains(&0) {
            return Err(format!("its weight has the shape {weight:?}, which is empty"));
        }
        let [groups] = per_axis::<1>(unit, "groups", 1)?;
        if outputs % groups != 0 {
            return Err(format!("its {outputs} output channels cannot be split into {groups} groups"));
        }
        let inputs = per_group.checked_mul(groups).ok_or("its input channels overflow")?;
        let bias = field(unit, "bias")?;
        if bias.data().len() != outputs && bias.data().len() != 1 {
            return Err(format!("its bias has {} values for {outputs} output channels", bias.data().len()));
        }
        let on_axes = |name: &str, least: i64, idle: usize| match axes {
            1 => per_axis::<1>(unit, name, least).map(|[v]| [idle, v]),
            _ => per_axis::<2>(unit, name, least),
        };
        let (stride, dilation) = (on_axes("stride", 1, 1)?, on_axes("dilation", 1, 1)?);
        let padding = match field(unit, "padding")?.as_text() {
            Some("valid") => [[0; 2]; 2],
            Some("same") => same(kernel, stride, dilation)?,
            Some(other) => return Err(format!("its padding is '{other}', neither 'same', 'valid' nor a number")),
            None => on_axes("padding", 0, 0)?.map(|p| [p, p]),
        };
        let window = Window { kernel, stride, padding, dilation };
        let conv = Conv { window, groups, inputs, outputs, axes };
        let declared = match unit.fields.contains_key("input_shape") {
            false => None,
            true => {
                let space = extents(unit, "input_shape")?;
                if space.len() != axes {
                    return Err(format!("its input_shape has {} extents; {axes} are due", space.len()));
                }
                Some(std::iter::once(inputs).chain(space).collect())
            }
        };
        Ok((conv, declared))
    }

    /// The output's shape.
    pub fn output(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        let space = match *input {
            [c, n] if self.axes == 1 && c == self.inputs => [1, n],
            [c, h, w] if self.axes == 2 && c == self.inputs => [h, w],
            _ => {
                let due = if self.axes == 1 { "length" } else { "height, width" };
                return Err(format!("its input has the shape {input:?}, but its weight needs [{}, {due}]", self.inputs));
            }
        };
        let [h, w] = self.window.output(space)?;
        Ok(if self.axes == 1 { vec![self.outputs, w] } else { vec![self.outputs, h, w] })
    }
}

/// Zeros that keep the extents; an odd one goes behind, as in PyTorch.
fn same(kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> Result<[[usize; 2]; 2], String> {
    if stride != [1, 1] {
        return Err(format!("its padding 'same' has no meaning with a stride of {stride:?}"));
    }
    Ok([0, 1].map(|axis| {
        let total = dilation[axis].saturating_mul(kernel[axis] - 1);
        [total / 2, total - total / 2]
    }))
}

/// Reads SumPool2d and AvgPool2d.
pub(in crate::frontends::nir) fn pool(unit: &Unit) -> Result<Window, String> {
    let kernel = per_axis::<2>(unit, "kernel_size", 1)?;
    let padding = per_axis::<2>(unit, "padding", 0)?;
    if padding[0] >= kernel[0] || padding[1] >= kernel[1] {
        return Err(format!("its padding {padding:?} is not smaller than its window {kernel:?}"));
    }
    let stride = per_axis::<2>(unit, "stride", 1)?;
    Ok(Window { kernel, stride, padding: padding.map(|p| [p, p]), dilation: [1, 1] })
}
