//! The search for mode, lanes, rows and payload of every core.
//!
//! Each core begins as small as it can be. Then, again and again, the layer that holds up the pipeline gets the cheapest step that
//! makes it faster, as long as the whole design stays within the device; a step may also go to a layer that reads it, where
//! that one takes its events too slowly. The search ends when the border limits (one event a cycle), or nothing helps.

use super::cost::{Area, Device, Traffic, core_area, device, fork_area, merge_area, occupancy, queue_area};
use super::request::{Choice, MapRequest, ModeChoice};
use crate::ir::mapped::{Core, MappedNet, Mode, Payload, StreamId, Target, UnitKind};

/// The most lanes or rows that are chosen without being asked for.
const MOST: usize = 64;

/// The most weights per cycle and core that are chosen without being asked for: on a device its size limits long before,
/// without one this is what "fast" means.
const MOST_PRODUCTS: usize = 256;

/// One core, what it may become, and what each of these would cost.
pub(super) struct Layer {
    pub core: Core,
    pub choice: Choice,
    pub input: Traffic,
    pub output: Traffic,
    /// Layers that read this one's events.
    pub readers: Vec<usize>,
    pub options: Vec<(Mode, Area)>,
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
                input: core.projections.iter().map(|&p| sent(net.quant.projection(p).projection.pre)).sum(),
                output: sent(core.population),
                readers: (0..cores.len())
                    .filter(|&r| {
                        let reads = |&p| net.quant.projection(p).projection.pre == core.population;
                        cores[r].projections.iter().any(reads)
                    })
                    .collect(),
                options: Vec::new(),
                choice,
                core: core.clone(),
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
            input: l.input,
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
            let area = |mode| (mode, core_area(&Core { mode, ..layer.core.clone() }, target));
            layer.options = options(&layer.core, &layer.choice).into_iter().map(area).collect();
        }
    }

    /// The best layout found; `None` if not even the smallest fits.
    pub fn solve(&self) -> Option<Plan> {
        let start = self.starts().into_iter().find(|plan| self.excess(&plan.area).is_empty())?;
        Some(self.speed_up(start))
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
                let priced = layer.options.iter().map(|(_, area)| price(area)).enumerate();
                priced.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(pick, _)| pick)
            };
            let picks = self.layers.iter().map(smallest).collect::<Option<Vec<usize>>>()?;
            Some(self.plan(picks))
        };
        weights.iter().filter_map(start).collect()
    }

    /// The layout that takes option `picks[i]` of layer `i`.
    fn plan(&self, picks: Vec<usize>) -> Plan {
        let modes: Vec<Mode> = self.layers.iter().zip(&picks).map(|(layer, &pick)| layer.options[pick].0).collect();
        let area = self.area(&picks);
        let cores: Vec<Core> =
            self.layers.iter().zip(&modes).map(|(l, &mode)| Core { mode, ..l.core.clone() }).collect();
        let occupancies = self.layers.iter().enumerate().map(|(i, l)| {
            let readers: Vec<&Core> = l.readers.iter().map(|&r| &cores[r]).collect();
            occupancy(&cores[i], &l.input, &l.output, &readers)
        });
        let occupancies = occupancies.collect();
        Plan { modes, picks, area, occupancies }
    }

    fn area(&self, picks: &[usize]) -> Area {
        self.fixed + self.layers.iter().zip(picks).map(|(layer, &pick)| layer.options[pick].1).sum()
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
            places.extend(&self.layers[slowest].readers);
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

/// Every mode that `core` may be given, smallest parallelism first.
fn options(core: &Core, choice: &Choice) -> Vec<Mode> {
    let powers = |limit: usize| (0..).map(|k| 1usize << k).take_while(move |&n| n <= limit.min(MOST));
    let lanes: Vec<usize> = match choice.lanes {
        Some(lanes) => vec![lanes],
        None => {
            let mut lanes: Vec<usize> = powers(core.neurons).collect();
            // All neurons at once, where they are few.
            if core.neurons <= MOST && !core.neurons.is_power_of_two() {
                lanes.push(core.neurons);
            }
            lanes
        }
    };
    let payloads = match choice.payload {
        Some(payload) => vec![payload],
        None if core.value_bits > 1 => vec![Payload::Multiply, Payload::ShiftAdd],
        None => vec![Payload::Multiply],
    };
    let mut options = Vec::new();
    for &lanes in &lanes {
        if choice.mode != ModeChoice::Matrix {
            options.extend(payloads.iter().map(|&payload| Mode::Event { lanes, payload }));
        }
        if choice.mode != ModeChoice::Event {
            match choice.rows {
                Some(rows) => options.push(Mode::Matrix { rows, lanes }),
                None => {
                    let rows = powers(core.inputs).filter(|&rows| rows == 1 || rows * lanes <= MOST_PRODUCTS);
                    options.extend(rows.map(|rows| Mode::Matrix { rows, lanes }));
                }
            }
        }
    }
    options
}
