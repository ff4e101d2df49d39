//! Writing a design directory: aside, then renamed.

use super::{Design, FORMAT, FileRecord, Manifest, plausible, readme, weight_path};
use crate::error::{Error, Kind, Problem, Result};
use crate::interrupts::Folder;
use crate::ir::snn::Synapses;
use crate::rtl;
use ndarray_npy::WriteNpyExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) fn write(design: &Design, dir: &Path, replace: bool) -> Result<()> {
    check_out(dir, replace)?;
    // What a symbolic link points to is replaced, not the link.
    let link = fs::symlink_metadata(dir).is_ok_and(|m| m.is_symlink());
    let real = if link { dir.canonicalize().ok() } else { None };
    let dir = real.as_deref().unwrap_or(dir);
    let files = files(design)?;
    let parent = match dir.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|e| Error::io(&parent, "create the folder", &e))?;
    let aside =
        Folder::new(".synfire-", &parent).map_err(|e| Error::io(&parent, "create a temporary folder in it", &e))?;
    let new = aside.path().join("new");
    fs::create_dir(&new).map_err(|e| Error::io(&new, "create the folder", &e))?;
    for (path, bytes) in &files {
        let file = new.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create the folder", &e))?;
        }
        fs::write(&file, bytes).map_err(|e| Error::io(&file, "write", &e))?;
    }
    let failed = |e| Error::io(dir, "move the finished design into place", &e);
    // Whoever cleans up must not be deleting the folder that becomes the design.
    aside
        .hold(|| match dir.exists() {
            false => fs::rename(&new, dir),
            // After the exchange the old design goes with the temporary folder. Not every file system knows how.
            true => exchange(&new, dir).or_else(|_| replace_in_steps(&new, dir, &aside.path().join("old"))),
        })
        .map_err(failed)
}

/// Two folders change places, at one instant.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(new: &Path, dir: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, new, CWD, dir, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Moves `dir` to `old` and `new` to `dir`.
fn replace_in_steps(new: &Path, dir: &Path, old: &Path) -> io::Result<()> {
    fs::rename(dir, old)?;
    // Without the way back the old design would go with the temporary folder.
    fs::rename(new, dir).inspect_err(|_| drop(fs::rename(old, dir)))
}

/// An existing directory is the user's; only a design may be replaced, and only on demand.
pub(super) fn check_out(dir: &Path, replace: bool) -> Result<()> {
    if dir.as_os_str().is_empty() {
        return Err(Error::input("the name of the design directory is empty").help("give --out a name"));
    }
    let file =
        dir.ancestors().skip(1).find(|p| !p.as_os_str().is_empty() && !p.is_dir() && fs::symlink_metadata(p).is_ok());
    if let Some(file) = file {
        return Err(Problem::new("is not a folder, so no design can be put there")
            .in_file(file)
            .help("choose another --out")
            .into());
    }
    if fs::symlink_metadata(dir).is_err() {
        return Ok(());
    }
    let here =
        || matches!((dir.canonicalize(), std::env::current_dir()), (Ok(dir), Ok(here)) if here.starts_with(&dir));
    let problem = match (replace, dir.join("design.json").is_file()) {
        // The folder that replaces it is another one, and whoever stands in the old one would stand nowhere.
        (true, true) if here() => {
            Problem::new("is the current folder, or holds it, so it is not replaced").help("go to another folder first")
        }
        (true, true) => return Ok(()),
        (true, false) => Problem::new("exists and holds no design, so it is not replaced").help("choose another --out"),
        (false, true) => Problem::new("exists").help("choose another --out, or replace the design with --force"),
        (false, false) => Problem::new("exists").help("choose another --out"),
    };
    Err(Error::new(Kind::Input, problem.in_file(dir)))
}

/// Every file of the directory, `design.json` included.
fn files(design: &Design) -> Result<BTreeMap<String, Vec<u8>>> {
    // Nothing is written that could not be read back.
    Error::check(Kind::Input, plausible::problems(&design.net, &design.settings))
        .map_err(|e| e.help("nothing that large can be built: use a smaller network, or look at its settings"))?;
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for file in rtl::generate(&design.net)?.into_iter().chain(rtl::bench(&design.net, &design.vectors)?) {
        files.insert(file.path, file.text.into_bytes());
    }
    for (i, p) in design.net.quant.projections.iter().enumerate() {
        let mut bytes = Vec::new();
        match &p.projection.synapses {
            Synapses::Dense { weight } => weight.write_npy(&mut bytes),
            Synapses::Conv { weight, .. } => weight.write_npy(&mut bytes),
            Synapses::Channelwise { weight, .. } => weight.write_npy(&mut bytes),
        }
        .map_err(|e| Error::internal(format!("cannot encode weights: {e}")))?;
        files.insert(weight_path(i), bytes);
    }
    files.insert(design.source_path().into(), design.source.clone());
    if let Some((name, text)) = readme::constraints(design.net.target) {
        files.insert(format!("constraints/{name}"), text.as_bytes().to_vec());
    }
    files.insert("README.md".into(), readme::readme(design)?.into_bytes());
    let manifest = Manifest {
        format: FORMAT,
        synfire: env!("CARGO_PKG_VERSION").into(),
        origin: design.origin.clone(),
        settings: design.settings.clone(),
        net: design.net.clone(),
        files: files.iter().map(|(path, bytes)| (path.clone(), record(bytes))).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&manifest).map_err(|e| Error::internal(format!("design.json: {e}")))?;
    json.push(b'\n');
    files.insert("design.json".into(), json);
    Ok(files)
}

pub(super) fn record(bytes: &[u8]) -> FileRecord {
    let sha256 = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    FileRecord { bytes: bytes.len() as u64, sha256 }
}
