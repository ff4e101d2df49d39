//! Units, streams and widths of mapped networks.

use crate::map_common;

use map_common::{any_network, chain, network};
use proptest::prelude::*;
use std::collections::BTreeSet;
use synfire::error::Kind;
use synfire::ir::ProjId;
use synfire::ir::mapped::{Fire, MappedNet, Mode, Payload, Port, StreamId, Target, UnitId, UnitKind};
use synfire::ir::quant::{Coding, QuantGraph};
use synfire::map::{LayerChoice, MapRequest, ModeChoice, map};

/// Follows stream ids from every port of every merge and fork back to the population that sends, and checks that each
/// core hears its projections' senders in order.
fn check_wiring(net: &MappedNet) {
    for (_, unit, core) in net.cores() {
        let input = net.stream(unit.inputs[0]);
        let heard: Vec<(u32, usize)> = match input.from.map(|p| (p, &net.unit(p.unit).kind)) {
            Some((p, UnitKind::Merge { bases })) => {
                bases.iter().zip(&net.unit(p.unit).inputs).map(|(&b, s)| (b, net.stream(*s).population.0)).collect()
            }
            _ => vec![(0, input.population.0)],
        };
        let mut base = 0;
        let expected: Vec<(u32, usize)> = core
            .projections
            .iter()
            .map(|&p| {
                let projection = &net.quant.projection(p).projection;
                let entry = (base, projection.pre.0);
                base += projection.synapses.extent().0 as u32;
                entry
            })
            .collect();
        assert_eq!(heard, expected, "{}", unit.name);
        assert_eq!(input.id_bits, synfire::fixed::unsigned_bits(u64::from(base) - 1), "{}", unit.name);
        assert_eq!(input.value_bits, core.value_bits, "{}", unit.name);
        let projections: Vec<ProjId> = net.quant.projections_into(core.population).map(|(id, _)| id).collect();
        assert_eq!(core.projections, projections);
    }
    for (i, stream) in net.streams.iter().enumerate() {
        for port in [stream.from, stream.to].into_iter().flatten() {
            let Port { unit, port } = port;
            let side =
                if stream.to == Some(Port { unit, port }) { &net.unit(unit).inputs } else { &net.unit(unit).outputs };
            assert_eq!(side[port], StreamId(i));
        }
    }
    let ids: BTreeSet<String> = net.units.iter().map(|u| &u.name).chain([&net.top]).map(|n| n.to_lowercase()).collect();
    assert_eq!(ids.len(), net.units.len() + 1, "file names collide");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_networks_keep_the_guarantees(
        quant in any_network(),
        mode in prop_oneof![Just(ModeChoice::Auto), Just(ModeChoice::Event), Just(ModeChoice::Matrix)],
        lanes in prop::option::of(1usize..40),
        rows in prop::option::of((0u32..4).prop_map(|k| 1usize << k)),
    ) {
        let request = MapRequest { mode, lanes, rows, ..MapRequest::new(Target::Generic) };
        let net = match map(quant.clone(), &request) {
            Ok(net) => net,
            Err(e) => {
                // The combinations that cannot be built.
                let spikes = quant.coding == Coding::Unit && mode == ModeChoice::Matrix;
                let conflict = mode == ModeChoice::Event && rows.is_some_and(|rows| rows > 1);
                prop_assert!(spikes || conflict, "{e}");
                return Ok(());
            }
        };
        prop_assert!(mode != ModeChoice::Event || rows.is_none_or(|rows| rows == 1));
        prop_assert!(net.check().is_empty());
        check_wiring(&net);
        prop_assert_eq!(net.decisions.len(), net.cores().count());
        for (_, _, core) in net.cores() {
            if let Some(lanes) = lanes {
                prop_assert_eq!(core.mode.lanes(), lanes.min(core.neurons));
            } else {
                prop_assert!(core.mode.lanes() <= core.neurons);
            }
            match (mode, core.mode) {
                (ModeChoice::Event, Mode::Matrix { .. }) | (ModeChoice::Matrix, Mode::Event { .. }) => prop_assert!(false),
                (_, Mode::Matrix { rows: r, .. }) => prop_assert!(rows.is_none_or(|rows| rows == r)),
                _ => {}
            }
        }
        prop_assert_eq!(map(quant, &request).unwrap().dump(), net.dump());
    }
}

