//! The hand-written modules that designs are made of.

use crate::ir::mapped::{Mode, Unit, UnitKind};
use std::collections::BTreeMap;

/// Name, text and the modules that it instantiates.
type Module = (&'static str, &'static str, &'static [&'static str]);

const MODULES: &[Module] = &[
    ("sf_divide", include_str!("../../rtl_templates/lib/sf_divide.v"), &[]),
    ("sf_passes", include_str!("../../rtl_templates/lib/sf_passes.v"), &[]),
    ("sf_scale", include_str!("../../rtl_templates/lib/sf_scale.v"), &[]),
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

/// The core that computes in `mode`.
pub fn core_module(mode: Mode) -> &'static str {
    match mode {
        Mode::Event { .. } => "sf_event_core",
        Mode::Matrix { .. } => "sf_matrix_core",
        Mode::WindowEvent { .. } => "sf_window_event_core",
        Mode::WindowMatrix { .. } => "sf_window_matrix_core",
    }
}

/// The modules that these units need, by name.
pub fn needed(units: &[Unit]) -> BTreeMap<&'static str, &'static str> {
    let mut open: Vec<&str> = units
        .iter()
        .map(|unit| match &unit.kind {
            UnitKind::Core(core) => core_module(core.mode),
            UnitKind::Fork => "sf_fork",
            UnitKind::Merge { .. } => "sf_merge",
            UnitKind::Queue { .. } => "sf_queue",
        })
        .collect();
    let mut found = BTreeMap::new();
    while let Some(name) = open.pop() {
        if let Some(&(name, text, children)) = MODULES.iter().find(|m| m.0 == name)
            && found.insert(name, text).is_none()
        {
            open.extend(children);
        }
    }
    found
}
