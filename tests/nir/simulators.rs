//! The executor against what other simulators, and trained networks, answered.

use crate::nir_support;

use ndarray::{ArrayD, Axis, IxDyn};
use nir_support::*;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use synfire::data;
use synfire::frontends::nir::{self, Dialect, Executor, Settings};

/// Columns input, membrane and spike of a simulator's trace.
fn trace(path: &Path) -> Vec<[f64; 3]> {
    let text = fs::read_to_string(path).unwrap();
    let numbers = |line: &str| line.split(',').map(|n| n.trim().parse().unwrap()).collect::<Vec<f64>>();
    text.lines().map(|line| numbers(line).try_into().unwrap()).collect()
}

/// Runs `lif_norse.nir` on the input of a trace (in spikes of size `unit`): the largest difference between the membranes,
/// which the simulator may scale, and the number of steps in which the spikes differ.
fn compare(dialect: Dialect, file: &str, unit: f64, scale: f64) -> Option<(f64, usize)> {
    let folder = files()?.join("lif");
    let trace = trace(&folder.join(file));
    let graph = nir::read(&folder.join("lif_norse.nir")).unwrap();
    let executor = Executor::new(&graph, Settings { dt: Some(1e-4), dialect }).unwrap();
    let x = trace.iter().map(|row| row[0] / unit).collect();
    let x = ArrayD::from_shape_vec(IxDyn(&[trace.len(), 1]), x).unwrap();
    let outcome = executor.watch(&input(x), &["1"]).unwrap();
    let watched = &outcome.watched["1"];
    let membranes = watched.membrane.as_ref().unwrap().iter().zip(&trace);
    // The largest of all is NaN, if there is one.
    let largest = membranes.map(|(v, row)| (v * scale - row[1]).abs()).max_by(f64::total_cmp)?;
    let spikes = outcome.outputs["output"].iter().zip(&trace).filter(|(s, row)| **s != row[2]).count();
    assert_eq!(outcome.spikes["1"], [4.0]);
    Some((largest, spikes))
}

#[test]
fn norse_traces_are_reproduced() {
    for dialect in [Dialect::Nir, Dialect::Norse] {
        let Some((membrane, spikes)) = compare(dialect, "lif_norse.csv", 1.0, 1.0) else { return };
        assert!(membrane < 1e-7 && spikes == 0, "{membrane} {spikes}");
    }
}

#[test]
fn snntorch_traces_are_reproduced() {
    // snnTorch's membrane is in units of dt/τ.
    let Some((membrane, spikes)) = compare(Dialect::Snntorch, "lif_snntorch.csv", 1.0, 25.0) else { return };
    assert!(membrane < 2e-6 && spikes == 0, "{membrane} {spikes}");
}

#[test]
fn sinabs_traces_are_reproduced() {
    // The trace's input is scaled with dt/τ already.
    let Some((membrane, spikes)) = compare(Dialect::Sinabs, "lif_sinabs.csv", 0.04, 1.0) else { return };
    assert!(membrane < 1e-6 && spikes == 0, "{membrane} {spikes}");
    // The other dialects spike elsewhere.
    assert!(compare(Dialect::Nir, "lif_sinabs.csv", 0.04, 1.0).unwrap().1 > 0);
}

#[test]
fn nmnist_gives_another_class_in_each_dialect() {
    let Some(folder) = files() else { return };
    let folder = folder.join("cnn_nmnist");
    let graph = nir::read(&folder.join("cnn_sinabs.nir")).unwrap();
    let data::Arrays::Single(sample) = data::load_arrays(&folder.join("nir4s_nmnist_sample.npy")).unwrap() else {
        panic!("one array is expected")
    };
    let spikes = |dialect| {
        let outcome = run(&graph, Settings { dt: None, dialect }, sample.clone());
        outcome.outputs["output"].sum_axis(Axis(0)).into_iter().collect::<Vec<f64>>()
    };
    assert_eq!(class(&spikes(Dialect::Sinabs)), 0);
    let own = spikes(Dialect::Nir);
    assert_eq!((class(&own), own.iter().sum::<f64>()), (6, 3.0));
}

/// Most spikes; ties go to the lowest index.
fn class(spikes: &[f64]) -> usize {
    (0..spikes.len()).rev().max_by(|&a, &b| spikes[a].total_cmp(&spikes[b])).unwrap()
}

/// 16 steps of the integer IF encoder: `v += pixel; if v >= 255 { spike; v -= 255 }`.
fn encode(pixels: &[u8]) -> ArrayD<f64> {
    let mut x = ArrayD::zeros(IxDyn(&[16, pixels.len()]));
    for (i, &pixel) in pixels.iter().enumerate() {
        let mut v = 0u32;
        for t in 0..16 {
            v += u32::from(pixel);
            if v >= 255 {
                v -= 255;
                x[[t, i]] = 1.0;
            }
        }
    }
    x
}

