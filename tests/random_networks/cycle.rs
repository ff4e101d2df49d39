//! The cycle model under random back-pressure, its input's events in any order: the functional model's spikes, logits and membranes,
//! in the slots that the closed formulas say.

use crate::generator::{Kind, Recipe, images, realise};
use crate::judge::{Failure, Tally, Verdict, Wrong};
use crate::loihi;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::golden::cycle::{Border, CycleModel, FiringKind};
use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::PopId;
use synfire::ir::layout::IdLayout;
use synfire::ir::mapped::{Core, MappedNet, UnitKind};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::Beat;
use synfire::map::cost::{InputEvent, exact_cycles_of};

/// What each core sends in each phase, and what its membranes were when firing began and had ended.
#[derive(Default)]
struct Seen {
    sent: Vec<Vec<Beat>>,
    open: Vec<Beat>,
    began: Vec<Option<Vec<i64>>>,
    ended: Vec<Vec<i64>>,
}

/// The first run.
pub fn check(recipe: &Recipe) -> Verdict {
    let nets = realise(recipe).map_err(|e| Failure::new(Wrong::Recipe, None, e))?;
    let (net, run) = (&nets[0], &recipe.runs[0]);
    let images = images(recipe, run, &net.quant);
    let mut rng = ChaCha8Rng::seed_from_u64(run.weights);
    let functional = Functional::new(&net.quant).map_err(|e| Failure::new(Wrong::Recipe, None, e))?;
    let truth: Vec<Outcome> = images.iter().map(|codes| functional.image_by_phase(codes).unwrap()).collect();
    let (seen, model, cycles) = simulate(net, &images, &mut rng);
    for (unit, at, core) in net.cores() {
        let seen = &seen[unit.0];
        compare_sent(net, core, &net.stream(at.outputs[0]).layout, &seen.sent, &truth);
        compare_membranes(net, core, seen, &truth, recipe.layers[core.population.0 - 1].neuron);
        let counters = model.counters(unit);
        let expected: u64 = truth.iter().map(|image| exact_cycles_of(core, received(net, core, image))).sum();
        assert_eq!(counters.active, expected, "{} in {:?}", at.name, core.mode);
        assert_eq!(counters.initialising, core.groups().max(core.buffer_words()) as u64);
        assert_eq!(counters.active + counters.stalled + counters.starved + counters.initialising, cycles);
        mean_slots(core);
    }
    let loihi = loihi::compared_with_the_chips_neurons(&net.quant, &images);
    let loihi = loihi.map_err(|e| Failure::new(Wrong::Loihi, Some(0), e))?;
    Ok(Tally { structures: 1, cycles, loihi, ..Tally::default() })
}

