//! NIR files: read, written, executed, exported, refused.

#[path = "../nir_support/mod.rs"]
mod nir_support;

mod cli;
mod hostile;
mod roundtrip;
mod semantics;
mod simulators;
