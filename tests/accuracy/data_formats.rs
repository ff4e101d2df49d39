//! Every image and label format, plain and gzipped, against files that this test writes byte by byte or with another
//! NPY library.

use crate::data_support;

use flate2::{Compression, write::GzEncoder};
use ndarray::{Array1, Array2, Array3, Array4, ShapeBuilder};
use ndarray_npy::{WritableElement, WriteNpyExt};
use std::io::Write;
use std::path::PathBuf;
use synfire::data::{self, Images, Labels};
use synfire::fixed::PixelFormat;
use synfire::ir::Shape;
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(TempDir::new().unwrap())
    }

    /// Writes a file whose name says nothing about its format.
    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("file.dat");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Reads images from the bytes, plain and gzipped, which must give the same.
    fn images(&self, bytes: &[u8]) -> (Images, Option<Labels>) {
        let plain = data::load_images(&self.write(bytes)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(data::load_images(&self.write(&gzip(bytes))).unwrap(), plain);
        plain
    }

    fn labels(&self, bytes: &[u8]) -> Vec<usize> {
        let plain = data::load_labels(&self.write(bytes)).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(data::load_labels(&self.write(&gzip(bytes))).unwrap(), plain);
        plain.as_slice().to_vec()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(kind: u8, extents: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, extents.len() as u8];
    bytes.extend(extents.iter().flat_map(|d| d.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn npy<A: WritableElement, D: ndarray::Dimension>(array: &ndarray::Array<A, D>) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

#[test]
fn idx_images_of_every_rank() {
    let files = Files::new();
    let data: Vec<u8> = (0..24).map(|i| i * 10).collect();
    for (extents, shape) in [(&[4, 6][..], vec![6]), (&[4, 2, 3], vec![1, 2, 3]), (&[2, 3, 2, 2], vec![3, 2, 2])] {
        let (images, labels) = files.images(&idx(8, extents, &data));
        assert_eq!((images.len(), images.shape(), labels), (extents[0] as usize, &Shape(shape), None));
        let codes: Vec<i64> = (0..images.len()).flat_map(|i| images.codes(i, &PixelFormat::unsigned(8))).collect();
        assert_eq!(codes, data.iter().map(|&x| i64::from(x)).collect::<Vec<_>>());
    }
}

#[test]
fn idx_labels_of_every_integer_type() {
    let files = Files::new();
    assert_eq!(files.labels(&idx(0x08, &[3], &[1, 9, 200])), [1, 9, 200]);
    assert_eq!(files.labels(&idx(0x09, &[2], &[1, 9])), [1, 9]);
    assert_eq!(files.labels(&idx(0x0b, &[2], &[0, 7, 1, 0])), [7, 256]);
    assert_eq!(files.labels(&idx(0x0c, &[1], &[0, 0, 1, 2])), [258]);
}

#[test]
fn npy_images_of_every_type_shape_and_order() {
    let files = Files::new();
    let value = |i: usize| i as f32 / 32.0;
    let expected: Vec<f32> = (0..24).map(value).collect();
    let check = |bytes: Vec<u8>, shape: &[usize]| {
        let (images, _) = files.images(&bytes);
        assert_eq!(images.shape().0, shape);
        let pixels: Vec<f32> = (0..images.len()).flat_map(|i| images.pixels(i)).collect();
        assert_eq!(pixels, expected);
        assert_eq!(images.matrix(0..images.len()).into_iter().collect::<Vec<_>>(), expected);
    };
    check(npy(&Array2::from_shape_fn((4, 6), |(n, i)| value(6 * n + i))), &[6]);
    check(npy(&Array2::from_shape_fn((4, 6), |(n, i)| f64::from(value(6 * n + i)))), &[6]);
    let at = |(n, y, x)| value(6 * n + 3 * y + x);
    check(npy(&Array3::from_shape_fn((4, 2, 3), at)), &[1, 2, 3]);
    check(npy(&Array3::from_shape_fn((4, 2, 3).f(), at)), &[1, 2, 3]);
    let at = |(n, c, y, x)| value(12 * n + 6 * c + 3 * y + x);
    check(npy(&Array4::from_shape_fn((2, 2, 2, 3), at)), &[2, 2, 3]);
    check(npy(&Array4::from_shape_fn((2, 2, 2, 3).f(), at)), &[2, 2, 3]);
}

#[test]
fn npy_bytes_are_scaled() {
    let files = Files::new();
    let (images, _) = files.images(&npy(&Array3::from_shape_fn((2, 1, 3), |(n, _, x)| (100 * n + 25 * x) as u8)));
    assert_eq!(images.codes(1, &PixelFormat::unsigned(8)), [100, 125, 150]);
    assert!((images.pixels(1)[0] - 100.0 / 255.0).abs() < 1e-7);
}

#[test]
fn npy_labels_of_every_integer_type() {
    let files = Files::new();
    assert_eq!(files.labels(&npy(&Array1::from(vec![1u8, 250]))), [1, 250]);
    assert_eq!(files.labels(&npy(&Array1::from(vec![1i8, 7]))), [1, 7]);
    assert_eq!(files.labels(&npy(&Array1::from(vec![1u16, 999]))), [1, 999]);
    assert_eq!(files.labels(&npy(&Array1::from(vec![1i32, 999]))), [1, 999]);
    assert_eq!(files.labels(&npy(&Array1::from(vec![1u64, 999]))), [1, 999]);
    assert_eq!(files.labels(&npy(&Array1::from(vec![3i64, 0]))), [3, 0]);
}

#[test]
fn npy_in_big_endian_and_later_versions() {
    let files = Files::new();
    let file = |version: u8, header: &str, data: &[u8]| {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((header.len() as u16).to_le_bytes()),
            _ => bytes.extend((header.len() as u32).to_le_bytes()),
        }
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    };
    let floats: Vec<u8> = [0.25f32, 0.5].iter().flat_map(|x| x.to_be_bytes()).collect();
    for version in 1..=3 {
        let header = "{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }\n";
        assert_eq!(files.images(&file(version, header, &floats)).0.pixels(0), [0.25, 0.5]);
    }
    let header = "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n";
    assert_eq!(files.labels(&file(1, header, &[0, 5, 1, 0])), [5, 256]);
}

fn cifar(labels: &[u8]) -> Vec<u8> {
    labels.iter().flat_map(|&label| std::iter::once(label).chain((0..3072).map(move |i| (i % 251) as u8))).collect()
}

#[test]
fn cifar_holds_images_and_labels() {
    let files = Files::new();
    let (images, labels) = files.images(&cifar(&[3, 9, 0]));
    assert_eq!((images.len(), images.shape().0.as_slice()), (3, &[3, 32, 32][..]));
    assert_eq!(labels.unwrap().as_slice(), [3, 9, 0]);
    assert_eq!(images.codes(2, &PixelFormat::unsigned(8))[..4], [0, 1, 2, 3]);
    assert_eq!(files.labels(&cifar(&[3, 9, 0])), [3, 9, 0]);
}

#[test]
fn a_dark_cifar_image_is_not_mistaken_for_idx() {
    let files = Files::new();
    let mut bytes = cifar(&[0, 1]);
    bytes[..8].copy_from_slice(&[0, 0, 8, 3, 0, 0, 0, 1]);
    let (images, labels) = files.images(&bytes);
    assert_eq!((images.len(), labels.unwrap().as_slice()), (2, &[0, 1][..]));
}

#[test]
fn gzip_members_are_joined() {
    let files = Files::new();
    let bytes = idx(8, &[2, 1, 2], &[1, 2, 3, 4]);
    let joined = [gzip(&bytes[..9]), gzip(&bytes[9..])].concat();
    assert_eq!(data::load_images(&files.write(&joined)).unwrap(), files.images(&bytes));
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs the data sets: set SYNFIRE_DATA")]
fn the_real_sets_have_their_sizes() {
    let Some(root) = data_support::shared() else { return };
    for (set, count, shape) in
        [("mnist", 60_000, [1, 28, 28]), ("fashion-mnist", 60_000, [1, 28, 28]), ("mnist16", 10_000, [1, 16, 16])]
    {
        let folder = root.join("data").join(set);
        let train = if count == 60_000 { "train" } else { "train10k" };
        for (part, count) in [("t10k", 10_000), (train, count)] {
            let (images, _) = data::load_images(&folder.join(format!("{part}-images-idx3-ubyte.gz"))).unwrap();
            let labels = data::load_labels(&folder.join(format!("{part}-labels-idx1-ubyte.gz"))).unwrap();
            assert_eq!((images.len(), images.shape().0.as_slice()), (count, &shape[..]));
            data::check_pair(&images, &labels, 10).unwrap();
        }
    }
    let (images, labels) = data::load_images(&root.join("data/cifar10-jpeg/test_batch.bin.gz")).unwrap();
    assert_eq!(images.len(), 10_000);
    data::check_pair(&images, &labels.unwrap(), 10).unwrap();
}
