//! Tools that are absent, too old, or fail: exit codes 4 and 6, and what to do.

use crate::cli_support;

use cli_support::Scratch;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A program that prints `version` when asked for it, and fails when it shall work.
fn fake(s: &Scratch, name: &str, version: &str) -> String {
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in -V|--version) echo '{version}'; exit 0;; esac\necho 'ERROR: boom'\nexit 3\n"
    );
    let path = s.file(name, script.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_string()
}

fn synth_refused(s: &Scratch, yosys: &str, code: i32, parts: &[&str]) {
    let mut command = s.command(&["synth", "design"]);
    command.env("SYNFIRE_YOSYS", yosys);
    s.refused_by(command, code, parts);
}

#[test]
fn missing_and_old_tools() {
    let s = Scratch::with_design();
    synth_refused(
        &s,
        "/nonexistent/yosys",
        4,
        &["SYNFIRE_YOSYS is '/nonexistent/yosys'", "not an executable file", "help:"],
    );
    let old = fake(&s, "tools/old", "Yosys 0.9 (git sha1 1979e0b)");
    synth_refused(&s, &old, 4, &["version 0.9 is too old", "0.23 or newer", "help:"]);
    let mute = fake(&s, "tools/mute", "hello");
    synth_refused(&s, &mute, 4, &["does not tell its version: hello"]);
    // Nothing on PATH, nothing project-local, for every tool that the command needs.
    let mut command = s.command(&["synth", "design", "--pnr"]);
    fs::create_dir(s.at("empty")).unwrap();
    command.env("SYNFIRE_TOOLS", s.at("empty")).env("PATH", "/bin:/nonexistent").env_remove("SYNFIRE_YOSYS");
    if !["yosys", "nextpnr-ecp5"].iter().any(|t| fs::metadata(format!("/bin/{t}")).is_ok()) {
        s.refused_by(
            command,
            4,
            &["no usable yosys 0.23 or newer", "no usable nextpnr-ecp5", "scripts/setup", "SYNFIRE_YOSYS"],
        );
    }
}

#[test]
fn a_tool_that_fails() {
    let s = Scratch::with_design();
    let broken = fake(&s, "tools/broken", "Yosys 0.50");
    let mut command = s.command(&["synth", "design"]);
    let output = command.env("SYNFIRE_YOSYS", broken).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{text}");
    assert!(text.contains("yosys failed") && text.contains("ERROR: boom") && text.contains("yosys.log"), "{text}");
}

#[test]
fn doctor_says_what_is_missing() {
    let s = Scratch::new();
    let mut command = s.command(&["doctor", "--json", "-"]);
    let output = command.env("SYNFIRE_YOSYS", "/nonexistent/yosys").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let tools: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let yosys = tools.as_array().unwrap().iter().find(|t| t["tool"] == "yosys").unwrap();
    assert!(yosys["version"].is_null(), "{yosys}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("SYNFIRE_YOSYS is '/nonexistent/yosys'"));
}
