//! The guarantees of [`Graph`].

use super::{Graph, Node, Op, PoolKind};
use crate::error::Problem;
use crate::ir::Shape;
use crate::ir::window::{MAX_EXTENT, Window};

/// Taps that a pooling window may have. Real ones cover an image at most; a file can name any number.
const MAX_TAPS: usize = 1 << 20;

/// Multiplications that one node may need for an image. The largest convolutions in use need a hundredth.
const MAX_MULTIPLICATIONS: usize = 1 << 36;

impl Graph {
    /// Every broken guarantee, worded for the user.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !matches!(self.nodes.first().map(|n| &n.op), Some(Op::Input)) {
            problems.push(Problem::new("the first node is not the network's input"));
        }
        if self.output.0 >= self.nodes.len() {
            problems.push(Problem::new("the output node does not exist"));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if let Err(what) = self.check_node(index, node) {
                problems.push(Problem::new(what).at_node(&node.name));
            }
        }
        problems
    }

    fn check_node(&self, index: usize, node: &Node) -> Result<(), String> {
        if node.shape.is_empty() {
            return Err(format!("has a zero-size shape {}", node.shape));
        }
        if node.inputs.iter().any(|i| i.0 >= index) {
            return Err("reads a node that does not come before it".into());
        }
        let shapes: Vec<&Shape> = node.inputs.iter().map(|&i| &self.node(i).shape).collect();
        match (&node.op, shapes.as_slice()) {
            (Op::Input, []) if index == 0 => Ok(()),
            (Op::Input, _) => Err("is a second input: one input is supported".into()),
            (Op::Dense { weight, bias }, [x]) => {
                if weight.ncols() != x.len() || weight.nrows() != node.shape.len() || bias.len() != weight.nrows() {
                    return Err(format!(
                        "weight {}×{} and bias {} do not fit input {} and output {}",
                        weight.nrows(),
                        weight.ncols(),
                        bias.len(),
                        x,
                        node.shape
                    ));
                }
                finite(weight.iter().chain(bias))
            }
            (Op::Affine { scale, shift }, [x]) => {
                if scale.len() != x.channels() || shift.len() != x.channels() || **x != node.shape {
                    return Err(format!("has {} scales for {} channels", scale.len(), x.channels()));
                }
                finite(scale.iter().chain(shift))
            }
            (Op::Relu { max }, [x]) => {
                if **x != node.shape {
                    return Err(format!("changes shape {x} into {}", node.shape));
                }
                match max {
                    Some(m) if !(m.is_finite() && *m > 0.0) => Err(format!("clips at {m}: must be finite and > 0")),
                    _ => Ok(()),
                }
            }
            (Op::Add, [_, _, ..]) if shapes.iter().all(|s| **s == node.shape) => Ok(()),
            (Op::Add, _) => Err("adds inputs of different shapes: broadcasting is not supported".into()),
            (Op::Reshape, [x]) if x.len() == node.shape.len() => Ok(()),
            (Op::Reshape, [x]) => Err(format!("reshapes {x} into {}", node.shape)),
            (Op::Conv { weight, bias, window, groups }, [x]) => {
                check_window(window, x, &node.shape)?;
                let [from, to] = [window.input[0], window.output[0]];
                if *groups == 0 || !from.is_multiple_of(*groups) || !to.is_multiple_of(*groups) {
                    return Err(format!("has {groups} groups for {from} input and {to} output channels"));
                }
                let expected = [to, from / groups, window.kernel[0], window.kernel[1]];
                if weight.shape() != expected || bias.len() != to {
                    let held = weight.shape();
                    return Err(format!("has kernels {held:?} and {} biases, not {expected:?} and {to}", bias.len()));
                }
                let pixels = window.output[1].saturating_mul(window.output[2]);
                let multiplications = weight.len().saturating_mul(pixels);
                if multiplications > MAX_MULTIPLICATIONS {
                    return Err(format!("needs {multiplications} multiplications an image; synfire stops at 2^36"));
                }
                finite(weight.iter().chain(bias))
            }
            (Op::Pool { kind, window }, [x]) => {
                check_window(window, x, &node.shape)?;
                if window.input[0] != window.output[0] {
                    return Err(format!("pools {} channels into {}", window.input[0], window.output[0]));
                }
                check_taps(*kind, window)
            }
            (Op::Strided { start, step }, [x]) => check_strided(start, step, x, &node.shape),
            (Op::Permute { axes }, [x]) => {
                let mut sorted = axes.clone();
                sorted.sort_unstable();
                let permuted = || axes.iter().zip(&node.shape.0).all(|(&axis, &extent)| x.0[axis] == extent);
                match sorted.into_iter().eq(0..x.0.len()) && node.shape.0.len() == axes.len() && permuted() {
                    true => Ok(()),
                    false => Err(format!("permutes the axes of {x} by {axes:?} into {}", node.shape)),
                }
            }
            (Op::Concat, [_, ..]) => check_concat(&shapes, &node.shape),
            (op, _) => Err(format!("{} has {} inputs", op.name(), shapes.len())),
        }
    }
}

