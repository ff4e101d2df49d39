//! What is asked of the mapper.

use crate::error::Problem;
use crate::ir::PopId;
use crate::ir::mapped::{Payload, Target};
use crate::ir::quant::QuantGraph;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which kind of core a layer gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ModeChoice {
    /// The mapper compares predicted cycles and area.
    #[default]
    Auto,
    /// One input event at a time.
    Event,
    /// All inputs in order.
    Matrix,
}

/// What a population sends for one image, on average over the calibration images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Events.
    pub events: f64,
    /// Set bits in the payloads of these events.
    pub set_bits: f64,
}

/// The request for a whole network.
#[derive(Clone, Debug)]
pub struct MapRequest {
    /// The device.
    pub target: Target,
    /// Kind of core.
    pub mode: ModeChoice,
    /// Neurons per cycle; `None`: the mapper chooses.
    pub lanes: Option<usize>,
    /// Inputs per cycle of a matrix core; `None`: the mapper chooses.
    pub rows: Option<usize>,
    /// How event cores multiply; `None`: the mapper chooses.
    pub payload: Option<Payload>,
    /// Exceptions, by population or projection name.
    pub layers: BTreeMap<String, LayerRequest>,
    /// What each population sends.
    pub traffic: Vec<Traffic>,
    /// Share of the device's LUTs and DSPs that automatic choices may use.
    pub max_utilisation: f64,
}

/// The request for one layer; `None` leaves what the whole network is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerRequest {
    /// Kind of core.
    pub mode: Option<ModeChoice>,
    /// Neurons per cycle.
    pub lanes: Option<usize>,
    /// Inputs per cycle.
    pub rows: Option<usize>,
    /// How an event core multiplies.
    pub payload: Option<Payload>,
}

impl Default for MapRequest {
    fn default() -> Self {
        MapRequest {
            target: Target::Generic,
            mode: ModeChoice::Auto,
            lanes: None,
            rows: None,
            payload: None,
            layers: BTreeMap::new(),
            traffic: Vec::new(),
            max_utilisation: 0.8,
        }
    }
}

/// Most neurons per cycle: beyond this the wires, not the adders, are the problem.
const MOST_LANES: usize = 1024;
/// Most inputs per cycle of a matrix core.
const MOST_ROWS: usize = 64;

impl MapRequest {
    /// What is asked of the core of `pop`, exceptions included.
    pub fn layer(&self, quant: &QuantGraph, pop: PopId) -> LayerRequest {
        let mut asked =
            LayerRequest { mode: Some(self.mode), lanes: self.lanes, rows: self.rows, payload: self.payload };
        let projections = quant.projections_into(pop).map(|(_, p)| &p.projection.name);
        for name in projections.chain([&quant.population(pop).name]) {
            if let Some(own) = self.layers.get(name) {
                asked.mode = own.mode.or(asked.mode);
                asked.lanes = own.lanes.or(asked.lanes);
                asked.rows = own.rows.or(asked.rows);
                asked.payload = own.payload.or(asked.payload);
            }
        }
        asked
    }

    /// Everything that is wrong with the request.
    pub fn problems(&self, quant: &QuantGraph) -> Vec<Problem> {
        let mut problems = Vec::new();
        let names: Vec<&String> = quant
            .populations
            .iter()
            .skip(1)
            .map(|p| &p.name)
            .chain(quant.projections.iter().map(|p| &p.projection.name))
            .collect();
        for name in self.layers.keys().filter(|n| !names.contains(n)) {
            let known: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
            problems.push(
                Problem::new("is in the settings, but the network has no such layer")
                    .at_node(name)
                    .help(format!("the layers are {}", known.join(", "))),
            );
        }
        let all = std::iter::once((None, self.lanes, self.rows))
            .chain(self.layers.iter().map(|(name, l)| (Some(name), l.lanes, l.rows)));
        for (name, lanes, rows) in all {
            let mut complain = |what: String| {
                let problem = Problem::new(what);
                problems.push(match name {
                    Some(name) => problem.at_node(name),
                    None => problem,
                });
            };
            if let Some(n) = lanes.filter(|n| !(1..=MOST_LANES).contains(n)) {
                complain(format!("{n} lanes were asked for: 1 to {MOST_LANES} can be built"));
            }
            if let Some(n) = rows.filter(|n| !n.is_power_of_two() || *n > MOST_ROWS) {
                complain(format!("{n} rows were asked for: powers of two up to {MOST_ROWS} can be built"));
            }
        }
        problems
    }
}
