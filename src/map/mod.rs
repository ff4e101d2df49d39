//! `QuantGraph` → `MappedNet`: which core each population gets, how they are joined, how wide everything is.
//!
//! `choose` decides, `cost` predicts cycles and area, `lower` builds units and streams, `names` makes identifiers.

mod choose;
pub mod cost;
pub mod device;
mod lower;
mod names;
mod request;

pub use request::{LayerRequest, MapRequest, ModeChoice, Traffic};

use crate::error::{Error, Kind, Result};
use crate::ir::mapped::MappedNet;
use crate::ir::quant::QuantGraph;

/// Lays `quant` out on cores.
///
/// # Errors
/// [`Kind::Input`] if the request names a layer that does not exist or asks for a core that cannot be built,
/// [`Kind::DoesNotFit`] if the device is too small.
pub fn map(quant: QuantGraph, request: &MapRequest) -> Result<MappedNet> {
    Error::check(Kind::Input, request.problems(&quant))?;
    let plan = choose::choose(&quant, request)?;
    Ok(lower::lower(quant, request.target, plan.cores, plan.decisions))
}
