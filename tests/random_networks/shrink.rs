//! Makes a failing recipe smaller: fewer populations, smaller ones, fewer synapses, simpler cores, less to send.

use crate::generator::{Kind, Layout, Link, Recipe, Style, Synapse, Taps};
use crate::judge::{Failure, Verdict, Wrong};
use rayon::prelude::*;
use std::collections::HashSet;
use synfire::ir::quant::{Coding, Input};

/// Greedily takes the first of a recipe's simplifications that fails in the same way, and tries again, until none does or `steps`
/// recipes have been tried. Returns the smallest, its failure, and how many were tried. As many recipes are tried at a time as there are
/// threads.
pub fn shrink(
    mut recipe: Recipe,
    mut failure: Failure,
    judge: &(dyn Fn(&Recipe) -> Verdict + Sync),
    steps: usize,
) -> (Recipe, Failure, usize) {
    let mut known: HashSet<String> = HashSet::new();
    let mut tried = 0;
    'smaller: loop {
        let fresh = |candidate: &Recipe| known.insert(serde_json::to_string(candidate).unwrap_or_default());
        let sound = |candidate: &Recipe| failure.wrong == Wrong::Recipe || crate::generator::quants(candidate).is_ok();
        let candidates: Vec<Recipe> =
            candidates(&recipe, failure.run).into_iter().filter(sound).filter(fresh).collect();
        for some in candidates.chunks(rayon::current_num_threads().max(1)) {
            if tried >= steps {
                break 'smaller;
            }
            tried += some.len();
            let fails = |candidate: &Recipe| Some((candidate.clone(), judge(candidate).err()?));
            let found: Vec<_> = some.par_iter().map(fails).collect();
            if let Some((smaller, how)) = found.into_iter().flatten().find(|(_, how)| how.wrong == failure.wrong) {
                // Those that were not looked at may be looked at again.
                candidates.iter().for_each(|other| {
                    if !some.contains(other) {
                        known.remove(&serde_json::to_string(other).unwrap_or_default());
                    }
                });
                (recipe, failure) = (smaller, how);
                continue 'smaller;
            }
        }
        break;
    }
    (recipe, failure, tried)
}

/// Every simplification, those that save most first.
fn candidates(recipe: &Recipe, run: Option<usize>) -> Vec<Recipe> {
    let mut all = Vec::new();
    let mut offer = |candidate: Recipe| {
        if candidate != *recipe {
            all.push(candidate);
        }
    };
    let with = |change: &dyn Fn(&mut Recipe)| {
        let mut recipe = recipe.clone();
        change(&mut recipe);
        repair(&mut recipe);
        recipe
    };
    if let Some(run) = run.filter(|&run| run < recipe.runs.len()) {
        offer(with(&|r| r.runs = vec![r.runs[run].clone()]));
    }
    // Half of the layers, then one.
    let hidden = recipe.layers.len().saturating_sub(1);
    let mut many = hidden.div_ceil(2);
    while many > 0 {
        for first in (0..hidden).step_by(many) {
            offer(with(&|r| (first..(first + many).min(hidden)).rev().for_each(|i| remove(r, i))));
        }
        many /= 2;
    }
    everything(&with, &mut offer);
    for i in 0..recipe.layers.len() {
        one_layer(recipe, i, &with, &mut offer);
    }
    stimulus(&with, &mut offer);
    all
}

type With<'a> = &'a dyn Fn(&dyn Fn(&mut Recipe)) -> Recipe;

/// The same change everywhere.
fn everything(with: With, offer: &mut dyn FnMut(Recipe)) {
    let half = |n: &mut usize| *n = n.div_ceil(2);
    offer(with(&|r| {
        r.source.iter_mut().for_each(half);
        r.layers.iter_mut().flat_map(|layer| &mut layer.shape).for_each(half);
    }));
    offer(with(&|r| r.layers.iter_mut().for_each(|layer| layer.layout = Layout::LEAST)));
    offer(with(&|r| links(r).for_each(|link| _ = taps(link).map(|taps| *taps = Taps::ONE))));
    offer(with(&|r| links(r).for_each(|link| link.synapses = Synapse::Dense)));
    offer(with(&|r| r.source.iter_mut().for_each(half)));
    offer(with(&|r| r.timesteps = 1));
    offer(with(&|r| r.timesteps = r.timesteps.div_ceil(2)));
    offer(with(&|r| r.signed = false));
    offer(with(&|r| r.pixel_bits = 1));
    offer(with(&|r| r.input = Input::Constant));
    offer(with(&|r| links(r).for_each(|link| link.limit = 1)));
}

