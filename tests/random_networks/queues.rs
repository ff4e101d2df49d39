//! Recurrent networks as the mapper lays them out: queues, what is wrong with them, delays that cannot be.

use crate::generator::{Style, dense, quants};
use synfire::ir::PopId;
use synfire::ir::mapped::{MappedNet, Port, StreamId, Target, UnitId, UnitKind};
use synfire::ir::quant::{Coding, Neuron, QuantGraph};
use synfire::map::MapRequest;

/// A population on itself and on the one before it, and the source's step before.
fn recurrent() -> QuantGraph {
    let wiring = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (1, 1, 1), (2, 1, 1), (0, 2, 1)];
    quants(&dense(&[5, 6, 7, 2], &wiring, Style::default(), 3)).unwrap().remove(0)
}

fn mapped(quant: QuantGraph) -> synfire::Result<MappedNet> {
    synfire::map::map(quant, &MapRequest::new(Target::Generic))
}

#[test]
fn each_delayed_projection_passes_a_queue_for_a_whole_phase() {
    let net = mapped(recurrent()).unwrap();
    assert_eq!(net.check(), vec![]);
    let queues: Vec<(usize, usize, u32)> = (0..)
        .zip(&net.units)
        .filter_map(|(i, unit)| match unit.kind {
            UnitKind::Queue { depth } => Some((i, net.stream(unit.inputs[0]).population.0, depth)),
            _ => None,
        })
        .collect();
    let merges: Vec<usize> =
        (0..net.units.len()).filter(|&i| matches!(net.units[i].kind, UnitKind::Merge { .. })).collect();
    assert_eq!(queues.iter().map(|q| (q.1, q.2)).collect::<Vec<_>>(), [(1, 7), (2, 8), (0, 6)]);
    assert!(queues[1].0 < merges[0] && merges[0] < queues[2].0 && queues[2].0 < merges[1], "{}", net.dump());
}

#[test]
fn a_shallow_queue_and_a_circle_without_one_are_noticed() {
    let sound = mapped(recurrent()).unwrap();
    let queue = sound.units.iter().position(|u| matches!(u.kind, UnitKind::Queue { .. })).unwrap();
    let mut net = sound.clone();
    net.units[queue].kind = UnitKind::Queue { depth: 6 };
    assert!(net.check().iter().any(|p| p.to_string().contains("holds 6 beats, and a phase has up to 7")));

    // The projection closes the circle without a delay: its reader expects another stream than the queue's.
    let mut net = sound.clone();
    let looped = net.quant.projections.iter_mut().find(|p| p.projection.pre == p.projection.post).unwrap();
    looped.projection.delay = 2;
    assert!(net.check().iter().any(|p| p.to_string().contains("does not receive its projections' senders")));

    // A stream that runs backwards into something that is no queue.
    let mut net = sound;
    let merge = (0..net.units.len()).find(|&i| matches!(net.units[i].kind, UnitKind::Merge { .. })).unwrap();
    let (into, out) = (net.units[queue].inputs[0], net.units[queue].outputs[0]);
    let port = net.units[merge].inputs.iter().position(|&s| s == out).unwrap();
    net.units[merge].inputs[port] = into;
    net.streams[into.0].to = Some(Port { unit: UnitId(merge), port });
    net.units[queue].inputs = vec![StreamId(out.0)];
    assert!(net.check().iter().any(|p| p.to_string().contains("does not run forward")));
}

#[test]
fn delays_that_no_hardware_has_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut QuantGraph)| {
        let mut quant = recurrent();
        change(&mut quant);
        mapped(quant).unwrap_err().to_string()
    };
    let text = refused(&|quant| {
        quant.projections[1].projection.delay = 2;
        quant.projections[2].projection.delay = 3;
    });
    assert!(
        text.contains("w1") && text.contains("delay of 2 steps") && text.contains("w2") && text.contains("3 steps")
    );
    let mut two_phase = recurrent();
    two_phase.coding = Coding::Graded;
    for population in &mut two_phase.populations[1..3] {
        let n = population.shape.len();
        population.neuron = Neuron::If { theta: vec![9; n], v_init: vec![0; n], bias: vec![0; n] };
    }
    for i in 1..4 {
        let proved = two_phase.prove_range(PopId(i));
        two_phase.populations[i].range = proved;
    }
    let text = mapped(two_phase).unwrap_err().to_string();
    assert!(text.contains("two-phase coding") && text.contains("use rate coding"), "{text}");
}
