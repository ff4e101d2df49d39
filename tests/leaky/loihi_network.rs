//! Converted networks by the Loihi 2 equations, against the integer network's own definition (`ir/quant.rs`) evaluated
//! directly, and the limits of what maps onto Loihi's fields.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use synfire::fixed::PixelFormat;
use synfire::ir::quant::{Coding, Input, Neuron, QPopulation, QProjection, QuantGraph};
use synfire::ir::snn::{Projection, Synapses};
use synfire::ir::{PopId, ProjId, Shape};
use synfire::loihi::network::Network;

fn population(name: &str, neurons: usize, neuron: Neuron) -> QPopulation {
    QPopulation { name: name.into(), shape: Shape(vec![neurons]), neuron, range: (0, 0) }
}

fn projection(pre: usize, post: usize, weight: Array2<i32>) -> QProjection {
    let name = format!("p{pre}_{post}");
    let synapses = Synapses::Dense { weight };
    QProjection {
        projection: Projection { name, pre: PopId(pre), post: PopId(post), delay: 0, synapses },
        weight_bits: 9,
    }
}

/// Fills in the proved ranges and verifies the graph.
fn finish(mut graph: QuantGraph) -> QuantGraph {
    for i in 1..graph.populations.len() {
        graph.populations[i].range = graph.prove_range(PopId(i));
    }
    assert_eq!(graph.check(), []);
    graph
}

/// Source → a → b with a skip projection source → b, and b → readout.
fn random_graph(rng: &mut ChaCha8Rng, coding: Coding) -> QuantGraph {
    let sizes: Vec<usize> = (0..4).map(|_| rng.random_range(1..6)).collect();
    let weights = |rng: &mut ChaCha8Rng, pre: usize, post: usize| {
        let (low, high) = [(-128, 127), (0, 255), (-255, 0)][rng.random_range(0..3)];
        Array2::from_shape_fn((sizes[post], sizes[pre]), |_| rng.random_range(low..=high))
    };
    let cells = |rng: &mut ChaCha8Rng, n: usize| Neuron::If {
        theta: (0..n).map(|_| rng.random_range(1..400)).collect(),
        v_init: (0..n).map(|_| rng.random_range(-300..300)).collect(),
        bias: (0..n)
            .map(|_| match coding {
                Coding::Rate => [rng.random_range(-100..=100), 4095, -4096, 8190, -8192][rng.random_range(0..5)],
                _ => 0,
            })
            .collect(),
    };
    let populations = vec![
        population("source", sizes[0], Neuron::Source),
        population("a", sizes[1], cells(rng, sizes[1])),
        population("b", sizes[2], cells(rng, sizes[2])),
        population("out", sizes[3], Neuron::Readout { v_init: vec![5; sizes[3]] }),
    ];
    let projections = vec![
        projection(0, 1, weights(rng, 0, 1)),
        projection(0, 2, weights(rng, 0, 2)),
        projection(1, 2, weights(rng, 1, 2)),
        projection(2, 3, weights(rng, 2, 3)),
    ];
    let (name, pixels) = ("random".to_string(), PixelFormat::unsigned(4));
    // Few enough steps that no random network can overflow.
    let timesteps = if coding == Coding::Rate { 4 } else { 8 };
    finish(QuantGraph {
        name,
        coding,
        timesteps,
        pixels,
        input: Input::Constant,
        normalisation: None,
        populations,
        projections,
    })
}

/// A dense first layer behind padding sees pixels below the silent one: they are signed payloads, which Loihi 2 has too.
#[test]
fn signed_pixels_into_a_dense_layer_are_compared() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for round in 0..60 {
        let mut graph = random_graph(&mut rng, [Coding::Graded, Coding::Unit, Coding::Rate][round % 3]);
        graph.pixels.zero = vec![7];
        let graph = finish(graph);
        let pixels: Vec<i64> = (0..graph.input_shape().len()).map(|_| rng.random_range(-7..=8)).collect();
        compare(&graph, &pixels);
    }
    // Of a weight of one sign, both ends of the payload count.
    let mut graph = one_neuron(Coding::Graded, 255, 100, 0, 0);
    graph.pixels = PixelFormat { bits: 10, zero: vec![600] };
    let (why, fit) = refusal(&finish(graph));
    assert!(fit && why.contains("synaptic input can reach -153000 to 107865"), "{why}");
}

/// What each neuron sends in each phase, and its membrane before an image's end, straight from the definition.
struct Truth {
    sent: Vec<Vec<Vec<i64>>>,
    membranes: Vec<Vec<Vec<i64>>>,
}

