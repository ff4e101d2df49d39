//! Every mode that a core may be given.

use super::request::{Choice, ModeChoice};
use super::weights::WIDEST;
use crate::ir::mapped::{Core, Mode, Payload};
use crate::ir::quant::Combine;

/// The most channels or rows that are chosen without being asked for.
const MOST: usize = 64;

/// The most weights per cycle and core that are chosen without being asked for: on a device its size limits long before,
/// without one this is what "fast" means, for a simulator too.
const MOST_PRODUCTS: usize = 256;

/// Every mode that `core` may be given, smallest parallelism first; never empty.
pub(super) fn options(core: &Core, choice: &Choice) -> Vec<Mode> {
    let mut options = Vec::new();
    let outside = !core.weights.is_internal();
    let free = choice.lanes.is_none();
    for lanes in lanes(core, choice) {
        if choice.mode != ModeChoice::Matrix {
            events(core, choice, lanes, &mut options);
        }
        if choice.mode != ModeChoice::Event && !outside {
            options.extend(rows(core, choice, lanes).into_iter().map(|rows| match core.mode.is_window() {
                true => Mode::WindowMatrix { rows, lanes },
                false => Mode::Matrix { rows, lanes },
            }));
        }
    }
    // Asked for or not: one channel at a time and one bank are always there.
    let modest = |mode: &Mode| mode.lanes() * mode.rows() <= MOST_PRODUCTS;
    let asked = |mode: &Mode| match mode.is_event() {
        true => !free && choice.banks.fixed(),
        false => !free && choice.rows.is_some(),
    };
    let smallest = options.iter().map(|mode| mode.lanes() * mode.rows()).min().unwrap_or(1);
    options.retain(|mode| asked(mode) || modest(mode) || mode.lanes() * mode.rows() == smallest);
    if outside && free {
        let bits = |mode: &Mode| Core { mode: *mode, ..core.clone() }.weight_word_bits();
        let narrowest = options.iter().map(bits).min().unwrap_or(0);
        options.retain(|mode| bits(mode) <= WIDEST.max(narrowest));
    }
    options
}

/// How many channels a cycle.
fn lanes(core: &Core, choice: &Choice) -> Vec<usize> {
    let channels = core.extent[0];
    match choice.lanes {
        Some(lanes) => vec![lanes],
        None => {
            let mut lanes: Vec<usize> = powers(channels).collect();
            // All channels at once, where they are few.
            if channels <= MOST && !channels.is_power_of_two() {
                lanes.push(channels);
            }
            lanes
        }
    }
}

fn events(core: &Core, choice: &Choice, lanes: usize, options: &mut Vec<Mode>) {
    let payloads = match choice.payload {
        _ if !shifts(core) => vec![Payload::Multiply],
        Some(payload) => vec![payload],
        None if core.value_bits > 1 => vec![Payload::Multiply, Payload::ShiftAdd],
        None => vec![Payload::Multiply],
    };
    if !core.mode.is_window() {
        options.extend(payloads.iter().map(|&payload| Mode::Event { lanes, payload }));
        return;
    }
    for banks in choice.banks.options(core) {
        options.extend(payloads.iter().map(|&payload| Mode::WindowEvent { lanes, banks, payload }));
    }
}

/// How many inputs a cycle.
fn rows(core: &Core, choice: &Choice, lanes: usize) -> Vec<usize> {
    let senders = match core.mode.is_window() {
        true => core.fields.iter().map(|input| input.window.input[0]).max().unwrap_or(1),
        false => core.inputs,
    };
    match choice.rows {
        Some(rows) => vec![rows],
        // The hardware finds a sender's row in the lowest bits of its id. Up to all senders at once: three channels take one cycle.
        None => {
            powers(senders.next_power_of_two()).filter(|&rows| rows == 1 || rows * lanes <= MOST_PRODUCTS).collect()
        }
    }
}

fn powers(limit: usize) -> impl Iterator<Item = usize> {
    (0..).map(|k| 1usize << k).take_while(move |&n| n <= limit.min(MOST))
}

/// True if the core may shift and add.
pub(super) fn shifts(core: &Core) -> bool {
    !core.value_signed && core.combine == Combine::Sum
}
