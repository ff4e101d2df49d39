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
    let mut dims = vec![1; x.dims.len()];
    if per_element {
        dims.clone_from(&x.dims);
    } else if let Some(first) = dims.first_mut() {
        *first = channels;
    }
    let mut parameters = Vec::with_capacity(4);
    for (i, name) in [(1, "scales"), (2, "biases"), (3, "means"), (4, "variances")] {
        let values = call.floats(i)?;
        let count = values.len();
        let values = values.into_shape_clone(IxDyn(&dims));
        parameters.push(values.map_err(|_| Stop::new(format!("has {count} {name} for {channels} channels")))?);
    }
    let [gamma, beta, mean, variance] = parameters.as_slice() else {
        return Err(Stop::new("lacks parameters"));
    };
    // Computed where they differ, and spread over the elements only then.
    let epsilon = f64::from(call.float("epsilon").unwrap_or(1e-5));
    let (mut scale, mut shift) = (gamma.clone(), beta.clone());
    for (((scale, shift), mean), variance) in scale.iter_mut().zip(&mut shift).zip(mean).zip(variance) {
        let spread = f64::from(*variance) + epsilon;
        if !(spread > 0.0 && spread.is_finite()) {
            return Err(Stop::new(format!("has a variance of {variance} with an epsilon of {epsilon}")));
        }
        let factor = f64::from(*scale) / spread.sqrt();
        *scale = factor as f32;
        *shift = (f64::from(*shift) - f64::from(*mean) * factor) as f32;
    }
    let (scale, shift) = (affine::per_element(&scale, &x)?, affine::per_element(&shift, &x)?);
    affine::emit(call, &x, &scale, &shift).map(Value::Activation)
}
