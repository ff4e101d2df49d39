//! Python's `nir` reads what we export, and an executor that knows only the table of notes gives the same spikes.

use super::{drawn, export, presentation, sample};
use crate::nir_support::python::{oracle, python, script};
use ndarray::{Array2, Array3, Array4};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::frontends::nir::{self, Executor, NirGraph, Settings};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Coding, Combine, Input, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::window::Window;
use synfire::ir::{PopId, Shape};

/// Signed pixels → conv → conv joined by the identity → strided conv joined by a strided, zero-padded shortcut → average → dense.
fn residual(rng: &mut impl Rng, coding: Coding) -> QuantGraph {
    let mut net = QuantGraph {
        name: "residual".into(),
        coding,
        timesteps: 8,
        pixels: PixelFormat { bits: 4, zero: vec![7, 3] },
        input: Input::Constant,
        normalisation: None,
        populations: Vec::new(),
        projections: Vec::new(),
    };
    let shapes = [vec![2, 6, 6], vec![4, 6, 6], vec![4, 6, 6], vec![6, 3, 3], vec![6, 1, 1], vec![5]];
    for (i, shape) in shapes.into_iter().enumerate() {
        let shape = Shape(shape);
        let n = shape.len();
        let pixels = n / shape.channels();
        let mut each = |low: i64, high: i64| -> Vec<i64> {
            (0..shape.channels()).flat_map(|_| vec![rng.random_range(low..high); pixels]).collect()
        };
        let neuron = match i {
            0 => Neuron::Source,
            4 => Neuron::Pool { combine: Combine::Sum, max: 9 * 8 },
            5 => Neuron::Readout { v_init: each(-20, 20) },
            _ if coding == Coding::Rate => Neuron::If { theta: each(9, 40), v_init: each(0, 9), bias: each(-3, 5) },
            _ => Neuron::If { theta: each(9, 40), v_init: each(-9, 20), bias: vec![0; n] },
        };
        net.populations.push(QPopulation { name: format!("/pop {i}"), shape, neuron, range: (0, 0) });
    }
    let image = |i: usize| net.populations[i].shape.image().unwrap();
    let window = |pre: usize, post: usize, kernel: usize, stride: usize| Window {
        output: image(post),
        kernel: [kernel; 2],
        stride: [stride; 2],
        pad: [kernel as i64 / 2; 2],
        ..Window::identity(image(pre))
    };
    let mut conv = |pre: usize, post: usize, stride: usize| {
        let window = window(pre, post, 3, stride);
        let weight =
            Array4::from_shape_simple_fn((window.output[0], window.input[0], 3, 3), || rng.random_range(-7..8));
        (pre, post, Synapses::Conv { weight, window, groups: 1 })
    };
    let mut all = vec![conv(0, 1, 1), conv(1, 2, 1), conv(2, 3, 2)];
    let channelwise = |weight: Array3<i32>, window, to| Synapses::Channelwise { weight, window, from: 0, to };
    let weights = Array3::from_shape_fn((4, 1, 1), |(c, ..)| 20 + c as i32);
    all.insert(2, (1, 2, channelwise(weights.clone(), window(1, 2, 1, 1), 0)));
    all.push((2, 3, channelwise(weights, window(2, 3, 1, 2), 1)));
    let sum = Window { kernel: [3, 3], output: [6, 1, 1], ..Window::identity([6, 3, 3]) };
    all.push((3, 4, channelwise(Array3::ones((6, 3, 3)), sum, 0)));
    all.push((4, 5, Synapses::Dense { weight: Array2::from_shape_simple_fn((5, 6), || rng.random_range(-7..8)) }));
    for (i, (pre, post, synapses)) in all.into_iter().enumerate() {
        let (pre, post) = (PopId(pre), PopId(post));
        let projection = Projection { name: format!("/w{i}"), pre, post, delay: 0, synapses };
        net.projections.push(QProjection { projection, weight_bits: 8 });
    }
    for i in 0..net.populations.len() {
        net.populations[i].range = net.prove_range(PopId(i));
    }
    assert_eq!(net.check(), []);
    net
}

/// Integer networks with a sample each.
fn networks() -> Vec<(QuantGraph, Vec<i64>)> {
    let mut all = Vec::new();
    for (seed, coding) in (0..).zip([Coding::Graded, Coding::Unit, Coding::Rate]) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let net = residual(&mut rng, coding);
        let pixels = net.input_shape().len() / net.input_shape().channels();
        let mut code = |n: usize| rng.random_range(0..=net.pixels.max()) - net.pixels.zero_of(n / pixels);
        let image = (0..net.codes_per_image()).map(&mut code).collect();
        all.push((net, image));
    }
    for seed in 300..400 {
        all.extend(drawn(seed).into_iter().take(1).map(|(net, mut images)| (net, images.remove(0))));
    }
    all.retain(|(net, _)| export(net).is_ok());
    all
}

#[test]
fn an_executor_written_from_the_table_of_notes_gives_the_same_spikes() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let networks = networks();
    assert!(networks.len() > 50, "{}", networks.len());
    let (mut args, mut files, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (net, codes)) in networks.iter().enumerate() {
        let export = export(net).unwrap();
        let executor = Executor::new(&export.graph, Settings::default()).unwrap();
        let [file, x] = ["nir", "npy"].map(|end| folder.path().join(format!("{i}.{end}")));
        nir::write(&file, &export.graph).unwrap();
        synfire::data::save_npy(&x, &sample(net, &executor, codes)).unwrap();
        args.extend([file.clone(), x]);
        files.push(file);
        exports.push(export);
    }
    // Their arrays and notes are ours.
    for (export, dump) in exports.iter().zip(oracle(&python, "dump", &files).as_array().unwrap()) {
        let sorted = NirGraph { version: None, ..export.graph.clone() };
        crate::roundtrip::same(&sorted, dump);
    }
    let (mut values, mut live) = (0, 0);
    for (((net, codes), export), theirs) in
        networks.iter().zip(&exports).zip(script(&python, "nir_notes.py", &args).as_array().unwrap())
    {
        let golden = Functional::new(net).unwrap().image(codes).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
        };
        let equal = |ours: &[i64], theirs: Vec<f64>, what: &str| {
            assert!(
                ours.iter().map(|&v| v as f64).eq(theirs.iter().copied()),
                "{what}: {ours:?} {theirs:?}\n{}",
                net.dump()
            );
        };
        equal(&golden.logits, numbers(&theirs["output"]), "logits");
        for (counts, node) in golden.counts.iter().zip(&export.nodes).filter(|(counts, _)| !counts.is_empty()) {
            equal(counts, numbers(&theirs["sent"][node]), node);
            values += counts.len();
            live += counts.iter().filter(|&&n| n != 0).count();
        }
        assert_eq!(presentation(net).steps, net.timesteps);
    }
    assert!(values > 3_000 && live * 5 > values, "{live} of {values}");
}
