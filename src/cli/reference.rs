//! The float network behind a design: what its model file answers without any rounding.

use crate::data::{Images, Samples};
use crate::design::Design;
use crate::error::{Error, Problem, Result};
use crate::fixed::arg_max;
use crate::frontends::Reference;
use crate::frontends::nir::{Executor, Settings};
use crate::pipeline::SpikingModel;
use ndarray::{ArrayD, Axis, IxDyn};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Images that the ONNX engine takes at a time.
const BATCH: usize = 256;

/// Class of each sample by the float network; ties to the lowest index.
///
/// # Errors
/// The design's model file was changed, or is that of another network.
pub fn classes(design: &Design, samples: &Samples) -> Result<Vec<usize>> {
    let classes = match samples {
        Samples::Images(images) if !design.is_nir() => of_onnx(design, images),
        _ => of_nir(design, samples),
    };
    classes.map_err(|e| e.in_file(design.source_path()))
}

/// The sizes of the model file's network must be those of the design.
fn check_sizes(design: &Design, inputs: usize, outputs: usize) -> Result<()> {
    let quant = &design.net.quant;
    let (pixels, classes) = (quant.input_shape().len(), quant.population(quant.readout()).shape.len());
    if (inputs, outputs) == (pixels, classes) {
        return Ok(());
    }
    let what = format!("is a network of {inputs} inputs and {outputs} classes, the design has {pixels} and {classes}");
    Err(Problem::new(what).help("compile the design again").into())
}

fn of_onnx(design: &Design, images: &Images) -> Result<Vec<usize>> {
    let reference = Reference::load(design.source.clone())?;
    check_sizes(design, reference.pixels(), reference.outputs())?;
    if let Some(reason) = reference.substitute() {
        eprintln!("warning: the float engine does not know this model ({reason}); Synfire's own graph takes its place");
    }
    let starts: Vec<usize> = (0..images.len()).step_by(BATCH).collect();
    let batches: Result<Vec<Vec<usize>>> = starts
        .into_par_iter()
        .map(|first| {
            let range = first..images.len().min(first + BATCH);
            let logits = reference.logits(images.normalised(range, design.settings.normalize.as_ref()).view())?;
            Ok(logits.rows().into_iter().map(|row| arg_max(row).unwrap_or(0)).collect())
        })
        .collect();
    Ok(batches?.concat())
}

/// The NIR file in double precision, with the design's time step and dialect.
fn of_nir(design: &Design, samples: &Samples) -> Result<Vec<usize>> {
    let (settings, quant) = (&design.settings, &design.net.quant);
    let how = Settings { dt: settings.dt, dialect: settings.nir_dialect.unwrap_or_default() };
    let executor = Executor::new(&SpikingModel::of(design)?.graph, how)?;
    let (inputs, outputs) = (executor.inputs(), executor.outputs());
    let ([input], [output]) = (inputs.as_slice(), outputs.as_slice()) else {
        return Err(Error::input("is a network of several inputs or outputs").help("compile the design again"));
    };
    check_sizes(design, input.shape.iter().product(), output.shape.iter().product())?;
    // The readout adds up the spikes of the Output; or it is the membrane of a node in front of it.
    let counts = quant.population(quant.readout()).name == output.name;
    let shape: Vec<usize> = std::iter::once(quant.phases() as usize).chain(input.shape.iter().copied()).collect();
    let class = |index: usize| {
        let data = ArrayD::from_shape_vec(IxDyn(&shape), samples.steps(index, quant))
            .map_err(|e| Error::internal(format!("a sample of another shape: {e}")))?;
        let outcome = executor.run(&BTreeMap::from([(input.name.clone(), data)]))?;
        let answer = outcome.outputs.get(&output.name).ok_or_else(|| Error::internal("an Output gave nothing"))?;
        let logits = match counts {
            true => answer.sum_axis(Axis(0)),
            false => answer.index_axis(Axis(0), answer.len_of(Axis(0)) - 1).to_owned(),
        };
        Ok(arg_max(logits.iter()).unwrap_or(0))
    };
    (0..samples.len()).into_par_iter().map(class).collect()
}
