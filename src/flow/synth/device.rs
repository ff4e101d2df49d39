//! What is particular to each device: how Yosys and nextpnr are told about it, what it holds, how cells are counted.

use super::super::tools::Tool;
use crate::ir::mapped::Target;

/// Cells that use a resource, with the number of units that each uses. A `*` at the end stands for any rest.
type Cells = &'static [(&'static str, u64)];

/// The particulars of one target.
pub(super) struct Device {
    /// The target's name on the command line; also the folder of its results.
    pub name: &'static str,
    /// Yosys's synthesis command without `-top`.
    pub synth: &'static str,
    /// How the cells of its netlist add up.
    pub count: Count,
    /// What the device holds; `None` where the target is a whole family or none.
    pub holds: Option<Area>,
    /// Bits of one block RAM, to compare devices.
    pub bram_bits: u64,
    /// Place and route, where an open tool exists.
    pub pnr: Option<Pnr>,
}

/// The cells behind each figure of the report.
pub(super) struct Count {
    pub lut: Cells,
    pub ff: Cells,
    pub bram: Cells,
    pub dsp: Cells,
}

/// Amounts of the four resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub lut: u64,
    pub ff: u64,
    pub bram: u64,
    pub dsp: u64,
}

/// How nextpnr and the bitstream packer are called.
pub(super) struct Pnr {
    pub tool: Tool,
    pub packer: Tool,
    /// Device and package.
    pub args: &'static [&'static str],
    /// User pins of the package.
    pub pins: u64,
    /// The clock that the placer aims at unless told otherwise.
    pub freq_mhz: f64,
    /// Option for constraints, and the ending of their files.
    pub constraints: (&'static str, &'static str),
    /// Option that allows pins without constraint.
    pub unconstrained: &'static str,
    /// Option for the output, and its ending.
    pub output: (&'static str, &'static str),
    /// Ending of the bitstream.
    pub bitstream: &'static str,
    /// nextpnr's names for LUTs and flip-flops, where it counts them after packing.
    pub lut: &'static str,
    pub ff: Option<&'static str>,
}

const ECP5_COUNT: Count = Count {
    lut: &[("LUT4", 1), ("CCU2C", 2), ("TRELLIS_DPR16X4", 6)],
    ff: &[("TRELLIS_FF", 1)],
    bram: &[("DP16KD", 1), ("PDPW16KD", 1)],
    dsp: &[("MULT18X18D", 1), ("MULT9X9D", 1)],
};

const ICE40_COUNT: Count =
    Count { lut: &[("SB_LUT4", 1)], ff: &[("SB_DFF*", 1)], bram: &[("SB_RAM40_4K*", 1)], dsp: &[("SB_MAC16", 1)] };

/// Block RAMs are counted in halves of 18 kbit.
const XC7_COUNT: Count = Count {
    lut: &[
        ("LUT1", 1),
        ("LUT2", 1),
        ("LUT3", 1),
        ("LUT4", 1),
        ("LUT5", 1),
        ("LUT6", 1),
        ("SRL16E", 1),
        ("SRLC32E", 1),
        ("RAM32X1S", 1),
        ("RAM64X1S", 1),
        ("RAM32X1D", 2),
        ("RAM64X1D", 2),
        ("RAM128X1S", 2),
        ("RAM128X1D", 4),
        ("RAM256X1S", 4),
        ("RAM32M", 4),
        ("RAM64M", 4),
    ],
    ff: &[("FDRE", 1), ("FDSE", 1), ("FDCE", 1), ("FDPE", 1)],
    bram: &[("RAMB18E1", 1), ("RAMB36E1", 2)],
    dsp: &[("DSP48E1", 1)],
};

/// Memories stay whole: each counts as one block RAM.
const GENERIC_COUNT: Count = Count {
    lut: &[("$lut", 1)],
    ff: &[("$_DFF*", 1), ("$_SDFF*", 1), ("$_ALDFF*", 1)],
    bram: &[("$mem*", 1)],
    dsp: &[],
};

const fn ecp5(args: &'static [&'static str]) -> Pnr {
    Pnr {
        tool: Tool::NextpnrEcp5,
        packer: Tool::Ecppack,
        args,
        pins: 197,
        freq_mhz: 100.0,
        constraints: ("--lpf", "lpf"),
        unconstrained: "--lpf-allow-unconstrained",
        output: ("--textcfg", "config"),
        bitstream: "bit",
        lut: "TRELLIS_COMB",
        ff: Some("TRELLIS_FF"),
    }
}

const fn ice40(args: &'static [&'static str], pins: u64, freq_mhz: f64) -> Pnr {
    Pnr {
        tool: Tool::NextpnrIce40,
        packer: Tool::Icepack,
        args,
        pins,
        freq_mhz,
        constraints: ("--pcf", "pcf"),
        unconstrained: "--pcf-allow-unconstrained",
        output: ("--asc", "asc"),
        bitstream: "bin",
        lut: "ICESTORM_LC",
        ff: None,
    }
}

