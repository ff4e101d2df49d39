//! NPY, NumPy's array file: a magic number, a header that is a Python dictionary literal, the elements.

use super::{Content, Images, Labels, byte_count, image_shape, source::Source};
use crate::error::{Error, Problem, Result};

const MAGIC: &[u8] = b"\x93NUMPY";

/// No real header is longer; NumPy itself refuses longer ones.
const MAX_HEADER: usize = 10_000;

/// True for the magic number of an NPY file.
pub(super) fn is_npy(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Reads a file for which [`is_npy`] holds.
pub(super) fn read(source: &mut Source) -> Result<Content> {
    let (header, start) = header(source)?;
    let data = body(source, &header, start)?;
    content(&header, data)
}

/// Reads numbers of any type as doubles: the extents, and at most `limit` elements in row-major order.
pub(super) fn doubles(source: &mut Source, limit: usize) -> Result<(Vec<usize>, Vec<f64>)> {
    let (header, start) = header(source)?;
    let elements = header.extents.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
    if elements.is_none_or(|n| n > limit) {
        let what = format!("announces the shape {:?}; at most {limit} elements fit", header.extents);
        return Err(Problem::new(what).help("split the array").into());
    }
    let data = body(source, &header, start)?;
    let values = header.row_major(header.element.doubles(data));
    Ok((header.extents, values))
}

/// Reads the header of a file for which [`is_npy`] holds, and where the elements begin.
pub(super) fn header(source: &mut Source) -> Result<(Header, usize)> {
    let (start, length) = match source.bytes().get(MAGIC.len()..) {
        Some([1, _, a, b, ..]) => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        Some([2 | 3, _, a, b, c, d, ..]) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        Some([version, ..]) if !(1..=3).contains(version) => {
            return Err(Error::input(format!("is an NPY file of the unknown version {version}")));
        }
        _ => return Err(Error::input("is truncated: it ends within its header")),
    };
    if length > MAX_HEADER {
        return Err(Error::input(format!("has an NPY header of {length} bytes; {MAX_HEADER} are the limit")));
    }
    source.fill(start + length)?;
    let Some(text) = source.bytes().get(start..start + length) else {
        return Err(Error::input("is truncated: it ends within its header"));
    };
    Ok((Header::parse(&String::from_utf8_lossy(text))?, start + length))
}

fn body<'a>(source: &'a mut Source, header: &Header, start: usize) -> Result<&'a [u8]> {
    let bytes = byte_count(&header.extents, header.element.size)?;
    Ok(source.exactly(start + bytes)?.get(start..).unwrap_or_default())
}

fn content(header: &Header, data: &[u8]) -> Result<Content> {
    if header.extents.len() == 1 {
        return Ok(Content::Labels(Labels::new(header.element.integers(data)?)?));
    }
    let (_, shape) = image_shape(&header.extents)?;
    let images = match (header.element.kind, header.element.size) {
        ('u', 1) => Images::from_bytes(shape, header.row_major(data.to_vec()))?,
        ('f', 4 | 8) => Images::from_floats(shape, header.row_major(header.element.floats(data)))?,
        _ => {
            return Err(Problem::new(format!("holds images of the type '{}'", header.element.text))
                .help("pixels are unsigned bytes (u1), or f4 or f8 in [0, 1]")
                .into());
        }
    };
    Ok(Content::Images(images, None))
}

/// What a file says about its elements.
pub(super) struct Header {
    element: Element,
    fortran: bool,
    /// Extents of the array.
    pub extents: Vec<usize>,
}

