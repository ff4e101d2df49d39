//! Images per second of the functional golden model beside the float network, on a 784-128-10 network with random weights
//! and inputs of which every fifth pixel is set, and on a stack of convolutions. `cargo bench --bench golden`
//!
//! The fair opponent is the batched float product: a dense matrix product over many images at once is what a CPU does best,
//! and says what skipping silent neurons is worth. All run on one thread.

#[path = "../tests/cycle_support/mod.rs"]
mod cycle_support;

use cycle_support::{Layer, quant};
use divan::counter::ItemsCount;
use ndarray::{Array1, Array2, Array4};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::golden::functional::Functional;
use synfire::ir::mapped::{Mode, Payload};
use synfire::ir::quant::{Coding, Input, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};

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

/// Convolutions of 3×3 over `channels` channels of 32×32 pixels, as many as make 40 million products an image (ResNet-20 has as
/// many), and a readout.
fn convolutions(channels: usize) -> QuantGraph {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let image = [channels, 32, 32];
    let neurons = channels * 32 * 32;
    let depth = 40_000_000 / (9 * channels * neurons);
    let population =
        |shape: Vec<usize>, neuron| QPopulation { name: "p".into(), shape: Shape(shape), neuron, range: (0, 0) };
    let mut populations = vec![population(image.to_vec(), Neuron::Source)];
    let mut projections = Vec::new();
    for index in 1..=depth + 1 {
        let last = index > depth;
        let synapses = if last {
            Synapses::Dense { weight: Array2::from_shape_simple_fn((10, neurons), || rng.random_range(-127..=127)) }
        } else {
            Synapses::Conv {
                weight: Array4::from_shape_simple_fn((channels, channels, 3, 3), || rng.random_range(-127..=127)),
                window: Window { kernel: [3, 3], pad: [1, 1], ..Window::identity(image) },
                groups: 1,
            }
        };
        let neuron = match last {
            true => Neuron::Readout { v_init: vec![0; 10] },
            false => Neuron::If { theta: vec![400; neurons], v_init: vec![200; neurons], bias: vec![0; neurons] },
        };
        populations.push(population(if last { vec![10] } else { image.to_vec() }, neuron));
        let (pre, post) = (PopId(index - 1), PopId(index));
        let projection = Projection { name: "p".into(), pre, post, delay: 0, synapses };
        projections.push(QProjection { projection, weight_bits: 8 });
    }
    let (coding, pixels) = (Coding::Graded, PixelFormat::unsigned(8));
    let name = "convolutions".into();
    let mut net = QuantGraph {
        name,
        coding,
        timesteps: 16,
        pixels,
        input: Input::Constant,
        normalisation: None,
        populations,
        projections,
    };
    for index in 0..net.populations.len() {
        net.populations[index].range = net.prove_range(PopId(index));
    }
    net
}

/// One image of 40 million products, on one thread.
#[divan::bench(args = [16, 64])]
fn golden_convolutions(bencher: divan::Bencher, channels: usize) {
    let net = convolutions(channels);
    let model = Functional::new(&net).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let codes: Vec<i64> = (0..net.input_shape().len()).map(|_| rng.random_range(0..=255)).collect();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| one.install(|| model.classify(1, |_| codes.clone(), None).unwrap().classes[0]));
}
