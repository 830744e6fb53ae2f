//! The publisher's second signature, in a form that circuits compute with: by it a receipt shows that a capsule of the
//! publisher ran under a policy, and not which (`specs/statements/capsule.md`).

use serde::{Deserialize, Serialize};
use symbolon_circuits::{IssuerPublicKey, NotAKey, SIGNATURE_BYTES, Signature};
use symbolon_codec::{CodecError, hex};

/// A publisher's key of statements: a point of Jubjub, in 64 hex digits. The point is read where it is used: that it is
/// in its group costs more than two Ed25519 signatures, and most readers of a certificate need it for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatementKey([u8; 32]);

/// A publisher's signature over a capsule's description. 128 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatementSignature(Signature);

impl StatementKey {
    /// The key, as the statement names it.
    ///
    /// # Errors
    /// [`NotAKey`]: no point, one of another group, or in another spelling.
    pub fn public(&self) -> Result<IssuerPublicKey, NotAKey> {
        IssuerPublicKey::from_bytes(&self.0)
    }
}

impl StatementSignature {
    /// The signature, as the statement's witness has it.
    pub fn as_signature(&self) -> &Signature {
        &self.0
    }
}

impl From<IssuerPublicKey> for StatementKey {
    fn from(key: IssuerPublicKey) -> Self {
        Self(key.to_bytes())
    }
}

impl From<Signature> for StatementSignature {
    fn from(signature: Signature) -> Self {
        Self(signature)
    }
}

impl From<StatementKey> for String {
    fn from(key: StatementKey) -> Self {
        hex::encode(key.0)
    }
}

impl From<StatementSignature> for String {
    fn from(signature: StatementSignature) -> Self {
        hex::encode(signature.0.to_bytes())
    }
}

impl TryFrom<String> for StatementKey {
    type Error = CodecError;

    fn try_from(text: String) -> Result<Self, CodecError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| CodecError::Encoding("a key of statements"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for StatementSignature {
    type Error = CodecError;

    fn try_from(text: String) -> Result<Self, CodecError> {
        let none = CodecError::Encoding("a signature of a statement");
        let mut bytes = [0; SIGNATURE_BYTES];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| none.clone())?;
        Signature::from_bytes(&bytes).map(Self).map_err(|_| none)
    }
}
