//! Generated designs in Verilator against the cycle model and the functional model.

#[path = "cycle_support/mod.rs"]
mod cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use synfire::cosim::{Pattern, Settings, Simulation, Toolchain};
use synfire::golden::cycle::{CycleModel, MemoryTiming};
use synfire::golden::functional::Functional;
use synfire::ir::mapped::{MappedNet, Mode, Payload, UnitKind, Weights};
use synfire::ir::quant::{Coding, Neuron};

const PATTERNS: [Pattern; 4] = [Pattern::Always, Pattern::Random { percent: 40 }, Pattern::Bursts, Pattern::LongStalls];
/// How the memory takes its time, if weights are outside.
const MEMORIES: [&str; 4] = ["60", "1", "7+50/3", "20"];

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

fn write(net: &MappedNet, folder: &Path) {
    for file in synfire::rtl::generate(net).unwrap() {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
}

/// Runs the images under each of `patterns`; the logits are those of the functional model.
fn check(tools: &Toolchain, net: &MappedNet, images: &Vec<Vec<i64>>, patterns: &[Pattern], what: &str) {
    assert_eq!(net.check(), vec![], "{what}");
    let folder = tempfile::tempdir().unwrap();
    write(net, folder.path());
    let library = tools.build(folder.path(), &net.top).unwrap_or_else(|e| panic!("{what}\n{e}\n{}", net.dump()));
    let functional = Functional::new(&net.quant).unwrap();
    let logits: Vec<_> = images.iter().map(|codes| functional.image(codes).unwrap().logits).collect();
    for (i, &output) in patterns.iter().enumerate() {
        let settings = Settings {
            seed: i as u64,
            input: patterns[(i * 3) % patterns.len()],
            output,
            disturb: 97 * i as u64,
            memory: MemoryTiming { seed: i as u64, ..MEMORIES[i % MEMORIES.len()].parse().unwrap() },
            ..Settings::default()
        };
        let mut simulation = Simulation::new(&library, folder.path(), net, i as u64).unwrap();
        let mut model = CycleModel::new(net);
        let outcome = synfire::cosim::run(net, &mut simulation, &mut model, images, &settings, &mut |_| {}).unwrap();
        if let Some(mismatch) = &outcome.mismatch {
            panic!("{what}, output {output}: {mismatch}\n{}", net.dump());
        }
        assert_eq!(outcome.logits, logits, "{what}");
    }
}

fn random_images(rng: &mut impl Rng, count: usize, pixels: usize, bits: u32, density: f64) -> Vec<Vec<i64>> {
    let mut pixel = || if rng.random_bool(density) { rng.random_range(0..(1i64 << bits)) } else { 0 };
    (0..count).map(|_| (0..pixels).map(|_| pixel()).collect()).collect()
}

#[test]
fn random_networks_agree_with_the_cycle_model() {
    let Some(tools) = toolchain() else { return };
    let (mut merges, mut full, mut clipped) = (0, 0, 0);
    for case in 0..8u64 {
        // The number of a failing case is its seed.
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let coding = [Coding::Graded, Coding::Unit, Coding::Rate][case as usize % 3];
        let timesteps = [1u32, 4, 3, 8, 7, 16][case as usize % 6];
        let bits = [1, 3, 8][rng.random_range(0..3)];
        let inputs = rng.random_range(1..20);
        let layers = random_layers(&mut rng, coding, inputs);
        let net = map(quant(coding, timesteps, bits, inputs, &layers), &layers);
        let images = random_images(&mut rng, 12, inputs, bits, 0.5);
        merges += net.units.iter().filter(|u| matches!(u.kind, UnitKind::Merge { .. })).count();
        let fills_its_bits = (timesteps + 1).is_power_of_two();
        full += usize::from(fills_its_bits);
        clipped += usize::from(!fills_its_bits);
        check(&tools, &net, &images, &PATTERNS, &format!("case {case}"));
    }
    // Several projections into one population, and counts that need clipping and such that do not, are among them.
    assert!(merges >= 2 && full >= 2 && clipped >= 2, "{merges} merges, {full} and {clipped}");
}

/// A chain of random widths, modes and weights; some layers also read an earlier population.
fn random_layers(rng: &mut impl Rng, coding: Coding, inputs: usize) -> Vec<Layer> {
    let depth = rng.random_range(1..4);
    let mut sizes = vec![inputs];
    let mut layers = Vec::new();
    for i in 0..depth {
        let most = [1, 5, 20][rng.random_range(0..3)];
        let n = rng.random_range(1..=most);
        let mut from = vec![i];
        if i > 0 && rng.random_bool(0.5) {
            from.push(rng.random_range(0..i));
        }
        let lanes = [1, 2, 3, 4, 8, 32][rng.random_range(0..6)];
        // A matrix core stores one payload an input, so it cannot read unit spikes.
        let unit_spikes = coding == Coding::Unit && from.iter().any(|&pre| pre > 0);
        let mode = if unit_spikes || rng.random_bool(0.5) {
            let payload = if rng.random_bool(0.5) { Payload::Multiply } else { Payload::ShiftAdd };
            Mode::Event { lanes, payload }
        } else {
            Mode::Matrix { rows: 1 << rng.random_range(0..4), lanes }
        };
        let from = from.into_iter().map(|pre| (pre, random_weights(rng, n, sizes[pre], 31))).collect();
        layers.push(Layer { neuron: random_neuron(rng, n, i + 1 == depth, coding), mode, from });
        sizes.push(n);
    }
    layers
}

fn random_neuron(rng: &mut impl Rng, n: usize, readout: bool, coding: Coding) -> Neuron {
    let mut vector = |min: i64, max: i64| -> Vec<i64> { (0..n).map(|_| rng.random_range(min..=max)).collect() };
    if readout {
        return Neuron::Readout { v_init: vector(-50, 50) };
    }
    let bias = if coding == Coding::Rate { vector(-9, 9) } else { vec![0; n] };
    Neuron::If { theta: vector(1, 200), v_init: vector(-20, 100), bias }
}

fn random_weights(rng: &mut impl Rng, post: usize, pre: usize, limit: i32) -> Array2<i32> {
    Array2::from_shape_simple_fn((post, pre), || rng.random_range(-limit..=limit))
}

/// Moves the weights of most event cores outside; returns of how many.
fn move_out(net: &mut MappedNet, rng: &mut ChaCha8Rng) -> usize {
    let mut moved = 0;
    for unit in &mut net.units {
        if let UnitKind::Core(core) = &mut unit.kind
            && core.mode.is_event()
            && rng.random_bool(0.8)
        {
            core.weights = Weights::External { base: 0 };
            moved += 1;
        }
    }
    net.place_weights();
    assert_eq!(net.check(), vec![]);
    moved
}

#[test]
fn random_networks_with_external_weights_agree_with_the_cycle_model() {
    let Some(tools) = toolchain() else { return };
    let mut moved = Vec::new();
    for case in 40..44u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let coding = [Coding::Graded, Coding::Unit, Coding::Rate][case as usize % 3];
        let (timesteps, inputs) = ([4u32, 8][case as usize % 2], rng.random_range(1..20));
        let layers = random_layers(&mut rng, coding, inputs);
        let mut net = map(quant(coding, timesteps, 4, inputs, &layers), &layers);
        moved.push(move_out(&mut net, &mut rng));
        if moved.last() != Some(&0) {
            let images = random_images(&mut rng, 10, inputs, 4, 0.5);
            check(&tools, &net, &images, &PATTERNS, &format!("case {case}"));
        }
    }
    assert!(moved.iter().filter(|&&n| n > 0).count() >= 3, "{moved:?}");
}
