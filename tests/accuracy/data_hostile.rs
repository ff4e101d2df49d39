//! Damaged and hostile data files: a message, never a panic, and never more memory than the limit.

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};
use synfire::data::{self, Images, Labels};
use synfire::error::{Error, Kind};
use synfire::ir::Shape;
use tempfile::TempDir;

fn write(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("file.dat");
    std::fs::write(&path, bytes).unwrap();
    path
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

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn check(error: Error, part: &str) {
    assert_eq!(error.kind, Kind::Input);
    let text = error.to_string();
    assert!(text.contains(part) && text.contains("file.dat"), "'{part}' is not in\n{text}");
}

/// The bytes must be refused as images with a text that holds the part.
fn no_images(bytes: &[u8], part: &str) {
    let folder = TempDir::new().unwrap();
    check(data::load_images(&write(&folder, bytes)).unwrap_err(), part);
}

fn no_labels(bytes: &[u8], part: &str) {
    let folder = TempDir::new().unwrap();
    check(data::load_labels(&write(&folder, bytes)).unwrap_err(), part);
}

#[test]
fn files_of_no_format() {
    no_images(b"", "is empty");
    no_images(&gzip(b""), "is empty");
    no_images(b"hello", "no IDX, NPY or CIFAR-10 file");
    no_images(&gzip(&gzip(&idx(8, &[1, 1, 1], &[0]))), "no IDX, NPY or CIFAR-10 file");
    no_images(&[77; 3073], "record 0 has the label 77");
    no_images(&[1; 3074], "3074 bytes are no multiple");
    let missing = data::load_images(Path::new("no/such/file.dat")).unwrap_err();
    check(missing, "cannot read the file");
    assert!(data::load_images(Path::new(env!("CARGO_MANIFEST_DIR"))).is_err());
}

#[test]
fn lengths_that_disagree() {
    no_images(&idx(8, &[2, 2, 2], &[0; 7]), "is truncated: 23 bytes, but its header announces 24");
    no_images(&idx(8, &[2, 2, 2], &[0; 9]), "has bytes after the 24");
    no_images(&idx(8, &[2, 2, 2], &[0; 8])[..10], "ends within its header");
    no_images(&npy("|u1", "(2, 2)", &[0; 3]), "is truncated");
    no_images(&npy("<f8", "(2, 2)", &[0; 33]), "has bytes after");
    no_images(&npy("|u1", "(2, 2)", &[0; 4])[..20], "ends within its header");
    no_images(b"\x93NUMPY", "ends within its header");
    no_images(b"\x93NUMPY\x09\x00\x00\x00", "unknown version 9");
    no_images(b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "NPY header of 2147483647 bytes");
    let mut cut = gzip(&idx(8, &[2, 20, 20], &[9; 800]));
    cut.truncate(cut.len() - 9);
    no_images(&cut, "cannot be decompressed");
    let mut damaged = gzip(&idx(8, &[2, 20, 20], &[9; 800]));
    let middle = damaged.len() / 2;
    damaged[middle..].fill(0x55);
    no_images(&damaged, "cannot be decompressed");
    // A damaged checksum counts too, even if all bytes came out.
    let mut checksum = gzip(&idx(8, &[2, 2, 2], &[9; 8]));
    let end = checksum.len();
    checksum[end - 8] ^= 1;
    no_images(&checksum, "cannot be decompressed");
}

#[test]
fn headers_that_overflow() {
    no_images(&idx(8, &[u32::MAX, u32::MAX, u32::MAX, u32::MAX], &[]), "more than the limit");
    no_images(&idx(8, &[60_000, 1000, 1000], &[]), "more than the limit");
    no_labels(&idx(0x0c, &[u32::MAX], &[]), "more than the limit");
    no_images(&npy("<f4", "(18446744073709551615, 18446744073709551615)", &[]), "more than the limit");
    no_images(&npy("<f4", "(99999999999999999999, 1)", &[]), "no list of sizes");
    // A large size that the limit allows takes no memory before the bytes are there.
    no_images(&idx(8, &[1000, 1000, 1000], &[]), "is truncated");
}

#[test]
fn empty_sets_and_foreign_shapes() {
    no_images(&idx(8, &[0, 28, 28], &[]), "holds no pixels");
    no_images(&idx(8, &[5, 0, 28], &[]), "holds no pixels");
    no_images(&npy("|u1", "(0, 4)", &[]), "holds no pixels");
    no_images(&npy("|u1", "(1, 1, 1, 1, 1)", &[0]), "has rank 5");
    no_images(&npy("|u1", "()", &[0]), "has rank 0");
    no_labels(&idx(8, &[0], &[]), "holds no labels");
    no_labels(&npy("<i8", "(0,)", &[]), "holds no labels");
}

#[test]
fn images_and_labels_mixed_up() {
    no_images(&idx(8, &[3], &[1, 2, 3]), "a list of 3 labels, not images");
    no_labels(&idx(8, &[1, 2, 2], &[0; 4]), "holds 1 images of [1, 2, 2], not labels");
}

#[test]
fn elements_that_are_neither_pixels_nor_classes() {
    no_images(&npy("<f4", "(1, 2)", &[0, 0, 0, 0, 0, 0, 0, 0x40]), "1 of 2 pixels are outside [0, 1]; the first is 2");
    no_images(&npy("<f4", "(1, 1)", &f32::NAN.to_le_bytes()), "NaN");
    no_images(&npy("<f8", "(1, 1)", &(-1e-3f64).to_le_bytes()), "outside [0, 1]");
    no_images(&npy("<i4", "(1, 1)", &[0; 4]), "images of the type '<i4'");
    no_images(&npy("<c8", "(1, 1)", &[0; 8]), "'<c8'");
    no_images(&idx(0x0d, &[1, 1, 1], &[0; 4]), "IDX type 0x0d");
    no_labels(&idx(0x0d, &[1], &[0; 4]), "floating-point");
    no_labels(&idx(0x09, &[2], &[1, 0xff]), "the label -1 at index 1");
    no_labels(&npy("<f4", "(1,)", &[0; 4]), "labels of the type '<f4'");
    no_labels(&npy("<u8", "(1,)", &[0xff; 8]), "the label 18446744073709551615");
}

/// 2 GiB of zeros in 2 MiB: as CIFAR-10 and behind a small IDX header.
#[test]
fn gzip_bombs_are_cut_off() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..2048 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    no_images(&bomb, "256 MiB");
    let mut behind = gzip(&idx(8, &[1, 2, 2], &[0; 4]));
    behind.extend(bomb);
    no_images(&behind, "has bytes after the 20");
}

