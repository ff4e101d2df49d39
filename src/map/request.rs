//! What the caller asks of the mapper, and which part of it applies to which core.

use super::banks::BanksChoice;
use super::cost::Traffic;
use super::options::shifts;
use super::weights::WeightsChoice;
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::PopId;
use crate::ir::mapped::{Core, MAX_PARALLEL, MappedNet, Payload, Target};
use crate::ir::quant::QuantGraph;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How synapses are to be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ModeChoice {
    /// Whatever the cost model finds best, core by core.
    #[default]
    Auto,
    /// One input event at a time.
    Event,
    /// All inputs in order.
    Matrix,
}

/// What is asked for one layer; a field that is `None` follows the whole network's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerChoice {
    /// Event or matrix. Without it, `rows` above 1 imply matrix mode, and `payload` or several `banks` imply event mode.
    pub mode: Option<ModeChoice>,
    /// Neurons per cycle; in layers with pixels channels per cycle.
    pub lanes: Option<usize>,
    /// Inputs per cycle (matrix mode); a power of two.
    pub rows: Option<usize>,
    /// Lanes and rows are left to the cost model, whatever is asked of the whole network.
    pub automatic: [bool; 2],
    /// How a payload meets the weights (event mode).
    pub payload: Option<Payload>,
    /// Banks of membranes (event mode, layers with pixels).
    pub banks: Option<BanksChoice>,
    /// Where the weights are; outside in event mode only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsChoice>,
}

impl LayerChoice {
    /// The mode that is asked for, in so many words or by a setting that only one mode has.
    pub(super) fn asked_mode(&self) -> Option<ModeChoice> {
        self.mode.or(match (self.rows, self.payload) {
            (Some(rows), _) if rows > 1 => Some(ModeChoice::Matrix),
            (_, Some(_)) => Some(ModeChoice::Event),
            _ if self.banks.is_some_and(BanksChoice::several) => Some(ModeChoice::Event),
            _ => None,
        })
    }
}

/// What is asked of the mapper. `None` leaves a choice to the cost model.
#[derive(Clone, Debug)]
pub struct MapRequest {
    /// The device family.
    pub target: Target,
    /// Mode of every core that no override decides.
    pub mode: ModeChoice,
    /// Neurons per cycle, in layers with pixels channels per cycle. A layer with fewer gets as many lanes as it has: more would change
    /// no cycle.
    pub lanes: Option<usize>,
    /// Inputs per cycle of the cores in matrix mode; a power of two.
    pub rows: Option<usize>,
    /// How a payload meets the weights in the cores in event mode; cores that cannot shift and add multiply all the same.
    pub payload: Option<Payload>,
    /// Banks of membranes of the cores in event mode that have pixels.
    pub banks: BanksChoice,
    /// Where the weights are.
    pub weights: WeightsChoice,
    /// Exceptions by name of the population, of a projection into it, or of the core that it becomes.
    pub overrides: BTreeMap<String, LayerChoice>,
    /// Mean events per image that each population sends (in unit and rate coding: spikes), measured on the
    /// calibration set. Empty: every neuron is taken to send all it can.
    pub events: Vec<f64>,
    /// Mean number of set bits in the payload of an event, per population, at least 1: what shift-add costs. Empty:
    /// half of the payload's bits.
    pub event_bits: Vec<f64>,
    /// The share of LUTs and multipliers that `auto` may fill when it makes a layer faster, in `(0, 1]`. Block RAMs may
    /// be used up.
    pub max_utilisation: f64,
}

impl MapRequest {
    /// Everything automatic for `target`, with no knowledge of the events.
    pub fn new(target: Target) -> Self {
        MapRequest {
            target,
            mode: ModeChoice::Auto,
            lanes: None,
            rows: None,
            payload: None,
            banks: BanksChoice::Auto,
            weights: WeightsChoice::Auto,
            overrides: BTreeMap::new(),
            events: Vec::new(),
            event_bits: Vec::new(),
            max_utilisation: 0.8,
        }
    }

