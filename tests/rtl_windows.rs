//! Window cores under Icarus: the emitted bench of random networks passes with what the functional model says, and the Verilog is
//! clean under Verilator's lint.

mod rtl_support;
mod window_support;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rtl_support::Tools;
use synfire::ir::quant::Coding;
use window_support::{Recipe, images, lay_out, network};

const CODINGS: [Coding; 3] = [Coding::Graded, Coding::Unit, Coding::Rate];

/// Networks of every kind; `matrix` is the share of cores that gather. The number of a failing case is its seed.
fn random_networks(cases: std::ops::Range<u64>, matrix: f64) {
    let Some(tools) = Tools::find() else { return };
    let only: Option<u64> = std::env::var("CASE").ok().and_then(|case| case.parse().ok());
    cases.into_par_iter().filter(|case| only.is_none_or(|only| only == *case)).for_each(|case| {
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let timesteps = [1, 2, 3, 4, 7, 8][(case / 3) as usize % 6];
        let recipe = Recipe { coding: CODINGS[case as usize % 3], timesteps, signed: case % 4 == 3 };
        let quant = network(&mut rng, recipe);
        let net = lay_out(&mut rng, quant, matrix);
        let images = images(&mut rng, &net.quant, 3);
        tools.check(&net, &images, &format!("case {case}, {recipe:?}"));
    });
}

#[test]
fn event_cores() {
    random_networks(0..60, 0.0);
}

#[test]
fn matrix_cores() {
    random_networks(100..160, 1.0);
}

#[test]
fn both_kinds_in_one_network() {
    random_networks(200..230, 0.5);
}
