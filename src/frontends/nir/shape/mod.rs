//! Shapes: what a primitive takes and gives, found out without looking at weights.

mod fields;
mod infer;
mod window;

pub(super) use fields::field;
pub(super) use infer::{Shapes, infer};
pub(super) use window::{Conv, Window};

use super::kind::Kind;
use super::model::Unit;
use fields::{extents, sane, signed};

/// Values that a node may hold; a larger one is refused.
const MAX_VALUES: usize = 1 << 24;

/// How a primitive treats shapes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Geometry {
    /// Input, Output.
    Same,
    /// Affine, Linear: `[lead…, inputs] → [lead…, outputs]`.
    Dense { inputs: usize, outputs: usize },
    /// Conv1d, Conv2d.
    Conv(Conv),
    /// SumPool2d, AvgPool2d.
    Pool(Window),
    /// Flatten.
    Flatten { start: i64, end: i64 },
    /// One value in, one out: Scale, Threshold, Delay and the neurons. The shape is that of the parameters.
    Elementwise(Vec<usize>),
}

/// A primitive's geometry, and the shape of its input as far as the node itself tells it.
pub(super) struct Spec {
    pub geometry: Geometry,
    pub declared: Option<Vec<usize>>,
}

impl Spec {
    /// Reads a primitive. Everything that is wrong with it comes back as texts that follow on its name.
    pub fn of(unit: &Unit) -> Result<Spec, Vec<String>> {
        let wrong = sane(unit);
        let spec = Spec::parse(unit).map_err(|e| wrong.iter().cloned().chain([e]).collect::<Vec<_>>())?;
        if wrong.is_empty() { Ok(spec) } else { Err(wrong) }
    }

    fn parse(unit: &Unit) -> Result<Spec, String> {
        let (geometry, declared) = match unit.kind {
            Kind::Input | Kind::Output => (Geometry::Same, Some(extents(unit, "shape")?)),
            Kind::Affine | Kind::Linear => dense(unit)?,
            Kind::Conv1d | Kind::Conv2d => {
                let (conv, declared) = Conv::of(unit)?;
                (Geometry::Conv(conv), declared)
            }
            Kind::SumPool2d | Kind::AvgPool2d => (Geometry::Pool(window::pool(unit)?), None),
            Kind::Flatten => {
                let (start, end) = (signed(unit, "start_dim", 1)?, signed(unit, "end_dim", -1)?);
                (Geometry::Flatten { start, end }, Some(extents(unit, "input_type")?))
            }
            _ => elementwise(unit)?,
        };
        if let Some(shape) = &declared {
            bounded(shape)?;
        }
        Ok(Spec { geometry, declared })
    }

    /// The shape of the output for an input of this shape.
    pub fn output(&self, input: &[usize]) -> Result<Vec<usize>, String> {
        if let Some(declared) = self.declared.as_deref().filter(|declared| *declared != input) {
            return Err(format!("its input has the shape {input:?}, but it is made for {declared:?}"));
        }
        let output = match &self.geometry {
            Geometry::Same => input.to_vec(),
            Geometry::Dense { outputs, .. } => {
                let lead = input.get(..input.len().saturating_sub(1)).unwrap_or_default();
                lead.iter().copied().chain([*outputs]).collect()
            }
            Geometry::Conv(conv) => conv.output(input)?,
            Geometry::Pool(window) => match *input {
                [c, h, w] => {
                    let [h, w] = window.output([h, w])?;
                    vec![c, h, w]
                }
                _ => return Err(format!("its input has the shape {input:?}; [channels, height, width] is due")),
            },
            Geometry::Flatten { start, end } => flatten(input, *start, *end)?,
            Geometry::Elementwise(shape) => {
                let same_rank = shape.len() == input.len() && shape.iter().zip(input).all(|(s, i)| s == i || *s == 1);
                if !same_rank && shape.iter().any(|&s| s != 1) {
                    return Err(format!("its input has the shape {input:?}, but its parameters have {shape:?}"));
                }
                input.to_vec()
            }
        };
        bounded(&output)?;
        Ok(output)
    }
}

fn dense(unit: &Unit) -> Result<(Geometry, Option<Vec<usize>>), String> {
    let weight = field(unit, "weight")?.shape();
    let [lead @ .., outputs, inputs] = weight else {
        return Err(format!("its weight has the shape {weight:?}; [out, in] is due"));
    };
    if weight.contains(&0) {
        return Err(format!("its weight has the shape {weight:?}, which is empty"));
    }
    if unit.kind == Kind::Affine {
        let bias = field(unit, "bias")?;
        let due: Vec<usize> = lead.iter().copied().chain([*outputs]).collect();
        if bias.shape() != due && bias.shape() != [*outputs] && bias.data().len() != 1 {
            return Err(format!("its bias has the shape {:?}; its weight needs {due:?}", bias.shape()));
        }
    }
    let declared = lead.iter().copied().chain([*inputs]).collect();
    Ok((Geometry::Dense { inputs: *inputs, outputs: *outputs }, Some(declared)))
}

fn elementwise(unit: &Unit) -> Result<(Geometry, Option<Vec<usize>>), String> {
    let mut shape: Vec<usize> = Vec::new();
    for (name, array) in &unit.fields {
        if array.to_f64().is_none() {
            return Err(format!("'{name}' holds no numbers"));
        }
        shape = broadcast(&shape, array.shape())
            .ok_or_else(|| format!("'{name}' has the shape {:?}, but other parameters have {shape:?}", array.shape()))?;
    }
    if shape.contains(&0) {
        return Err(format!("its parameters have the shape {shape:?}, which is empty"));
    }
    // An extent of 1 stands for any.
    let declared = (!shape.is_empty() && !shape.contains(&1)).then(|| shape.clone());
    Ok((Geometry::Elementwise(shape), declared))
}

/// The common shape of two arrays, as NumPy finds it.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let pair = |axis| match (extent(a, axis), extent(b, axis)) {
        (x, y) if x == y || y == 1 => Some(x),
        (1, y) => Some(y),
        _ => None,
    };
    (0..rank).map(pair).collect()
}

/// Joins the dimensions `start..=end`; negative ones count from the last.
fn flatten(input: &[usize], start: i64, end: i64) -> Result<Vec<usize>, String> {
    let rank = input.len() as i64;
    let place = |dim: i64| if dim < 0 { dim.saturating_add(rank) } else { dim };
    let (first, last) = (place(start), place(end));
    if first < 0 || last >= rank || first > last {
        return Err(format!("it flattens the dimensions {start} to {end} of {input:?}, which do not exist"));
    }
    let (first, last) = (first as usize, last as usize);
    let joined = input[first..=last].iter().product();
    Ok(input[..first].iter().copied().chain([joined]).chain(input[last + 1..].iter().copied()).collect())
}

fn bounded(shape: &[usize]) -> Result<(), String> {
    let values = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
    match values {
        Some(values) if values <= MAX_VALUES => Ok(()),
        _ => Err(format!("it holds values of the shape {shape:?}; {MAX_VALUES} are the limit")),
    }
}
