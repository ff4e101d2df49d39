//! `MappedNet::check` finds what is wrong with a layout, whatever is changed in it.

use crate::map_common;

use map_common::network;
use synfire::ir::PopId;
use synfire::ir::mapped::{Core, Fire, MappedNet, Stream, Target, UnitKind};
use synfire::ir::quant::Coding;
use synfire::map::{MapRequest, map};

/// Forks, a merge of senders of different sizes, and a sender that projects twice.
fn joined(coding: Coding) -> MappedNet {
    let layers = [("x", 6, vec![]), ("a", 5, vec![0]), ("b", 3, vec![1]), ("y", 3, vec![1, 2, 1])];
    let net = map(network("net", coding, 16, 8, &layers), &MapRequest::new(Target::Generic)).unwrap();
    assert_eq!(net.check(), []);
    net
}

fn core<'a>(net: &'a mut MappedNet, name: &str) -> &'a mut Core {
    match &mut net.units.iter_mut().find(|u| u.name == name).unwrap().kind {
        UnitKind::Core(core) => core,
        other => panic!("{other:?}"),
    }
}

fn stream<'a>(net: &'a mut MappedNet, name: &str) -> &'a mut Stream {
    net.streams.iter_mut().find(|s| s.name == name).unwrap()
}

fn bases(net: &mut MappedNet) -> &mut Vec<u32> {
    let merges = net.units.iter_mut().filter_map(|u| match &mut u.kind {
        UnitKind::Merge { bases } => Some(bases),
        _ => None,
    });
    merges.last().unwrap()
}

/// What `change` breaks is reported at `node`, in the words of `what`.
fn broken(coding: Coding, change: impl FnOnce(&mut MappedNet), node: &str, what: &str) {
    let mut net = joined(coding);
    change(&mut net);
    let problems = net.check();
    let named = problems.iter().any(|p| p.node.as_deref() == Some(node) && p.what.contains(what));
    assert!(named, "{what:?} at {node} is missing in {problems:?}");
}

#[test]
fn the_bases_of_a_merge_are_the_sums_of_what_precedes_them() {
    for (i, wrong) in [(0, 1), (1, 4), (1, 6), (2, 5), (2, 9)] {
        broken(Coding::Graded, |net| bases(net)[i] = wrong, "y_merge", "need [0, 5, 8]");
    }
}

#[test]
fn a_merge_lays_out_its_senders_in_the_order_of_the_projections() {
    let what = "in the order of its input ids";
    broken(Coding::Graded, |net| core(net, "y").projections.swap(0, 1), "y", what);
    // The merge's inputs exchanged, with the bases that go with that.
    let swap = |net: &mut MappedNet| {
        let merge = net.units.iter().position(|u| u.name == "y_merge").unwrap();
        net.units[merge].inputs.swap(0, 1);
        for port in 0..2 {
            let s = net.units[merge].inputs[port].0;
            net.streams[s].to.as_mut().unwrap().port = port;
        }
        *bases(net) = vec![0, 3, 8];
    };
    broken(Coding::Graded, swap, "y", what);
}

#[test]
fn a_core_fires_as_its_neurons_the_coding_and_t_say() {
    let right = |coding| match coding {
        Coding::Graded => Fire::Count { bits: 5, max: 16 },
        Coding::Unit => Fire::Unit { sweeps: 16 },
        Coding::Rate => Fire::Step,
    };
    let all = [
        Fire::Count { bits: 5, max: 16 },
        Fire::Count { bits: 4, max: 16 },
        Fire::Count { bits: 5, max: 15 },
        Fire::Unit { sweeps: 16 },
        Fire::Unit { sweeps: 15 },
        Fire::Step,
        Fire::Readout,
    ];
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        for fire in all.into_iter().filter(|&fire| fire != right(coding)) {
            broken(coding, |net| core(net, "b").fire = fire, "b", &format!("the network needs {:?}", right(coding)));
        }
        broken(coding, |net| core(net, "y").fire = right(coding), "y", "the network needs Readout");
        broken(coding, |net| core(net, "b").population = PopId(0), "b", "computes the image");
    }
}

#[test]
fn a_core_sends_values_as_wide_as_it_makes_them() {
    for coding in [Coding::Graded, Coding::Unit, Coding::Rate] {
        let bits = if coding == Coding::Graded { 5 } else { 1 };
        let wider = |net: &mut MappedNet| stream(net, "b").value_bits += 1;
        broken(coding, wider, "b", &format!("not unsigned ones of {bits}"));
        broken(coding, |net| stream(net, "b").signed = true, "b", "not unsigned");
        for change in [
            |net: &mut MappedNet| stream(net, "out").value_bits -= 1,
            |net: &mut MappedNet| core(net, "y").membrane_bits += 1,
        ] {
            broken(coding, change, "y", "not signed ones of");
        }
        broken(coding, |net| stream(net, "out").signed = false, "y", "not signed ones of");
    }
}

#[test]
fn ids_have_room_for_every_sender() {
    for (name, bits, needed) in [("in", 2, 3), ("a_to_b", 2, 3), ("b", 1, 2), ("y_in", 3, 4), ("out", 1, 2)] {
        let narrow = |net: &mut MappedNet| stream(net, name).id_bits = bits;
        broken(Coding::Graded, narrow, name, &format!("its senders need {needed}"));
    }
}

#[test]
fn streams_carry_what_they_say() {
    broken(Coding::Graded, |net| stream(net, "in").value_bits = 7, "in", "whose pixels have 8 bits");
    broken(Coding::Graded, |net| stream(net, "in").population = PopId(1), "in", "does not carry the image");
    broken(Coding::Graded, |net| stream(net, "b").population = PopId(1), "b", "another population");
    broken(Coding::Graded, |net| stream(net, "b").population = PopId(9), "b", "does not exist");
    broken(Coding::Graded, |net| stream(net, "a_to_b").value_bits += 1, "a_fork", "do not fit together");
    broken(Coding::Graded, |net| stream(net, "y_in").value_bits -= 1, "y_merge", "do not fit together");
    broken(Coding::Graded, |net| stream(net, "y_in").value_bits += 1, "y", "do not fit together");
}

#[test]
fn every_port_is_connected_to_a_stream_that_knows_it() {
    broken(Coding::Graded, |net| net.units[0].outputs.clear(), "a", "not properly connected");
    broken(Coding::Graded, |net| stream(net, "b").from.as_mut().unwrap().port = 1, "b", "not its own");
    broken(Coding::Graded, |net| stream(net, "b").to.as_mut().unwrap().unit.0 = 99, "b", "not its own");
    broken(Coding::Graded, |net| stream(net, "b").to = None, "b", "does not run forward");
    let mut empty = joined(Coding::Graded);
    (empty.units, empty.streams) = (Vec::new(), Vec::new());
    assert!(empty.check()[0].what.contains("no streams"), "{:?}", empty.check());
}

#[test]
fn a_core_computes_the_projections_into_its_own_population() {
    let foreign = |net: &mut MappedNet| {
        let projections = core(net, "a").projections.clone();
        core(net, "b").projections = projections;
    };
    broken(Coding::Graded, foreign, "b", "into another population");
}
