//! Constants of a model file as arrays.

use super::proto::{TensorProto, data_type};
use ndarray::{ArrayD, IxDyn};

/// A constant: floats of any width become `f32`, integers and truth values `i64`.
#[derive(Clone, Debug)]
pub(super) enum Tensor {
    Floats(ArrayD<f32>),
    Ints(ArrayD<i64>),
}

impl Tensor {
    /// Decodes a tensor, or says what is wrong with it.
    pub(super) fn decode(proto: &TensorProto) -> Result<Tensor, String> {
        if proto.data_location != 0 || !proto.external_data.is_empty() {
            let file = proto.external_data.iter().find(|entry| entry.key == "location").map(|entry| &entry.value);
            return Err(format!(
                "keeps its elements in another file{}; save the model with its weights inside \
                 (onnx.save without save_as_external_data)",
                file.map_or(String::new(), |file| format!(" ('{file}')"))
            ));
        }
        let extents: Option<Vec<usize>> = proto.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
        let extents = extents.ok_or_else(|| format!("has a negative extent in {:?}", proto.dims))?;
        let count = extents.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        let count = count.ok_or_else(|| format!("has the extents {extents:?}, whose product overflows"))?;
        let raw = Raw { bytes: &proto.raw_data, count };
        let bits16 = |&x: &i32| x as u16;
        match proto.data_type {
            data_type::FLOAT => raw.or_list(&proto.float_data, |&x| x, f32::from_le_bytes).map(Values::Floats),
            data_type::DOUBLE => {
                raw.or_list(&proto.double_data, |&x| x as f32, |b| f64::from_le_bytes(b) as f32).map(Values::Floats)
            }
            data_type::FLOAT16 => {
                raw.or_list(&proto.int32_data, |x| half(bits16(x)), |b| half(u16::from_le_bytes(b))).map(Values::Floats)
            }
            data_type::BFLOAT16 => raw
                .or_list(&proto.int32_data, |x| brain(bits16(x)), |b| brain(u16::from_le_bytes(b)))
                .map(Values::Floats),
            data_type::INT64 => raw.or_list(&proto.int64_data, |&x| x, i64::from_le_bytes).map(Values::Ints),
            data_type::INT32 => {
                raw.or_list(&proto.int32_data, |&x| x.into(), |b| i32::from_le_bytes(b).into()).map(Values::Ints)
            }
            data_type::BOOL | data_type::UINT8 => {
                raw.or_list(&proto.int32_data, |&x| x.into(), |b| u8::from_le_bytes(b).into()).map(Values::Ints)
            }
            data_type::INT8 => {
                raw.or_list(&proto.int32_data, |&x| x.into(), |b| i8::from_le_bytes(b).into()).map(Values::Ints)
            }
            data_type::UINT16 => {
                raw.or_list(&proto.int32_data, |&x| x.into(), |b| u16::from_le_bytes(b).into()).map(Values::Ints)
            }
            data_type::INT16 => {
                raw.or_list(&proto.int32_data, |&x| x.into(), |b| i16::from_le_bytes(b).into()).map(Values::Ints)
            }
            other => Err(format!("holds elements of the type {}, which is not supported", data_type::name(other))),
        }?
        .shaped(extents)
    }

