//! The walk over the nodes of a model.

use super::call::{Activation, Call, Outcome, Stop, Value, canonical};
use super::interface::Interface;
use super::label;
use super::ops;
use super::proto::{GraphProto, NodeProto, TensorProto};
use crate::error::{Error, Kind, Problem, Result};
use crate::ir::Shape;
use crate::ir::graph::{Graph, Node, NodeId, Op};
use std::collections::{BTreeSet, HashMap};

/// Constants that nodes have computed may take so many bytes at a time. Those that the file itself holds do not count.
const MAX_HELD: usize = 1 << 27;
/// The padding of the windows of the file's nodes, by index into `proto.node`: before the axes behind the channels, then behind them,
/// as ONNX lists `pads`.
pub(in crate::frontends) type Pads = HashMap<usize, Vec<i64>>;

/// What the lowering knows beside the graph.
#[derive(Default)]
pub(in crate::frontends) struct Notes {
    pub(in crate::frontends) pads: Pads,
    /// Activations that the file rounds, by node of the graph, with scale and zero point. The graph does not round.
    pub(in crate::frontends) rounded: HashMap<usize, (f32, f32)>,
}

/// Lowers the nodes `order` (indices into `proto.node`, sorted) and gathers the problems of all of them.
pub(super) fn lower(
    proto: &GraphProto,
    opset: i64,
    name: &str,
    interface: &Interface,
    order: &[usize],
) -> Result<(Graph, Notes)> {
    let mut lowering = Lowering::new(proto, opset, interface, order);
    let mut problems = Vec::new();
    let mut advised = BTreeSet::new();
    for &index in order {
        let node = &proto.node[index];
        let outcome = match lowering.unread_results(node) {
            Ok(()) => lowering.lower_node(index, node),
            Err(stop) => Err(stop),
        };
        let value = outcome.unwrap_or_else(|stop| {
            if let Stop::Refused { what, help } = stop {
                let problem = Problem::new(what).at_node(label(proto, index));
                // The same advice twenty times would hide the list of nodes.
                let help = help.filter(|help| advised.insert(help.clone()));
                problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
            Value::Broken
        });
        if let Some(output) = node.output.first() {
            lowering.values.insert(output, value);
        }
        lowering.release(node);
    }
    match lowering.values.remove(interface.output.as_str()) {
        Some(Value::Activation(output)) => {
            if interface.output_dims.as_ref().is_some_and(|declared| *declared != output.dims) {
                problems.push(
                    Problem::new(format!(
                        "the file declares the output as {:?} a sample, but its nodes compute {:?}",
                        interface.output_dims.as_deref().unwrap_or_default(),
                        output.dims
                    ))
                    .at_node(&interface.output),
                );
            }
            Error::check(Kind::Input, problems)?;
            let mut graph = Graph { name: name.to_string(), nodes: lowering.nodes, output: output.node };
            input_as_read(&mut graph);
            Ok((graph, lowering.notes))
        }
        Some(Value::Constant(_)) => {
            problems.push(Problem::new("the output does not depend on the input").at_node(&interface.output));
            Err(Error { kind: Kind::Input, problems })
        }
        _ => {
            if problems.is_empty() {
                problems.push(Problem::new("the output is not the first result of a node").at_node(&interface.output));
            }
            Err(Error { kind: Kind::Input, problems })
        }
    }
}

/// Gives the input the shape of an image if that is how the network reads it first: a signal `[C, L]` that a convolution along one
/// axis takes for `[C, 1, L]`, or a row of pixels that the model itself makes an image. What is said per channel (the
/// normalisation, the pixel that is silent) then means the channels that the network sees.
fn input_as_read(graph: &mut Graph) {
    let mut image: Option<&Shape> = None;
    for node in graph.nodes.iter().filter(|node| node.inputs.contains(&NodeId(0))) {
        let flat = node.shape.0.len() == 1;
        if !matches!(node.op, Op::Reshape) || (!flat && image.is_some_and(|shape| *shape != node.shape)) {
            return;
        }
        if !flat {
            image = Some(&node.shape);
        }
    }
    if let Some(shape) = image.cloned() {
        graph.nodes[0].shape = shape;
    }
}

/// What has been lowered so far.
pub(super) struct Lowering<'a> {
    pub(super) opset: i64,
    pub(super) nodes: Vec<Node>,
    pub(super) values: HashMap<&'a str, Value>,
    pub(super) initializers: HashMap<&'a str, &'a TensorProto>,
    /// Element types of the constants that are written as nodes.
    pub(super) types: HashMap<&'a str, i32>,
    /// How many times each value is read by live nodes or as the output.
    pub(super) reads: HashMap<&'a str, usize>,
    /// How many of these are still to come.
    unread: HashMap<&'a str, usize>,
    /// Bytes of each computed constant that is still to be read.
    held: HashMap<&'a str, usize>,
    pub(super) batch: Option<usize>,
    pub(super) parameters: usize,
    /// Elements of all activations.
    pub(super) elements: usize,
    pub(super) proto: &'a GraphProto,
    pub(super) notes: Notes,
    /// How many times each value is read by a DequantizeLinear.
    pub(super) dequantised: HashMap<&'a str, usize>,
}

