//! Bytes of a file, as the Parquet reader asks for them.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A file that is read at places. `crates/shell/store` has one.
pub trait Source: Send + Sync {
    /// Bytes in it.
    fn len(&self) -> u64;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Fills `out` from this offset on.
    ///
    /// # Errors
    /// What the system says, and where the file ends before.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|from| self.get(from..));
        let bytes = from.and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

pub(super) struct Chunks<S>(Arc<S>);

impl<S> Clone for Chunks<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Source> Chunks<S> {
    pub(super) fn new(source: S) -> Self {
        Self(Arc::new(source))
    }
}

impl<S: Source> Length for Chunks<S> {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl<S: Source> ChunkReader for Chunks<S> {
    type T = BufReader<Onward<S>>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::with_capacity(4096, Onward { source: self.0.clone(), at: start }))
    }

    /// A length that lies past the end is refused before anything is allocated for it.
    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.0.len());
        end.ok_or_else(|| ParquetError::EOF("past the end of the file".to_owned()))?;
        let mut bytes = vec![0; length];
        self.0.read_at(start, &mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads on from a place.
pub struct Onward<S> {
    source: Arc<S>,
    at: u64,
}

impl<S: Source> Read for Onward<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.source.len().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        self.source.read_at(self.at, &mut out[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}
