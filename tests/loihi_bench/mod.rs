//! Builds the neuron's Verilog with Verilator and runs updates through it and through the equations.

pub mod build;
pub mod updates;

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use updates::{Outcome, Source, Update};

/// Records per block.
const BLOCK: usize = 1 << 15;

/// A running simulation.
pub struct Simulation {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Simulation {
    pub fn start(executable: &std::path::Path) -> Self {
        let mut child = Command::new(executable).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Simulation { child, input, output }
    }

    fn run(&mut self, updates: &[Update]) -> Vec<Outcome> {
        let mut bytes = (updates.len() as u32).to_le_bytes().to_vec();
        updates.iter().for_each(|u| u.write(&mut bytes));
        self.input.write_all(&bytes).unwrap();
        self.input.flush().unwrap();
        let mut answer = vec![0; 4 + updates.len() * Outcome::BYTES];
        self.output.read_exact(&mut answer).expect("the simulation has ended early: its message is above");
        assert_eq!(answer[..4], bytes[..4]);
        answer[4..].chunks_exact(Outcome::BYTES).map(Outcome::read).collect()
    }

    pub fn finish(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Runs `steps` neuron steps; returns the mismatches of each unit, and an example.
pub fn compare(simulation: &mut Simulation, source: &mut Source, steps: usize) -> (Vec<usize>, Option<String>) {
    let mut mismatches = vec![0; source.units().len()];
    let mut example = None;
    for start in (0..steps).step_by(BLOCK) {
        let (updates, expected) = source.block(BLOCK.min(steps - start));
        let got = simulation.run(&updates);
        for (i, ((update, expected), got)) in updates.iter().zip(&expected).zip(&got).enumerate() {
            if expected != got {
                mismatches[usize::from(update.unit)] += 1;
                let text = || format!("step {}: {update:?}\nexpected {expected:?}\n     got {got:?}", start + i);
                example.get_or_insert_with(text);
            }
        }
    }
    (mismatches, example)
}
