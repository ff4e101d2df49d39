//! `src/cosim/ffi.rs` is what bindgen makes of `sim/synfire_sim.h`.
//!
//! `SYNFIRE_BLESS=1 cargo test --release --test bindgen` rewrites it.

use std::path::{Path, PathBuf};

/// The folder of libclang's shared library: the project's tool environment, or what LIBCLANG_PATH says.
fn libclang(root: &Path) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LIBCLANG_PATH") {
        return Some(path.into());
    }
    let versions = std::fs::read_dir(root.join(".tools/venv/lib")).ok()?;
    versions.filter_map(|entry| Some(entry.ok()?.path().join("site-packages/clang/native"))).find(|path| path.is_dir())
}

#[test]
fn the_checked_in_bindings_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(libclang) = libclang(root) else {
        assert!(std::env::var_os("CI").is_none(), "libclang is missing: run scripts/setup");
        println!("ignored: libclang is missing (set LIBCLANG_PATH or run scripts/setup)");
        return;
    };
    // SAFETY: the only test of this binary, so no other thread reads the environment.
    unsafe { std::env::set_var("LIBCLANG_PATH", libclang) };
    let header = root.join("sim/synfire_sim.h");
    let bindings = bindgen::Builder::default()
        .header(header.to_string_lossy())
        .allowlist_item("(?i)synfire_.*")
        .dynamic_library_name("SynfireSim")
        .dynamic_link_require_all(true)
        .wrap_unsafe_ops(true)
        .derive_default(true)
        .derive_eq(true)
        .generate_comments(false)
        .disable_header_comment()
        .raw_line("// Generated from sim/synfire_sim.h by tests/bindgen.rs; do not edit.")
        .rust_target(bindgen::RustTarget::stable(88, 0).expect("a stable release"))
        .rust_edition(bindgen::RustEdition::Edition2024)
        .formatter(bindgen::Formatter::Rustfmt)
        .rustfmt_configuration_file(Some(root.join("rustfmt.toml")))
        .generate()
        .expect("bindgen reads the header")
        .to_string();
    let path = root.join("src/cosim/ffi.rs");
    if std::env::var_os("SYNFIRE_BLESS").is_some() {
        std::fs::write(&path, &bindings).expect("the bindings can be written");
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(checked_in, bindings, "run with SYNFIRE_BLESS=1 to rewrite src/cosim/ffi.rs");
}
