//! `synfire nir input`

use crate::cli::inputs::spares;
use crate::data;
use crate::error::{Error, Problem, Result};
use crate::frontends::nir::{self, Executor, Rows, Settings};
use crate::ir::Shape;
use ndarray::{ArrayD, IxDyn};
use std::path::PathBuf;

/// Numbers that a sample may hold: as many as 'synfire nir run' reads.
const MOST_VALUES: usize = 1 << 26;

/// Arguments of `nir input`.
#[derive(clap::Args)]
pub struct Args {
    /// NIR file, as written by 'synfire nir convert'
    file: PathBuf,
    /// Images: IDX, NPY or CIFAR binary, each also gzipped
    #[arg(long, value_name = "IMAGES")]
    images: PathBuf,
    /// Which of the images, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    index: usize,
    /// Where the sample goes: NPY [T, input shape], for 'synfire nir run --input'
    #[arg(long, value_name = "X.npy")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    spares("--out", &args.out, &[&args.file, &args.images], None)?;
    let graph = nir::read(&args.file)?;
    let executor = Executor::new(&graph, Settings::default()).map_err(|e| e.in_file(&args.file))?;
    let refuse = |what: &str, help: &str| Error::from(Problem::new(what).in_file(&args.file).help(help));
    let (presentation, port) = match (executor.presentation(), executor.inputs().as_slice()) {
        (Some(presentation), [port]) if presentation.rows != Rows::Train => (presentation.clone(), port.clone()),
        (Some(_), [_]) => {
            return Err(refuse("reads recorded spikes, not images", "give the recording to 'synfire nir run --input'"));
        }
        _ => {
            return Err(refuse(
                "does not say how images enter it",
                "only files written by 'synfire nir convert' note it (synfire_input, synfire_pixel_bits)",
            ));
        }
    };
    let shape = Shape(port.shape);
    let values = shape.len().saturating_mul(presentation.steps as usize);
    if values > MOST_VALUES {
        let what =
            format!("a sample of {} steps of {shape} is {values} numbers, more than {MOST_VALUES}", presentation.steps);
        return Err(refuse(&what, "check the note 'synfire_steps' in the graph's metadata"));
    }
    let (images, _) = data::load_images(&args.images)?;
    let images = images.shaped(&shape).map_err(|e| e.in_file(&args.images))?;
    if args.index >= images.len() {
        let what = format!("holds {} images, so there is none of the index {}", images.len(), args.index);
        return Err(Problem::new(what).in_file(&args.images).help("indices begin at 0").into());
    }
    let mut codes = images.codes(args.index, &presentation.pixels);
    if presentation.rows == Rows::Encoded {
        codes = data::encode_spikes(&codes, presentation.pixels.max(), presentation.steps as usize);
    }
    let extents: Vec<usize> = std::iter::once(presentation.steps as usize).chain(shape.0).collect();
    let sample = ArrayD::from_shape_vec(IxDyn(&extents), presentation.sample(&codes));
    let sample = sample.map_err(|e| Error::internal(format!("a sample is broken: {e}")))?;
    data::save_npy(&args.out, &sample)
}
