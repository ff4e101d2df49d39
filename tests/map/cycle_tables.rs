//! The cycle model against wire traces that were worked out by hand from ARCHITECTURE.md, "Microarchitecture".
//!
//! One line a cycle, one column a stream: `id:value` is an event, `E` an end of phase, `.` no beat; then `+` if the
//! consumer is ready and `-` if not. What the border drives is read from the same table: beats of the first column,
//! readiness of the last.

use crate::cycle_support;

use cycle_support::{Layer, map, quant};
use ndarray::{Array2, arr2};
use synfire::golden::cycle::{Border, Counters, CycleModel, FiringKind};
use synfire::ir::mapped::{MappedNet, Mode, Payload, UnitId};
use synfire::ir::quant::{Coding, Neuron};
use synfire::ir::stream::{Beat, Wires};

fn beat(text: &str) -> Option<Beat> {
    match text {
        "." => None,
        "E" => Some(Beat::END),
        event => {
            let (id, value) = event.split_once(':').unwrap();
            Some(Beat::event(id.parse().unwrap(), value.parse().unwrap()))
        }
    }
}

fn wires(text: &str) -> Wires {
    let (what, ready) = text.split_at(text.len() - 1);
    let beat = beat(what);
    Wires { valid: beat.is_some(), ready: ready == "+", beat: beat.unwrap_or_default() }
}

/// `kind, unit, cycle, phase, image, membranes`.
type Seen = (FiringKind, usize, usize, u32, u64, Option<Vec<i64>>);

/// Plays the table, asserts every wire, returns the model and the firing events.
fn play(net: &MappedNet, table: &str) -> (CycleModel, Vec<Seen>) {
    let mut model = CycleModel::new(net);
    let mut seen = Vec::new();
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    for (cycle, line) in lines.enumerate() {
        let mut columns = line.split_whitespace();
        assert_eq!(columns.next().unwrap().parse::<usize>().unwrap(), cycle, "the table skips a cycle");
        let expected: Vec<Wires> = columns.map(wires).collect();
        let input = expected[0];
        let border = Border { input: input.valid.then_some(input.beat), output_ready: expected.last().unwrap().ready };
        assert_eq!(model.cycle(&border), expected, "cycle {cycle}");
        for f in model.firing() {
            let membranes = model.membranes(f.unit, f.kind).map(<[i64]>::to_vec);
            seen.push((f.kind, f.unit.0, cycle, f.phase, f.image, membranes));
        }
    }
    (model, seen)
}

fn event(lanes: usize) -> Mode {
    Mode::Event { lanes, payload: Payload::Multiply }
}

/// A single core without a readout behind it. `weight` is `[post, pre]`.
fn core(coding: Coding, timesteps: u32, mode: Mode, neuron: Neuron, weight: Array2<i32>) -> MappedNet {
    let inputs = weight.ncols();
    let layers = [Layer { neuron, mode, from: vec![(0, weight)] }];
    map(quant(coding, timesteps, 8, inputs, &layers), &layers)
}

fn fires(theta: &[i64], v_init: &[i64]) -> Neuron {
    Neuron::If { theta: theta.to_vec(), v_init: v_init.to_vec(), bias: vec![0; theta.len()] }
}

use FiringKind::{Began, Ended};

/// One group: an event a cycle, and three cycles from the result in stage A (cycle 7) to the output.
#[test]
fn event_core_with_one_group() {
    let neuron = Neuron::Readout { v_init: vec![5, -1] };
    let net = core(Coding::Graded, 16, event(2), neuron, arr2(&[[1, 2], [-3, 0]]));
    let (model, seen) = play(
        &net,
        "0   0:2-  .+
         1   0:2+  .+
         2   1:1+  .+
         3   E+    .+
         4   .+    .+
         5   .+    .+
         6   .+    .+
         7   .+    .+
         8   .+    .+
         9   .+    .+
         10  .+    0:9+
         11  .+    1:-7+
         12  .+    E+
         13  .+    .+",
    );
    assert_eq!(seen, [(Began, 0, 7, 0, 0, Some(vec![9, -7])), (Ended, 0, 7, 0, 0, Some(vec![5, -1]))]);
    let counters = Counters { initialising: 1, active: 3, starved: 10, stalled: 0 };
    assert_eq!(model.counters(UnitId(0)), counters);
}

