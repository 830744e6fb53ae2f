//! Checking a certificate with nothing but the operator's key.

use symbolon_codec::{CodecError, Digest32};
use symbolon_crypto::VerifyingKey;
use symbolon_log::{Checkpoint, CheckpointError, ProofError, leaf_hash, verify_inclusion};
use symbolon_receipt::OperatorKey;

use crate::{CanonicalText, Certificate, Entry, EntryError, Salt, Standing, StandingError};

/// Why a certificate is not to be believed. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the certificate cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is not a certificate of authorship of version 1")]
    MediaType,
    /// A field is missing, unknown or of another kind.
    #[error("the certificate has not the right form: {0}")]
    Form(String),
    /// The certificate names another operator than the key given.
    #[error("the certificate is by another operator than the key you gave")]
    Operator,
    /// The checkpoint, its signature or its origin.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// An entry is not in the log that the checkpoint speaks of.
    #[error("entry {index} is not in the log: {source}")]
    Inclusion {
        /// Where it should stand.
        index: u64,
        /// Why not.
        source: ProofError,
    },
    /// The bytes of an entry, or its signatures.
    #[error("entry {index}: {source}")]
    Entry {
        /// Where it stands.
        index: u64,
        /// Why not.
        source: EntryError,
    },
    /// An entry does not follow from those before.
    #[error("entry {index} does not follow: {source}")]
    Standing {
        /// Where it stands.
        index: u64,
        /// Why not.
        source: StandingError,
    },
}

/// A certificate that passed every check. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCertificate {
    rests_on: Vec<VerifyingKey>,
    standing: Standing,
    checkpoint: Checkpoint,
    salt: Option<Salt>,
}

impl VerifiedCertificate {
    /// The operator's keys that it is believed by: the one that was given, the one that it names, the one that signed its
    /// checkpoint, and those between.
    pub fn rests_on(&self) -> &[VerifyingKey] {
        &self.rests_on
    }

    /// What the entries come to.
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The checkpoint that covers them.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The salt, where the certificate shows it.
    pub const fn salt(&self) -> Option<&Salt> {
        self.salt.as_ref()
    }

    /// Whether a text is the one that was registered; nothing where the certificate shows no salt.
    pub fn is_of(&self, text: &CanonicalText) -> Option<bool> {
        let digest: Digest32 = self.salt.as_ref()?.digest(text);
        Some(self.standing.is_of(&digest))
    }
}

/// Checks a certificate offline.
///
/// # Errors
/// [`CertificateError`]: the first check that fails, each with its own variant.
pub fn verify(
    bytes: &[u8],
    operator: &OperatorKey,
) -> Result<VerifiedCertificate, CertificateError> {
    let certificate = Certificate::parse(bytes)?;
    let named = operator.named(&certificate.operator, &certificate.checkpoint)?;
    let (claimed, by) = named.ok_or(CertificateError::Operator)?;
    let checkpoint = operator.checkpoint(&certificate.checkpoint, &claimed)?;
    let mut standing: Option<Standing> = None;
    for it in &certificate.entries {
        let index = it.index;
        let leaf = leaf_hash(&it.entry);
        verify_inclusion(&leaf, index, checkpoint.size, &it.path, &checkpoint.root)
            .map_err(|source| CertificateError::Inclusion { index, source })?;
        let entry =
            Entry::parse(&it.entry).map_err(|source| CertificateError::Entry { index, source })?;
        let next = match standing.take() {
            None => Standing::begin(index, &entry),
            Some(before) => before.after(index, &entry),
        };
        let next = next.map_err(|source| CertificateError::Standing { index, source })?;
        if next.log() != claimed {
            let source = StandingError::Other;
            return Err(CertificateError::Standing { index, source });
        }
        standing = Some(next);
    }
    let standing = standing.ok_or_else(|| CertificateError::Form("no entries".to_owned()))?;
    let rests_on = operator.rests_on(&by, Some(&certificate.checkpoint));
    Ok(VerifiedCertificate { rests_on, standing, checkpoint, salt: certificate.salt })
}
