//! A revision that the replica has, and what of it is known without opening it.

use std::ops::Range;
use std::sync::Arc;

use symbolon_codec::Digest32;
use symbolon_crypto::sha256;

use crate::seal::OpenError;
use crate::wire::{Header, SealedRevision};

/// Header and digest are authenticated: they come from a revision that was checked, or out of the
/// sealed part of a snapshot. The bytes are compared with the digest before they are used.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    header: Header,
    digest: Digest32,
    bytes: Arc<[u8]>,
    range: Range<usize>,
}

impl Known {
    pub fn new(revision: &SealedRevision) -> Self {
        let bytes = revision.shared();
        let range = 0..bytes.len();
        Self { header: *revision.header(), digest: revision.digest(), bytes, range }
    }

    /// Out of a snapshot: the bytes lie in `bytes`, unchecked.
    pub fn stored(header: Header, digest: Digest32, bytes: Arc<[u8]>, range: Range<usize>) -> Self {
        Self { header, digest, bytes, range }
    }

    pub const fn header(&self) -> &Header {
        &self.header
    }

    pub const fn digest(&self) -> Digest32 {
        self.digest
    }

    /// The bytes, unchecked.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }

    /// The revision, where the bytes are those of the digest.
    pub fn revision(&self) -> Result<SealedRevision, OpenError> {
        if sha256(self.bytes()) != self.digest {
            return Err(OpenError::Digest);
        }
        SealedRevision::decode(self.bytes()).map_err(|_| OpenError::Digest)
    }
}
