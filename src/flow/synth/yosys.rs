//! Yosys: Verilog to a netlist of the device's cells.

use super::device::{Area, Device};
use super::step::{Step, read};
use crate::error::{Error, Problem, Result};
use crate::flow::sources::rtl_files;
use crate::flow::tools::Found;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use std::path::Path;

/// A netlist, by what matters here.
pub(super) struct Netlist {
    /// Cells added up.
    pub area: Area,
    /// Cells by type.
    pub cells: BTreeMap<String, u64>,
    /// Ports of the top: name, true for an input, width.
    pub ports: Vec<(String, bool, u64)>,
}

/// The design's Verilog files relative to `dir`, sorted.
pub(super) fn sources(dir: &Path) -> Result<Vec<String>> {
    let files = rtl_files(dir, &[".v"])?;
    if let Some(bad) = files.iter().find(|f| !f.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))) {
        // The name goes into a script.
        return Err(Problem::new("has a name that Yosys scripts cannot hold").in_file(bad).help("rename it").into());
    }
    Ok(files)
}

/// Synthesises `sources` and leaves `synth.ys`, `yosys.log`, `netlist.json` and `stat.json` in the step's folder.
pub(super) fn synthesise(
    step: &Step,
    yosys: &Found,
    device: &Device,
    sources: &[String],
    top: &str,
) -> Result<Netlist> {
    let out = step.folder();
    let mut script = read_commands(sources);
    script += &format!("{} -top {top}\n", device.synth);
    if device.pnr.is_none() && device.name == "generic" {
        // Memories stay as they are; everything else becomes LUTs with four inputs.
        script += "opt -fast -full\ntechmap\nopt -fast\nabc -lut 4\nopt -fast\nclean\n";
    }
    script += &format!("check\ntee -q -o {out}/stat.json stat -json\nwrite_json {out}/netlist.json\n");
    run_script(step, yosys, "synth.ys", &script, "yosys.log")?;
    load(step, device, top)
}

/// Synthesises `sources` once more with the module in `wrapper` (Verilog) around them, into `<name>.json`.
pub(super) fn wrap(
    step: &Step,
    yosys: &Found,
    device: &Device,
    sources: &[String],
    wrapper: &str,
    name: &str,
) -> Result<()> {
    let out = step.folder();
    step.write(&format!("{name}.v"), wrapper)?;
    let mut script = read_commands(sources);
    script +=
        &format!("read_verilog -defer {out}/{name}.v\n{} -top {name}\nwrite_json {out}/{name}.json\n", device.synth);
    run_script(step, yosys, "pins.ys", &script, "pins.log")
}

fn read_commands(sources: &[String]) -> String {
    let heading = "# Run in the design directory: the memory images are found relative to it.\n".to_string();
    sources.iter().fold(heading, |script, file| script + &format!("read_verilog -defer {file}\n"))
}

fn run_script(step: &Step, yosys: &Found, file: &str, script: &str, log: &str) -> Result<()> {
    step.write(file, script)?;
    step.run(yosys, &["-s", &format!("{}/{file}", step.folder())], log)
}

#[derive(Deserialize)]
struct Stat {
    design: Module,
}

#[derive(Deserialize)]
struct Module {
    num_cells_by_type: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Json {
    modules: BTreeMap<String, JsonModule>,
}

#[derive(Deserialize)]
struct JsonModule {
    ports: BTreeMap<String, JsonPort>,
}

#[derive(Deserialize)]
struct JsonPort {
    direction: String,
    bits: Vec<IgnoredAny>,
}

fn load(step: &Step, device: &Device, top: &str) -> Result<Netlist> {
    let stat: Stat = parse(&step.path("stat.json"))?;
    let json: Json = parse(&step.path("netlist.json"))?;
    let mut cells = stat.design.num_cells_by_type;
    // Notes about the flattened hierarchy, not hardware.
    cells.remove("$scopeinfo");
    let area = device.count.area(cells.iter().map(|(cell, number)| (cell.as_str(), *number)));
    let ports = json.modules.into_iter().find(|(name, _)| name == top).map(|(_, module)| module.ports);
    let ports = ports.unwrap_or_default().into_iter();
    let ports = ports.map(|(name, port)| (name, port.direction == "input", port.bits.len() as u64)).collect();
    Ok(Netlist { area, cells, ports })
}

/// Reads a JSON file; some versions of Yosys put a heading in front of it.
fn parse<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<T> {
    let text = read(file)?;
    let json = &text[text.find('{').unwrap_or(0)..];
    serde_json::from_str(json)
        .map_err(|e| Error::internal(format!("does not understand this output of Yosys: {e}")).in_file(file))
}
