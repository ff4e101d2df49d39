//! NPZ: a ZIP archive with one NPY file for each array. Archives beyond 4 GiB are not supported.

use crate::error::{Error, Problem, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::collections::BTreeMap;
use std::io::Read;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

/// Length of the fixed part of each record.
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;

/// What all members may unpack to.
const MAX_UNPACKED: usize = 1 << 29;

/// True for the first bytes of an archive, also of an empty one.
pub(super) fn is_npz(head: &[u8]) -> bool {
    head.starts_with(LOCAL) || head.starts_with(END)
}

/// The members, without the ending `.npy` of their names.
pub(super) fn members(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    let broken =
        || Error::from(Problem::new("is a damaged archive").help("the file is truncated or damaged: write it again"));
    let end = directory_end(bytes).ok_or_else(broken)?;
    let count = short(bytes, end + 10).ok_or_else(broken)?;
    let mut at = long(bytes, end + 16).ok_or_else(broken)?;
    let mut members = BTreeMap::new();
    let mut left = MAX_UNPACKED;
    for _ in 0..count {
        let entry = Entry::read(bytes, at).ok_or_else(broken)?;
        at = entry.next;
        let name = entry.name.strip_suffix(".npy").unwrap_or(&entry.name).to_string();
        let packed = entry.packed(bytes).ok_or_else(broken)?;
        left = left
            .checked_sub(entry.unpacked)
            .ok_or_else(|| Error::input(format!("unpacks to more than the limit of {} MiB", MAX_UNPACKED >> 20)))?;
        let content = match entry.method {
            0 => packed.to_vec(),
            8 => {
                let mut content = Vec::new();
                let mut decoder = DeflateDecoder::new(packed).take(entry.unpacked as u64 + 1);
                decoder.read_to_end(&mut content).map_err(|_| broken())?;
                content
            }
            method => {
                let what = format!("holds '{name}' compressed by the method {method}");
                return Err(Problem::new(what).help("use numpy.savez or numpy.savez_compressed").into());
            }
        };
        let mut crc = Crc::new();
        crc.update(&content);
        if content.len() != entry.unpacked || crc.sum() != entry.crc {
            return Err(broken());
        }
        if members.insert(name.clone(), content).is_some() {
            return Err(Error::input(format!("holds two arrays called '{name}'")));
        }
    }
    Ok(members)
}

/// Where the record at the end of an archive begins; only a comment may follow it.
fn directory_end(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_LEN)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last).rev().find(|&at| bytes[at..].starts_with(END))
}

/// An entry of the directory.
struct Entry {
    name: String,
    method: usize,
    crc: u32,
    packed: usize,
    unpacked: usize,
    /// Where its local header is.
    local: usize,
    /// Where the next entry is.
    next: usize,
}

impl Entry {
    fn read(bytes: &[u8], at: usize) -> Option<Entry> {
        bytes.get(at..)?.starts_with(CENTRAL).then_some(())?;
        let [name, extra, comment] = [28, 30, 32].map(|offset| short(bytes, at.saturating_add(offset)));
        let (name, extra, comment) = (name?, extra?, comment?);
        let text = bytes.get(at + CENTRAL_LEN..(at + CENTRAL_LEN).checked_add(name)?)?;
        Some(Entry {
            name: String::from_utf8_lossy(text).into_owned(),
            method: short(bytes, at + 10)?,
            crc: u32::try_from(long(bytes, at + 16)?).ok()?,
            packed: long(bytes, at + 20)?,
            unpacked: long(bytes, at + 24)?,
            local: long(bytes, at + 42)?,
            next: at + CENTRAL_LEN + name + extra + comment,
        })
    }

    /// The compressed bytes. The local header's own lengths may differ from the directory's.
    fn packed<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        bytes.get(self.local..)?.starts_with(LOCAL).then_some(())?;
        let start = self.local + LOCAL_LEN + short(bytes, self.local + 26)? + short(bytes, self.local + 28)?;
        bytes.get(start..start.checked_add(self.packed)?)
    }
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let part = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(part.try_into().ok()?)))
}

fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    usize::try_from(u32::from_le_bytes(part.try_into().ok()?)).ok()
}

/// An archive of NPY files, uncompressed, dated 1 January 1980.
pub(super) fn archive(members: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let too_large =
        || Error::from(Problem::new("the arrays are too many or too large for an NPZ file").help("split them"));
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let name = format!("{name}.npy");
        let mut crc = Crc::new();
        crc.update(content);
        let len = u32::try_from(content.len()).map_err(|_| too_large())?;
        let at = u32::try_from(bytes.len()).map_err(|_| too_large())?;
        // Version 2.0, UTF-8 names, stored, midnight, first day; checksum; both lengths; no extra field.
        let mut common: Vec<u8> = Vec::new();
        [20, 0x800, 0, 0, 0x21u16].iter().for_each(|v| common.extend(v.to_le_bytes()));
        [crc.sum(), len, len].iter().for_each(|v| common.extend(v.to_le_bytes()));
        common.extend(u16::try_from(name.len()).map_err(|_| too_large())?.to_le_bytes());
        common.extend([0; 2]);
        bytes.extend(LOCAL.iter().chain(&common).chain(name.as_bytes()).chain(content));
        directory.extend(CENTRAL.iter().chain(&[20, 0]).chain(&common));
        // No comment, disk 0, no attributes.
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(members.len()).map_err(|_| too_large())?;
    let (start, len) = (u32::try_from(bytes.len()), u32::try_from(directory.len()));
    let (start, len) = (start.map_err(|_| too_large())?, len.map_err(|_| too_large())?);
    bytes.extend(directory);
    bytes.extend(END);
    bytes.extend([0; 4]);
    [count, count].iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    [len, start].iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes.extend([0; 2]);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_come_back() {
        let bytes = archive(&[("a", vec![1, 2, 3]), ("b/ö", vec![])]).unwrap();
        let back = members(&bytes).unwrap();
        assert_eq!(back, BTreeMap::from([("a".into(), vec![1, 2, 3]), ("b/ö".into(), vec![])]));
        assert!(
            is_npz(&bytes) && is_npz(&archive(&[]).unwrap()) && members(&archive(&[]).unwrap()).unwrap().is_empty()
        );
    }

    #[test]
    fn damage_is_noticed() {
        let bytes = archive(&[("array", vec![7; 40])]).unwrap();
        for len in 0..bytes.len() {
            assert!(members(&bytes[..len]).is_err(), "{len}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            // No panic, and never another content under the same name.
            if let Ok(back) = members(&changed) {
                assert!(back.get("array").is_none_or(|content| content == &vec![7; 40]), "{at}");
            }
        }
    }
}
