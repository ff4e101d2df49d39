//! Populations and projections from what the walk has found.

use super::neurons::{self, Lowered};
use super::trace::{Arrivals, Link, Tracer};
use super::wire::{self, Map};
use crate::error::{Error, Kind, Result};
use crate::frontends::nir::{Executor, What};
use crate::ir::snn::{Model, Population, Projection, SnnGraph, Synapses};
use crate::ir::window::Window;
use crate::ir::{PopId, Shape};
use ndarray::{Array2, Array3};
use std::collections::BTreeMap;

/// Up to this many neurons of one pixel, element-for-element synapses are a dense matrix. It needs N² weights of 2 bits, which up
/// to here is less than half a block RAM, and a dense core, whereas a window core's tables, banks and deeper pipeline cost more.
const SMALL_IDENTITY: usize = 64;
/// Beyond this many neurons a diagonal matrix is not written out.
const MAX_DIAGONAL: usize = 4096;

/// A population in the making.
struct Target {
    arrivals: Arrivals,
    model: Model,
    bias: Vec<f64>,
    /// Factor of what arrives at each neuron.
    factor: Vec<f64>,
    shape: Shape,
}

/// Builds the network, or says of every node why it cannot be built.
pub(super) fn assemble(executor: &Executor, name: &str) -> Result<SnnGraph> {
    let parts = executor.parts();
    let mut tracer = Tracer::new(&parts);
    let (input, output) = match (executor.input_nodes(), executor.output_nodes()) {
        (&[input], &[output]) => (input, output),
        (inputs, outputs) => {
            let what = format!("has {} Inputs and {} Outputs; hardware has one of each", inputs.len(), outputs.len());
            return Err(Error::input(what).help("join them in the network, for example by concatenating the layers"));
        }
    };
    let readout = integrator(&tracer, output).unwrap_or(output);
    let mut targets: BTreeMap<usize, Target> = BTreeMap::new();
    let mut pending = vec![readout];
    while let Some(node) = pending.pop() {
        if node == input || targets.contains_key(&node) {
            continue;
        }
        let target = target(&mut tracer, node, node == readout);
        pending.extend(target.arrivals.links.iter().map(|link| link.source));
        targets.insert(node, target);
    }
    for target in targets.values_mut() {
        target.settle_shape();
    }

    let inner = executor.sequence().filter(|node| *node != readout && targets.contains_key(node));
    let order: Vec<usize> = std::iter::once(input).chain(inner).chain([readout]).collect();
    let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(place, &node)| (node, place)).collect();
    let source = Shape(parts[input].output.to_vec());
    let mut snn = SnnGraph {
        name: name.to_string(),
        zero: Vec::new(),
        populations: vec![Population {
            name: parts[input].name.to_string(),
            bias: vec![0.0; source.len()],
            shape: source.clone(),
            model: Model::Source,
        }],
        projections: Vec::new(),
    };
    let shapes: BTreeMap<usize, Shape> =
        targets.iter().map(|(&n, t)| (n, t.shape.clone())).chain([(input, source)]).collect();
    for &node in &order[1..] {
        let Some(target) = targets.remove(&node) else { continue };
        let post = PopId(snn.populations.len());
        let first = snn.projections.len();
        for link in &target.arrivals.links {
            if link.source == readout {
                tracer.refuse(readout, "sends its membrane to other neurons; hardware can read it only at the Output");
                continue;
            }
            let (Some(&pre), Some(from)) = (place.get(&link.source), shapes.get(&link.source)) else { continue };
            match synapses(link, from, &target) {
                Ok((_, synapses)) if is_pool(&parts[node].what) && synapses.weights().any(|&w| w != 1.0) => {
                    tracer.refuse(
                        node,
                        "adds up a signal that is scaled or averaged in front of it; a hardware pool adds up spikes",
                    );
                }
                Ok((layer, synapses)) => {
                    let name = layer.unwrap_or_else(|| format!("{} to {}", parts[link.source].name, parts[node].name));
                    let projection = Projection { name, pre: PopId(pre), post, delay: link.delay, synapses };
                    add(&mut snn.projections, first, projection);
                }
                Err(what) => tracer.refuse(node, what),
            }
        }
        snn.populations.push(Population {
            name: parts[node].name.to_string(),
            shape: target.shape,
            model: target.model,
            bias: target.bias.iter().map(|&b| b as f32).collect(),
        });
    }
    Error::check(Kind::Input, tracer.problems())?;
    Ok(snn)
}

/// The `I`, `LI` or `CubaLI` whose membrane is the network's output, if that is all there is.
fn integrator(tracer: &Tracer, output: usize) -> Option<usize> {
    let mut node = output;
    // A circle of nodes that only pass values on has been refused; the bound is for the reader's peace.
    for _ in 0..tracer.parts.len() {
        match (&tracer.parts[node].what, tracer.parts[node].senders) {
            (What::Neurons(neurons), _) => return neurons.fire.is_none().then_some(node),
            (What::Pass, &[(sender, false)]) => node = sender,
            _ => return None,
        }
    }
    None
}

/// Of what has been refused, nothing more is to be said.
fn is_pool(what: &What) -> bool {
    matches!(what, What::Pool { .. })
}

