//! Builds small ONNX files from the crate's own messages.
#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use prost::Message;
use synfire::frontends::onnx::proto::*;

/// A float constant.
pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (dims, float_data) = (dims.to_vec(), values.to_vec());
    TensorProto { name: name.into(), data_type: data_type::FLOAT, dims, float_data, ..Default::default() }
}

/// A float constant of small, reproducible values.
pub fn weights(name: &str, dims: &[i64]) -> TensorProto {
    let count = dims.iter().product::<i64>() as usize;
    let seed = name.bytes().map(usize::from).sum::<usize>();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919 + seed * 31) % 41) as f32 / 20.0 - 1.0).collect();
    floats(name, dims, &values)
}

/// An integer constant of rank 1.
pub fn ints(name: &str, values: &[i64]) -> TensorProto {
    let (dims, int64_data) = (vec![values.len() as i64], values.to_vec());
    TensorProto { name: name.into(), data_type: data_type::INT64, dims, int64_data, ..Default::default() }
}

/// A node of the standard operators with one result.
pub fn node(op_type: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op_type.into(),
        name: format!("{op_type}_{output}"),
        input: inputs.iter().map(|name| name.to_string()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// Attributes in the manner of a builder.
pub trait With {
    fn int(self, name: &str, value: i64) -> Self;
    fn float(self, name: &str, value: f32) -> Self;
    fn ints(self, name: &str, values: &[i64]) -> Self;
    fn tensor(self, name: &str, value: TensorProto) -> Self;
}

impl With for NodeProto {
    fn int(mut self, name: &str, i: i64) -> Self {
        self.attribute.push(AttributeProto { name: name.into(), i, r#type: attribute_type::INT, ..Default::default() });
        self
    }
    fn float(mut self, name: &str, f: f32) -> Self {
        self.attribute.push(AttributeProto {
            name: name.into(),
            f,
            r#type: attribute_type::FLOAT,
            ..Default::default()
        });
        self
    }
    fn ints(mut self, name: &str, values: &[i64]) -> Self {
        let ints = values.to_vec();
        self.attribute.push(AttributeProto {
            name: name.into(),
            ints,
            r#type: attribute_type::INTS,
            ..Default::default()
        });
        self
    }
    fn tensor(mut self, name: &str, value: TensorProto) -> Self {
        let t = Some(value);
        self.attribute.push(AttributeProto {
            name: name.into(),
            t,
            r#type: attribute_type::TENSOR,
            ..Default::default()
        });
        self
    }
}

/// A float tensor at the border; -1 stands for the extent `N`.
pub fn border(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| match size {
        -1 => DimensionProto { dim_value: None, dim_param: Some("N".into()) },
        size => DimensionProto { dim_value: Some(size), dim_param: None },
    };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor_type = TensorTypeProto { elem_type: data_type::FLOAT, shape: Some(shape) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

/// A model with the input `x` of `[N, dims…]` and the output `y`.
pub fn model(opset: i64, dims: &[i64], nodes: Vec<NodeProto>, constants: Vec<TensorProto>) -> ModelProto {
    let input: Vec<i64> = std::iter::once(-1).chain(dims.iter().copied()).collect();
    let mut output = border("y", &[]);
    output.r#type = Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type: data_type::FLOAT, shape: None }) });
    let graph = GraphProto {
        node: nodes,
        name: "test".into(),
        initializer: constants,
        input: vec![border("x", &input)],
        output: vec![output],
    };
    ModelProto {
        ir_version: 8,
        producer_name: "test".into(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: opset }],
    }
}

/// The network of a model, to be changed.
pub fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_mut().expect("test models hold a graph")
}

/// The bytes of the file.
pub fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}
