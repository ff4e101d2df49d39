//! The search for mode, lanes, rows, banks and payload of every core.
//!
//! Each core begins as small as it can be. Then, again and again, the layer that holds up the pipeline gets the cheapest step that
//! makes it faster, as long as the whole design stays within the device; a step may also go to a layer that reads it, where
//! that one takes its events too slowly. The search ends when the border limits (one event a cycle), or nothing helps.

use super::cost::{Area, Device, Timing, Traffic, core_area, device, fork_area, merge_area, queue_area};
use super::options::options;
use super::request::{Choice, MapRequest};
use super::weights::{OUTSIDE, WeightsChoice};
use crate::ir::mapped::{Core, MappedNet, Mode, StreamId, Target, UnitKind};

/// One core, what it may become, and what each of these would cost.
pub(super) struct Layer {
    pub core: Core,
    pub choice: Choice,
    /// What each projection brings.
    pub input: Vec<Traffic>,
    pub output: Traffic,
    /// Layers that read this one's events, and through which of their projections.
    pub readers: Vec<(usize, usize)>,
    pub options: Vec<Candidate>,
}

/// What a core may become, and what that costs.
pub(super) struct Candidate {
    pub mode: Mode,
    pub area: Area,
    pub timing: Timing,
}

/// A network, a device, and everything known about how to lay one out on the other.
pub(super) struct Problem {
    pub layers: Vec<Layer>,
    pub target: Target,
    pub device: Option<Device>,
    /// Cycles per image that the border needs at least.
    pub border: f64,
    max_utilisation: f64,
    /// Forks and merges.
    fixed: Area,
}

/// A choice for every layer.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub modes: Vec<Mode>,
    /// The option of each layer that is taken.
    pub picks: Vec<usize>,
    pub area: Area,
    /// Cycles between images that each layer allows.
    pub occupancies: Vec<f64>,
    /// External weight words that all layers together read per image; the port gives one a cycle.
    pub reads: f64,
}

impl Plan {
    /// The layer that limits the pipeline: the first of the slowest.
    pub fn slowest(&self) -> (usize, f64) {
        self.occupancies.iter().copied().enumerate().fold((0, 0.0), |a, b| if b.1 > a.1 { b } else { a })
    }
}

impl Problem {
    pub fn new(net: &MappedNet, traffic: &[Traffic], choices: &[Choice], request: &MapRequest) -> Self {
        let cores: Vec<Core> = net.cores().map(|(_, _, core)| core.clone()).collect();
        let sent = |pop: crate::ir::PopId| traffic.get(pop.0).copied().unwrap_or_default();
        let layers: Vec<Layer> = cores
            .iter()
            .zip(choices)
            .map(|(core, &choice)| Layer {
                input: core.projections.iter().map(|&p| sent(net.quant.projection(p).projection.pre)).collect(),
                output: sent(core.population),
                readers: readers(net, &cores, core),
                options: Vec::new(),
                choice,
                core: match choice.weights {
                    WeightsChoice::External => Core { weights: OUTSIDE, ..core.clone() },
                    WeightsChoice::Auto | WeightsChoice::Internal => core.clone(),
                },
            })
            .collect();
        let border = sent(crate::ir::PopId(0)).events + f64::from(net.quant.phases());
        let fixed = net.units.iter().map(|unit| {
            let bits = |streams: &[StreamId]| {
                streams.first().map_or(1, |&s| net.stream(s).id_bits.saturating_add(net.stream(s).value_bits))
            };
            match &unit.kind {
                UnitKind::Core(_) => Area::default(),
                UnitKind::Fork => fork_area(unit.outputs.len(), bits(&unit.outputs)),
                UnitKind::Merge { bases } => merge_area(bases.len(), bits(&unit.outputs)),
                UnitKind::Queue { depth } => queue_area(*depth, bits(&unit.outputs), request.target),
            }
        });
        let fixed = fixed.sum();
        let mut problem = Problem {
            layers,
            target: request.target,
            device: device(request.target),
            border,
            max_utilisation: request.max_utilisation,
            fixed,
        };
        problem.price();
        problem
    }

