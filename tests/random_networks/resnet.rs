//! A network of ResNet-20's shape with random weights: how large its design is, and how fast it is simulated.

pub use crate::generator::single_conv;

use crate::generator::resnet;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Instant;
use synfire::cosim::{Settings, Simulation, Toolchain};
use synfire::golden::cycle::{Border, CycleModel};
use synfire::golden::functional::Functional;
use synfire::ir::mapped::Target;
use synfire::ir::stream::Beat;
use synfire::map::{MapRequest, ModeChoice, map};

/// Mean events per image of every population, on `images`, and mean set bits of an event's payload.
fn traffic(functional: &Functional, images: &[Vec<i64>]) -> (Vec<f64>, Vec<f64>) {
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for codes in images {
        let outcome = functional.image(codes).unwrap();
        sums.resize(outcome.counts.len(), (0.0, 0.0));
        for (sum, counts) in sums.iter_mut().zip(&outcome.counts) {
            sum.0 += counts.iter().filter(|&&n| n != 0).count() as f64;
            sum.1 += counts.iter().map(|n| f64::from(n.count_ones())).sum::<f64>();
        }
    }
    let n = images.len() as f64;
    sums.iter().map(|s| (s.0 / n, (s.1 / s.0.max(1.0)).max(1.0))).unzip()
}

#[test]
#[ignore = "takes minutes: run it to measure"]
fn resnet_20() {
    let blocks = std::env::var("BLOCKS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let start = Instant::now();
    let quant = resnet(blocks, 32);
    println!("network after {:?}", start.elapsed());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let images: Vec<Vec<i64>> = (0..10).map(|_| (0..3 * 32 * 32).map(|_| rng.random_range(0..256)).collect()).collect();
    let functional = Functional::new(&quant).unwrap();
    let (events, event_bits) = traffic(&functional, &images[..4]);
    println!("traffic after {:?}: {events:.0?}", start.elapsed());
    let mode = match std::env::var("SYNFIRE_MODE").as_deref() {
        Ok("event") => ModeChoice::Event,
        Ok("matrix") => ModeChoice::Matrix,
        _ => ModeChoice::Auto,
    };
    let net = map(quant, &MapRequest { mode, events, event_bits, ..MapRequest::new(Target::Generic) }).unwrap();
    println!("mapped after {:?}", start.elapsed());
    net.decisions.iter().for_each(|line| println!("{line}"));
    println!("{} lanes", net.cores().map(|(_, _, core)| core.mode.lanes()).sum::<usize>());

    let begin = Instant::now();
    let mut model = CycleModel::new(&net);
    println!("model after {:?}", begin.elapsed());
    let ids = net.stream(net.input()).layout;
    let mut beats = images.iter().flat_map(|codes| Beat::phase_of(codes, &ids).collect::<Vec<_>>());
    let (begin, mut offered, mut logits, mut cycles) = (Instant::now(), beats.next(), vec![Vec::new()], 0u64);
    while logits.len() <= images.len() {
        let wires = model.cycle(&Border { input: offered, output_ready: true });
        if wires[0].moves() {
            offered = beats.next();
        }
        let out = wires[wires.len() - 1];
        match (out.moves(), out.beat.last) {
            (true, true) => logits.push(Vec::new()),
            (true, false) => logits.last_mut().unwrap().push(out.beat.value),
            _ => {}
        }
        cycles += 1;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "{} cycles an image, {:.2} Mcycle/s predicted",
        cycles / images.len() as u64,
        cycles as f64 / seconds / 1e6
    );
    for (codes, logits) in images.iter().zip(&logits) {
        assert_eq!(logits, &functional.image(codes).unwrap().logits);
    }

    let Ok(tools) = Toolchain::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    for file in synfire::rtl::generate(&net).unwrap() {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.text).unwrap();
    }
    let begin = Instant::now();
    let library = tools.build(folder.path(), &net.top).unwrap();
    println!("Verilator and compiler: {:?}{}", begin.elapsed(), if library.cached() { " (cached)" } else { "" });
    let begin = Instant::now();
    let mut simulation = Simulation::new(&library, folder.path(), &net, 1).unwrap();
    println!("started after {:?}", begin.elapsed());
    let mut model = CycleModel::new(&net);
    let settings = Settings::default();
    let outcome = synfire::cosim::run(&net, &mut simulation, &mut model, &images, &settings, &mut |_| {}).unwrap();
    assert_eq!(outcome.mismatch.map(|m| m.to_string()), None);
    println!(
        "{} images, {} cycles, {} comparisons, {} mismatches, {:.1} kcycle/s",
        outcome.images,
        outcome.cycles,
        outcome.comparisons,
        outcome.mismatches,
        outcome.cycles as f64 / outcome.elapsed.as_secs_f64() / 1e3
    );
    for (codes, logits) in images.iter().zip(&outcome.logits) {
        assert_eq!(logits, &functional.image(codes).unwrap().logits);
    }
}
