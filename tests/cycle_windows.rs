//! The cycle model on random networks of convolutions, pools, joins and dense layers under random back-pressure, in every mode and
//! with any banks: the functional golden model's spikes, logits and membranes, and slots as the closed formulas say.

mod window_support;

use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::golden::cycle::{Border, CycleModel, FiringKind};
use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::PopId;
use synfire::ir::mapped::{Core, MappedNet, Mode, UnitKind};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::Beat;
use synfire::map::cost::{InputEvent, exact_cycles_of};
use window_support::{Plan, image, laid_out, plan};

/// What each core sends in each phase, and what its membranes were when firing began and had ended.
#[derive(Default)]
struct Seen {
    sent: Vec<Vec<Beat>>,
    open: Vec<Beat>,
    began: Vec<Option<Vec<i64>>>,
    ended: Vec<Vec<i64>>,
}

fn simulate(net: &MappedNet, images: &[Vec<i64>], rng: &mut ChaCha8Rng) -> (Vec<Seen>, CycleModel, u64) {
    let ids = net.stream(net.input()).layout;
    let mut beats = Vec::new();
    for codes in images {
        for _ in 0..net.quant.phases() {
            let mut phase: Vec<Beat> = Beat::phase_of(codes, &ids).filter(|beat| !beat.last).collect();
            // The order of events cannot matter.
            phase.shuffle(rng);
            beats.extend(phase);
            beats.push(Beat::END);
        }
    }
    let mut beats = beats.into_iter();
    let chance = |rng: &mut ChaCha8Rng| [1.0, 0.5, 0.1][rng.random_range(0..3)];
    let (offers, readies) = (chance(rng), chance(rng));
    let mut seen: Vec<Seen> = net.units.iter().map(|_| Seen::default()).collect();
    let phases = images.len() * net.quant.phases() as usize;
    let mut model = CycleModel::new(net);
    let (mut offered, mut cycles) = (None, 0);
    while net.cores().any(|(unit, ..)| seen[unit.0].ended.len() < phases)
        || seen
            .iter()
            .zip(&net.units)
            .any(|(seen, unit)| matches!(unit.kind, UnitKind::Core(_)) && !seen.open.is_empty())
        || seen[net.units.len() - 1].sent.len() < images.len()
    {
        if offered.is_none() && rng.random_bool(offers) {
            offered = beats.next();
        }
        let wires = model.cycle(&Border { input: offered, output_ready: rng.random_bool(readies) });
        if wires[0].moves() {
            offered = None;
        }
        for (unit, at, _) in net.cores() {
            let wires = wires[at.outputs[0].0];
            if wires.moves() && wires.beat.last {
                let phase = std::mem::take(&mut seen[unit.0].open);
                seen[unit.0].sent.push(phase);
            } else if wires.moves() {
                seen[unit.0].open.push(wires.beat);
            }
        }
        for f in model.firing() {
            let membranes = model.membranes(f.unit, f.kind).map(<[i64]>::to_vec);
            match f.kind {
                FiringKind::Began => seen[f.unit.0].began.push(membranes),
                FiringKind::Ended => seen[f.unit.0].ended.push(membranes.unwrap()),
            }
        }
        cycles += 1;
        assert!(cycles < 20_000_000, "deadlock");
    }
    (seen, model, cycles)
}

/// The events that a core receives in one image, in no particular order.
fn received(net: &MappedNet, core: &Core, image: &Outcome) -> Vec<InputEvent> {
    let mut events = Vec::new();
    for phase in image.phases.as_ref().unwrap() {
        for (input, &p) in core.projections.iter().enumerate() {
            let pre = net.quant.projection(p).projection.pre;
            let several = net.quant.max_per_phase(pre) > net.quant.max_payload(pre);
            for (sender, &x) in phase[pre.0].iter().enumerate().filter(|(_, x)| **x != 0) {
                let (count, value) = if several { (x as usize, 1) } else { (1, x) };
                events.extend(vec![InputEvent { input, sender, value }; count]);
            }
        }
    }
    events
}

