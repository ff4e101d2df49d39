//! What to say, and to advise, when a network is too large for the device.

use super::auto::Problem as Layout;
use super::cost::larger;
use super::request::{Choice, ModeChoice};
use super::weights::{OUTSIDE, WeightsChoice};
use crate::error::{Error, Kind, Problem};
use crate::fixed::grouped;

/// Says for each resource by how much the smallest layout is too large, and what would fit.
pub(super) fn does_not_fit(layout: &Layout) -> Error {
    let (Some(device), Some(plan)) = (layout.device, layout.smallest()) else {
        return Error::internal("a layout was refused without a reason");
    };
    let help = advice(layout);
    let mut problems: Vec<Problem> = layout
        .excess(&plan.area)
        .into_iter()
        .map(|(resource, needed, available)| {
            Problem::new(format!(
                "the network does not fit: it needs {} {resource}, {} has {}: {} too many",
                grouped(needed),
                device.name,
                grouped(available),
                grouped(needed - available)
            ))
        })
        .collect();
    if let Some(last) = problems.last_mut() {
        *last = last.clone().help(help);
    }
    Error { kind: Kind::DoesNotFit, problems }
}

fn advice(layout: &Layout) -> String {
    let fits = |variant: Layout| variant.fits();
    let mut ways = Vec::new();
    let asked = layout.layers.iter().any(|l| l.choice.asks());
    if asked && fits(layout.variant(layout.target, |_, choice| *choice = Choice::FREE)) {
        ways.push(match most_lanes(layout) {
            Some(lanes) => {
                format!("at most {lanes} lanes, or leaving lanes, rows, banks and modes to be chosen automatically")
            }
            None => "leaving lanes, rows, banks and modes to be chosen automatically".to_string(),
        });
    }
    let widest = layout.layers.iter().map(|l| l.core.weight_bits).max().unwrap_or(0);
    if let Some(bits) = (2..widest).rev().find(|&bits| fits(with_weights(layout, bits))) {
        ways.push(format!("{bits}-bit weights in place of {widest}-bit ones"));
    }
    let inside = |choice: &Choice| choice.weights == WeightsChoice::Internal && choice.mode != ModeChoice::Matrix;
    if layout.layers.iter().any(|l| inside(&l.choice))
        && fits(layout.variant(layout.target, |core, choice| {
            if inside(choice) {
                core.weights = OUTSIDE;
            }
        }))
    {
        ways.push("external weights in place of internal ones".to_string());
    }
    let targets = std::iter::successors(larger(layout.target), |&t| larger(t));
    if let Some(target) = targets.into_iter().find(|&t| fits(layout.variant(t, |_, _| ()))) {
        ways.push(format!("the target {}", target.name()));
    }
    match ways.as_slice() {
        [] => "no other weight width or supported device would do: use a network with fewer neurons".to_string(),
        ways => format!("what would fit: {}", ways.join("; or ")),
    }
}

fn with_weights(layout: &Layout, bits: u32) -> Layout {
    layout.variant(layout.target, |core, _| core.weight_bits = core.weight_bits.min(bits))
}

/// The most lanes, by halving, with which a request for more would fit.
fn most_lanes(layout: &Layout) -> Option<usize> {
    let asked = layout.layers.iter().filter_map(|l| l.choice.lanes).max()?;
    let halves = std::iter::successors(Some(asked / 2), |n| Some(n / 2)).take_while(|&n| n > 0);
    halves.into_iter().find(|&lanes| {
        let fewer = |choice: &mut Choice| choice.lanes = choice.lanes.map(|n| n.min(lanes));
        layout.variant(layout.target, |_, choice| fewer(choice)).fits()
    })
}
