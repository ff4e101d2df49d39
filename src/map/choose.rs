//! Which core each population gets.
//!
//! Every layer starts from its smallest core. Then the slowest layer is sped up, again and again, by the step that costs
//! the least area per cycle saved, until another layer or the image's own beats limit the pipeline, or the device is full.

use super::cost::{core_area, cycles, traffic_into};
use super::device::{self, Area};
use super::lower;
use super::request::{LayerRequest, MapRequest, ModeChoice};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::PopId;
use crate::ir::mapped::{Core, Mode, Payload, Target};
use crate::ir::quant::QuantGraph;

/// Lanes and rows that are tried where none are asked for.
const LANES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const ROWS: [usize; 5] = [1, 2, 4, 8, 16];

/// The chosen cores and why.
pub struct Plan {
    pub cores: Vec<Core>,
    pub decisions: Vec<String>,
}

/// A core that a layer could get.
struct Candidate {
    core: Core,
    area: Area,
    cycles: f64,
}

/// A layer, its candidates and the one it has.
struct Layer {
    name: String,
    events: f64,
    candidates: Vec<Candidate>,
    pick: usize,
}

impl Layer {
    fn now(&self) -> &Candidate {
        &self.candidates[self.pick]
    }
}

/// Chooses the cores of every population.
pub fn choose(quant: &QuantGraph, request: &MapRequest) -> Result<Plan> {
    let mut problems = Vec::new();
    let mut layers = Vec::new();
    for pop in (1..quant.populations.len()).map(PopId) {
        match layer(quant, pop, request) {
            Ok(layer) => layers.push(layer),
            Err(problem) => problems.push(problem),
        }
    }
    Error::check(Kind::Input, problems)?;
    let capacity = device::capacity(request.target);
    fit(&mut layers, quant, request.target, capacity)?;
    let border = request.traffic.first().map_or(0.0, |t| t.events) + f64::from(quant.phases());
    let limit = speed_up(&mut layers, capacity, request.max_utilisation, border);
    let decisions = layers.iter().map(|l| sentence(l, &limit)).collect();
    Ok(Plan { cores: layers.into_iter().map(|mut l| l.candidates.swap_remove(l.pick).core).collect(), decisions })
}

fn layer(quant: &QuantGraph, pop: PopId, request: &MapRequest) -> std::result::Result<Layer, Problem> {
    let name = quant.population(pop).name.clone();
    let asked = request.layer(quant, pop);
    let mut events = 0.0;
    let mut candidates = Vec::new();
    for mode in modes(quant, pop, &asked) {
        let core = lower::core(quant, pop, mode);
        let into = traffic_into(quant, &core, &request.traffic);
        events = into.events;
        let area = core_area(&core, request.target);
        candidates.push(Candidate { cycles: cycles(&core, into.events, into.set_bits), area, core });
    }
    if candidates.is_empty() {
        return Err(Problem::new("cannot be a matrix core: its senders send their spikes one by one")
            .at_node(name)
            .help("use event mode for this layer, or graded events (--coding graded)"));
    }
    Ok(Layer { name, events, candidates, pick: 0 })
}

/// The modes that a layer may have, smallest first.
fn modes(quant: &QuantGraph, pop: PopId, asked: &LayerRequest) -> Vec<Mode> {
    let neurons = quant.population(pop).shape.len();
    let senders = || quant.projections_into(pop).map(|(_, p)| p.projection.pre);
    let inputs: usize = quant.projections_into(pop).map(|(_, p)| p.projection.synapses.extent().0).sum();
    let graded = senders().any(|pre| quant.max_payload(pre) > 1);
    let lanes = options(asked.lanes, &LANES, neurons);
    let payloads = match asked.payload {
        Some(payload) => vec![payload],
        None if graded => vec![Payload::ShiftAdd, Payload::Multiply],
        None => vec![Payload::Multiply],
    };
    let one_event = senders().all(|pre| quant.max_per_phase(pre) <= quant.max_payload(pre));
    let choice = asked.mode.unwrap_or_default();
    let mut modes = Vec::new();
    if choice != ModeChoice::Matrix {
        for &lanes in &lanes {
            modes.extend(payloads.iter().map(|&payload| Mode::Event { lanes, payload }));
        }
    }
    if choice != ModeChoice::Event && one_event {
        for &lanes in &lanes {
            modes.extend(options(asked.rows, &ROWS, inputs).into_iter().map(|rows| Mode::Matrix { rows, lanes }));
        }
    }
    modes
}

/// The value asked for, or all that are not beyond what can be used.
fn options(asked: Option<usize>, all: &[usize], most: usize) -> Vec<usize> {
    match asked {
        Some(value) => vec![value],
        None => all.iter().copied().filter(|&n| n < 2 * most).collect(),
    }
}

/// Share of the device that an area takes: what a step costs.
fn weight(area: &Area, capacity: Option<Area>) -> f64 {
    let capacity = capacity.unwrap_or(Area { lut: 100_000, ff: 100_000, bram: 200, dsp: 150 });
    let share = |used: usize, of: usize| used as f64 / of.max(1) as f64;
    share(area.lut, capacity.lut) + share(area.bram, capacity.bram) + share(area.dsp, capacity.dsp) * 0.5
}

