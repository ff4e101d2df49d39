//! The cycle model on random networks under random back-pressure: it computes the integer network's equations, its
//! streams keep their rules, its cycle counts are the closed formulas.

use crate::cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::Array2;
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::golden::cycle::{Border, CycleModel, FiringKind};
use synfire::ir::PopId;
use synfire::ir::mapped::{Core, MappedNet, Mode, Payload, UnitKind};
use synfire::ir::quant::{Coding, Neuron, QuantGraph};
use synfire::ir::snn::Synapses;
use synfire::ir::stream::{Beat, Wires};

/// One population over one phase.
#[derive(Clone, Debug, Default)]
struct Phase {
    /// Membranes with all input integrated, before the bias of the phase.
    before: Vec<i64>,
    /// Count, spike or pixel per neuron; of the readout: its logits, in an image's last phase.
    sent: Vec<i64>,
    /// Membranes after firing.
    after: Vec<i64>,
}

/// The equations of `ir/quant.rs`, as they are written there: `[phase][population]`.
fn evaluate(quant: &QuantGraph, image: &[i64]) -> Vec<Vec<Phase>> {
    let mut state: Vec<Vec<i64>> = quant.populations.iter().map(|p| p.neuron.v_init().to_vec()).collect();
    let phases = quant.phases();
    let phase = |phase: u32| {
        let last = phase + 1 == phases;
        let mut all: Vec<Phase> = Vec::new();
        for (i, population) in quant.populations.iter().enumerate() {
            if i == 0 {
                all.push(Phase { sent: image.to_vec(), ..Phase::default() });
                continue;
            }
            let v = &mut state[i];
            for (_, p) in quant.projections_into(PopId(i)) {
                let Synapses::Dense { weight } = &p.projection.synapses else { panic!("dense networks only") };
                for ((post, pre), &w) in weight.indexed_iter() {
                    v[post] += i64::from(w) * all[p.projection.pre.0].sent[pre];
                }
            }
            let before = v.clone();
            let mut sent = Vec::new();
            match &population.neuron {
                Neuron::Source | Neuron::Pool { .. } | Neuron::Leaky(_) | Neuron::MultiSpike(_) => unreachable!(),
                Neuron::Readout { .. } => sent = v.clone(),
                Neuron::If { theta, bias, .. } => {
                    for n in 0..v.len() {
                        v[n] += bias[n];
                        sent.push(match quant.coding {
                            Coding::Rate => i64::from(v[n] >= theta[n]),
                            _ => v[n].div_euclid(theta[n]).clamp(0, i64::from(quant.timesteps)),
                        });
                        v[n] -= theta[n] * sent[n];
                    }
                }
            }
            if last {
                v.copy_from_slice(population.neuron.v_init());
            }
            all.push(Phase { before, sent, after: v.clone() });
        }
        all
    };
    (0..phases).map(phase).collect()
}

/// What shrinks: the rest is drawn from the seed.
#[derive(Clone, Debug)]
struct Plan {
    coding: Coding,
    timesteps: u32,
    pixel_bits: u32,
    inputs: usize,
    hidden: Vec<usize>,
    classes: usize,
    images: usize,
    seed: u64,
}

fn plans() -> impl Strategy<Value = Plan> {
    (
        prop_oneof![Just(Coding::Graded), Just(Coding::Unit), Just(Coding::Rate)],
        prop_oneof![Just(1u32), 2..9u32, 15..18u32],
        prop_oneof![Just(1u32), 2..9u32],
        1..9usize,
        proptest::collection::vec(1..8usize, 0..4),
        1..6usize,
        1..6usize,
        any::<u64>(),
    )
        .prop_map(|(coding, timesteps, pixel_bits, inputs, hidden, classes, images, seed)| Plan {
            coding,
            timesteps,
            pixel_bits,
            inputs,
            hidden,
            classes,
            images,
            seed,
        })
}

fn draw_mode(rng: &mut ChaCha8Rng, matrix: bool) -> Mode {
    let lanes = rng.random_range(1..10);
    match rng.random_range(0..if matrix { 4 } else { 2 }) {
        0 => Mode::Event { lanes, payload: Payload::Multiply },
        1 => Mode::Event { lanes, payload: Payload::ShiftAdd },
        _ => Mode::Matrix { rows: 1 << rng.random_range(0..5), lanes },
    }
}

