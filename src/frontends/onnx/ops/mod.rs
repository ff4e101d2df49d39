//! The supported operators, one file per family. A new operator is a function in its family's file and a line in the
//! table.

mod activation;
mod affine;
mod arithmetic;
mod concat;
mod constant;
mod conv;
mod dense;
mod normalisation;
mod pool;
mod shape;
mod shapes;
mod slice;
mod window;

use super::call::{Call, Outcome, Stop, Value};

/// Lowers one node.
pub(super) type Lower = fn(&mut Call<'_, '_>) -> Outcome<Value>;

/// ONNX name and function of every supported operator, sorted by name.
const TABLE: &[(&str, Lower)] = &[
    ("Add", arithmetic::add),
    ("AveragePool", pool::average_pool),
    ("BatchNormalization", normalisation::batch_normalization),
    ("Cast", constant::cast),
    ("Clip", activation::clip),
    ("Concat", concat::concat),
    ("Constant", constant::constant),
    ("ConstantOfShape", shapes::constant_of_shape),
    ("Conv", conv::conv),
    ("Div", arithmetic::div),
    ("Dropout", shape::dropout),
    ("Flatten", shape::flatten),
    ("Gather", shapes::gather),
    ("Gemm", dense::gemm),
    ("GlobalAveragePool", pool::global_average_pool),
    ("GlobalMaxPool", pool::global_max_pool),
    ("Identity", shape::identity),
    ("MatMul", dense::matmul),
    ("MaxPool", pool::max_pool),
    ("Mul", arithmetic::mul),
    ("Pad", slice::pad),
    ("Range", shapes::range),
    ("ReduceMean", pool::reduce_mean),
    ("Relu", activation::relu),
    ("Reshape", shape::reshape),
    ("Shape", shapes::shape),
    ("Size", shapes::size),
    ("Slice", slice::slice),
    ("Squeeze", shapes::squeeze),
    ("Sub", arithmetic::sub),
    ("Sum", arithmetic::sum),
    ("Transpose", shape::transpose),
    ("Unsqueeze", shapes::unsqueeze),
];

/// The function for an operator of the standard set.
pub(super) fn find(op_type: &str) -> Option<Lower> {
    TABLE.binary_search_by_key(&op_type, |(name, _)| name).ok().and_then(|i| TABLE.get(i)).map(|(_, lower)| *lower)
}

/// The place of an axis that may count from the end.
fn axis(axis: i64, rank: usize) -> Outcome<usize> {
    let place = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let place = place.and_then(|place| usize::try_from(place).ok()).filter(|&place| place < rank);
    place.ok_or_else(|| Stop::new(format!("names the axis {axis} of {rank}")))
}

/// What to do about an operator that is not in the table.
pub(super) fn advice(op_type: &str) -> String {
    match op_type {
        "Softmax" | "LogSoftmax" | "ArgMax" | "Hardmax" => {
            "export the network without it: the largest logit is the answer already".to_string()
        }
        "Sigmoid" | "Tanh" | "Elu" | "Selu" | "Gelu" | "LeakyRelu" | "PRelu" | "HardSigmoid" | "HardSwish" | "Erf"
        | "Softplus" | "Celu" | "Mish" | "ThresholdedRelu" => {
            "integrate-and-fire neurons compute ReLU: train the network with ReLU or ReLU6".to_string()
        }
        _ => {
            let names: Vec<&str> = TABLE.iter().map(|(name, _)| *name).collect();
            format!("supported operators are {}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(TABLE.iter().all(|(name, _)| find(name).is_some()));
        assert!(find("Tanh").is_none() && find("").is_none());
    }
}
