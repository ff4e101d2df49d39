//! Prepares model files for the float engine, without changing what they compute.

use super::onnx::proto::{ModelProto, NodeProto};
use prost::Message;

/// Attributes that newer operator sets dropped, with the value at which dropping them changes nothing.
const DROPPED: &[(&str, &str, Option<i64>)] = &[
    ("BatchNormalization", "is_test", Some(1)),
    ("BatchNormalization", "spatial", Some(1)),
    ("Add", "broadcast", Some(1)),
    ("Sub", "broadcast", Some(1)),
    ("Mul", "broadcast", Some(1)),
    ("Div", "broadcast", Some(1)),
    ("Gemm", "broadcast", Some(1)),
    ("Relu", "consumed_inputs", None),
    ("Add", "consumed_inputs", None),
    ("BatchNormalization", "consumed_inputs", None),
];

/// The bytes of a model for the engine: the nodes `order` alone, in that order, in today's dialect.
///
/// Dropout outside training becomes Identity, attributes of old operator sets vanish, and so does all that
/// [`super::onnx::proto`] does not name, above all nested subgraphs, with which a hostile file could exhaust the
/// engine's stack.
pub(super) fn prepared(mut model: ModelProto, order: &[usize]) -> Vec<u8> {
    if let Some(graph) = &mut model.graph {
        let mut nodes = std::mem::take(&mut graph.node);
        graph.node = order.iter().filter_map(|&index| nodes.get_mut(index).map(std::mem::take)).collect();
        for node in &mut graph.node {
            drop_attributes(node);
            replace_dropout(node);
        }
    }
    model.encode_to_vec()
}

fn drop_attributes(node: &mut NodeProto) {
    let harmless = |name: &str, value: i64| {
        let mut same = DROPPED.iter().filter(|(op, attribute, _)| *op == node.op_type && *attribute == name);
        same.any(|(_, _, only)| only.is_none_or(|only| only == value))
    };
    node.attribute.retain(|a| !harmless(&a.name, a.i));
}

/// A third input could switch training on; the lowering refuses that, and masks that are used.
fn replace_dropout(node: &mut NodeProto) {
    if node.op_type == "Dropout" && node.input.len() <= 2 {
        node.op_type = "Identity".into();
        node.attribute.clear();
        node.input.truncate(1);
        node.output.truncate(1);
    }
}
