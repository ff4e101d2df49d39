//! `QuantGraph` → `MappedNet`: which cores there are, how fast each one is, how they are joined, and what they are called.
//!
//! | file | does |
//! |---|---|
//! | `request` | what the caller asks for, and which part of it applies to which core |
//! | `refuse` | what cannot be asked for |
//! | `names` | any text → short, unique, legal identifiers |
//! | `lower` | populations and projections → cores, forks, merges and streams with their widths |
//! | `cost` | cycles per image and area of a core, exactly where the contract is exact |
//! | `banks` | how many banks a window core may have |
//! | `options` | every mode that a core may be given |
//! | `auto` | mode, lanes, rows, banks and payload of every core within the device |
//! | `weights` | which layers have their weights outside |
//! | `fit` | what to say, and to advise, when a network is too large |
//! | `decide` | one sentence a core for the report |

mod auto;
mod banks;
pub mod cost;
mod decide;
mod fit;
mod lower;
pub mod names;
mod options;
mod refuse;
mod request;
mod weights;

pub use banks::BanksChoice;
pub use request::{LayerChoice, MapRequest, ModeChoice};
pub use weights::WeightsChoice;

use crate::error::{Error, Kind, Result};
use crate::ir::mapped::{Core, MappedNet, UnitKind};
use crate::ir::quant::QuantGraph;

/// Lays `quant` out on the cores of `request.target`.
///
/// # Errors
/// [`Kind::Input`] if the request names unknown layers, asks for impossible lanes or rows, or the network holds a delayed
/// projection; [`Kind::DoesNotFit`] if it is larger than the device; [`Kind::Internal`] if `quant` breaks its guarantees.
pub fn map(quant: QuantGraph, request: &MapRequest) -> Result<MappedNet> {
    Error::check(Kind::Internal, quant.check())?;
    let traffic = request.traffic(&quant)?;
    let mut net = lower::lower(quant, request.target)?;
    let choices = request::resolve(&net, request)?;

    let problem = auto::Problem::new(&net, &traffic, &choices, request);
    let (problem, plan) = weights::solve(problem);
    let Some(plan) = plan else { return Err(fit::does_not_fit(&problem)) };
    net.decisions = decide::sentences(&net, &problem, &plan);
    for ((core, mode), layer) in cores_mut(&mut net).zip(&plan.modes).zip(&problem.layers) {
        core.mode = *mode;
        core.weights = layer.core.weights;
        core.slice_bits = cost::slice_bits(core, request.target);
    }
    net.place_weights();
    Error::check(Kind::Internal, net.check())?;
    Ok(net)
}

/// The cores of `net`, in the order of [`MappedNet::cores`].
fn cores_mut(net: &mut MappedNet) -> impl Iterator<Item = &mut Core> {
    net.units.iter_mut().filter_map(|unit| match &mut unit.kind {
        UnitKind::Core(core) => Some(core),
        UnitKind::Fork | UnitKind::Merge { .. } | UnitKind::Queue { .. } => None,
    })
}
