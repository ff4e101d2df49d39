//! Random networks over the whole vocabulary, and the witnesses that must agree on them: the functional model, the cycle model, the
//! generated Verilog in Verilator and in Icarus, and the Loihi 2 equations where these can express a population.
//!
//! | file | does |
//! |---|---|
//! | `generator/` | recipes of networks, and what they make |
//! | `features` | what a set of networks covers |
//! | `judge` | the checks, and how they fail |
//! | `cosim` | functional model, cycle model and Verilator in every cycle |
//! | `icarus` | the emitted bench in a four-state simulator |
//! | `cycle` | functional and cycle model, slots by the closed formulas |
//! | `loihi` | functional model and Loihi 2 equations, windows among them |
//! | `hunt`, `shrink` | looks for a failure, makes it small and writes it to a file |
//! | `mutants` | faults that must be found, and found again from the file |
//! | `bursts`, `queues`, `resnet` | networks made by hand |
//!
//! `SYNFIRE_RANDOM_NETWORKS=N SYNFIRE_SEED=S` check N structures (about 2 s each of one core, and as much again for a failure's every step of
//! shrinking) from seed S on. `SYNFIRE_CASE=FILE` repeats a failure.

mod bursts;
mod cosim;
mod cycle;
mod features;
mod generator;
mod hunt;
mod icarus;
mod judge;
mod loihi;
mod mutants;
mod queues;
mod resnet;
#[path = "../rtl_support/mod.rs"]
mod rtl_support;
mod shrink;

use features::{WANTED, features};
use generator::{draw, realise};
use hunt::{Case, hunt, seeds};
use judge::Check;
use std::collections::BTreeSet;

/// Structures of a run without wishes, and their first seed: the first one from which they cover everything.
const STRUCTURES: u64 = 48;
const SEED: u64 = 143;

#[test]
fn every_feature_and_every_legal_pair_of_neuron_and_mode_occurs() {
    let mut found = BTreeSet::new();
    let seeds = seeds(SEED, STRUCTURES);
    // A short hunt need not meet everything.
    let all = seeds.end - seeds.start >= STRUCTURES;
    for seed in seeds {
        let recipe = draw(seed);
        let nets = realise(&recipe).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        found.extend(features(&recipe, &nets[0]));
    }
    let missing: Vec<_> = WANTED.iter().filter(|wanted| !found.contains(**wanted)).collect();
    assert!(missing.is_empty() || !all, "no network has {missing:?}: choose another first seed");
}

#[test]
fn functional_model_cycle_model_and_verilator_agree() {
    let Some(tally) = hunt(Check::Cosim, seeds(SEED, STRUCTURES)) else { return };
    println!("{tally:?}");
    // Something happened.
    let mean = |sum: u64| sum / tally.structures.max(1);
    assert!(tally.structures < STRUCTURES || mean(tally.comparisons) >= 20_000, "{tally:?}");
    assert!(tally.structures < STRUCTURES || tally.loihi >= 10_000, "{tally:?}");
    assert!(tally.structures < STRUCTURES || mean(tally.spikes) >= 100, "{tally:?}");
    // Each on its own: what is clipped or held back often would hide that nothing is clamped any more.
    assert!(tally.structures < STRUCTURES || (tally.clamped > 0 && tally.held_back > 0), "{tally:?}");
}

#[test]
fn the_emitted_bench_passes_in_a_four_state_simulator() {
    hunt(Check::Icarus, seeds(SEED, STRUCTURES / 2));
}

#[test]
fn the_cycle_model_computes_the_integer_network_in_the_slots_that_the_formulas_say() {
    let tally = hunt(Check::Cycle, seeds(1000, 1000)).unwrap();
    println!("{tally:?}");
    assert!(tally.structures < 1000 || tally.loihi >= 100_000, "{tally:?}");
}

/// Fails as the case in `SYNFIRE_CASE` does; passes without one.
#[test]
fn reproduce() {
    let Some(file) = std::env::var_os("SYNFIRE_CASE") else { return };
    let case = Case::read(file.as_ref());
    match case.repeat(file.as_ref()) {
        Ok(_) => println!("the case passes now; it was {}", case.failure),
        Err(failure) => panic!("{failure}"),
    }
}
