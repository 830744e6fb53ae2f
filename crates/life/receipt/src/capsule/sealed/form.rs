//! Disclosures and releases as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_codec::{CodecError, Digest32, b64url, hex, json};
use symbolon_crypto::{HPKE_SEALED_BYTES, RecipientKey};

use super::super::{CapsuleFormError, CapsuleReceipt, DEPTH_MAX};
use super::{
    DISCLOSURE_BYTES_MAX, DISCLOSURE_MEDIA_TYPE, Disclosure, RELEASE_BYTES_MAX, RELEASE_MEDIA_TYPE,
    Release, SealedShare, Terms,
};

/// Why a file is no disclosure, or no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosureFormError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the file cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is not a {0} of version 1")]
    MediaType(&'static str),
    /// A field is missing, unknown or of another kind.
    #[error("the file has not the right form: {0}")]
    Form(String),
    /// The receipt in it.
    #[error("the receipt in it: {0}")]
    Receipt(#[from] CapsuleFormError),
    /// The receipt in it shows a field.
    #[error("the receipt in it shows a field, which is not what was sealed")]
    Shown,
    /// Holders and threshold cannot be.
    #[error("it has not 1 to 16 holders, each once, and a threshold of 1 to all of them")]
    Terms,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisclosureJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    receipt: Value,
    threshold: u8,
    #[serde(rename = "notBefore")]
    not_before_ms: u64,
    holders: Vec<HolderJson>,
    fields: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderJson {
    key: Digest32,
    commitment: Digest32,
    share: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    terms: Digest32,
    holder: u8,
    share: Digest32,
}

impl Disclosure {
    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        let one = |(key, share): (&RecipientKey, &SealedShare)| HolderJson {
            key: Digest32(*key.as_bytes()),
            commitment: share.commitment,
            share: hex::encode(share.sealed),
        };
        let whole = DisclosureJson {
            media_type: DISCLOSURE_MEDIA_TYPE.to_owned(),
            // What was written as JSON reads as JSON.
            receipt: serde_json::from_slice(&self.receipt.to_json()).unwrap_or_default(),
            threshold: self.terms.threshold,
            not_before_ms: self.terms.not_before_ms,
            holders: self.terms.holders.iter().zip(&self.shares).map(one).collect(),
            fields: b64url::encode(&self.fields),
        };
        // Strings, numbers and lists of them always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads a disclosure; opens nothing.
    ///
    /// # Errors
    /// [`DisclosureFormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DisclosureFormError> {
        let read: DisclosureJson = read(
            bytes,
            DISCLOSURE_BYTES_MAX,
            DISCLOSURE_MEDIA_TYPE,
            "disclosure of a capsule's receipt",
        )?;
        let receipt = serde_json::to_vec(&read.receipt).unwrap_or_default();
        let receipt = CapsuleReceipt::parse(&receipt)?;
        if !receipt.shows_least() {
            return Err(DisclosureFormError::Shown);
        }
        let keys = read.holders.iter().map(|it| RecipientKey::from_bytes(it.key.as_bytes()));
        let terms = Terms {
            threshold: read.threshold,
            not_before_ms: read.not_before_ms,
            holders: keys.collect::<Result<_, _>>().map_err(|e| form(&e))?,
        };
        if !terms.holds() {
            return Err(DisclosureFormError::Terms);
        }
        let share = |it: &HolderJson| {
            let mut sealed = [0; HPKE_SEALED_BYTES];
            hex::decode_to_slice(&it.share, &mut sealed).map_err(|e| form(&e))?;
            Ok::<_, DisclosureFormError>(SealedShare { commitment: it.commitment, sealed })
        };
        let shares = read.holders.iter().map(share).collect::<Result<_, _>>()?;
        let fields = b64url::decode(&read.fields, DISCLOSURE_BYTES_MAX)?;
        Ok(Self { receipt, terms, shares, fields })
    }
}

impl Release {
    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let whole = ReleaseJson {
            media_type: RELEASE_MEDIA_TYPE.to_owned(),
            terms: self.terms,
            holder: self.holder,
            share: self.share,
        };
        // Strings and a number always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// Reads a release; what it is of is not known.
    ///
    /// # Errors
    /// [`DisclosureFormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DisclosureFormError> {
        let read: ReleaseJson =
            read(bytes, RELEASE_BYTES_MAX, RELEASE_MEDIA_TYPE, "release of a holder")?;
        Ok(Self { terms: read.terms, holder: read.holder, share: read.share })
    }
}

fn read<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    max: usize,
    media_type: &str,
    what: &'static str,
) -> Result<T, DisclosureFormError> {
    // The receipt, with its own depth, is one level below.
    let value = json::parse_bounded(bytes, max, DEPTH_MAX + 1)?;
    if value.get("mediaType").and_then(Value::as_str) != Some(media_type) {
        return Err(DisclosureFormError::MediaType(what));
    }
    serde_json::from_value(value).map_err(|e| form(&e))
}

fn form(error: &dyn std::fmt::Display) -> DisclosureFormError {
    DisclosureFormError::Form(error.to_string())
}
