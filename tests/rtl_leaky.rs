//! Designs with leaky neurons and recurrent projections: clean under Verilator's lint, and their own bench passes under Icarus, a
//! four-state simulator, with what a plain evaluator says. Layout of queues by the mapper.

mod leaky_support;

use leaky_support::{Style, evaluate, lay_out, network, random_codes, random_wiring};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::process::Command;
use synfire::cosim::Verilator;
use synfire::flow::{Tool, tools};
use synfire::ir::mapped::{MappedNet, Port, StreamId, Target, UnitId, UnitKind};
use synfire::ir::quant::{Coding, Input, QuantGraph};
use synfire::ir::stream::Beat;
use synfire::map::MapRequest;
use synfire::rtl::{self, Vectors};

fn run(mut command: Command, args: &[&str], folder: &Path) -> (bool, String) {
    let output = command.args(args).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn vectors(net: &MappedNet, images: &[Vec<i64>]) -> Vectors {
    let mut vectors = Vectors::default();
    for codes in images {
        let ids = net.stream(net.input()).layout;
        vectors.inputs.extend(Beat::image_of(codes, &ids, net.quant.phases()));
        let logits = evaluate(&net.quant, codes).logits;
        vectors.outputs.extend(logits.iter().enumerate().map(|(id, &v)| Beat::event(id as u32, v)));
        vectors.outputs.push(Beat::END);
    }
    vectors
}

#[test]
fn leaky_and_recurrent_designs_pass_their_own_bench() {
    let find =
        || -> synfire::Result<_> { Ok((tools::find(Tool::Iverilog)?, tools::find(Tool::Vvp)?, Verilator::find()?)) };
    let (iverilog, vvp, verilator) = match find() {
        Ok(found) => found,
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            println!("ignored: {error}");
            return;
        }
    };
    for case in 0..16u64 {
        // The number of a failing case is its seed.
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + case);
        let populations = 3 + case as usize % 3;
        let sizes: Vec<usize> = (0..populations).map(|_| rng.random_range(1..=12)).collect();
        let wiring = random_wiring(&mut rng, populations);
        let input = if case % 2 == 0 { Input::Constant } else { Input::Train { max: 3 } };
        let phases = [4, 1, 7, 2][case as usize % 4];
        let quant = network(&mut rng, &sizes, &wiring, Style::number(case), phases, input);
        let net = lay_out(&mut rng, quant);
        let images = random_codes(&mut rng, &net.quant, 4);
        let folder = tempfile::tempdir().unwrap();
        let mut files = rtl::generate(&net).unwrap();
        files.extend(rtl::bench(&net, &vectors(&net, &images)).unwrap());
        for file in &files {
            let path = folder.path().join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.text).unwrap();
        }
        let verilog: Vec<&str> = files.iter().map(|f| f.path.as_str()).filter(|p| p.starts_with("rtl/")).collect();
        let lint = ["--lint-only", "-Wall", "--top-module", &net.top];
        let (clean, text) = run(verilator.command(), &[&lint, &verilog[..]].concat(), folder.path());
        assert!(clean && !text.contains("%Warning"), "case {case}: {text}");
        let options = ["-g2005", "-Wall", "-o", "tb/tb.vvp", "tb/tb.v"];
        let (compiled, text) = run(iverilog.command(), &[&options, &verilog[..]].concat(), folder.path());
        assert!(compiled, "case {case}: {text}");
        for stall in ["+stall=0", "+stall=1"] {
            let (passed, text) = run(vvp.command(), &["-N", "tb/tb.vvp", stall], folder.path());
            let said = text.contains("PASS:") && text.contains(" 0 mismatches");
            assert!(passed && said, "case {case} {stall}: {text}\n{}", net.dump());
        }
    }
}

/// A population on itself and on the one before it, and the source's step before.
fn recurrent() -> QuantGraph {
    let wiring = [(0, 1, 0, 7), (1, 2, 0, 7), (2, 3, 0, 7), (1, 1, 1, 7), (2, 1, 1, 7), (0, 2, 1, 7)];
    network(&mut ChaCha8Rng::seed_from_u64(3), &[5, 6, 7, 2], &wiring, Style::default(), 3, Input::Constant)
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
        population.neuron = synfire::ir::quant::Neuron::If { theta: vec![9; n], v_init: vec![0; n], bias: vec![0; n] };
    }
    for i in 1..4 {
        let proved = two_phase.prove_range(synfire::ir::PopId(i));
        two_phase.populations[i].range = proved;
    }
    let text = mapped(two_phase).unwrap_err().to_string();
    assert!(text.contains("two-phase coding") && text.contains("use rate coding"), "{text}");
}
