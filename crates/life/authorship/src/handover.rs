//! What passes between two owners: `specs/authorship.md`, "Handing over".

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Digest32, b64url, hex, json};
use symbolon_crypto::VerifyingKey;

use crate::entry::ENTRY_BYTES_MAX;
use crate::{Act, Salt};

/// The longest invitation or offer, in bytes.
pub const HANDOVER_BYTES_MAX: usize = 8 * 1024;

/// Why a file is no invitation or offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the file cannot be read: {0}")]
    Json(#[from] CodecError),
    /// A field is missing, unknown, or of another kind.
    #[error("this is not what one owner hands to another: {0}")]
    Form(String),
}

/// Who wants to be the next owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Their key, for this registration alone.
    pub key: VerifyingKey,
    /// Their account, to who knows its id.
    pub holder: Digest32,
}

/// A transfer that the present owner signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Which registration.
    pub commitment: Digest32,
    /// What was signed: a transfer.
    pub transfer: Act,
    /// By the present owner.
    pub signature: [u8; 64],
    /// The registration's salt: whoever reads the offer can check guesses of the text.
    pub salt: Salt,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvitationJson {
    #[serde(rename = "type")]
    kind: String,
    key: String,
    holder: Digest32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferJson {
    #[serde(rename = "type")]
    kind: String,
    commitment: Digest32,
    transfer: String,
    signature: String,
    salt: String,
}

impl Invitation {
    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let (kind, key) = (INVITATION.to_owned(), hex::encode(self.key.as_bytes()));
        // Strings always serialize.
        serde_json::to_vec_pretty(&InvitationJson { kind, key, holder: self.holder })
            .unwrap_or_default()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`HandoverError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, HandoverError> {
        let value = json::parse_bounded(bytes, HANDOVER_BYTES_MAX, DEPTH_MAX)?;
        let read: InvitationJson = serde_json::from_value(value).map_err(form)?;
        if read.kind != INVITATION {
            return Err(HandoverError::Form("another type".to_owned()));
        }
        let key = VerifyingKey::from_hex(&read.key).map_err(form)?;
        Ok(Self { key, holder: read.holder })
    }
}

impl Offer {
    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let whole = OfferJson {
            kind: OFFER.to_owned(),
            commitment: self.commitment,
            transfer: b64url::encode(&self.transfer.write()),
            signature: hex::encode(self.signature),
            salt: hex::encode(self.salt.as_bytes()),
        };
        // Strings always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads one; the signature is checked when the entry is made.
    ///
    /// # Errors
    /// [`HandoverError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, HandoverError> {
        let value = json::parse_bounded(bytes, HANDOVER_BYTES_MAX, DEPTH_MAX)?;
        let read: OfferJson = serde_json::from_value(value).map_err(form)?;
        if read.kind != OFFER {
            return Err(HandoverError::Form("another type".to_owned()));
        }
        let transfer = b64url::decode(&read.transfer, ENTRY_BYTES_MAX)?;
        let transfer = Act::parse(&transfer)?;
        if !matches!(transfer, Act::Transfer(_)) {
            return Err(HandoverError::Form("no transfer".to_owned()));
        }
        let mut signature = [0; 64];
        hex::decode_to_slice(&read.signature, &mut signature).map_err(form)?;
        let salt = Salt::from_hex(&read.salt)
            .ok_or_else(|| HandoverError::Form("a salt is 64 hex digits".to_owned()))?;
        Ok(Self { commitment: read.commitment, transfer, signature, salt })
    }
}

fn form(error: impl std::fmt::Display) -> HandoverError {
    HandoverError::Form(error.to_string())
}

const INVITATION: &str = "symbolon/authorship-invitation/v1";
const OFFER: &str = "symbolon/authorship-offer/v1";
const DEPTH_MAX: usize = 3;
