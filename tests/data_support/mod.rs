//! Where the real data sets are.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use std::path::{Path, PathBuf};

/// The folder of the real data, or `None` (after saying so) where it is absent. In CI its absence is a failure.
pub fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("SYNFIRE_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if root.join("data").is_dir() {
        return Some(root);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the data sets are missing: {}", root.display());
    println!("ignored: no data sets at {}; set SYNFIRE_DATA", root.display());
    None
}
