//! The program as a user meets it: commands, settings, messages, files.

#[path = "../cli_support/mod.rs"]
mod cli_support;
#[path = "../data_support/mod.rs"]
mod data_support;
#[path = "../tools_support/mod.rs"]
mod tools_support;

mod bad_input;
mod design;
mod determinism;
mod metrics_cli;
mod names;
mod output;
mod settings;
mod snapshots;
mod spiking;
mod tools;
