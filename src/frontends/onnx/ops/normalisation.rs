//! Batch normalisation with fixed statistics.

use super::super::call::{Call, Outcome, Stop, Value};
use super::affine;
use ndarray::IxDyn;

/// `scale·(x - mean) / √(var + epsilon) + bias`, per channel.
pub(super) fn batch_normalization(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let x = call.activation(0)?;
    // Set 6 says so by is_test; 7 to 13 by the number of results, which the walk checks; 14 and later by training_mode.
    let training = match call.opset() {
        6 => call.int("is_test").unwrap_or(0) == 0,
        _ => call.int("training_mode").unwrap_or(0) != 0,
    };
    if training {
        return Err(Stop::with_help("is in training mode", "call model.eval() before the export"));
    }
    let per_element = call.opset() < 9 && call.int("spatial") == Some(0);
    let channels = x.dims.first().copied().unwrap_or(1);
    let mut parameters = Vec::with_capacity(4);
    for (i, name) in [(1, "scales"), (2, "biases"), (3, "means"), (4, "variances")] {
        let values = call.floats(i)?;
        let mut dims = vec![1; x.dims.len()];
        if per_element {
            dims.clone_from(&x.dims);
        } else if let Some(first) = dims.first_mut() {
            *first = channels;
        }
        let count = values.len();
        let values = values.into_shape_clone(IxDyn(&dims));
        let values = values.map_err(|_| Stop::new(format!("has {count} {name} for {channels} channels")))?;
        parameters.push(affine::per_element(&values, &x)?);
    }
    let [gamma, beta, mean, variance] = parameters.as_slice() else {
        return Err(Stop::new("lacks parameters"));
    };
    let epsilon = f64::from(call.float("epsilon").unwrap_or(1e-5));
    let mut scale = Vec::with_capacity(x.len());
    let mut shift = Vec::with_capacity(x.len());
    for (((gamma, beta), mean), variance) in gamma.iter().zip(beta).zip(mean).zip(variance) {
        let spread = f64::from(*variance) + epsilon;
        if !(spread > 0.0 && spread.is_finite()) {
            return Err(Stop::new(format!("has a variance of {variance} with an epsilon of {epsilon}")));
        }
        let factor = f64::from(*gamma) / spread.sqrt();
        scale.push(factor as f32);
        shift.push((f64::from(*beta) - f64::from(*mean) * factor) as f32);
    }
    affine::emit(call, &x, &scale, &shift).map(Value::Activation)
}