/// A random network in which every population is read, some by several others, and some several times.
fn draw_net(plan: &Plan, rng: &mut ChaCha8Rng) -> MappedNet {
    let mut sizes = vec![plan.inputs];
    sizes.extend(&plan.hidden);
    sizes.push(plan.classes);
    let mut read = vec![false; sizes.len() - 1];
    let mut layers = Vec::new();
    for (post, &n) in sizes.iter().enumerate().skip(1) {
        let readout = post + 1 == sizes.len();
        let mut pres: Vec<usize> = (0..rng.random_range(1..4)).map(|_| rng.random_range(0..post)).collect();
        if readout {
            pres.extend((0..post).filter(|&pre| !read[pre]));
        }
        let mut weights = |pre: usize| {
            let limit = [1, 7, 127][rng.random_range(0..3)];
            Array2::from_shape_simple_fn((n, sizes[pre]), || rng.random_range(-limit..=limit))
        };
        let from: Vec<_> = pres.iter().map(|&pre| (pre, weights(pre))).collect();
        pres.iter().for_each(|&pre| read[pre] = true);
        let mut vector = |min: i64, max: i64| (0..n).map(|_| rng.random_range(min..=max)).collect::<Vec<_>>();
        let neuron = if readout {
            Neuron::Readout { v_init: vector(-20, 20) }
        } else {
            let rate = plan.coding == Coding::Rate;
            let bias = if rate { vector(-9, 9) } else { vec![0; n] };
            Neuron::If { theta: vector(1, 60), v_init: vector(-20, 40), bias }
        };
        // A matrix core keeps one payload per id and phase, so it cannot follow a population that sends several.
        let matrix = plan.coding != Coding::Unit || pres.iter().all(|&pre| pre == 0);
        layers.push(Layer { neuron, mode: draw_mode(rng, matrix), from });
    }
    map(quant(plan.coding, plan.timesteps, plan.pixel_bits, plan.inputs, &layers), &layers)
}

fn draw_image(plan: &Plan, rng: &mut ChaCha8Rng) -> Vec<i64> {
    let density = [0.0, 0.2, 0.6, 1.0][rng.random_range(0..4)];
    let max = (1i64 << plan.pixel_bits) - 1;
    (0..plan.inputs).map(|_| if rng.random_bool(density) { rng.random_range(0..=max) } else { 0 }).collect()
}

/// The image's beats, its events in random order.
fn beats(image: &[i64], phases: u32, rng: &mut ChaCha8Rng) -> Vec<Beat> {
    let mut beats = Vec::new();
    for _ in 0..phases {
        let events = image.iter().enumerate().filter(|&(_, &x)| x > 0);
        let mut events: Vec<Beat> = events.map(|(id, &x)| Beat::event(id as u32, x)).collect();
        events.shuffle(rng);
        beats.extend(events);
        beats.push(Beat::END);
    }
    beats
}

/// A wire that is 1 always, sometimes, in bursts, or seldom.
struct Pattern {
    rng: ChaCha8Rng,
    kind: u32,
    level: bool,
    left: u32,
}

impl Pattern {
    fn new(mut rng: ChaCha8Rng) -> Self {
        Pattern { kind: rng.random_range(0..5), rng, level: false, left: 0 }
    }

    fn next(&mut self) -> bool {
        match self.kind {
            0 => true,
            1 => self.rng.random_bool(0.5),
            2 => self.rng.random_bool(0.1),
            kind => {
                if self.left == 0 {
                    self.level = !self.level;
                    self.left = self.rng.random_range(1..if kind == 3 { 8 } else { 60 });
                }
                self.left -= 1;
                self.level
            }
        }
    }
}

/// Drives beats under two patterns; offers a beat until it is taken.
struct Driver {
    beats: std::vec::IntoIter<Beat>,
    offered: Option<Beat>,
    gaps: Pattern,
    readiness: Pattern,
}

impl Driver {
    fn new(beats: Vec<Beat>, rng: &mut ChaCha8Rng) -> Self {
        let mut fork = || ChaCha8Rng::seed_from_u64(rng.random());
        let (gaps, readiness) = (Pattern::new(fork()), Pattern::new(fork()));
        Driver { beats: beats.into_iter(), offered: None, gaps, readiness }
    }

