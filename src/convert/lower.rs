//! Writes the folded stretches as populations and projections in `f32`.

use super::fold::{Stretch, too_large};
use super::linear::{Linear, TooLarge};
use super::normalise::Input;
use super::window::{Taps, Windowed};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::snn::{Population, Projection, SnnGraph, Synapses};
use crate::ir::{PopId, Shape};
use ndarray::{Array2, Array3};

/// The spiking network of these stretches, which stand in topological order.
///
/// # Errors
/// A weight or bias that folding made infinite, a skip connection too wide to be written as a matrix.
pub(super) fn lower(name: &str, stretches: Vec<Stretch>, input: &Input) -> Result<SnnGraph> {
    let mut problems = Vec::new();
    let shapes = shapes(&stretches);
    let zero = shapes.first().and_then(|source| input.zero_of(source)).unwrap_or_else(|| {
        problems.push(Problem::new("the normalisation differs between pixels of one channel").help("give one mean"));
        Vec::new()
    });
    let mut snn = SnnGraph { name: name.to_string(), zero, populations: Vec::new(), projections: Vec::new() };
    for (index, stretch) in stretches.into_iter().enumerate() {
        let bias: Vec<f32> = stretch.drive.offset.iter().map(|&o| o as f32).collect();
        if bias.iter().any(|b| !b.is_finite()) {
            problems.push(infinite(&stretch.name, "bias"));
        }
        let shape = shapes[index].clone();
        for term in stretch.drive.terms {
            let synapses = match synapses(&term.map, &shapes[term.pre], &shape) {
                Ok(synapses) => synapses.map(|&w| w as f32),
                Err(size) => {
                    problems.push(too_large(&term.name, size));
                    continue;
                }
            };
            if synapses.weights().any(|w| !w.is_finite()) {
                problems.push(infinite(&term.name, "weight"));
            }
            let (pre, post) = (PopId(term.pre), PopId(index));
            snn.projections.push(Projection { name: term.name, pre, post, delay: 0, synapses });
        }
        snn.populations.push(Population { name: stretch.name, shape, model: stretch.model, bias });
    }
    Error::check(Kind::Input, problems)?;
    Ok(snn)
}

/// The shape of every population: its node's, unless the windows around it see the same elements as another image.
fn shapes(stretches: &[Stretch]) -> Vec<Shape> {
    let mut seen: Vec<Vec<[usize; 3]>> = vec![Vec::new(); stretches.len()];
    for (post, stretch) in stretches.iter().enumerate() {
        for term in &stretch.drive.terms {
            if let Linear::Windowed(w) = &term.map {
                seen[term.pre].push(w.window.input);
                seen[post].push(w.window.output);
            }
        }
    }
    let mut shapes: Vec<Shape> = Vec::with_capacity(stretches.len());
    for (stretch, seen) in stretches.iter().zip(&seen) {
        let own = stretch.shape.image();
        let other = seen.first().filter(|_| !own.is_some_and(|own| seen.contains(&own)));
        let passed_on = || {
            let diagonal = stretch.drive.terms.iter().find(|t| matches!(t.map, Linear::Diagonal(_)))?;
            shapes[diagonal.pre].image()
        };
        shapes.push(match (other.copied(), own) {
            (Some(image), _) => Shape(image.to_vec()),
            // One-to-one synapses keep the image of their sender.
            (None, _) if seen.is_empty() && passed_on().is_some_and(|image| Some(image) != own) => {
                passed_on().map_or_else(|| stretch.shape.clone(), |image| Shape(image.to_vec()))
            }
            (None, Some(_)) => stretch.shape.clone(),
            (None, None) => Shape(vec![stretch.shape.len()]),
        });
    }
    shapes
}

/// The synapses of a map between populations of these shapes.
fn synapses(map: &Linear, pre: &Shape, post: &Shape) -> std::result::Result<Synapses<f64>, TooLarge> {
    let window = post.image().and_then(|image| map.as_window(image)).filter(|w| Some(w.window.input) == pre.image());
    match window {
        Some(window) => Ok(of_window(window)),
        None => Ok(Synapses::Dense { weight: map.to_dense()? }),
    }
}

fn of_window(Windowed { window, taps }: Windowed) -> Synapses<f64> {
    match taps {
        Taps::Channelwise { weight, from, to } => Synapses::Channelwise { weight, window, from, to },
        Taps::Conv { weight, groups } => {
            let (post, pre, rows, columns) = weight.dim();
            let [_, height, width] = window.input;
            let straight = |axis: usize| window.kernel[axis] == 1 || window.dilation[axis] == 1;
            let covers = window.kernel == [height, width] && window.pad == [0, 0] && straight(0) && straight(1);
            if groups == 1 && window.output[1..] == [1, 1] && covers {
                // Every receiver reads every sender: a matrix says the same.
                let weights: Vec<f64> = weight.iter().copied().collect();
                if let Ok(weight) = Array2::from_shape_vec((post, pre * rows * columns), weights) {
                    return Synapses::Dense { weight };
                }
            }
            if groups == window.input[0] && groups == window.output[0] {
                let weights: Vec<f64> = weight.iter().copied().collect();
                if let Ok(weight) = Array3::from_shape_vec((post, rows, columns), weights) {
                    return Synapses::Channelwise { weight, window, from: 0, to: 0 };
                }
            }
            Synapses::Conv { weight, window, groups }
        }
    }
}

fn infinite(node: &str, what: &str) -> Problem {
    Problem::new(format!("has a {what} that overflows once normalisation and neighbouring layers are folded into it"))
        .at_node(node)
        .help("rescale the layer, or use a larger standard deviation")
}
