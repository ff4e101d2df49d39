//! Reading a design directory back. What it says is checked, because anybody can edit it.

use super::write::record;
use super::{Design, FORMAT, FileRecord, Manifest, SOURCES, plausible, weight_path};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::weight_limit;
use crate::ir::quant::QuantGraph;
use crate::ir::snn::Synapses;
use crate::ir::{PopId, Shape};
use crate::rtl::Vectors;
use ndarray::{Array, Array3, ArrayView, Dimension};
use ndarray_npy::ViewNpyExt;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path};

/// A larger file is refused.
const LARGEST_FILE: u64 = 1 << 30;

pub(super) fn load(dir: &Path) -> Result<Design> {
    let mut manifest = manifest(dir)?;
    let file = dir.join("design.json");
    let broken = |e: Error| e.in_file(&file).help("compile the design again");
    Error::check(Kind::Input, plausible::problems(&manifest.net, &manifest.settings)).map_err(broken)?;
    load_weights(dir, &mut manifest.net.quant, &manifest.files)?;
    Error::check(Kind::Input, manifest.net.check()).map_err(broken)?;
    let [onnx, nir] = SOURCES;
    let name = if manifest.files.contains_key(nir) { nir } else { onnx };
    let file = dir.join(name);
    let source = read(&file, "read the source network")?;
    unchanged(name, &source, &manifest.files).map_err(|e| e.in_file(&file))?;
    Ok(Design {
        net: manifest.net,
        settings: manifest.settings,
        origin: manifest.origin,
        source,
        vectors: Vectors::default(),
    })
}

/// Reads the weights of every projection into the place that its description has for them.
fn load_weights(dir: &Path, quant: &mut QuantGraph, files: &BTreeMap<String, FileRecord>) -> Result<()> {
    let mut problems = Vec::new();
    let extents: Vec<usize> = quant.populations.iter().map(|population| population.shape.len()).collect();
    for (i, p) in quant.projections.iter_mut().enumerate() {
        let path = weight_path(i);
        let file = dir.join(&path);
        let extent = |id: PopId| extents.get(id.0).copied().unwrap_or(0);
        let neurons = [extent(p.projection.post), extent(p.projection.pre)];
        let bits = p.weight_bits;
        let into = |bytes: Vec<u8>| -> Result<()> {
            let unchanged = unchanged(&path, &bytes, files);
            match &mut p.projection.synapses {
                Synapses::Dense { weight } => *weight = array(&bytes, &neurons, bits)?,
                Synapses::Conv { weight, window, groups } => {
                    let [c_in, c_out, rows, columns] =
                        [window.input[0], window.output[0], window.kernel[0], window.kernel[1]];
                    *weight = array(&bytes, &[c_out, c_in / (*groups).max(1), rows, columns], bits)?;
                }
                Synapses::Channelwise { weight, window, .. } => {
                    let filters: Array3<i32> = parse(&bytes)?;
                    // How many channels there are is said by the file alone.
                    let expected = [filters.dim().0, window.kernel[0], window.kernel[1]];
                    *weight = checked(filters, &expected, bits)?;
                }
            }
            unchanged
        };
        let loaded = read(&file, "read the weights").and_then(into);
        if let Err(e) = loaded {
            problems.extend(e.in_file(&file).help("compile the design again").problems);
        }
    }
    Error::check(Kind::Input, problems)
}

/// Refuses a file of `model/` that is not what was written: its figures would be those of another network.
fn unchanged(path: &str, bytes: &[u8], files: &BTreeMap<String, FileRecord>) -> Result<()> {
    if files.get(path).is_some_and(|written| record(bytes).sha256 == written.sha256) {
        return Ok(());
    }
    Err(Problem::new("was changed after the design was compiled").help("compile the design again").into())
}

/// The array that a file holds, of the shape and the width of weights that the network needs.
fn array<D: Dimension>(bytes: &[u8], expected: &[usize], bits: u32) -> Result<Array<i32, D>> {
    checked(parse(bytes)?, expected, bits)
}

fn parse<D: Dimension>(bytes: &[u8]) -> Result<Array<i32, D>> {
    // A view is checked against the bytes that are there; a reader would first take the memory that the header asks for.
    let view = ArrayView::<i32, D>::view_npy(bytes)
        .map_err(|e| Error::input(format!("holds no weights of {} axes: {e}", D::NDIM.unwrap_or(0))))?;
    Ok(view.to_owned())
}

fn checked<D: Dimension>(weights: Array<i32, D>, expected: &[usize], bits: u32) -> Result<Array<i32, D>> {
    if weights.shape() != expected {
        let (have, want) = (Shape(weights.shape().to_vec()), Shape(expected.to_vec()));
        return Err(Error::input(format!("holds weights {have}, the network needs {want}")));
    }
    let limit = weight_limit(bits);
    if let Some(w) = weights.iter().find(|w| !(-limit..=limit).contains(*w)) {
        return Err(Error::input(format!("holds the weight {w}, beyond ±{limit} ({bits} bits)")));
    }
    Ok(weights)
}

/// The bytes of a file, unless they are unreasonably many.
fn read(file: &Path, action: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|f| f.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|e| Error::io(file, action, &e))?;
    if bytes.len() as u64 > LARGEST_FILE {
        let what = format!("is larger than the limit of {} MiB", LARGEST_FILE >> 20);
        return Err(Problem::new(what).in_file(file).into());
    }
    Ok(bytes)
}

pub(super) fn changed_files(dir: &Path) -> Result<Vec<Problem>> {
    let manifest = manifest(dir)?;
    let mut problems = Vec::new();
    for (path, written) in &manifest.files {
        let file = dir.join(path);
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            problems.push(Problem::new(format!("lists '{path}', which is not a file of the design")).in_file(dir));
            continue;
        }
        match read(&file, "read") {
            Ok(bytes) if record(&bytes).sha256 == written.sha256 => {}
            Ok(_) => problems.push(Problem::new("was changed after the design was compiled").in_file(file)),
            Err(e) => problems.extend(e.problems),
        }
    }
    Ok(problems)
}

fn manifest(dir: &Path) -> Result<Manifest> {
    let file = dir.join("design.json");
    let text = read(&file, "read").map_err(|e| e.help("give a directory that 'synfire compile' wrote"))?;
    let broken = |what: String| Problem::new(what).in_file(&file).help("compile the design again");
    // Looked at first, because a description of another format may differ in everything else.
    let Format { format } =
        serde_json::from_slice(&text).map_err(|e| broken(format!("is not a design description: {e}")))?;
    if format != FORMAT {
        return Err(broken(format!("has format {format}, this synfire reads format {FORMAT}")).into());
    }
    Ok(serde_json::from_slice(&text).map_err(|e| broken(format!("is not a design description: {e}")))?)
}

#[derive(serde::Deserialize)]
struct Format {
    format: u32,
}
