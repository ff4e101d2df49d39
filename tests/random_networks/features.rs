//! What occurs in networks: the vocabulary that a set of random ones has to cover.

use crate::generator::{Kind, Recipe, Synapse};
use std::collections::BTreeSet;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, UnitKind, Weights};
use synfire::ir::quant::{Coding, Input};

/// Every feature, and every neuron model and kind of synapse in every mode in which it is legal.
pub const WANTED: [&str; 93] = [
    // Neuron models × modes. A maximum is computed by window cores only.
    "graded in event",
    "graded in matrix",
    "graded in window event",
    "graded in window matrix",
    "unit in event",
    "unit in matrix",
    "unit in window event",
    "unit in window matrix",
    "step in event",
    "step in matrix",
    "step in window event",
    "step in window matrix",
    "multi in event",
    "multi in matrix",
    "multi in window event",
    "multi in window matrix",
    "a floor",
    "a count that is no full number of bits",
    "sum in event",
    "sum in matrix",
    "sum in window event",
    "sum in window matrix",
    "max in window event",
    "max in window matrix",
    "leaky value in event",
    "leaky value in matrix",
    "leaky value in window event",
    "leaky value in window matrix",
    "leaky subtract in event",
    "leaky subtract in matrix",
    "leaky subtract in window event",
    "leaky subtract in window matrix",
    "leaky current in event",
    "leaky current in matrix",
    "leaky current in window event",
    "leaky current in window matrix",
    "readout in event",
    "readout in matrix",
    "readout in window event",
    "readout in window matrix",
    "leaky readout in event",
    "leaky readout in matrix",
    "leaky readout in window event",
    "leaky readout in window matrix",
    "leaky readout with a current",
    // Synapses × modes.
    "dense in event",
    "dense in matrix",
    "dense in window event",
    "dense in window matrix",
    "conv in window event",
    "conv in window matrix",
    "channelwise in window event",
    "channelwise in window matrix",
    "delayed in event",
    "delayed in matrix",
    "delayed in window event",
    "delayed in window matrix",
    // Payloads.
    "shift-add in event",
    "shift-add in window event",
    "signed in event",
    "signed in matrix",
    "signed in window event",
    "signed in window matrix",
    // Weights outside.
    "external in event",
    "external in window event",
    // Banks.
    "bank rows",
    "bank columns",
    "more lanes than neurons",
    "one lane of several neurons",
    "lanes that do not divide the channels",
    // Windows.
    "groups",
    "strides",
    "dilation",
    "padding",
    "cropping",
    "a strided skip",
    "a zero-padded skip",
    // Topology.
    "fork",
    "merge",
    "merge of several kinds",
    "merge of signed and unsigned",
    "queue",
    "a loop on itself",
    "a loop through others",
    "a delay past others",
    // Sizes.
    "one layer",
    "eight layers",
    "one neuron",
    "an image of one pixel",
    "one step",
    // Inputs.
    "constant",
    "encoded",
    "train",
];

/// The features of a network.
pub fn features(recipe: &Recipe, net: &MappedNet) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |text: &str| _ = found.insert(text.to_string());
    for unit in &net.units {
        match &unit.kind {
            UnitKind::Fork => add("fork"),
            UnitKind::Merge { .. } => add("merge"),
            UnitKind::Queue { .. } => add("queue"),
            UnitKind::Core(core) => of_core(recipe, net, core, &mut add),
        }
    }
    for link in recipe.layers.iter().flat_map(|layer| &layer.from) {
        of_synapse(link.synapses, &mut add);
    }
    for (i, layer) in recipe.layers.iter().enumerate() {
        for link in layer.from.iter().filter(|link| link.delay == 1) {
            add(match link.pre.cmp(&(i + 1)) {
                std::cmp::Ordering::Equal => "a loop on itself",
                std::cmp::Ordering::Greater => "a loop through others",
                std::cmp::Ordering::Less => "a delay past others",
            });
        }
        if let Synapse::Channelwise { channels, taps, .. } = layer.from[0].synapses
            && taps.kernel == [1, 1]
            && channels < layer.shape[0]
        {
            add("a zero-padded skip");
        }
        if layer.shape.iter().product::<usize>() == 1 {
            add("one neuron");
        }
        if matches!(layer.shape[..], [_, 1, 1]) {
            add("an image of one pixel");
        }
    }
    add(match recipe.layers.len() {
        1 => "one layer",
        8 => "eight layers",
        _ => "layers",
    });
    add(match recipe.input {
        Input::Constant => "constant",
        Input::Encoded => "encoded",
        Input::Train { .. } => "train",
    });
    if recipe.layers.last().and_then(|layer| layer.neuron.style()).is_some_and(|style| style.current) {
        add("leaky readout with a current");
    }
    if recipe.timesteps == 1 {
        add("one step");
    }
    found
}

