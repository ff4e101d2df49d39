//! A file that is written whole or not at all.

use super::{Passing, without_path};
use std::fs::{Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Finds out whether [`write_whole`] would succeed, so that nobody waits for a result that cannot be kept. Leaves nothing behind.
pub fn check_whole(file: &Path) -> io::Result<()> {
    match replaced(file)? {
        Some(target) => aside(&target).map(drop),
        None => Ok(()),
    }
}

/// Writes beside `file` and renames, so that no reader sees a part of it. Devices and pipes are written directly.
pub fn write_whole(file: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match replaced(file)? {
        Some(target) => {
            let fresh = aside(&target)?;
            let _passing = Passing::new(fresh.path());
            let mut buffer = BufWriter::new(fresh.as_file());
            write(&mut buffer)?;
            buffer.flush()?;
            drop(buffer);
            fresh.persist(&target).map(drop).map_err(|e| e.error)
        }
        None => {
            let mut buffer = BufWriter::new(std::fs::File::create(file)?);
            write(&mut buffer)?;
            buffer.flush()
        }
    }
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
    let fresh = builder.prefix(".synfire-").tempfile_in(folder).map_err(without_path)?;
    if let Some(permissions) = before {
        fresh.as_file().set_permissions(permissions)?;
    }
    Ok(fresh)
}