    /// What every population sends in one image, with the defaults filled in.
    pub(super) fn traffic(&self, quant: &QuantGraph) -> Result<Vec<Traffic>> {
        let n = quant.populations.len();
        let mut problems = Vec::new();
        for (what, values) in [("events", &self.events), ("event bits", &self.event_bits)] {
            if !values.is_empty() && values.len() != n {
                problems.push(Problem::new(format!("{} mean {what} are given for {n} populations", values.len())));
            }
            if values.iter().any(|v| !v.is_finite() || *v < 0.0) {
                problems.push(Problem::new(format!("mean {what} must be finite and not negative")));
            }
        }
        if !(self.max_utilisation > 0.0 && self.max_utilisation <= 1.0) {
            let what = format!("a utilisation of {} is not above 0 and at most 1", self.max_utilisation);
            problems.push(Problem::new(what).help("give the share of the device to fill, for example 0.8"));
        }
        Error::check(Kind::Input, problems)?;
        let traffic = |i: usize| {
            let pop = PopId(i);
            let unit_spikes = quant.max_per_phase(pop) / quant.max_payload(pop).max(1);
            let most = quant.population(pop).shape.len() as f64 * unit_spikes as f64 * f64::from(quant.phases());
            let bits = crate::fixed::unsigned_bits(quant.max_payload(pop).unsigned_abs());
            let events = self.events.get(i).copied().unwrap_or(most);
            let per_event = self.event_bits.get(i).copied().unwrap_or(f64::from(bits) / 2.0).max(1.0);
            Traffic { events, set_bits: events * per_event }
        };
        Ok((0..n).map(traffic).collect())
    }
}

/// What is asked of one core, with the precedence settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub mode: ModeChoice,
    pub lanes: Option<usize>,
    pub rows: Option<usize>,
    pub payload: Option<Payload>,
    pub banks: BanksChoice,
    pub weights: WeightsChoice,
}

impl Choice {
    /// Nothing asked for.
    pub const FREE: Choice = Choice {
        mode: ModeChoice::Auto,
        lanes: None,
        rows: None,
        payload: None,
        banks: BanksChoice::Auto,
        weights: WeightsChoice::Auto,
    };

    /// True if anything is asked for.
    pub fn asks(&self) -> bool {
        let numbers = self.lanes.is_some() || self.rows.is_some() || self.payload.is_some();
        self.mode != ModeChoice::Auto || numbers || self.banks != BanksChoice::Auto
    }
}

