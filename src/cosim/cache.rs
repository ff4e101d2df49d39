//! The build cache: folders named by what went into them, complete as soon as they are visible.

use crate::error::{Error, Result};
use crate::interrupts::Folder;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Collects everything that a build result depends on.
pub(super) struct Key(Sha256);

impl Key {
    pub fn new(purpose: &str) -> Self {
        let mut key = Key(Sha256::new());
        key.add(purpose);
        key
    }

    /// Adds one input. Its length goes in as well, so that no two lists of inputs look alike.
    pub fn add(&mut self, input: impl AsRef<[u8]>) {
        let input = input.as_ref();
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
    }

    /// The name of the entry: enough digits that chance cannot collide.
    pub fn name(self) -> String {
        self.0.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `$SYNFIRE_CACHE`, or `synfire` in the user's cache folder, or in the temporary folder if there is none.
pub(super) fn default_root() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(root) = set("SYNFIRE_CACHE") {
        return root;
    }
    let caches = set("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".cache")));
    caches.unwrap_or_else(std::env::temp_dir).join("synfire")
}

/// The folder `root/name`, made by `make` if it is not there yet, and whether it was there.
///
/// `make` works in a folder of its own that is renamed at the end, so other processes see all of an entry or nothing; if two
/// make the same entry, the first one wins and both use it. Threads of one process wait for each other.
pub(super) fn entry(root: &Path, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<(PathBuf, bool)> {
    let path = root.join(name);
    if path.is_dir() {
        return Ok((path, true));
    }
    let lock = lock_of(&path);
    let _held = lock.lock().unwrap_or_else(PoisonError::into_inner);
    if path.is_dir() {
        return Ok((path, true));
    }
    std::fs::create_dir_all(root).map_err(|e| Error::io(root, "create the cache folder", &e))?;
    let fresh = Folder::new("new-", root).map_err(|e| Error::io(root, "create a folder in the cache", &e))?;
    make(fresh.path())?;
    match fresh.hold(|| std::fs::rename(fresh.path(), &path)) {
        Ok(()) => fresh.keep(),
        Err(_) if path.is_dir() => {}
        Err(e) => return Err(Error::io(&path, "put the build into the cache", &e)),
    }
    Ok((path, false))
}

fn lock_of(path: &Path) -> Arc<Mutex<()>> {
    static LOCKS: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> = Mutex::new(BTreeMap::new());
    LOCKS.lock().unwrap_or_else(PoisonError::into_inner).entry(path.to_path_buf()).or_default().clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn lists_that_join_to_the_same_text_have_different_names() {
        let name = |inputs: &[&str]| {
            let mut key = Key::new("test");
            inputs.iter().for_each(|input| key.add(input));
            key.name()
        };
        assert_eq!(name(&["ab", "c"]), name(&["ab", "c"]));
        assert_ne!(name(&["ab", "c"]), name(&["a", "bc"]));
        assert_eq!(name(&[]).len(), 32);
    }

    #[test]
    fn an_entry_is_made_once_however_many_ask() {
        let root = tempfile::tempdir().unwrap();
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let (path, _) = entry(root.path(), "x", |dir| {
                        made.fetch_add(1, Ordering::Relaxed);
                        std::fs::write(dir.join("file"), "content").map_err(|e| Error::io(dir, "write", &e))
                    })
                    .unwrap();
                    assert_eq!(std::fs::read_to_string(path.join("file")).unwrap(), "content");
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn a_failed_build_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        assert!(entry(root.path(), "x", |_| Err(Error::input("no"))).is_err());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
