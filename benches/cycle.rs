//! Speed of the cycle model on a 784-128-10 network with random weights, in simulated cycles a second.
//! `cargo bench --bench cycle`

#[path = "../tests/cycle_support/mod.rs"]
mod cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::golden::cycle::{Border, CycleModel};
use synfire::ir::mapped::{MappedNet, Mode, Payload};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::Beat;

const CYCLES: usize = 100_000;

fn main() {
    divan::main();
}

fn net(first: Mode, second: Mode) -> MappedNet {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut weights =
        |post: usize, pre: usize| Array2::from_shape_simple_fn((post, pre), || rng.random_range(-127..=127));
    let hidden = Neuron::If { theta: vec![4000; 128], v_init: vec![2000; 128], bias: vec![0; 128] };
    let layers = [
        Layer { neuron: hidden, mode: first, from: vec![(0, weights(128, 784))] },
        Layer { neuron: Neuron::Readout { v_init: vec![0; 10] }, mode: second, from: vec![(1, weights(10, 128))] },
    ];
    map(quant(Coding::Graded, 16, 8, 784, &layers), &layers)
}

/// An image with every fifth pixel set, again and again.
fn image() -> Vec<Beat> {
    (0..784).step_by(5).map(|id| Beat::event(id, 1 + i64::from(id % 255))).chain([Beat::END]).collect()
}

fn simulate(bencher: divan::Bencher, net: &MappedNet) {
    let image = image();
    let mut model = CycleModel::new(net);
    bencher.counter(divan::counter::ItemsCount::new(CYCLES)).bench_local(|| {
        model.reset();
        let mut next = 0;
        for _ in 0..CYCLES {
            let wires = model.cycle(&Border { input: Some(image[next]), output_ready: true });
            if wires[0].ready {
                next = if next + 1 == image.len() { 0 } else { next + 1 };
            }
        }
        model.counters(synfire::ir::mapped::UnitId(0))
    });
}

#[divan::bench(args = [1, 16, 128])]
fn event(bencher: divan::Bencher, lanes: usize) {
    let mode = |lanes| Mode::Event { lanes, payload: Payload::Multiply };
    simulate(bencher, &net(mode(lanes), mode(lanes.min(10))));
}

#[divan::bench(args = [1, 16, 128])]
fn matrix(bencher: divan::Bencher, lanes: usize) {
    let mode = |lanes| Mode::Matrix { rows: 16, lanes };
    simulate(bencher, &net(mode(lanes), mode(lanes.min(10))));
}