impl<'a> Lowering<'a> {
    fn new(proto: &'a GraphProto, opset: i64, interface: &'a Interface, order: &[usize]) -> Self {
        let input = Node {
            name: interface.input.clone(),
            op: Op::Input,
            inputs: Vec::new(),
            shape: canonical(&interface.dims),
        };
        let activation = Activation { node: NodeId(0), dims: interface.dims.clone() };
        let mut reads = HashMap::from([(interface.output.as_str(), 1)]);
        for name in order.iter().flat_map(|&index| &proto.node[index].input) {
            *reads.entry(name.as_str()).or_default() += 1;
        }
        let mut dequantised = HashMap::new();
        let readers = order.iter().map(|&index| &proto.node[index]).filter(|node| node.op_type == "DequantizeLinear");
        for name in readers.filter_map(|node| node.input.first()) {
            *dequantised.entry(name.as_str()).or_default() += 1;
        }
        Lowering {
            opset,
            nodes: vec![input],
            values: HashMap::from([(interface.input.as_str(), Value::Activation(activation))]),
            types: HashMap::new(),
            initializers: proto.initializer.iter().map(|t| (t.name.as_str(), t)).collect(),
            unread: reads.clone(),
            reads,
            held: HashMap::new(),
            batch: interface.batch,
            parameters: 0,
            elements: 0,
            proto,
            notes: Notes::default(),
            dequantised,
        }
    }

    fn lower_node(&mut self, index: usize, node: &'a NodeProto) -> Outcome<Value> {
        let standard = matches!(node.domain.as_str(), "" | "ai.onnx");
        let Some(operator) = ops::find(&node.op_type).filter(|_| standard) else {
            let domain = if standard { String::new() } else { format!("{}.", node.domain) };
            let what = format!("the operator {domain}{} is not supported", node.op_type);
            return Err(Stop::with_help(what, ops::advice(&node.op_type)));
        };
        if let ("Constant", Some(output)) = (node.op_type.as_str(), node.output.first()) {
            let tensors = node.attribute.iter().filter_map(|a| a.t.as_ref());
            self.types.extend(tensors.map(|tensor| (output.as_str(), tensor.data_type)));
        }
        let value = operator(&mut Call { lowering: self, node, index })?;
        if let (Value::Constant(tensor), Some(output)) = (&value, node.output.first())
            && node.op_type != "Constant"
        {
            self.held.insert(output, tensor.bytes());
            if self.held.values().fold(0, |sum: usize, bytes| sum.saturating_add(*bytes)) > MAX_HELD {
                self.held.remove(output.as_str());
                let what = format!("brings the constants that are held at a time above {} MiB", MAX_HELD >> 20);
                return Err(Stop::with_help(what, "let the exporter fold constants"));
            }
        }
        Ok(value)
    }

    /// Lets go of the constants that nobody reads after `node`.
    fn release(&mut self, node: &'a NodeProto) {
        for name in &node.input {
            let Some(left) = self.unread.get_mut(name.as_str()) else { continue };
            *left = left.saturating_sub(1);
            if *left == 0 && matches!(self.values.get(name.as_str()), Some(Value::Constant(_))) {
                self.values.remove(name.as_str());
                self.held.remove(name.as_str());
            }
        }
    }

    /// All operators here have one result; masks and statistics exist in training only.
    fn unread_results(&self, node: &NodeProto) -> Outcome<()> {
        match node.output.iter().skip(1).find(|name| !name.is_empty() && self.reads.contains_key(name.as_str())) {
            Some(name) => {
                Err(Stop::new(format!("has a second result '{name}' that is used; only the first is supported")))
            }
            None => Ok(()),
        }
    }
}
