//! What is lost on an interpreter that passes over Synfire's notes.

use super::presentation;
use crate::frontends::nir::convention::Rows;
use crate::frontends::nir::{NirGraph, Node};
use crate::ir::quant::{Coding, Neuron, QuantGraph};

/// Sentences, one for each kind of note that the graph holds.
pub(super) fn of(net: &QuantGraph, graph: &NirGraph) -> Vec<String> {
    let with = |key: &str| {
        let units = graph.nodes.values().filter_map(|node| match node {
            Node::Unit(unit) => Some(unit),
            Node::Graph(_) => None,
        });
        units.filter(|unit| unit.metadata.contains_key(key)).count()
    };
    let steps = net.timesteps;
    let mut needs = Vec::new();
    // Of several keys, the first one counts.
    let mut need = |key: &str, text: &str| {
        let nodes = with(key.split(',').next().unwrap_or(key));
        if nodes > 0 {
            needs.push(format!("{key} ({nodes} nodes): {text}"));
        }
    };
    need("synfire_v_init", "membranes begin at this value; NIR's begin at 0");
    need(
        "synfire_reset",
        "says whether a spike subtracts the threshold or sets v_reset; NIR's neurons always do the latter",
    );
    need("synfire_subtract", "a spike subtracts this number");
    need("synfire_compare", "says whether a membrane at its threshold fires; NIR's fire above it only");
    need(
        "synfire_firing, synfire_levels",
        &format!(
            "neurons fire after all {steps} steps of their input, up to {steps} times; NIR's fire as input arrives"
        ),
    );
    if net.coding == Coding::Graded {
        need("synfire_payload", "a count n is sent once as the value n; NIR's neurons send 1 a spike");
    }
    need("synfire_spikes", "neurons fire as often in a step as the threshold fits, up to this often; NIR's fire once");
    // The note "none" says what NIR's neurons do.
    if net.populations.iter().any(|p| matches!(&p.neuron, Neuron::MultiSpike(multi) if multi.floor)) {
        need("synfire_floor", "membranes end no step below the negative threshold; NIR's have no floor");
    }
    need("synfire_decay", "decayed states are truncated to whole numbers; NIR's are not rounded");
    need("synfire_limits", "membranes are clamped to these limits; NIR's have none");
    let presentation = presentation(net);
    let rows = match presentation.rows {
        Rows::First => "pixel codes enter in the first step, followed by zeros",
        Rows::Every => "pixel codes enter in every step",
        Rows::Encoded => "pixels enter as the spikes of an integer encoder",
        Rows::Train => "recorded spikes enter",
    };
    needs.push(format!("synfire_input (graph): {rows}; {steps} steps are a sample"));
    if !presentation.pixels.zero.is_empty() {
        needs.push("synfire_pixel_zero (graph): codes are signed, since 0 stands for the mean pixel".to_string());
    }
    needs
}
