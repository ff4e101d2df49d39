//! A result file, complete or not there at all.

use crate::error::{Error, Problem, Result};
use crate::interrupts::{check_whole, write_whole};
use std::io;
use std::path::Path;

/// Finds out whether [`write`] would succeed, so that nobody waits for a result that cannot be kept. Leaves nothing behind.
pub(super) fn check(file: &Path) -> Result<()> {
    check_whole(file).map_err(|e| unwritable(file, &e))
}

/// Writes `text`, so that no reader sees a part of it.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    write_whole(file, |file| file.write_all(text.as_bytes())).map_err(|e| unwritable(file, &e))
}

fn unwritable(file: &Path, error: &io::Error) -> Error {
    let help = "give --json a file in a folder that exists and can be written";
    if error.kind() == io::ErrorKind::NotFound {
        return Problem::new("cannot write the result: the folder does not exist").in_file(file).help(help).into();
    }
    Error::io(file, "write the result", error).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_replaced_whole_and_links_are_followed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("r.json");
        check(&file).unwrap();
        assert!(!file.exists());
        write(&file, "one").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            let link = dir.path().join("link");
            symlink("r.json", &link).unwrap();
            write(&link, "two").unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(fs::read_to_string(&file).unwrap(), "two");
            fs::remove_file(link).unwrap();
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let dir = tempfile::tempdir().unwrap();
        for bad in [dir.path().to_path_buf(), dir.path().join("nowhere/r.json")] {
            let error = check(&bad).unwrap_err().to_string();
            assert!(error.contains("cannot write the result") && error.contains("--json"), "{error}");
            assert!(!error.contains(".synfire-"), "the name of a temporary file says nothing: {error}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
