//! One node of a model as its operator sees it: inputs, attributes, and the graph to add to.

use super::interface::MAX_ELEMENTS;
use super::label;
use super::lower::Lowering;
use super::proto::{AttributeProto, NodeProto};
use super::tensor::Tensor;
use crate::ir::Shape;
use crate::ir::graph::{Node, NodeId, Op};
use ndarray::{Array1, ArrayD};

/// More parameters than this, counted at every use, are refused: a small file could otherwise use one weight a thousand
/// times.
const MAX_PARAMETERS: usize = 1 << 27;

/// More elements than this in all activations together are refused; a ResNet-50
/// at 224×224 has half.
const MAX_ALL_ELEMENTS: usize = 1 << 26;

/// A constant that is computed while reading may have so many elements.
pub(super) const MAX_CONSTANT: usize = 1 << 24;

/// An activation as the model file sees it.
#[derive(Clone, Debug)]
pub(super) struct Activation {
    /// The node of the graph that computes it.
    pub node: NodeId,
    /// Its extents in the file, without the batch axis. (The graph's own shape is `[N]` or `[C, H, W]`.)
    pub dims: Vec<usize>,
}

impl Activation {
    /// Number of elements of one image.
    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }
}

/// What a name in the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Activation(Activation),
    Constant(Tensor),
    /// Could not be computed; the reason has been reported where it arose.
    Broken,
}

/// A result, or why there is none.
pub(super) type Outcome<T> = Result<T, Stop>;

/// Why an operator has no result.
pub(super) enum Stop {
    /// To be reported at this node.
    Refused { what: String, help: Option<String> },
    /// Reported already, at an earlier node.
    Upstream,
}

impl Stop {
    /// A refusal without advice.
    pub(super) fn new(what: impl Into<String>) -> Stop {
        Stop::Refused { what: what.into(), help: None }
    }

    /// A refusal with advice.
    pub(super) fn with_help(what: impl Into<String>, help: impl Into<String>) -> Stop {
        Stop::Refused { what: what.into(), help: Some(help.into()) }
    }
}

/// The shape that the graph gives an activation with these extents.
pub(super) fn canonical(dims: &[usize]) -> Shape {
    match *dims {
        [h, w] => Shape(vec![1, h, w]),
        [_] | [_, _, _] => Shape(dims.to_vec()),
        _ => Shape(vec![dims.iter().product()]),
    }
}

/// One node that is being lowered: its inputs, its attributes, and the graph to add to.
pub(super) struct Call<'l, 'a> {
    pub(super) lowering: &'l mut Lowering<'a>,
    pub(super) node: &'a NodeProto,
    pub(super) index: usize,
}

impl Call<'_, '_> {
    /// The version of the operator set.
    pub(super) fn opset(&self) -> i64 {
        self.lowering.opset
    }

    /// The batch axis' extent, if the model fixes it.
    pub(super) fn batch(&self) -> Option<usize> {
        self.lowering.batch
    }

    /// Number of inputs, trailing omitted ones included.
    pub(super) fn input_count(&self) -> usize {
        self.node.input.len()
    }

    /// True unless the optional input `i` is omitted.
    pub(super) fn has_input(&self, i: usize) -> bool {
        self.node.input.get(i).is_some_and(|name| !name.is_empty())
    }

