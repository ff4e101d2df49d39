//! The bench's Verilog and its Verilator build.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The neuron as it is shipped.
pub fn neuron_source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sim/neuron/sf_neuron_lif.v")
}

/// How to call Verilator, or `None` (reported as ignored) where there is none; in CI its absence is a failure.
pub fn verilator() -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packaged = std::fs::read_dir(root.join(".tools/venv/lib"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages/verilator")))
        .find(|package| package.join("bin/verilator").exists());
    if let Some(program) = std::env::var_os("SYNFIRE_VERILATOR") {
        return Some(Command::new(program));
    }
    let Some(package) = packaged.and_then(|p| p.canonicalize().ok()) else {
        assert!(!std::env::var("CI").is_ok_and(|v| v == "true"), "CI needs Verilator");
        println!("ignored: no Verilator; set SYNFIRE_VERILATOR to one");
        return None;
    };
    let mut command = Command::new(package.join("bin/verilator"));
    command.env("VERILATOR_ROOT", package);
    Some(command)
}

/// One instance in the bench.
pub struct Unit {
    pub module: String,
    pub reset_mode: u32,
}

/// All units side by side on the same inputs; `unit_i` selects whose outputs are seen.
fn bench_verilog(units: &[Unit]) -> String {
    let inputs = [
        ("unit", 8),
        ("u", 24),
        ("v", 24),
        ("a", 18),
        ("du", 12),
        ("dv", 12),
        ("bias_mant", 13),
        ("bias_exp", 3),
        ("vth", 17),
        ("reset", 24),
    ];
    let outputs = [("valid", 1), ("u", 24), ("v", 24), ("spike", 1), ("clamp", 1)];
    let n = units.len();
    let mut text = String::from("`default_nettype none\nmodule neuron_bench (\n");
    for name in ["clk_i", "rst_ni", "en_i", "valid_i"] {
        let _ = writeln!(text, "  input wire {name},");
    }
    for (name, bits) in inputs {
        let _ = writeln!(text, "  input wire [{}:0] {name}_i,", bits - 1);
    }
    let ports: Vec<String> =
        outputs.iter().map(|(name, bits)| format!("  output wire [{}:0] {name}_o", bits - 1)).collect();
    let _ = writeln!(text, "{}\n);", ports.join(",\n"));
    for (name, bits) in outputs {
        let _ = writeln!(text, "  wire [{}:0] {name}_all [0:{}];", bits - 1, n - 1);
        let _ = writeln!(text, "  assign {name}_o = {name}_all[unit_i];");
    }
    for (i, unit) in units.iter().enumerate() {
        let mut pins: Vec<String> = ["clk_i", "rst_ni", "en_i", "valid_i"].map(|p| format!(".{p}({p})")).to_vec();
        pins.extend(inputs[1..].iter().map(|(name, _)| format!(".{name}_i({name}_i)")));
        pins.extend(outputs.iter().map(|(name, _)| format!(".{name}_o({name}_all[{i}])")));
        let _ = writeln!(text, "  {} #(.ResetMode({})) u_{i} ({});", unit.module, unit.reset_mode, pins.join(", "));
    }
    text.push_str("endmodule\n");
    text
}

/// Builds a bench of `units` whose modules are in `sources`; returns the executable.
pub fn build(mut verilator: Command, folder: &Path, sources: &[PathBuf], units: &[Unit]) -> PathBuf {
    let bench = folder.join("neuron_bench.v");
    std::fs::write(&bench, bench_verilog(units)).unwrap();
    verilator
        // An index beyond the last unit is never driven, so its width is no concern of the bench.
        .args(["--cc", "--exe", "--build", "-j", "2", "-O3", "-Wno-WIDTH", "-CFLAGS", "-std=c++17"])
        // In one piece: Verilator's own make files for several use precompiled headers, which not every build of it can.
        .args(["--output-split", "0"])
        // Optimise the model and the bench, but not Verilator's own support code, whose build would take longest.
        .args(["-MAKEFLAGS", "OPT_FAST=-O2 OPT_GLOBAL=-O0 OPT_SLOW=-O0"])
        .args(["--x-initial", "unique", "--top-module", "neuron_bench", "--prefix", "Vneuron_bench", "--Mdir"])
        .arg(folder.join("obj"))
        .arg(bench)
        .args(sources)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("sim/neuron/neuron_bench.cpp"));
    let output = verilator.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    folder.join("obj/Vneuron_bench")
}
