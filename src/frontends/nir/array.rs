//! Arrays as the file stores them: any element type, so that what is read can be written again bit for bit.

/// The elements of an [`Array`], row-major, in the type of the file.
#[derive(Clone, Debug)]
pub enum Data {
    /// IEEE single precision.
    F32(Vec<f32>),
    /// IEEE double precision.
    F64(Vec<f64>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// Signed 16-bit integers.
    I16(Vec<i16>),
    /// Signed 32-bit integers.
    I32(Vec<i32>),
    /// Signed 64-bit integers.
    I64(Vec<i64>),
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Unsigned 16-bit integers.
    U16(Vec<u16>),
    /// Unsigned 32-bit integers.
    U32(Vec<u32>),
    /// Unsigned 64-bit integers.
    U64(Vec<u64>),
    /// Truth values.
    Bool(Vec<bool>),
    /// Strings.
    Text(Vec<String>),
}

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Data::F32(v) => v.len(),
            Data::F64(v) => v.len(),
            Data::I8(v) => v.len(),
            Data::I16(v) => v.len(),
            Data::I32(v) => v.len(),
            Data::I64(v) => v.len(),
            Data::U8(v) => v.len(),
            Data::U16(v) => v.len(),
            Data::U32(v) => v.len(),
            Data::U64(v) => v.len(),
            Data::Bool(v) => v.len(),
            Data::Text(v) => v.len(),
        }
    }

    /// True if there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type as NumPy spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Data::F32(_) => "float32",
            Data::F64(_) => "float64",
            Data::I8(_) => "int8",
            Data::I16(_) => "int16",
            Data::I32(_) => "int32",
            Data::I64(_) => "int64",
            Data::U8(_) => "uint8",
            Data::U16(_) => "uint16",
            Data::U32(_) => "uint32",
            Data::U64(_) => "uint64",
            Data::Bool(_) => "bool",
            Data::Text(_) => "string",
        }
    }
}

impl PartialEq for Data {
    /// Same type, same elements; floats are compared by their bits, so a NaN equals itself and −0 is not 0.
    fn eq(&self, other: &Data) -> bool {
        match (self, other) {
            (Data::F32(a), Data::F32(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Data::F64(a), Data::F64(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
            (Data::I8(a), Data::I8(b)) => a == b,
            (Data::I16(a), Data::I16(b)) => a == b,
            (Data::I32(a), Data::I32(b)) => a == b,
            (Data::I64(a), Data::I64(b)) => a == b,
            (Data::U8(a), Data::U8(b)) => a == b,
            (Data::U16(a), Data::U16(b)) => a == b,
            (Data::U32(a), Data::U32(b)) => a == b,
            (Data::U64(a), Data::U64(b)) => a == b,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Text(a), Data::Text(b)) => a == b,
            _ => false,
        }
    }
}

/// An array of a NIR file: its extents (none for a scalar) and its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    data: Data,
}

impl Array {
    /// An array of the given extents, or `None` if they do not match the number of elements.
    pub fn new(shape: Vec<usize>, data: Data) -> Option<Array> {
        let len = shape.iter().try_fold(1usize, |len, &extent| len.checked_mul(extent))?;
        (len == data.len()).then_some(Array { shape, data })
    }

    /// A scalar in double precision.
    pub fn scalar(value: f64) -> Array {
        Array { shape: vec![], data: Data::F64(vec![value]) }
    }

    /// A list of integers, as NIR stores shapes, strides and paddings.
    pub fn integers(values: impl IntoIterator<Item = usize>) -> Array {
        let values: Vec<i64> = values.into_iter().map(|v| i64::try_from(v).unwrap_or(i64::MAX)).collect();
        Array { shape: vec![values.len()], data: Data::I64(values) }
    }

    /// A list of integers of either sign.
    pub fn whole(values: &[i64]) -> Array {
        Array { shape: vec![values.len()], data: Data::I64(values.to_vec()) }
    }