/// Two groups of a 2-bit count, one group half empty, a phase without events, an output that waits until the core
/// stalls (cycles 18 to 20).
#[test]
fn event_core_with_two_groups_and_a_stall() {
    let net = core(Coding::Graded, 3, event(2), fires(&[2, 3, 4], &[1, 1, 2]), arr2(&[[3, 1], [2, 4], [-5, 2]]));
    let (model, seen) = play(
        &net,
        "0   0:1-  .+
         1   0:1-  .+
         2   0:1+  .+
         3   1:2-  .+
         4   1:2+  .+
         5   E-    .+
         6   E+    .+
         7   E-    .+
         8   E-    .+
         9   E-    .+
         10  E+    .-
         11  1:1-  .-
         12  1:1-  .-
         13  1:1-  .-
         14  1:1+  0:3-
         15  E-    0:3-
         16  E+    0:3-
         17  .-    0:3-
         18  .-    0:3-
         19  .-    0:3-
         20  .-    0:3+
         21  .-    1:3+
         22  .-    E+
         23  .+    E+
         24  .+    .+
         25  .+    .+
         26  .+    .+
         27  .+    0:1+
         28  .+    1:1+
         29  .+    2:1+
         30  .+    E+
         31  .+    .+",
    );
    let rest = Some(vec![1, 1, 2]);
    assert_eq!(
        seen,
        [
            (Began, 0, 10, 0, 0, Some(vec![6, 11, 1])),
            (Ended, 0, 13, 0, 0, rest.clone()),
            (Began, 0, 14, 0, 1, rest.clone()),
            (Ended, 0, 17, 0, 1, rest.clone()),
            (Began, 0, 23, 0, 2, Some(vec![2, 5, 4])),
            (Ended, 0, 26, 0, 2, rest),
        ]
    );
    // 3 events of 2 slots, 3 firings of 4.
    let counters = Counters { initialising: 2, active: 18, stalled: 3, starved: 32 - 2 - 18 - 3 };
    assert_eq!(model.counters(UnitId(0)), counters);
}

/// More lanes than neurons and a word in every FIRE cycle: the serialiser holds the core up in every other cycle. The
/// last slot of a beat stretches with the stall (7, 11, 15), an empty `held` takes a beat during one (13).
#[test]
fn unit_spikes_outrun_the_serialiser() {
    let net = core(Coding::Unit, 2, event(4), fires(&[1, 1], &[2, 1]), arr2(&[[3], [0]]));
    let (model, seen) = play(
        &net,
        "0   E-    .+
         1   E+    .+
         2   E-    .+
         3   E+    .+
         4   E-    .+
         5   E+    .+
         6   E-    .+
         7   E-    .+
         8   E+    0:1+
         9   .-    1:1+
         10  .-    0:1+
         11  .-    E+
         12  .+    0:1+
         13  0:1+  1:1+
         14  0:1+  0:1+
         15  .-    E+
         16  .+    0:1+
         17  .+    1:1+
         18  .+    0:1+
         19  .+    E+
         20  .+    0:1+
         21  .+    1:1+
         22  .+    0:1+
         23  .+    E+
         24  .+    .+",
    );
    let at: Vec<_> = seen.iter().map(|&(kind, _, cycle, _, image, _)| (kind, cycle, image)).collect();
    let expected = [
        (Began, 5, 0),
        (Ended, 6, 0),
        (Began, 8, 1),
        (Ended, 10, 1),
        (Began, 12, 2),
        (Ended, 14, 2),
        (Began, 16, 3),
        (Ended, 18, 3),
    ];
    assert_eq!(at, expected);
    assert!(seen.iter().all(|(.., membranes)| membranes.as_deref() == Some(&[2, 1])));
    let counters = Counters { initialising: 1, active: 10, stalled: 7, starved: 7 };
    assert_eq!(model.counters(UnitId(0)), counters);
}

