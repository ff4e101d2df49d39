//! Parameters of elementwise primitives: one value for all, or one each.

use crate::frontends::nir::array::Array;

/// A parameter, as doubles.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Param {
    /// The same for every element.
    One(f64),
    /// One for each.
    Each(Vec<f64>),
}

impl Param {
    /// Spreads an array over `shape`, as NumPy broadcasts. An array of which all elements are equal becomes one value.
    pub fn of(array: &Array, shape: &[usize]) -> Result<Param, String> {
        let values = array.to_f64().ok_or("holds no numbers")?;
        let Some(&first) = values.first() else { return Err("is empty".into()) };
        if values.iter().all(|v| v.to_bits() == first.to_bits()) && (values.len() == 1 || array.shape() == shape) {
            return Ok(Param::One(first));
        }
        if array.shape() == shape {
            return Ok(Param::Each(values));
        }
        let extents = array.shape();
        if extents.len() != shape.len() || extents.iter().zip(shape).any(|(e, s)| e != s && *e != 1) {
            return Err(format!("has the shape {extents:?}, which does not spread over {shape:?}"));
        }
        // Row-major strides, 0 along the axes on which one value serves all.
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for axis in (0..shape.len()).rev() {
            strides[axis] = if extents[axis] == 1 { 0 } else { stride };
            stride *= extents[axis];
        }
        let count = shape.iter().product();
        let spread = (0..count).map(|index: usize| {
            let (mut rest, mut at) = (index, 0);
            for axis in (0..shape.len()).rev() {
                at += rest % shape[axis] * strides[axis];
                rest /= shape[axis];
            }
            values[at]
        });
        Ok(Param::Each(spread.collect()))
    }

    /// The value of element `i`.
    #[inline]
    pub fn at(&self, i: usize) -> f64 {
        match self {
            Param::One(value) => *value,
            Param::Each(values) => values[i],
        }
    }

    /// True if every value satisfies `test`.
    pub fn all(&self, test: impl Fn(f64) -> bool) -> bool {
        match self {
            Param::One(value) => test(*value),
            Param::Each(values) => values.iter().all(|&v| test(v)),
        }
    }

    /// Applies a function to the values of two parameters of the same shape.
    pub fn zip(&self, other: &Param, f: impl Fn(f64, f64) -> f64) -> Param {
        match (self, other) {
            (Param::One(a), Param::One(b)) => Param::One(f(*a, *b)),
            (Param::Each(each), b) => Param::Each(each.iter().enumerate().map(|(i, a)| f(*a, b.at(i))).collect()),
            (a, Param::Each(each)) => Param::Each(each.iter().enumerate().map(|(i, b)| f(a.at(i), *b)).collect()),
        }
    }

    /// Applies a function to every value.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Param {
        match self {
            Param::One(value) => Param::One(f(value)),
            Param::Each(values) => Param::Each(values.into_iter().map(f).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontends::nir::array::Data;

    #[test]
    fn arrays_spread_as_in_numpy() {
        let array = |shape: &[usize], v: &[f64]| Array::new(shape.to_vec(), Data::F64(v.to_vec())).unwrap();
        assert_eq!(Param::of(&Array::scalar(2.0), &[3]), Ok(Param::One(2.0)));
        assert_eq!(Param::of(&array(&[1], &[2.0]), &[3, 2]), Ok(Param::One(2.0)));
        assert_eq!(Param::of(&array(&[2], &[1.0, 2.0]), &[2]), Ok(Param::Each(vec![1.0, 2.0])));
        let channels = Param::of(&array(&[2, 1, 1], &[1.0, 2.0]), &[2, 1, 2]);
        assert_eq!(channels, Ok(Param::Each(vec![1.0, 1.0, 2.0, 2.0])));
        let rows = Param::of(&array(&[1, 2], &[1.0, 2.0]), &[2, 2]);
        assert_eq!(rows, Ok(Param::Each(vec![1.0, 2.0, 1.0, 2.0])));
        assert!(Param::of(&array(&[2], &[1.0, 2.0]), &[3]).is_err());
    }
}