    /// Extents, outermost first.
    pub(super) fn dims(&self) -> &[usize] {
        match self {
            Tensor::Floats(array) => array.shape(),
            Tensor::Ints(array) => array.shape(),
        }
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        match self {
            Tensor::Floats(array) => array.len(),
            Tensor::Ints(array) => array.len(),
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        let each = match self {
            Tensor::Floats(_) => size_of::<f32>(),
            Tensor::Ints(_) => size_of::<i64>(),
        };
        self.len().saturating_mul(each)
    }

    /// The same elements with other extents, if these have the same product.
    pub(super) fn reshaped(self, dims: &[usize]) -> Option<Tensor> {
        match self {
            Tensor::Floats(array) => array.into_shape_clone(IxDyn(dims)).ok().map(Tensor::Floats),
            Tensor::Ints(array) => array.into_shape_clone(IxDyn(dims)).ok().map(Tensor::Ints),
        }
    }

    /// The elements as floats; integers are converted.
    pub(super) fn into_floats(self) -> ArrayD<f32> {
        match self {
            Tensor::Floats(array) => array,
            Tensor::Ints(array) => array.mapv(|x| x as f32),
        }
    }
}

enum Values {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

impl Values {
    fn shaped(self, extents: Vec<usize>) -> Result<Tensor, String> {
        let tensor = match self {
            Values::Floats(values) => ArrayD::from_shape_vec(extents, values).map(Tensor::Floats),
            Values::Ints(values) => ArrayD::from_shape_vec(extents, values).map(Tensor::Ints),
        };
        tensor.map_err(|e| format!("does not fill its extents: {e}"))
    }
}

/// The raw bytes of a tensor of `count` elements.
struct Raw<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl Raw<'_> {
    /// Elements from the raw bytes if there are any, otherwise from the typed list.
    fn or_list<T, L, const N: usize>(
        &self,
        list: &[L],
        from_list: impl Fn(&L) -> T,
        from_bytes: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, String> {
        let (held, unit) = match self.bytes {
            [] => (list.len(), "elements"),
            bytes => (bytes.len(), "bytes"),
        };
        let expected = if self.bytes.is_empty() { Some(self.count) } else { self.count.checked_mul(N) };
        if expected != Some(held) {
            return Err(format!("holds {held} {unit}, but its extents call for {} elements of {N} bytes", self.count));
        }
        if self.bytes.is_empty() {
            return Ok(list.iter().map(from_list).collect());
        }
        Ok(self.bytes.as_chunks::<N>().0.iter().map(|&bytes| from_bytes(bytes)).collect())
    }
}

/// The value of an IEEE 754 half-precision number: 1 sign, 5 exponent and 10 fraction bits.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f32::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        exponent => (1024.0 + fraction) * 2f32.powi(i32::from(exponent) - 25),
    };
    sign * magnitude
}

/// The value of a bfloat16 number, the upper half of an `f32`.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proto(data_type: i32, dims: &[i64]) -> TensorProto {
        TensorProto { data_type, dims: dims.to_vec(), ..Default::default() }
    }

    fn floats(proto: &TensorProto) -> Vec<f32> {
        match Tensor::decode(proto).unwrap() {
            Tensor::Floats(array) => array.into_raw_vec_and_offset().0,
            Tensor::Ints(_) => panic!("integers"),
        }
    }

    #[test]
    fn half_precision_values() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(half(bits), value, "{bits:#06x}");
        }
        assert!(half(0x7e00).is_nan());
        assert!(half(0x8000).is_sign_negative());
        assert_eq!(brain(0x3fc0), 1.5);
    }

    #[test]
    fn every_storage_gives_the_same_elements() {
        let expected = vec![1.5, -2.0];
        let list = TensorProto { float_data: expected.clone(), ..proto(data_type::FLOAT, &[2]) };
        assert_eq!(floats(&list), expected);
        let raw = expected.iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(floats(&TensorProto { raw_data: raw, ..proto(data_type::FLOAT, &[2]) }), expected);
        let raw = [1.5f64, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(floats(&TensorProto { raw_data: raw, ..proto(data_type::DOUBLE, &[1, 2]) }), expected);
        let list = TensorProto { int32_data: vec![0x3e00, 0xc000], ..proto(data_type::FLOAT16, &[2]) };
        assert_eq!(floats(&list), expected);
    }

    #[test]
    fn damaged_tensors_are_refused() {
        let short = TensorProto { float_data: vec![1.0], ..proto(data_type::FLOAT, &[2]) };
        let odd = TensorProto { raw_data: vec![0; 7], ..proto(data_type::FLOAT, &[2]) };
        let external = TensorProto { data_location: 1, ..proto(data_type::FLOAT, &[2]) };
        for (tensor, part) in [
            (short, "holds 1 elements"),
            (odd, "holds 7 bytes"),
            (external, "another file"),
            (proto(data_type::FLOAT, &[-1]), "negative"),
            (proto(data_type::FLOAT, &[i64::MAX, i64::MAX]), "overflows"),
            (proto(data_type::FLOAT, &[1 << 40]), "holds 0 elements"),
            (proto(8, &[1]), "STRING"),
            (proto(-3, &[1]), "type -3"),
        ] {
            let error = Tensor::decode(&tensor).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
