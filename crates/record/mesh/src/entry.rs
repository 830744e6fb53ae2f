//! An entry as it spreads, and what its operator's node signs of it.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::SigningKey;
use symbolon_crypto::labels::{MESH_CLAIM, MESH_ENTRY};
use symbolon_log::leaf_hash;

use crate::certificate::{CERTIFICATE_BYTES_MAX, Certificate, CertificateError};
use crate::name::{LOG_NAME_BYTES_MAX, LogId, LogName, NameError};

/// Longest entry of a log.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Why an entry was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Its bytes are no entry of the mesh.
    #[error("this is no entry of the mesh: {0}")]
    Form(#[from] CodecError),
    /// An entry has one byte at least.
    #[error("the entry is empty")]
    Empty,
    /// It names no log.
    #[error("{0}")]
    Log(#[from] NameError),
    /// The certificate of who signed it.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// Who signed it is a node of another operator than the log's.
    #[error("the entry is signed by the node of another operator than the log's")]
    Operator,
    /// The node did not sign it.
    #[error("the node did not sign the entry")]
    Signature,
}

/// A node's signature that an entry of its operator's log stands at a place. Checked when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    index: u64,
    leaf: Digest32,
    certificate: Certificate,
    signature: [u8; 64],
}

impl Claim {
    /// Signs for an entry.
    pub fn sign(
        log: &LogName,
        index: u64,
        leaf: Digest32,
        certificate: Certificate,
        endpoint: &SigningKey,
    ) -> Self {
        let signature = endpoint.sign(&said(log.id(), index, &leaf));
        Self { index, leaf, certificate, signature }
    }

    /// Puts one together, and checks it.
    ///
    /// # Errors
    /// [`EntryError::Certificate`], [`EntryError::Operator`] or [`EntryError::Signature`].
    pub fn open(
        log: &LogName,
        place: (u64, Digest32),
        certificate: &[u8],
        signature: [u8; 64],
    ) -> Result<Self, EntryError> {
        Self::open_under(log, place, Certificate::open(certificate)?, signature)
    }

    fn open_under(
        log: &LogName,
        (index, leaf): (u64, Digest32),
        certificate: Certificate,
        signature: [u8; 64],
    ) -> Result<Self, EntryError> {
        if certificate.operator() != log.operator() {
            return Err(EntryError::Operator);
        }
        let signed = certificate.endpoint().verify(&said(log.id(), index, &leaf), &signature);
        signed.map_err(|_| EntryError::Signature)?;
        Ok(Self { index, leaf, certificate, signature })
    }

    /// The entry's place.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hash of the entry.
    pub fn leaf(&self) -> &Digest32 {
        &self.leaf
    }

    /// Of the node that signed.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn signature(&self) -> &[u8; 64] {
        &self.signature
    }
}

fn said(log: LogId, index: u64, leaf: &Digest32) -> Vec<u8> {
    let fields = Fields::new(MESH_CLAIM.as_str()).bytes(log.0.as_bytes());
    fields.u64(index).bytes(leaf.as_bytes()).finish()
}

/// The form of an entry as it spreads; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry<'a> {
    /// Text of the log's key.
    pub log: &'a str,
    /// The entry's place.
    pub index: u64,
    /// The entry.
    pub entry: &'a [u8],
    certificate: &'a [u8],
    signature: [u8; 64],
}

impl<'a> RawEntry<'a> {
    /// Reads the form.
    ///
    /// # Errors
    /// [`EntryError::Form`] or [`EntryError::Empty`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let mut r = FieldsReader::new(MESH_ENTRY.as_str(), bytes)?;
        let (log, index) = (r.str(LOG_NAME_BYTES_MAX)?, r.u64()?);
        let entry = r.bytes(ENTRY_BYTES_MAX)?;
        let certificate = r.bytes(CERTIFICATE_BYTES_MAX)?;
        let signature = r.array()?;
        r.end()?;
        if entry.is_empty() {
            return Err(EntryError::Empty);
        }
        Ok(Self { log, index, entry, certificate, signature })
    }
}

/// An entry whose claim holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEntry {
    /// Its log.
    pub log: LogName,
    /// What was signed of it.
    pub claim: Claim,
    /// The entry.
    pub entry: Vec<u8>,
}

