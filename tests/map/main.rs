//! The mapper: layouts, costs, and the cycle model of what it lays out.

#[path = "../cosim_support/mod.rs"]
mod cosim_support;
#[path = "../cycle_support/mod.rs"]
mod cycle_support;
#[path = "../map_common/mod.rs"]
mod map_common;

mod check;
mod cost;
mod cycle_properties;
mod cycle_tables;
mod layout;
mod mnist_cycles;
mod windows;