fn evaluate(graph: &QuantGraph, pixels: &[i64]) -> Truth {
    let mut v: Vec<Vec<i64>> = graph.populations.iter().map(|p| p.neuron.v_init().to_vec()).collect();
    let mut truth = Truth { sent: Vec::new(), membranes: Vec::new() };
    for phase in 0..graph.phases() as usize {
        let mut sent: Vec<Vec<i64>> = vec![pixels.to_vec()];
        for (i, pop) in graph.populations.iter().enumerate().skip(1) {
            let mut spikes = vec![0; pop.shape.len()];
            for (n, spikes) in spikes.iter_mut().enumerate() {
                for (_, p) in graph.projections_into(PopId(i)) {
                    let Synapses::Dense { weight } = &p.projection.synapses else { panic!("dense networks only") };
                    let x = match p.projection.delay {
                        0 => sent[p.projection.pre.0].clone(),
                        _ if phase == 0 => vec![0; weight.ncols()],
                        _ => truth.sent[phase - 1][p.projection.pre.0].clone(),
                    };
                    v[i][n] += weight.row(n).iter().zip(x).map(|(&w, x)| i64::from(w) * x).sum::<i64>();
                }
                if let Neuron::If { theta, bias, .. } = &pop.neuron {
                    v[i][n] += bias[n];
                    *spikes = match graph.coding {
                        Coding::Rate => i64::from(v[i][n] >= theta[n]),
                        _ => v[i][n].div_euclid(theta[n]).clamp(0, i64::from(graph.timesteps)),
                    };
                    v[i][n] -= *spikes * theta[n];
                }
            }
            sent.push(spikes);
        }
        truth.sent.push(sent);
        truth.membranes.push(v.clone());
    }
    truth
}

/// Compares every mapped population; returns how many neurons were compared.
fn compare(graph: &QuantGraph, pixels: &[i64]) -> usize {
    let truth = evaluate(graph, pixels);
    let network = Network::new(graph);
    let responses = network.run_image(&truth.sent).unwrap();
    let mut compared = 0;
    for c in network.coverage() {
        assert!(c.expressible && c.fields_fit && c.reasons.is_empty(), "{:?}", c.reasons);
        let response = responses[c.population.0].as_ref().unwrap();
        assert_eq!(response.overflows, 0);
        for (phase, got) in response.phases.iter().enumerate() {
            assert_eq!(got.spikes, truth.sent[phase][c.population.0], "spikes of {:?}, phase {phase}", c.population);
            assert_eq!(got.membranes, truth.membranes[phase][c.population.0], "membranes of {:?}", c.population);
            compared += got.spikes.len();
        }
        let totals: Vec<i64> =
            (0..response.counts.len()).map(|n| truth.sent.iter().map(|s| s[c.population.0][n]).sum()).collect();
        assert_eq!(response.counts, totals);
    }
    assert_eq!(
        responses[graph.readout().0].as_ref().unwrap().membranes(),
        truth.membranes.last().unwrap().last().unwrap()
    );
    compared
}

#[test]
fn random_networks_in_every_coding() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut compared = 0;
    for round in 0..600 {
        let graph = random_graph(&mut rng, [Coding::Graded, Coding::Unit, Coding::Rate][round % 3]);
        for _ in 0..4 {
            let pixels: Vec<i64> = (0..graph.input_shape().len()).map(|_| rng.random_range(0..16)).collect();
            compared += compare(&graph, &pixels);
        }
    }
    assert!(compared > 20_000, "{compared}");
}

#[test]
fn recurrent_projections_arrive_one_step_later() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..100 {
        let mut graph = random_graph(&mut rng, Coding::Rate);
        let (a, b) = (graph.populations[1].shape.len(), graph.populations[2].shape.len());
        let mut back = projection(2, 1, Array2::from_shape_fn((a, b), |_| rng.random_range(-100..100)));
        back.projection.delay = 1;
        graph.projections.insert(1, back);
        let graph = finish(graph);
        let pixels: Vec<i64> = (0..graph.input_shape().len()).map(|_| rng.random_range(0..16)).collect();
        compare(&graph, &pixels);
    }
}

/// One pixel of weight 1 into one neuron, so that the membrane is chosen by `v_init`.
fn one_neuron(coding: Coding, weight: i32, theta: i64, v_init: i64, bias: i64) -> QuantGraph {
    let single = |w| Array2::from_elem((1, 1), w);
    finish(QuantGraph {
        name: "one".into(),
        coding,
        timesteps: 8,
        pixels: PixelFormat::unsigned(8),
        input: Input::Constant,
        normalisation: None,
        populations: vec![
            population("source", 1, Neuron::Source),
            population("cell", 1, Neuron::If { theta: vec![theta], v_init: vec![v_init], bias: vec![bias] }),
            population("out", 1, Neuron::Readout { v_init: vec![0] }),
        ],
        projections: vec![projection(0, 1, single(weight)), projection(1, 2, single(1))],
    })
}

#[test]
fn membranes_on_every_multiple_of_the_threshold() {
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        for theta in [1, 2, 63, 64, 65, 1000] {
            for k in -1..=9 {
                for off in -1..=1 {
                    compare(&one_neuron(coding, 1, theta, k * theta + off - 7, 0), &[7]);
                }
            }
        }
    }
}

