//! Bytes that are counted as they are read, so that a file whose parts point at each other in circles comes to an end.

use hdf5_pure::{FormatError, Source};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What any file may ask for, however small: enough for tens of thousands of objects.
const BASE: u64 = 64 << 20;
/// And how often each of its bytes, on average.
const FACTOR: u64 = 16;
/// What a read costs beside its bytes.
const PER_READ: u64 = 64;

/// Where the bytes are.
pub(super) enum Bytes {
    /// On disk.
    File(File),
    /// In memory.
    Memory(Vec<u8>),
}

/// Tells whether the file was cut off for asking too much.
#[derive(Clone)]
pub(super) struct Meter(Arc<AtomicU64>, u64);

impl Meter {
    /// True once the allowance is used up.
    pub fn exhausted(&self) -> bool {
        self.0.load(Ordering::Relaxed) > self.1
    }
}

/// The bytes of a file, and how many of them may still be read.
pub(super) struct Metered {
    bytes: Mutex<Bytes>,
    len: u64,
    meter: Meter,
}

impl Metered {
    /// `len` bytes with an allowance that any honest file stays far below.
    pub fn new(bytes: Bytes, len: u64) -> (Metered, Meter) {
        let allowance = len.saturating_mul(FACTOR).saturating_add(BASE);
        let meter = Meter(Arc::new(AtomicU64::new(0)), allowance);
        (Metered { bytes: Mutex::new(bytes), len, meter: meter.clone() }, meter)
    }
}

impl Source for Metered {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        let wanted = buffer.len() as u64;
        self.meter.0.fetch_add(wanted.saturating_add(PER_READ), Ordering::Relaxed);
        let end = offset.checked_add(wanted).ok_or(FormatError::OffsetOverflow { offset, length: wanted })?;
        if self.meter.exhausted() || end > self.len {
            return Err(FormatError::UnexpectedEof { expected: clamp(end), available: clamp(self.len) });
        }
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *bytes {
            Bytes::Memory(bytes) => {
                let part = bytes.get(clamp(offset)..clamp(end));
                let part = part.ok_or(FormatError::UnexpectedEof { expected: clamp(end), available: bytes.len() })?;
                buffer.copy_from_slice(part);
                Ok(())
            }
            Bytes::File(file) => {
                let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(buffer));
                // The file shrank since it was opened, or the disk fails.
                read.map_err(|_| FormatError::UnexpectedEof { expected: clamp(end), available: clamp(self.len) })
            }
        }
    }
}

fn clamp(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
