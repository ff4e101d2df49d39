//! Leaky neurons: imported, quantised, and compared with the equations of Loihi 2.

#[path = "../import_support/mod.rs"]
mod import_support;
#[path = "../loihi_bench/mod.rs"]
mod loihi_bench;

mod import;
mod loihi_leaky;
mod loihi_network;
mod loihi_rtl;
mod loihi_traces;
mod loihi_windows;
mod networks;
mod quantise;
mod ranges;
mod readouts;
mod several;
mod trains;
