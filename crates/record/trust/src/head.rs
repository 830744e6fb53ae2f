//! What an operator signs of its chain.

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader, hex};
use symbolon_crypto::labels::IDENTITY_CHAIN;
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};

/// What the operator says of its chain at a moment, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HeadJson", into = "HeadJson")]
pub struct Head {
    bytes: Vec<u8>,
    signature: [u8; 64],
}

/// Why a head was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Its bytes are no head.
    #[error("this is no head of a chain: {0}")]
    Form(#[from] CodecError),
    /// The signature is not by the root.
    #[error("the head of the chain is not signed by the operator's key")]
    Signature,
    /// It is a head of another operator's chain.
    #[error("the head is of another operator's chain")]
    Root,
    /// It does not follow the one before.
    #[error("the head does not follow the one that was seen before")]
    Follows,
    /// The leaves that were kept are not those that the newest head was signed over.
    #[error("the leaves that were kept are not those of the chain's newest head")]
    Leaves,
}

/// What a head says.
pub(crate) struct Said {
    root: [u8; 32],
    pub size: u64,
    pub tree: Digest32,
    before: Digest32,
}

impl Head {
    /// From its bytes and signature.
    pub fn new(bytes: Vec<u8>, signature: [u8; 64]) -> Self {
        Self { bytes, signature }
    }

    pub(crate) fn sign(root: &SigningKey, size: u64, tree: &Digest32, before: &Digest32) -> Self {
        let bytes = Fields::new(IDENTITY_CHAIN.as_str())
            .bytes(root.verifying_key().as_bytes())
            .u64(size)
            .bytes(tree.as_bytes())
            .bytes(before.as_bytes())
            .finish();
        let signature = root.sign(&bytes);
        Self { bytes, signature }
    }

    /// The bytes that are signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature over them.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// Checks that this head is the root's and comes right after `before`.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn follows(&self, before: &Self, root: &VerifyingKey) -> Result<(), HeadError> {
        let (mine, theirs) = (self.check(root)?, before.check(root)?);
        let held = mine.before == sha256(&before.bytes) && mine.size >= theirs.size;
        if held { Ok(()) } else { Err(HeadError::Follows) }
    }

    pub(crate) fn check(&self, root: &VerifyingKey) -> Result<Said, HeadError> {
        root.verify(&self.bytes, &self.signature).map_err(|_| HeadError::Signature)?;
        let mut r = FieldsReader::new(IDENTITY_CHAIN.as_str(), &self.bytes)?;
        let (key, size) = (r.array()?, r.u64()?);
        let said =
            Said { root: key, size, tree: Digest32(r.array()?), before: Digest32(r.array()?) };
        r.end()?;
        if said.root == *root.as_bytes() { Ok(said) } else { Err(HeadError::Root) }
    }
}

/// A head in JSON: both in hex.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadJson {
    bytes: String,
    signature: String,
}

impl TryFrom<HeadJson> for Head {
    type Error = CodecError;

    fn try_from(json: HeadJson) -> Result<Self, CodecError> {
        let mut signature = [0; 64];
        hex::decode_to_slice(&json.signature, &mut signature)
            .map_err(|_| CodecError::Encoding("128 hex digits"))?;
        let bytes = hex::decode(&json.bytes).map_err(|_| CodecError::Encoding("hex digits"))?;
        Ok(Self { bytes, signature })
    }
}

impl From<Head> for HeadJson {
    fn from(head: Head) -> Self {
        Self { bytes: hex::encode(&head.bytes), signature: hex::encode(head.signature) }
    }
}