    /// The same network with other cores or choices, on `target`.
    pub fn variant(&self, target: Target, change: impl Fn(&mut Core, &mut Choice)) -> Self {
        let changed = |l: &Layer| {
            let (mut core, mut choice) = (l.core.clone(), l.choice);
            change(&mut core, &mut choice);
            (core, choice)
        };
        let layer = |l: &Layer, (core, choice)| Layer {
            core,
            choice,
            input: l.input.clone(),
            output: l.output,
            readers: l.readers.clone(),
            options: Vec::new(),
        };
        let layers = self.layers.iter().map(|l| layer(l, changed(l))).collect();
        let mut problem = Problem { layers, target, device: device(target), ..*self };
        problem.price();
        problem
    }

    fn price(&mut self) {
        let target = self.target;
        for layer in &mut self.layers {
            let candidate = |mode| {
                let core = Core { mode, ..layer.core.clone() };
                Candidate { mode, area: core_area(&core, target), timing: Timing::new(&core, &layer.input) }
            };
            layer.options = options(&layer.core, &layer.choice).into_iter().map(candidate).collect();
        }
    }

    /// The best layout found; `None` if not even the smallest fits.
    pub fn solve(&self) -> Option<Plan> {
        let start = self.starts().into_iter().find(|plan| self.excess(&plan.area).is_empty())?;
        Some(self.speed_up(start))
    }

    /// True if some layout fits.
    pub fn fits(&self) -> bool {
        self.starts().iter().any(|plan| self.excess(&plan.area).is_empty())
    }

    /// The smallest layout, the one that misses the device by least: what a network needs.
    pub fn smallest(&self) -> Option<Plan> {
        let excess = |plan: &Plan| -> f64 {
            let missing = |(_, needed, available): (_, u64, u64)| (needed - available) as f64 / available.max(1) as f64;
            self.excess(&plan.area).into_iter().map(missing).sum()
        };
        self.starts().into_iter().min_by(|a, b| excess(a).total_cmp(&excess(b)))
    }

    /// What `area` has too much of: name of the resource, needed, available.
    pub fn excess(&self, area: &Area) -> Vec<(&'static str, u64, u64)> {
        let Some(d) = self.device else { return Vec::new() };
        let all = [
            ("LUTs", area.luts, d.luts),
            ("flip-flops", area.ffs, d.ffs),
            ("block RAMs", area.blocks, d.blocks),
            ("multipliers", area.dsps, d.dsps),
        ];
        all.into_iter().filter(|(_, needed, available)| needed > available).collect()
    }

    /// True if `auto` may grow the design to `area`.
    pub fn within(&self, area: &Area) -> bool {
        let below = |used: u64, available: u64| used as f64 <= self.max_utilisation * available as f64;
        self.device.is_none_or(|d| {
            below(area.luts, d.luts) && below(area.ffs, d.ffs) && below(area.dsps, d.dsps) && area.blocks <= d.blocks
        })
    }

    /// The shares of the device that `area` takes: LUTs, block RAMs, multipliers. Without a device, of a large one.
    fn shares(&self, area: &Area) -> [f64; 3] {
        const LARGE: Device = Device { name: "", luts: 83_640, ffs: 83_640, blocks: 208, dsps: 156 };
        let d = self.device.unwrap_or(LARGE);
        let share = |used: u64, available: u64| if used == 0 { 0.0 } else { used as f64 / available.max(1) as f64 };
        [share(area.luts, d.luts), share(area.blocks, d.blocks), share(area.dsps, d.dsps)]
    }

    fn price_of(&self, area: &Area) -> f64 {
        self.shares(area).iter().sum()
    }

