//! Recorded spike trains from files.

use std::path::PathBuf;
use synfire::data::load_trains;
use synfire::ir::Shape;

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = tempfile::tempdir().unwrap().keep();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn any_number_type_and_either_rank_is_read() {
    let shape = Shape(vec![1, 2]);
    let bytes = [0u8, 1, 1, 0, 0, 3];
    let wide: Vec<u8> = bytes.iter().flat_map(|&b| i64::from(b).to_be_bytes()).collect();
    let float = floats(&bytes.map(f32::from));
    for (descr, extents, data) in [
        ("|u1", "(3, 1, 2)", bytes.to_vec()),
        ("|i1", "(1, 3, 1, 2)", bytes.to_vec()),
        (">i8", "(1, 3, 2)", wide),
        ("<f4", "(3, 2)", float),
    ] {
        let trains = load_trains(&file("t.npy", &npy(descr, extents, &data)), &shape).unwrap();
        assert_eq!(
            (trains.len(), trains.steps(), trains.max(), trains.codes(0)),
            (1, 3, 3, vec![0, 1, 1, 0, 0, 3]),
            "{extents}"
        );
    }
    let bools = npy("|b1", "(2, 3, 1, 1)", &[1, 0, 1, 0, 0, 1]);
    let trains = load_trains(&file("t.npy", &bools), &Shape(vec![1, 1, 1])).unwrap_err().to_string();
    assert!(trains.contains("(samples") || trains.contains("[2, 3, 1, 1]"), "{trains}");
    let trains = load_trains(&file("t.npy", &bools), &Shape(vec![1, 1])).unwrap();
    assert_eq!((trains.len(), trains.codes(1)), (2, vec![0, 0, 1]));
    assert_eq!(trains.truncated(1).len(), 1);
}

#[test]
fn what_is_no_spike_train_says_why() {
    let shape = Shape(vec![2]);
    for (bytes, part) in [
        (npy("<f4", "(1, 1, 2)", &floats(&[0.5, 1.0])), "1 of 2 values are no spikes; the first is 0.5 at element 0"),
        (npy("<f4", "(1, 1, 2)", &floats(&[f32::NAN, 1.0])), "no spikes"),
        (npy("|i1", "(1, 1, 2)", &[1, 0xff]), "the first is -1 at element 1"),
        (npy("<u2", "(1, 1, 2)", &[1, 0, 0, 1]), "the first is 256"),
        (npy("|u1", "(1, 1, 3)", &[0; 3]), "[1, 1, 3], but the network's input is [2]"),
        (npy("|u1", "(0, 1, 2)", &[]), "no whole number of spike trains"),
        (npy("|u1", "(3, 1, 2)", &[0; 5]), "is truncated"),
        (npy("|u1", "(3, 99999999999, 2)", &[0; 5]), "more than the limit"),
        (npy("<c8", "(1, 1, 2)", &[0; 16]), "<c8"),
        (b"not an array at all".to_vec(), "is no NPY file"),
    ] {
        let path = file("bad.npy", &bytes);
        let text = load_trains(&path, &shape).unwrap_err().to_string();
        assert!(text.contains(part) && text.contains("bad.npy"), "{part}: {text}");
    }
}
