//! Attributes that convolution and pooling share: kernel, strides, dilations, padding; and images of one or two dimensions.

use super::super::call::{Activation, Call, Outcome, Stop};
use crate::ir::Shape;
use crate::ir::graph::Op;
use crate::ir::window::{MAX_EXTENT, Window};

/// An activation whose graph shape is an image.
pub(super) struct Image {
    /// The activation; its extents in the file are `[C, W]` or `[C, H, W]`.
    pub x: Activation,
    /// `[C, H, W]`, with one row for one dimension.
    pub extent: [usize; 3],
    /// Number of axes behind the channels in the file, 1 or 2.
    pub rank: usize,
}

/// Reads input `i` as an image.
pub(super) fn image(call: &mut Call<'_, '_>, i: usize) -> Outcome<Image> {
    let x = call.activation(i)?;
    let (extent, rank) = match *x.dims.as_slice() {
        [c, w] => ([c, 1, w], 1),
        [c, h, w] => ([c, h, w], 2),
        _ => {
            let what = format!("reads an activation of {:?} a sample, which is no image", x.dims);
            return Err(Stop::with_help(what, "[C, W] and [C, H, W] are supported, behind the batch axis"));
        }
    };
    Ok(Image { x: call.shaped(&x, Shape(extent.to_vec()))?, extent, rank })
}

impl Image {
    /// Adds a node that computes an image of the extent `[C, H, W]`.
    pub(super) fn emit(&self, call: &mut Call<'_, '_>, op: Op, extent: [usize; 3]) -> Outcome<Activation> {
        let [c, h, w] = extent;
        let dims = if self.rank == 1 { vec![c, w] } else { vec![c, h, w] };
        call.emit_shaped(op, &[&self.x], dims, Shape(extent.to_vec()))
    }

    /// The axes behind the channels, `[H, W]` or `[W]`.
    fn spatial(&self) -> &[usize] {
        &self.extent[3 - self.rank..]
    }
}

/// A window as the attributes describe it.
pub(super) struct Geometry {
    /// The window; its output channels are as many as its input's.
    pub window: Window,
    /// Some window reaches beyond the padded image (`ceil_mode`).
    pub overhangs: bool,
}

/// The window of a node over `image`; `kernel` are the extents of the weights, if there are any. Its padding is noted down for the
/// float engine.
pub(super) fn geometry(call: &mut Call<'_, '_>, image: &Image, kernel: Option<&[usize]>) -> Outcome<Geometry> {
    let rank = image.rank;
    let list = |name: &str, count: usize, least: i64, usual: i64| -> Outcome<Vec<usize>> {
        let Some(attribute) = call.attribute(name) else { return Ok(vec![usual as usize; count]) };
        let values = &attribute.ints;
        if values.len() != count {
            return Err(Stop::new(format!("has {} {name} for {rank} dimensions", values.len())));
        }
        let fits = |&v: &i64| usize::try_from(v).ok().filter(|&n| v >= least && n <= MAX_EXTENT);
        let all: Option<Vec<usize>> = values.iter().map(fits).collect();
        all.ok_or_else(|| {
            let what = format!("has the {name} {values:?}, outside {least}..={MAX_EXTENT}");
            let help = match name {
                "pads" => "cut with a Slice in front of the layer where the padding is negative",
                _ => "export the layer with values in that range",
            };
            Stop::with_help(what, help)
        })
    };
    let named = call.attribute("kernel_shape").map(|_| list("kernel_shape", rank, 1, 1)).transpose()?;
    let kernel = match (kernel, named) {
        (Some(weights), Some(named)) if *weights != named => {
            return Err(Stop::new(format!("has a kernel_shape of {named:?}, but weights for {weights:?}")));
        }
        (Some(weights), _) => weights.to_vec(),
        (None, Some(named)) => named,
        (None, None) => return Err(Stop::new("lacks its kernel_shape")),
    };
    if kernel.iter().any(|&k| k > MAX_EXTENT) {
        return Err(Stop::new(format!("has a kernel of {kernel:?}; {MAX_EXTENT} along an axis are the limit")));
    }
    let strides = list("strides", rank, 1, 1)?;
    let dilations = list("dilations", rank, 1, 1)?;
    let pads = list("pads", 2 * rank, 0, 0)?;
    let padding = call.attribute("auto_pad").map_or(&b"NOTSET"[..], |a| a.s.as_slice());
    let ceil = call.int("ceil_mode").unwrap_or(0) != 0;

    let mut window = Window::identity(image.extent);
    let mut overhangs = false;
    let mut explicit = vec![0; 2 * rank];
    for (i, &extent) in image.spatial().iter().enumerate() {
        let (stride, reach) = (strides[i], (kernel[i] - 1) * dilations[i] + 1);
        let (before, after) = match padding {
            b"SAME_UPPER" | b"SAME_LOWER" => {
                let total = ((extent.div_ceil(stride) - 1) * stride + reach).saturating_sub(extent);
                let half = total / 2;
                if padding == b"SAME_UPPER" { (half, total - half) } else { (total - half, half) }
            }
            b"VALID" => (0, 0),
            b"NOTSET" | b"" => (pads[i], pads[i + rank]),
            other => {
                let what = format!("has the auto_pad '{}'", String::from_utf8_lossy(other));
                return Err(Stop::with_help(what, "NOTSET, VALID, SAME_UPPER and SAME_LOWER are supported"));
            }
        };
        let padded = extent + before + after;
        let room = padded.checked_sub(reach).ok_or_else(|| {
            Stop::new(format!("has a window of {reach}, which does not fit {extent} elements padded to {padded}"))
        })?;
        let mut count = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
        if (count - 1) * stride >= extent + before {
            // A window that would begin in the padding behind the image does not count.
            count -= usize::from(ceil && count > 1);
        }
        overhangs |= (count - 1) * stride + reach > padded;
        let axis = 2 - rank + i;
        window.output[axis + 1] = count;
        window.kernel[axis] = kernel[i];
        window.stride[axis] = stride;
        window.dilation[axis] = dilations[i];
        window.pad[axis] = before as i64;
        (explicit[i], explicit[i + rank]) = (before as i64, after as i64);
    }
    call.lowering.notes.pads.insert(call.index, explicit);
    Ok(Geometry { window, overhangs })
}