/// A pass per set bit: 5 takes two passes, 8 takes one, and so does 0.
#[test]
fn shift_add_takes_a_pass_per_set_bit() {
    let mode = Mode::Event { lanes: 1, payload: Payload::ShiftAdd };
    let net = core(Coding::Graded, 1, mode, Neuron::Readout { v_init: vec![0, 0] }, arr2(&[[1], [-1]]));
    let (model, _) = play(
        &net,
        "0   0:5-  .+
         1   0:5-  .+
         2   0:5+  .+
         3   0:8-  .+
         4   0:8-  .+
         5   0:8-  .+
         6   0:8+  .+
         7   E-    .+
         8   E+    .+
         9   .-    .+
         10  .+    .+
         11  0:0+  .+
         12  .-    .+
         13  .+    .+
         14  .+    .+
         15  .+    0:13+
         16  .+    1:-13+
         17  .+    E+
         18  .+    .+",
    );
    assert_eq!(model.counters(UnitId(0)).active, 10);
}

/// Two buffers: the third phase waits until the first has been issued (cycle 11), the fourth until the second has (17).
#[test]
fn matrix_core_with_two_groups_of_two_chunks() {
    let mode = Mode::Matrix { rows: 2, lanes: 2 };
    let weight = arr2(&[[1, 1, 0], [2, -1, 1], [3, 0, 2]]);
    let net = core(Coding::Graded, 1, mode, fires(&[2, 2, 2], &[0, 1, 1]), weight);
    let (model, seen) = play(
        &net,
        "0   2:1-  .+
         1   2:1-  .+
         2   2:1+  .+
         3   0:2+  .+
         4   E+    .+
         5   1:3+  .+
         6   E+    .+
         7   E-    .+
         8   E-    .+
         9   E-    .+
         10  E-    .+
         11  E+    .+
         12  .-    .+
         13  .-    .+
         14  .-    0:1+
         15  .-    1:1+
         16  .-    .+
         17  .+    2:1+
         18  .+    E+
         19  .+    .+
         20  .+    0:1+
         21  .+    .+
         22  .+    .+
         23  .+    E+
         24  .+    .+
         25  .+    .+
         26  .+    .+
         27  .+    .+
         28  .+    .+
         29  .+    E+
         30  .+    .+",
    );
    let rest = Some(vec![0, 1, 1]);
    let ended = |cycle, image| (Ended, 0, cycle, 0, image, rest.clone());
    let began = |cycle, image| (Began, 0, cycle, 0, image, None);
    assert_eq!(seen, [began(11, 0), ended(14, 0), began(17, 1), ended(20, 1), began(23, 2), ended(26, 2)]);
    let counters = Counters { initialising: 2, active: 18, stalled: 0, starved: 11 };
    assert_eq!(model.counters(UnitId(0)), counters);
}

/// One input, one neuron: a phase every two cycles. In the stall (13 to 17) the core goes on receiving until both buffers
/// are full, while stage A still has to see what the buffers held before.
#[test]
fn matrix_core_receives_while_stalled() {
    let mode = Mode::Matrix { rows: 1, lanes: 1 };
    let net = core(Coding::Graded, 1, mode, Neuron::Readout { v_init: vec![0] }, arr2(&[[1]]));
    let (model, _) = play(
        &net,
        "0   0:5-   .-
         1   0:5+   .-
         2   E+     .-
         3   0:6+   .-
         4   E+     .-
         5   0:7+   .-
         6   E+     .-
         7   0:8+   .-
         8   E+     .-
         9   0:9+   .-
         10  E+     .-
         11  0:10+  0:5-
         12  E+     0:5-
         13  0:11+  0:5-
         14  E+     0:5-
         15  0:12-  0:5-
         16  0:12-  0:5+
         17  0:12-  E+
         18  0:12-  0:6+
         19  0:12-  E+
         20  0:12+  0:7+
         21  E+     E+
         22  .+     0:8+
         23  .+     E+
         24  .+     0:9+
         25  .+     E+
         26  .+     0:10+
         27  .+     E+
         28  .+     0:11+
         29  .+     E+
         30  .+     0:12+
         31  .+     E+
         32  .+     .+",
    );
    let counters = Counters { initialising: 1, active: 16, stalled: 5, starved: 11 };
    assert_eq!(model.counters(UnitId(0)), counters);
}

