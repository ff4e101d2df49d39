//! Reading a design directory back. What it says is checked, because anybody can edit it.

use super::write::record;
use super::{Design, FORMAT, Manifest, weight_path};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::snn::Synapses;
use crate::rtl::Vectors;
use ndarray::Array2;
use ndarray_npy::ReadNpyExt;
use std::fs;
use std::path::Path;

pub(super) fn load(dir: &Path) -> Result<Design> {
    let mut manifest = manifest(dir)?;
    for (i, p) in manifest.net.quant.projections.iter_mut().enumerate() {
        let file = dir.join(weight_path(i));
        let bytes = fs::read(&file).map_err(|e| Error::io(&file, "read the weights", &e))?;
        let Synapses::Dense { weight } = &mut p.projection.synapses;
        *weight = Array2::<i32>::read_npy(bytes.as_slice())
            .map_err(|e| Problem::new(format!("holds no weight matrix: {e}")).in_file(&file))?;
    }
    Error::check(Kind::Input, manifest.net.check())
        .map_err(|e| e.in_file(dir.join("design.json")).help("compile the design again"))?;
    let source = dir.join("model/source.onnx");
    Ok(Design {
        net: manifest.net,
        settings: manifest.settings,
        origin: manifest.origin,
        source: fs::read(&source).map_err(|e| Error::io(&source, "read the source network", &e))?,
        vectors: Vectors::default(),
    })
}

pub(super) fn changed_files(dir: &Path) -> Result<Vec<Problem>> {
    let manifest = manifest(dir)?;
    let mut problems = Vec::new();
    for (path, written) in &manifest.files {
        let file = dir.join(path);
        match fs::read(&file) {
            Ok(bytes) if record(&bytes).sha256 == written.sha256 => {}
            Ok(_) => problems.push(Problem::new("was changed after the design was compiled").in_file(file)),
            Err(e) => problems.push(Problem::new(format!("cannot be read: {e}")).in_file(file)),
        }
    }
    Ok(problems)
}

fn manifest(dir: &Path) -> Result<Manifest> {
    let file = dir.join("design.json");
    let text = fs::read_to_string(&file)
        .map_err(|e| Error::io(&file, "read", &e).help("this must be a directory that 'synfire compile' wrote"))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|e| Problem::new(format!("is not a design description: {e}")).in_file(&file))?;
    if manifest.format != FORMAT {
        let what = format!("has format {}, this synfire reads format {FORMAT}", manifest.format);
        return Err(Problem::new(what).in_file(&file).help("compile the design again").into());
    }
    Ok(manifest)
}
