//! Makes old files digestible for the float engine, without changing what they compute.

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

/// The bytes of the model for the engine: rewritten if they hold something that it refuses, otherwise as they are.
///
/// Dropout outside training becomes Identity, and attributes of old operator sets vanish.
pub(super) fn modernised(bytes: Vec<u8>, mut model: ModelProto) -> Vec<u8> {
    let mut changed = false;
    for node in model.graph.iter_mut().flat_map(|graph| &mut graph.node) {
        changed |= drop_attributes(node) | replace_dropout(node);
    }
    if changed { model.encode_to_vec() } else { bytes }
}

fn drop_attributes(node: &mut NodeProto) -> bool {
    let before = node.attribute.len();
    let harmless = |name: &str, value: i64| {
        let mut same = DROPPED.iter().filter(|(op, attribute, _)| *op == node.op_type && *attribute == name);
        same.any(|(_, _, only)| only.is_none_or(|only| only == value))
    };
    node.attribute.retain(|a| !harmless(&a.name, a.i));
    node.attribute.len() < before
}

/// The lowering refuses Dropout in training mode, or with a mask that is used.
fn replace_dropout(node: &mut NodeProto) -> bool {
    if node.op_type != "Dropout" || node.input.len() > 2 {
        return false;
    }
    node.op_type = "Identity".into();
    node.attribute.clear();
    node.input.truncate(1);
    node.output.truncate(1);
    true
}
