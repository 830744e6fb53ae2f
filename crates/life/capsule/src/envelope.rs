//! DSSE v1 envelopes around the three kinds of documents, signed by Ed25519 and, where the signer
//! has such a key, by ML-DSA-65 too.

use std::fmt;

use serde::{Deserialize, Serialize};
use symbolon_circuits::IssuerKey;
use symbolon_codec::dsse::{self, EnvelopeJson, Signature, pae};
use symbolon_codec::{CodecError, b64, json};
use symbolon_crypto::{
    PQ_KEY_BYTES, PQ_SIGNATURE_BYTES, PqSigningKey, PqVerifyingKey, SignatureError, SigningKey,
    VerifyingKey, sha256,
};

use crate::document::Kind;
use crate::statement::StatementKey;

/// Longest envelope that is read.
pub const ENVELOPE_BYTES_MAX: usize = 256 * 1024;

/// Why an envelope was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON, too long, too deep, a key twice, no signatures or too many, or not base64.
    #[error(transparent)]
    Envelope(#[from] dsse::EnvelopeError),
    /// A field is missing, unknown or of another kind.
    #[error("this is not a DSSE envelope")]
    Form,
    /// The payload is of another kind, or another version.
    #[error("the envelope does not hold a {0} of version 1")]
    Kind(&'static str),
    /// No signature has the given key's id.
    #[error("it is not signed by the {0} key that it should be signed by")]
    Unsigned(Algorithm),
    /// The signature with the given key's id does not verify.
    #[error("its {0} signature does not match what it holds")]
    Signature(Algorithm),
}

impl From<CodecError> for EnvelopeError {
    fn from(error: CodecError) -> Self {
        Self::Envelope(error.into())
    }
}

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// RFC 8032.
    Ed25519,
    /// FIPS 204.
    MlDsa65,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::MlDsa65 => "ML-DSA-65",
        })
    }
}

/// The keys that one signer signs with, each time with all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKeys {
    /// 64 hex digits.
    pub ed25519: VerifyingKey,
    /// What the publisher's statements are signed with; it signs no document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jubjub: Option<StatementKey>,
    /// Base64 of 1,952 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "pq_key")]
    pub ml_dsa_65: Option<PqVerifyingKey>,
}

impl From<VerifyingKey> for PublicKeys {
    fn from(ed25519: VerifyingKey) -> Self {
        Self { ed25519, jubjub: None, ml_dsa_65: None }
    }
}

/// The private halves.
#[derive(Debug)]
pub struct SigningKeys {
    /// Always.
    pub ed25519: SigningKey,
    /// For statements of a publisher.
    pub jubjub: Option<IssuerKey>,
    /// Beside it.
    pub ml_dsa_65: Option<PqSigningKey>,
}

impl SigningKeys {
    /// The public halves.
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            ed25519: self.ed25519.verifying_key(),
            jubjub: self.jubjub.as_ref().map(|it| it.public().into()),
            ml_dsa_65: self.ml_dsa_65.as_ref().map(|it| it.verifying_key().clone()),
        }
    }
}

impl From<SigningKey> for SigningKeys {
    fn from(ed25519: SigningKey) -> Self {
        Self { ed25519, jubjub: None, ml_dsa_65: None }
    }
}

/// A document's bytes and signatures over them. Nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    kind: Kind,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

const PAYLOAD_BYTES_MAX: usize = 128 * 1024;

impl Envelope {
    /// Signs a document's bytes with all keys. The same keys and bytes give the same envelope.
    ///
    /// # Errors
    /// [`SignatureError`], which ML-DSA gives for a context that is not used here.
    pub fn sign(kind: Kind, payload: Vec<u8>, keys: &SigningKeys) -> Result<Self, SignatureError> {
        let message = pae(kind.payload_type(), &payload);
        let key = &keys.ed25519;
        let key_id = hex_id(key.verifying_key().as_bytes());
        let mut signatures = vec![Signature { key_id, bytes: key.sign(&message).to_vec() }];
        if let Some(key) = &keys.ml_dsa_65 {
            let key_id = hex_id(key.verifying_key().as_bytes());
            signatures.push(Signature { key_id, bytes: key.sign(&message, b"")? });
        }
        Ok(Self { kind, payload, signatures })
    }

    /// Reads an envelope of one kind; verifies nothing.
    ///
    /// # Errors
    /// [`EnvelopeError`] of form and encoding.
    pub fn parse(kind: Kind, bytes: &[u8]) -> Result<Self, EnvelopeError> {
        Self::read(kind, &json::parse_bounded(bytes, ENVELOPE_BYTES_MAX, 4)?)
    }

    /// As [`Envelope::parse`], of JSON that was read already, under bounds of the reader's.
    ///
    /// # Errors
    /// [`EnvelopeError`] of form and encoding.
    pub fn read(kind: Kind, value: &serde_json::Value) -> Result<Self, EnvelopeError> {
        let read = EnvelopeJson::deserialize(value).map_err(|_| EnvelopeError::Form)?;
        if read.payload_type() != kind.payload_type() {
            return Err(EnvelopeError::Kind(kind.name()));
        }
        let (payload, signatures) = read.open(PAYLOAD_BYTES_MAX, PQ_SIGNATURE_BYTES)?;
        Ok(Self { kind, payload, signatures })
    }

    /// The document's bytes, if every one of the keys signed them.
    ///
    /// # Errors
    /// [`EnvelopeError::Unsigned`] or [`EnvelopeError::Signature`].
    pub fn verify(&self, keys: &PublicKeys) -> Result<&[u8], EnvelopeError> {
        let message = pae(self.kind.payload_type(), &self.payload);
        self.find(Algorithm::Ed25519, keys.ed25519.as_bytes(), |signature| {
            let signature = signature.try_into().map_err(|_| SignatureError::Signature)?;
            keys.ed25519.verify(&message, signature)
        })?;
        if let Some(key) = &keys.ml_dsa_65 {
            self.find(Algorithm::MlDsa65, key.as_bytes(), |signature| {
                key.verify(&message, b"", signature)
            })?;
        }
        Ok(&self.payload)
    }

    fn find(
        &self,
        algorithm: Algorithm,
        key: &[u8],
        check: impl Fn(&[u8]) -> Result<(), SignatureError>,
    ) -> Result<(), EnvelopeError> {
        let id = hex_id(key);
        let mut found = EnvelopeError::Unsigned(algorithm);
        for signature in self.signatures.iter().filter(|it| it.key_id == id) {
            match check(&signature.bytes) {
                Ok(()) => return Ok(()),
                Err(_) => found = EnvelopeError::Signature(algorithm),
            }
        }
        Err(found)
    }

    /// The document's bytes, though nobody's signature over them was checked.
    pub fn dangerous_unverified(&self) -> &[u8] {
        &self.payload
    }

    /// The envelope as JSON, for tools that read DSSE.
    pub fn to_json(&self) -> Vec<u8> {
        EnvelopeJson::new(self.kind.payload_type(), &self.payload, &self.signatures).to_bytes()
    }
}

/// Hex SHA-256 of the public key.
fn hex_id(key: &[u8]) -> String {
    sha256(key).to_string()
}

mod pq_key {
    use super::{PQ_KEY_BYTES, PqVerifyingKey, b64};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(
        key: &Option<PqVerifyingKey>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => serializer.serialize_str(&b64::encode(key.as_bytes())),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PqVerifyingKey>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = b64::decode(&text, PQ_KEY_BYTES).map_err(D::Error::custom)?;
        PqVerifyingKey::from_bytes(&bytes).map(Some).map_err(D::Error::custom)
    }
}