    /// A single integer.
    pub fn integer(value: i64) -> Array {
        Array { shape: vec![], data: Data::I64(vec![value]) }
    }

    /// A string.
    pub fn text(value: impl Into<String>) -> Array {
        Array { shape: vec![], data: Data::Text(vec![value.into()]) }
    }

    /// Single-precision values in one dimension.
    pub fn floats(values: Vec<f32>) -> Array {
        Array { shape: vec![values.len()], data: Data::F32(values) }
    }

    /// Double-precision values in one dimension.
    pub fn doubles(values: Vec<f64>) -> Array {
        Array { shape: vec![values.len()], data: Data::F64(values) }
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The elements as doubles (64-bit integers are rounded), or `None` if they are strings.
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        fn wide<T: Copy + Into<f64>>(values: &[T]) -> Vec<f64> {
            values.iter().map(|&v| v.into()).collect()
        }
        Some(match &self.data {
            Data::F32(v) => wide(v),
            Data::F64(v) => v.clone(),
            Data::I8(v) => wide(v),
            Data::I16(v) => wide(v),
            Data::I32(v) => wide(v),
            Data::I64(v) => v.iter().map(|&v| v as f64).collect(),
            Data::U8(v) => wide(v),
            Data::U16(v) => wide(v),
            Data::U32(v) => wide(v),
            Data::U64(v) => v.iter().map(|&v| v as f64).collect(),
            Data::Bool(v) => v.iter().map(|&v| f64::from(u8::from(v))).collect(),
            Data::Text(_) => return None,
        })
    }

    /// The elements as whole numbers, or `None` if one of them is none (1.0 is, 1.5 and strings are not).
    pub fn to_integers(&self) -> Option<Vec<i64>> {
        fn wide<T: Copy + Into<i64>>(values: &[T]) -> Option<Vec<i64>> {
            Some(values.iter().map(|&v| v.into()).collect())
        }
        match &self.data {
            Data::I8(v) => wide(v),
            Data::I16(v) => wide(v),
            Data::I32(v) => wide(v),
            Data::I64(v) => Some(v.clone()),
            Data::U8(v) => wide(v),
            Data::U16(v) => wide(v),
            Data::U32(v) => wide(v),
            Data::U64(v) => v.iter().map(|&v| i64::try_from(v).ok()).collect(),
            Data::F32(_) | Data::F64(_) => {
                let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 9e15).then_some(v as i64);
                self.to_f64()?.into_iter().map(whole).collect()
            }
            Data::Bool(_) | Data::Text(_) => None,
        }
    }

    /// The string of a scalar, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match (&self.data, self.shape.is_empty()) {
            (Data::Text(v), true) => v.first().map(String::as_str),
            _ => None,
        }
    }

    /// The value, if there is exactly one element and it is a number.
    pub fn single(&self) -> Option<f64> {
        (self.data.len() == 1).then(|| self.to_f64()?.first().copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_must_match_and_cannot_overflow() {
        assert!(Array::new(vec![2, 2], Data::F32(vec![0.0; 4])).is_some());
        assert!(Array::new(vec![2, 2], Data::F32(vec![0.0; 3])).is_none());
        assert!(Array::new(vec![usize::MAX, 2], Data::F32(vec![])).is_none());
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(Array::doubles(vec![2.0, -1.0]).to_integers(), Some(vec![2, -1]));
        for other in [0.5, f64::NAN, 1e300] {
            assert_eq!(Array::doubles(vec![other]).to_integers(), None);
        }
        assert_eq!(Array::text("1").to_integers(), None);
    }

    #[test]
    fn equality_is_that_of_bits() {
        assert_eq!(Array::doubles(vec![f64::NAN]), Array::doubles(vec![f64::NAN]));
        assert_ne!(Array::doubles(vec![0.0]), Array::doubles(vec![-0.0]));
        assert_ne!(Array::doubles(vec![1.0]), Array::floats(vec![1.0]));
    }
}
