//! Images per second of the functional golden model beside the float network, on a 784-128-10 network with random weights
//! and inputs of which every fifth pixel is set. `cargo bench --bench golden`
//!
//! The fair opponent is the batched float product: a dense matrix product over many images at once is what a CPU does best,
//! and says what skipping silent neurons is worth. All run on one thread.

#[path = "../tests/cycle_support/mod.rs"]
#[allow(dead_code, reason = "the cycle model's tests use more of it")]
mod cycle_support;

use cycle_support::{Layer, quant};
use divan::counter::ItemsCount;
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::golden::functional::Functional;
use synfire::ir::mapped::{Mode, Payload};
use synfire::ir::quant::{Coding, Neuron, QuantGraph};
use synfire::ir::snn::Synapses;

const PIXELS: usize = 784;
const IMAGES: usize = 256;

fn main() {
    divan::main();
}

fn net(coding: Coding) -> QuantGraph {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut weights =
        |post: usize, pre: usize| Array2::from_shape_simple_fn((post, pre), || rng.random_range(-127..=127));
    let mode = Mode::Event { lanes: 1, payload: Payload::Multiply };
    let hidden = Neuron::If { theta: vec![40_000; 128], v_init: vec![20_000; 128], bias: vec![0; 128] };
    let layers = [
        Layer { neuron: hidden, mode, from: vec![(0, weights(128, PIXELS))] },
        Layer { neuron: Neuron::Readout { v_init: vec![0; 10] }, mode, from: vec![(1, weights(10, 128))] },
    ];
    quant(coding, 16, 8, PIXELS, &layers)
}

/// Pixel codes, `[IMAGES, PIXELS]`; one in five is not zero, in every image others.
fn images() -> Array2<i64> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    Array2::from_shape_simple_fn((IMAGES, PIXELS), || {
        if rng.random_range(0..5) == 0 { rng.random_range(1..=255) } else { 0 }
    })
}

#[divan::bench(args = ["graded", "rate"])]
fn golden(bencher: divan::Bencher, coding: &str) {
    let model = Functional::new(&net(if coding == "rate" { Coding::Rate } else { Coding::Graded })).unwrap();
    let images: Vec<Vec<i64>> = images().rows().into_iter().map(|row| row.to_vec()).collect();
    bencher
        .counter(ItemsCount::new(IMAGES))
        .bench_local(|| images.iter().map(|codes| model.image(codes).unwrap().class).sum::<usize>());
}

/// The same network in float, its hidden layer clipped as the integers are: matrix products over `batch` images at a time.
#[divan::bench(args = [1, 256])]
fn float_product(bencher: divan::Bencher, batch: usize) {
    let net = net(Coding::Graded);
    let weight = |i: usize| {
        let Synapses::Dense { weight } = &net.projections[i].projection.synapses else { panic!("dense networks only") };
        weight.mapv(|w| w as f32)
    };
    let (first, second) = (weight(0).reversed_axes(), weight(1).reversed_axes());
    let images = images().mapv(|code| code as f32);
    let batches: Vec<Array2<f32>> =
        images.axis_chunks_iter(ndarray::Axis(0), batch).map(|chunk| chunk.to_owned()).collect();
    bencher.counter(ItemsCount::new(IMAGES)).bench_local(|| {
        let mut sums = Array1::<f32>::zeros(10);
        for batch in &batches {
            let hidden = batch.dot(&first).mapv_into(|v| (v / 40_000.0).clamp(0.0, 16.0));
            sums += &hidden.dot(&second).sum_axis(ndarray::Axis(0));
        }
        sums
    });
}
