//! ONNX: a protobuf file becomes a [`Graph`].
//!
//! `scan` counts before [`proto`] decodes the messages, `interface` finds the one input and output, `order` drops dead nodes and sorts the
//! others, `lower` walks them, `call` is what an operator sees of that, and `ops` holds one file per family of
//! operators with the table of those that are supported.

mod call;
mod interface;
mod lower;
mod ops;
mod order;
pub mod proto;
mod scan;
mod tensor;

pub(super) use interface::Interface;
pub(super) use lower::{Notes, Pads};
pub(super) use order::live_nodes;

use crate::error::{Error, Kind, Problem, Result};
use crate::ir::graph::Graph;
use prost::Message;
use proto::{GraphProto, ModelProto};

/// Versions of the standard operator set whose semantics the lowering knows.
const OPSETS: std::ops::RangeInclusive<i64> = 6..=21;

/// More nodes than this are refused.
const MAX_NODES: usize = 100_000;

/// Lowers the bytes of an ONNX file; `name` becomes the graph's name.
///
/// # Errors
/// [`Kind::Input`] with every problem found: a damaged or foreign file, an unsupported operator set or operator (all
/// of them), shapes that do not fit, parameters that are not finite, cycles, ambiguous names, more than one input or
/// output.
pub fn parse(bytes: &[u8], name: &str) -> Result<Graph> {
    let (model, opset) = decode(bytes)?;
    lowered(&model, opset, name).map(|(graph, _)| graph)
}

/// The graph of a decoded model, and the padding that its windows have in the end, whatever words the file has for it, with what else
/// the graph does not say.
pub(super) fn lowered(model: &ModelProto, opset: i64, name: &str) -> Result<(Graph, Notes)> {
    let proto = graph(model)?;
    let mut problems = Vec::new();
    let interface = Interface::of(proto).map_err(|e| problems.extend(e.problems)).ok();
    let order = live_nodes(proto).map_err(|e| problems.extend(e)).ok();
    let (Some(interface), Some(order)) = (interface, order) else {
        return Err(Error { kind: Kind::Input, problems });
    };
    let (graph, notes) = lower::lower(proto, opset, name, &interface, &order)?;
    // What the lowering lets through must satisfy the stage's own guarantees.
    Error::check(Kind::Input, graph.check())?;
    Ok((graph, notes))
}

/// Decodes a model file and checks its operator set, of which the version is returned.
pub(super) fn decode(bytes: &[u8]) -> Result<(ModelProto, i64)> {
    let nodes = scan::nodes(bytes);
    if nodes > MAX_NODES {
        return Err(Error::input(format!("has {nodes} nodes; {MAX_NODES} are the limit")));
    }
    let advice = "give a model in ONNX format; if it is one, it is damaged: export or fetch it again";
    let model = ModelProto::decode(bytes)
        .map_err(|e| Problem::new(format!("is no ONNX file, or is truncated ({e})")).help(advice))?;
    if model.graph.is_none() {
        return Err(Problem::new("is no ONNX file, or is truncated: it holds no network").help(advice).into());
    }
    let standard = model.opset_import.iter().filter(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
    let Some(version) = standard.map(|set| set.version).max() else {
        return Err(Problem::new("names no version of the standard operators").help(advice).into());
    };
    if !OPSETS.contains(&version) {
        return Err(Problem::new(format!(
            "uses operator set {version}; {} to {} are supported",
            OPSETS.start(),
            OPSETS.end()
        ))
        .help("export with opset_version=17")
        .into());
    }
    Ok((model, version))
}

/// The network of a decoded model, if it is not too large.
pub(super) fn graph(model: &ModelProto) -> Result<&GraphProto> {
    let graph = model.graph.as_ref().ok_or_else(|| Error::input("holds no network"))?;
    if graph.node.len() > MAX_NODES {
        return Err(Error::input(format!("has {} nodes; {MAX_NODES} are the limit", graph.node.len())));
    }
    Ok(graph)
}

/// What a node is called in messages and in the graph: its name, else its first result's, else its place.
fn label(graph: &GraphProto, index: usize) -> String {
    let Some(node) = graph.node.get(index) else { return format!("#{index}") };
    let names = std::iter::once(&node.name).chain(&node.output);
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_else(|| format!("{} #{index}", node.op_type))
}