/// `in → fork → { merge, hidden → merge } → readout`, three images at once: the merge holds the fast branch back until
/// the slow one's phase has ended (cycles 4 to 11), and the fork in turn holds the input.
#[test]
fn fork_and_merge() {
    let hidden = Layer { neuron: fires(&[1], &[0]), mode: event(1), from: vec![(0, arr2(&[[1, 1]]))] };
    let readout = Layer {
        neuron: Neuron::Readout { v_init: vec![0] },
        mode: event(1),
        from: vec![(0, arr2(&[[1, 2]])), (1, arr2(&[[10]]))],
    };
    let layers = [hidden, readout];
    let net = map(quant(Coding::Graded, 1, 1, 2, &layers), &layers);
    assert_eq!(net.check(), []);
    //   in    to hidden  to merge  hidden to merge  to readout  out
    let (_, seen) = play(
        &net,
        "0   0:1+  .-    .-    .-    .-    .+
         1   1:1+  0:1+  0:1+  .-    .+    .+
         2   E+    1:1+  1:1+  .-    0:1+  .+
         3   1:1+  E+    E+    .-    1:1+  .+
         4   E+    1:1+  1:1-  .-    .+    .+
         5   0:1-  E+    1:1-  .-    .+    .+
         6   0:1-  .+    1:1-  .-    .+    .+
         7   0:1-  .+    1:1-  .-    .+    .+
         8   0:1-  .+    1:1-  .-    .+    .+
         9   0:1-  .+    1:1-  .-    .+    .+
         10  0:1-  .+    1:1-  0:1+  .+    .+
         11  0:1-  .+    1:1-  E+    2:1+  .+
         12  0:1-  .+    1:1+  0:1-  E+    .+
         13  0:1+  .+    E+    0:1-  1:1+  .+
         14  E+    0:1+  0:1-  0:1+  .+    .+
         15  .-    E+    0:1-  E+    2:1+  .+
         16  .-    .+    0:1+  .-    E+    .+
         17  .+    .+    E+    .-    0:1+  .+
         18  .+    .+    .-    .-    .+    .+
         19  .+    .+    .-    .-    .+    0:13+
         20  .+    .+    .-    .-    .+    E+
         21  .+    .+    .-    .-    .+    .+
         22  .+    .+    .-    0:1+  .+    .+
         23  .+    .+    .-    E+    2:1+  0:12+
         24  .+    .+    .-    .-    E+    E+
         25  .+    .+    .-    .-    .+    .+
         26  .+    .+    .-    .-    .+    .+
         27  .+    .+    .-    .-    .+    .+
         28  .+    .+    .-    .-    .+    .+
         29  .+    .+    .-    .-    .+    .+
         30  .+    .+    .-    .-    .+    .+
         31  .+    .+    .-    .-    .+    0:11+
         32  .+    .+    .-    .-    .+    E+",
    );
    let began: Vec<_> = seen.iter().filter(|s| s.0 == Began).map(|s| (s.1, s.2, s.5.clone())).collect();
    let at = |unit, cycle, v| (unit, cycle, Some(vec![v]));
    assert_eq!(began, [at(1, 7, 2), at(1, 9, 1), at(3, 16, 13), at(1, 19, 1), at(3, 20, 12), at(3, 28, 11)]);
}