#[test]
fn pairs_are_checked_completely() {
    let images = Images::from_bytes(Shape(vec![2]), vec![0; 6]).unwrap();
    let labels = |values: &[i128]| Labels::new(values.to_vec()).unwrap();
    data::check_pair(&images, &labels(&[0, 9, 3]), 10).unwrap();
    let error = data::check_pair(&images, &labels(&[0, 10, 3, 11]), 10).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.problems.len(), 2);
    assert!(text.contains("3 images but 4 labels"), "{text}");
    assert!(text.contains("2 of 4 labels are out of range; the first is 10 at index 1"), "{text}");
}

#[test]
fn sizes_are_checked_against_the_network() {
    let images = Images::from_bytes(Shape(vec![2, 2, 3]), vec![0; 12]).unwrap();
    for fits in [vec![2, 2, 3], vec![12], vec![2, 1, 6]] {
        data::check_size(&images, &Shape(fits)).unwrap();
    }
    for wrong in [vec![2, 2, 4], vec![11], vec![3, 2, 2]] {
        let error = data::check_size(&images, &Shape(wrong.clone())).unwrap_err().to_string();
        assert!(error.contains("images are [2, 2, 3]") && error.contains(&Shape(wrong).to_string()), "{error}");
    }
}

/// Small valid files of every format.
fn samples() -> Vec<Vec<u8>> {
    let mut cifar = vec![7; 3073 * 2];
    cifar[3073] = 1;
    vec![
        idx(8, &[2, 3, 4], &[5; 24]),
        idx(8, &[4], &[1, 2, 3, 4]),
        npy("<f4", "(2, 2)", &[0; 16]),
        npy("|u1", "(1, 2, 2, 2)", &[3; 8]),
        npy("<i8", "(2,)", &[0; 16]),
        cifar,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        magic in prop::sample::select(
            vec![&b""[..], b"\x93NUMPY\x01\x00", b"\x00\x00\x08\x03", b"\x1f\x8b\x08\x00", b"\x1f\x8b"],
        ),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = TempDir::new().unwrap();
        let path = write(&folder, &[magic, &bytes].concat());
        let _ = data::load_images(&path);
        let _ = data::load_labels(&path);
    }

    /// A damaged file gives an error, or images that can be read to the last pixel.
    #[test]
    fn damaged_files_never_panic(
        sample in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
        zipped in any::<bool>(),
        header_only in any::<bool>(),
    ) {
        let samples = samples();
        let mut file = samples[sample.index(samples.len())].clone();
        if zipped {
            file = gzip(&file);
        }
        let reach = if header_only { file.len().min(100) } else { file.len() };
        for (place, byte) in edits {
            file[place.index(reach)] = byte;
        }
        if let Some(cut) = cut {
            let length = cut.index(file.len());
            file.truncate(length);
        }
        let folder = TempDir::new().unwrap();
        let path = write(&folder, &file);
        if let Ok((images, labels)) = data::load_images(&path) {
            let matrix = images.matrix(0..images.len());
            prop_assert!(matrix.iter().all(|x| (0.0..=1.0).contains(x)));
            if let Some(labels) = labels {
                prop_assert_eq!(labels.len(), images.len());
            }
        }
        let _ = data::load_labels(&path);
    }
}
