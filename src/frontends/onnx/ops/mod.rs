//! The supported operators, one file per family. A new operator is a function in its family's file and a line in the
//! table.

mod activation;
mod affine;
mod arithmetic;
mod constant;
mod dense;
mod normalisation;
mod shape;

use super::call::{Call, Outcome, Value};

/// Lowers one node.
pub(super) type Lower = fn(&mut Call<'_, '_>) -> Outcome<Value>;

/// ONNX name and function of every supported operator, sorted by name.
const TABLE: &[(&str, Lower)] = &[
    ("Add", arithmetic::add),
    ("BatchNormalization", normalisation::batch_normalization),
    ("Cast", constant::cast),
    ("Clip", activation::clip),
    ("Constant", constant::constant),
    ("Div", arithmetic::div),
    ("Dropout", shape::dropout),
    ("Flatten", shape::flatten),
    ("Gemm", dense::gemm),
    ("Identity", shape::identity),
    ("MatMul", dense::matmul),
    ("Mul", arithmetic::mul),
    ("Relu", activation::relu),
    ("Reshape", shape::reshape),
    ("Sub", arithmetic::sub),
    ("Sum", arithmetic::sum),
    ("Transpose", shape::transpose),
];

/// The function for an operator of the standard set.
pub(super) fn find(op_type: &str) -> Option<Lower> {
    TABLE.binary_search_by_key(&op_type, |(name, _)| name).ok().and_then(|i| TABLE.get(i)).map(|(_, lower)| *lower)
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
        "MaxPool" | "GlobalMaxPool" => {
            "a maximum has no exact spiking equivalent: train with average pooling".to_string()
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
        assert!(find("Conv").is_none() && find("").is_none());
    }
}
