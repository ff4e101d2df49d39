//! nextpnr and the bitstream packers: netlist to clock rate and bitstream.

use super::device::Pnr;
use super::logs::{is_full, utilisation};
use super::step::{Step, read};
use super::{Options, Resource};
use crate::error::{Error, Kind, Problem, Result};
use crate::flow::tools::Found;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What place and route found out.
pub(super) struct Placed {
    /// The slowest clock, if there is a path between flip-flops at all.
    pub fmax_mhz: Option<f64>,
    /// Every resource in use.
    pub resources: Vec<Resource>,
    /// The bitstream, relative to the design directory.
    pub bitstream: PathBuf,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    fmax: BTreeMap<String, Clock>,
    #[serde(default)]
    utilization: BTreeMap<String, Used>,
}

#[derive(Deserialize)]
struct Clock {
    achieved: f64,
}

#[derive(Deserialize)]
struct Used {
    used: u64,
    available: u64,
}

/// Places, routes and packs `netlist` (a file in the step's folder).
///
/// # Errors
/// [`Kind::DoesNotFit`] with what is used up; [`Kind::ToolFailed`] for any other failure.
pub(super) fn place(
    step: &Step,
    dir: &Path,
    (nextpnr, packer): (&Found, &Found),
    pnr: &Pnr,
    netlist: &str,
    options: &Options,
) -> Result<Placed> {
    let out = step.folder();
    let text = |name: &str| format!("{out}/{name}");
    let config = text(&format!("design.{}", pnr.output.1));
    let bitstream = text(&format!("design.{}", pnr.bitstream));
    let freq = options.freq_mhz.unwrap_or(pnr.freq_mhz).to_string();
    let (json, report, seed) = (text(netlist), text("nextpnr.json"), options.seed.to_string());
    let mut args = pnr.args.to_vec();
    args.extend(["--json", &json, "--report", &report, pnr.output.0, &config, "--freq", &freq, "--seed", &seed]);
    // A clock below the wish is a result, not a failure.
    args.extend(["--timing-allow-fail", pnr.unconstrained]);
    let constraints = constraints(dir, pnr.constraints.1);
    if let Some(file) = &constraints {
        args.extend([pnr.constraints.0, file]);
    }
    if let Err(error) = step.run(nextpnr, &args, "nextpnr.log") {
        return Err(explain(&read(&step.path("nextpnr.log")).unwrap_or_default(), error));
    }
    step.run(packer, &[&config, &bitstream], "pack.log")?;
    let file = step.path("nextpnr.json");
    let report: Report = serde_json::from_str(&read(&file)?)
        .map_err(|e| Error::internal(format!("does not understand this report of nextpnr: {e}")).in_file(&file))?;
    let fmax_mhz = report.fmax.values().map(|c| c.achieved).min_by(f64::total_cmp);
    let used = report.utilization.into_iter().filter(|(_, u)| u.used > 0);
    let resources = used.map(|(name, u)| Resource::new(name, u.used, Some(u.available))).collect();
    Ok(Placed { fmax_mhz, resources, bitstream: bitstream.into() })
}

/// The board's constraint file in the design directory, relative to it: the first by name.
fn constraints(dir: &Path, ending: &str) -> Option<String> {
    let entries = std::fs::read_dir(dir.join("constraints")).ok()?;
    let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    let file = names.filter(|n| n.ends_with(&format!(".{ending}"))).min()?;
    Some(format!("constraints/{file}"))
}

/// Turns a failure of nextpnr into "does not fit" where its log says so.
fn explain(log: &str, error: Error) -> Error {
    let rows = utilisation(log);
    let over: Vec<Problem> = rows
        .iter()
        .filter(|(_, used, available)| used > available)
        .map(|(name, used, available)| {
            let what = format!("needs {used} {name}, the device has {available}: {} too many", used - available);
            Problem::new(what).help("use fewer lanes, fewer weight bits, or a larger target")
        })
        .collect();
    match over.is_empty() {
        false => Error { kind: Kind::DoesNotFit, problems: over },
        true if is_full(log) => Error { kind: Kind::DoesNotFit, ..error },
        true => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_device_does_not_fit() {
        let failed = || Error::new(Kind::ToolFailed, Problem::new("nextpnr failed"));
        let table = "Info: Device utilisation:\nInfo: \t DP16KD:      70/     56   125%\n\n";
        let full = explain(table, failed());
        assert_eq!(full.kind, Kind::DoesNotFit);
        assert!(full.to_string().contains("needs 70 DP16KD, the device has 56: 14 too many"), "{full}");
        assert_eq!(explain("ERROR: Unable to find legal placement for cell 'x'", failed()).kind, Kind::DoesNotFit);
        assert_eq!(explain("ERROR: no such file", failed()), failed());
    }
}