impl SignedEntry {
    /// Signs an entry of one's own log.
    pub fn sign(
        log: LogName,
        index: u64,
        entry: Vec<u8>,
        certificate: Certificate,
        endpoint: &SigningKey,
    ) -> Self {
        let claim = Claim::sign(&log, index, leaf_hash(&entry), certificate, endpoint);
        Self { log, claim, entry }
    }

    /// Checks what was read.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn open(raw: &RawEntry<'_>) -> Result<Self, EntryError> {
        Self::open_of(raw, LogName::parse(raw.log)?, &[])
    }

    /// As [`SignedEntry::open`], of a log that has the text, with certificates that were checked before.
    pub(crate) fn open_of(
        raw: &RawEntry<'_>,
        log: LogName,
        checked: &[Certificate],
    ) -> Result<Self, EntryError> {
        let place = (raw.index, leaf_hash(raw.entry));
        let known = checked.iter().find(|it| it.bytes() == raw.certificate).cloned();
        let certificate = known.map_or_else(|| Certificate::open(raw.certificate), Ok)?;
        let claim = Claim::open_under(&log, place, certificate, raw.signature)?;
        Ok(Self { log, claim, entry: raw.entry.to_vec() })
    }

    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        Fields::new(MESH_ENTRY.as_str())
            .str(self.log.text())
            .u64(self.claim.index)
            .bytes(&self.entry)
            .bytes(self.claim.certificate.bytes())
            .bytes(&self.claim.signature)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::derive_endpoint;
    use symbolon_ambient::SeededRng;

    fn party(seed: u64) -> (LogName, Certificate, SigningKey) {
        let operator = SigningKey::make(&SeededRng::new(seed));
        let endpoint = derive_endpoint(&operator, 0);
        let certificate = Certificate::sign(&operator, endpoint.verifying_key(), 0, 1000).unwrap();
        let log = LogName::new("example.test/log", operator.verifying_key()).unwrap();
        (log, certificate, endpoint)
    }

    fn read(entry: &SignedEntry) -> Result<SignedEntry, EntryError> {
        SignedEntry::open(&RawEntry::parse(&entry.to_bytes())?)
    }

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let (log, certificate, endpoint) = party(1);
        let (_, stranger, strange) = party(2);
        let sign = |certificate: &Certificate, key: &SigningKey| {
            SignedEntry::sign(log.clone(), 7, b"entry".to_vec(), certificate.clone(), key)
        };
        let good = sign(&certificate, &endpoint);
        assert_eq!(read(&good).as_ref(), Ok(&good));
        assert_eq!(read(&sign(&stranger, &strange)), Err(EntryError::Operator));
        assert_eq!(read(&sign(&certificate, &strange)), Err(EntryError::Signature));
        let mut moved = good.clone();
        moved.claim.index = 8;
        assert_eq!(read(&moved), Err(EntryError::Signature));
        let mut changed = good.clone();
        changed.entry[0] ^= 1;
        assert_eq!(read(&changed), Err(EntryError::Signature));
        let mut empty = good.clone();
        empty.entry.clear();
        assert_eq!(read(&empty), Err(EntryError::Empty));

        let text = |log: &str, certificate: &[u8]| {
            let fields = Fields::new(MESH_ENTRY.as_str()).str(log).u64(7).bytes(b"entry");
            let bytes = fields.bytes(certificate).bytes(&good.claim.signature).finish();
            RawEntry::parse(&bytes).and_then(|raw| SignedEntry::open(&raw)).unwrap_err()
        };
        let none = text("no key", certificate.bytes());
        assert!(matches!(none, EntryError::Log(NameError::Key(_))), "{none}");
        let none = text(log.text(), &certificate.bytes()[1..]);
        assert!(matches!(none, EntryError::Certificate(CertificateError::Form(_))));
        let tail = [&good.to_bytes()[..], b"x"].concat();
        assert_eq!(RawEntry::parse(&tail), Err(CodecError::Trailing(1).into()));
    }

    #[test]
    fn the_largest_entry_spreads_and_no_larger() {
        let (log, certificate, endpoint) = party(1);
        let of = |length| {
            let entry = vec![1; length];
            read(&SignedEntry::sign(log.clone(), 0, entry, certificate.clone(), &endpoint))
        };
        assert!(of(ENTRY_BYTES_MAX).is_ok());
        let long = CodecError::TooLong { found: 65_536, max: 65_535 };
        assert_eq!(of(ENTRY_BYTES_MAX + 1), Err(long.into()));
    }
}