impl Header {
    /// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, whose keys may come in any order.
    fn parse(text: &str) -> Result<Header> {
        let field = |key: &str| {
            let missing = || Error::input(format!("has an NPY header without '{key}'"));
            let rest = text.find(&format!("'{key}'")).and_then(|at| text.get(at + key.len() + 2..));
            let rest = rest.and_then(|rest| rest.trim_start().strip_prefix(':'));
            rest.map(str::trim_start).ok_or_else(missing)
        };
        let descr = field("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(descr, _)| descr);
        let descr = descr.ok_or_else(|| {
            Error::input("is an NPY file of records, not of numbers").help("save one plain array (numpy.save)")
        })?;
        let order = field("fortran_order")?;
        let fortran = order.starts_with("True");
        if !fortran && !order.starts_with("False") {
            return Err(Error::input("has an NPY header whose 'fortran_order' is neither True nor False"));
        }
        let tuple = field("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(tuple, _)| tuple);
        let extents = tuple.and_then(|tuple| {
            let numbers = tuple.split(',').map(str::trim).filter(|n| !n.is_empty());
            numbers.map(|n| n.parse::<usize>().ok()).collect::<Option<Vec<_>>>()
        });
        let extents = extents.ok_or_else(|| Error::input("has an NPY header whose 'shape' is no list of sizes"))?;
        Ok(Header { element: Element::parse(descr)?, fortran, extents })
    }

    /// Bytes of an element.
    pub(super) fn element_size(&self) -> usize {
        self.element.size
    }

    /// The elements in file order, if each is an unsigned byte or a truth value.
    pub(super) fn single_bytes(&self, data: &[u8]) -> Option<Vec<u8>> {
        (matches!(self.element.kind, 'u' | 'b') && self.element.size == 1).then(|| data.to_vec())
    }

    /// The elements in file order as numbers; integers beyond 53 bits are rounded.
    pub(super) fn numbers(&self, data: &[u8]) -> Vec<f64> {
        self.element.doubles(data)
    }

    /// Brings the elements of a file in Fortran order (first index fastest) into row-major order.
    pub(super) fn row_major<T: Copy>(&self, elements: Vec<T>) -> Vec<T> {
        if !self.fortran {
            return elements;
        }
        let mut strides = Vec::with_capacity(self.extents.len());
        let mut stride = 1;
        for extent in &self.extents {
            strides.push(stride);
            stride *= extent;
        }
        let mut index = vec![0; self.extents.len()];
        let mut result = Vec::with_capacity(elements.len());
        for _ in 0..elements.len() {
            let at: usize = index.iter().zip(&strides).map(|(i, s)| i * s).sum();
            result.push(elements[at]);
            for (i, extent) in index.iter_mut().zip(&self.extents).rev() {
                *i += 1;
                if *i < *extent {
                    break;
                }
                *i = 0;
            }
        }
        result
    }
}

/// The type of an element, such as `<f4`.
struct Element {
    text: String,
    big_endian: bool,
    kind: char,
    size: usize,
}

impl Element {
    fn parse(text: &str) -> Result<Element> {
        let unknown = || {
            Error::from(Problem::new(format!("holds elements of the type '{text}'")).help(
                "images are unsigned bytes (u1), or f4 or f8 in [0, 1]; labels are integers (i1 to i8, u1 to u8)",
            ))
        };
        let mut chars = text.chars();
        let (order, kind) = (chars.next().ok_or_else(unknown)?, chars.next().ok_or_else(unknown)?);
        let size = match (kind, chars.as_str()) {
            ('i' | 'u' | 'b', "1") => 1,
            ('i' | 'u', "2") => 2,
            ('i' | 'u' | 'f', "4") => 4,
            ('i' | 'u' | 'f', "8") => 8,
            _ => return Err(unknown()),
        };
        let big_endian = match order {
            '<' | '|' | '=' => false,
            '>' => true,
            _ => return Err(unknown()),
        };
        Ok(Element { text: text.to_string(), big_endian, kind, size })
    }

    /// The bytes of each element, least significant first, padded with zeros.
    fn words<'a>(&'a self, data: &'a [u8]) -> impl Iterator<Item = [u8; 8]> + 'a {
        data.chunks_exact(self.size).map(|bytes| {
            let mut word = [0; 8];
            for (i, &byte) in bytes.iter().enumerate() {
                word[if self.big_endian { self.size - 1 - i } else { i }] = byte;
            }
            word
        })
    }

    fn floats(&self, data: &[u8]) -> Vec<f32> {
        self.words(data).map(|word| self.float(word) as f32).collect()
    }

    fn float(&self, word: [u8; 8]) -> f64 {
        match self.size {
            4 => f32::from_bits(u64::from_le_bytes(word) as u32).into(),
            _ => f64::from_le_bytes(word),
        }
    }

    fn integer(&self, word: [u8; 8]) -> i128 {
        // Shifted to the top and back, the sign bit fills the padding.
        let shift = 64 - 8 * self.size as u32;
        match self.kind {
            'i' => ((i64::from_le_bytes(word) << shift) >> shift).into(),
            _ => u64::from_le_bytes(word).into(),
        }
    }

    fn doubles(&self, data: &[u8]) -> Vec<f64> {
        let shift = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            ('f', 4) => self.words(data).map(|word| f32::from_bits(u64::from_le_bytes(word) as u32).into()).collect(),
            ('f', _) => self.words(data).map(f64::from_le_bytes).collect(),
            ('i', _) => self.words(data).map(|word| ((i64::from_le_bytes(word) << shift) >> shift) as f64).collect(),
            _ => self.words(data).map(|word| u64::from_le_bytes(word) as f64).collect(),
        }
    }

    fn integers(&self, data: &[u8]) -> Result<Vec<i128>> {
        match self.kind {
            'u' | 'i' => Ok(self.words(data).map(|word| self.integer(word)).collect()),
            _ => Err(Problem::new(format!("holds labels of the type '{}'", self.text))
                .help("write the labels as integers")
                .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_keys_come_in_any_order_and_spacing() {
        let header = Header::parse("{'shape': (2,), 'fortran_order':True,'descr' : '>i2'}").unwrap();
        assert_eq!((header.extents, header.fortran, header.element.big_endian), (vec![2], true, true));
    }

    #[test]
    fn broken_headers_are_refused() {
        for (text, part) in [
            ("", "descr"),
            ("{'descr': '<f4', 'fortran_order': False, }", "shape"),
            ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 1)}", "fortran_order"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, -1)}", "no list of sizes"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999)}", "no list of sizes"),
            ("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1)}", "<c8"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1)}", "records"),
            ("{'descr': 'é', 'fortran_order': False, 'shape': (1, 1)}", "é"),
        ] {
            let error = Header::parse(text).err().unwrap().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn fortran_order_is_transposed() {
        let header = Header { element: Element::parse("|u1").unwrap(), fortran: true, extents: vec![2, 3] };
        assert_eq!(header.row_major(vec![0, 3, 1, 4, 2, 5]), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn integers_keep_their_sign_and_order() {
        assert_eq!(Element::parse("<i2").unwrap().integers(&[0xff, 0xff, 2, 1]).unwrap(), [-1, 258]);
        assert_eq!(Element::parse(">u2").unwrap().integers(&[0xff, 0xff, 2, 1]).unwrap(), [65535, 513]);
        assert_eq!(Element::parse("<u8").unwrap().integers(&[0xff; 8]).unwrap(), [i128::from(u64::MAX)]);
    }
}
