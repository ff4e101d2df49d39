//! A convolutional network of LIF neurons through the commands: the hardware, the functional model and the Loihi 2 equations agree on windows.

use super::hardware::{cosim, no_mismatches, toolchain};
use super::*;
use ndarray::Array5;

fn conv(rng: &mut ChaCha8Rng, [post, pre, k]: [usize; 3], [stride, pad, dilation]: [i64; 3], groups: usize) -> Unit {
    let weights = (0..post * pre / groups * k * k).map(|_| f64::from(rng.random_range(-40..100))).collect();
    let bias = (0..post).map(|_| f64::from(rng.random_range(-5..15))).collect();
    Unit::new(Kind::Conv2d)
        .with("weight", array(&[post, pre / groups, k, k], weights))
        .with("bias", array(&[post], bias))
        .with("stride", Array::integers([stride as usize; 2]))
        .with("padding", Array::integers([pad as usize; 2]))
        .with("dilation", Array::integers([dilation as usize; 2]))
        .with("groups", Array::integer(groups as i64))
}

/// `v' = 3/4 v + a`, reset to 0.
fn lif(shape: &[usize], theta: f64) -> Unit {
    let all = |x: f64| array(shape, vec![x; shape.iter().product()]);
    Unit::new(Kind::Lif)
        .with("tau", all(4.0))
        .with("r", all(4.0))
        .with("v_leak", all(0.0))
        .with("v_threshold", all(theta))
        .with("v_reset", all(0.0))
}

/// Grouped convolution, pool, depthwise convolution with dilation beside a strided skip.
fn convolutional() -> NirGraph {
    let rng = &mut ChaCha8Rng::seed_from_u64(11);
    let port = |kind, shape: &[usize]| Unit::new(kind).with("shape", Array::integers(shape.iter().copied()));
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, &[2, 4, 4])).node("output", port(Kind::Output, &[16]));
    graph.node("conv", conv(rng, [4, 2, 3], [1, 1, 1], 2)).node("lif1", lif(&[4, 4, 4], 300.0));
    let two = || Array::integers([2, 2]);
    let pool = Unit::new(Kind::SumPool2d).with("kernel_size", two()).with("stride", two());
    graph.node("pool", pool.with("padding", Array::integers([0, 0])));
    graph.node("depthwise", conv(rng, [4, 4, 3], [1, 2, 2], 4)).node("skip", conv(rng, [4, 4, 1], [2, 0, 1], 4));
    graph.node("lif2", lif(&[4, 2, 2], 250.0));
    let flat = Unit::new(Kind::Flatten).with("input_type", Array::integers([4, 2, 2]));
    graph.node("flat", flat.with("start_dim", Array::integer(0)).with("end_dim", Array::integer(-1)));
    let main = ["input", "conv", "lif1", "pool", "depthwise", "lif2", "flat", "output"];
    for path in [&main[..], &["lif1", "skip", "lif2"]] {
        path.windows(2).for_each(|edge| {
            graph.edge(edge[0], edge[1]);
        });
    }
    graph
}

#[test]
fn a_convolutional_lif_network_is_loihis() {
    let s = Scratch::new();
    s.file("net.nir", &nir::to_bytes(&convolutional()).unwrap());
    let rng = &mut ChaCha8Rng::seed_from_u64(12);
    let trains = Array5::from_shape_simple_fn((8, STEPS, 2, 4, 4), || u8::from(rng.random_bool(0.3)));
    s.file("trains.npy", &npy(&trains));
    compile(
        &s,
        "design",
        &[
            "--dt",
            "1",
            "--mode",
            "event",
            "--encoding",
            "spikes",
            "--arithmetic",
            "loihi",
            "--lanes",
            "1",
            "--banks",
            "1",
        ],
    );
    if !toolchain() {
        return;
    }
    let (text, report) = cosim(s.path(), &["design", "--images", "trains.npy", "--back-pressure", "random:40"]);
    no_mismatches(&report);
    let of = |name: &str| report["loihi"].as_array().unwrap().iter().find(|p| p["layer"] == name).unwrap().clone();
    let values = [("lif1", STEPS * 64), ("pool", STEPS * 16), ("lif2", STEPS * 16), ("output", 16)];
    for (name, values) in values {
        let layer = of(name);
        assert_eq!((&layer["compared"], &layer["limits"]), (&json!(8 * values), &json!([])), "{report}");
    }
    let all = 8 * (STEPS * (64 + 16 + 16) + 16);
    assert_eq!(report["loihi_comparisons"], all, "{text}");
    let grouped = format!("{},{:03}", all / 1000, all % 1000);
    assert!(
        text.contains(&format!("the network equals the equations in all 4 populations, {grouped} values")),
        "{text}"
    );
    assert!(text.contains("Lava's GradedVec") && text.contains("the quantisation makes it so"), "{text}");
    // Five wires a stream; of every neuron the membrane, of leaky ones what a step adds up too (LIF keep no current).
    let streams = s.json("design/design.json")["net"]["streams"].as_array().unwrap().len();
    assert_eq!(report["compared_signals"], 5 * streams + (64 + 16 + 16 + 16) + (64 + 16), "{text}");
    // The hardware was not silent.
    let events = |layer: &Value| layer["events"].as_u64().unwrap() > 0;
    assert!(report["layers"].as_array().unwrap().iter().all(events), "{report}");
}
