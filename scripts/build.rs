//! Tells the tests whether the real data sets are there: those that need them are reported as ignored, with the reason, where
//! they are not. In CI they must be there, so there the tests run and fail.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rustc-check-cfg=cfg(shared_data)");
    for variable in ["SYNFIRE_DATA", "CI"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let beside = || Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../shared");
    let root = env::var_os("SYNFIRE_DATA").map_or_else(beside, PathBuf::from);
    let data = root.join("data");
    // A path that does not exist counts as changed every time, which would compile the crate anew with every command.
    if let Some(watched) = data.ancestors().find(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", watched.display());
    }
    if data.is_dir() || env::var("CI").as_deref() == Ok("true") {
        println!("cargo:rustc-cfg=shared_data");
    }
}
