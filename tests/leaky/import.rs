//! NIR graphs as hardware networks: structure, exactness where no rounding is needed, and what is refused.

use crate::import_support;

use import_support::float_spikes;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::convert::nir::import_graph;
use synfire::frontends::nir::convention::Notes;
use synfire::frontends::nir::{Array, Data, Dialect, Executor, Kind, NirGraph, Settings, Unit};
use synfire::golden::functional::Functional;
use synfire::ir::quant::{Input, MOST_SPIKES, Neuron, QuantGraph};
use synfire::ir::snn::{Model, SnnGraph, Synapses};
use synfire::loihi::network::Network;
use synfire::quantise::{LeakySettings, quantise_leaky};

const UNIT_STEP: Settings = Settings { dt: Some(1.0), dialect: Dialect::Nir };
const SINABS: Settings = Settings { dt: Some(1.0), dialect: Dialect::Sinabs };

fn array(shape: &[usize], values: Vec<f64>) -> Array {
    Array::new(shape.to_vec(), Data::F64(values)).unwrap()
}

fn port(kind: Kind, shape: &[usize]) -> Unit {
    Unit::new(kind).with("shape", array(&[shape.len()], shape.iter().map(|&d| d as f64).collect()))
}

/// An IF of one threshold and reset value a channel.
fn neurons(rng: &mut ChaCha8Rng, shape: &[usize]) -> Unit {
    let pixels: usize = shape[1..].iter().product();
    let mut each = |low: i32, high: i32| -> Vec<f64> {
        (0..shape[0]).flat_map(|_| std::iter::repeat_n(f64::from(rng.random_range(low..high)), pixels)).collect()
    };
    let (theta, reset) = (each(20, 200), each(-9, 10));
    Unit::new(Kind::If)
        .with("r", array(shape, vec![1.0; theta.len()]))
        .with("v_threshold", array(shape, theta))
        .with("v_reset", array(shape, reset))
}

/// Integers times `factor`; each of the `rows` has one of magnitude 127, so that no other scale than 1 fits it.
fn weights(rng: &mut ChaCha8Rng, rows: usize, columns: usize, factor: f64) -> Vec<f64> {
    let mut weights: Vec<f64> = (0..rows * columns).map(|_| f64::from(rng.random_range(-60..90)) * factor).collect();
    for row in weights.chunks_mut(columns) {
        row[rng.random_range(0..columns)] = 127.0 * factor;
    }
    weights
}

fn affine(rng: &mut ChaCha8Rng, outputs: usize, inputs: usize, factor: f64) -> Unit {
    let bias = (0..outputs).map(|_| f64::from(rng.random_range(-6..12))).collect();
    Unit::new(Kind::Affine)
        .with("weight", array(&[outputs, inputs], weights(rng, outputs, inputs, factor)))
        .with("bias", array(&[outputs], bias))
}

fn conv(rng: &mut ChaCha8Rng, [outputs, inputs, k]: [usize; 3], factor: f64, stride: f64, groups: usize) -> Unit {
    let columns = inputs / groups * k * k;
    let bias = (0..outputs).map(|_| f64::from(rng.random_range(-6..12))).collect();
    Unit::new(Kind::Conv2d)
        .with("weight", array(&[outputs, inputs / groups, k, k], weights(rng, outputs, columns, factor)))
        .with("bias", array(&[outputs], bias))
        .with("stride", array(&[2], vec![stride; 2]))
        .with("padding", array(&[2], vec![1.0; 2]))
        .with("dilation", array(&[2], vec![1.0; 2]))
        .with("groups", Array::integer(groups as i64))
}

fn pool(kind: Kind) -> Unit {
    let two = || array(&[2], vec![2.0; 2]);
    Unit::new(kind).with("kernel_size", two()).with("stride", two()).with("padding", array(&[2], vec![0.0; 2]))
}

