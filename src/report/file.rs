//! A result file, complete or not there at all.

use crate::error::{Error, Result};
use std::fs::{Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Finds out whether [`write`] would succeed, so that nobody waits for a result that cannot be kept. Leaves nothing behind.
pub(super) fn check(file: &Path) -> Result<()> {
    let attempt = || match replaced(file)? {
        Some(target) => aside(&target).map(drop),
        None => Ok(()),
    };
    attempt().map_err(|e| unwritable(file, &e))
}

/// Writes `text` beside `file` and renames, so that no reader sees a part of it. Devices and pipes are written directly.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    let attempt = || match replaced(file)? {
        Some(target) => {
            let mut fresh = aside(&target)?;
            fresh.write_all(text.as_bytes())?;
            fresh.persist(&target).map(drop).map_err(|e| e.error)
        }
        None => std::fs::write(file, text),
    };
    attempt().map_err(|e| unwritable(file, &e))
}

fn unwritable(file: &Path, error: &io::Error) -> Error {
    Error::io(file, "write the result", error).help("give --json a file in a folder that exists and can be written")
}

/// The file that a rename puts in place: `file`, or what it is a link to; `None` if it is no regular file.
fn replaced(file: &Path) -> io::Result<Option<PathBuf>> {
    match std::fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        // /dev/stdout may lead to a regular file, which the process already holds open.
        Ok(found) if !found.is_file() || file.starts_with("/dev") => Ok(None),
        Ok(_) => {
            OpenOptions::new().append(true).open(file)?;
            file.canonicalize().map(Some)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Some(file.to_path_buf())),
        Err(e) => Err(e),
    }
}

/// A new file in the folder of `target`, with the permissions that `target` has or would get.
fn aside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let before = std::fs::metadata(target).ok().as_ref().map(Metadata::permissions);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let fresh = builder.prefix(".synfire-").tempfile_in(folder)?;
    if let Some(permissions) = before {
        fresh.as_file().set_permissions(permissions)?;
    }
    Ok(fresh)
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
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
