//! The demo's data and network: written and checked by the scripts that make them.

use std::path::Path;
use std::process::Command;
use synfire::flow::{Tool, tools};

/// Runs the project's Python in the source folder; `None` if there is none, which CI does not accept.
fn python(args: &[&str]) -> Option<String> {
    let found = match tools::find(Tool::Python) {
        Ok(found) => found,
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "{error}");
            println!("ignored: {error}");
            return None;
        }
    };
    let mut command: Command = found.command();
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Number of bytes that follow the header of an NPY file, and the header.
fn npy(file: &Path) -> (usize, String) {
    let bytes = std::fs::read(file).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    (bytes.len() - 10 - header, String::from_utf8_lossy(&bytes[10..10 + header]).into_owned())
}

#[test]
fn digits_are_written_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_) = python(&["scripts/digits.py", &folder.path().to_string_lossy()]) else { return };
    for (name, kind, shape, size) in [
        ("calibration_images.npy", "<f4", "(256, 1, 8, 8)", 256 * 64 * 4),
        ("test_images.npy", "<f4", "(450, 1, 8, 8)", 450 * 64 * 4),
        ("test_labels.npy", "|u1", "(450,)", 450),
    ] {
        let (bytes, header) = npy(&folder.path().join(name));
        assert_eq!(bytes, size, "{name}");
        assert!(header.contains(kind) && header.contains(shape), "{name}: {header}");
    }
}

#[test]
fn the_committed_network_knows_its_digits() {
    let code = "import sys; sys.path.insert(0, 'scripts'); import train_digits as t; \
                print(t.accuracy('scripts/models/digits_mlp.onnx'))";
    let Some(text) = python(&["-c", code]) else { return };
    let accuracy: f64 = text.trim().parse().unwrap();
    assert!(accuracy >= 0.98, "{accuracy}");
}
