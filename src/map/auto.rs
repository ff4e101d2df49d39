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
    /// Per layer those whose occupancy depends on its option.
    affected: Vec<Vec<usize>>,
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
            affected: affected(&layers),
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
        let mut problem = Problem { layers, target, device: device(target), affected: self.affected.clone(), ..*self };
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
        let reads = self.reads(|layer| picks[layer]);
        let occupancies = (0..self.layers.len()).map(|i| self.occupancy(i, |layer| picks[layer], reads)).collect();
        let modes = self.layers.iter().zip(&picks).map(|(layer, &pick)| layer.options[pick].mode).collect();
        let areas = self.layers.iter().zip(&picks).map(|(layer, &pick)| layer.options[pick].area);
        let area = self.fixed + areas.sum();
        Plan { modes, picks, area, occupancies, reads }
    }

    /// True if the weights of layer `i` are outside.
    fn outside(&self, i: usize) -> bool {
        !self.layers[i].core.weights.is_internal()
    }

    /// External weight words read per image, where every layer takes the option `pick` of it.
    fn reads(&self, pick: impl Fn(usize) -> usize) -> f64 {
        let outside = (0..self.layers.len()).filter(|&i| self.outside(i));
        outside.map(|i| self.layers[i].options[pick(i)].timing.taken.iter().sum::<f64>()).sum()
    }

    /// Cycles between images that layer `i` allows, where every layer takes the option `pick` of it and `reads` words come from
    /// outside. It depends on the layer, its readers and these words alone: see [`Problem::step`].
    fn occupancy(&self, i: usize, pick: impl Fn(usize) -> usize, reads: f64) -> f64 {
        let layer = &self.layers[i];
        let taken = |&(reader, input): &(usize, usize)| self.layers[reader].options[pick(reader)].timing.taken[input];
        let own = layer.options[pick(i)].timing.occupancy(layer.output.events, layer.readers.iter().map(taken));
        if self.outside(i) { own.max(reads) } else { own }
    }

    /// `plan` with other options of a few layers: only what differs is computed, for there may be a thousand layers.
    pub fn step(&self, plan: &Plan, changes: &[(usize, usize)]) -> Step {
        let pick = |layer: usize| changes.iter().find(|c| c.0 == layer).map_or(plan.picks[layer], |c| c.1);
        let mut area = plan.area;
        for &(i, pick) in changes {
            let options = &self.layers[i].options;
            area = area.without(options[plan.picks[i]].area) + options[pick].area;
        }
        let mut affected: Vec<usize> = changes.iter().flat_map(|&(i, _)| &self.affected[i]).copied().collect();
        let mut reads = plan.reads;
        if changes.iter().any(|&(i, _)| self.outside(i)) {
            // They share the port.
            reads = self.reads(pick);
            affected.extend((0..self.layers.len()).filter(|&i| self.outside(i)));
        }
        affected.sort_unstable();
        affected.dedup();
        let occupancies = affected.into_iter().map(|i| (i, self.occupancy(i, pick, reads))).collect();
        Step { changes: changes.to_vec(), area, occupancies }
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
            let better = steps.filter(|&(i, pick)| pick != plan.picks[i]).filter_map(|change| {
                let next = self.step(&plan, &[change]);
                if !next.faster(&plan, slowest) {
                    return None;
                }
                let next = if self.within(&next.area) { next } else { self.make_room(&next, change, &plan, slowest)? };
                Some((self.price_of(&next.area), next))
            });
            match better.min_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((_, next)) => {
                    next.changes.iter().for_each(|&(i, pick)| plan.picks[i] = pick);
                    plan = self.plan(plan.picks);
                }
                None => return plan,
            }
        }
    }

    /// `next`, which is `plan` with `change`, with one more layer at an option that spares what the device lacks, if that is still
    /// a step forward from `plan`.
    fn make_room(&self, next: &Step, change: (usize, usize), plan: &Plan, slowest: usize) -> Option<Step> {
        let others = (0..self.layers.len()).filter(|&j| j != change.0);
        let options = others.flat_map(|j| (0..self.layers[j].options.len()).map(move |pick| (j, pick)));
        let spares = |&(j, pick): &(usize, usize)| {
            let options = &self.layers[j].options;
            self.within(&(next.area.without(options[plan.picks[j]].area) + options[pick].area))
        };
        options
            .filter(spares)
            .map(|other| self.step(plan, &[change, other]))
            .filter(|roomy| roomy.faster(plan, slowest))
            .min_by(|a, b| self.price_of(&a.area).total_cmp(&self.price_of(&b.area)))
    }
}

/// A plan as it differs from another.
pub(super) struct Step {
    /// Layers with their new options.
    changes: Vec<(usize, usize)>,
    pub area: Area,
    /// Cycles between images of the layers where they may differ.
    occupancies: Vec<(usize, f64)>,
}

impl Step {
    /// True if layer `slowest` is faster than in `plan`, and the slowest layers are not slower for it: compared from the slowest on,
    /// so every step strictly descends and the search ends. Layers that do not differ are the same on both sides, so they decide nothing.
    fn faster(&self, plan: &Plan, slowest: usize) -> bool {
        let sorted = |occupancies: &mut dyn Iterator<Item = f64>| {
            let mut all: Vec<f64> = occupancies.collect();
            all.sort_by(|a, b| b.total_cmp(a));
            all
        };
        let gains = |&(i, occupancy): &(usize, f64)| i == slowest && occupancy < plan.occupancies[i];
        let now = sorted(&mut self.occupancies.iter().map(|&(_, occupancy)| occupancy));
        let before = sorted(&mut self.occupancies.iter().map(|&(i, _)| plan.occupancies[i]));
        self.occupancies.iter().any(gains) && now < before
    }
}

/// Per layer those whose occupancy depends on its option: itself, and those that it reads.
fn affected(layers: &[Layer]) -> Vec<Vec<usize>> {
    let mut affected: Vec<Vec<usize>> = (0..layers.len()).map(|i| vec![i]).collect();
    for (i, layer) in layers.iter().enumerate() {
        layer.readers.iter().for_each(|&(reader, _)| affected[reader].push(i));
    }
    affected
}

/// The layers that read `core`, and through which of their projections.
fn readers(net: &MappedNet, cores: &[Core], core: &Core) -> Vec<(usize, usize)> {
    let reads = |&p: &crate::ir::ProjId| net.quant.projection(p).projection.pre == core.population;
    let through = |(r, reader): (usize, &Core)| -> Vec<(usize, usize)> {
        (0..reader.projections.len()).filter(|&i| reads(&reader.projections[i])).map(|i| (r, i)).collect()
    };
    cores.iter().enumerate().flat_map(through).collect()
}
