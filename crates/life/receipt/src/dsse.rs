//! Envelopes around statements: one signature of the operator's, by Ed25519.

use symbolon_codec::dsse::{self, EnvelopeJson, Signature, pae};
use symbolon_codec::{CodecError, json};
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};

use crate::statement::STATEMENT_BYTES_MAX;

/// The one payload type here.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Why an envelope was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// Too long, too deep, a key twice, no signatures or too many, or not base64.
    #[error(transparent)]
    Envelope(#[from] dsse::EnvelopeError),
    /// A field is missing, unknown or of another kind; a signature is not of 64 bytes.
    #[error("this is not a DSSE envelope")]
    Form,
    /// The payload is of another type.
    #[error("the envelope's payload is not an in-toto statement")]
    PayloadType,
    /// No signature has the given key's id.
    #[error("the envelope is not signed by the given key")]
    Unsigned,
    /// The signature with the given key's id does not verify.
    #[error("the envelope's signature does not match its payload")]
    Signature,
}

impl From<CodecError> for DsseError {
    fn from(error: CodecError) -> Self {
        Self::Envelope(error.into())
    }
}

/// A payload and signatures over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

const ENVELOPE_BYTES_MAX: usize = 128 * 1024;

impl Envelope {
    /// Signs a statement's bytes. The same key and bytes give the same envelope.
    pub fn sign(payload: Vec<u8>, key: &SigningKey) -> Self {
        let bytes = key.sign(&pae(PAYLOAD_TYPE, &payload)).to_vec();
        let key_id = key_id(&key.verifying_key());
        Self { payload, signatures: vec![Signature { key_id, bytes }] }
    }

    /// Reads an envelope; verifies nothing.
    ///
    /// # Errors
    /// [`DsseError`] of form and encoding.
    pub fn parse(bytes: &[u8]) -> Result<Self, DsseError> {
        let value = json::parse_bounded(bytes, ENVELOPE_BYTES_MAX, 4)?;
        Self::from_json(serde_json::from_value(value).map_err(|_| DsseError::Form)?)
    }

    /// The payload, if the key signed it.
    ///
    /// # Errors
    /// [`DsseError::Unsigned`] or [`DsseError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<&[u8], DsseError> {
        let id = key_id(key);
        let signed = pae(PAYLOAD_TYPE, &self.payload);
        let mut found = DsseError::Unsigned;
        for signature in self.signatures.iter().filter(|it| it.key_id == id) {
            let whole = signature.bytes.as_slice().try_into();
            match whole.is_ok_and(|whole| key.verify(&signed, whole).is_ok()) {
                true => return Ok(&self.payload),
                false => found = DsseError::Signature,
            }
        }
        Err(found)
    }

    /// The envelope as JSON, for tools that read DSSE.
    pub fn to_json(&self) -> Vec<u8> {
        self.json().to_bytes()
    }

    pub(crate) fn json(&self) -> EnvelopeJson {
        EnvelopeJson::new(PAYLOAD_TYPE, &self.payload, &self.signatures)
    }

    pub(crate) fn from_json(read: EnvelopeJson) -> Result<Self, DsseError> {
        if read.payload_type() != PAYLOAD_TYPE {
            return Err(DsseError::PayloadType);
        }
        let (payload, signatures) = read.open(STATEMENT_BYTES_MAX, SIGNATURE_BYTES)?;
        if signatures.iter().any(|it| it.bytes.len() != SIGNATURE_BYTES) {
            return Err(DsseError::Form);
        }
        Ok(Self { payload, signatures })
    }
}

/// Hex SHA-256 of the public key.
pub fn key_id(key: &VerifyingKey) -> String {
    sha256(key.as_bytes()).to_string()
}

/// Of Ed25519.
const SIGNATURE_BYTES: usize = 64;