fn simulate(net: &MappedNet, images: &[Vec<i64>], rng: &mut ChaCha8Rng) -> (Vec<Seen>, CycleModel, u64) {
    let ids = net.stream(net.input()).layout;
    let mut beats: Vec<Beat> = Vec::new();
    for codes in images {
        beats.extend(Beat::image_of(codes, &ids, net.quant.phases()));
    }
    // The order of events cannot matter.
    beats.split_mut(|beat| beat.last).for_each(|phase| phase.shuffle(rng));
    let mut beats = beats.into_iter();
    let chance = |rng: &mut ChaCha8Rng| [1.0, 0.5, 0.1][rng.random_range(0..3)];
    let (offers, readies) = (chance(rng), chance(rng));
    let mut seen: Vec<Seen> = net.units.iter().map(|_| Seen::default()).collect();
    let phases = images.len() * net.quant.phases() as usize;
    let mut model = CycleModel::new(net);
    let (mut offered, mut cycles) = (None, 0);
    let core = |unit: usize| matches!(net.units[unit].kind, UnitKind::Core(_));
    while net.cores().any(|(unit, ..)| seen[unit.0].ended.len() < phases)
        || seen.iter().enumerate().any(|(unit, seen)| core(unit) && !seen.open.is_empty())
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

fn compare_sent(net: &MappedNet, core: &Core, layout: &IdLayout, sent: &[Vec<Beat>], truth: &[Outcome]) {
    let (pop, phases) = (core.population, net.quant.phases() as usize);
    let (grid, readout) = (core.grid(), pop == net.quant.readout());
    for (i, phase) in sent.iter().enumerate() {
        let mut values = vec![0; core.neurons];
        let mut places = Vec::new();
        for beat in phase {
            let n = layout.neuron(beat.id).unwrap();
            values[n] += beat.value;
            places.push((grid.place(n).group, grid.place(n).lane));
        }
        let expected = match readout {
            true => &truth[i].logits,
            false => &truth[i / phases].phases.as_ref().unwrap()[i % phases][pop.0],
        };
        assert_eq!(&values, expected, "population {}, phase {i}", pop.0);
        if readout || net.quant.coding != Coding::Unit {
            assert!(places.is_sorted_by(|a, b| a < b), "each neuron once, groups and lanes ascending: {places:?}");
        }
    }
    assert_eq!(sent.len(), if readout { truth.len() } else { truth.len() * phases });
}

fn compare_membranes(net: &MappedNet, core: &Core, seen: &Seen, truth: &[Outcome], kind: Kind) {
    let (pop, phases) = (core.population, net.quant.phases() as usize);
    let leaky = kind.style().is_some();
    for (i, (began, ended)) in seen.began.iter().zip(&seen.ended).enumerate() {
        assert_eq!(began.is_some(), core.mode.is_event() && !leaky);
        if (i + 1) % phases > 0 {
            continue;
        }
        if let Some(began) = began {
            // What the functional model tells includes the bias of the phase.
            let neuron = &net.quant.population(pop).neuron;
            let bias = |n: usize| match neuron {
                Neuron::If { bias, .. } => bias[n],
                Neuron::MultiSpike(multi) => multi.bias[n],
                _ => 0,
            };
            let with_bias: Vec<i64> = began.iter().enumerate().map(|(n, v)| v + bias(n)).collect();
            assert_eq!(with_bias, truth[i / phases].membranes[pop.0], "population {} before firing", pop.0);
        }
        let v_init = net.quant.population(pop).neuron.v_init();
        assert!(ended == v_init || v_init.is_empty() && ended.iter().all(|&v| v == 0), "population {}", pop.0);
    }
}

/// The events that a core receives in one image, in no particular order.
fn received(net: &MappedNet, core: &Core, image: &Outcome) -> Vec<InputEvent> {
    let mut events = Vec::new();
    let phases = image.phases.as_ref().unwrap();
    for (input, &p) in core.projections.iter().enumerate() {
        let p = &net.quant.projection(p).projection;
        let (pre, several) = (p.pre, net.quant.max_per_phase(p.pre) > net.quant.max_payload(p.pre));
        for phase in &phases[..phases.len() - p.delay as usize] {
            for (sender, &x) in phase[pre.0].iter().enumerate().filter(|(_, x)| **x != 0) {
                let (count, value) = if several { (x as usize, 1) } else { (1, x) };
                events.extend(vec![InputEvent { input, sender, value }; count]);
            }
        }
    }
    events
}

/// Slots do not depend on how they are counted: event by event, or over all pixels.
fn mean_slots(core: &Core) {
    for (input, field) in core.fields.iter().enumerate().filter(|_| core.mode.is_window() && core.mode.is_event()) {
        let [_, h, w] = field.window.input;
        let slots = core.pass_slots(input);
        let all: u64 = (0..h).flat_map(|y| (0..w).map(move |x| (y, x))).map(|(y, x)| slots.exact(y, x)).sum();
        assert!((slots.mean() * (h * w) as f64 - all as f64).abs() < 1e-6 * all as f64);
    }
}

/// One event in the middle of an image of 5×5, through 3×3 taps to 4 channels: slots by the number of banks and lanes.
#[test]
fn slots_of_a_known_window() {
    use crate::resnet::single_conv;
    use synfire::ir::mapped::{Mode, Payload, Target};
    use synfire::map::{MapRequest, map};
    let net = map(single_conv([2, 5, 5], 4), &MapRequest::new(Target::Generic)).unwrap();
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