fn flatten(shape: &[usize]) -> Unit {
    let extents = shape.iter().map(|&d| d as f64).collect();
    Unit::new(Kind::Flatten)
        .with("start_dim", Array::integer(0))
        .with("end_dim", Array::integer(-1))
        .with("input_type", array(&[shape.len()], extents))
}

fn wire(graph: &mut NirGraph, path: &[&str]) {
    for pair in path.windows(2) {
        graph.edge(pair[0], pair[1]);
    }
}

/// Convolutions with groups, both pools, a nested graph, a scale, a branch that waits a step, recurrence: all weights whole.
fn network(seed: u64) -> NirGraph {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut graph = NirGraph::default();
    let mean = seed.is_multiple_of(2);
    graph.node("input", port(Kind::Input, &[2, 7, 6])).node("output", port(Kind::Output, &[4]));
    graph.node("conv1", conv(rng, [4, 2, 3], 1.0, 1.0, 2)).node("if1", neurons(rng, &[4, 7, 6]));
    graph.node("pool", pool(if mean { Kind::AvgPool2d } else { Kind::SumPool2d }));
    let mut inner = NirGraph::default();
    inner.node("in", port(Kind::Input, &[4, 3, 3])).node("out", port(Kind::Output, &[3, 2, 2]));
    inner.node("conv", conv(rng, [3, 4, 3], if mean { 4.0 } else { 1.0 }, 2.0, 1)).node("if", neurons(rng, &[3, 2, 2]));
    wire(&mut inner, &["in", "conv", "if", "out"]);
    graph.node("block", inner);
    graph.node("flat1", flatten(&[3, 2, 2])).node("flat2", flatten(&[4, 7, 6]));
    graph.node("half", Unit::new(Kind::Scale).with("scale", array(&[12], vec![0.5; 12])));
    graph.node("fc1", affine(rng, 9, 12, 2.0)).node("if3", neurons(rng, &[9]));
    graph.node("fc2", affine(rng, 9, 168, 1.0)).node("rec", affine(rng, 9, 9, 1.0));
    graph.node("late", Unit::new(Kind::Delay).with("delay", array(&[168], vec![1.0; 168])));
    graph.node("fc3", affine(rng, 4, 9, 1.0)).node("if4", neurons(rng, &[4]));
    wire(
        &mut graph,
        &["input", "conv1", "if1", "pool", "block", "flat1", "half", "fc1", "if3", "fc3", "if4", "output"],
    );
    wire(&mut graph, &["if1", "flat2", "late", "fc2", "if3", "rec", "if3"]);
    graph
}

fn import(graph: &NirGraph) -> SnnGraph {
    import_as(graph, UNIT_STEP)
}

fn import_as(graph: &NirGraph, settings: Settings) -> SnnGraph {
    import_graph(graph, "test", settings).unwrap().snn
}

fn trains(steps: u32, max: i64) -> LeakySettings {
    LeakySettings { timesteps: steps, input: Input::Train { max }, ..LeakySettings::default() }
}

/// Spikes of every neuron of every named population, in integers and in float.
fn compare(graph: &NirGraph, net: &QuantGraph, codes: &[i64]) {
    compare_as(graph, UNIT_STEP, net, codes);
}

fn compare_as(graph: &NirGraph, settings: Settings, net: &QuantGraph, codes: &[i64]) {
    let outcome = Functional::new(net).unwrap().image(codes).unwrap();
    assert_eq!(outcome.saturated().total(), 0);
    let float = float_spikes(&Executor::new(graph, settings).unwrap(), net.timesteps as usize, codes);
    let mut fired = 0.0;
    for (name, spikes) in &float {
        let pop = net.populations.iter().position(|p| &p.name == name).unwrap();
        let integer: Vec<f64> = outcome.counts[pop].iter().map(|&c| c as f64).collect();
        assert_eq!(&integer, spikes, "'{name}'");
        fired += spikes.iter().sum::<f64>();
    }
    assert!(fired > 0.0, "nobody fires, so nothing is compared");
}

