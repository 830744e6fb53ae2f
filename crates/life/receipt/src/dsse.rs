//! DSSE v1 envelopes (secure-systems-lab/dsse, `protocol.md` and `envelope.md`), with Ed25519.

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, b64, json};
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};

use crate::statement::STATEMENT_BYTES_MAX;

/// The one payload type here.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Why an envelope was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// Not JSON, too long, too deep, a key twice, or not base64.
    #[error("the envelope is refused: {0}")]
    Encoding(#[from] CodecError),
    /// A field is missing, unknown or of another kind.
    #[error("this is not a DSSE envelope")]
    Form,
    /// The payload is of another type.
    #[error("the envelope's payload is not an in-toto statement")]
    PayloadType,
    /// No signatures, or more than eight.
    #[error("the envelope has {0} signatures; 1 to 8 are read")]
    Count(usize),
    /// No signature has the given key's id.
    #[error("the envelope is not signed by the given key")]
    Unsigned,
    /// The signature with the given key's id does not verify.
    #[error("the envelope's signature does not match its payload")]
    Signature,
}

/// A payload and signatures over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    key_id: String,
    signature: [u8; 64],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvelopeJson {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    keyid: String,
    sig: String,
}

const SIGNATURES_MAX: usize = 8;
const ENVELOPE_BYTES_MAX: usize = 128 * 1024;

impl Envelope {
    /// Signs a statement's bytes. The same key and bytes give the same envelope.
    pub fn sign(payload: Vec<u8>, key: &SigningKey) -> Self {
        let signature = key.sign(&pae(PAYLOAD_TYPE, &payload));
        let key_id = key_id(&key.verifying_key());
        Self { payload, signatures: vec![Signature { key_id, signature }] }
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
        for signature in self.signatures.iter().filter(|s| s.key_id == id) {
            match key.verify(&signed, &signature.signature) {
                Ok(()) => return Ok(&self.payload),
                Err(_) => found = DsseError::Signature,
            }
        }
        Err(found)
    }

    /// The envelope as JSON, for tools that read DSSE.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and lists of strings always serialize.
        serde_json::to_vec(&self.json()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> EnvelopeJson {
        let one = |s: &Signature| SignatureJson {
            keyid: s.key_id.clone(),
            sig: b64::encode(&s.signature),
        };
        EnvelopeJson {
            payload: b64::encode(&self.payload),
            payload_type: PAYLOAD_TYPE.into(),
            signatures: self.signatures.iter().map(one).collect(),
        }
    }

    pub(crate) fn from_json(read: EnvelopeJson) -> Result<Self, DsseError> {
        if read.payload_type != PAYLOAD_TYPE {
            return Err(DsseError::PayloadType);
        }
        let count = read.signatures.len();
        if count == 0 || count > SIGNATURES_MAX {
            return Err(DsseError::Count(count));
        }
        let one = |s: SignatureJson| {
            let bytes = b64::decode(&s.sig, 64)?;
            let signature = bytes.try_into().map_err(|_| DsseError::Form)?;
            Ok(Signature { key_id: s.keyid, signature })
        };
        Ok(Self {
            payload: b64::decode(&read.payload, STATEMENT_BYTES_MAX)?,
            signatures: read.signatures.into_iter().map(one).collect::<Result<_, DsseError>>()?,
        })
    }
}

/// What is signed: lengths make every border plain.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Hex SHA-256 of the public key.
pub fn key_id(key: &VerifyingKey) -> String {
    sha256(key.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE specification (`protocol.md`).
    #[test]
    fn pae_is_that_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
