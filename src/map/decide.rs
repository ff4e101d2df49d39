//! One sentence a core: what it became, what that costs, and what the other mode would have cost.

use super::auto::{Layer, Plan, Problem};
use super::banks;
use super::cost::{cycles, taken};
use super::request::ModeChoice;
use super::weights;
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
        text += &weights::sentence(problem, plan, i);
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
        Mode::Event { lanes: n, payload } | Mode::WindowEvent { lanes: n, payload, .. } => {
            let payload = if payload == Payload::Multiply { "multiply" } else { "shift-add" };
            format!("event, {}{}, {payload}", lanes(n), banks::describe(mode))
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
    let (events, set_bits) = layer.input.iter().fold((0.0, 0.0), |sum, t| (sum.0 + t.events, sum.1 + t.set_bits));
    let count = core.passes(events, set_bits);
    let what = if core.mode.payload() == Some(Payload::ShiftAdd) { "set bits" } else { "events" };
    let fire = format!("{slots} to fire");
    match core.mode {
        Mode::Event { .. } => format!("{} {what} × {groups} + {phases}{groups} × {fire}", grouped_tenths(count)),
        Mode::WindowEvent { .. } => {
            let issued: f64 = layer.input.iter().enumerate().map(|(i, traffic)| taken(core, i, traffic)).sum();
            let each = grouped_tenths(if count > 0.0 { issued / count } else { 0.0 });
            format!("{} {what} × {each} slots + {phases}{groups} × {fire}", grouped_tenths(count))
        }
        Mode::Matrix { .. } => format!("{phases}{groups} × ({} chunks + {fire})", grouped(core.chunks() as u64)),
        Mode::WindowMatrix { .. } => {
            let gathered = core.phase_slots() - core.fire_slots();
            let each = format!("{} slots to gather + {groups} × {fire}", grouped(gathered));
            if phases.is_empty() { each } else { format!("{phases}({each})") }
        }
    }
}

/// What the other mode could do at its fastest within the limits.
fn alternative(problem: &Problem, plan: &Plan, i: usize) -> String {
    let layer = &problem.layers[i];
    let chosen = plan.modes[i];
    if !layer.core.weights.is_internal() && layer.choice.mode == ModeChoice::Auto {
        return String::new();
    }
    if layer.choice.mode != ModeChoice::Auto {
        return format!(", {} mode as asked", chosen.name());
    }
    let time = |pick: usize| layer.options[pick].timing.active;
    let others = (0..layer.options.len()).filter(|&pick| layer.options[pick].mode.name() != chosen.name());
    let fitting = others.filter(|&pick| problem.within(&problem.step(plan, &[(i, pick)]).area));
    let now = time(plan.picks[i]);
    // The slowest of those that are as fast is the one that would have been taken; otherwise the fastest there is.
    let key = |pick: usize| {
        let t = time(pick);
        if t <= now { (0, -t) } else { (1, t) }
    };
    let best = fitting.min_by(|&a, &b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
    let other = if chosen.is_event() { "matrix" } else { "event" };
    let Some(pick) = best else { return format!("; {other} mode would not stay within the limits") };
    let (mode, cycles) = (layout(layer.options[pick].mode), grouped_tenths(time(pick)));
    let price = if time(pick) <= now { " but more area" } else { "" };
    format!("; {mode} would need {cycles} cycles{price}")
}
