//! Every neuron fires in every step, on itself and on an earlier population, while the output hardly ever takes anything: the queues are
//! as full as they can be, and nothing gets stuck.

use crate::cosim::{check, toolchain};
use crate::generator::{Layout, Run, Style, dense};

const STEPS: u32 = 4;
const IMAGES: usize = 3;

#[test]
fn bursts_on_every_loop_do_not_deadlock() {
    if toolchain().is_none() {
        return;
    }
    let wiring = [(0, 1, 0), (1, 2, 0), (2, 3, 0), (1, 1, 1), (2, 1, 1), (2, 2, 1), (1, 3, 1), (0, 2, 1)];
    for (case, sizes) in [[4, 40, 33, 60], [20, 1, 40, 17]].into_iter().enumerate() {
        let style = Style { bursts: true, align: 2, ..Style::default() };
        let mut recipe = dense(&sizes, &wiring, style, STEPS);
        for (i, layer) in recipe.layers.iter_mut().enumerate() {
            let lanes = [1, 8][(i + case) % 2];
            layer.layout = Layout { lanes, matrix: i == 1, rows: 2, ..Layout::LEAST };
        }
        let run = |(i, output): (usize, &str)| Run {
            weights: i as u64,
            images: IMAGES,
            density: 100,
            output: output.into(),
            ..recipe.runs[0].clone()
        };
        recipe.runs = ["always", "random:40", "bursts", "long-stalls"].into_iter().enumerate().map(run).collect();
        let folder = tempfile::tempdir().unwrap();
        let tally = check(&recipe, folder.path()).unwrap_or_else(|failure| panic!("{failure}"));
        let neurons = sizes[1] + sizes[2];
        assert_eq!(tally.spikes as usize, recipe.runs.len() * IMAGES * STEPS as usize * neurons);
    }
}
