//! Every primitive against numbers worked out by hand, the dialects, and the notes of Synfire's convention.

use crate::nir_support;

use ndarray::{ArrayD, Axis, IxDyn};
use nir_support::*;
use std::collections::BTreeMap;
use synfire::frontends::nir::convention::{Notes, TwoPhase};
use synfire::frontends::nir::{Array, Dialect, Executor, Kind, NirGraph, Node, Settings, Unit};

/// One node of one value; its output for these inputs.
fn single(unit: Unit, settings: Settings, x: &[f64]) -> Vec<f64> {
    let x: Vec<[f64; 1]> = x.iter().map(|&v| [v]).collect();
    out(&chain(&[1], &[("n", unit)], &[1]), settings, rows(&x.iter().map(|r| r.as_slice()).collect::<Vec<_>>()))
}

fn unit(kind: Kind, fields: &[(&str, f64)]) -> Unit {
    fields.iter().fold(Unit::new(kind), |unit, (name, value)| unit.with(name, full(&[1], *value)))
}

fn of(dialect: Dialect) -> Settings {
    Settings { dt: Some(1.0), dialect }
}

#[test]
fn neurons_follow_the_equations() {
    let half = dt(0.5);
    assert_eq!(single(unit(Kind::I, &[("r", 4.0)]), half, &[1.0, 0.0, -2.0]), [2.0, 2.0, -2.0]);
    // v += 0.5·r·x; strictly above 2: reset to 0.5.
    let neuron = unit(Kind::If, &[("r", 2.0), ("v_threshold", 2.0), ("v_reset", 0.5)]);
    assert_eq!(single(neuron, half, &[1.0, 1.0, 0.5, 1.5, 0.25]), [0.0, 0.0, 1.0, 0.0, 1.0]);
    // v += 0.25·(1 − v + 2·x)
    let fields = [("tau", 2.0), ("v_leak", 1.0), ("r", 2.0)];
    assert_eq!(single(unit(Kind::Li, &fields), half, &[0.0, 0.0, 2.0]), [0.25, 0.4375, 1.578125]);
    let fields = [("tau", 2.0), ("v_leak", 1.0), ("r", 2.0), ("v_threshold", 1.5), ("v_reset", -1.0)];
    assert_eq!(single(unit(Kind::Lif, &fields), half, &[0.0, 0.0, 2.0, 4.5, 0.0]), [0.0, 0.0, 1.0, 1.0, 0.0]);
    // u += 0.5·(2·x − u), then v += 0.25·(0 − v + 4·u) with the new u.
    let fields = [("tau_syn", 1.0), ("tau_mem", 2.0), ("v_leak", 0.0), ("r", 4.0), ("w_in", 2.0)];
    assert_eq!(single(unit(Kind::CubaLi, &fields), half, &[1.0, 0.0]), [1.0, 1.25]);
    let fields = [&fields[..], &[("v_threshold", 1.0), ("v_reset", 0.0)]].concat();
    assert_eq!(single(unit(Kind::CubaLif, &fields), half, &[1.0, 0.0, 0.0]), [0.0, 1.0, 0.0]);
}

#[test]
fn absent_fields_have_their_defaults() {
    let fields = [("r", 1.0), ("v_threshold", 0.5)];
    assert_eq!(single(unit(Kind::If, &fields), dt(1.0), &[1.0, 0.25, 0.5]), [1.0, 0.0, 1.0]);
    let fields = [("tau_syn", 1.0), ("tau_mem", 1.0), ("v_leak", 0.0), ("r", 1.0)];
    assert_eq!(single(unit(Kind::CubaLi, &fields), dt(1.0), &[3.0]), [3.0]);
}

