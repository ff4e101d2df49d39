//! The files of a design directory that people read.

use super::Design;
use crate::error::{Error, Result};
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
    match design.net.quant.input {
        Input::Constant => format!(
            "an event `{{value, id}}` for each pixel that is not zero (its code of {} bits and its\nrow-major index)",
            design.settings.input_bits
        ),
        Input::Encoded | Input::Train { max: 1 } => {
            "an event `{value, id}` for each input that spikes in this time step (1 and its row-major\nindex)".into()
        }
        Input::Train { max } => {
            format!(
                "an event `{{value, id}}` for each input that spikes in this time step (1 to {max} spikes, and its\nrow-major index)"
            )
        }
    }
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
