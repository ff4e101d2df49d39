//! The files of a design directory that people read.

use super::Design;
use crate::error::{Error, Result};
use crate::ir::layout::IdLayout;
use crate::ir::mapped::Target;
use crate::ir::quant::Input;
use askama::Template;

#[derive(Template)]
#[template(path = "README.md", syntax = "verilog")]
struct Readme<'a> {
    design: &'a Design,
    model: String,
    decisions: Vec<String>,
    target: &'static str,
    /// What the input takes in a phase.
    presented: String,
    /// What the network takes from reset to answer.
    sample: &'static str,
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
    let view = Readme {
        design,
        model: code(&design.origin.model),
        decisions: design.net.decisions.iter().map(|line| plain(line)).collect(),
        target: design.net.target.name(),
        presented: presented(design),
        sample: if design.net.quant.input == Input::Constant { "an image" } else { "a sample" },
        first_core: layers.first().map_or("", |l| l.name),
        layers,
    };
    view.render().map_err(|e| Error::internal(format!("cannot render a template: {e}")))
}

/// The events of one phase, as the object of "send".
fn presented(design: &Design) -> String {
    let quant = &design.net.quant;
    let input = design.net.stream(design.net.input());
    let id = match input.layout {
        IdLayout::Linear { .. } => "its row-major index".to_string(),
        IdLayout::Fields { .. } => {
            let [channel, row, column] = input.layout.bits();
            format!(
                "the bits `{{row, column, channel}}` of its place, {row}, {column} and {channel} of them, the channel's lowest"
            )
        }
    };
    let (who, value) = match quant.input {
        Input::Constant if quant.pixels.zero.iter().any(|&zero| zero != 0) => (
            "for each pixel whose code is not the silent one",
            format!(
                "its code less the silent code of its channel, {:?}: a two's complement number of {} bits",
                quant.pixels.zero, input.value_bits
            ),
        ),
        Input::Constant => ("for each pixel that is not zero", format!("its code of {} bits", quant.pixels.bits)),
        Input::Encoded | Input::Train { max: 1 } => ("for each input that spikes in this time step", "1".to_string()),
        Input::Train { max } => ("for each input that spikes in this time step", format!("1 to {max} spikes")),
    };
    format!("an event `{{value, id}}` {who} (value: {value};\nid: {id})")
}

/// Text from a model file on one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` so that Markdown shows it as it is.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '#' | '<' | '>' | '&' | '[' | ']' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// `text` as a code span of Markdown: fenced by more backticks than any run in it.
fn code(text: &str) -> String {
    let text = one_line(text);
    let (mut run, mut longest) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    if longest > 0 { format!("{fence} {text} {fence}") } else { format!("{fence}{text}{fence}") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(plain("# a\n<b> `c` *d* [e](f) |"), "\\# a \\<b\\> \\`c\\` \\*d\\* \\[e\\](f) \\|");
        assert_eq!(code("a.onnx"), "`a.onnx`");
        assert_eq!(code("a``b`\n"), "``` a``b`  ```");
    }
}
