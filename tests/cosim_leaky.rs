//! Leaky neurons and recurrent projections: generated designs in Verilator against the cycle model in every cycle, and both
//! against a plain evaluator of the equations.

mod leaky_support;

use leaky_support::{Evaluation, Style, evaluate, lay_out, network, populate, random_codes, random_wiring, wired};
use ndarray::{Array3, Array4};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use synfire::cosim::{Outcome, Pattern, Settings, Simulation, Toolchain};
use synfire::golden::cycle::CycleModel;
use synfire::ir::Shape;
use synfire::ir::mapped::{MappedNet, UnitKind};
use synfire::ir::quant::{Input, Neuron};
use synfire::ir::snn::Synapses;
use synfire::ir::window::Window;

const PATTERNS: [Pattern; 4] = [Pattern::Always, Pattern::Random { percent: 40 }, Pattern::Bursts, Pattern::LongStalls];

fn toolchain() -> Option<Toolchain> {
    match Toolchain::find() {
        Ok(found) => Some(Toolchain { cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cosim-cache"), ..found }),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            println!("ignored: {error}");
            None
        }
    }
}

/// Runs the images under each pattern; everything that populations send is what the evaluator says.
fn check(tools: &Toolchain, net: &MappedNet, images: &Vec<Vec<i64>>, what: &str) -> (Vec<Evaluation>, Vec<Outcome>) {
    let folder = tempfile::tempdir().unwrap();
    for file in synfire::rtl::generate(net).unwrap() {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
    let library = tools.build(folder.path(), &net.top).unwrap_or_else(|e| panic!("{what}\n{e}\n{}", net.dump()));
    let golden: Vec<Evaluation> = images.iter().map(|codes| evaluate(&net.quant, codes)).collect();
    let readout = net.quant.readout();
    let mut outcomes = Vec::new();
    for (i, &output) in PATTERNS.iter().enumerate() {
        let settings = Settings {
            seed: i as u64,
            input: PATTERNS[(i * 3) % PATTERNS.len()],
            output,
            disturb: 97 * i as u64,
            ..Settings::default()
        };
        let mut simulation = Simulation::new(&library, folder.path(), net, i as u64 + 1).unwrap();
        let mut wrong = Vec::new();
        let mut observe = |c: &synfire::cosim::PhaseCounts| {
            let golden = &golden[c.image];
            if c.population != readout && golden.sent[c.phase as usize][c.population.0] != c.values {
                wrong.push((c.image, c.phase, c.population, c.values.to_vec()));
            }
        };
        let mut model = CycleModel::new(net);
        let outcome = synfire::cosim::run(net, &mut simulation, &mut model, images, &settings, &mut observe).unwrap();
        if let Some(mismatch) = &outcome.mismatch {
            panic!("{what}, output {output}: {mismatch}\n{}", net.dump());
        }
        assert_eq!(wrong, vec![], "{what}");
        assert!(outcome.logits.iter().eq(golden.iter().map(|g| &g.logits)), "{what}");
        outcomes.push(outcome);
    }
    (golden, outcomes)
}

#[test]
fn random_leaky_networks_agree_in_every_cycle() {
    let Some(tools) = toolchain() else { return };
    let (mut queues, mut merges, mut matrix, mut event) = (0, 0, 0, 0);
    let (mut spikes, mut clamped, mut cycles, mut comparisons) = (0, 0, 0, 0);
    for case in 0..12u64 {
        // The number of a failing case is its seed.
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let populations = 3 + case as usize % 3;
        let sizes: Vec<usize> = (0..populations).map(|_| rng.random_range(1..=[3, 9, 17][case as usize % 3])).collect();
        let wiring = random_wiring(&mut rng, populations);
        let input = if case % 2 == 0 { Input::Constant } else { Input::Train { max: [1, 5][case as usize / 2 % 2] } };
        let phases = [5, 1, 16, 2][case as usize % 4];
        let quant = network(&mut rng, &sizes, &wiring, Style::number(case), phases, input);
        let net = lay_out(&mut rng, quant);
        let images = random_codes(&mut rng, &net.quant, 12);
        let (golden, outcomes) = check(&tools, &net, &images, &format!("case {case}"));
        queues += net.units.iter().filter(|u| matches!(u.kind, UnitKind::Queue { .. })).count();
        merges += net.units.iter().filter(|u| matches!(u.kind, UnitKind::Merge { .. })).count();
        for (_, _, core) in net.cores() {
            if matches!(net.quant.population(core.population).neuron, Neuron::Leaky(_)) {
                *(if core.mode.is_event() { &mut event } else { &mut matrix }) += 1;
            }
        }
        spikes += golden.iter().map(|g| g.spikes).sum::<usize>();
        clamped += golden.iter().map(|g| g.clamped).sum::<usize>();
        cycles += outcomes.iter().map(|o| o.cycles).sum::<u64>();
        comparisons += outcomes.iter().map(|o| o.comparisons).sum::<u64>();
    }
    println!(
        "{queues} queues, {merges} merges, {event} event and {matrix} matrix cores, {spikes} spikes, {clamped} clamped \
         membranes, {cycles} cycles, {comparisons} comparisons"
    );
    assert!(queues >= 12 && merges >= 8 && event >= 5 && matrix >= 5, "{queues} {merges} {event} {matrix}");
    assert!(spikes >= 1000 && clamped >= 100, "{spikes} spikes, {clamped} clamped");
}

/// A convolution into leaky neurons that excite each other at the same pixel a step later, on window cores: field ids pass the
/// queue, and the memory forwards whole states.
#[test]
fn window_cores_have_leaky_neurons_and_queues() {
    let Some(tools) = toolchain() else { return };
    for case in 0..3u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(500 + case);
        let (from, to) = ([2, 4, 3], [[3, 4, 3], [5, 4, 3], [1, 4, 3]][case as usize]);
        let neurons = |shape: [usize; 3]| shape.iter().product::<usize>();
        let wiring = [(0, 1, 0, 7), (1, 1, 1, 7), (1, 2, 0, 7)];
        let mut quant = wired(&mut rng, &[neurons(from), neurons(to), 4], &wiring, 5, Input::Constant);
        quant.populations[0].shape = Shape(from.to_vec());
        quant.populations[1].shape = Shape(to.to_vec());
        let window = Window { kernel: [3, 3], pad: [1, 1], output: to, ..Window::identity(from) };
        let weight = Array4::from_shape_simple_fn((to[0], from[0], 3, 3), || rng.random_range(-3..=7));
        quant.projections[0].projection.synapses = Synapses::Conv { weight, window, groups: 1 };
        let weight = Array3::from_shape_simple_fn((to[0], 1, 1), || rng.random_range(-3..=7));
        quant.projections[1].projection.synapses =
            Synapses::Channelwise { weight, window: Window::identity(to), from: 0, to: 0 };
        populate(&mut rng, &mut quant, Style::number(case * 5 + 1));
        let net = lay_out(&mut rng, quant);
        assert!(net.cores().any(|(_, _, core)| core.mode.is_window()));
        let images = random_codes(&mut rng, &net.quant, 8);
        let (golden, _) = check(&tools, &net, &images, &format!("window {case}"));
        assert!(golden.iter().map(|g| g.spikes).sum::<usize>() > 20);
    }
}

/// Every neuron fires in every step, on itself and on an earlier population, while the output hardly ever takes anything: the
/// queues are as full as they can be, and nothing gets stuck.
#[test]
fn bursts_on_every_loop_do_not_deadlock() {
    let Some(tools) = toolchain() else { return };
    for (case, sizes) in [[4, 40, 33, 60], [20, 1, 40, 17]].into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(77 + case as u64);
        let wiring = [
            (0, 1, 0, 3),
            (1, 2, 0, 3),
            (2, 3, 0, 3),
            (1, 1, 1, 3),
            (2, 1, 1, 3),
            (2, 2, 1, 3),
            (1, 3, 1, 3),
            (0, 2, 1, 3),
        ];
        let mut quant = network(&mut rng, &sizes, &wiring, Style { align: 2, ..Style::default() }, 4, Input::Constant);
        for population in &mut quant.populations {
            if let Neuron::Leaky(leaky) = &mut population.neuron {
                leaky.theta.fill(leaky.limits.0 - 1);
            }
        }
        let mut net = lay_out(&mut rng, quant);
        for (lanes, unit) in [1usize, 64].into_iter().cycle().zip(&mut net.units) {
            if let UnitKind::Core(core) = &mut unit.kind {
                core.mode = match core.mode {
                    synfire::ir::mapped::Mode::Matrix { rows, .. } => synfire::ir::mapped::Mode::Matrix { rows, lanes },
                    _ => synfire::ir::mapped::Mode::Event { lanes, payload: synfire::ir::mapped::Payload::Multiply },
                };
            }
        }
        assert_eq!(net.check(), vec![], "{}", net.dump());
        let images: Vec<Vec<i64>> = (0..6).map(|_| vec![7; sizes[0]]).collect();
        let (golden, _) = check(&tools, &net, &images, &format!("burst {case}"));
        let neurons = sizes[1] + sizes[2];
        assert!(golden.iter().all(|g| g.spikes == 4 * neurons), "not every neuron fires in every step");
    }
}