/// The choice for every core of `net`, in the order of [`MappedNet::cores`]; every mistake of the request is reported.
pub(super) fn resolve(net: &MappedNet, request: &MapRequest) -> Result<Vec<Choice>> {
    let mut problems = request.problems();
    let mut overrides: Vec<LayerChoice> = net.cores().map(|_| LayerChoice::default()).collect();
    for (key, layer) in &request.overrides {
        match find(net, key) {
            Ok(core) => {
                if !merge(&mut overrides[core], layer) {
                    let what = "is set twice, under two of its names, with different values";
                    problems.push(Problem::new(what).at_node(key).help("keep one of the two settings"));
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Error { kind: Kind::Input, problems });
    }
    let settle = |(layer, channels): (&LayerChoice, usize)| Choice {
        mode: layer.asked_mode().unwrap_or(request.mode),
        lanes: layer.lanes.or(request.lanes.filter(|_| !layer.automatic[0])).map(|n| n.min(channels.max(1))),
        rows: layer.rows.or(request.rows.filter(|_| !layer.automatic[1])),
        payload: layer.payload.or(request.payload),
        banks: layer.banks.unwrap_or(request.banks),
        weights: layer.weights.unwrap_or(request.weights),
    };
    let mut choices: Vec<Choice> =
        overrides.iter().zip(net.cores().map(|(_, _, core)| core.extent[0])).map(settle).collect();
    for (((_, unit, core), choice), layer) in net.cores().zip(&mut choices).zip(&overrides) {
        if layer.payload == Some(Payload::ShiftAdd) && !shifts(core) {
            let what = "cannot shift and add: its payloads are signed, or it passes on the largest of them";
            problems.push(Problem::new(what).at_node(&unit.name).help("leave the payload of this layer out"));
        }
        if layer.banks.is_some_and(BanksChoice::several) && !core.mode.is_window() {
            let what = "has no pixels, so it has no banks";
            problems.push(Problem::new(what).at_node(&unit.name).help("leave the banks of this layer out"));
        }
        if !net.one_event_per_phase(core) {
            if choice.mode == ModeChoice::Matrix {
                let what = "cannot be a matrix core: its senders send their spikes one by one (unit coding)";
                let help = "use event mode for this layer, or graded events";
                problems.push(Problem::new(what).at_node(&unit.name).help(help));
            }
            choice.mode = ModeChoice::Event;
        }
        if choice.weights == WeightsChoice::External && choice.mode == ModeChoice::Matrix {
            let what = "is asked to be a matrix core with external weights, which only event cores can read";
            let help = "ask for event mode or for internal weights in this layer";
            problems.push(Problem::new(what).at_node(&unit.name).help(help));
        }
        let lanes = choice.lanes.unwrap_or(1);
        let banks = match choice.banks.options(core).as_slice() {
            [[rows, columns]] if core.mode.is_window() => rows.saturating_mul(*columns),
            _ => 1,
        };
        for (mode, factor, name) in
            [(ModeChoice::Event, choice.rows.unwrap_or(1), "rows"), (ModeChoice::Matrix, banks, "banks")]
        {
            let products = lanes.saturating_mul(factor);
            if choice.mode != mode && products > MAX_PARALLEL {
                let what = format!("{products} weights a cycle are too many");
                let help = format!("ask for {MAX_PARALLEL} lanes × {name} or fewer");
                problems.push(Problem::new(what).at_node(&unit.name).help(help));
            }
        }
    }
    Error::check(Kind::Input, problems)?;
    Ok(choices)
}

/// The index (among the cores) of the core that `key` means: a population, a projection into it, or its legal name.
fn find(net: &MappedNet, key: &str) -> std::result::Result<usize, Problem> {
    let quant = &net.quant;
    let mut found: Vec<usize> = Vec::new();
    for (i, (_, unit, core)) in net.cores().enumerate() {
        let population = &quant.population(core.population).name;
        let projection = core.projections.iter().any(|&p| quant.projection(p).projection.name == key);
        if unit.name == key {
            return Ok(i);
        }
        if population == key || projection {
            found.push(i);
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let mut known: Vec<String> = net.cores().map(|(_, unit, core)| names_of(net, &unit.name, core)).collect();
            known.dedup();
            Err(Problem::new("no such layer")
                .at_node(key)
                .help(format!("layers that run on a core: {}", known.join(", "))))
        }
        several => {
            let names: Vec<String> = net
                .cores()
                .enumerate()
                .filter(|(i, _)| several.contains(i))
                .map(|(_, (_, u, _))| u.name.clone())
                .collect();
            let help = format!("use one of the unique names {}", names.join(", "));
            Err(Problem::new("names several layers").at_node(key).help(help))
        }
    }
}

/// `fc1 (/fc1/Relu, /fc1/Gemm)`: the legal name and what the model file calls it.
fn names_of(net: &MappedNet, unit: &str, core: &Core) -> String {
    let mut others = vec![net.quant.population(core.population).name.as_str()];
    others.extend(core.projections.iter().map(|&p| net.quant.projection(p).projection.name.as_str()));
    others.retain(|name| *name != unit);
    others.dedup();
    if others.is_empty() { unit.to_string() } else { format!("{unit} ({})", others.join(", ")) }
}

/// Lays `from` over `into`; false if both say something different.
fn merge(into: &mut LayerChoice, from: &LayerChoice) -> bool {
    fn one<T: Copy + PartialEq>(into: &mut Option<T>, from: Option<T>) -> bool {
        let agrees = into.is_none() || from.is_none() || *into == from;
        *into = from.or(*into);
        agrees
    }
    for (into, from) in into.automatic.iter_mut().zip(from.automatic) {
        *into |= from;
    }
    one(&mut into.mode, from.mode)
        & one(&mut into.lanes, from.lanes)
        & one(&mut into.rows, from.rows)
        & one(&mut into.payload, from.payload)
        & one(&mut into.banks, from.banks)
        & one(&mut into.weights, from.weights)
}