#[test]
fn a_residual_join_is_forked_and_merged() {
    let layers = [("x", 6, vec![]), ("a", 5, vec![0]), ("b", 5, vec![1]), ("y", 3, vec![1, 2, 1])];
    let quant = network("net", Coding::Graded, 16, 8, &layers);
    let net = map(quant, &MapRequest { lanes: Some(2), mode: ModeChoice::Event, ..MapRequest::new(Target::Generic) })
        .unwrap();
    let units: Vec<&str> = net.units.iter().map(|u| u.name.as_str()).collect();
    assert_eq!(units, ["a", "a_fork", "b", "y_merge", "y"]);
    let streams: Vec<&str> = net.streams.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(streams, ["in", "a", "a_to_b", "a_to_y", "a_to_y_2", "b", "y_in", "out"]);
    assert!(matches!(&net.unit(UnitId(3)).kind, UnitKind::Merge { bases } if bases == &[0, 5, 10]));
    assert_eq!(net.stream(StreamId(6)).id_bits, 4);
    assert!(net.stream(net.output()).signed);
    check_wiring(&net);
}

#[test]
fn an_image_with_several_readers_is_forked_at_the_border() {
    let layers = [("x", 4, vec![]), ("a", 2, vec![0]), ("y", 3, vec![0, 1, 0])];
    let net = map(network("n", Coding::Unit, 4, 8, &layers), &MapRequest::new(Target::Generic)).unwrap();
    assert_eq!(net.units[0].name, "in_fork");
    assert_eq!(net.unit(UnitId(0)).outputs.len(), 3);
    check_wiring(&net);
}

#[test]
fn widths_follow_the_coding() {
    for (coding, fire, value_bits) in [
        (Coding::Graded, Fire::Count { bits: 5, max: 16 }, 5),
        (Coding::Unit, Fire::Unit { sweeps: 16 }, 1),
        (Coding::Rate, Fire::Step, 1),
    ] {
        let quant = network("n", coding, 16, 8, &[("x", 9, vec![]), ("h", 7, vec![0]), ("y", 3, vec![1])]);
        let net = map(quant, &MapRequest::new(Target::Generic)).unwrap();
        let cores: Vec<_> = net.cores().map(|(_, _, core)| core.clone()).collect();
        assert_eq!((cores[0].fire, cores[1].fire), (fire, Fire::Readout));
        assert_eq!((cores[0].value_bits, cores[1].value_bits), (8, value_bits));
        assert_eq!((cores[0].theta_bits, cores[1].theta_bits), (10, 1));
        assert_eq!((cores[0].bias_bits, cores[1].bias_bits), (if coding == Coding::Rate { 3 } else { 1 }, 1));
        assert_eq!(net.stream(net.output()).value_bits, cores[1].membrane_bits);
    }
}

fn asking(change: impl FnOnce(&mut MapRequest)) -> MapRequest {
    let mut request = MapRequest::new(Target::Generic);
    change(&mut request);
    request
}

fn refused(quant: QuantGraph, request: &MapRequest) -> String {
    let error = map(quant, request).unwrap_err();
    assert_eq!(error.kind, Kind::Input);
    error.to_string()
}

#[test]
fn layers_are_asked_for_by_any_of_their_names() {
    for key in ["fc1", "/fc1/Gemm0"] {
        let layer = LayerChoice { lanes: Some(300), payload: Some(Payload::ShiftAdd), ..LayerChoice::default() };
        let request = asking(|r| {
            r.mode = ModeChoice::Matrix;
            r.rows = Some(4);
            r.lanes = Some(5);
            r.overrides.insert(key.into(), layer);
        });
        let net = map(chain("n", &[20, 12, 10]), &request).unwrap();
        let modes: Vec<Mode> = net.cores().map(|(_, _, core)| core.mode).collect();
        // It has 12 neurons, and more lanes would change no cycle.
        assert_eq!(modes[0], Mode::Event { lanes: 12, payload: Payload::ShiftAdd });
        assert_eq!(modes[1], Mode::Matrix { rows: 4, lanes: 5 });
    }
}

