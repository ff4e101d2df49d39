//! What the devices hold.

use crate::ir::mapped::Target;

/// The resources of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The part's name.
    pub name: &'static str,
    /// Look-up tables (with four inputs; six on Xilinx), each with a flip-flop.
    pub luts: u64,
    /// Flip-flops.
    pub ffs: u64,
    /// Block RAMs: 18 kbit, on iCE40 4 kbit. A Xilinx RAMB36 counts as two of 18 kbit.
    pub blocks: u64,
    /// Multipliers of 18×18 bits, on iCE40 16×16, on Xilinx 25×18.
    pub dsps: u64,
}

/// The device that designs for `target` are measured against; `None` has no limits.
pub fn device(target: Target) -> Option<Device> {
    let (name, luts, ffs, blocks, dsps) = match target {
        Target::Ecp5_25k => ("LFE5U-25F", 24_288, 24_288, 56, 28),
        Target::Ecp5_85k => ("LFE5U-85F", 83_640, 83_640, 208, 156),
        Target::Ice40Hx8k => ("iCE40-HX8K", 7_680, 7_680, 32, 0),
        // The four 256-kbit RAMs are not counted: they cannot be initialised.
        Target::Ice40Up5k => ("iCE40-UP5K", 5_280, 5_280, 30, 8),
        Target::Xc7 => ("XC7A35T", 20_800, 41_600, 100, 90),
        Target::Generic => return None,
    };
    Some(Device { name, luts, ffs, blocks, dsps })
}

/// The next larger device that the open tools place and route.
pub(in crate::map) fn larger(target: Target) -> Option<Target> {
    match target {
        Target::Ice40Up5k => Some(Target::Ice40Hx8k),
        Target::Ice40Hx8k => Some(Target::Ecp5_25k),
        Target::Ecp5_25k | Target::Xc7 => Some(Target::Ecp5_85k),
        Target::Ecp5_85k | Target::Generic => None,
    }
}