    /// Layouts of the smallest options: by all resources alike, then with one resource spared at the cost of the others.
    fn starts(&self) -> Vec<Plan> {
        let weights = [[1.0, 1.0, 1.0], [1.0, 1e3, 1.0], [1e3, 1.0, 1.0], [1.0, 1.0, 1e3]];
        let start = |weight: &[f64; 3]| {
            let price = |area: &Area| self.shares(area).iter().zip(weight).map(|(s, w)| s * w).sum::<f64>();
            let smallest = |layer: &Layer| {
                let priced = layer.options.iter().map(|option| price(&option.area)).enumerate();
                priced.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(pick, _)| pick)
            };
            let picks = self.layers.iter().map(smallest).collect::<Option<Vec<usize>>>()?;
            Some(self.plan(picks))
        };
        weights.iter().filter_map(start).collect()
    }

    /// The layout that takes option `picks[i]` of layer `i`.
    fn plan(&self, picks: Vec<usize>) -> Plan {
        let taken: Vec<&Candidate> =
            self.layers.iter().zip(&picks).map(|(layer, &pick)| &layer.options[pick]).collect();
        let occupancies = self.layers.iter().zip(&taken).map(|(layer, option)| {
            let readers = layer.readers.iter().map(|&(reader, input)| taken[reader].timing.taken[input]);
            option.timing.occupancy(layer.output.events, readers)
        });
        let outside = |i: usize| !self.layers[i].core.weights.is_internal();
        let read = |(i, option): (usize, &&Candidate)| if outside(i) { option.timing.taken.iter().sum() } else { 0.0 };
        let reads: f64 = taken.iter().enumerate().map(read).sum();
        let shared = |(i, own): (usize, f64)| if outside(i) { own.max(reads) } else { own };
        let occupancies = occupancies.enumerate().map(shared);
        let (occupancies, modes) = (occupancies.collect(), taken.iter().map(|option| option.mode).collect());
        let area = self.area(&picks);
        Plan { modes, picks, area, occupancies, reads }
    }

    fn area(&self, picks: &[usize]) -> Area {
        self.fixed + self.layers.iter().zip(picks).map(|(layer, &pick)| layer.options[pick].area).sum()
    }

    /// `plan` with layer `i` at option `pick`.
    pub fn with(&self, plan: &Plan, i: usize, pick: usize) -> Plan {
        let mut picks = plan.picks.clone();
        picks[i] = pick;
        self.plan(picks)
    }

    fn speed_up(&self, mut plan: Plan) -> Plan {
        loop {
            let (slowest, interval) = plan.slowest();
            if interval <= self.border {
                return plan;
            }
            let mut places = vec![slowest];
            places.extend(self.layers[slowest].readers.iter().map(|&(reader, _)| reader));
            let steps = places.iter().flat_map(|&i| (0..self.layers[i].options.len()).map(move |pick| (i, pick)));
            let better = steps.filter(|&(i, pick)| pick != plan.picks[i]).filter_map(|(i, pick)| {
                let next = self.with(&plan, i, pick);
                if !faster(&next, &plan, slowest) {
                    return None;
                }
                let next = if self.within(&next.area) { next } else { self.make_room(next, i, &plan, slowest)? };
                Some((self.price_of(&next.area), next))
            });
            match better.min_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((_, next)) => plan = next,
                None => return plan,
            }
        }
    }
}

impl Problem {
    /// `next` with one layer other than `i` at an option that spares what the device lacks, if that is still a step forward
    /// from `plan`.
    fn make_room(&self, next: Plan, i: usize, plan: &Plan, slowest: usize) -> Option<Plan> {
        let others = (0..self.layers.len()).filter(|&j| j != i);
        let options = others.flat_map(|j| (0..self.layers[j].options.len()).map(move |pick| (j, pick)));
        options
            .map(|(j, pick)| self.with(&next, j, pick))
            .filter(|roomy| self.within(&roomy.area) && faster(roomy, plan, slowest))
            .min_by(|a, b| self.price_of(&a.area).total_cmp(&self.price_of(&b.area)))
    }
}

/// True if layer `slowest` is faster in `next`, and the slowest layers are not slower for it: compared from the slowest on,
/// so every step strictly descends and the search ends.
fn faster(next: &Plan, plan: &Plan, slowest: usize) -> bool {
    let sorted = |plan: &Plan| {
        let mut all = plan.occupancies.clone();
        all.sort_by(|a, b| b.total_cmp(a));
        all
    };
    next.occupancies[slowest] < plan.occupancies[slowest] && sorted(next) < sorted(plan)
}

/// The layers that read `core`, and through which of their projections.
fn readers(net: &MappedNet, cores: &[Core], core: &Core) -> Vec<(usize, usize)> {
    let reads = |&p: &crate::ir::ProjId| net.quant.projection(p).projection.pre == core.population;
    let through = |(r, reader): (usize, &Core)| -> Vec<(usize, usize)> {
        (0..reader.projections.len()).filter(|&i| reads(&reader.projections[i])).map(|i| (r, i)).collect()
    };
    cores.iter().enumerate().flat_map(through).collect()
}