/// Gives every layer its smallest core; an error if not even these fit.
fn fit(layers: &mut [Layer], quant: &QuantGraph, target: Target, capacity: Option<Area>) -> Result<()> {
    for layer in layers.iter_mut() {
        layer.pick = (0..layer.candidates.len())
            .min_by(|&a, &b| {
                weight(&layer.candidates[a].area, capacity).total_cmp(&weight(&layer.candidates[b].area, capacity))
            })
            .unwrap_or(0);
    }
    let used: Area = layers.iter().map(|l| l.now().area).sum();
    match capacity {
        Some(capacity) if !within(&used, &capacity, 1.0) => {
            Err(Error::new(Kind::DoesNotFit, does_not_fit(layers, quant, target, &used, &capacity)))
        }
        _ => Ok(()),
    }
}

fn within(used: &Area, capacity: &Area, share: f64) -> bool {
    let fits = |used: usize, of: usize| used as f64 <= of as f64 * share;
    fits(used.lut, capacity.lut) && fits(used.ff, capacity.ff) && used.bram <= capacity.bram && used.dsp <= capacity.dsp
}

fn does_not_fit(layers: &[Layer], quant: &QuantGraph, target: Target, used: &Area, capacity: &Area) -> Problem {
    let over = |what: &str, used: usize, of: usize| {
        (used > of).then(|| format!("{used} {what} needed, {of} there ({} too many)", used - of))
    };
    let lacks: Vec<String> = [
        over("LUTs", used.lut, capacity.lut),
        over("flip-flops", used.ff, capacity.ff),
        over("block RAMs", used.bram, capacity.bram),
        over("multipliers", used.dsp, capacity.dsp),
    ]
    .into_iter()
    .flatten()
    .collect();
    let what = format!("does not fit {}: {}", target.name(), lacks.join("; "));
    let mut ways = Vec::new();
    let area_on = |target: Target| layers.iter().map(|l| core_area(&l.now().core, target)).sum::<Area>();
    let larger = device::larger(target)
        .iter()
        .find(|&&t| device::capacity(t).is_none_or(|capacity| within(&area_on(t), &capacity, 1.0)));
    if let Some(target) = larger {
        ways.push(format!("--target {} would hold it", target.name()));
    }
    let bits = quant.projections.iter().map(|p| p.weight_bits).max().unwrap_or(8);
    let fewer = (2..bits).rev().find(|&bits| {
        let area = layers.iter().map(|l| {
            let core = Core { weight_bits: l.now().core.weight_bits.min(bits), ..l.now().core.clone() };
            core_area(&core, target)
        });
        within(&area.sum(), capacity, 1.0)
    });
    if let Some(bits) = fewer {
        ways.push(format!("so would --weight-bits {bits}").replacen(
            "so would ",
            if ways.is_empty() { "" } else { "so would " },
            1,
        ));
    }
    if ways.is_empty() {
        ways.push("fewer lanes, fewer weight bits or a smaller network are needed".into());
    }
    Problem::new(what).at_node(&quant.name).help(ways.join("; "))
}

/// Speeds up the slowest layer until nothing helps; says what limits the pipeline in the end.
fn speed_up(layers: &mut [Layer], capacity: Option<Area>, share: f64, border: f64) -> String {
    loop {
        let Some(slowest) =
            (0..layers.len()).max_by(|&a, &b| layers[a].now().cycles.total_cmp(&layers[b].now().cycles))
        else {
            return "nothing to do".into();
        };
        let now = layers[slowest].now();
        if now.cycles <= border {
            return format!("the image's own {border:.0} beats limit the pipeline");
        }
        let others: Area = layers.iter().enumerate().filter(|(i, _)| *i != slowest).map(|(_, l)| l.now().area).sum();
        let step = layers[slowest]
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.cycles < now.cycles)
            .filter(|(_, c)| capacity.is_none_or(|capacity| within(&(others + c.area), &capacity, share)))
            .map(|(i, c)| (i, (weight(&c.area, capacity) - weight(&now.area, capacity)) / (now.cycles - c.cycles)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        match step {
            Some((i, _)) => layers[slowest].pick = i,
            None if layers[slowest].candidates.iter().any(|c| c.cycles < now.cycles) => {
                return format!("a faster '{}' would leave no room on the device", layers[slowest].name);
            }
            None => return format!("'{}' is as fast as was asked for or can be built", layers[slowest].name),
        }
    }
}

/// Why a layer got its core.
fn sentence(layer: &Layer, limit: &str) -> String {
    let now = layer.now();
    let describe = |c: &Candidate| {
        let core = &c.core;
        match core.mode {
            Mode::Event { lanes, payload: Payload::Multiply } if core.value_bits > 1 => {
                format!("event, {lanes} lanes, multiply")
            }
            Mode::Event { lanes, payload: Payload::ShiftAdd } => format!("event, {lanes} lanes, shift-add"),
            Mode::Event { lanes, .. } => format!("event, {lanes} lanes"),
            Mode::Matrix { rows, lanes } => format!("matrix, {rows} rows x {lanes} lanes"),
        }
    };
    let other = layer
        .candidates
        .iter()
        .filter(|c| c.core.mode.name() != now.core.mode.name() && c.core.mode.lanes() == now.core.mode.lanes())
        .min_by(|a, b| a.cycles.total_cmp(&b.cycles));
    let compared = match other {
        Some(c) => format!("; {} would take {:.0}", describe(c), c.cycles),
        None if layer.candidates.len() == 1 => "; nothing else was allowed".into(),
        None => String::new(),
    };
    format!(
        "{}: {} takes {:.0} cycles an image for {:.1} input events{compared}; {limit}",
        layer.name,
        describe(now),
        now.cycles,
        layer.events
    )
}