/// What can be left out of a layer.
fn one_layer(recipe: &Recipe, i: usize, with: With, offer: &mut dyn FnMut(Recipe)) {
    let layer = &recipe.layers[i];
    for l in 0..layer.from.len() {
        if layer.from.len() > 1 {
            offer(with(&|r| _ = r.layers[i].from.remove(l)));
        }
        offer(with(&|r| r.layers[i].from[l].synapses = Synapse::Dense));
        offer(with(&|r| _ = taps(&mut r.layers[i].from[l]).map(|taps| *taps = Taps::ONE)));
        offer(with(&|r| _ = taps(&mut r.layers[i].from[l]).map(|taps| taps.stride = [1, 1])));
        offer(with(&|r| _ = taps(&mut r.layers[i].from[l]).map(|taps| taps.pad = [0, 0])));
        offer(with(&|r| r.layers[i].from[l].density = r.layers[i].from[l].density.min(30)));
    }
    offer(with(&|r| r.layers[i].shape = vec![1]));
    for axis in 0..layer.shape.len() {
        offer(with(&|r| r.layers[i].shape[axis] = r.layers[i].shape[axis].div_ceil(2)));
        offer(with(&|r| r.layers[i].shape[axis] = (r.layers[i].shape[axis] - 1).max(1)));
    }
    offer(with(&|r| r.layers[i].layout = Layout::LEAST));
    offer(with(&|r| r.layers[i].layout = Layout { matrix: r.layers[i].layout.matrix, ..Layout::LEAST }));
    offer(with(&|r| r.layers[i].shared = true));
    offer(with(&|r| r.layers[i].layout.lanes = 1));
    offer(with(&|r| r.layers[i].layout.external = false));
    offer(with(&|r| r.layers[i].layout.banks = [1, 1]));
    match layer.neuron {
        Kind::Leaky(_) => {
            offer(with(&|r| r.layers[i].neuron = Kind::If));
            offer(with(&|r| r.layers[i].neuron = Kind::Leaky(Style { alike: true, ..Style::default() })));
        }
        Kind::Sum | Kind::Max | Kind::Multi { .. } => offer(with(&|r| r.layers[i].neuron = Kind::If)),
        Kind::LeakyReadout(_) => offer(with(&|r| r.layers[i].neuron = Kind::Readout)),
        Kind::If | Kind::Readout => {}
    }
}

/// Less to send.
fn stimulus(with: With, offer: &mut dyn FnMut(Recipe)) {
    offer(with(&|r| r.runs.iter_mut().for_each(|run| run.images = 1)));
    offer(with(&|r| r.runs.iter_mut().for_each(|run| run.images = run.images.div_ceil(2))));
    offer(with(&|r| r.runs.iter_mut().for_each(|run| run.disturb = 0)));
    offer(with(&|r| {
        r.runs.iter_mut().for_each(|run| (run.input, run.output) = ("always".into(), "always".into()));
    }));
    offer(with(&|r| r.runs.iter_mut().for_each(|run| run.density = run.density.min(20))));
}

fn links(recipe: &mut Recipe) -> impl Iterator<Item = &mut Link> {
    recipe.layers.iter_mut().flat_map(|layer| &mut layer.from)
}

fn taps(link: &mut Link) -> Option<&mut Taps> {
    match &mut link.synapses {
        Synapse::Dense => None,
        Synapse::Conv { taps, .. } | Synapse::Channelwise { taps, .. } => Some(taps),
    }
}

/// Removes hidden layer `i`; whoever read it reads what it read first.
fn remove(recipe: &mut Recipe, i: usize) {
    let (gone, instead) = (i + 1, recipe.layers[i].from[0].pre);
    recipe.layers.remove(i);
    for link in links(recipe) {
        if link.pre == gone {
            link.pre = instead;
        }
        if link.pre > gone {
            link.pre -= 1;
        }
    }
}

/// Makes synapses fit the populations again, and removes what nobody reads.
fn repair(recipe: &mut Recipe) {
    while let Some(unread) = (1..recipe.layers.len()).find(|&pop| {
        let reads =
            |(i, layer): (usize, &crate::generator::Layer)| i + 1 != pop && layer.from.iter().any(|l| l.pre == pop);
        !recipe.layers.iter().enumerate().any(reads)
    }) {
        remove(recipe, unread - 1);
    }
    if recipe.coding != Coding::Rate {
        links(recipe).for_each(|link| link.delay = 0);
    }
    for i in 0..recipe.layers.len() {
        for l in 0..recipe.layers[i].from.len() {
            let (input, output) = (recipe.image(recipe.layers[i].from[l].pre)[0], recipe.image(i + 1)[0]);
            match &mut recipe.layers[i].from[l].synapses {
                Synapse::Conv { groups, .. } if !input.is_multiple_of(*groups) || !output.is_multiple_of(*groups) => {
                    *groups = 1;
                }
                Synapse::Channelwise { from, to, channels, .. } => {
                    *channels = (*channels).min(input).min(output);
                    *from = (*from).min(input - *channels);
                    *to = (*to).min(output - *channels);
                }
                Synapse::Dense | Synapse::Conv { .. } => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::draw;
    use crate::judge::Tally;

    /// A failure that only needs one feature shrinks to little more than that feature.
    #[test]
    fn a_recipe_shrinks_to_what_its_failure_needs() {
        let strided = |recipe: &Recipe| {
            let mut recipe = recipe.clone();
            links(&mut recipe).any(|link| taps(link).is_some_and(|taps| taps.stride[0] > 1))
        };
        let judge = |recipe: &Recipe| match strided(recipe) {
            true => Err(Failure::new(Wrong::Cycles, Some(0), "a stride")),
            false => Ok(Tally::default()),
        };
        let large = (0..).map(draw).find(|recipe| recipe.layers.len() >= 5 && strided(recipe)).unwrap();
        let failure = judge(&large).unwrap_err();
        let (small, _, tried) = shrink(large, failure, &judge, 400);
        let neurons: usize = small.layers.iter().map(|layer| layer.shape.iter().product::<usize>()).sum();
        assert!(small.layers.len() == 1 && neurons <= 2 && small.runs.len() == 1, "{tried} steps: {small:?}");
        assert_eq!(small.layers[0].layout, Layout::LEAST);
        let text = serde_json::to_string(&small).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&text).unwrap(), small);
    }
}
