//! Synthesis, place and route, and proofs.

#[path = "../data_support/mod.rs"]
mod data_support;
#[path = "../formal_support/mod.rs"]
mod formal_support;
#[path = "../map_common/mod.rs"]
mod map_common;

mod area;
mod flow_digits;
mod flow_synth;
mod formal;
mod map_yosys;
