//! The block RAM model against Yosys itself. Reported as ignored where Yosys is not installed.

use crate::map_common;

use map_common::chain;
use std::fmt::Write as _;
use std::path::Path;
use synfire::flow::tools::{self, Found, Tool};
use synfire::ir::mapped::{Core, Mode, Target};
use synfire::map::cost::{MemoryKind, memory, slices};
use synfire::map::{MapRequest, ModeChoice, map};

/// Yosys as the program finds it. Its compiled form is kept where `scripts/setup` made it: two first calls side by side, elsewhere,
/// spoilt each other's.
fn yosys() -> Option<Found> {
    match tools::find(Tool::Yosys) {
        Ok(found) => Some(found),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            println!("ignored: {error}");
            None
        }
    }
}

struct Case {
    kind: MemoryKind,
    words: usize,
    bits: usize,
}

/// A module that infers the memory. Its image is noise, since Yosys sees through regular contents.
fn verilog(case: &Case, k: usize, dir: &Path) -> String {
    let Case { kind, words, bits } = *case;
    let address = usize::BITS - (words - 1).leading_zeros();
    let (ports, body) = match kind {
        MemoryKind::Ram => ("input we, input [31:0] wa, input [511:0] d, ", "    if (we) m[wa] <= d;\n".to_string()),
        MemoryKind::Rom => ("", String::new()),
    };
    let image = if kind == MemoryKind::Rom {
        let mut state = 0x9e37_79b9_7f4a_7c15u64 + k as u64;
        let mut text = String::new();
        for _ in 0..words {
            for _ in 0..bits.div_ceil(4) {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let _ = write!(text, "{:x}", state >> 60);
            }
            text.push('\n');
        }
        std::fs::write(dir.join(format!("m{k}.hex")), text).unwrap();
        format!("  initial $readmemh(\"m{k}.hex\", m);\n")
    } else {
        String::new()
    };
    format!(
        "module m{k} (input clk, input en, {ports}input [{a}:0] a, output reg [{b}:0] q);\n  reg [{b}:0] m [0:{w}];\n\
         {image}  always @(posedge clk) begin\n{body}    if (en) q <= m[a];\n  end\nendmodule\n",
        a = address - 1,
        b = bits - 1,
        w = words - 1
    )
}

/// How a family's memories are mapped, without the rest of its synthesis, which takes minutes for such memories.
struct Flow {
    target: Target,
    synth: &'static str,
    libraries: &'static str,
    /// What the mapping pass calls the family's block RAM.
    cells: &'static [&'static str],
}

const ECP5: Flow = Flow {
    target: Target::Ecp5_25k,
    synth: "synth_ecp5",
    libraries: "-lib +/lattice/lutrams_trellis.txt -lib +/lattice/brams_16kd.txt",
    cells: &["$__DP16KD_", "$__PDPW16KD_"],
};

const ICE40: Flow = Flow {
    target: Target::Ice40Hx8k,
    synth: "synth_ice40",
    libraries: "-lib +/ice40/brams.txt",
    cells: &["$__ICE40_RAM4K_"],
};

/// Block RAMs that Yosys makes of each case.
fn count(yosys: &Found, flow: &Flow, cases: &[Case]) -> Vec<u64> {
    let dir = tempfile::tempdir().unwrap();
    let Flow { synth, libraries, .. } = flow;
    let mut script = String::new();
    for (k, case) in cases.iter().enumerate() {
        std::fs::write(dir.path().join(format!("m{k}.v")), verilog(case, k, dir.path())).unwrap();
        let _ = writeln!(
            script,
            "read_verilog m{k}.v\n{synth} -top m{k} -run begin:map_ram\nmemory_libmap {libraries}\n\
             tee -o m{k}.stat stat\ndesign -reset"
        );
    }
    std::fs::write(dir.path().join("run.ys"), script).unwrap();
    let output = yosys.command().current_dir(dir.path()).args(["-q", "run.ys"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let blocks = |k: usize| -> u64 {
        let stat = std::fs::read_to_string(dir.path().join(format!("m{k}.stat"))).unwrap();
        let lines = stat.lines().filter(|line| flow.cells.iter().any(|cell| line.trim_end().ends_with(cell)));
        lines.filter_map(|line| line.split_whitespace().find_map(|word| word.parse::<u64>().ok())).sum()
    };
    (0..cases.len()).map(blocks).collect()
}

fn compare(flow: &Flow, cases: Vec<Case>) {
    let Some(yosys) = yosys() else { return };
    for (case, counted) in cases.iter().zip(count(&yosys, flow, &cases)) {
        let predicted = memory(flow.target, case.kind, case.words, case.bits).blocks;
        assert_eq!(predicted, counted, "{:?} {}×{} on {:?}", case.kind, case.words, case.bits, flow.target);
    }
}

fn rom(words: usize, bits: usize) -> Case {
    Case { kind: MemoryKind::Rom, words, bits }
}

fn ram(words: usize, bits: usize) -> Case {
    Case { kind: MemoryKind::Ram, words, bits }
}

/// The slices of the MNIST network's weights at 16 lanes, and memories around the limits of the block RAM.
#[test]
fn ecp5_block_rams_are_those_that_yosys_counts() {
    let request = MapRequest { lanes: Some(16), mode: ModeChoice::Event, ..MapRequest::new(Target::Ecp5_25k) };
    let net = map(chain("mnist", &[784, 128, 10]), &request).unwrap();
    let Some(core) = net.cores().map(|(_, _, core)| core).next() else { panic!("no core") };
    let cut = slices(core, net.target);
    assert_eq!(cut.iter().map(|s| s.blocks).sum::<u64>(), 50);
    let mut cases: Vec<Case> = [cut[0], cut[cut.len() - 1]].iter().map(|s| rom(core.weight_words(), s.bits)).collect();
    cases.extend([
        rom(6272, 128),
        rom(100352, 8),
        rom(1280, 80),
        rom(300, 16),
        rom(113, 18),
        rom(1100, 11),
        rom(64, 72),
    ]);
    cases.extend([ram(8, 320), ram(128, 20), ram(784, 8), ram(64, 40)]);
    compare(&ECP5, cases);
}

/// The digits network's memories.
#[test]
fn ice40_block_rams_are_those_that_yosys_counts() {
    let net = map(chain("digits", &[64, 32, 10]), &MapRequest::new(Target::Ice40Hx8k)).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let mut modes: Vec<Core> = net.cores().map(|(_, _, core)| core.clone()).collect();
    modes.extend(modes.clone().into_iter().map(|core| Core { mode: Mode::Matrix { rows: 4, lanes: 2 }, ..core }));
    for core in &modes {
        cases.extend(slices(core, net.target).iter().map(|s| rom(core.weight_words(), s.bits)));
        cases.push(ram(core.groups(), core.mode.lanes() * core.membrane_bits as usize));
    }
    cases.extend([rom(132, 8), rom(129, 9), rom(520, 36), ram(8, 20), ram(4, 16)]);
    cases.retain(|case| case.words > 1);
    compare(&ICE40, cases);
}