fn target(tracer: &mut Tracer, node: usize, readout: bool) -> Target {
    let part = &tracer.parts[node];
    let n = part.output.iter().product();
    let shape = Shape(part.output.to_vec());
    let plain =
        |arrivals: Arrivals, model, bias| Target { arrivals, model, bias, factor: vec![1.0; n], shape: shape.clone() };
    match &part.what {
        What::Pool { window, .. } => {
            let ones = wire::layer(part.name, wire::pool(*window, 1.0));
            let arrivals = tracer.arrivals(node, &ones);
            plain(arrivals, Model::Sum, vec![0.0; n])
        }
        What::Neurons(neurons) if readout && neurons::adds_up(neurons) => {
            let arrivals = tracer.arrivals(node, &Map::Straight(None));
            let bias = (0..n).map(|i| neurons.gain[i] * arrivals.constant[i] + neurons.add[i]).collect();
            Target { factor: neurons.gain.clone(), ..plain(arrivals, Model::Readout, bias) }
        }
        What::Neurons(_) | What::Threshold(_) => {
            let (neurons, firing) = match &part.what {
                What::Neurons(neurons) => ((**neurons).clone(), neurons.fire.clone()),
                What::Threshold(theta) => {
                    let (neurons, firing) = neurons::threshold(theta);
                    (neurons, Some(firing))
                }
                _ => unreachable!("matched above"),
            };
            let arrivals = tracer.arrivals(node, &Map::Straight(None));
            let lowered = match &firing {
                None if !readout => Err(vec![neurons::NOT_READ.to_string()]),
                firing => neurons::lower(&neurons, firing.as_ref(), &arrivals.constant),
            };
            match lowered {
                Ok(Lowered { model, factor, bias }) => Target { factor, ..plain(arrivals, model, bias) },
                Err(wrong) => {
                    wrong.into_iter().for_each(|what| tracer.refuse(node, what));
                    plain(arrivals, Model::Sum, vec![0.0; n])
                }
            }
        }
        _ => {
            let arrivals = tracer.arrivals(node, &Map::Straight(None));
            let bias = arrivals.constant.clone();
            plain(arrivals, Model::Readout, bias)
        }
    }
}

impl Target {
    /// Neurons behind a `Flatten` stand where the window in front of it puts them: the order is the same.
    fn settle_shape(&mut self) {
        let windows = self.arrivals.links.iter().filter_map(|link| match &link.map {
            Map::Layer(_, synapses) => synapses.window().map(|w| w.output),
            Map::Straight(_) => None,
        });
        for output in windows {
            let shape = Shape(output.to_vec());
            if self.shape.image() != Some(output) && shape.len() == self.shape.len() {
                self.shape = shape;
            }
        }
    }
}

/// The synapses of a link, and the name of their layer if there is one.
fn synapses(
    link: &Link,
    from: &Shape,
    target: &Target,
) -> std::result::Result<(Option<String>, Synapses<f32>), String> {
    let (name, synapses) = match &link.map {
        Map::Layer(name, synapses) => {
            if let Some(window) = synapses.window()
                && (from.image(), target.shape.image()) != (Some(window.input), Some(window.output))
            {
                let (a, b) = (window.input, window.output);
                return Err(format!(
                    "is reached by '{name}' from {a:?} to {b:?}, but a Flatten has changed {from} or {}",
                    target.shape
                ));
            }
            let synapses =
                wire::scale_receivers((**synapses).clone(), &target.factor).map_err(|e| format!("its gain {e}"))?;
            (Some(name.clone()), synapses)
        }
        Map::Straight(factor) => {
            let ones = vec![1.0; target.shape.len()];
            let factor: Vec<f64> =
                factor.as_ref().unwrap_or(&ones).iter().zip(&target.factor).map(|(a, b)| a * b).collect();
            (None, straight(&factor, from, &target.shape)?)
        }
    };
    let narrow = synapses.map(|&w| w as f32);
    if narrow.weights().any(|w| !w.is_finite()) {
        return Err("has synapses whose weights are too large for single precision".into());
    }
    Ok((name, narrow))
}

/// Element for element.
fn straight(factor: &[f64], from: &Shape, to: &Shape) -> std::result::Result<Synapses<f64>, String> {
    let n = factor.len();
    let same = from.image() == to.image();
    let window = to.image().filter(|_| same).map(Window::identity);
    let small = n <= SMALL_IDENTITY && matches!(to.image(), Some([_, 1, 1]));
    match window.map(|w| (w, wire::by_channel(factor, w.output))) {
        Some((window, Ok(channel))) if !small => {
            let weight = Array3::from_shape_vec((channel.len(), 1, 1), channel).map_err(|e| e.to_string())?;
            Ok(Synapses::Channelwise { weight, window, from: 0, to: 0 })
        }
        _ if n <= MAX_DIAGONAL => {
            let weight = Array2::from_shape_fn((n, n), |(i, j)| if i == j { factor[i] } else { 0.0 });
            Ok(Synapses::Dense { weight })
        }
        _ => Err(format!("is reached element for element by {n} senders of another shape or with a factor each")),
    }
}

/// Adds a projection; a dense one beside another of the same sender and delay is added to it.
fn add(projections: &mut Vec<Projection<f32>>, first: usize, new: Projection<f32>) {
    let twin = projections[first..].iter_mut().find(|p| {
        (p.pre, p.delay) == (new.pre, new.delay)
            && matches!((&p.synapses, &new.synapses), (Synapses::Dense { .. }, Synapses::Dense { .. }))
    });
    match (twin.map(|p| &mut p.synapses), &new.synapses) {
        (Some(Synapses::Dense { weight }), Synapses::Dense { weight: other }) if weight.dim() == other.dim() => {
            *weight += other
        }
        _ => projections.push(new),
    }
}
