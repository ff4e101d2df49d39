//! Runs the model file's own operators, in float, with the `rten` engine: the reference that everything else is
//! measured by.

use super::agreement::agree_on_anything;
use super::evaluate;
use super::onnx::{self, Interface};
use super::prepare::prepared;
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::graph::Graph;
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rten::{Model, NodeId};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use std::path::Path;

/// Images per run of a model that takes any number.
const BATCH: usize = 64;

/// Pixels of a prescribed batch.
const MAX_INPUT: usize = 1 << 28;

/// A float network, ready to run.
pub struct Reference {
    machine: Machine,
    /// The input's extents without the batch axis.
    dims: Vec<usize>,
    /// Images per run, if the model prescribes it.
    batch: Option<usize>,
    outputs: usize,
    /// The file rounds activations, which our graph does not.
    rounds: bool,
}

/// Who computes.
enum Machine {
    /// The engine, from the file's own operators.
    Engine { model: Box<Model>, input: NodeId, output: NodeId },
    /// Our graph, because the engine does not know the model, and why.
    Substitute { graph: Box<Graph>, reason: String },
}

impl Reference {
    /// Reads and prepares a model file.
    ///
    /// # Errors
    /// As [`Reference::load`], naming the file.
    pub fn open(path: &Path) -> Result<Reference> {
        Reference::load(super::read(path)?).map_err(|e| e.in_file(path))
    }

    /// Prepares a model from the bytes of an ONNX file. Where the engine does not know something in it that the compiler does, our own
    /// graph takes the engine's place; see [`Reference::substitute`].
    ///
    /// # Errors
    /// [`crate::error::Kind::Input`] if the file is damaged, has several inputs or outputs, or uses something that neither machine
    /// knows. [`crate::error::Kind::Internal`] if both know it and give different answers.
    pub fn load(bytes: Vec<u8>) -> Result<Reference> {
        let (proto, opset) = onnx::decode(&bytes)?;
        drop(bytes);
        let network = onnx::graph(&proto)?;
        let interface = Interface::of(network)?;
        let order = onnx::live_nodes(network).map_err(|problems| Error { kind: Kind::Input, problems })?;
        let lowered = onnx::lowered(&proto, opset, "reference").ok();
        let pads = lowered.as_ref().map_or_else(onnx::Pads::new, |(_, notes)| notes.pads.clone());
        match (Reference::by_engine(prepared(proto, &order, &pads), &interface), lowered) {
            (Ok(mut reference), Some((graph, notes))) => {
                reference.rounds = !notes.rounded.is_empty();
                agree_on_anything(&reference, &graph).map(|()| reference)
            }
            (Ok(reference), None) => Ok(reference),
            (Err(refusal), Some((graph, _))) => {
                let outputs = graph.node(graph.output).shape.len();
                let reason = refusal.problems.into_iter().map(|p| p.what).collect::<Vec<_>>().join("; ");
                let machine = Machine::Substitute { graph: Box::new(graph), reason };
                Ok(Reference { machine, dims: interface.dims, batch: None, outputs, rounds: false })
            }
            (Err(refusal), None) => Err(refusal),
        }
    }

    /// The model in the engine; `prepared` is for it.
    fn by_engine(prepared: Vec<u8>, interface: &Interface) -> Result<Reference> {
        let refuse = |e: &dyn std::fmt::Display| {
            Problem::new(format!("the float engine cannot run the model: {e}"))
                .help("export the model as 32-bit floats with opset_version=17")
        };
        let model = Model::load(prepared).map_err(|e| refuse(&e))?;
        let input = model.node_id(&interface.input).map_err(|e| refuse(&e))?;
        let output = model.node_id(&interface.output).map_err(|e| refuse(&e))?;
        let machine = Machine::Engine { model: Box::new(model), input, output };
        let mut reference =
            Reference { machine, dims: interface.dims.clone(), batch: interface.batch, outputs: 0, rounds: false };
        let blank = |rows: usize| vec![0.0; reference.pixels().saturating_mul(rows)];
        let rows = interface.batch.unwrap_or(1);
        if reference.pixels().checked_mul(rows).is_none_or(|elements| elements > MAX_INPUT) {
            let what = format!("prescribes a batch of {rows} images, too many for the float engine");
            return Err(Problem::new(what).help("export the model with a batch of 1, or of any size").into());
        }
        let outputs = reference.run(blank(rows), rows)?.ncols();
        // A model can declare any batch and still hold a reshape to a batch of one.
        let takes_any = || reference.run(blank(2), 2).is_ok_and(|two| two.dim() == (2, outputs));
        let batch = interface.batch.or_else(|| if takes_any() { None } else { Some(1) });
        (reference.batch, reference.outputs) = (batch, outputs);
        Ok(reference)
    }

