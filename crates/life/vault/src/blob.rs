//! Chunks of attachments: sealed one by one, so that an upload goes on where it broke off.

use symbolon_ambient::Rng;
use symbolon_codec::padme;
use symbolon_crypto::{FieldError, FieldKey, Place, labels};
use symbolon_custody::VaultId;
use symbolon_secret::Secret;

use crate::item::ATTACHMENT_BYTES_MAX;
use crate::wire::{BlobId, PLAIN_BYTES_MIN};

/// Seals and opens the chunks of one attachment.
#[derive(Debug)]
pub struct Chunks {
    key: FieldKey,
    vault: VaultId,
    blob: BlobId,
    length_bytes: u64,
}

/// Why a chunk was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// An attachment longer than is taken.
    #[error("an attachment has 100 MiB at most")]
    TooLong,
    /// There is no such chunk.
    #[error("the attachment has no chunk {0}")]
    Index(u32),
    /// A plaintext of another length than this chunk has.
    #[error("the chunk has {found} bytes where it has {expected}")]
    Length {
        /// Bytes of this chunk.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A chunk of another place, attachment or length of the whole.
    #[error("the chunk was put there from another place")]
    Moved,
    /// A chunk under another attachment's key.
    #[error("the chunk is sealed under another key")]
    OtherKey,
    /// Changed bytes.
    #[error("the chunk is damaged")]
    Damaged,
}

impl Chunks {
    /// Of an attachment of so many bytes.
    ///
    /// # Errors
    /// [`ChunkError::TooLong`].
    pub fn new(
        vault: VaultId,
        blob: BlobId,
        key: &Secret<[u8; 32]>,
        length_bytes: u64,
    ) -> Result<Self, ChunkError> {
        if length_bytes > ATTACHMENT_BYTES_MAX {
            return Err(ChunkError::TooLong);
        }
        Ok(Self { key: FieldKey::from_secret(key), vault, blob, length_bytes })
    }

    /// How many chunks; one at least.
    pub fn count(&self) -> u32 {
        // At most 100, by the bound on the length.
        self.length_bytes.div_ceil(CHUNK_BYTES as u64).max(1) as u32
    }

    /// Bytes of the plaintext of a chunk.
    ///
    /// # Errors
    /// [`ChunkError::Index`].
    pub fn plain_len(&self, index: u32) -> Result<usize, ChunkError> {
        match self.count().checked_sub(index) {
            None | Some(0) => Err(ChunkError::Index(index)),
            Some(1) => Ok((self.length_bytes - u64::from(index) * CHUNK_BYTES as u64) as usize),
            Some(_) => Ok(CHUNK_BYTES),
        }
    }

    /// Seals one. The last is filled with zeros to the length that Padmé gives.
    ///
    /// # Errors
    /// [`ChunkError::Index`], [`ChunkError::Length`].
    pub fn seal(&self, index: u32, plain: &[u8], rng: &dyn Rng) -> Result<Vec<u8>, ChunkError> {
        let (expected, found) = (self.plain_len(index)?, plain.len());
        if expected != found {
            return Err(ChunkError::Length { expected, found });
        }
        let mut padded = plain.to_vec();
        padded.resize(padme::padded_len(found, PLAIN_BYTES_MIN), 0);
        Ok(self.key.seal(&self.place(index), &padded, rng))
    }

    /// Opens one.
    ///
    /// # Errors
    /// [`ChunkError`].
    pub fn open(&self, index: u32, sealed: &[u8]) -> Result<Vec<u8>, ChunkError> {
        let len = self.plain_len(index)?;
        let opened = self.key.open_readable(&self.place(index), sealed);
        let mut plain = opened.map_err(|error| match error {
            FieldError::Moved(_) => ChunkError::Moved,
            FieldError::WrongKey => ChunkError::OtherKey,
            _ => ChunkError::Damaged,
        })?;
        let is_filled = plain.len() == padme::padded_len(len, PLAIN_BYTES_MIN);
        if !is_filled || plain[len..].iter().any(|b| *b != 0) {
            return Err(ChunkError::Damaged);
        }
        plain.truncate(len);
        Ok(plain)
    }

