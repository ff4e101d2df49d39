//! The design directory: what `compile` writes and everything else reads.
//!
//! ```text
//! design.json   settings, network without weights, units, streams, decisions, sizes and hashes of the other files
//! model/        the source network and the integer weights: what the golden model reads
//! rtl/ mem/     Verilog and memory images: what simulators and synthesis read
//! tb/           self-checking bench        constraints/  pins of boards        README.md
//! ```
//! A directory is written aside and renamed, so it is either complete or not there.

mod load;
mod plausible;
mod readme;
mod write;

use crate::error::{Problem, Result};
use crate::frontends::nir;
use crate::ir::mapped::MappedNet;
use crate::rtl::Vectors;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the directory's layout.
const FORMAT: u32 = 2;

/// A compiled network.
#[derive(Clone, Debug)]
pub struct Design {
    /// The network as hardware.
    pub net: MappedNet,
    /// The settings that made it.
    pub settings: Settings,
    /// Where it comes from.
    pub origin: Origin,
    /// The model file, byte for byte.
    pub source: Vec<u8>,
    /// What the emitted bench sends and expects (not read back by [`Design::load`]).
    pub vectors: Vectors,
}

/// Where a design comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// File name of the model, without its folder.
    pub model: String,
    /// File name of the calibration images, without their folder; empty for none, which a NIR network needs not.
    pub calibration: String,
    /// Number of calibration images used.
    pub calibration_images: usize,
    /// Per population, the mean number of events per image and of the set bits in their payloads, in thousandths: on the calibration
    /// images, or where there are none on random input.
    pub traffic: Vec<(u64, u64)>,
    /// Per population, how often on the same input a neuron held more spikes than it may send in a step; empty for never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<u64>,
    /// Per population, how often on the same input a leaky membrane was clamped; empty for never.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clamped: Vec<u64>,
    /// Why samples had no say in how many spikes neurons may send in a step, where they should have had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmeasured: Option<String>,
}

/// The content of `design.json`.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    synfire: String,
    origin: Origin,
    settings: Settings,
    net: MappedNet,
    files: BTreeMap<String, FileRecord>,
}

/// A file of the design directory as it was written.
#[derive(Serialize, Deserialize)]
struct FileRecord {
    bytes: u64,
    sha256: String,
}

impl Design {
    /// Verifies that [`Design::write`] may write `dir`, so that a long compilation does not fail at its end.
    ///
    /// # Errors
    /// `dir` exists, or is no place for a directory.
    pub fn check_out(dir: &Path, replace: bool) -> Result<()> {
        write::check_out(dir, replace)
    }

    /// Writes the directory. It must not exist, unless `replace` is set and it holds a design.
    pub fn write(&self, dir: &Path, replace: bool) -> Result<()> {
        write::write(self, dir, replace)
    }

    /// Reads a directory back. Only `design.json` and `model/` are read.
    pub fn load(dir: &Path) -> Result<Design> {
        load::load(dir)
    }

    /// Path of the model file inside the directory.
    pub fn source_path(&self) -> &'static str {
        if self.is_nir() { SOURCES[1] } else { SOURCES[0] }
    }

    /// True if the model file is NIR; otherwise it is ONNX.
    pub fn is_nir(&self) -> bool {
        nir::recognises(&self.source)
    }

    /// The files that differ from what was written: a design that was edited by hand.
    pub fn changed_files(dir: &Path) -> Result<Vec<Problem>> {
        load::changed_files(dir)
    }
}

/// Where the model file may be.
const SOURCES: [&str; 2] = ["model/source.onnx", "model/source.nir"];

/// Path of projection `index`'s weights inside the directory.
fn weight_path(index: usize) -> String {
    format!("model/projection_{index}.npy")
}
