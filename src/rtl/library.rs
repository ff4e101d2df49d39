//! The hand-written modules that designs are made of.

use crate::ir::mapped::{Core, MappedNet, Mode, UnitKind};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What the files of event cores ask for their variant that has its weights outside, a module of its own.
const EXTERNAL: &str = "SF_EXTERNAL_WEIGHTS";

/// Name, text and the modules that it instantiates.
type Module = (&'static str, &'static str, &'static [&'static str]);

const MODULES: &[Module] = &[
    ("sf_divide", include_str!("../../rtl_templates/lib/sf_divide.v"), &[]),
    ("sf_passes", include_str!("../../rtl_templates/lib/sf_passes.v"), &[]),
    ("sf_scale", include_str!("../../rtl_templates/lib/sf_scale.v"), &[]),
    ("sf_weight_fetch", include_str!("../../rtl_templates/lib/sf_weight_fetch.v"), &["sf_spill"]),
    ("sf_weight_port", include_str!("../../rtl_templates/lib/sf_weight_port.v"), &["sf_spill"]),
    ("sf_sweep", include_str!("../../rtl_templates/lib/sf_sweep.v"), &[]),
    ("sf_table", include_str!("../../rtl_templates/lib/sf_table.v"), &[]),
    (
        "sf_window_event_core",
        include_str!("../../rtl_templates/lib/sf_window_event_core.v"),
        &[
            "sf_rom",
            "sf_table",
            "sf_window_event_issue",
            "sf_window_taps",
            "sf_product",
            "sf_membrane",
            "sf_sweep",
            "sf_neurons",
        ],
    ),
    (
        "sf_window_event_core_external",
        include_str!("../../rtl_templates/lib/sf_window_event_core.v"),
        &[
            "sf_rom",
            "sf_table",
            "sf_weight_fetch",
            "sf_window_event_issue",
            "sf_window_taps",
            "sf_product",
            "sf_membrane",
            "sf_sweep",
            "sf_neurons",
        ],
    ),
    (
        "sf_window_event_issue",
        include_str!("../../rtl_templates/lib/sf_window_event_issue.v"),
        &["sf_window_fields", "sf_passes", "sf_scale", "sf_divide"],
    ),
    (
        "sf_window_matrix_core",
        include_str!("../../rtl_templates/lib/sf_window_matrix_core.v"),
        &[
            "sf_rom",
            "sf_table",
            "sf_window_matrix_issue",
            "sf_window_buffers",
            "sf_product",
            "sf_tree",
            "sf_membrane",
            "sf_sweep",
            "sf_neurons",
        ],
    ),
    ("sf_window_matrix_issue", include_str!("../../rtl_templates/lib/sf_window_matrix_issue.v"), &[]),
    (
        "sf_window_buffers",
        include_str!("../../rtl_templates/lib/sf_window_buffers.v"),
        &["sf_window_fields", "sf_scale", "sf_bank"],
    ),
    ("sf_window_fields", include_str!("../../rtl_templates/lib/sf_window_fields.v"), &[]),
    ("sf_window_taps", include_str!("../../rtl_templates/lib/sf_window_taps.v"), &[]),
    ("sf_bank", include_str!("../../rtl_templates/lib/sf_bank.v"), &[]),
    ("sf_emit", include_str!("../../rtl_templates/lib/sf_emit.v"), &["sf_spill"]),
    (
        "sf_event_core",
        include_str!("../../rtl_templates/lib/sf_event_core.v"),
        &["sf_rom", "sf_membrane", "sf_neurons", "sf_passes", "sf_product"],
    ),
    (
        "sf_event_core_external",
        include_str!("../../rtl_templates/lib/sf_event_core.v"),
        &["sf_rom", "sf_membrane", "sf_neurons", "sf_passes", "sf_product", "sf_weight_fetch"],
    ),
    ("sf_fork", include_str!("../../rtl_templates/lib/sf_fork.v"), &["sf_spill"]),
    ("sf_lanes", include_str!("../../rtl_templates/lib/sf_lanes.v"), &[]),
    ("sf_leaky_lanes", include_str!("../../rtl_templates/lib/sf_leaky_lanes.v"), &[]),
    (
        "sf_matrix_core",
        include_str!("../../rtl_templates/lib/sf_matrix_core.v"),
        &["sf_rom", "sf_membrane", "sf_neurons", "sf_product", "sf_bank", "sf_tree"],
    ),
    ("sf_membrane", include_str!("../../rtl_templates/lib/sf_membrane.v"), &[]),
    ("sf_merge", include_str!("../../rtl_templates/lib/sf_merge.v"), &["sf_spill"]),
    ("sf_neurons", include_str!("../../rtl_templates/lib/sf_neurons.v"), &["sf_lanes", "sf_leaky_lanes", "sf_emit"]),
    ("sf_product", include_str!("../../rtl_templates/lib/sf_product.v"), &[]),
    ("sf_queue", include_str!("../../rtl_templates/lib/sf_queue.v"), &["sf_spill"]),
    ("sf_rom", include_str!("../../rtl_templates/lib/sf_rom.v"), &[]),
    ("sf_spill", include_str!("../../rtl_templates/lib/sf_spill.v"), &[]),
    ("sf_tree", include_str!("../../rtl_templates/lib/sf_tree.v"), &[]),
];