    fn place(&self, index: u32) -> Place {
        let is_last = [u8::from(index + 1 == self.count())];
        let context: [&[u8]; 4] = [
            self.vault.as_bytes(),
            self.blob.as_bytes(),
            &u64::from(index).to_be_bytes(),
            &is_last,
        ];
        Place::new(&labels::VAULT_CHUNK, &context)
    }
}

/// Bytes of the plaintext of every chunk but the last.
pub const CHUNK_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn chunks(blob: u8, key: u8, length_bytes: u64) -> Chunks {
        let key = Secret::<[u8; 32]>::make(|b| b.fill(key));
        Chunks::new([1; 16].into(), [blob; 16].into(), &key, length_bytes).expect("in bounds")
    }

    fn sealed(of: &Chunks, index: u32) -> Vec<u8> {
        let plain = vec![index as u8; of.plain_len(index).expect("a chunk")];
        of.seal(index, &plain, &SeededRng::new(2)).expect("of its length")
    }

    #[test]
    fn an_attachment_comes_back_chunk_by_chunk() {
        for (length, count, last) in [
            (0, 1, 0),
            (1, 1, 1),
            (CHUNK_BYTES as u64, 1, CHUNK_BYTES),
            (CHUNK_BYTES as u64 + 1, 2, 1),
            (ATTACHMENT_BYTES_MAX, 100, CHUNK_BYTES),
        ] {
            let own = chunks(1, 1, length);
            assert_eq!((own.count(), own.plain_len(count - 1)), (count, Ok(last)), "{length}");
            assert_eq!(own.plain_len(count), Err(ChunkError::Index(count)));
            let back = own.open(count - 1, &sealed(&own, count - 1)).expect("ours");
            assert_eq!(back, vec![(count - 1) as u8; last]);
        }
        let key = Secret::<[u8; 32]>::make(|b| b.fill(1));
        let long = Chunks::new([1; 16].into(), [1; 16].into(), &key, ATTACHMENT_BYTES_MAX + 1);
        assert_eq!(long.err(), Some(ChunkError::TooLong));
    }

    #[test]
    fn each_wrong_chunk_is_refused_with_its_error() {
        let own = chunks(1, 1, 3 * CHUNK_BYTES as u64);
        assert_eq!(own.open(0, &sealed(&own, 1)).err(), Some(ChunkError::Moved), "another index");
        let other = chunks(2, 1, 3 * CHUNK_BYTES as u64);
        assert_eq!(own.open(0, &sealed(&other, 0)).err(), Some(ChunkError::Moved), "another blob");
        let keyed = chunks(1, 2, 3 * CHUNK_BYTES as u64);
        assert_eq!(own.open(0, &sealed(&keyed, 0)).err(), Some(ChunkError::OtherKey));
        // Cut at a chunk's border, what is last now was not sealed as the last.
        let cut = chunks(1, 1, 2 * CHUNK_BYTES as u64);
        assert_eq!(cut.open(1, &sealed(&own, 1)).err(), Some(ChunkError::Moved), "cut short");
        let mut damaged = sealed(&own, 0);
        *damaged.last_mut().expect("bytes") ^= 1;
        assert_eq!(own.open(0, &damaged).err(), Some(ChunkError::Damaged));
        let short = own.seal(0, &[0; 5], &SeededRng::new(1));
        assert_eq!(short, Err(ChunkError::Length { expected: CHUNK_BYTES, found: 5 }));
        // Of the same index and the same padded length, but of a shorter attachment: its filling is none.
        let (a, b) = (chunks(1, 1, 129), chunks(1, 1, 133));
        let full = b.seal(0, &[7; 133], &SeededRng::new(1)).expect("of its length");
        assert_eq!(a.open(0, &full).err(), Some(ChunkError::Damaged));
    }
}
