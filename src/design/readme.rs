//! The files of a design directory that people read.

use super::Design;
use crate::error::{Error, Result};
use crate::ir::mapped::Target;
use askama::Template;

#[derive(Template)]
#[template(path = "README.md", syntax = "verilog")]
struct Readme<'a> {
    design: &'a Design,
    target: &'static str,
    first_core: &'a str,
    layers: Vec<Layer<'a>>,
}

struct Layer<'a> {
    name: &'a str,
    inputs: usize,
    neurons: usize,
    mode: &'static str,
    lanes: usize,
    rows: usize,
    membrane_bits: u32,
}

/// The design's README.
pub(super) fn readme(design: &Design) -> Result<String> {
    let layers: Vec<Layer> = design
        .net
        .cores()
        .map(|(_, unit, core)| Layer {
            name: &unit.name,
            inputs: core.inputs,
            neurons: core.neurons,
            mode: core.mode.name(),
            lanes: core.mode.lanes(),
            rows: core.mode.rows(),
            membrane_bits: core.membrane_bits,
        })
        .collect();
    let view =
        Readme { design, target: design.net.target.name(), first_core: layers.first().map_or("", |l| l.name), layers };
    view.render().map_err(|e| Error::internal(format!("cannot render a template: {e}")))
}

/// Pins of a board that carries the target: clock and reset, as a start.
pub(super) fn constraints(target: Target) -> Option<(&'static str, &'static str)> {
    match target {
        Target::Ecp5_25k | Target::Ecp5_85k => Some(("ulx3s.lpf", include_str!("../../constraints/ulx3s.lpf"))),
        Target::Ice40Hx8k => Some(("ice40-hx8k-b-evn.pcf", include_str!("../../constraints/ice40-hx8k-b-evn.pcf"))),
        Target::Ice40Up5k => Some(("icebreaker.pcf", include_str!("../../constraints/icebreaker.pcf"))),
        Target::Xc7 | Target::Generic => None,
    }
}