#[test]
fn scalars_and_channels_are_spread() {
    let scalar = |v: f64| Array::scalar(v);
    let neuron = Unit::new(Kind::If).with("r", scalar(1.0)).with("v_threshold", f64s(&[2, 1, 1], vec![0.5, 1.5]));
    let graph = chain(&[2, 1, 2], &[("n", neuron)], &[2, 1, 2]);
    let x = ArrayD::from_elem(IxDyn(&[1, 2, 1, 2]), 1.0);
    assert_eq!(out(&graph, dt(1.0), x), [1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn stateless_primitives() {
    let one = Settings::default();
    let affine = Unit::new(Kind::Affine).with("weight", f64s(&[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let affine = affine.with("bias", f64s(&[2], vec![0.5, -0.5]));
    assert_eq!(out(&chain(&[3], &[("a", affine)], &[2]), one, rows(&[&[1.0, 0.0, -1.0]])), [-1.5, -2.5]);
    let batched = Unit::new(Kind::Linear).with("weight", f64s(&[2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]));
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 2, 2]), vec![1.0, 1.0, 1.0, -1.0]).unwrap();
    assert_eq!(out(&chain(&[2, 2], &[("a", batched)], &[2, 1]), one, x), [3.0, -1.0]);
    assert_eq!(single(unit(Kind::Threshold, &[("threshold", 0.5)]), one, &[0.5, 0.6]), [0.0, 1.0]);
    assert_eq!(single(unit(Kind::Scale, &[("scale", -2.0)]), one, &[0.5]), [-1.0]);
    // 0.14 s are 1.4 steps, rounded to 1.
    assert_eq!(single(unit(Kind::Delay, &[("delay", 0.14)]), dt(0.1), &[1.0, 2.0, 3.0]), [0.0, 1.0, 2.0]);
    assert_eq!(single(unit(Kind::Delay, &[("delay", 0.04)]), dt(0.1), &[1.0, 2.0]), [1.0, 2.0]);
}

/// `[1, c, h, w]` with the values 1, 2, 3, …
fn ramp(shape: [usize; 3]) -> ArrayD<f64> {
    let n = shape.iter().product::<usize>();
    let shape = [1, shape[0], shape[1], shape[2]];
    ArrayD::from_shape_vec(IxDyn(&shape), (1..=n).map(|v| v as f64).collect()).unwrap()
}

#[test]
fn windows() {
    let pool = |kind, padding: usize| {
        let unit = Unit::new(kind).with("kernel_size", Array::integers([2, 2]));
        unit.with("stride", Array::integers([2, 2])).with("padding", Array::integers([padding, padding]))
    };
    let of = |unit, output: [usize; 3]| {
        out(&chain(&[1, 4, 4], &[("p", unit)], &output), Settings::default(), ramp([1, 4, 4]))
    };
    assert_eq!(of(pool(Kind::SumPool2d, 0), [1, 2, 2]), [14.0, 22.0, 46.0, 54.0]);
    assert_eq!(of(pool(Kind::AvgPool2d, 0), [1, 2, 2]), [3.5, 5.5, 11.5, 13.5]);
    // Zeros of the padding count.
    assert_eq!(of(pool(Kind::AvgPool2d, 1), [1, 3, 3])[..2], [0.25, 1.25]);

    let conv = |weight: Array, padding: Array, groups: i64| {
        let outputs = weight.shape()[0];
        let unit = Unit::new(Kind::Conv2d).with("weight", weight).with("bias", full(&[outputs], 0.5));
        let unit = unit.with("stride", Array::integer(1)).with("dilation", Array::integer(1));
        unit.with("padding", padding).with("groups", Array::integer(groups))
    };
    let corner = f64s(&[1, 1, 2, 2], vec![1.0, 0.0, 0.0, 10.0]);
    let of = |unit: Unit, input: [usize; 3], output: [usize; 3]| {
        out(&chain(&input, &[("c", unit)], &output), Settings::default(), ramp(input))
    };
    let zero = Array::integers([0, 0]);
    assert_eq!(of(conv(corner.clone(), zero.clone(), 1), [1, 2, 3], [1, 1, 2]), [51.5, 62.5]);
    // The odd zero goes behind.
    let same = of(conv(corner.clone(), Array::text("same"), 1), [1, 2, 2], [1, 2, 2]);
    assert_eq!(same, [41.5, 2.5, 3.5, 4.5]);
    assert_eq!(of(conv(corner, Array::text("valid"), 1), [1, 2, 2], [1, 1, 1]), [41.5]);
    // Two groups of one channel, two outputs each.
    let groups = f64s(&[4, 1, 1, 1], vec![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(of(conv(groups, zero, 2), [2, 1, 1], [4, 1, 1]), [1.5, 2.5, 6.5, 8.5]);

    let line = Unit::new(Kind::Conv1d).with("weight", f64s(&[1, 1, 2], vec![1.0, 10.0])).with("bias", full(&[1], 0.0));
    let line = line.with("stride", Array::integer(2)).with("padding", Array::integer(1));
    let line = line.with("dilation", Array::integer(2)).with("groups", Array::integer(1));
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 1, 5]), vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert_eq!(out(&chain(&[1, 5], &[("c", line)], &[1, 3]), Settings::default(), x), [20.0, 42.0, 4.0]);
}

#[test]
fn all_inputs_of_a_node_are_added() {
    let mut graph =
        chain(&[1], &[("a", unit(Kind::Scale, &[("scale", 2.0)])), ("b", unit(Kind::Scale, &[("scale", 3.0)]))], &[1]);
    graph.edge("input", "b").edge("a", "output");
    // b = 3·(2x + x), output = b + 2x
    assert_eq!(out(&graph, Settings::default(), rows(&[&[1.0]])), [11.0]);
}

#[test]
fn recurrence_sees_the_step_before() {
    // n = I(x + 2·n(t−1)), and the bias of the recurrent weights is there from the beginning.
    let mut graph = chain(&[1], &[("n", unit(Kind::I, &[("r", 1.0)]))], &[1]);
    graph.node("w", unit(Kind::Affine, &[]).with("weight", full(&[1, 1], 2.0)).with("bias", full(&[1], 0.5)));
    graph.edge("n", "w").edge("w", "n");
    let executor = Executor::new(&graph, dt(1.0)).unwrap();
    assert_eq!(executor.feedback(), [("n", "w")]);
    assert_eq!(out(&graph, dt(1.0), rows(&[&[1.0], &[0.0], &[0.0]])), [1.5, 5.0, 15.5]);
    // Through a delay of two steps: exactly two, not three.
    let mut graph = chain(&[1], &[("n", unit(Kind::I, &[("r", 1.0)]))], &[1]);
    graph.node("d", unit(Kind::Delay, &[("delay", 2.0)])).edge("n", "d").edge("d", "n");
    assert_eq!(out(&graph, dt(1.0), rows(&[&[1.0], &[0.0], &[0.0], &[0.0]])), [1.0, 1.0, 2.0, 3.0]);
    // A neuron that reads itself.
    let mut graph = chain(&[1], &[("n", unit(Kind::I, &[("r", 1.0)]))], &[1]);
    graph.edge("n", "n");
    assert_eq!(out(&graph, dt(1.0), rows(&[&[1.0], &[0.0], &[0.0]])), [1.0, 2.0, 4.0]);
}

#[test]
fn long_runs_are_cut_into_chunks_that_nobody_notices() {
    // 40,000 values per step, so a chunk holds about 50 steps.
    let n = 20_000;
    let scale = Unit::new(Kind::Scale).with("scale", full(&[n], 0.5));
    let mut graph = chain(&[n], &[("n", Unit::new(Kind::I).with("r", full(&[n], 1.0)))], &[n]);
    graph.node("back", scale).edge("n", "back").edge("back", "n");
    graph.node("late", Unit::new(Kind::Delay).with("delay", full(&[n], 3.0))).edge("input", "late").edge("late", "n");
    let mut x = ArrayD::zeros(IxDyn(&[200, n]));
    x.index_axis_mut(Axis(0), 0).fill(1.0);
    let y = run(&graph, dt(1.0), x).outputs.remove("output").unwrap();
    let (mut v, mut expected) = (0.0f64, Vec::new());
    for t in 0..200 {
        v += f64::from(u8::from(t == 0)) + f64::from(u8::from(t == 3)) + 0.5 * v;
        expected.push(v);
    }
    for element in [0, n - 1] {
        assert_eq!(y.index_axis(Axis(1), element).iter().copied().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn several_inputs_and_outputs() {
    let mut graph = chain(&[1], &[("a", unit(Kind::Scale, &[("scale", 2.0)]))], &[1]);
    graph.node("second", port(Kind::Input, &[1])).node("twin", port(Kind::Output, &[1])).edge("second", "twin");
    let executor = Executor::new(&graph, Settings::default()).unwrap();
    let mut x = BTreeMap::from([("input".to_string(), rows(&[&[1.0]])), ("second".to_string(), rows(&[&[7.0]]))]);
    let outcome = executor.run(&x).unwrap();
    assert_eq!((outcome.outputs["output"][[0, 0]], outcome.outputs["twin"][[0, 0]]), (2.0, 7.0));
    x.insert("second".into(), rows(&[&[7.0], &[8.0]]));
    holds(&executor.run(&x).unwrap_err(), &["node 'second'", "2 steps, where another Input has 1"]);
    x.remove("second");
    x.insert("third".into(), rows(&[&[f64::NAN, 1.0]]));
    holds(&executor.run(&x).unwrap_err(), &["'second': this Input gets no data", "no Input 'third'", "input, second"]);
    let bad =
        BTreeMap::from([("input".to_string(), rows(&[&[f64::NAN]])), ("second".to_string(), rows(&[&[1.0, 2.0]]))]);
    holds(&executor.run(&bad).unwrap_err(), &["NaN or infinite", "the data has the shape [1, 2]", "[T, 1]"]);
}

#[test]
fn dialects_differ_where_they_should() {
    let fires = |dialect, x: &[f64]| {
        single(unit(Kind::If, &[("r", 1.0), ("v_threshold", 1.0), ("v_reset", 0.25)]), of(dialect), x)
    };
    // At the threshold only sinabs fires, and as often as it fits.
    assert_eq!(fires(Dialect::Nir, &[1.0, 0.5, 0.8, 0.0]), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(fires(Dialect::Norse, &[1.0, 0.5, 0.8, 0.3]), [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(fires(Dialect::Sinabs, &[1.0, 2.5, 0.5, -9.0, 1.5]), [1.0, 2.0, 1.0, 0.0, 0.0]);
    // snnTorch: 0.9·1 + 0.5 = 1.4 fires, 0.4 is left, 0.36 + 0.6 does not fire.
    assert_eq!(fires(Dialect::Snntorch, &[1.0, 0.5, 0.6, 0.2]), [0.0, 1.0, 0.0, 1.0]);
    // IF has no time step but in NIR.
    for (dialect, spikes) in [(Dialect::Nir, 0.0), (Dialect::Norse, 1.0), (Dialect::Sinabs, 2.0)] {
        let neuron = unit(Kind::If, &[("r", 1.0), ("v_threshold", 1.0)]);
        assert_eq!(single(neuron, Settings { dt: Some(0.25), dialect }, &[2.5]), [spikes], "{dialect}");
    }
    let leaky = |leak: f64| unit(Kind::Li, &[("tau", 2.0), ("r", 1.0), ("v_leak", leak)]);
    assert_eq!(single(leaky(0.0), of(Dialect::Sinabs), &[1.0, 0.0]), [0.5, 0.5 * (-0.5f64).exp()]);
    let graph = chain(&[1], &[("n", leaky(1.0))], &[1]);
    for dialect in [Dialect::Sinabs, Dialect::Snntorch] {
        holds(&Executor::new(&graph, of(dialect)).unwrap_err(), &["node 'n'", "'v_leak'", dialect.name()]);
    }
    let fields = [("tau_syn", 2.0), ("tau_mem", 2.0), ("r", 1.0), ("v_leak", 1.0)];
    let cuba = unit(Kind::CubaLi, &fields);
    assert_eq!(single(cuba.clone(), of(Dialect::Nir), &[0.0]), [0.5]);
    assert_eq!(single(cuba.clone(), of(Dialect::Norse), &[0.0]), [0.75]);
    holds(
        &Executor::new(&chain(&[1], &[("n", cuba)], &[1]), of(Dialect::Sinabs)).unwrap_err(),
        &["sinabs reads no CubaLI"],
    );
}

#[test]
fn the_time_step_is_found_or_asked_for() {
    let step = |tau: f64, given: Option<f64>| {
        let graph = chain(&[1], &[("n", lif(1, tau, 1.0))], &[1]);
        Executor::new(&graph, Settings { dt: given, ..Settings::default() }).map(|e| e.time_step().seconds)
    };
    assert_eq!((step(0.01, Some(1e-3)).unwrap(), step(5.0, None).unwrap()), (1e-3, 1.0));
    holds(&step(0.01, None).unwrap_err(), &["node 'n'", "'tau' is 0.01 s", "--dt"]);
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        holds(&step(0.01, Some(wrong)).unwrap_err(), &["is not positive"]);
    }
}

/// Passed over silently, it would make a network of milliseconds one of seconds.
#[test]
fn a_time_step_in_the_metadata_that_is_none_is_refused_unless_one_is_given() {
    use synfire::frontends::nir::{Meta, Metadata};
    let string = |text: &str| Meta::Value(Array::text(text));
    let number = |dt: f64| Meta::Value(Array::scalar(dt));
    for (meta, part) in [
        (number(0.0), "'dt' is 0,"),
        (number(-0.5), "'dt' is -0.5,"),
        (number(f64::NAN), "'dt' is NaN,"),
        (string("0.001"), "'dt' is the string '0.001'"),
        (Meta::Value(full(&[2], 1.0)), "'dt' is an array of the shape [2]"),
        (Meta::Group(Metadata::new()), "'dt' is a group"),
    ] {
        let mut graph = chain(&[1], &[("n", lif(1, 5.0, 1.0))], &[1]);
        graph.metadata.insert("dt".into(), meta);
        holds(&Executor::new(&graph, Settings::default()).unwrap_err(), &[part, "not a positive number of seconds"]);
        assert_eq!(Executor::new(&graph, dt(0.5)).unwrap().time_step().seconds, 0.5);
    }
    let mut graph = chain(&[1], &[("n", lif(1, 5.0, 1.0))], &[1]);
    graph.metadata.insert("dt".into(), number(0.25));
    assert_eq!(Executor::new(&graph, Settings::default()).unwrap().time_step().seconds, 0.25);
}

/// Twenty kilobytes of weights and as much input would give six gigabytes of output.
#[test]
fn outputs_that_do_not_fit_into_memory_are_refused_before_the_run() {
    let n = 1 << 18;
    let fan = Unit::new(Kind::Linear).with("weight", full(&[n, 1], 1.0));
    let executor = Executor::new(&chain(&[1], &[("fan", fan)], &[n]), dt(1.0)).unwrap();
    let error = executor.run(&input(ArrayD::zeros(IxDyn(&[3000, 1])))).unwrap_err();
    holds(&error, &["3000 steps take", "values at a time", "present fewer steps"]);
    assert_eq!(executor.run(&input(ArrayD::zeros(IxDyn(&[8, 1])))).unwrap().outputs["output"].len(), 8 * n);
    // What is watched is recorded too.
    let some = input(ArrayD::zeros(IxDyn(&[200, 1])));
    holds(&executor.watch(&some, &["fan", "output"]).unwrap_err(), &["200 steps take"]);
}

fn noted(unit: Unit, notes: &Notes) -> Unit {
    Unit { metadata: notes.to_metadata(), ..unit }
}

#[test]
fn notes_change_one_neuron() {
    let neuron = |notes: &Notes| noted(unit(Kind::If, &[("r", 1.0), ("v_threshold", 3.0)]), notes);
    let notes =
        Notes { v_init: Some(Array::scalar(2.0)), subtract: Some(true), at_threshold: Some(true), ..Notes::default() };
    assert_eq!(single(neuron(&notes), dt(1.0), &[1.0, 5.0, 0.0, 0.0]), [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(single(neuron(&Notes::default()), dt(1.0), &[1.0, 5.0, 0.0, 0.0]), [0.0, 1.0, 0.0, 0.0]);
    // Also against a dialect's habits.
    let strict = Notes { subtract: Some(false), at_threshold: Some(false), ..Notes::default() };
    assert_eq!(single(neuron(&strict), of(Dialect::Sinabs), &[3.0, 4.0, 0.0]), [0.0, 1.0, 0.0]);
}

#[test]
fn notes_make_a_decay_one_of_integers() {
    // dt/τ = 1/4, gain 1: three quarters stay, rounded towards 0.
    let leaky = |notes: &Notes| noted(unit(Kind::Li, &[("tau", 4.0), ("r", 4.0), ("v_leak", 0.0)]), notes);
    let truncate = Notes { truncate: true, ..Notes::default() };
    let x = [10.0, 0.0, 0.0, 0.0, 0.0, 0.0, -10.0, 0.0];
    assert_eq!(single(leaky(&truncate), dt(1.0), &x), [10.0, 7.0, 5.0, 3.0, 2.0, 1.0, -10.0, -7.0]);
    assert_eq!(single(leaky(&Notes::default()), dt(1.0), &x)[1], 7.5);
    let limits = Notes { limits: Some((-3.0, 6.0)), ..truncate.clone() };
    assert_eq!(single(leaky(&limits), dt(1.0), &x), [6.0, 4.0, 3.0, 2.0, 1.0, 0.0, -3.0, -2.0]);
    // A current of its own: 8, 6, 4 with half of the membrane lost in every step.
    let fields = [("tau_syn", 4.0), ("w_in", 4.0), ("tau_mem", 2.0), ("r", 2.0), ("v_leak", 2.0)];
    assert_eq!(single(noted(unit(Kind::CubaLi, &fields), &truncate), dt(1.0), &[8.0, 0.0, 0.0]), [9.0, 11.0, 10.0]);
    let fields = [("r", 1.0), ("v_threshold", 3.0)];
    let by = Notes { subtract: Some(true), subtrahend: Some(Array::scalar(1.0)), ..Notes::default() };
    assert_eq!(single(noted(unit(Kind::If, &fields), &by), dt(1.0), &[5.0, 0.0, 0.0, 0.0]), [1.0, 1.0, 0.0, 0.0]);
}

/// A converted network with a residual join, as the exporter would write it: conv → a → conv → b, a and b → c → readout.
fn converted(levels: u32, graded: bool) -> NirGraph {
    let conv = |seed: i64| {
        let weight = (0..2 * 2 * 9).map(|i: i64| f64::from(i32::try_from((i * 7 + seed) % 9 - 3).unwrap())).collect();
        let unit = Unit::new(Kind::Conv2d).with("weight", f64s(&[2, 2, 3, 3], weight)).with("bias", full(&[2], 0.0));
        let unit = unit.with("stride", Array::integer(1)).with("dilation", Array::integer(1));
        unit.with("padding", Array::integer(1)).with("groups", Array::integer(1))
    };
    let population = |theta: f64| {
        let unit = Unit::new(Kind::If).with("r", full(&[2, 3, 3], 1.0)).with("v_threshold", full(&[2, 3, 3], theta));
        let two_phase = Some(TwoPhase { levels, graded });
        let v_init = Some(full(&[2, 3, 3], (theta / 2.0).floor()));
        noted(unit, &Notes { v_init, subtract: Some(true), at_threshold: Some(true), two_phase, ..Notes::default() })
    };
    let flatten = Unit::new(Kind::Flatten).with("input_type", Array::integers([2, 3, 3]));
    let flatten = flatten.with("start_dim", Array::integer(0)).with("end_dim", Array::integer(-1));
    let weights = (0..36).map(|i| f64::from(i % 5 - 2)).collect();
    let nodes = [
        ("conv1", conv(1)),
        ("a", population(40.0)),
        ("conv2", conv(4)),
        ("b", population(11.0)),
        ("c", population(3.0)),
        ("flatten", flatten),
        ("dense", Unit::new(Kind::Linear).with("weight", f64s(&[2, 18], weights))),
        (
            "readout",
            noted(
                Unit::new(Kind::I).with("r", full(&[2], 1.0)),
                &Notes { v_init: Some(f64s(&[2], vec![5.0, -3.0])), ..Notes::default() },
            ),
        ),
    ];
    let mut graph = chain(&[2, 3, 3], &nodes, &[2]);
    graph.edge("a", "c");
    graph
}

#[test]
fn two_phase_networks_count_as_the_integer_equations_say() {
    let codes: Vec<i64> = (0..18).map(|i| (i * 37) % 16).collect();
    let levels = 7;
    let convolve = |weight: &[f64], x: &[i64], o: usize, y: i64, z: i64| {
        let mut sum = 0;
        for (c, ky, kx) in (0..2).flat_map(|c| (0..3).flat_map(move |ky| (0..3).map(move |kx| (c, ky, kx)))) {
            let (row, column) = (y + ky - 1, z + kx - 1);
            if (0..3).contains(&row) && (0..3).contains(&column) {
                let w = weight[o * 18 + (c * 9 + ky * 3 + kx) as usize] as i64;
                sum += w * x[(c * 9 + row * 3 + column) as usize];
            }
        }
        sum
    };
    let count = |sum: i64, theta: i64| ((sum + theta / 2).max(0) / theta).min(levels);
    let layer = |graph: &NirGraph, name: &str, x: &[i64], theta: i64| {
        let Node::Unit(unit) = &graph.nodes[name] else { panic!("{name}") };
        let weight = unit.fields["weight"].to_f64().unwrap();
        let places = (0..2).flat_map(|o| (0..3).flat_map(move |y| (0..3).map(move |z| (o, y, z))));
        places.map(|(o, y, z)| count(convolve(&weight, x, o, y, z), theta)).collect::<Vec<i64>>()
    };
    for graded in [false, true] {
        let graph = converted(u32::try_from(levels).unwrap(), graded);
        let a = layer(&graph, "conv1", &codes, 40);
        let b = layer(&graph, "conv2", &a, 11);
        let c: Vec<i64> = a.iter().zip(&b).map(|(a, b)| count(a + b, 3)).collect();
        let logits: Vec<i64> = (0..2)
            .map(|o| {
                let sum: i64 = (0..18).map(|i| ((o * 18 + i) % 5 - 2) * c[i as usize]).sum();
                sum + [5, -3][o as usize]
            })
            .collect();
        let mut x = ArrayD::zeros(IxDyn(&[8, 2, 3, 3]));
        x.index_axis_mut(Axis(0), 0).iter_mut().zip(&codes).for_each(|(x, code)| *x = *code as f64);
        let outcome = run(&graph, Settings::default(), x);
        for (name, expected) in [("a", &a), ("b", &b), ("c", &c)] {
            let counts: Vec<i64> = outcome.spikes[name].iter().map(|&n| n as i64).collect();
            assert_eq!(&counts, expected, "{name}, graded {graded}");
            assert!(expected.iter().any(|&n| n > 0) && expected.iter().any(|&n| n < levels), "{expected:?}");
        }
        let last = outcome.outputs["output"].index_axis(Axis(0), 7).iter().map(|&v| v as i64).collect::<Vec<_>>();
        assert_eq!(last, logits);
    }
    let short = Executor::new(&converted(16, false), Settings::default()).unwrap();
    let error = short.run(&input(ArrayD::zeros(IxDyn(&[8, 2, 3, 3])))).unwrap_err();
    holds(&error, &["node 'a'", "up to 16 spikes follow each other, but there are 8 steps"]);
    assert!(
        Executor::new(&converted(16, true), Settings::default())
            .unwrap()
            .run(&input(ArrayD::zeros(IxDyn(&[1, 2, 3, 3]))))
            .is_ok()
    );
}

#[test]
fn two_phase_populations_cannot_wait_for_themselves() {
    let mut graph = converted(4, true);
    graph.node("conv3", graph.nodes["conv2"].clone()).edge("c", "conv3").edge("conv3", "b");
    holds(&Executor::new(&graph, Settings::default()).unwrap_err(), &["node 'b'", "node 'c'", "leads back to it"]);
}