#[test]
fn where_nothing_is_rounded_integers_and_floats_spike_alike() {
    for seed in 0..16 {
        let graph = network(seed);
        let net = quantise_leaky(&import(&graph), &trains(12, 3)).unwrap();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed + 1000);
        let codes: Vec<i64> = (0..12 * 84).map(|_| rng.random_range(-4i64..4).max(0)).collect();
        compare(&graph, &net, &codes);
    }
}

#[test]
fn circles_and_delays_of_one_step_become_delayed_projections() {
    let snn = import(&network(1));
    let name = |p: usize| snn.populations[p].name.as_str();
    let found: Vec<(&str, &str, u32)> =
        snn.projections.iter().map(|p| (name(p.pre.0), name(p.post.0), p.delay)).collect();
    for expected in [
        ("input", "if1", 0),
        ("if1", "pool", 0),
        ("pool", "block/if", 0),
        ("block/if", "if3", 0),
        ("if1", "if3", 1),
        ("if3", "if3", 1),
        ("if3", "if4", 0),
        ("if4", "output", 0),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    assert_eq!(found.len(), 8);
    assert_eq!(snn.populations[2].model, Model::Sum);
    // Few output neurons are wired to the readout by a small dense matrix of 2-bit weights.
    let net = quantise_leaky(&snn, &trains(4, 1)).unwrap();
    let last = net.projections.last().unwrap();
    assert!(matches!(last.projection.synapses, Synapses::Dense { .. }) && last.weight_bits == 2, "{}", net.dump());
}

/// τ_syn = 2, τ = 4, r = 4, w_in = 2: both gains are 1, u' = u/2 + a, v' = 3v/4 + u'.
fn current_network(bias: f64, theta: f64) -> NirGraph {
    let all = |x: f64| array(&[1], vec![x]);
    let cuba = Unit::new(Kind::CubaLif)
        .with("tau_syn", all(2.0))
        .with("tau_mem", all(4.0))
        .with("r", all(4.0))
        .with("w_in", all(2.0))
        .with("v_leak", all(0.0))
        .with("v_threshold", all(theta));
    let affine = Unit::new(Kind::Affine).with("weight", array(&[1, 1], vec![127.0])).with("bias", all(bias));
    let mut graph = NirGraph::default();
    graph
        .node("input", port(Kind::Input, &[1]))
        .node("fc", affine)
        .node("lif", cuba)
        .node("output", port(Kind::Output, &[1]));
    wire(&mut graph, &["input", "fc", "lif", "output"]);
    graph
}

/// A bias in front of a synaptic current builds up; on the membrane it would not.
#[test]
fn a_constant_current_builds_up_as_in_float() {
    // With u = 0 and v = 0 the biased membrane takes 50, 112.5, 171.9, ...: an immediate steady current would fire two steps sooner.
    for (bias, theta) in [(50.0, 260.0), (50.25, 300.0), (3.7, 50.0), (-20.0, 150.0)] {
        let graph = current_network(bias, theta);
        let net = quantise_leaky(&import(&graph), &trains(40, 1)).unwrap();
        assert_eq!(net.populations[1].name, "always on");
        let codes: Vec<i64> = (0..40).map(|t| i64::from(t % 3 == 0)).collect();
        compare(&graph, &net, &codes);
        let loihi = Network::new(&net);
        assert!(loihi.coverage().iter().all(|c| c.expressible), "{:?}", loihi.coverage());
        import_support::agrees_with_loihi(&net, &Functional::new(&net).unwrap(), &loihi, &codes);
    }
}

#[test]
fn dead_ends_are_left_out_and_negative_gains_turn_the_weights() {
    let mut graph = current_network(0.0, 300.0);
    let lone = Unit::new(Kind::If).with("r", array(&[1], vec![1.0])).with("v_threshold", array(&[1], vec![1.0]));
    graph.node("nobody reads this", lone);
    graph.edge("input", "nobody reads this");
    assert_eq!(import(&graph).populations.len(), 3);
    let Some(synfire::frontends::nir::Node::Unit(unit)) = graph.nodes.get_mut("lif") else { panic!() };
    unit.fields.insert("r".into(), array(&[1], vec![-4.0]));
    let snn = import(&graph);
    let Model::Leaky(model) = &snn.populations[1].model else { panic!() };
    assert_eq!(model.gain, [1.0]);
    assert_eq!(snn.projections[0].synapses.weights().copied().collect::<Vec<f32>>(), [-127.0]);
}

#[test]
fn an_integrator_at_the_output_is_the_readout() {
    let mut graph = current_network(2.0, 1.0);
    graph.node("lif", Unit::new(Kind::I).with("r", array(&[1], vec![0.5])));
    let net = quantise_leaky(&import(&graph), &trains(10, 1)).unwrap();
    let outcome = Functional::new(&net).unwrap().image(&[1, 0, 0, 1, 1, 0, 0, 0, 0, 0]).unwrap();
    assert!(matches!(net.populations[1].neuron, Neuron::Readout { .. }));
    // 0.5·(3·127 + 10·2), of which a weight of 1 is 63.5.
    assert_eq!(outcome.logits, [3]);
}

/// The pool stands before the neurons that it reads, because their edge is the one that waits for the next step.
#[test]
fn a_pool_inside_a_circle_passes_on_all_that_its_senders_may_send() {
    let rng = &mut ChaCha8Rng::seed_from_u64(5);
    let mut graph = NirGraph::default();
    graph.node("input", port(Kind::Input, &[1, 4, 4])).node("output", port(Kind::Output, &[3]));
    graph.node("conv", conv(rng, [2, 1, 3], 1.0, 1.0, 1)).node("if", neurons(rng, &[2, 4, 4]));
    graph.node("pool", pool(Kind::SumPool2d)).node("back", conv(rng, [2, 2, 1], 1.0, 1.0, 1));
    graph.node("flat", flatten(&[2, 4, 4])).node("fc", affine(rng, 3, 32, 1.0)).node("if2", neurons(rng, &[3]));
    wire(&mut graph, &["input", "conv", "if", "pool", "back", "if", "flat", "fc", "if2", "output"]);
    let net = quantise_leaky(&import(&graph), &trains(12, 1)).unwrap();
    let pool = net.populations.iter().find(|p| p.name == "pool").unwrap();
    assert!(matches!(pool.neuron, Neuron::Pool { max: 4, .. }), "{}", net.dump());
    let codes: Vec<i64> = (0..12 * 16).map(|_| rng.random_range(0..2)).collect();
    compare(&graph, &net, &codes);
}

#[test]
fn a_pool_that_adds_up_its_own_output_is_refused_by_name() {
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let mut graph = NirGraph::default();
    let list = |x: f64| array(&[2], vec![x; 2]);
    let same =
        Unit::new(Kind::SumPool2d).with("kernel_size", list(3.0)).with("stride", list(1.0)).with("padding", list(1.0));
    graph.node("input", port(Kind::Input, &[1, 3, 3])).node("output", port(Kind::Output, &[2, 3, 3]));
    graph.node("pool", same).node("late", Unit::new(Kind::Delay).with("delay", array(&[1, 3, 3], vec![1.0; 9])));
    graph.node("conv", conv(rng, [2, 1, 3], 1.0, 1.0, 1)).node("if", neurons(rng, &[2, 3, 3]));
    wire(&mut graph, &["input", "pool", "conv", "if", "output"]);
    wire(&mut graph, &["pool", "late", "pool"]);
    let error = quantise_leaky(&import(&graph), &trains(4, 1)).unwrap_err();
    assert_eq!(error.kind, synfire::error::Kind::Input);
    assert!(error.to_string().contains("node 'pool': adds up its own output"), "{error}");
}

#[test]
fn nobody_but_the_output_may_read_the_readout() {
    let mut graph = current_network(2.0, 100.0);
    graph.node("sum", Unit::new(Kind::I).with("r", array(&[1], vec![1.0])));
    graph.node("back", Unit::new(Kind::Linear).with("weight", array(&[1, 1], vec![1.0])));
    graph.edges.clear();
    wire(&mut graph, &["input", "fc", "lif", "sum", "output"]);
    wire(&mut graph, &["sum", "back", "lif"]);
    let text = refused(&graph, UNIT_STEP);
    assert!(text.contains("node 'sum': sends its membrane to other neurons"), "{text}");
}

fn refused(graph: &NirGraph, settings: Settings) -> String {
    import_graph(graph, "test", settings).unwrap_err().to_string()
}

#[test]
fn everything_that_hardware_lacks_is_named_at_once() {
    let mut graph = network(0);
    let all = |n: usize, x: f64| array(&[n], vec![x; n]);
    let li = Unit::new(Kind::Li).with("r", all(9, 1.0)).with("tau", all(9, 4.0)).with("v_leak", all(9, 0.0));
    graph.node("if3", li);
    graph.node("late", Unit::new(Kind::Delay).with("delay", all(168, 3.0)));
    let fast = Unit::new(Kind::Lif)
        .with("r", all(4, 1.0))
        .with("tau", all(4, 0.5))
        .with("v_leak", all(4, 0.0))
        .with("v_threshold", all(4, 1.0));
    graph.node("if4", fast);
    let text = refused(&graph, UNIT_STEP);
    for part in [
        "node 'if3': sends its membrane instead of spikes",
        "node 'late': delays by 3 steps",
        "node 'if4': has a time constant (tau) shorter than the time step",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Pools, recurrence and delays carry counts as well as spikes.
#[test]
fn several_spikes_in_a_step_and_the_floor_under_membranes_are_those_of_the_float_network() {
    let (mut compared, mut several, mut spikes) = (0, 0, 0);
    for seed in 0..8 {
        let graph = network(seed);
        let settings = LeakySettings { neuron_spikes: Some(MOST_SPIKES), ..trains(4, 1) };
        let net = quantise_leaky(&import_as(&graph, SINABS), &settings).unwrap();
        let rng = &mut ChaCha8Rng::seed_from_u64(seed + 1000);
        let codes: Vec<i64> = (0..4 * 84).map(|_| i64::from(rng.random_bool(0.1))).collect();
        let outcome = Functional::new(&net).unwrap().image_by_phase(&codes).unwrap();
        // Some of these circles grow without bound.
        if outcome.saturated().total() > 0 {
            continue;
        }
        compare_as(&graph, SINABS, &net, &codes);
        compared += 1;
        let phases = outcome.phases.unwrap();
        for (_, sent) in phases
            .iter()
            .flat_map(|phase| phase.iter().enumerate())
            .filter(|(pop, _)| matches!(net.populations[*pop].neuron, Neuron::MultiSpike(_)))
        {
            several += sent.iter().filter(|n| **n > 1).count();
            spikes += sent.iter().sum::<i64>();
        }
    }
    assert!(compared >= 4 && several > 100 && spikes > 1000, "{compared} {several} {spikes}");
}

/// A neuron with a threshold of 2 reads `+1` and `-1`; worked out by hand.
#[test]
fn what_a_neuron_may_not_send_in_a_step_it_sends_later_and_is_counted() {
    let mut graph = current_network(0.0, 300.0);
    let all = |x: f64| array(&[1], vec![x]);
    let fc = Unit::new(Kind::Linear).with("weight", array(&[1, 2], vec![1.0, -1.0]));
    graph.node("input", port(Kind::Input, &[2])).node("fc", fc);
    graph.node("lif", Unit::new(Kind::If).with("r", all(1.0)).with("v_threshold", all(2.0)));
    let snn = import_as(&graph, SINABS);
    // 9 holds four spikes and a half; then 3 + 0, 1 + 1; -9 is lifted to -2; -2 + 3, 1 + 1.
    let codes = [9, 0, 0, 0, 1, 0, 0, 9, 3, 0, 1, 0];
    for (most, sent, held) in [(3, [3, 1, 1, 0, 0, 1], 1), (4, [4, 0, 1, 0, 0, 1], 0), (1, [1, 1, 1, 0, 0, 1], 3)] {
        let settings = LeakySettings { neuron_spikes: Some(most), ..trains(6, 9) };
        let net = quantise_leaky(&snn, &settings).unwrap();
        let outcome = Functional::new(&net).unwrap().image_by_phase(&codes).unwrap();
        let spikes: Vec<i64> = outcome.phases.unwrap().iter().map(|phase| phase[1][0]).collect();
        assert_eq!((spikes.as_slice(), outcome.saturations[1].held_back), (&sent[..], held), "up to {most}");
    }
    let unlimited = quantise_leaky(&snn, &trains(6, 9)).unwrap();
    let Neuron::MultiSpike(multi) = &unlimited.populations[1].neuron else { panic!("{}", unlimited.dump()) };
    assert_eq!((multi.most, multi.floor), (15, true));
}

#[test]
fn several_spikes_of_neurons_that_decay_are_not_hardware() {
    let mut graph = current_network(0.0, 300.0);
    let all = |x: f64| array(&[1], vec![x]);
    let lif = Unit::new(Kind::Lif).with("r", all(1.0)).with("tau", all(4.0)).with("v_leak", all(0.0));
    graph.node("lif", lif.with("v_threshold", all(1.0)));
    let text = refused(&graph, SINABS);
    assert!(text.contains("node 'lif': may fire several times in one step, and has a membrane"), "{text}");
    // With a bound of one spike it is an ordinary neuron.
    let notes = Notes { spikes: Some(1), ..Notes::default() };
    let lif = Unit::new(Kind::Lif).with("r", all(1.0)).with("tau", all(4.0)).with("v_leak", all(0.0));
    graph.node("lif", Unit { metadata: notes.to_metadata(), ..lif.with("v_threshold", all(1.0)) });
    assert!(matches!(import_as(&graph, SINABS).populations[1].model, Model::Leaky(_)));
}

#[test]
fn windows_without_neurons_between_them_are_refused() {
    let mut graph = network(1);
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    graph.node("pool", conv(rng, [4, 4, 4], 1.0, 2.0, 1));
    graph.node("if1", Unit::new(Kind::Scale).with("scale", array(&[4, 7, 6], (0..168).map(f64::from).collect())));
    let text = refused(&graph, UNIT_STEP);
    assert!(text.contains("node 'pool': leads into 'block/conv' with no neurons between the two"), "{text}");
}

#[test]
fn one_input_and_one_output_are_what_hardware_has() {
    let mut graph = current_network(0.0, 300.0);
    graph.node("second", port(Kind::Output, &[1]));
    graph.edge("lif", "second");
    assert!(refused(&graph, UNIT_STEP).contains("1 Inputs and 2 Outputs"));
}

/// Thirty diamonds one behind the other are a thousand million ways.
#[test]
fn entangled_networks_are_refused_before_they_take_time() {
    let mut graph = current_network(0.0, 300.0);
    graph.edges.clear();
    let scale = || Unit::new(Kind::Scale).with("scale", array(&[1], vec![2.0]));
    let mut last = "input".to_string();
    for i in 0..30 {
        let (a, b, join) = (format!("a{i}"), format!("b{i}"), format!("join{i}"));
        for name in [&a, &b, &join] {
            graph.node(name.as_str(), scale());
        }
        wire(&mut graph, &[&last, &a, &join]);
        wire(&mut graph, &[&last, &b, &join]);
        last = join;
    }
    wire(&mut graph, &[&last, "fc", "lif", "output"]);
    let start = std::time::Instant::now();
    assert!(refused(&graph, UNIT_STEP).contains("node 'lif': is reached in too many ways"));
    assert!(start.elapsed().as_secs() < 2);
}
