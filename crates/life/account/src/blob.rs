//! Attachments in sealed chunks. Which is the last, and whether one is missing, is sealed in the
//! chunks and known to their owner; the server counts bytes.

use symbolon_codec::Digest32;
use symbolon_custody::VaultId;

use crate::error::at_most;
use crate::{AccountError, BlobId};

/// A sealed chunk to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which vault.
    pub vault: VaultId,
    /// Which attachment.
    pub blob: BlobId,
    /// Which chunk of it, from 0.
    pub index: u32,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

impl Chunk {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::TooLong`].
    pub fn check(&self) -> Result<(), AccountError> {
        at_most("chunk", self.sealed.len(), CHUNK_BYTES_MAX)?;
        at_most("number of a chunk", self.index as usize, CHUNKS_MAX as usize - 1)
    }
}

/// What is there of a chunk, for an upload that goes on after it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkInfo {
    /// Which chunk.
    pub index: u32,
    /// Its sealed bytes, counted.
    pub size_bytes: u64,
    /// SHA-256 of them.
    pub digest: Digest32,
}

/// Bytes of the longest sealed chunk, and room for what sealing adds.
pub const CHUNK_BYTES_MAX: usize = symbolon_vault::CHUNK_BYTES + 1024;

/// Chunks of the longest attachment, which has 100 MiB.
pub const CHUNKS_MAX: u32 = 101;
