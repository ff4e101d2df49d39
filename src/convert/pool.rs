//! Pooling: of a population's activations it is a population, of anything else a part of the linear map.

use super::compose::{Composed, compose};
use super::expression::Expression;
use super::fold::{Fold, term};
use super::linear::{Linear, TooLarge, per_channel};
use super::window::{Taps, Windowed};
use crate::error::Problem;
use crate::ir::Shape;
use crate::ir::graph::Node;
use crate::ir::snn::Model;
use crate::ir::window::Window;
use ndarray::Array3;

/// A term that gives every element one activation of a population, times a factor per channel.
struct Channels {
    pre: usize,
    /// Which elements, in place: from the population's image to one of the channels read alone.
    select: Windowed,
    /// One factor per channel read.
    factors: Vec<f64>,
    /// First channel of the term's result.
    to: usize,
}

impl Fold {
    /// The mean over windows.
    pub(super) fn average(&mut self, name: &str, window: &Window, x: &Expression) -> Result<Expression, TooLarge> {
        let whole = Windowed::average(*window);
        // The source's pixels are exact, and may be signed: its sums are better taken by the next layer.
        let parts = self.parts(x, window).filter(|parts| parts.iter().all(|part| part.pre != 0));
        let pools = parts.and_then(|parts| self.pools(parts, |n| Windowed::average(of_channels(window, n))));
        let Some(pools) = pools else { return x.window(name, &whole) };
        let (rows, columns) = (whole.window.extent().1, whole.window.extent().0);
        let offset = whole.apply(&x.offset).ok_or(TooLarge(rows, columns))?;
        Ok(self.populations(name, window, Model::Sum, pools, offset))
    }

    /// The maximum over windows, or `None` after a complaint.
    pub(super) fn maximum(&mut self, node: &Node, window: &Window, x: &Expression) -> Option<Expression> {
        let ones = |n: usize| {
            let weight = Array3::ones((n, window.kernel[0], window.kernel[1]));
            Windowed { window: of_channels(window, n), taps: Taps::Channelwise { weight, from: 0, to: 0 } }
        };
        // The maximum of a·x + b is a·max(x) + b, if a is positive and b the same for all.
        let level = per_channel(&x.offset, window.input);
        let parts = self.parts(x, window).filter(|parts| {
            let mut taken = vec![false; window.input[0]];
            let alone = |c: usize| !std::mem::replace(&mut taken[c], true);
            let mut channels = parts.iter().flat_map(|part| part.to..part.to + part.factors.len());
            channels.all(alone) && parts.iter().flat_map(|part| &part.factors).all(|&f| f > 0.0)
        });
        let pools = parts.and_then(|parts| self.pools(parts, ones)).zip(level);
        let Some((pools, level)) = pools else {
            let signed_pixels = x.terms.iter().any(|term| term.pre == 0) && self.ranges[0].0 < 0.0;
            let problem = match signed_pixels {
                true => Problem::new("takes the maximum of normalised pixels, which may be negative")
                    .help("pool behind the first convolution's ReLU, or drop the mean from --normalize"),
                false => Problem::new("takes the maximum of values that are not the activations of a ReLU")
                    .help("pool directly before or behind a ReLU, or train with average pooling"),
            };
            self.problems.push(problem.at_node(&node.name));
            return None;
        };
        let pixels = (window.output[1] * window.output[2]).max(1);
        let offset = (0..window.output[0] * pixels).map(|i| level[i / pixels]).collect();
        Some(self.populations(&node.name, window, Model::Max, pools, offset))
    }

    /// The terms, if all of them pass on activations that are never negative.
    fn parts(&self, x: &Expression, window: &Window) -> Option<Vec<Channels>> {
        let parts = x.terms.iter().map(|t| {
            let map = t.map.as_window(window.input).filter(Windowed::is_pointwise)?;
            let Taps::Channelwise { weight, from, to } = map.taps else { return None };
            let channels = weight.len();
            let output = [channels, map.window.output[1], map.window.output[2]];
            let taps = Taps::Channelwise { weight: Array3::ones((channels, 1, 1)), from, to: 0 };
            let select = Windowed { window: Window { output, ..map.window }, taps };
            let positive = self.ranges[t.pre].0 >= 0.0;
            positive.then(|| Channels { pre: t.pre, select, factors: weight.iter().copied().collect(), to })
        });
        parts.collect()
    }

    /// Pooling straight from each population, if padding does not get in the way.
    fn pools(&self, parts: Vec<Channels>, pool: impl Fn(usize) -> Windowed) -> Option<Vec<(Channels, Windowed)>> {
        let direct = |part: Channels| match compose(&pool(part.factors.len()), &part.select) {
            Composed::One(map) => Some((part, *map)),
            Composed::Nothing | Composed::No => None,
        };
        parts.into_iter().map(direct).collect()
    }

    /// Closes one population a pooling; their sum, channels in place and factors applied, is the result.
    fn populations(
        &mut self,
        name: &str,
        window: &Window,
        model: Model,
        pools: Vec<(Channels, Windowed)>,
        offset: Vec<f64>,
    ) -> Expression {
        let mut sum = Expression { terms: Vec::new(), offset };
        for (part, map) in pools {
            let output = map.window.output;
            let drive = Expression {
                terms: vec![term(part.pre, name, Linear::windowed(map))],
                offset: vec![0.0; Shape(output.to_vec()).len()],
            };
            let range = (0.0, self.ranges[part.pre].1);
            let population = self.close(name, Shape(output.to_vec()), model.clone(), drive, range);
            let weight = Array3::from_shape_fn((part.factors.len(), 1, 1), |(c, _, _)| part.factors[c]);
            let place = Windowed {
                window: Window { output: window.output, ..Window::identity(output) },
                taps: Taps::Channelwise { weight, from: 0, to: part.to },
            };
            sum.terms.push(term(population, "", Linear::windowed(place)));
        }
        sum
    }
}

fn of_channels(window: &Window, channels: usize) -> Window {
    let [_, h, w] = window.input;
    let [_, out_h, out_w] = window.output;
    Window { input: [channels, h, w], output: [channels, out_h, out_w], ..*window }
}
