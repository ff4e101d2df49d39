//! Hostile names: of nodes, of the model file. They may stand in JSON and, escaped, in the README, and nowhere else; the
//! design must lint and simulate.

use crate::cli_support;
use crate::tools_support;

use cli_support::{Scratch, mlp, tree};
use std::path::Path;
use tools_support::{Tool, tool};

const NODE: &str = "x; endmodule";
const FILE: &str = "n*\n`end` \u{1b}[31m|<b>* endmodule \"q\" \\.onnx";

fn hostile() -> Scratch {
    let s = Scratch::new();
    s.model(
        "net.onnx",
        &mlp(&[NODE, "*/ `include \"/etc/passwd\"\n# Title\n<script>|", "\\\"; $finish; //\u{1b}]0;t\u{7}"]),
    );
    std::fs::rename(s.at("net.onnx"), s.at(FILE)).unwrap();
    let outcome = s.run(&["compile", FILE, "--calibrate", "images.npy", "--out", "design"]);
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(!outcome.out.contains('\u{1b}') && !outcome.out.contains('\u{7}'), "{:?}", outcome.out);
    assert!(!outcome.out.contains("\n# Title"), "{:?}", outcome.out);
    s
}

#[test]
fn hostile_names_reach_no_generated_text() {
    let s = hostile();
    let files = tree(&s.at("design"));
    for (path, bytes) in &files {
        let path = path.to_str().unwrap();
        assert!(path.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c)), "{path:?}");
        let Some(bytes) = bytes else { continue };
        if path == "design.json" || path.starts_with("model/") {
            continue;
        }
        let text = String::from_utf8(bytes.clone()).unwrap();
        let lines_only = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(lines_only), "{path} holds control characters");
        if path == "README.md" {
            assert!(!text.contains("\n# Title") && !text.contains("<script>"), "{text}");
            assert!(text.contains("`` n* `end` "), "the file name is no code span:\n{text}");
            // A row of the cores' table is a row, and all of them follow each other.
            let rows: Vec<&str> =
                text.lines().skip_while(|l| !l.starts_with("| core |")).take_while(|l| !l.is_empty()).collect();
            assert!(rows.len() == 4 && rows.iter().all(|l| l.matches('|').count() == 8), "{text}");
        } else {
            for foreign in [NODE, "; endmodule", "`include", "$finish; //", "* endmodule", "<script"] {
                assert!(!text.contains(foreign), "'{foreign}' is in {path}");
            }
        }
    }
    for stage in ["graph", "snn", "quant", "mapped", "rtl"] {
        let text = s.run(&["inspect", "design", "--stage", stage]);
        assert_eq!(text.code, 0, "{}", text.err);
        assert!(!text.out.contains('\u{1b}'), "{stage}: {:?}", text.out);
    }
}

#[test]
fn hostile_designs_lint_and_simulate() {
    let s = hostile();
    let design = s.at("design");
    if let (Some(iverilog), Some(vvp)) = (tool(Tool::Iverilog), tool(Tool::Vvp)) {
        let sources = verilog(&design);
        let mut build = iverilog.command();
        build.args(["-g2005", "-Wall", "-o", "tb/tb.vvp", "tb/tb.v"]).args(&sources);
        let built = built_in(&mut build, &design);
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let run = built_in(vvp.command().args(["-N", "tb/tb.vvp"]), &design);
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && text.contains("PASS"), "{text}");
    }
    if let Some(verilator) = tool(Tool::Verilator) {
        let json = s.json("design/design.json");
        let top = json["net"]["top"].as_str().unwrap();
        let mut lint = verilator.command();
        lint.args(["--lint-only", "-Wall", "--top-module", top]).args(verilog(&design));
        let lint = built_in(&mut lint, &design);
        assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
    }
}

fn built_in(command: &mut std::process::Command, dir: &Path) -> std::process::Output {
    command.current_dir(dir).output().unwrap()
}

/// The design's sources, relative to it.
fn verilog(design: &Path) -> Vec<String> {
    let files = std::fs::read_dir(design.join("rtl")).unwrap();
    files.map(|f| format!("rtl/{}", f.unwrap().file_name().to_str().unwrap())).collect()
}