impl Device {
    /// The device behind a target.
    pub fn of(target: Target) -> Device {
        match target {
            Target::Ecp5_25k => Device {
                name: "ecp5-25k",
                synth: "synth_ecp5 -abc9 -nowidelut",
                count: ECP5_COUNT,
                holds: Some(Area { lut: 24_288, ff: 24_288, bram: 56, dsp: 28 }),
                bram_bits: 18_432,
                pnr: Some(ecp5(&["--25k", "--package", "CABGA381"])),
            },
            Target::Ecp5_85k => Device {
                name: "ecp5-85k",
                synth: "synth_ecp5 -abc9 -nowidelut",
                count: ECP5_COUNT,
                holds: Some(Area { lut: 83_640, ff: 83_640, bram: 208, dsp: 156 }),
                bram_bits: 18_432,
                pnr: Some(ecp5(&["--85k", "--package", "CABGA381"])),
            },
            Target::Ice40Hx8k => Device {
                name: "ice40-hx8k",
                synth: "synth_ice40 -device hx -abc9",
                count: ICE40_COUNT,
                holds: Some(Area { lut: 7_680, ff: 7_680, bram: 32, dsp: 0 }),
                bram_bits: 4_096,
                pnr: Some(ice40(&["--hx8k", "--package", "ct256"], 206, 80.0)),
            },
            Target::Ice40Up5k => Device {
                name: "ice40-up5k",
                synth: "synth_ice40 -device u -dsp -abc9",
                count: ICE40_COUNT,
                holds: Some(Area { lut: 5_280, ff: 5_280, bram: 30, dsp: 8 }),
                bram_bits: 4_096,
                pnr: Some(ice40(&["--up5k", "--package", "sg48"], 39, 30.0)),
            },
            Target::Xc7 => Device {
                name: "xc7",
                synth: "synth_xilinx -family xc7 -flatten",
                count: XC7_COUNT,
                holds: None,
                bram_bits: 18_432,
                pnr: None,
            },
            Target::Generic => Device {
                name: "generic",
                synth: "synth -flatten -run begin:fine",
                count: GENERIC_COUNT,
                holds: None,
                bram_bits: 0,
                pnr: None,
            },
        }
    }
}

/// The targets with a place and route, smallest first: what is offered to a design that does not fit.
pub(super) const BY_SIZE: [Target; 4] = [Target::Ice40Up5k, Target::Ice40Hx8k, Target::Ecp5_25k, Target::Ecp5_85k];

impl Count {
    /// Adds up a netlist's cells.
    pub fn area<'a>(&self, cells: impl Iterator<Item = (&'a str, u64)> + Clone) -> Area {
        let sum = |kinds: Cells| -> u64 {
            let units = |cell: &str| kinds.iter().find(|(pattern, _)| fits(pattern, cell)).map_or(0, |k| k.1);
            cells.clone().map(|(cell, number)| number * units(cell)).sum()
        };
        Area { lut: sum(self.lut), ff: sum(self.ff), bram: sum(self.bram), dsp: sum(self.dsp) }
    }
}

fn fits(pattern: &str, cell: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => cell.starts_with(head),
        None => cell == pattern,
    }
}

impl Area {
    /// The resources by name.
    pub fn named(self) -> [(&'static str, u64); 4] {
        [("LUTs", self.lut), ("flip-flops", self.ff), ("block RAMs", self.bram), ("DSP blocks", self.dsp)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_add_up_per_family() {
        let ecp5 = [("LUT4", 151), ("CCU2C", 12), ("TRELLIS_FF", 40), ("DP16KD", 2), ("MULT18X18D", 1), ("PFUMX", 9)];
        assert_eq!(ECP5_COUNT.area(ecp5.into_iter()), Area { lut: 175, ff: 40, bram: 2, dsp: 1 });
        let ice40 = [("SB_LUT4", 7), ("SB_DFFESR", 3), ("SB_DFF", 1), ("SB_RAM40_4KNR", 2), ("SB_CARRY", 5)];
        assert_eq!(ICE40_COUNT.area(ice40.into_iter()), Area { lut: 7, ff: 4, bram: 2, dsp: 0 });
        let xc7 = [("LUT1", 1), ("LUT6", 2), ("RAM64M", 1), ("FDRE", 9), ("RAMB36E1", 3), ("RAMB18E1", 1), ("INV", 4)];
        assert_eq!(XC7_COUNT.area(xc7.into_iter()), Area { lut: 7, ff: 9, bram: 7, dsp: 0 });
        let generic = [("$lut", 5), ("$_SDFFE_PN0P_", 2), ("$_DFF_P_", 1), ("$mem_v2", 3)];
        assert_eq!(GENERIC_COUNT.area(generic.into_iter()), Area { lut: 5, ff: 3, bram: 3, dsp: 0 });
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        use clap::ValueEnum;
        for target in Target::value_variants() {
            let name = target.to_possible_value().map(|v| v.get_name().to_string());
            assert_eq!(name.as_deref(), Some(Device::of(*target).name));
        }
    }
}
