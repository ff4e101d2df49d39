//! Yosys and nextpnr on a small hand-made design with the ports of a generated one.

use std::path::{Path, PathBuf};
use std::process::Command;
use synfire::error::Kind;
use synfire::flow::{self, Options, SynthReport, Tool};
use synfire::ir::mapped::Target;

const TOP: &str = include_str!("../flow/small_top.v");
const ROM: &str = include_str!("../flow/small_rom.v");

/// A design directory with the small design; `edit` changes the top's text.
fn design(edit: impl Fn(String) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["rtl", "mem", "constraints"] {
        std::fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let words: String = (0..1024u32).map(|i| format!("{:08x}\n", i.wrapping_mul(2_654_435_761))).collect();
    std::fs::write(dir.path().join("rtl/small_top.v"), edit(TOP.to_string())).unwrap();
    std::fs::write(dir.path().join("rtl/small_rom.v"), ROM).unwrap();
    std::fs::write(dir.path().join("mem/rom.hex"), words).unwrap();
    dir
}

/// Copies a board's constraints into the design directory, as the emitter does.
fn constrain(dir: &Path, file: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("constraints").join(file);
    std::fs::copy(from, dir.join("constraints").join(file)).unwrap();
}

/// True if the tools are there; says so if not. In CI they must be.
fn have(tools: &[Tool]) -> bool {
    for &tool in tools {
        if let Err(error) = flow::tools::find(tool) {
            assert!(std::env::var("CI").is_err(), "{error}");
            println!("ignored: {error}");
            return false;
        }
    }
    true
}

fn synth(dir: &Path, target: Target, pnr: bool) -> synfire::Result<SynthReport> {
    flow::synth(dir, "small_top", target, &Options { pnr, ..Options::default() })
}

fn bytes(dir: &Path, file: &Option<PathBuf>) -> Vec<u8> {
    std::fs::read(dir.join(file.as_ref().unwrap())).unwrap()
}

#[test]
fn ecp5_to_a_bitstream() {
    if !have(&[Tool::Yosys, Tool::NextpnrEcp5, Tool::Ecppack]) {
        return;
    }
    let dir = design(|top| top);
    constrain(dir.path(), "ulx3s.lpf");
    let report = synth(dir.path(), Target::Ecp5_25k, true).unwrap();
    // The memory is 32 kbit: two DP16KD; the product is one multiplier.
    assert_eq!((report.bram, report.dsp), (2, 1));
    assert!((90..=400).contains(&report.lut) && (36..=80).contains(&report.ff), "{report:?}");
    assert!(report.fmax_mhz.is_some_and(|f| (40.0..300.0).contains(&f)), "{:?}", report.fmax_mhz);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    let bram = report.resources.iter().find(|r| r.name == "DP16KD").unwrap();
    assert_eq!((bram.used, bram.available), (2, Some(56)));
    assert_eq!(report.tool_versions.keys().collect::<Vec<_>>(), ["ecppack", "nextpnr-ecp5", "yosys"]);
    assert!(report.logs.iter().all(|log| dir.path().join(log).is_file()));
    let log = std::fs::read_to_string(dir.path().join("synth/ecp5-25k/nextpnr.log")).unwrap();
    let free = |port: &str| log.contains(&format!("IO '{port}' is unconstrained"));
    assert!(free("in_valid_i") && !free("clk_i") && !free("rst_ni"), "the board's constraints are not used");

    let first = bytes(dir.path(), &report.bitstream);
    let again = synth(dir.path(), Target::Ecp5_25k, true).unwrap();
    assert!(first == bytes(dir.path(), &again.bitstream), "the second bitstream differs");
    assert_eq!((report.fmax_mhz, report.lut, report.ff), (again.fmax_mhz, again.lut, again.ff));

    let json = serde_json::to_value(&again).unwrap();
    for key in ["target", "lut", "ff", "bram", "dsp", "fmax_mhz", "tool_versions"] {
        assert!(!json[key].is_null(), "{key}: {json}");
    }
    assert_eq!(json["target"], "ecp5-25k");
}

#[test]
fn hx8k_to_a_bitstream() {
    if !have(&[Tool::Yosys, Tool::NextpnrIce40, Tool::Icepack]) {
        return;
    }
    let dir = design(|top| top);
    constrain(dir.path(), "ice40-hx8k-b-evn.pcf");
    let report = synth(dir.path(), Target::Ice40Hx8k, true).unwrap();
    assert_eq!((report.bram, report.dsp), (8, 0));
    assert!(report.fmax_mhz.is_some() && report.warnings.is_empty(), "{report:?}");
    assert!(bytes(dir.path(), &report.bitstream).len() > 100_000);
}

#[test]
fn up5k_has_too_few_pins_and_is_wrapped() {
    if !have(&[Tool::Yosys, Tool::NextpnrIce40, Tool::Icepack]) {
        return;
    }
    let dir = design(|top| top);
    constrain(dir.path(), "icebreaker.pcf");
    let report = synth(dir.path(), Target::Ice40Up5k, true).unwrap();
    assert_eq!((report.bram, report.dsp), (8, 1));
    assert!(report.fmax_mhz.is_some());
    assert!(report.warnings.iter().any(|w| w.contains("54 port bits") && w.contains("39 pins")), "{report:?}");
    let pins = report.resources.iter().find(|r| r.name == "SB_IO").unwrap();
    assert_eq!(pins.used, 4);
    let ram = report.resources.iter().find(|r| r.name == "ICESTORM_RAM").unwrap();
    assert_eq!(ram.used, 8, "the wrapper must not change the design");
}

#[test]
fn synthesis_alone_for_xc7_and_generic() {
    if !have(&[Tool::Yosys]) {
        return;
    }
    let dir = design(|top| top);
    let xc7 = synth(dir.path(), Target::Xc7, false).unwrap();
    assert_eq!((xc7.bram, xc7.dsp, xc7.fmax_mhz), (2, 1, None), "one RAMB36E1 is two halves");
    assert!(xc7.lut > 40 && xc7.ff > 20);
    let generic = synth(dir.path(), Target::Generic, false).unwrap();
    assert_eq!((generic.bram, generic.dsp), (1, 0), "{:?}", generic.cells);
    assert!(generic.lut > 80 && generic.ff > 30 && generic.ff < 150, "{:?}", generic.cells);
    assert!(generic.cells.keys().all(|c| c.starts_with("$_") || c == "$lut" || c == "$mem_v2"), "{:?}", generic.cells);
    assert!(serde_json::to_value(&generic).unwrap()["fmax_mhz"].is_null());

    let error = synth(dir.path(), Target::Xc7, true).unwrap_err();
    assert_eq!(error.kind, Kind::Input);
    assert!(error.to_string().contains("no open place and route"));
}

#[test]
fn a_design_that_does_not_fit_says_by_how_much_and_what_would_do() {
    if !have(&[Tool::Yosys]) {
        return;
    }
    // 256 words more address space: 16 times the memory, 128 block RAMs of 4 kbit.
    let dir = design(|top| top.replace("AddressBits(10)", "AddressBits(14)"));
    let error = synth(dir.path(), Target::Ice40Hx8k, true).unwrap_err();
    assert_eq!(error.kind, Kind::DoesNotFit);
    let text = error.to_string();
    assert!(text.contains("needs 128 block RAMs, ice40-hx8k has 32: 96 too many"), "{text}");
    assert!(text.contains("--target ecp5-25k would hold it"), "{text}");
}

#[test]
fn broken_verilog_shows_the_end_of_the_log() {
    if !have(&[Tool::Yosys]) {
        return;
    }
    let dir = design(|top| top.replace("endmodule", "endmodul"));
    let error = synth(dir.path(), Target::Generic, false).unwrap_err();
    assert_eq!(error.kind, Kind::ToolFailed);
    let text = error.to_string();
    assert!(text.contains("rtl/small_top.v") && text.contains("yosys.log"), "{text}");
}

#[test]
fn mistakes_in_the_verilog_are_warned_about() {
    if !have(&[Tool::Yosys]) {
        return;
    }
    let faults = "reg latch_q; always @* if (in_valid_i) latch_q = in_last_i;\n\
                  reg [7:0] file_q [0:255]; reg [7:0] byte_q; always @(posedge clk_i) file_q[in_id_i[7:0]] <= in_value_i;\n\
                  always @* byte_q = file_q[in_value_i];\n\
                  assign out_last_o = latch_q ^ byte_q[0];\n";
    let dir = design(|top| top.replace("endmodule", &format!("{faults}endmodule")));
    let report = synth(dir.path(), Target::Xc7, false).unwrap();
    let text = report.warnings.join("\n");
    assert!(text.contains("latch instead of a flip-flop") && text.contains("latch_q"), "{text}");
    assert!(text.contains("more than one driver") && text.contains("rtl/small_top.v"), "{text}");
}

#[test]
fn a_request_that_cannot_work_is_refused_before_any_tool_runs() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { freq_mhz: Some(-1.0), ..Options::default() };
    let error = flow::synth(dir.path(), "x; shell rm", Target::Ecp5_25k, &options).unwrap_err();
    assert_eq!((error.kind, error.problems.len()), (Kind::Input, 3), "{error}");
    assert!(!dir.path().join("synth").exists());
}

/// Icarus must be able to simulate, not only to tell its version: the project-local one needs to find its parts.
#[test]
fn icarus_simulates() {
    if !have(&[Tool::Iverilog, Tool::Vvp]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let bench = "module tb; initial begin $display(\"sum %0d\", 20 + 22); $finish; end endmodule\n";
    std::fs::write(dir.path().join("tb.v"), bench).unwrap();
    let run = |tool, args: &[&str]| {
        let mut command: Command = flow::tools::find(tool).unwrap().command();
        let output = command.args(args).current_dir(dir.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(Tool::Iverilog, &["-g2005", "-o", "tb.vvp", "tb.v"]);
    assert!(run(Tool::Vvp, &["tb.vvp"]).contains("sum 42"));
}

#[test]
fn the_doctor_sees_every_tool() {
    let states = flow::doctor();
    assert_eq!(states.len(), Tool::ALL.len());
    for state in &states {
        assert_eq!(state.usable, state.version.is_some() && state.problem.is_none(), "{state:?}");
        assert_eq!(state.usable, state.program.as_ref().is_some_and(|p| p.is_file()), "{state:?}");
    }
    if std::env::var("CI").is_ok() {
        let missing: Vec<_> = states.iter().filter(|s| !s.usable).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
