//! Conversion and quantisation, on trained networks and their data; what is counted on the way.

#[path = "../data_support/mod.rs"]
mod data_support;
#[path = "../metrics_support/mod.rs"]
mod metrics_support;

mod convert_accuracy;
mod convert_float;
mod data_formats;
mod data_hostile;
mod metrics_neurobench;
mod networks;
