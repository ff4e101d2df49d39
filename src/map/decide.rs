//! One sentence a core: what it became, what that costs, and what the other mode would have cost.

use super::auto::{Layer, Plan, Problem};
use super::cost::cycles;
use super::request::ModeChoice;
use crate::fixed::{grouped, grouped_tenths};
use crate::ir::mapped::{Core, MappedNet, Mode, Payload};

/// The sentences of all cores of `net`, in order.
pub(super) fn sentences(net: &MappedNet, problem: &Problem, plan: &Plan) -> Vec<String> {
    let (slowest, interval) = plan.slowest();
    let describe = |(i, (_, unit, _)): (usize, _)| -> String {
        let unit: &crate::ir::mapped::Unit = unit;
        let layer = &problem.layers[i];
        let core = Core { mode: plan.modes[i], ..layer.core.clone() };
        let mut text = format!(
            "{}: {}: {} cycles per image predicted ({})",
            unit.name,
            layout(core.mode),
            grouped_tenths(cycles(&core, &layer.input)),
            formula(&core, layer)
        );
        text += &alternative(problem, plan, i);
        if interval <= problem.border && i == 0 {
            text += &format!(
                "; the input's {} beats per image set the pace, so nothing here needs to be faster",
                grouped_tenths(problem.border)
            );
        } else if interval > problem.border && i == slowest {
            text += &format!("; it sets the pace, one image in {} cycles", grouped_tenths(interval));
            text += if layer.options.len() > 1 {
                ", and no faster layout stays within the limits"
            } else {
                ", in the layout that was asked for"
            };
        }
        text
    };
    net.cores().enumerate().map(describe).collect()
}

/// `event, 16 lanes, multiply` or `matrix, 4 rows × 16 lanes`.
fn layout(mode: Mode) -> String {
    let lanes = |n: usize| format!("{n} lane{}", if n == 1 { "" } else { "s" });
    match mode {
        Mode::Event { lanes: n, payload: Payload::Multiply } => format!("event, {}, multiply", lanes(n)),
        Mode::Event { lanes: n, payload: Payload::ShiftAdd } => format!("event, {}, shift-add", lanes(n)),
        Mode::WindowEvent { lanes: n, banks: [rows, columns], payload } => {
            let payload = if payload == Payload::Multiply { "multiply" } else { "shift-add" };
            format!("event, {} × {rows}×{columns} banks, {payload}", lanes(n))
        }
        Mode::Matrix { rows, lanes: n } | Mode::WindowMatrix { rows, lanes: n } => {
            format!("matrix, {rows} row{} × {}", if rows == 1 { "" } else { "s" }, lanes(n))
        }
    }
}

/// How the cycles come about.
fn formula(core: &Core, layer: &Layer) -> String {
    let slots = core.fire.slots();
    let groups = match core.groups() {
        1 => "1 group".to_string(),
        n => format!("{} groups", grouped(n as u64)),
    };
    let phases = if core.phases > 1 { format!("{} phases × ", core.phases) } else { String::new() };
    match core.mode {
        Mode::Event { payload, .. } | Mode::WindowEvent { payload, .. } => {
            let (count, what) = match payload {
                Payload::Multiply => (layer.input.events, "events"),
                Payload::ShiftAdd => (layer.input.set_bits, "set bits"),
            };
            format!("{} {what} × {groups} + {phases}{groups} × {slots} to fire", grouped_tenths(count))
        }
        Mode::Matrix { .. } | Mode::WindowMatrix { .. } => {
            format!("{phases}{groups} × ({} chunks + {slots} to fire)", grouped(core.chunks() as u64))
        }
    }
}

/// What the other mode could do at its fastest within the limits.
fn alternative(problem: &Problem, plan: &Plan, i: usize) -> String {
    let layer = &problem.layers[i];
    let chosen = plan.modes[i];
    if layer.choice.mode != ModeChoice::Auto {
        return format!(", {} mode as asked", chosen.name());
    }
    let time = |mode: Mode| cycles(&Core { mode, ..layer.core.clone() }, &layer.input);
    let others = layer.options.iter().enumerate().filter(|(_, (mode, _))| mode.name() != chosen.name());
    let fitting = others.filter(|&(pick, _)| problem.within(&problem.with(plan, i, pick).area));
    let now = time(chosen);
    // The slowest of those that are as fast is the one that would have been taken; otherwise the fastest there is.
    let key = |mode: Mode| {
        let t = time(mode);
        if t <= now { (0, -t) } else { (1, t) }
    };
    let best = fitting
        .map(|(_, &(mode, _))| mode)
        .min_by(|&a, &b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    let other = if chosen.is_event() { "matrix" } else { "event" };
    match best {
        None => format!("; {other} mode would not stay within the limits"),
        Some(mode) if time(mode) <= now => {
            format!("; {} would need {} cycles but more area", layout(mode), grouped_tenths(time(mode)))
        }
        Some(mode) => format!("; {} would need {} cycles", layout(mode), grouped_tenths(time(mode))),
    }
}
