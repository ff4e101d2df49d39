//! Random graphs: whatever converts computes the same.

use super::Builder;
use crate::convert::convert;
use crate::fixed::Normalisation;
use crate::float;
use crate::frontends::evaluate;
use crate::ir::Shape;
use crate::ir::graph::{Op, PoolKind};
use crate::ir::window::Window;
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A graph of up to `steps` random operators on small images, and a Dense at its end.
fn random(seed: u64, steps: usize) -> (Builder, Option<Normalisation>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let extent = [rng.random_range(1..4), rng.random_range(1..7), rng.random_range(2..7)];
    let mut b = Builder::new(&extent);
    b.rng = ChaCha8Rng::seed_from_u64(seed ^ 1);
    let normalisation = seed.is_multiple_of(3).then(|| Normalisation { mean: vec![0.4], std: vec![0.3] });
    let mut x = 0;
    let mut all = vec![0];
    for _ in 0..steps {
        let at = b.image(x);
        let [c, h, w] = at;
        x = match rng.random_range(0..13) {
            0..=2 => {
                let divisors: Vec<usize> = (1..=c).filter(|g| c % g == 0).collect();
                let groups = divisors[rng.random_range(0..divisors.len())];
                let mut window = Window::identity(at);
                window.output[0] = groups * rng.random_range(1..3);
                for axis in 0..2 {
                    window.kernel[axis] = rng.random_range(1..4);
                    window.stride[axis] = rng.random_range(1..3);
                    window.dilation[axis] = rng.random_range(1..3);
                    window.pad[axis] = rng.random_range(-1..3);
                    window.output[axis + 1] = rng.random_range(1..6);
                }
                b.conv("conv", x, window, groups)
            }
            3..=5 => b.relu("relu", x, (rng.random_range(0..3) == 0).then_some(0.5)),
            6 => b.affine("affine", x),
            7 => {
                let kernel = rng.random_range(1..=h.min(w).min(3));
                let pad = rng.random_range(0..=kernel as i64 / 2);
                b.pool("avg", x, PoolKind::Average, kernel, rng.random_range(1..3), pad)
            }
            8 => {
                // Behind a ReLU, where it is allowed.
                let x = b.relu("before", x, None);
                let kernel = rng.random_range(1..=h.min(w).min(3));
                let pad = rng.random_range(0..=kernel as i64 / 2);
                b.pool("max", x, PoolKind::Max, kernel, rng.random_range(1..3), pad)
            }
            9 => {
                let start = [0, 1, 2].map(|_| rng.random_range(-1..2));
                let step = [0, 1, 2].map(|_| rng.random_range(1..3));
                b.strided(x, start, step, [rng.random_range(1..5), rng.random_range(1..6), rng.random_range(1..6)])
            }
            10 => {
                let mates: Vec<usize> = all.iter().copied().filter(|&i| b.image(i) == at).collect();
                b.add("add", &[x, mates[rng.random_range(0..mates.len())]])
            }
            11 => {
                let mates: Vec<usize> = all.iter().copied().filter(|&i| b.image(i)[1..] == at[1..]).collect();
                let mate = mates[rng.random_range(0..mates.len())];
                let channels = c + b.image(mate)[0];
                b.push("cat", Op::Concat, &[x, mate], Shape(vec![channels, h, w]))
            }
            _ => b.push("turn", Op::Permute { axes: vec![1, 2, 0] }, &[x], Shape(vec![h, w, c])),
        };
        if b.graph.nodes[x].shape.len() > 600 {
            x = b.pool("small", x, PoolKind::Average, 1, 2, 0);
        }
        all.push(x);
    }
    b.head(x);
    (b, normalisation)
}

/// The oracle, the float machines and the conversion agree on everything that converts; most of it does.
#[test]
fn random_graphs_are_converted_exactly() {
    let mut converted = 0;
    for seed in 0..400 {
        let (mut b, normalisation) = random(seed, 1 + seed as usize % 9);
        assert_eq!(b.graph.check(), [], "seed {seed}\n{}", b.graph.dump());
        let snn = match convert(&b.graph, normalisation.as_ref()) {
            Ok(snn) => snn,
            Err(e) if e.kind == crate::error::Kind::Input => continue,
            Err(e) => panic!("seed {seed}: {e}\n{}", b.graph.dump()),
        };
        converted += 1;
        let x: Vec<f64> = (0..b.graph.input_shape().len()).map(|_| b.rng.random_range(0.0..1.0)).collect();
        let expected = super::run_graph(&b.graph, &x, normalisation.as_ref());
        let populations = super::run_snn(&snn, &x);
        let pixels = Array2::from_shape_fn((1, x.len()), |(_, i)| x[i] as f32);
        let activations = float::activations(&snn, &pixels.view()).unwrap();
        let seen = pixels.mapv(|x| normalisation.as_ref().map_or(x, |n| (x - n.mean[0]) / n.std[0]));
        let graph = evaluate(&b.graph, seen.view()).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-3 * (1.0 + a.abs());
        for (i, &e) in expected.iter().enumerate() {
            let got = [populations[populations.len() - 1][i], f64::from(graph[(0, i)])];
            assert!(got.iter().all(|&g| close(e, g)), "seed {seed}: {e} {got:?}\n{}{}", b.graph.dump(), snn.dump());
        }
        for (float, oracle) in activations.iter().zip(&populations) {
            let same = float.iter().zip(oracle).all(|(&f, &o)| close(o, f64::from(f)));
            assert!(same, "seed {seed}\n{}", snn.dump());
        }
    }
    assert!(converted > 250, "only {converted} of 400 convert");
}
