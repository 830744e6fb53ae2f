//! What a root does not stand for any more.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;

use crate::digest::ComponentDigest;
use crate::document::{self, DocumentError, Kind, is_set};
use crate::envelope::{Envelope, EnvelopeError, PublicKeys};

/// A revocation list, version 1. Only [`Revocations::open`] gives one that a check believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocations {
    /// Numbers of certificates. Sorted.
    pub certificates: Vec<u64>,
    /// Components, whoever signed their manifests. Sorted.
    pub components: Vec<ComponentDigest>,
    /// Unix milliseconds at which the list was made.
    pub issued_ms: u64,
    /// Counts up with every list.
    pub number: u64,
}

/// The newest list that was ever seen. It is kept, so that an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its number.
    pub number: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest32,
}

/// Why a revocation list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// The envelope, or its signatures.
    #[error("the revocation list: {0}")]
    Envelope(#[from] EnvelopeError),
    /// What it holds.
    #[error("the revocation list: {0}")]
    Document(#[from] DocumentError),
    /// An older list than one that was seen: what it lacks may have been revoked since.
    #[error("the revocation list has number {found}; number {newest} was seen before")]
    Old {
        /// Its number.
        found: u64,
        /// The newest that was seen.
        newest: u64,
    },
    /// Two lists of one number: the root has signed both, and one hides something.
    #[error("another revocation list of number {0} was seen before")]
    Forked(u64),
    /// It was made in the future.
    #[error("the revocation list says that it was made in the future")]
    Future,
}

const BYTES_MAX: usize = 96 * 1024;
const CERTIFICATES_MAX: usize = 4096;
const COMPONENTS_MAX: usize = 512;
/// How far clocks may be apart.
const SKEW_MS: u64 = 5 * 60 * 1000;

impl Revocations {
    /// The one spelling.
    pub fn to_bytes(&self) -> Vec<u8> {
        document::to_bytes(self)
    }

    /// Reads a list in its one spelling. It is believed by nobody yet.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let read: Self = document::parse(bytes, BYTES_MAX)?;
        if !is_set(&read.certificates, CERTIFICATES_MAX) {
            return Err(DocumentError::Field("certificates"));
        }
        if !is_set(&read.components, COMPONENTS_MAX) {
            return Err(DocumentError::Field("components"));
        }
        Ok(read)
    }

    /// Opens a list that the root signed and that is not older than what was seen; gives with it
    /// what is to be kept as seen.
    ///
    /// # Errors
    /// [`RevocationError`].
    pub fn open(
        envelope: &[u8],
        root: &PublicKeys,
        known: Option<Known>,
        now_ms: u64,
    ) -> Result<(Self, Known), RevocationError> {
        let envelope = Envelope::parse(Kind::Revocations, envelope)?;
        let payload = envelope.verify(root)?;
        let list = Self::parse(payload)?;
        if list.issued_ms > now_ms.saturating_add(SKEW_MS) {
            return Err(RevocationError::Future);
        }
        let seen = Known { number: list.number, digest: sha256(payload) };
        match known {
            Some(newest) if newest.number > seen.number => {
                Err(RevocationError::Old { found: seen.number, newest: newest.number })
            }
            Some(newest) if newest.number == seen.number && newest.digest != seen.digest => {
                Err(RevocationError::Forked(seen.number))
            }
            _ => Ok((list, seen)),
        }
    }

    pub(crate) fn revokes_certificate(&self, number: u64) -> bool {
        self.certificates.binary_search(&number).is_ok()
    }

    pub(crate) fn revokes_component(&self, component: &ComponentDigest) -> bool {
        self.components.binary_search(component).is_ok()
    }
}