fn of_core(recipe: &Recipe, net: &MappedNet, core: &Core, add: &mut impl FnMut(&str)) {
    let mode = match core.mode {
        Mode::Event { .. } => "event",
        Mode::Matrix { .. } => "matrix",
        Mode::WindowEvent { .. } => "window event",
        Mode::WindowMatrix { .. } => "window matrix",
    };
    let mut with = |what: &str| add(&format!("{what} in {mode}"));
    let layer = &recipe.layers[core.population.0 - 1];
    match layer.neuron {
        Kind::If => with(match recipe.coding {
            Coding::Graded => "graded",
            Coding::Unit => "unit",
            Coding::Rate => "step",
        }),
        Kind::Sum => with("sum"),
        Kind::Max => with("max"),
        Kind::Multi { .. } => with("multi"),
        Kind::Readout => with("readout"),
        Kind::LeakyReadout(_) => with("leaky readout"),
        Kind::Leaky(style) => {
            with(if style.subtract { "leaky subtract" } else { "leaky value" });
            if style.current {
                with("leaky current");
            }
        }
    }
    if let Kind::Multi { most, floor } = layer.neuron {
        [("a floor", floor), ("a count that is no full number of bits", !(most + 1).is_power_of_two())]
            .iter()
            .filter(|(_, there)| *there)
            .for_each(|(feature, _)| add(feature));
    }
    let mut with = |what: &str| add(&format!("{what} in {mode}"));
    let projections = || core.projections.iter().map(|&p| &net.quant.projection(p).projection);
    let kinds: BTreeSet<&str> = projections().map(|p| p.synapses.name()).collect();
    kinds.iter().for_each(|kind| with(kind));
    if projections().any(|p| p.delay > 0) {
        with("delayed");
    }
    if core.mode.payload() == Some(Payload::ShiftAdd) {
        with("shift-add");
    }
    if core.weights != Weights::Internal {
        with("external");
    }
    if core.value_signed {
        with("signed");
    }
    let (lanes, [channels, ..], banks) = (core.mode.channel_lanes(), core.extent, core.mode.banks());
    for (feature, there) in [
        ("merge of several kinds", kinds.len() > 1),
        (
            "merge of signed and unsigned",
            core.value_signed && projections().any(|p| net.quant.payload_range(p.pre).0 == 0),
        ),
        ("bank rows", banks[0] > 1 && core.extent[1] > 1),
        ("bank columns", banks[1] > 1 && core.extent[2] > 1),
        ("more lanes than neurons", lanes > channels),
        ("one lane of several neurons", lanes == 1 && channels > 1),
        ("lanes that do not divide the channels", lanes < channels && !channels.is_multiple_of(lanes)),
    ] {
        if there {
            add(feature);
        }
    }
}

fn of_synapse(synapse: Synapse, add: &mut impl FnMut(&str)) {
    let taps = match synapse {
        Synapse::Dense => return,
        Synapse::Conv { taps, groups } => {
            if groups > 1 {
                add("groups");
            }
            taps
        }
        Synapse::Channelwise { taps, .. } => {
            if taps.kernel == [1, 1] && taps.stride[0] > 1 {
                add("a strided skip");
            }
            taps
        }
    };
    for (feature, there) in [
        ("strides", taps.stride != [1, 1]),
        ("dilation", (0..2).any(|axis| taps.dilation[axis] > 1 && taps.kernel[axis] > 1)),
        ("padding", taps.pad.iter().any(|&pad| pad > 0)),
        ("cropping", taps.pad.iter().any(|&pad| pad < 0)),
    ] {
        if there {
            add(feature);
        }
    }
}