#[test]
fn the_ends_of_the_fields_still_map() {
    compare(&one_neuron(Coding::Graded, 0, 131_072, 131_071, 0), &[255]);
    compare(&one_neuron(Coding::Graded, 0, 1, -131_071, 0), &[255]);
    compare(&one_neuron(Coding::Graded, 255, 131_072, 131_071 - 255 * 255, 0), &[255]);
    compare(&one_neuron(Coding::Graded, -255, 1, 255 * 255 - 131_071, 0), &[255]);
}

/// The reasons why the first population of `graph` is not expressible, and whether its fields fit nevertheless.
fn refusal(graph: &QuantGraph) -> (String, bool) {
    let network = Network::new(graph);
    let c = &network.coverage()[0];
    assert_eq!(c.population, PopId(1));
    assert!(!c.expressible && !c.reasons.is_empty());
    (c.reasons.join("; "), c.fields_fit)
}

#[test]
fn what_does_not_map_is_refused_with_its_reason() {
    let (why, fit) = refusal(&one_neuron(Coding::Graded, 0, 131_073, 0, 0));
    assert!(!fit && why.contains("neuron 0 has threshold 131073"), "{why}");
    let (why, fit) = refusal(&one_neuron(Coding::Graded, 0, 1, 131_072, 0));
    assert!(!fit && why.contains("starts at membrane 131072") && why.contains("membranes can reach"), "{why}");
    let (why, fit) = refusal(&one_neuron(Coding::Rate, 0, 1, 0, 4097));
    assert!(!fit && why.contains("bias 4097"), "{why}");
    let (why, fit) = refusal(&one_neuron(Coding::Rate, 0, 1, 0, 8192));
    assert!(!fit && why.contains("bias 8192"), "{why}");

    let mut wide = one_neuron(Coding::Graded, 1, 1, 0, 0);
    wide.projections[0].weight_bits = 10;
    wide.projections[0].projection.synapses = Synapses::Dense { weight: Array2::from_elem((1, 1), 256) };
    let (why, fit) = refusal(&finish(wide));
    assert!(!fit && why.contains("projection 'p0_1' holds weights from 256 to 256"), "{why}");

    let mut payload = one_neuron(Coding::Graded, 0, 1, 0, 0);
    payload.pixels.bits = 24;
    let (why, fit) = refusal(&payload);
    assert!(!fit && why.contains("payloads up to 16777215"), "{why}");
}

#[test]
fn a_worst_case_that_overflows_leaves_single_images_comparable() {
    let mut graph = one_neuron(Coding::Graded, 255, 100, 0, 0);
    graph.pixels.bits = 10;
    let graph = finish(graph);
    let (why, fit) = refusal(&graph);
    assert!(fit && why.contains("membranes can reach 0 to 260865"), "{why}");
    assert!(why.contains("synaptic input can reach 0 to 260865"), "{why}");

    let network = Network::new(&graph);
    for (pixel, overflow) in [(514, false), (515, true), (1023, true)] {
        let truth = evaluate(&graph, &[pixel]);
        let response = network.population_response(PopId(1), &[vec![(ProjId(0), &truth.sent[0][0])]]).unwrap();
        assert_eq!(response.overflows > 0, overflow, "{pixel}");
        if !overflow {
            assert_eq!(response.phases[0].spikes, truth.sent[0][1]);
            assert_eq!(response.phases[0].membranes, truth.membranes[0][1]);
        }
    }
}

#[test]
fn input_that_cannot_hold_the_range_alone_is_noticed() {
    // Membranes stay within ±131,071, but the step that takes them from one end to the other does not fit the current.
    let mut graph = one_neuron(Coding::Graded, 255, 100, -131_071, 0);
    graph.pixels.bits = 10;
    let (why, fit) = refusal(&finish(graph));
    assert!(fit && why.contains("synaptic input can reach"), "{why}");
}

#[test]
fn malformed_observations_are_errors() {
    let graph = one_neuron(Coding::Graded, 1, 1, 0, 0);
    let network = Network::new(&graph);
    let respond =
        |pop, rows: &[Vec<(ProjId, &[i64])>]| network.population_response(PopId(pop), rows).unwrap_err().to_string();
    assert!(respond(0, &[]).contains("does not map"));
    assert!(respond(9, &[]).contains("does not map"));
    assert!(respond(1, &[]).contains("got 0 phases"));
    assert!(respond(1, &[vec![]]).contains("no spikes for projection 0"));
    assert!(respond(1, &[vec![(ProjId(0), &[1, 2])]]).contains("2 payloads for 1 senders"));
    assert!(respond(1, &[vec![(ProjId(0), &[-1])]]).contains("payload -1"));
    assert!(network.run_image(&[vec![]]).unwrap_err().to_string().contains("lacks the spikes of population 0"));
}
