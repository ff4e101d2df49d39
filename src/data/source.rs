//! Bytes of a possibly gzipped file, taken only as far as somebody asks for them.

use crate::error::{Error, Problem, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// No file may announce more than this: a gzip file of 1 MiB can hold 1 GiB, one of 1 GiB a terabyte.
pub(super) const MAX_BYTES: usize = 1 << 30;

/// No file that announces no length may be, or unpack to, more than this. All of CIFAR-10 takes 176 MiB.
const MAX_UNANNOUNCED: usize = 1 << 28;

/// Enough of a file to tell its format and to hold every header but an unusually long NPY one.
pub(super) const HEAD: usize = 4096;

/// A file that is being read.
pub(super) struct Source {
    reader: Box<dyn Read>,
    bytes: Vec<u8>,
    gzipped: bool,
}

impl Source {
    /// Opens a file; it is gzipped if its first two bytes say so.
    pub(super) fn open(path: &Path) -> Result<Source> {
        let failed = |e: std::io::Error| Error::io(path, "read the file", &e);
        let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
        let gzipped = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Read> = if gzipped { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Ok(Source { reader, bytes: Vec::new(), gzipped })
    }

    /// A file that is in memory already, not gzipped.
    pub(super) fn memory(bytes: Vec<u8>) -> Source {
        Source { reader: Box::new(std::io::empty()), bytes, gzipped: false }
    }

    /// What has been read so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads until at least `len` bytes are there or the file ends.
    pub(super) fn fill(&mut self, len: usize) -> Result<()> {
        let missing = len.saturating_sub(self.bytes.len());
        let result = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.bytes);
        result.map(|_| ()).map_err(|e| {
            let problem = match self.gzipped {
                true => Problem::new(format!("cannot be decompressed: {e}"))
                    .help("the file is truncated or damaged: fetch it again"),
                false => Problem::new(format!("cannot be read: {e}")),
            };
            problem.into()
        })
    }

    /// Reads to the end of a file that must be exactly `len` bytes long and hands out all its bytes.
    pub(super) fn exactly(&mut self, len: usize) -> Result<&[u8]> {
        self.fill(len.saturating_add(1))?;
        let wrong = match self.bytes.len() {
            n if n < len => format!("is truncated: {n} bytes, but its header announces {len}"),
            n if n > len => format!("has bytes after the {len} that its header announces"),
            _ => return Ok(&self.bytes),
        };
        Err(Problem::new(wrong).help("the file is damaged: fetch or write it again").into())
    }

    /// Reads to the end of a file whose length nothing announces.
    pub(super) fn all(&mut self) -> Result<&[u8]> {
        self.fill(MAX_UNANNOUNCED + 1)?;
        if self.bytes.len() > MAX_UNANNOUNCED {
            let limit = MAX_UNANNOUNCED >> 20;
            return Err(Error::input(format!(
                "is neither IDX nor NPY, and holds more than the {limit} MiB of CIFAR-10"
            )));
        }
        Ok(&self.bytes)
    }
}