fn check(net: &MappedNet, images: &[Vec<i64>], rng: &mut ChaCha8Rng) {
    let functional = Functional::new(&net.quant).unwrap();
    let truth: Vec<Outcome> = images.iter().map(|codes| functional.image_by_phase(codes).unwrap()).collect();
    let (seen, model, cycles) = simulate(net, images, rng);
    let phases = net.quant.phases() as usize;
    for (unit, at, core) in net.cores() {
        let (pop, seen, layout) = (core.population, &seen[unit.0], net.stream(at.outputs[0]).layout);
        let readout = pop == net.quant.readout();
        let grid = core.grid();
        for (i, phase) in seen.sent.iter().enumerate() {
            let mut sent = vec![0; core.neurons];
            let places: Vec<_> = phase
                .iter()
                .map(|beat| {
                    let n = layout.neuron(beat.id).unwrap();
                    sent[n] += beat.value;
                    let place = grid.place(n);
                    (place.group, place.lane)
                })
                .collect();
            if readout {
                assert_eq!(sent, truth[i].logits, "logits of image {i}");
                assert_eq!(phase.len(), core.neurons);
            } else {
                let expected = &truth[i / phases].phases.as_ref().unwrap()[i % phases][pop.0];
                assert_eq!(&sent, expected, "{}, phase {i}", at.name);
            }
            if readout || net.quant.coding != Coding::Unit {
                assert!(places.is_sorted_by(|a, b| a < b), "each neuron once, groups and lanes ascending: {places:?}");
            }
        }
        assert_eq!(seen.sent.len(), if readout { images.len() } else { images.len() * phases });
        for (i, (began, ended)) in seen.began.iter().zip(&seen.ended).enumerate() {
            assert_eq!(began.is_some(), core.mode.is_event());
            if (i + 1) % phases > 0 {
                continue;
            }
            if let Some(began) = began {
                // What the functional model tells includes the bias of the phase.
                let neuron = &net.quant.population(pop).neuron;
                let bias = |n: usize| if let Neuron::If { bias, .. } = neuron { bias[n] } else { 0 };
                let with_bias: Vec<i64> = began.iter().enumerate().map(|(n, v)| v + bias(n)).collect();
                assert_eq!(with_bias, truth[i / phases].membranes[pop.0], "{} before firing", at.name);
            }
            let v_init = net.quant.population(pop).neuron.v_init();
            assert!(ended == v_init || v_init.is_empty() && ended.iter().all(|&v| v == 0), "{}", at.name);
        }
        let counters = model.counters(unit);
        let expected: u64 = truth.iter().map(|image| exact_cycles_of(core, received(net, core, image))).sum();
        assert_eq!(counters.active, expected, "{} in {:?}", at.name, core.mode);
        assert_eq!(counters.initialising, core.groups().max(core.buffer_words()) as u64);
        assert_eq!(counters.active + counters.stalled + counters.starved + counters.initialising, cycles);
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    any::<u64>().prop_map(plan)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_networks_of_windows_compute_the_integer_network(plan in plans(), count in 1..4usize) {
        let net = laid_out(plan);
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 1);
        let images: Vec<_> = (0..count).map(|_| image(&net, &mut rng)).collect();
        check(&net, &images, &mut rng);
    }

    /// Slots do not depend on how they are counted: event by event, or over all pixels.
    #[test]
    fn an_event_from_every_pixel_takes_the_mean(plan in plans()) {
        let net = laid_out(plan);
        for (_, _, core) in net.cores().filter(|(_, _, core)| core.mode.is_window() && core.mode.is_event()) {
            for (input, field) in core.fields.iter().enumerate() {
                let [_, h, w] = field.window.input;
                let slots = core.pass_slots(input);
                let all: u64 = (0..h).flat_map(|y| (0..w).map(move |x| (y, x))).map(|(y, x)| slots.exact(y, x)).sum();
                prop_assert!((slots.mean() * (h * w) as f64 - all as f64).abs() < 1e-6 * all as f64);
            }
        }
    }
}

/// The networks are what they should be: every synapse, combination and mode is among them.
#[test]
fn random_networks_have_everything() {
    let mut found = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let net = laid_out(plan(seed));
        for (_, _, core) in net.cores() {
            let kinds: Vec<&str> =
                core.projections.iter().map(|&p| net.quant.projection(p).projection.synapses.name()).collect();
            found.extend(kinds.iter().map(|kind| format!("{} {kind}", core.mode.name())));
            found.insert(format!("{} {:?}", core.mode.name(), core.combine));
            found.insert(format!("{} banks={}", core.mode.name(), core.mode.banks() != [1, 1]));
            found.insert(format!("window={} signed={}", core.mode.is_window(), core.value_signed));
            if kinds.len() > 1 && core.mode.is_window() {
                found.insert("window join".into());
            }
        }
    }
    for wanted in [
        "event conv",
        "event channelwise",
        "event dense",
        "matrix conv",
        "matrix channelwise",
        "matrix dense",
        "event Max",
        "matrix Max",
        "event banks=true",
        "window=true signed=true",
        "window join",
        "window=false signed=false",
    ] {
        assert!(found.contains(wanted), "{wanted} is missing in {found:?}");
    }
}

/// One event in the middle of an image of 5×5, through 3×3 taps to 4 channels: slots by the number of banks and lanes.
#[test]
fn slots_of_a_known_window() {
    use synfire::ir::mapped::{Payload, Target};
    use synfire::map::{MapRequest, map};
    let quant = window_support::single_conv([2, 5, 5], 4);
    let net = map(quant, &MapRequest::new(Target::Generic)).unwrap();
    let (_, _, core) = net.cores().next().unwrap();
    let slots = |mode, sender| {
        let core = Core { mode, ..core.clone() };
        exact_cycles_of(&core, [InputEvent { input: 0, sender, value: 5 }]) - core.phase_slots()
    };
    let event = |lanes, banks, payload| Mode::WindowEvent { lanes, banks, payload };
    let (middle, corner) = (12, 0);
    assert_eq!(slots(event(4, [3, 3], Payload::Multiply), middle), 1);
    assert_eq!(slots(event(1, [3, 3], Payload::Multiply), middle), 4);
    assert_eq!(slots(event(4, [1, 1], Payload::Multiply), middle), 9);
    assert_eq!(slots(event(4, [1, 1], Payload::Multiply), corner), 4);
    assert_eq!(slots(event(4, [2, 2], Payload::Multiply), middle), 4);
    assert_eq!(slots(event(3, [2, 3], Payload::ShiftAdd), middle), 2 * 2 * 2);
    let matrix = Core { mode: Mode::WindowMatrix { rows: 2, lanes: 4 }, ..core.clone() };
    // 25 pixels × one fire slot, and 13 × 13 pairs of existing taps along the two axes.
    assert_eq!(matrix.phase_slots(), 169 + 25 * u64::from(core.fire.slots()));
    assert_eq!(PopId(1), core.population);
}
