//! The float network that a [`SnnGraph`] stands for.

use super::{channelwise, chunk, conv, max};
use crate::error::{Error, Result};
use crate::ir::PopId;
use crate::ir::snn::{Model, SnnGraph, Synapses};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, concatenate};

/// The answers, `[B, outputs]`, for `pixels`, `[B, inputs]` in `[0, 1]`. Runs on all cores.
///
/// # Errors
/// [`crate::error::Kind::Input`] if the images do not have the size of the network's input.
pub fn evaluate(snn: &SnnGraph, pixels: ArrayView2<f32>) -> Result<Array2<f32>> {
    let largest = snn.populations.iter().map(|p| p.shape.len()).max().unwrap_or(1);
    let chunks: Vec<ArrayView2<f32>> = pixels.axis_chunks_iter(Axis(0), chunk(largest)).collect();
    let answers = chunks.into_par_iter().map(|part| Ok(run(snn, &part, false)?.pop().unwrap_or_default()));
    let answers = answers.collect::<Result<Vec<_>>>()?;
    let views: Vec<ArrayView2<f32>> = answers.iter().map(|part| part.view()).collect();
    if views.is_empty() {
        return Ok(Array2::zeros((0, snn.populations.last().map_or(0, |p| p.shape.len()))));
    }
    concatenate(Axis(0), &views).map_err(|e| Error::internal(format!("the answers of a batch do not fit: {e}")))
}

/// The activation of every population, `[B, neurons]`, for `pixels`, `[B, inputs]` in `[0, 1]`. That of the source is `pixel - zero`.
///
/// All of them are kept, so a caller with many images passes them in parts. Projections with a delay do not take part.
///
/// # Errors
/// [`crate::error::Kind::Input`] if the images do not have the size of the network's input.
pub fn activations(snn: &SnnGraph, pixels: &ArrayView2<f32>) -> Result<Vec<Array2<f32>>> {
    run(snn, pixels, true)
}

/// The activation of every population; without `keep`, of the last alone, while the others are empty.
fn run(snn: &SnnGraph, pixels: &ArrayView2<f32>, keep: bool) -> Result<Vec<Array2<f32>>> {
    let expected = snn.populations.first().map_or(0, |source| source.shape.len());
    if pixels.ncols() != expected {
        let what = format!("the network expects images of {expected} pixels, but these have {}", pixels.ncols());
        return Err(Error::input(what).help("give images of the size that the network was trained for"));
    }
    let mut last_reader: Vec<usize> = (0..snn.populations.len()).collect();
    for p in &snn.projections {
        last_reader[p.pre.0] = last_reader[p.pre.0].max(p.post.0);
    }
    let mut results: Vec<Array2<f32>> = Vec::with_capacity(snn.populations.len());
    for index in 0..snn.populations.len() {
        let result = population(snn, PopId(index), pixels, &results);
        results.push(result);
        if !keep {
            (0..index).filter(|&i| last_reader[i] == index).for_each(|i| results[i] = Array2::default((0, 0)));
        }
    }
    Ok(results)
}

/// What population `pop` computes of those before it; `SnnGraph::check` vouches for the extents.
fn population(snn: &SnnGraph, pop: PopId, pixels: &ArrayView2<f32>, earlier: &[Array2<f32>]) -> Array2<f32> {
    let population = &snn.populations[pop.0];
    if population.model == Model::Source {
        let mut image = pixels.as_standard_layout().into_owned();
        for (i, mut column) in image.axis_iter_mut(Axis(1)).enumerate() {
            let zero = snn.zero.get(population.shape.channel_of(i)).copied().unwrap_or(0.0);
            column.mapv_inplace(|pixel| pixel - zero);
        }
        return image;
    }
    let mut drive = Array2::zeros((pixels.nrows(), population.shape.len()));
    for (_, p) in snn.projections_into(pop).filter(|(_, p)| p.delay == 0) {
        let x = &earlier[p.pre.0];
        match &p.synapses {
            Synapses::Dense { weight } => drive += &x.dot(&weight.t()),
            Synapses::Conv { weight, window, groups } => conv(x.view(), weight, *groups, window, &mut drive),
            // Activations are never negative, so nothing is what zero padding is.
            Synapses::Channelwise { window, .. } if population.model == Model::Max => max(x.view(), window, &mut drive),
            Synapses::Channelwise { weight, window, from, to } => {
                channelwise(x.view(), weight, window, *from, *to, &mut drive)
            }
        }
    }
    for mut row in drive.rows_mut() {
        row.iter_mut().zip(&population.bias).for_each(|(x, b)| *x += b);
    }
    if let Model::Relu { max } = population.model {
        drive.mapv_inplace(|x| x.max(0.0).min(max.unwrap_or(f32::INFINITY)));
    }
    drive
}
