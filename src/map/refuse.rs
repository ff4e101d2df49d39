//! What cannot be asked of the mapper, whatever the network is.

use super::banks::BanksChoice;
use super::request::{LayerChoice, MapRequest, ModeChoice};
use crate::error::Problem;
use crate::ir::mapped::MAX_PARALLEL;

impl MapRequest {
    /// Every mistake that can be seen without the network: impossible sizes, and settings that exclude each other.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        check_sizes(None, self.lanes, self.rows, self.banks, &mut problems);
        problems.extend(self.conflict());
        for (key, layer) in &self.overrides {
            check_sizes(Some(key), layer.lanes, layer.rows, layer.banks.unwrap_or_default(), &mut problems);
            problems.extend(conflict(layer).map(|what| Problem::new(what).at_node(key).help("drop one of the two")));
        }
        problems
    }

    /// A setting for the whole network that the mode for the whole network has no use for. It may still be meant for a layer
    /// that asks for another mode.
    fn conflict(&self) -> Option<Problem> {
        let layer_asks = |mode: ModeChoice| {
            self.overrides.values().filter_map(LayerChoice::asked_mode).any(|m| m == mode || m == ModeChoice::Auto)
        };
        match (self.mode, self.rows) {
            (ModeChoice::Event, Some(rows)) if rows > 1 && !layer_asks(ModeChoice::Matrix) => {
                let what = format!("event mode and {rows} rows are asked for, but only matrix mode has rows");
                Some(Problem::new(what).help("drop the rows, or ask for the mode matrix or auto"))
            }
            (ModeChoice::Matrix, _) if self.payload.is_some() && !layer_asks(ModeChoice::Event) => {
                let what = "matrix mode and a payload are asked for, but only event mode has payloads";
                Some(Problem::new(what).help("drop the payload, or ask for the mode event or auto"))
            }
            (ModeChoice::Matrix, _) if self.banks.several() && !layer_asks(ModeChoice::Event) => {
                let what = "matrix mode and several banks are asked for, but only event mode has banks";
                Some(Problem::new(what).help("drop the banks, or ask for the mode event or auto"))
            }
            _ => None,
        }
    }
}

/// Settings of one layer that exclude each other.
fn conflict(layer: &LayerChoice) -> Option<&'static str> {
    let rows = layer.rows.is_some_and(|r| r > 1);
    let banks = layer.banks.is_some_and(BanksChoice::several);
    match layer.mode {
        Some(ModeChoice::Event) if rows => Some("asks for event mode and for rows, which only matrix mode has"),
        Some(ModeChoice::Matrix) if layer.payload.is_some() => {
            Some("asks for matrix mode and for a payload, which only event mode has")
        }
        Some(ModeChoice::Matrix) if banks => Some("asks for matrix mode and for banks, which only event mode has"),
        None if rows && banks => Some("asks for rows (matrix mode) and for banks (event mode)"),
        None if rows && layer.payload.is_some() => Some("asks for rows (matrix mode) and for a payload (event mode)"),
        _ => None,
    }
}

fn check_sizes(
    key: Option<&str>,
    lanes: Option<usize>,
    rows: Option<usize>,
    banks: BanksChoice,
    problems: &mut Vec<Problem>,
) {
    let mut complain = |what: String, help: &str| {
        let problem = Problem::new(what).help(help);
        problems.push(match key {
            Some(key) => problem.at_node(key),
            None => problem,
        });
    };
    if let Some(what) = banks.problem() {
        complain(what, "ask for 1, patch or ROWSxCOLUMNS banks");
    }
    match lanes {
        Some(0) => complain("0 lanes compute nothing".into(), "ask for 1 lane or more, or leave the lanes out"),
        Some(n) if n > MAX_PARALLEL => complain(format!("{n} lanes are too many"), "ask for 65536 lanes or fewer"),
        _ => {}
    }
    match rows {
        Some(n) if !n.is_power_of_two() => {
            complain(format!("{n} rows are not a power of two"), "ask for 1, 2, 4, 8, … rows")
        }
        Some(n) if n > MAX_PARALLEL => complain(format!("{n} rows are too many"), "ask for 65536 rows or fewer"),
        _ => {}
    }
}