#[test]
fn every_mistake_of_a_request_is_named() {
    let request = asking(|r| {
        r.lanes = Some(0);
        r.rows = Some(6);
        r.overrides.insert("nowhere".into(), LayerChoice::default());
        r.overrides.insert("fc2".into(), LayerChoice { rows: Some(3), lanes: Some(0), ..LayerChoice::default() });
        let both =
            LayerChoice { mode: Some(ModeChoice::Matrix), payload: Some(Payload::Multiply), ..LayerChoice::default() };
        r.overrides.insert("fc1".into(), both);
    });
    let text = refused(chain("n", &[20, 12, 10]), &request);
    for part in
        ["0 lanes", "6 rows", "3 rows", "'nowhere'", "fc1 (/fc1/Gemm0), fc2 (/fc2/Gemm0)", "which only event mode has"]
    {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let twice = asking(|r| {
        for (key, lanes) in [("fc1", 2), ("/fc1/Gemm0", 4)] {
            r.overrides.insert(key.into(), LayerChoice { lanes: Some(lanes), ..LayerChoice::default() });
        }
    });
    assert!(refused(chain("n", &[20, 12, 10]), &twice).contains("set twice"));
    for bad in [vec![1.0], vec![f64::NAN; 3], vec![-1.0; 3]] {
        assert!(refused(chain("n", &[20, 12, 10]), &asking(|r| r.events = bad)).contains("mean events"));
    }
    assert!(refused(chain("n", &[20, 12, 10]), &asking(|r| r.max_utilisation = 0.0)).contains("utilisation"));
    let wide = asking(|r| (r.lanes, r.rows) = (Some(65536), Some(65536)));
    assert!(refused(chain("n", &[20, 12, 10]), &wide).contains("weights a cycle"));
}

#[test]
fn settings_of_the_whole_network_that_exclude_each_other_are_refused() {
    let quant = || chain("n", &[20, 12, 10]);
    let event = |r: &mut MapRequest| (r.mode, r.rows) = (ModeChoice::Event, Some(8));
    let matrix = |r: &mut MapRequest| (r.mode, r.payload) = (ModeChoice::Matrix, Some(Payload::ShiftAdd));
    for (text, parts) in [
        (refused(quant(), &asking(event)), ["8 rows", "drop the rows, or ask for the mode matrix or auto"]),
        (refused(quant(), &asking(matrix)), ["a payload", "drop the payload, or ask for the mode event or auto"]),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    // With another mode for one layer they say something again.
    let layer = |mode| LayerChoice { mode: Some(mode), ..LayerChoice::default() };
    for (top, other) in [(event as fn(&mut _), ModeChoice::Matrix), (matrix as fn(&mut _), ModeChoice::Event)] {
        for mode in [other, ModeChoice::Auto] {
            let request = asking(|r| {
                top(r);
                r.overrides.insert("fc1".into(), layer(mode));
            });
            map(quant(), &request).unwrap();
        }
    }
    // In auto mode each core takes what it has a use for.
    map(quant(), &asking(|r| (r.rows, r.payload) = (Some(8), Some(Payload::Multiply)))).unwrap();
}

#[test]
fn a_name_of_several_layers_is_refused_with_their_unique_names() {
    let quant = network(
        "n",
        Coding::Graded,
        4,
        8,
        &[("x", 4, vec![]), ("fc", 4, vec![0]), ("fC", 4, vec![1]), ("y", 2, vec![2])],
    );
    let mut twins = quant.clone();
    twins.populations[2].name = "Fc".into();
    twins.populations[1].name = "Fc".into();
    let request = asking(|r| _ = r.overrides.insert("Fc".into(), LayerChoice::default()));
    assert!(refused(twins.clone(), &request).contains("fc, fc_2"));
    let unique =
        asking(|r| _ = r.overrides.insert("fc_2".into(), LayerChoice { lanes: Some(3), ..LayerChoice::default() }));
    let lanes: Vec<usize> = map(twins, &unique).unwrap().cores().map(|(_, _, c)| c.mode.lanes()).collect();
    assert_eq!(lanes[1], 3);
}

#[test]
fn recurrence_is_refused_by_name() {
    let mut quant = chain("n", &[4, 4, 2]);
    let mut back = quant.projections[0].clone();
    back.projection.pre = synfire::ir::PopId(1);
    back.projection.delay = 1;
    back.projection.name = "loop".into();
    quant.projections.insert(1, back);
    quant.populations[1].range = quant.prove_range(synfire::ir::PopId(1));
    assert!(refused(quant, &MapRequest::new(Target::Generic)).contains("'loop'"));
}
