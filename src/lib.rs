//! Synfire compiles a trained neural network into a verified spiking FPGA design.
//!
//! `ARCHITECTURE.md` describes the stages and who may import whom.
#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod cli;
pub mod convert;
pub mod cosim;
pub mod data;
pub mod design;
pub mod error;
pub mod fixed;
pub mod float;
pub mod flow;
pub mod frontends;
pub mod golden;
mod interrupts;
pub mod ir;
pub mod loihi;
pub mod map;
pub mod metrics;
pub mod pipeline;
pub mod quantise;
pub mod report;
pub mod rtl;
pub mod settings;

pub use design::Design;
pub use error::{Error, Problem, Result};
pub use ir::mapped::Target;
pub use pipeline::{Model, compile, compile_with};
pub use settings::Settings;
