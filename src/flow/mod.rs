//! External programs: finding them, and running synthesis and place and route with them.
//!
//! * [`tools::find`] says which Verilator, Yosys, … is used, and why.
//! * [`doctor`] gathers that for every tool.
//! * [`synth`](synth::synth) turns a design directory into area, clock rate and bitstream.

mod doctor;
mod process;
mod sources;
pub mod synth;
pub mod tools;

pub use doctor::{ToolStatus, doctor};
pub use sources::rtl_files;
pub use synth::{Options, Resource, SynthReport, synth};
pub use tools::{Found, Origin, Tool};
