//! What a core costs: cycles per image, block RAMs, multipliers, LUTs and flip-flops.
//!
//! Cycles and block RAMs follow from the contract and are exact; LUTs and flip-flops are estimates.

mod area;
mod cycles;
mod device;
mod memory;

pub use area::{Area, core_area, fork_area, merge_area, net_area, queue_area};
pub use cycles::{InputEvent, Timing, Traffic, cycles, exact_cycles, exact_cycles_of, input, taken};
pub(super) use device::larger;
pub use device::{Device, device};
pub use memory::{MemoryCost, MemoryKind, Slice, memory, slice_bits, slices};