/// The core that computes in the mode of `core`, with its weights where they are.
pub fn core_module(core: &Core) -> &'static str {
    match (core.mode, core.weights.is_internal()) {
        (Mode::Event { .. }, true) => "sf_event_core",
        (Mode::Event { .. }, false) => "sf_event_core_external",
        (Mode::Matrix { .. }, _) => "sf_matrix_core",
        (Mode::WindowEvent { .. }, true) => "sf_window_event_core",
        (Mode::WindowEvent { .. }, false) => "sf_window_event_core_external",
        (Mode::WindowMatrix { .. }, _) => "sf_window_matrix_core",
    }
}

/// The modules that the units of `net` need, by name.
pub fn needed(net: &MappedNet) -> BTreeMap<&'static str, Cow<'static, str>> {
    let mut open: Vec<&str> = net
        .units
        .iter()
        .map(|unit| match &unit.kind {
            UnitKind::Core(core) => core_module(core),
            UnitKind::Fork => "sf_fork",
            UnitKind::Merge { .. } => "sf_merge",
            UnitKind::Queue { .. } => "sf_queue",
        })
        .collect();
    open.extend(net.weight_port().map(|_| "sf_weight_port"));
    let mut found = BTreeMap::new();
    while let Some(name) = open.pop() {
        if let Some(&(name, text, children)) = MODULES.iter().find(|m| m.0 == name)
            && found.insert(name, resolved(text, name.ends_with("_external"))).is_none()
        {
            open.extend(children);
        }
    }
    found
}

/// `text` without the lines that are only for the other variant. The files stand as they are for tools that define the macro or
/// do not; a design may need both variants, so here each becomes a module.
fn resolved(text: &'static str, external: bool) -> Cow<'static, str> {
    if !text.contains(EXTERNAL) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    // Nothing in these files is conditional on anything else, nor nested.
    let mut kept = true;
    for line in text.lines() {
        match line.strip_prefix('`').map(|directive| directive.split_once(' ').unwrap_or((directive, ""))) {
            Some(("ifdef", EXTERNAL)) => kept = external,
            Some(("ifndef", EXTERNAL)) => kept = !external,
            Some(("else", "")) => kept = !kept,
            Some(("endif", "")) => kept = true,
            _ if kept => {
                out.push_str(line);
                out.push('\n');
            }
            _ => {}
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_alone_in_its_text_and_has_its_name() {
        for &(name, text, children) in MODULES {
            let text = resolved(text, name.ends_with("_external"));
            let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("module ")).collect();
            assert_eq!(heads, [format!("module {name} #(")], "{name}");
            assert!(!text.contains("`if") && !text.contains("`else") && !text.contains("`endif"), "{name}");
            assert!(children.iter().all(|child| MODULES.iter().any(|m| m.0 == *child)), "{name}");
        }
    }
}
