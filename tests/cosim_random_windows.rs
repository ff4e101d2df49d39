//! Generated designs with window cores in Verilator against the cycle model and the functional model.

mod window_networks;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use synfire::cosim::{Pattern, PhaseCounts, Settings, Simulation, Toolchain};
use synfire::golden::cycle::{CycleModel, MemoryTiming};
use synfire::golden::functional::{Functional, Outcome};
use synfire::ir::mapped::{MappedNet, UnitKind, Weights};
use window_networks::{image, laid_out, plan};

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

/// Runs the images under each pattern: every wire and membrane is the cycle model's, every count and logit the functional model's.
fn check(tools: &Toolchain, net: &MappedNet, images: &Vec<Vec<i64>>, patterns: &[Pattern], what: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    write(net, folder.path());
    let library = tools.build(folder.path(), &net.top).unwrap_or_else(|e| panic!("{what}\n{e}\n{}", net.dump()));
    let functional = Functional::new(&net.quant).unwrap();
    let truth: Vec<Outcome> = images.iter().map(|codes| functional.image_by_phase(codes).unwrap()).collect();
    let readout = net.quant.readout();
    let mut comparisons = 0;
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
        let mut observe = |counts: &PhaseCounts| {
            let image = &truth[counts.image];
            let expected = match counts.population {
                pop if pop == readout => &image.logits,
                pop => &image.phases.as_ref().unwrap()[counts.phase as usize][pop.0],
            };
            assert_eq!(counts.values, expected, "{what}, image {}", counts.image);
        };
        let outcome = synfire::cosim::run(net, &mut simulation, &mut model, images, &settings, &mut observe).unwrap();
        if let Some(mismatch) = &outcome.mismatch {
            panic!("{what}, output {output}: {mismatch}\n{}", net.dump());
        }
        assert_eq!((outcome.mismatches, outcome.images), (0, images.len()), "{what}");
        comparisons += outcome.comparisons;
    }
    comparisons
}

#[test]
fn random_networks_of_windows_agree_with_the_cycle_model() {
    let Some(tools) = toolchain() else { return };
    for case in 0..8u64 {
        // The number of a failing case is its seed.
        let net = laid_out(plan(case));
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let images = (0..6).map(|_| image(&net, &mut rng)).collect();
        let compared = check(&tools, &net, &images, &PATTERNS, &format!("case {case}"));
        println!("case {case}: {compared} comparisons of {} cores", net.cores().count());
    }
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
fn random_networks_of_windows_with_external_weights_agree_with_the_cycle_model() {
    let Some(tools) = toolchain() else { return };
    let mut moved = Vec::new();
    for case in 20..26u64 {
        let (mut net, mut rng) = (laid_out(plan(case)), ChaCha8Rng::seed_from_u64(case));
        moved.push(move_out(&mut net, &mut rng));
        if moved.last() == Some(&0) {
            continue;
        }
        let images = (0..5).map(|_| image(&net, &mut rng)).collect();
        check(&tools, &net, &images, &PATTERNS, &format!("case {case}"));
    }
    // Cores that share the port are among them.
    assert!(moved.iter().filter(|&&n| n > 1).count() >= 2, "{moved:?}");
}
