//! Synthesis, place and route of a design directory.

mod device;
mod logs;
mod pins;
mod pnr;
mod step;
mod yosys;

use super::tools::{Found, find};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::mapped::Target;
use device::{Area, BY_SIZE, Device, Pnr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use step::{Step, read};
use yosys::Netlist;

/// What is wanted of a synthesis.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Place, route and make a bitstream as well.
    pub pnr: bool,
    /// The clock that place and route aims at, in MHz; `None` for the device's default (ECP5 100, HX8K 80, UP5K 30).
    pub freq_mhz: Option<f64>,
    /// Seed of the placer.
    pub seed: u64,
    /// Longest time for each tool.
    pub time_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { pnr: false, freq_mhz: None, seed: 1, time_limit: Duration::from_secs(3600) }
    }
}

/// What synthesis found out. Paths are relative to the design directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SynthReport {
    /// The device.
    pub target: Target,
    /// The top module.
    pub top: String,
    /// LUTs: with place and route ECP5 LUT4s or iCE40 logic cells in use, without it the netlist's LUTs.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Block RAMs: DP16KD, SB_RAM40_4K, halves of 18 kbit (xc7), whole memories (generic).
    pub bram: u64,
    /// Multiplier blocks.
    pub dsp: u64,
    /// Clock rate after routing, in MHz; `None` without place and route.
    pub fmax_mhz: Option<f64>,
    /// The clock rate that was asked for; `None` without place and route.
    pub freq_mhz: Option<f64>,
    /// Resources with what the device has of them.
    pub resources: Vec<Resource>,
    /// Cells of the netlist by type.
    pub cells: BTreeMap<String, u64>,
    /// Name and version of every tool that took part.
    pub tool_versions: BTreeMap<String, String>,
    /// What the logs say that deserves a look.
    pub warnings: Vec<String>,
    /// Log files.
    pub logs: Vec<PathBuf>,
    /// The bitstream, after place and route.
    pub bitstream: Option<PathBuf>,
    /// Time that all tools took together.
    pub seconds: f64,
}

/// How much of one resource is in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The resource's name (nextpnr's after place and route).
    pub name: String,
    /// Units in use.
    pub used: u64,
    /// Units in the device, where that is known.
    pub available: Option<u64>,
    /// The same as a percentage.
    pub percent: Option<f64>,
}

impl Resource {
    fn new(name: impl Into<String>, used: u64, available: Option<u64>) -> Self {
        let percent = available.filter(|&a| a > 0).map(|a| 100.0 * used as f64 / a as f64);
        Resource { name: name.into(), used, available, percent }
    }
}

/// Synthesises the design directory `dir` with top module `top` for `target`; scripts, logs, netlist and bitstream stay in
/// `dir/synth/<target>/`.
///
/// Each tool runs with `dir` as its working directory and sees only relative paths.
///
/// # Errors
/// [`Kind::Input`] for a directory without Verilog, or for place and route on a target that has none;
/// [`Kind::MissingTool`]; [`Kind::ToolFailed`] with the end of the log; [`Kind::DoesNotFit`] with the excess of every resource
/// and the targets that would do.
pub fn synth(dir: &Path, top: &str, target: Target, options: &Options) -> Result<SynthReport> {
    let device = Device::of(target);
    let sources = check_request(dir, top, &device, options)?;
    let tools = Tools::find(&device, options)?;
    let start = Instant::now();
    let step = Step::begin(dir, device.name, options.time_limit)?;
    let netlist = yosys::synthesise(&step, &tools.yosys, &device, &sources, top)?;
    check_fit(&device, netlist.area)?;
    let mut logs = vec!["yosys.log"];
    let mut report = report(target, top, &device, &netlist, &tools);
    report.warnings = logs::yosys_warnings(&read(&step.path("yosys.log"))?);
    if let (Some(pnr), Some((nextpnr, packer))) = (&device.pnr, &tools.pnr) {
        let file = fit_pins(&step, &tools.yosys, &device, pnr, (top, &sources), &netlist, &mut report.warnings)?;
        let placed = pnr::place(&step, dir, (nextpnr, packer), pnr, &file, options)?;
        report.warnings.extend(logs::nextpnr_warnings(&read(&step.path("nextpnr.log"))?));
        logs.extend(["nextpnr.log", "pack.log"]);
        let used = |name: &str| placed.resources.iter().find(|r| r.name == name).map(|r| r.used);
        report.lut = used(pnr.lut).unwrap_or(report.lut);
        report.ff = pnr.ff.and_then(used).unwrap_or(report.ff);
        report.fmax_mhz = placed.fmax_mhz;
        report.freq_mhz = Some(options.freq_mhz.unwrap_or(pnr.freq_mhz));
        report.bitstream = Some(placed.bitstream);
        report.resources = placed.resources;
    }
    report.logs = logs.iter().map(|name| Path::new(step.folder()).join(name)).collect();
    report.seconds = start.elapsed().as_secs_f64();
    Ok(report)
}

/// The tools of one synthesis.
struct Tools {
    yosys: Found,
    pnr: Option<(Found, Found)>,
}