#[test]
fn mnist_lif_classifies_9636_of_10000() {
    let (Some(folder), Some(root)) = (files(), nir_support::data::shared()) else { return };
    let graph = nir::read(&folder.join("mnist_lif_784-128-10.nir")).unwrap();
    let executor = Executor::new(&graph, dt(1e-3)).unwrap();
    let gzipped = |name: &str, header: usize| {
        let mut bytes = Vec::new();
        let file = fs::File::open(root.join("data/mnist").join(name)).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes).unwrap();
        bytes.split_off(header)
    };
    let images = gzipped("t10k-images-idx3-ubyte.gz", 16);
    let labels = gzipped("t10k-labels-idx1-ubyte.gz", 8);
    let correct = images.par_chunks_exact(784).zip(&labels).filter(|(pixels, label)| {
        let outcome = executor.run(&BTreeMap::from([("input".into(), encode(pixels))])).unwrap();
        class(&outcome.spikes["lif2"]) == usize::from(**label)
    });
    assert_eq!((correct.count(), labels.len()), (9636, 10_000));
}

#[test]
fn braille_runs_on_random_trains() {
    let Some(folder) = files() else { return };
    let graph = nir::read(&folder.join("braille/braille_noDelay_bias_zero.nir")).unwrap();
    let executor = Executor::new(&graph, dt(1e-4)).unwrap();
    assert_eq!(executor.feedback(), [("lif1.lif", "lif1.w_rec")]);
    let mut seed = 1u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u8::from(seed >> 60 == 0))
    };
    let mut totals = [0.0; 2];
    for _ in 0..20 {
        let x = ArrayD::from_shape_simple_fn(IxDyn(&[256, 12]), &mut random);
        let outcome = executor.watch(&input(x.clone()), &["lif1.lif"]).unwrap();
        let expected = braille_by_hand(&graph, &x);
        assert_eq!(outcome.watched["lif1.lif"].output.iter().copied().collect::<Vec<_>>(), expected);
        totals[0] += outcome.spikes["lif1.lif"].iter().sum::<f64>();
        totals[1] += outcome.spikes["lif2"].iter().sum::<f64>();
    }
    assert!(totals[0] > 500.0 && totals[1] > 10.0, "{totals:?}");
}

/// The first layer's spikes, written down from the equations: dt/τ_syn·w_in = 1 and dt/τ·r = 1 up to rounding.
fn braille_by_hand(graph: &nir::NirGraph, x: &ArrayD<f64>) -> Vec<f64> {
    let field = |node: &str, name: &str| match &graph.nodes[node] {
        nir::Node::Unit(unit) => unit.fields[name].to_f64().unwrap(),
        nir::Node::Graph(_) => panic!("{node} is a graph"),
    };
    let [w, b, w_rec, b_rec] = [("fc1", "weight"), ("fc1", "bias"), ("lif1.w_rec", "weight"), ("lif1.w_rec", "bias")]
        .map(|(n, f)| field(n, f));
    let [tau_syn, tau_mem, r, w_in] = ["tau_syn", "tau_mem", "r", "w_in"].map(|f| field("lif1.lif", f));
    let (mut u, mut v, mut s) = ([0.0; 38], [0.0; 38], [0.0; 38]);
    let mut spikes = Vec::new();
    for row in x.outer_iter() {
        let before = s;
        for n in 0..38 {
            let forward = row.iter().zip(&w[n * 12..]).filter(|(x, _)| **x != 0.0).fold(b[n], |a, (x, w)| a + x * w);
            let back = before.iter().zip(&w_rec[n * 38..]).filter(|(x, _)| **x != 0.0);
            let back = back.fold(b_rec[n], |a, (x, w)| a + x * w);
            u[n] += 1e-4 / tau_syn[n] * (0.0 - u[n] + w_in[n] * (forward + back));
            v[n] += 1e-4 / tau_mem[n] * (0.0 - v[n] + r[n] * u[n]);
            s[n] = f64::from(u8::from(v[n] > 1.0));
            if s[n] > 0.0 {
                v[n] = 0.0;
            }
        }
        spikes.extend(s);
    }
    spikes
}

#[test]
fn the_file_with_all_features_runs() {
    let Some(folder) = files() else { return };
    let graph = nir::read(&folder.join("synthetic_nir_1.0.8_allfeatures.nir")).unwrap();
    let executor = Executor::new(&graph, Settings::default()).unwrap();
    assert_eq!((executor.time_step().seconds, executor.time_step().origin), (1e-4, "from the metadata of the file"));
    let x = ArrayD::from_shape_fn(IxDyn(&[40, 2, 8, 8]), |i| f64::from(u8::from((i[0] + i[2] * i[3]) % 3 == 0)) * 2e4);
    let outcome = executor.run(&input(x)).unwrap();
    assert_eq!(outcome.outputs["output"].shape(), [40, 10]);
    assert!(outcome.spikes["if1"].iter().sum::<f64>() > 0.0);
}
