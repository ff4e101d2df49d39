//! Reading a design directory back. What it says is checked, because anybody can edit it.

use super::write::record;
use super::{Design, FORMAT, Manifest, plausible, weight_path};
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::weight_limit;
use crate::ir::Shape;
use crate::ir::quant::QuantGraph;
use crate::ir::snn::Synapses;
use crate::rtl::Vectors;
use ndarray::{Array2, ArrayView2};
use ndarray_npy::ViewNpyExt;
use std::fs;
use std::io::Read;
use std::path::Path;

/// A larger file is refused.
const LARGEST_FILE: u64 = 1 << 30;

pub(super) fn load(dir: &Path) -> Result<Design> {
    let mut manifest = manifest(dir)?;
    let file = dir.join("design.json");
    let broken = |e: Error| e.in_file(&file).help("compile the design again");
    Error::check(Kind::Input, plausible::problems(&manifest.net, &manifest.settings)).map_err(broken)?;
    let weights = weights(dir, &manifest.net.quant)?;
    for (p, matrix) in manifest.net.quant.projections.iter_mut().zip(weights) {
        p.projection.synapses = Synapses::Dense { weight: matrix };
    }
    Error::check(Kind::Input, manifest.net.check()).map_err(broken)?;
    Ok(Design {
        net: manifest.net,
        settings: manifest.settings,
        origin: manifest.origin,
        source: read(&dir.join("model/source.onnx"), "read the source network")?,
        vectors: Vectors::default(),
    })
}

/// The matrix of every projection, `[post, pre]` as the populations say.
fn weights(dir: &Path, quant: &QuantGraph) -> Result<Vec<Array2<i32>>> {
    let mut matrices = Vec::new();
    let mut problems = Vec::new();
    for (i, p) in quant.projections.iter().enumerate() {
        let file = dir.join(weight_path(i));
        let extent = |id| quant.population(id).shape.len();
        let expected = (extent(p.projection.post), extent(p.projection.pre));
        match read(&file, "read the weights").and_then(|bytes| matrix(&bytes, expected, p.weight_bits)) {
            Ok(matrix) => matrices.push(matrix),
            Err(e) => problems.extend(e.in_file(&file).help("compile the design again").problems),
        }
    }
    Error::check(Kind::Input, problems)?;
    Ok(matrices)
}

fn matrix(bytes: &[u8], expected: (usize, usize), bits: u32) -> Result<Array2<i32>> {
    // A view is checked against the bytes that are there; a reader would first take the memory that the header asks for.
    let matrix =
        ArrayView2::<i32>::view_npy(bytes).map_err(|e| Error::input(format!("holds no weight matrix: {e}")))?;
    if matrix.dim() != expected {
        let (have, want) = (Shape(vec![matrix.nrows(), matrix.ncols()]), Shape(vec![expected.0, expected.1]));
        return Err(Error::input(format!("holds a matrix {have}, the network needs {want}")));
    }
    let limit = weight_limit(bits);
    if let Some(w) = matrix.iter().find(|w| !(-limit..=limit).contains(*w)) {
        return Err(Error::input(format!("holds the weight {w}, beyond ±{limit} ({bits} bits)")));
    }
    Ok(matrix.to_owned())
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
