//! `MappedNet` → Verilog: the text and the memory images of a design, as files in memory.
//!
//! The library modules in `rtl_templates/lib` do the work; what is written here is only what is particular to a network:
//! the top, one wrapper a core, memory images, the bench. The result depends on the `MappedNet` alone, so the same
//! network gives the same bytes.

mod leaky;
mod library;
mod memory;
mod views;
mod window;
mod window_event;
mod window_matrix;

use crate::error::{Error, Result};
use crate::ir::mapped::{MappedNet, Unit, UnitKind};
use crate::ir::stream::Beat;
use askama::Template;
use memory::{beat_image, parameter_image, weight_images};

/// A file of a design, relative to the design directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path with `/` between its parts.
    pub path: String,
    /// Content.
    pub text: String,
}

/// What the emitted bench sends, and what it must receive.
#[derive(Clone, Debug, Default)]
pub struct Vectors {
    /// Beats into the design.
    pub inputs: Vec<Beat>,
    /// Beats out of it.
    pub outputs: Vec<Beat>,
}

/// The Verilog and the memory images of `net`.
pub fn generate(net: &MappedNet) -> Result<Vec<File>> {
    let mut files = vec![File { path: format!("rtl/{}.v", net.top), text: render(&views::top(net))? }];
    for unit in &net.units {
        if let UnitKind::Core(core) = &unit.kind {
            files.push(File { path: format!("rtl/{}.v", unit.name), text: render(&views::core(net, unit, core))? });
            if core.weights.is_internal() {
                for (i, text) in weight_images(net, core).into_iter().enumerate() {
                    files.push(File { path: format!("mem/{}_weights_{i}.hex", unit.name), text });
                }
            }
            files.push(File { path: format!("mem/{}_params.hex", unit.name), text: parameter_image(net, core) });
            for table in views::tables(core) {
                files.push(File { path: format!("mem/{}_{}.hex", unit.name, table.name), text: table.image });
            }
        }
    }
    if let Some(text) = memory::external_image(net) {
        files.push(File { path: "mem/external.hex".into(), text });
    }
    for (name, text) in library::needed(net) {
        files.push(File { path: format!("rtl/{name}.v"), text: text.into_owned() });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The self-checking bench of `net` with its vectors.
pub fn bench(net: &MappedNet, vectors: &Vectors) -> Result<Vec<File>> {
    let (input, output) = (net.stream(net.input()), net.stream(net.output()));
    Ok(vec![
        File { path: "tb/expected.hex".into(), text: beat_image(output, &vectors.outputs) },
        File { path: "tb/input.hex".into(), text: beat_image(input, &vectors.inputs) },
        File { path: "tb/tb.v".into(), text: render(&views::bench(net, vectors))? },
    ])
}

/// The wrapper that holds a unit, if it has a file of its own.
pub fn unit_file(unit: &Unit) -> Option<String> {
    matches!(unit.kind, UnitKind::Core(_)).then(|| format!("rtl/{}.v", unit.name))
}

fn render(template: &impl Template) -> Result<String> {
    let text = template.render().map_err(|e| Error::internal(format!("cannot render a template: {e}")))?;
    // Template control lines leave blank lines behind; at most one in a row is wanted.
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines() {
        let line = line.trim_end();
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    Ok(out)
}
