//! From a population to its senders.

use super::wire::{self, Map};
use crate::error::Problem;
use crate::frontends::nir::{Part, What};
use std::collections::BTreeSet;

/// Ways from a population to its senders that are followed before the network counts as too entangled.
const MAX_WAYS: usize = 20_000;
/// Weights and factors that all ways together may carry: where ways branch above a layer, each of them has that layer's weights.
const MAX_CARRIED: usize = 1 << 26;

/// One way by which a sender reaches a population.
#[derive(Debug)]
pub(super) struct Link {
    /// The sending node: neurons, a pool that relays, or the Input.
    pub source: usize,
    /// Steps that a signal takes.
    pub delay: u32,
    /// What lies between.
    pub map: Map,
}

/// Everything that reaches a population.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    pub links: Vec<Link>,
    /// The constant part of the input, one per neuron.
    pub constant: Vec<f64>,
}

/// Walks against the edges. Problems are kept apart, so that each is told once.
pub(super) struct Tracer<'a> {
    pub parts: &'a [Part<'a>],
    found: BTreeSet<(usize, String)>,
    /// Weights and factors that ways have carried so far.
    carried: usize,
}

impl<'a> Tracer<'a> {
    pub fn new(parts: &'a [Part<'a>]) -> Self {
        Tracer { parts, found: BTreeSet::new(), carried: 0 }
    }

    /// Notes that a node cannot become hardware.
    pub fn refuse(&mut self, node: usize, what: impl Into<String>) {
        self.found.insert((node, what.into()));
    }

    /// Everything that was refused.
    pub fn problems(self) -> Vec<Problem> {
        let help = "change the network, or run it in floating point with `synfire nir run`";
        let parts = self.parts;
        self.found.into_iter().map(|(node, what)| Problem::new(what).at_node(parts[node].name).help(help)).collect()
    }

    /// Follows all edges into `target`, whose own map from its input is `map`.
    pub fn arrivals(&mut self, target: usize, map: &Map) -> Arrivals {
        let n = self.parts[target].input.iter().product();
        let mut arrivals = Arrivals { links: Vec::new(), constant: vec![0.0; n] };
        let mut ways = vec![(target, 0u32, map.clone())];
        let mut followed = 0;
        while let Some((reader, delay, map)) = ways.pop() {
            for &(sender, late) in self.parts[reader].senders {
                followed += 1;
                self.carried = self.carried.saturating_add(carried(&self.parts[sender].what, &map));
                if followed > MAX_WAYS || self.carried > MAX_CARRIED {
                    let what = "is reached in too many ways, or through too many weights: \
                                20,000 ways into a population and 67 million weights in all are the limit";
                    self.refuse(target, what);
                    return arrivals;
                }
                self.step(sender, delay + u32::from(late), map.clone(), &mut arrivals, &mut ways);
            }
        }
        // The worklist is a stack.
        arrivals.links.reverse();
        arrivals
    }

    /// Passes one node on the way up.
    fn step(&mut self, node: usize, delay: u32, map: Map, arrivals: &mut Arrivals, ways: &mut Vec<(usize, u32, Map)>) {
        let part = &self.parts[node];
        let extended = match &part.what {
            What::Pass if part.senders.is_empty() => return arrivals.links.push(Link { source: node, delay, map }),
            What::Pass => Ok((delay, map)),
            What::Neurons(_) | What::Threshold(_) => return arrivals.links.push(Link { source: node, delay, map }),
            What::Delay(steps) => whole(steps).map(|steps| (delay.saturating_add(steps), map)),
            What::Scale(scale) => map.after_scale(scale).map(|map| (delay, map)),
            What::Pool { window, share } => match map {
                Map::Straight(_) => map.after_layer(part.name, wire::pool(*window, *share)).map(|map| (delay, map)),
                Map::Layer(name, synapses) => {
                    let map = if *share == 1.0 {
                        Map::Layer(name, synapses)
                    } else {
                        wire::layer(&name, synapses.map(|w| w * share))
                    };
                    return arrivals.links.push(Link { source: node, delay, map });
                }
            },
            What::Dense { lead, inputs, outputs, weight, bias } => {
                self.constant(node, delay, &map, bias, arrivals);
                let layer = wire::dense([*lead, *inputs, *outputs], weight);
                layer.and_then(|layer| map.after_layer(part.name, layer)).map(|map| (delay, map))
            }
            What::Conv { window, groups, weight, bias } => {
                let pixels = window.output[1] * window.output[2];
                let each: Vec<f64> = bias.iter().flat_map(|&b| std::iter::repeat_n(b, pixels)).collect();
                self.constant(node, delay, &map, &each, arrivals);
                map.after_layer(part.name, wire::conv(*window, *groups, weight)).map(|map| (delay, map))
            }
        };
        match extended {
            Ok((delay, _)) if delay > 1 => self.refuse(
                node,
                format!("makes signals wait for {delay} steps in all; hardware can make them wait for one"),
            ),
            Ok((delay, map)) => ways.push((node, delay, map)),
            Err(what) => self.refuse(node, what),
        }
    }

    /// Adds a layer's bias to the constant part of the input.
    fn constant(&mut self, node: usize, delay: u32, map: &Map, bias: &[f64], arrivals: &mut Arrivals) {
        if bias.iter().all(|&b| b == 0.0) {
            return;
        }
        if delay > 0 {
            self.refuse(node, "has a bias that is delayed: put the Delay in front of the layer");
        }
        let constant = map.constant(bias, arrivals.constant.len());
        arrivals.constant.iter_mut().zip(constant).for_each(|(sum, c)| *sum += c);
    }
}

/// Weights and factors that must be held to extend `map` by a node.
fn carried(what: &What, map: &Map) -> usize {
    let factors = match map {
        Map::Straight(Some(factor)) => factor.len(),
        Map::Straight(None) | Map::Layer(..) => 0,
    };
    let weights = match what {
        What::Dense { lead, weight, .. } => weight.len().saturating_mul(*lead),
        What::Conv { weight, .. } => weight.len(),
        What::Scale(scale) => scale.len(),
        _ => 0,
    };
    factors.saturating_add(weights)
}

/// The delay that all elements have in common.
fn whole(steps: &[usize]) -> Result<u32, String> {
    let first = steps.first().copied().unwrap_or(0);
    match steps.iter().find(|&&s| s != first || s > 1) {
        None => Ok(first as u32),
        Some(s) if *s > 1 => Err(format!("delays by {s} steps; hardware can make signals wait for one step")),
        Some(_) => Err("delays some elements by a step and others not at all; hardware delays all or none".into()),
    }
}
