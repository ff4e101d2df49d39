//! Runs a [`Graph`] in `f32`.

use crate::error::{Error, Result};
use crate::float;
use crate::ir::graph::{Graph, Node, Op, PoolKind};
use crate::ir::window::Window;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayView2, Axis, IxDyn, Zip, concatenate, linalg::general_mat_mul, s};

/// The network's answers, `[B, outputs]`, for `images`, `[B, inputs]`, which the caller has normalised.
///
/// # Errors
/// [`crate::error::Kind::Input`] if the images do not have the size of the network's input.
pub fn evaluate(graph: &Graph, images: ArrayView2<f32>) -> Result<Array2<f32>> {
    let largest = graph.nodes.iter().map(|node| node.shape.len()).max().unwrap_or(1);
    let chunks: Vec<ArrayView2<f32>> = images.axis_chunks_iter(Axis(0), float::chunk(largest)).collect();
    let answers = chunks.into_par_iter().map(|chunk| {
        let mut all = run(graph, &chunk, false)?;
        Ok(std::mem::take(&mut all[graph.output.0]))
    });
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let views: Vec<ArrayView2<f32>> = answers.iter().map(|part| part.view()).collect();
    if views.is_empty() {
        return Ok(Array2::zeros((0, graph.node(graph.output).shape.len())));
    }
    concatenate(Axis(0), &views).map_err(|e| Error::internal(format!("the answers of a batch do not fit: {e}")))
}

/// The activation of every node, `[B, elements]`, for `images`, `[B, inputs]`, which the caller has normalised.
///
/// All of them are kept, so a caller with many images passes them in parts.
///
/// # Errors
/// [`crate::error::Kind::Input`] if the images do not have the size of the network's input.
pub fn activations(graph: &Graph, images: &ArrayView2<f32>) -> Result<Vec<Array2<f32>>> {
    run(graph, images, true)
}

/// The activation of every node; without `keep`, of the output alone, while the others are empty.
fn run(graph: &Graph, images: &ArrayView2<f32>, keep: bool) -> Result<Vec<Array2<f32>>> {
    if images.ncols() != graph.input_shape().len() {
        return Err(Error::input(format!(
            "the network expects images of {} ({} pixels), but these have {} pixels",
            graph.input_shape(),
            graph.input_shape().len(),
            images.ncols()
        ))
        .help("give images of the size that the network was trained for"));
    }
    let mut last_reader: Vec<usize> = (0..graph.nodes.len()).collect();
    for (index, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|input| last_reader[input.0] = index);
    }
    let mut results: Vec<Array2<f32>> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let result = compute(graph, node, images, &results);
        results.push(result);
        for input in node.inputs.iter().filter(|&&input| !keep && input != graph.output) {
            if last_reader[input.0] == index {
                results[input.0] = Array2::default((0, 0));
            }
        }
    }
    Ok(results)
}

/// One node's activation from those before it; `Graph::check` vouches for inputs and shapes.
fn compute(graph: &Graph, node: &Node, images: &ArrayView2<f32>, earlier: &[Array2<f32>]) -> Array2<f32> {
    let input = |i: usize| &earlier[node.inputs[i].0];
    let shape = |i: usize| &graph.node(node.inputs[i]).shape;
    let blank = |value: f32| Array2::from_elem((images.nrows(), node.shape.len()), value);
    match &node.op {
        Op::Input => images.as_standard_layout().into_owned(),
        Op::Dense { weight, bias } => {
            // Not `dot`, whose result stands in columns where it multiplies a single one.
            let mut result = blank(0.0);
            general_mat_mul(1.0, input(0), &weight.t(), 0.0, &mut result);
            result + bias
        }
        Op::Affine { scale, shift } => {
            let mut result = input(0).clone();
            for (i, mut column) in result.axis_iter_mut(Axis(1)).enumerate() {
                let channel = node.shape.channel_of(i);
                let (scale, shift) = (scale[channel], shift[channel]);
                column.mapv_inplace(|x| scale * x + shift);
            }
            result
        }
        Op::Relu { max } => {
            let max = max.unwrap_or(f32::INFINITY);
            input(0).mapv(|x| x.max(0.0).min(max))
        }
        Op::Add => {
            let mut result = input(0).clone();
            for i in 1..node.inputs.len() {
                Zip::from(&mut result).and(input(i)).for_each(|a, &b| *a += b);
            }
            result
        }
        Op::Reshape => input(0).clone(),
        Op::Conv { weight, bias, window, groups } => {
            let pixels = window.output[1] * window.output[2];
            let mut result = blank(0.0);
            for mut row in result.rows_mut() {
                row.iter_mut().enumerate().for_each(|(i, x)| *x = bias[i / pixels]);
            }
            float::conv(input(0).view(), weight, *groups, window, &mut result);
            result
        }
        Op::Pool { kind: PoolKind::Average, window } => {
            let [rows, columns] = window.kernel;
            let mut result = blank(0.0);
            let ones = Array3::ones((window.input[0], rows, columns));
            float::channelwise(input(0).view(), &ones, window, 0, 0, &mut result);
            result / (rows * columns) as f32
        }
        Op::Pool { kind: PoolKind::Max, window } => {
            let mut result = blank(f32::NEG_INFINITY);
            float::max(input(0).view(), window, window.input[0], 0, 0, &mut result);
            result
        }
        Op::Strided { start, step } => {
            let mut result = blank(0.0);
            if let (Some(from), Some(to)) = (shape(0).image(), node.shape.image()) {
                for c in 0..to[0] {
                    let at = start[0] + (c * step[0]) as i64;
                    let Some(at) = usize::try_from(at).ok().filter(|&at| at < from[0]) else { continue };
                    let (stride, pad) = ([step[1], step[2]], [-start[1], -start[2]]);
                    let window = Window { input: from, output: to, kernel: [1, 1], stride, pad, dilation: [1, 1] };
                    float::channelwise(input(0).view(), &Array3::ones((1, 1, 1)), &window, at, c, &mut result);
                }
            }
            result
        }
        Op::Permute { axes } => {
            let dims: Vec<usize> = std::iter::once(images.nrows()).chain(shape(0).0.iter().copied()).collect();
            let axes: Vec<usize> = std::iter::once(0).chain(axes.iter().map(|axis| axis + 1)).collect();
            let mut result = blank(0.0);
            if let Ok(array) = input(0).to_shape(IxDyn(&dims)) {
                let turned = array.view().permuted_axes(IxDyn(&axes));
                result.iter_mut().zip(turned.iter()).for_each(|(y, x)| *y = *x);
            }
            result
        }
        Op::Concat => {
            let mut result = blank(0.0);
            let mut at = 0;
            for i in 0..node.inputs.len() {
                let part = input(i);
                result.slice_mut(s![.., at..at + part.ncols()]).assign(part);
                at += part.ncols();
            }
            result
        }
    }
}