    fn border(&mut self) -> Border {
        if self.offered.is_none() && self.gaps.next() {
            self.offered = self.beats.next();
        }
        Border { input: self.offered, output_ready: self.readiness.next() }
    }

    fn saw(&mut self, wires: &[Wires]) {
        if wires[0].moves() {
            self.offered = None;
        }
    }
}

/// What one stream has carried so far: `[phase][…]` of events, the last one open.
type Carried = Vec<Vec<Beat>>;

/// No output of a unit depends on what the border drives in the same cycle, but for the merge's ready on `valid`.
fn assert_moore(net: &MappedNet, before: &CycleModel, border: &Border, wires: &[Wires]) {
    let flipped = Border {
        input: if border.input.is_some() { None } else { Some(Beat::END) },
        output_ready: !border.output_ready,
    };
    let mut model = before.clone();
    let other = model.cycle(&flipped);
    for (i, (a, b)) in wires.iter().zip(other).enumerate() {
        if i > 0 {
            assert_eq!((a.valid, a.beat), (b.valid, b.beat), "stream {i} looks at what the border drives");
        }
        let to_merge = net.streams[i].to.is_some_and(|to| matches!(net.unit(to.unit).kind, UnitKind::Merge { .. }));
        if i + 1 < wires.len() && !to_merge {
            assert_eq!(a.ready, b.ready, "ready of stream {i} looks at what the border drives");
        }
    }
    let mut model = before.clone();
    let other = model.cycle(&Border { output_ready: !border.output_ready, ..*border });
    let last = wires.len() - 1;
    assert_eq!(wires[..last], other[..last], "a wire looks at the output's ready");
}

/// The closed formula for a core's active cycles over images whose phases are `truth`.
fn expected_active(net: &MappedNet, core: &Core, truth: &[Vec<Phase>]) -> u64 {
    let (groups, fire) = (core.groups() as u64, u64::from(core.fire.slots()));
    let phases = truth.len() as u64;
    let payload = match core.mode {
        Mode::Matrix { .. } => return phases * groups * (core.chunks() as u64 + fire),
        Mode::Event { payload, .. } => payload,
        Mode::WindowEvent { .. } | Mode::WindowMatrix { .. } => panic!("dense networks only"),
    };
    let passes = |value: i64| match payload {
        Payload::Multiply => 1,
        Payload::ShiftAdd => u64::from(value.count_ones()),
    };
    let mut active = phases * groups * fire;
    for phase in truth {
        for &p in &core.projections {
            let pre = net.quant.projection(p).projection.pre.0;
            for &x in &phase[pre].sent {
                // In unit coding a count travels as so many events of payload 1.
                let (events, value) = match net.quant.coding {
                    Coding::Unit if pre > 0 => (x as u64, 1),
                    _ => (u64::from(x > 0), x),
                };
                active += events * passes(value) * groups;
            }
        }
    }
    active
}

/// A core's output stream carried what the equations say, and in order of ids within a group's word.
fn assert_carried(net: &MappedNet, core: &Core, carried: &Carried, truth: &[Vec<Phase>]) {
    let readout = core.population == net.quant.readout();
    let phases = net.quant.phases() as usize;
    let expected = truth.iter().enumerate().filter(|&(i, _)| !readout || (i + 1) % phases == 0);
    let expected: Vec<&Phase> = expected.map(|(_, phase)| &phase[core.population.0]).collect();
    assert_eq!(carried.len(), expected.len() + 1);
    assert!(carried.last().unwrap().is_empty());
    for (beats, phase) in carried.iter().zip(expected) {
        let ids: Vec<u32> = beats.iter().map(|beat| beat.id).collect();
        let mut sent = vec![0; phase.sent.len()];
        for beat in beats {
            sent[beat.id as usize] += beat.value;
        }
        assert_eq!(sent, phase.sent);
        if net.quant.coding != Coding::Unit || readout {
            assert!(ids.is_sorted_by(|a, b| a < b), "each id once, in order: {ids:?}");
        } else {
            assert!(beats.iter().all(|beat| beat.value == 1));
        }
        if readout {
            assert_eq!(ids.len(), phase.sent.len(), "a logit of 0 is sent too");
        }
    }
}