    /// True if the file rounds activations (QuantizeLinear), which the compiler's graph leaves to the integer network.
    pub fn rounds(&self) -> bool {
        self.rounds
    }

    /// Why our own graph computes in place of the engine, if it does: then the float network's figures are no independent ones.
    pub fn substitute(&self) -> Option<&str> {
        match &self.machine {
            Machine::Engine { .. } => None,
            Machine::Substitute { reason, .. } => Some(reason),
        }
    }

    /// Number of pixels of one image.
    pub fn pixels(&self) -> usize {
        self.dims.iter().product()
    }

    /// Number of logits.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The logits, `[B, outputs]`, of `images`, `[B, pixels]`, which the caller has normalised. Runs on all cores.
    ///
    /// # Errors
    /// [`crate::error::Kind::Input`] if the images do not have the size of the network's input, or the engine fails.
    pub fn logits(&self, images: ArrayView2<f32>) -> Result<Array2<f32>> {
        if images.ncols() != self.pixels() {
            return Err(Error::input(format!(
                "the network expects images of {:?} ({} pixels), but these have {} pixels",
                self.dims,
                self.pixels(),
                images.ncols()
            ))
            .help("give images of the size that the network was trained for"));
        }
        let chunks: Vec<ArrayView2<f32>> = images.axis_chunks_iter(Axis(0), self.batch.unwrap_or(BATCH)).collect();
        let logits = chunks.into_par_iter().map(|chunk| {
            // The last chunk of a fixed batch is filled up with blank images.
            let rows = self.batch.unwrap_or(chunk.nrows());
            let mut pixels: Vec<f32> = chunk.iter().copied().collect();
            pixels.resize(rows * self.pixels(), 0.0);
            let mut logits = self.run(pixels, rows)?;
            logits.slice_collapse(ndarray::s![..chunk.nrows(), ..]);
            Ok(logits)
        });
        let logits = logits.collect::<Result<Vec<_>>>()?;
        let views: Vec<ArrayView2<f32>> = logits.iter().map(|part| part.view()).collect();
        if views.is_empty() {
            return Ok(Array2::zeros((0, self.outputs)));
        }
        concatenate(Axis(0), &views)
            .map_err(|_| Error::input("the float engine answers with varying numbers of logits"))
    }

    /// One run on `rows` images.
    fn run(&self, pixels: Vec<f32>, rows: usize) -> Result<Array2<f32>> {
        let failed = |e: &dyn std::fmt::Display| Error::input(format!("the float engine failed: {e}"));
        let (model, input, output) = match &self.machine {
            Machine::Engine { model, input, output } => (model, *input, *output),
            Machine::Substitute { graph, .. } => {
                let images = Array2::from_shape_vec((rows, self.pixels()), pixels).map_err(|e| failed(&e))?;
                return evaluate(graph, images.view());
            }
        };
        let dims: Vec<usize> = std::iter::once(rows).chain(self.dims.iter().copied()).collect();
        let pixels = Tensor::from_data(&dims, pixels);
        let results = model.run(vec![(input, pixels.into())], &[output], None);
        let logits = results.map_err(|e| failed(&e))?.into_iter().next().and_then(|value| value.into_tensor::<f32>());
        let logits = logits.ok_or_else(|| failed(&"its answer is not a tensor of floats"))?;
        let columns = logits.len().checked_div(rows).filter(|columns| columns * rows == logits.len());
        let columns = columns.ok_or_else(|| failed(&"its answer is not one row an image"))?;
        Array2::from_shape_vec((rows, columns), logits.to_vec()).map_err(|e| failed(&e))
    }
}
