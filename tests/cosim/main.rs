//! The generated Verilog in simulators, against the models.

#[path = "../cosim_support/mod.rs"]
mod cosim_support;
#[path = "../cycle_support/mod.rs"]
mod cycle_support;
#[path = "../fault_support/mod.rs"]
mod fault_support;
#[path = "../rtl_support/mod.rs"]
mod rtl_support;

mod faults;
mod handmade;
mod mnist_cosim;
mod rtl_icarus;
