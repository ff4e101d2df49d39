//! The input normalisation as an affine expression of the pixels.

use super::linear::Expression;
use crate::error::{Error, Kind, Problem, Result};
use crate::fixed::Normalisation;
use crate::ir::Shape;

/// What the float network sees in terms of pixels: `x / std - mean / std`, or the pixels themselves.
///
/// # Errors
/// Wrong number of channels, or a mean or standard deviation that cannot be used.
pub(super) fn input(shape: &Shape, normalisation: Option<&Normalisation>) -> Result<Expression> {
    let mut expression = Expression::of_population(0, shape.len());
    if let Some(normalisation) = normalisation {
        Error::check(Kind::Input, problems(shape, normalisation))?;
        let (scale, offset): (Vec<f64>, Vec<f64>) = (0..shape.len())
            .map(|i| {
                let (mean, std) = normalisation.of(shape.channel_of(i));
                (1.0 / f64::from(std), -f64::from(mean) / f64::from(std))
            })
            .unzip();
        expression.scale(&scale);
        expression.offset = offset;
    }
    Ok(expression)
}

fn problems(shape: &Shape, normalisation: &Normalisation) -> Vec<Problem> {
    let mut problems = Vec::new();
    let channels = shape.channels();
    for (what, values) in [("mean", &normalisation.mean), ("std", &normalisation.std)] {
        if values.len() != 1 && values.len() != channels {
            problems.push(
                Problem::new(format!(
                    "the normalisation has {} values for {what}, the input {shape} has {channels} channels",
                    values.len()
                ))
                .help("give one value, or one per channel"),
            );
        }
        if let Some(v) = values.iter().find(|v| !v.is_finite() || (what == "std" && **v <= 0.0)) {
            problems.push(
                Problem::new(format!("the normalisation's {what} of {v} cannot be used"))
                    .help("means must be finite; standard deviations finite and above zero"),
            );
        }
    }
    problems
}
