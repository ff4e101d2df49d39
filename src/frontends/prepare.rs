//! Prepares model files for the float engine, without changing what they compute.

use super::onnx::Pads;
use super::onnx::proto::{AttributeProto, ModelProto, NodeProto, attribute_type};
use prost::Message;
use std::collections::HashMap;

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

/// The bytes of a model for the engine: the nodes `order` alone, in that order, in today's dialect. Windows get the padding `pads`
/// (by index of the node in the file) in numbers, because the engine takes SAME_LOWER for SAME_UPPER.
///
/// Dropout outside training becomes Identity, attributes of old operator sets vanish, and so does all that
/// [`super::onnx::proto`] does not name, above all nested subgraphs, with which a hostile file could exhaust the
/// engine's stack.
pub(super) fn prepared(mut model: ModelProto, order: &[usize], pads: &Pads) -> Vec<u8> {
    if let Some(graph) = &mut model.graph {
        let mut nodes = std::mem::take(&mut graph.node);
        graph.node = order.iter().filter_map(|&index| nodes.get_mut(index).map(std::mem::take)).collect();
        let ranks: HashMap<&str, usize> =
            graph.initializer.iter().map(|t| (t.name.as_str(), t.dims.len().saturating_sub(2))).collect();
        for (node, index) in graph.node.iter_mut().zip(order) {
            drop_attributes(node);
            replace_dropout(node);
            state_defaults(node, &ranks, pads.get(index));
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

/// Writes out strides, dilations and pads that are left to their default, for which the engine does not count the dimensions.
fn state_defaults(node: &mut NodeProto, ranks: &HashMap<&str, usize>, pads: Option<&Vec<i64>>) {
    let names: &[&str] = match node.op_type.as_str() {
        "Conv" => &["strides", "dilations"],
        "AveragePool" | "MaxPool" => &["strides"],
        _ => return,
    };
    let kernel = node.attribute.iter().find(|a| a.name == "kernel_shape").map(|a| a.ints.len());
    let weights = || node.input.get(1).and_then(|name| ranks.get(name.as_str())).copied();
    // Images have two dimensions unless something says otherwise.
    let rank = kernel.or_else(weights).filter(|rank| (1..=2).contains(rank)).unwrap_or(2);
    // The engine does not know VALID, which is no padding whatever the pads say.
    let valid = node.attribute.iter().any(|a| a.name == "auto_pad" && a.s == b"VALID");
    let replaced = valid || pads.is_some();
    node.attribute.retain(|a| !(replaced && matches!(a.name.as_str(), "auto_pad" | "pads")));
    let automatic = node.attribute.iter().any(|a| a.name == "auto_pad" && a.s.starts_with(b"SAME"));
    let missing = |name: &str, node: &NodeProto| node.attribute.iter().all(|a| a.name != name);
    if !automatic && missing("pads", node) {
        let ints = pads.cloned().unwrap_or_else(|| vec![0; 2 * rank]);
        let (name, r#type) = ("pads".into(), attribute_type::INTS);
        node.attribute.push(AttributeProto { name, ints, r#type, ..Default::default() });
    }
    for name in names {
        if missing(name, node) {
            let (name, ints, r#type) = (name.to_string(), vec![1; rank], attribute_type::INTS);
            node.attribute.push(AttributeProto { name, ints, r#type, ..Default::default() });
        }
    }
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
