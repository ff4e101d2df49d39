//! Python's `nir` and `h5py`.

use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Python that has `nir`, or `None` (after saying so) where there is none. In CI its absence is a failure.
pub fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin/python");
    let found = [own, "python3".into()].into_iter().find(|python| {
        let probe = Command::new(python).args(["-c", "import nir, h5py"]).output();
        probe.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no Python with nir and h5py: run scripts/setup");
        println!("ignored: no Python with nir and h5py; run scripts/setup");
    }
    found
}

/// Runs a command of `tests/nir_oracle.py`; it prints JSON.
pub fn oracle<A: AsRef<OsStr> + Debug>(python: &Path, command: &str, args: &[A]) -> Value {
    let args: Vec<&OsStr> = std::iter::once(command.as_ref()).chain(args.iter().map(AsRef::as_ref)).collect();
    script(python, "nir_oracle.py", &args)
}

/// Runs a script of `tests`; it prints JSON.
pub fn script<A: AsRef<OsStr> + Debug>(python: &Path, name: &str, args: &[A]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    let output = Command::new(python).arg(script).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {args:?}\n{errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}
