//! The border of a model: one input with a batch axis, one output.

use super::proto::{GraphProto, TensorShapeProto, ValueInfoProto, data_type};
use crate::error::{Error, Kind, Problem};
use std::collections::HashSet;

/// More elements in one activation than this are refused.
pub(super) const MAX_ELEMENTS: usize = 1 << 24;

/// Input and output of a model.
pub(in crate::frontends) struct Interface {
    /// Name of the input value.
    pub input: String,
    /// The batch axis' extent, if the model fixes it.
    pub batch: Option<usize>,
    /// The input's other extents.
    pub dims: Vec<usize>,
    /// Name of the output value.
    pub output: String,
    /// The output's extents without the batch axis, where the file states them all.
    pub output_dims: Option<Vec<usize>>,
}

impl Interface {
    /// Finds and checks the border.
    pub(in crate::frontends) fn of(graph: &GraphProto) -> Result<Interface, Error> {
        // Before format version 4, weights were listed among the inputs too.
        let weights: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|info| !weights.contains(info.name.as_str())).collect();
        let outputs: Vec<&ValueInfoProto> = graph.output.iter().collect();
        let input = only(&inputs, "input").and_then(|info| Ok((info.name.clone(), input_dims(info)?)));
        let output = only(&outputs, "output");
        match (input, output) {
            (Ok((input, (batch, dims))), Ok(output)) => {
                let (output, output_dims) = (output.name.clone(), output_dims(output));
                Ok(Interface { input, batch, dims, output, output_dims })
            }
            (input, output) => {
                let problems = input.err().into_iter().chain(output.err()).collect();
                Err(Error { kind: Kind::Input, problems })
            }
        }
    }
}

fn only<'a>(infos: &[&'a ValueInfoProto], what: &str) -> Result<&'a ValueInfoProto, Problem> {
    match infos {
        [info] => Ok(info),
        [] => Err(Problem::new(format!("the network has no {what}"))),
        _ => {
            let names: Vec<String> = infos.iter().take(8).map(|info| format!("'{}'", info.name)).collect();
            let more = if infos.len() > names.len() { ", …" } else { "" };
            Err(Problem::new(format!(
                "the network has {} {what}s ({}{more}); one is supported",
                infos.len(),
                names.join(", ")
            ))
            .help(format!("export the model with a single {what}")))
        }
    }
}

fn shape(info: &ValueInfoProto) -> Option<&TensorShapeProto> {
    info.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()
}

/// The extent of the batch axis, if fixed, and the other extents.
fn input_dims(info: &ValueInfoProto) -> Result<(Option<usize>, Vec<usize>), Problem> {
    let problem = |what: String| Problem::new(what).at_node(&info.name);
    let export = "export the model for an input of fixed size, such as [N, 784] or [N, 1, 28, 28]";
    let kind = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).map(|t| t.elem_type);
    match kind {
        Some(data_type::FLOAT) => {}
        Some(kind) => {
            let what = format!("is an input of type {}; FLOAT is supported", data_type::name(kind));
            return Err(problem(what).help("export the model for pixels as 32-bit floats"));
        }
        None => return Err(problem("is an input that is no tensor".into()).help(export)),
    }
    let shape = shape(info).ok_or_else(|| problem("is an input without a shape".into()).help(export))?;
    let Some((batch, rest)) = shape.dim.split_first() else {
        return Err(problem("is a scalar input".into()).help(export));
    };
    if rest.is_empty() {
        return Err(problem("is an input of rank 1, without a batch axis".into()).help(export));
    }
    let mut dims = Vec::with_capacity(rest.len());
    for (axis, dim) in rest.iter().enumerate() {
        match dim.dim_value {
            Some(size) if size > 0 => dims.push(usize::try_from(size).unwrap_or(usize::MAX)),
            Some(size) => return Err(problem(format!("is an input of size {size} along axis {}", axis + 1))),
            None => {
                let name = dim.dim_param.as_deref().filter(|name| !name.is_empty());
                let name = name.map_or(String::new(), |name| format!(" ('{name}')"));
                return Err(
                    problem(format!("is an input whose axis {}{name} has no fixed size", axis + 1)).help(export)
                );
            }
        }
    }
    let elements = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_ELEMENTS);
    if elements.is_none() {
        return Err(problem(format!("is an input of {dims:?} elements; {MAX_ELEMENTS} are the limit")));
    }
    // Exporters write 0 or -1 for an unknown batch.
    let batch = batch.dim_value.and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0);
    Ok((batch, dims))
}

fn output_dims(info: &ValueInfoProto) -> Option<Vec<usize>> {
    let (_, rest) = shape(info)?.dim.split_first()?;
    rest.iter().map(|dim| dim.dim_value.and_then(|size| usize::try_from(size).ok()).filter(|&size| size > 0)).collect()
}