fn check_window(window: &Window, x: &Shape, y: &Shape) -> Result<(), String> {
    if let Some(what) = window.problem() {
        return Err(format!("its window {what}"));
    }
    if (x.image(), y.image()) != (Some(window.input), Some(window.output)) {
        let (from, to) = (window.input, window.output);
        return Err(format!("slides over {from:?} to {to:?}, but reads {x} and computes {y}"));
    }
    Ok(())
}

fn check_taps(kind: PoolKind, window: &Window) -> Result<(), String> {
    let taps = window.kernel[0].saturating_mul(window.kernel[1]);
    if taps > MAX_TAPS {
        return Err(format!("pools windows of {taps} elements; {MAX_TAPS} are the limit"));
    }
    let work = taps.saturating_mul(window.extent().1);
    if work > MAX_MULTIPLICATIONS {
        return Err(format!("needs {work} additions an image; synfire stops at 2^36"));
    }
    let blind = |axis: usize| {
        let (dilation, extent) = (window.dilation[axis] as i64, window.input[axis + 1] as i64);
        (0..window.output[axis + 1]).any(|out| {
            let begin = (out * window.stride[axis]) as i64 - window.pad[axis];
            let tap = (dilation - 1 - begin.min(0)) / dilation;
            tap >= window.kernel[axis] as i64 || begin + tap * dilation >= extent
        })
    };
    match kind == PoolKind::Max && (blind(0) || blind(1)) {
        true => Err("takes the maximum of nothing: a window lies in the padding entirely".into()),
        false => Ok(()),
    }
}

fn check_strided(start: &[i64; 3], step: &[usize; 3], x: &Shape, y: &Shape) -> Result<(), String> {
    let (Some(from), Some(to)) = (x.image(), y.image()) else {
        return Err(format!("slices {x} into {y}; at most three axes are supported"));
    };
    let fits = |n: usize| (1..=MAX_EXTENT).contains(&n);
    let small = |n: i64| n.unsigned_abs() <= MAX_EXTENT as u64;
    if !(from.into_iter().chain(to).chain(*step).all(fits) && start.iter().all(|&n| small(n))) {
        return Err(format!("slices {x} into {y} from {start:?} by {step:?}: an extent is above {MAX_EXTENT}"));
    }
    Ok(())
}

fn check_concat(shapes: &[&Shape], y: &Shape) -> Result<(), String> {
    let images: Option<Vec<[usize; 3]>> = shapes.iter().map(|x| x.image()).collect();
    let refuse = || {
        let listed: Vec<String> = shapes.iter().take(8).map(|x| x.to_string()).collect();
        format!("puts {} together into {y}", listed.join(", "))
    };
    let (Some(images), Some([c, h, w])) = (images, y.image()) else { return Err(refuse()) };
    let channels = images.iter().fold(0usize, |n, image| n.saturating_add(image[0]));
    match channels == c && images.iter().all(|image| image[1..] == [h, w]) {
        true => Ok(()),
        false => Err(refuse()),
    }
}

fn finite<'a>(mut values: impl Iterator<Item = &'a f32>) -> Result<(), String> {
    match values.find(|v| !v.is_finite()) {
        Some(v) => Err(format!("holds the parameter {v}: NaN and infinity cannot be quantised")),
        None => Ok(()),
    }
}