fn run(plan: &Plan) {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let net = draw_net(plan, &mut rng);
    assert_eq!(net.check(), []);
    let images: Vec<_> = (0..plan.images).map(|_| draw_image(plan, &mut rng)).collect();
    let truth: Vec<Vec<Phase>> = images.iter().flat_map(|image| evaluate(&net.quant, image)).collect();
    let phases = net.quant.phases();
    let input = images.iter().flat_map(|image| beats(image, phases, &mut rng)).collect();
    let mut driver = Driver::new(input, &mut rng);

    let mut model = CycleModel::new(&net);
    let mut before: Vec<Wires> = vec![Wires::default(); net.streams.len()];
    let mut carried: Vec<Carried> = vec![vec![Vec::new()]; net.streams.len()];
    let mut ended = vec![0usize; net.units.len()];
    let finished = |ended: &[usize], carried: &[Carried]| {
        carried[net.output().0].len() > images.len() && net.cores().all(|(unit, ..)| ended[unit.0] == truth.len())
    };
    let mut cycles = 0u64;
    while !finished(&ended, &carried) {
        let was = model.clone();
        let border = driver.border();
        let wires = model.cycle(&border);
        assert_moore(&net, &was, &border, wires);
        driver.saw(wires);
        for (i, (now, then)) in wires.iter().zip(&before).enumerate() {
            if then.valid && !then.ready {
                assert_eq!((now.valid, now.beat), (true, then.beat), "stream {i} dropped or changed a beat");
            }
            assert!(now.valid || now.beat == Beat::default());
            if now.moves() && now.beat.last {
                carried[i].push(Vec::new());
            } else if now.moves() {
                carried[i].last_mut().unwrap().push(now.beat);
            }
        }
        before.copy_from_slice(wires);
        for f in model.firing() {
            let UnitKind::Core(core) = &net.unit(f.unit).kind else { panic!("only cores fire") };
            let at = ended[f.unit.0];
            assert_eq!((f.image * u64::from(phases) + u64::from(f.phase)) as usize, at);
            let phase = &truth[at][core.population.0];
            let membranes = model.membranes(f.unit, f.kind);
            match f.kind {
                FiringKind::Began if matches!(core.mode, Mode::Matrix { .. }) => assert_eq!(membranes, None),
                FiringKind::Began => assert_eq!(membranes, Some(&phase.before[..])),
                FiringKind::Ended => {
                    assert_eq!(membranes, Some(&phase.after[..]));
                    ended[f.unit.0] += 1;
                }
            }
        }
        cycles += 1;
        assert!(cycles < 2_000_000, "deadlock");
    }
    for (unit, at, core) in net.cores() {
        assert_carried(&net, core, &carried[at.outputs[0].0], &truth);
        let counters = model.counters(unit);
        assert_eq!(counters.active, expected_active(&net, core, &truth));
        assert_eq!(counters.active + counters.stalled + counters.starved + counters.initialising, cycles);
        let chunks = if matches!(core.mode, Mode::Matrix { .. }) { core.chunks() } else { 0 };
        assert_eq!(counters.initialising, core.groups().max(chunks) as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_networks_under_random_back_pressure(plan in plans()) {
        run(&plan);
    }

    /// Whatever happened before, after a reset every wire, event and membrane is that of a new model.
    #[test]
    fn reset_at_any_time_is_a_fresh_start(plan in plans(), cycles in 0..400usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
        let net = draw_net(&plan, &mut rng);
        let mut images = || -> Vec<Beat> {
            (0..plan.images).flat_map(|_| {
                let image = draw_image(&plan, &mut rng);
                beats(&image, net.quant.phases(), &mut rng)
            }).collect()
        };
        let (first, second) = (images(), images());
        let mut used = CycleModel::new(&net);
        let mut driver = Driver::new(first, &mut rng);
        for _ in 0..cycles {
            let border = driver.border();
            driver.saw(used.cycle(&border));
        }
        used.reset();
        let mut fresh = CycleModel::new(&net);
        let mut driver = Driver::new(second, &mut rng);
        for _ in 0..1000 {
            let border = driver.border();
            let wires = used.cycle(&border);
            prop_assert_eq!(wires, fresh.cycle(&border));
            driver.saw(wires);
            prop_assert_eq!(used.firing(), fresh.firing());
            for f in used.firing() {
                prop_assert_eq!(used.membranes(f.unit, f.kind), fresh.membranes(f.unit, f.kind));
            }
        }
        for (unit, ..) in net.cores() {
            prop_assert_eq!(used.counters(unit), fresh.counters(unit));
        }
    }
}
