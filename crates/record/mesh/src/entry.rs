//! An entry that its operator's node signed, and what the signature says.

use std::sync::Arc;

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::SigningKey;
use symbolon_crypto::labels::MESH_CLAIM;

use crate::certificate::{CERTIFICATE_BYTES_MAX, Certificate, CertificateError};
use crate::list::{push_path, read_hashes};
use crate::name::{LogName, NameError};

/// Longest entry of a log, and all entries of one message together.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Entries of one message.
pub const BATCH_ENTRIES_MAX: usize = 128;

/// Why entries were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Their bytes are no entries of the mesh.
    #[error("these are no entries of the mesh: {0}")]
    Form(#[from] CodecError),
    /// A message has one entry at least.
    #[error("there are no entries in the message")]
    None,
    /// An entry has one byte at least.
    #[error("the entry is empty")]
    Empty,
    /// All together are longer than one may be.
    #[error("the entries have {found} bytes together where {ENTRY_BYTES_MAX} are allowed")]
    Long {
        /// Bytes of all.
        found: usize,
    },
    /// No log has such places, or the signature is of others.
    #[error("the signature is not of this place")]
    Place,
    /// They name no log.
    #[error("{0}")]
    Log(#[from] NameError),
    /// The certificate of who signed them.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// Who signed them is a node of another operator than the log's.
    #[error("the entries are signed by the node of another operator than the log's")]
    Operator,
    /// The node did not sign them.
    #[error("the node did not sign the entries")]
    Signature,
}

/// What one signature says: which leaves stand at places that follow each other. Checked when it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub first: u64,
    pub leaves: Vec<Digest32>,
    pub certificate: Certificate,
    pub signature: [u8; 64],
}

impl Signed {
    pub fn sign(
        log: &LogName,
        first: u64,
        leaves: Vec<Digest32>,
        certificate: Certificate,
        endpoint: &SigningKey,
    ) -> Self {
        let signature = endpoint.sign(&said(log, first, &leaves));
        Self { first, leaves, certificate, signature }
    }

    /// Checks that there are leaves, that a log has such places, whose node signed, and the signature.
    pub fn open(
        log: &LogName,
        (first, leaves): (u64, Vec<Digest32>),
        certificate: Certificate,
        signature: [u8; 64],
    ) -> Result<Self, EntryError> {
        if leaves.is_empty() {
            return Err(EntryError::None);
        }
        first.checked_add(leaves.len() as u64).ok_or(EntryError::Place)?;
        let signed = Self { first, leaves, certificate, signature };
        signed.check(log)?;
        Ok(signed)
    }

    fn check(&self, log: &LogName) -> Result<(), EntryError> {
        if self.certificate.operator() != log.operator() {
            return Err(EntryError::Operator);
        }
        let said = said(log, self.first, &self.leaves);
        let verified = self.certificate.endpoint().verify(&said, &self.signature);
        verified.map_err(|_| EntryError::Signature)
    }
}

fn said(log: &LogName, first: u64, leaves: &[Digest32]) -> Vec<u8> {
    let fields = Fields::new(MESH_CLAIM.as_str()).bytes(log.id().0.as_bytes());
    push_path(fields.u64(first), leaves).finish()
}

/// A node's signature that an entry of its operator's log stands at a place; of others beside it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    signed: Arc<Signed>,
    at: usize,
}

impl Claim {
    pub(crate) fn of(signed: Arc<Signed>, at: usize) -> Self {
        Self { signed, at }
    }

    /// Checks it for a log, which may be another than the one that it was checked for before.
    ///
    /// # Errors
    /// [`EntryError::Operator`] or [`EntryError::Signature`].
    pub(crate) fn check(&self, log: &LogName) -> Result<(), EntryError> {
        self.signed.check(log)
    }

    pub(crate) fn push(&self, fields: Fields) -> Fields {
        let fields =
            push_path(fields.u64(self.index()).u64(self.signed.first), &self.signed.leaves);
        fields.bytes(self.signed.certificate.bytes()).bytes(&self.signed.signature)
    }

    pub(crate) fn read(r: &mut FieldsReader<'_>, log: &LogName) -> Result<Self, EntryError> {
        let (index, first) = (r.u64()?, r.u64()?);
        let leaves = read_hashes(r, BATCH_ENTRIES_MAX)?;
        let at = index.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        let certificate = Certificate::open(r.bytes(CERTIFICATE_BYTES_MAX)?)?;
        let signed = Signed::open(log, (first, leaves), certificate, r.array()?)?;
        let at = at.filter(|at| *at < signed.leaves.len()).ok_or(EntryError::Place)?;
        Ok(Self { signed: signed.into(), at })
    }

    /// The entry's place.
    pub fn index(&self) -> u64 {
        self.signed.first + self.at as u64
    }

    /// Hash of the entry.
    pub fn leaf(&self) -> &Digest32 {
        // A claim is made with a place within the leaves alone.
        &self.signed.leaves[self.at]
    }

    /// Of the node that signed.
    pub fn certificate(&self) -> &Certificate {
        &self.signed.certificate
    }
}

/// An entry whose claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEntry {
    /// What was signed of it.
    pub claim: Claim,
    /// The entry.
    pub entry: Vec<u8>,
}
