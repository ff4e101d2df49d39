//! Writing a design directory: aside, then renamed.

use super::{Design, FORMAT, FileRecord, Manifest, readme, weight_path};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::snn::Synapses;
use crate::rtl;
use ndarray_npy::WriteNpyExt;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn write(design: &Design, dir: &Path, replace: bool) -> Result<()> {
    check_out(dir, replace)?;
    let files = files(design)?;
    let parent = match dir.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|e| Error::io(&parent, "create the folder", &e))?;
    let aside = tempfile::Builder::new()
        .prefix(".synfire-")
        .tempdir_in(&parent)
        .map_err(|e| Error::io(&parent, "create a temporary folder", &e))?;
    let new = aside.path().join("new");
    fs::create_dir(&new).map_err(|e| Error::io(&new, "create the folder", &e))?;
    for (path, bytes) in &files {
        let file = new.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|e| Error::io(folder, "create the folder", &e))?;
        }
        fs::write(&file, bytes).map_err(|e| Error::io(&file, "write", &e))?;
    }
    if dir.exists() {
        let old = aside.path().join("old");
        fs::rename(dir, &old).map_err(|e| Error::io(dir, "move the old design aside", &e))?;
    }
    fs::rename(&new, dir).map_err(|e| {
        // Without this the old design would go with the temporary folder. Fails if there was none.
        let _ = fs::rename(aside.path().join("old"), dir);
        Error::io(dir, "move the finished design into place", &e)
    })
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
    let problem = match (replace, dir.join("design.json").is_file()) {
        (true, true) => return Ok(()),
        (true, false) => Problem::new("exists and holds no design, so it is not replaced").help("choose another --out"),
        (false, true) => Problem::new("exists").help("choose another --out, or replace the design with --force"),
        (false, false) => Problem::new("exists").help("choose another --out"),
    };
    Err(Error::new(Kind::Input, problem.in_file(dir)))
}

/// Every file of the directory, `design.json` included.
fn files(design: &Design) -> Result<BTreeMap<String, Vec<u8>>> {
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
