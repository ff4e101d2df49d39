//! NIR graph → `SnnGraph`: neurons become populations, everything between them becomes synapses. And back: [`export`] writes a
//! `QuantGraph` as a NIR graph.
//!
//! The front end has flattened nested graphs, applied the dialect and the time step, and found the edges that wait for the next
//! step ([`Executor::parts`]). From there:
//!
//! | file | does |
//! |---|---|
//! | `trace.rs` | walks from a population to its senders, through layers, pools, scales and delays, and gathers synapses and biases |
//! | `wire.rs` | the algebra of that walk: what lies between a node and the population that reads it |
//! | `neurons.rs` | NIR's neurons as [`LeakyModel`](crate::ir::snn::LeakyModel) or [`MultiSpikeModel`](crate::ir::snn::MultiSpikeModel) |
//! | `assemble.rs` | shapes, synapses in `f32`, populations in topological order |
//! | `export/` | the way back |
//!
//! A pool in front of a layer becomes a population of its own that relays sums within the same time step (average pooling: with
//! `1/k²` in the weights behind it); a pool in front of neurons is their synapses. A circle becomes a projection with
//! `delay = 1`, as does a `Delay` of one step. The answer of a network that ends in neurons that fire, or in a layer, is the sum of what its
//! Output gets over all steps (of spikes, their number), so a readout that adds it up is appended. Where the Output is the membrane of an
//! `I`, `LI` or `CubaLI`, that population is the readout, and its membranes at the end of the last step are the answer. Nodes from which no path leads to the Output have no part in the answer and
//! are left out.
//!
//! Hardware neurons that decay send at most one spike a step, wait at most one step, and send no membrane to other neurons; what needs more is
//! refused, every such node by name.

mod assemble;
pub mod export;
mod neurons;
mod trace;
mod wire;

use crate::error::{Error, Kind, Result};
use crate::frontends::nir::{self, Dialect, Executor, NirGraph, Settings, TimeStep};
use crate::ir::snn::SnnGraph;
use std::path::Path;

/// A NIR network as populations and projections.
#[derive(Clone, Debug)]
pub struct Import {
    /// The network. Its leaky populations count time in steps.
    pub snn: SnnGraph,
    /// The time step that was used, and where it comes from: NIR stores none.
    pub time_step: TimeStep,
}

/// Reads a NIR file for hardware. `dt` is the time step in seconds; without one, the file's metadata or its units decide.
///
/// # Errors
/// [`Kind::Input`] with everything that is wrong with the file, and every node that cannot become hardware.
pub fn import_nir(file: &Path, dt: Option<f64>, dialect: Dialect) -> Result<Import> {
    let graph = nir::read(file)?;
    let name = file.file_stem().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    import_graph(&graph, &name, Settings { dt, dialect }).map_err(|e| e.in_file(file))
}

/// As [`import_nir`], from a graph in memory that is to be called `name`.
///
/// # Errors
/// As [`import_nir`].
pub fn import_graph(graph: &NirGraph, name: &str, settings: Settings) -> Result<Import> {
    let executor = Executor::new(graph, settings)?;
    let snn = assemble::assemble(&executor, name)?;
    Error::check(Kind::Internal, snn.check())?;
    Ok(Import { snn, time_step: executor.time_step() })
}