impl Tools {
    /// All of them are looked for before the first one runs, so that nothing fails late.
    fn find(device: &Device, options: &Options) -> Result<Tools> {
        use super::tools::Tool;
        let mut problems = Vec::new();
        let mut get = |tool| find(tool).map_err(|e| problems.extend(e.problems)).ok();
        let yosys = get(Tool::Yosys);
        let pnr = device.pnr.as_ref().filter(|_| options.pnr).map(|pnr| (get(pnr.tool), get(pnr.packer)));
        let pnr = match pnr {
            Some((Some(nextpnr), Some(packer))) => Some((nextpnr, packer)),
            _ => None,
        };
        match yosys {
            Some(yosys) if problems.is_empty() => Ok(Tools { yosys, pnr }),
            _ => Err(Error { kind: Kind::MissingTool, problems }),
        }
    }

    fn versions(&self) -> BTreeMap<String, String> {
        let pnr = self.pnr.iter().flat_map(|(a, b)| [a, b]);
        std::iter::once(&self.yosys).chain(pnr).map(|f| (f.tool.name().to_string(), f.version.clone())).collect()
    }
}

/// Everything that can be wrong before a tool runs; returns the Verilog files.
fn check_request(dir: &Path, top: &str, device: &Device, options: &Options) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let legal = top.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && top.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !legal {
        problems.push(Problem::new(format!("'{top}' is not the name of a Verilog module")));
    }
    if options.pnr && device.pnr.is_none() {
        let what = format!("there is no open place and route for the target {}", device.name);
        problems.push(Problem::new(what).help("leave out --pnr, or choose an ECP5 or iCE40 target"));
    }
    if options.freq_mhz.is_some_and(|f| !(f.is_finite() && f > 0.0)) {
        problems
            .push(Problem::new("the clock must be a positive number of MHz").help("give --freq MHZ, or leave it out"));
    }
    let sources = yosys::sources(dir).map_err(|e| problems.extend(e.problems)).unwrap_or_default();
    Error::check(Kind::Input, problems)?;
    Ok(sources)
}

/// Compares the netlist with the device before any time goes into placing it.
fn check_fit(device: &Device, area: Area) -> Result<()> {
    let Some(holds) = device.holds else { return Ok(()) };
    let excess = area.named().into_iter().zip(holds.named()).filter(|((_, used), (_, have))| used > have);
    let larger = BY_SIZE.iter().map(|&t| Device::of(t)).find(|other| would_fit(device, area, other));
    let help = match larger {
        Some(other) => format!("--target {} would hold it; fewer lanes or weight bits make it smaller", other.name),
        None => "no target would hold it: use fewer lanes, fewer weight bits, or a smaller network".to_string(),
    };
    let problems = excess.map(|((name, used), (_, have))| {
        let what = format!("needs {used} {name}, {} has {have}: {} too many", device.name, used - have);
        Problem::new(what).help(&help)
    });
    Error::check(Kind::DoesNotFit, problems.collect())
}

/// An estimate across families: LUTs have four inputs everywhere, block RAM is compared by bits, and a missing multiplier
/// is taken to cost 400 LUTs.
fn would_fit(device: &Device, area: Area, other: &Device) -> bool {
    other.holds.is_some_and(|holds| {
        let lut = area.lut + 400 * area.dsp.saturating_sub(holds.dsp);
        let fits = area.bram * device.bram_bits <= holds.bram * other.bram_bits;
        other.name != device.name && fits && area.ff <= holds.ff && lut <= holds.lut
    })
}

fn report(target: Target, top: &str, device: &Device, netlist: &Netlist, tools: &Tools) -> SynthReport {
    let Area { lut, ff, bram, dsp } = netlist.area;
    let holds = device.holds.map(Area::named);
    let rows = netlist.area.named().into_iter().enumerate();
    let resources = rows.map(|(i, (name, used))| Resource::new(name, used, holds.map(|h| h[i].1))).collect();
    SynthReport {
        target,
        top: top.to_string(),
        lut,
        ff,
        bram,
        dsp,
        fmax_mhz: None,
        freq_mhz: None,
        resources,
        cells: netlist.cells.clone(),
        tool_versions: tools.versions(),
        warnings: Vec::new(),
        logs: Vec::new(),
        bitstream: None,
        seconds: 0.0,
    }
}

/// The netlist to place: the design itself, or the design behind shift registers if the package has too few pins.
fn fit_pins(
    step: &Step,
    yosys: &Found,
    device: &Device,
    pnr: &Pnr,
    (top, sources): (&str, &[String]),
    netlist: &Netlist,
    warnings: &mut Vec<String>,
) -> Result<String> {
    let needed: u64 = netlist.ports.iter().map(|p| p.2).sum();
    if needed <= pnr.pins {
        return Ok("netlist.json".into());
    }
    // No layer can have this name: the prefix belongs to the library.
    let name = "sf_pins";
    let Some(wrapper) = pins::wrapper(top, name, &netlist.ports) else { return Ok("netlist.json".into()) };
    yosys::wrap(step, yosys, device, sources, &wrapper, name)?;
    warnings.push(format!(
        "the design has {needed} port bits, the package {} pins: it was placed between two shift registers, whose about {needed} \
         flip-flops the logic cells include; the bitstream shows that it fits but is of no use on a board",
        pnr.pins
    ));
    Ok(format!("{name}.json"))
}
