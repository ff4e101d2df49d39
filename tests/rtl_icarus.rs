//! The emitted Verilog under Icarus, a four-state simulator: what leaves the design is what the functional model says.

#[path = "cycle_support/mod.rs"]
mod cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use std::process::Command;
use synfire::golden::functional::Functional;
use synfire::ir::mapped::{Mode, Payload};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::Beat;
use synfire::rtl::{self, Vectors};

#[test]
fn random_networks() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for case in 0..40 {
        let coding = [Coding::Graded, Coding::Unit, Coding::Rate][case % 3];
        let timesteps = [1u32, 2, 3, 4, 7, 8, 16, 5][rng.random_range(0..8)];
        let bits = [1, 3, 8][rng.random_range(0..3)];
        let inputs = rng.random_range(1..20);
        let layers = random_layers(&mut rng, coding, inputs);
        let q = quant(coding, timesteps, bits, inputs, &layers);
        let net = map(q, &layers);
        assert_eq!(net.check(), vec![], "case {case}");
        let functional = Functional::new(&net.quant).unwrap();
        let mut vectors = Vectors::default();
        for _ in 0..6 {
            let codes: Vec<i64> = (0..inputs)
                .map(|_| if rng.random_bool(0.5) { rng.random_range(0..(1i64 << bits)) } else { 0 })
                .collect();
            for _ in 0..net.quant.phases() {
                vectors.inputs.extend(Beat::phase_of(&codes));
            }
            let logits = functional.image(&codes).unwrap().logits;
            vectors.outputs.extend(logits.iter().enumerate().map(|(id, &v)| Beat::event(id as u32, v)));
            vectors.outputs.push(Beat::END);
        }
        let dir = tempfile::tempdir().unwrap();
        let mut files = rtl::generate(&net).unwrap();
        files.extend(rtl::bench(&net, &vectors).unwrap());
        for f in &files {
            let path = dir.path().join(&f.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &f.text).unwrap();
        }
        let out = Command::new("sh")
            .args(["-c", "iverilog -g2005 -Wall -o tb/tb.vvp tb/tb.v rtl/*.v && vvp tb/tb.vvp +stall=$0"])
            .arg(format!("{}", case % 2))
            .current_dir(dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        println!(
            "{case} {coding:?} T={timesteps} {} {}",
            net.dump().lines().filter(|l| l.contains("core")).count(),
            text.trim()
        );
        if !text.contains("PASS") {
            let keep = dir.keep();
            panic!("{}\n{}\n{}\n{}", keep.display(), net.dump(), text, String::from_utf8_lossy(&out.stderr));
        }
    }
}

/// A chain of random widths, modes and weights; some layers also read the layer before the last, or the image again.
fn random_layers(rng: &mut impl Rng, coding: Coding, inputs: usize) -> Vec<Layer> {
    let depth = rng.random_range(1..4);
    let mut sizes = vec![inputs];
    let mut layers = Vec::new();
    for i in 0..depth {
        let most = [1, 5, 20][rng.random_range(0..3)];
        let n = rng.random_range(1..=most);
        let mut from = vec![i];
        if i > 0 && rng.random_bool(0.4) {
            from.push(rng.random_range(0..i));
        }
        let lanes = [1, 2, 3, 4, 8, 32][rng.random_range(0..6)];
        // In unit coding only the image sends one event an input and phase, which is what matrix cores read.
        let event = coding == Coding::Unit && from.iter().any(|&pre| pre > 0);
        let mode = if event || rng.random_bool(0.5) {
            let payload = if rng.random_bool(0.5) { Payload::Multiply } else { Payload::ShiftAdd };
            Mode::Event { lanes, payload }
        } else {
            Mode::Matrix { rows: 1 << rng.random_range(0..4), lanes }
        };
        let mut vector = |min: i64, max: i64| -> Vec<i64> { (0..n).map(|_| rng.random_range(min..=max)).collect() };
        let neuron = if i + 1 == depth {
            Neuron::Readout { v_init: vector(-50, 50) }
        } else {
            let bias = if coding == Coding::Rate { vector(-9, 9) } else { vec![0; n] };
            Neuron::If { theta: vector(1, 200), v_init: vector(-20, 100), bias }
        };
        let from = from
            .into_iter()
            .map(|pre| (pre, Array2::from_shape_simple_fn((n, sizes[pre]), || rng.random_range(-31..=31))))
            .collect();
        layers.push(Layer { neuron, mode, from });
        sizes.push(n);
    }
    layers
}