    /// Input `i`, whatever it is (but not broken).
    pub(super) fn value(&mut self, i: usize) -> Outcome<Value> {
        let name = self.node.input.get(i).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Stop::new(format!("lacks its input {i}")))?;
        let lowering = &mut *self.lowering;
        let value = match (lowering.values.get(name.as_str()), lowering.initializers.get(name.as_str())) {
            (Some(Value::Broken), _) => return Err(Stop::Upstream),
            (Some(value), _) => value.clone(),
            (None, Some(tensor)) => {
                let decoded = Tensor::decode(tensor);
                let broken = |what| {
                    let help =
                        "the file is damaged, or stores its weights in a way that is not supported: export it again";
                    Stop::with_help(format!("its constant '{name}' {what}"), help)
                };
                Value::Constant(decoded.map_err(broken)?)
            }
            (None, None) => return Err(Stop::new(format!("reads '{name}', which is no result that synfire computes"))),
        };
        if let Value::Constant(tensor) = &value {
            lowering.parameters = lowering.parameters.saturating_add(tensor.len());
            if lowering.parameters > MAX_PARAMETERS {
                return Err(Stop::new(format!("brings the number of parameters above the limit of {MAX_PARAMETERS}")));
            }
            // Computations with shapes have empty lists of integers.
            if tensor.len() == 0 && matches!(tensor, Tensor::Floats(_)) {
                return Err(Stop::new(format!("its constant '{name}' of extents {:?} has no elements", tensor.dims())));
            }
        }
        Ok(value)
    }

    /// Input `i`, which must be an activation.
    pub(super) fn activation(&mut self, i: usize) -> Outcome<Activation> {
        match self.value(i)? {
            Value::Activation(activation) => Ok(activation),
            _ => Err(Stop::with_help(
                format!("its input {i} is a constant where an activation is supported"),
                "let the exporter fold constants",
            )),
        }
    }

    /// Input `i`, which must be a constant.
    pub(super) fn constant(&mut self, i: usize) -> Outcome<Tensor> {
        match self.value(i)? {
            Value::Constant(tensor) => Ok(tensor),
            _ => Err(Stop::new(format!("its input {i} is computed by the network; a constant is supported"))),
        }
    }

    /// Elements of input `i`, if it is a constant; no copy is made of it. 0 for everything else.
    pub(super) fn constant_len(&self, i: usize) -> usize {
        let Some(name) = self.node.input.get(i).map(String::as_str) else { return 0 };
        match (self.lowering.values.get(name), self.lowering.initializers.get(name)) {
            (Some(Value::Constant(tensor)), _) => tensor.len(),
            (None, Some(tensor)) => {
                let extents = tensor.dims.iter().map(|&extent| usize::try_from(extent).unwrap_or(0));
                extents.fold(1, usize::saturating_mul)
            }
            _ => 0,
        }
    }

    /// The element type of the constant that input `i` names, if the file states it there.
    pub(super) fn data_type(&self, i: usize) -> Option<i32> {
        let name = self.node.input.get(i)?.as_str();
        let tensor = self.lowering.initializers.get(name).map(|tensor| tensor.data_type);
        tensor.or_else(|| self.lowering.types.get(name).copied())
    }

    /// Input `i`, which must be a constant of finite floats.
    pub(super) fn floats(&mut self, i: usize) -> Outcome<ArrayD<f32>> {
        let floats = self.constant(i)?.into_floats();
        self.finite(i, &floats)?;
        Ok(floats)
    }

    /// Refuses NaN and infinity in the constant input `i`.
    pub(super) fn finite(&self, i: usize, floats: &ArrayD<f32>) -> Outcome<()> {
        let Some((at, value)) = floats.iter().enumerate().find(|(_, x)| !x.is_finite()) else { return Ok(()) };
        let total = floats.iter().filter(|x| !x.is_finite()).count();
        let name = self.node.input.get(i).map_or("", String::as_str);
        Err(Stop::with_help(
            format!("its constant '{name}' holds {total} values that are NaN or infinite, the first ({value}) at {at}"),
            "train or export the model again",
        ))
    }

    /// Input `i`, which must be a constant of integers.
    pub(super) fn ints(&mut self, i: usize) -> Outcome<Vec<i64>> {
        match self.constant(i)? {
            Tensor::Ints(array) => Ok(array.iter().copied().collect()),
            Tensor::Floats(_) => Err(Stop::new(format!("its input {i} holds floats where integers are needed"))),
        }
    }

    /// An integer attribute.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|a| a.i)
    }

    /// A float attribute.
    pub(super) fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).map(|a| a.f)
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.node.attribute.iter().find(|a| a.name == name)
    }

    /// Adds a node that computes `op` of `inputs`; in the file, its result has the extents `dims`.
    pub(super) fn emit(&mut self, op: Op, inputs: &[&Activation], dims: Vec<usize>) -> Outcome<Activation> {
        let shape = canonical(&dims);
        self.emit_shaped(op, inputs, dims, shape)
    }

    /// Like [`Call::emit`], with a shape of its own in the graph.
    pub(super) fn emit_shaped(
        &mut self,
        op: Op,
        inputs: &[&Activation],
        dims: Vec<usize>,
        shape: Shape,
    ) -> Outcome<Activation> {
        let elements = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_ELEMENTS);
        match elements {
            Some(0) => return Err(Stop::new(format!("computes nothing: its result has the extents {dims:?}"))),
            Some(_) => {}
            None => return Err(Stop::new(format!("computes {dims:?} elements; {MAX_ELEMENTS} are the limit"))),
        }
        let all = &mut self.lowering.elements;
        *all = all.saturating_add(elements.unwrap_or(0));
        if *all > MAX_ALL_ELEMENTS {
            return Err(Stop::new(format!("brings the elements of all activations above {MAX_ALL_ELEMENTS}")));
        }
        let id = NodeId(self.lowering.nodes.len());
        let name = label(self.lowering.proto, self.index);
        let inputs = inputs.iter().map(|a| a.node).collect();
        self.lowering.nodes.push(Node { name, op, inputs, shape });
        Ok(Activation { node: id, dims })
    }

    /// Adds a node that computes `op` of `x` alone, element by element.
    pub(super) fn emit_like(&mut self, op: Op, x: &Activation) -> Outcome<Activation> {
        self.emit_shaped(op, &[x], x.dims.clone(), self.shape(x).clone())
    }

    /// The same activation under another shape in the graph; the file's extents stay.
    pub(super) fn shaped(&mut self, x: &Activation, shape: Shape) -> Outcome<Activation> {
        if *self.shape(x) == shape {
            return Ok(x.clone());
        }
        self.emit_shaped(Op::Reshape, &[x], x.dims.clone(), shape)
    }

    /// Shape of an activation in the graph.
    pub(super) fn shape(&self, x: &Activation) -> &Shape {
        &self.lowering.nodes[x.node.0].shape
    }

    /// The upper end of the ReLU behind input `i`, if nothing else reads that node's result: then it may be changed.
    pub(super) fn end_of_sole_relu(&mut self, i: usize, x: &Activation) -> Option<&mut Option<f32>> {
        let name = self.node.input.get(i)?;
        if self.lowering.reads.get(name.as_str()) != Some(&1) {
            return None;
        }
        match &mut self.lowering.nodes.get_mut(x.node.0)?.op {
            Op::Relu { max } => Some(max),
            _ => None,
        }
    }

    /// The bias of the dense node behind input `i`, if nothing else reads that node's result: then it may be changed.
    pub(super) fn bias_of_sole_dense(&mut self, i: usize, x: &Activation) -> Option<&mut Array1<f32>> {
        let name = self.node.input.get(i)?;
        if self.lowering.reads.get(name.as_str()) != Some(&1) {
            return None;
        }
        match &mut self.lowering.nodes.get_mut(x.node.0)?.op {
            Op::Dense { bias, .. } => Some(bias),
            _ => None,
        }
    }
}
