//! A root that is believed no more (`specs/identity.md`, "Revocation").

use serde::{Deserialize, Serialize};
use symbolon_codec::{CodecError, Fields, hex, json};
use symbolon_crypto::labels::IDENTITY_REVOCATION;
use symbolon_crypto::{SigningKey, VerifyingKey};

/// Longest revocation that is read.
pub const REVOCATION_BYTES_MAX: usize = 1024;
/// What its JSON says that it is.
pub const REVOCATION_MEDIA_TYPE: &str = "application/vnd.symbolon.revocation+json;version=1";

/// Why a revocation was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// Its bytes are none.
    #[error("this is no revocation: {0}")]
    Form(#[from] CodecError),
    /// The root that it names did not sign it.
    #[error("the revocation is not signed by the operator that it names")]
    Signature,
}

/// A root's own word that nothing under it stands from a moment on. The signature was checked: there is no other value of this
/// type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    root: VerifyingKey,
    since_ms: u64,
    signature: [u8; 64],
}

impl Revocation {
    /// Signs one; since 0 is always.
    pub fn sign(root: &SigningKey, since_ms: u64) -> Self {
        let key = root.verifying_key();
        Self { root: key, since_ms, signature: root.sign(&said(&key, since_ms)) }
    }

    /// Reads one and checks it.
    ///
    /// # Errors
    /// [`RevocationError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RevocationError> {
        let value = json::parse_bounded(bytes, REVOCATION_BYTES_MAX, 2)?;
        let form = |what| RevocationError::Form(CodecError::Encoding(what));
        let read: RevocationJson =
            serde_json::from_value(value).map_err(|_| form("the fields of a revocation"))?;
        if read.media_type != REVOCATION_MEDIA_TYPE {
            return Err(form("the media type of a revocation"));
        }
        let mut signature = [0; 64];
        let decoded = hex::decode_to_slice(&read.signature, &mut signature);
        decoded.map_err(|_| form("128 hex digits"))?;
        let (root, since_ms) = (read.operator, read.since);
        let held = root.verify(&said(&root, since_ms), &signature);
        held.map_err(|_| RevocationError::Signature)?;
        Ok(Self { root, since_ms, signature })
    }

    /// Whether these bytes say that they are one.
    pub fn is_one(bytes: &[u8]) -> bool {
        let kind = json::text_member(bytes, REVOCATION_BYTES_MAX, 2, "mediaType");
        kind.is_some_and(|kind| kind == REVOCATION_MEDIA_TYPE)
    }

    /// The bytes that are handed over: JSON and a newline.
    pub fn to_bytes(&self) -> Vec<u8> {
        let whole = RevocationJson {
            media_type: REVOCATION_MEDIA_TYPE.to_owned(),
            operator: self.root,
            since: self.since_ms,
            signature: hex::encode(self.signature),
        };
        // Strings and a number always serialize.
        let mut bytes = serde_json::to_vec(&whole).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whose root.
    pub fn root(&self) -> &VerifyingKey {
        &self.root
    }

    /// From when on nothing stands, Unix time in ms; 0 is always.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Of several by a root the one that lets least stand.
    pub fn strictest<'a>(
        root: &VerifyingKey,
        all: impl IntoIterator<Item = &'a Self>,
    ) -> Option<&'a Self> {
        all.into_iter().filter(|it| it.root == *root).min_by_key(|it| it.since_ms)
    }
}

fn said(root: &VerifyingKey, since_ms: u64) -> Vec<u8> {
    Fields::new(IDENTITY_REVOCATION.as_str()).bytes(root.as_bytes()).u64(since_ms).finish()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevocationJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    operator: VerifyingKey,
    since: u64,
    signature: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn root(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    #[test]
    fn it_is_read_as_it_was_signed_and_no_byte_of_it_can_be_another() {
        let revocation = Revocation::sign(&root(1), 1_790_000_000_000);
        let bytes = revocation.to_bytes();
        assert!(bytes.len() <= REVOCATION_BYTES_MAX && Revocation::is_one(&bytes));
        assert_eq!(Revocation::parse(&bytes), Ok(revocation.clone()));
        for at in 0..bytes.len() {
            for change in [1, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                // Hex in capitals and white space after the end say the same.
                let read = Revocation::parse(&damaged);
                assert!(read.as_ref().is_err() || read == Ok(revocation.clone()), "{at}: {read:?}");
            }
        }
    }

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let good = Revocation::sign(&root(1), 5);
        let text = String::from_utf8(good.to_bytes()).unwrap();
        let form = |text: &str| {
            matches!(Revocation::parse(text.as_bytes()), Err(RevocationError::Form(_)))
        };
        assert!(form(&text.replace("version=1", "version=2")));
        assert!(form(&text.replace("\"since\"", "\"until\"")));
        assert!(form(&text.replace("{\"media", "{\"more\":1,\"media")));
        assert!(form(&text.replace(":5,", ":-5,")));
        assert!(form(&(text.clone() + &" ".repeat(REVOCATION_BYTES_MAX))));
        assert!(form(&text.replace(&hex::encode(good.signature), "00")));
        // Another day, another operator, another's signature.
        let other = Revocation::sign(&root(2), 5);
        let cases = [
            text.replace(":5,", ":6,"),
            text.replace(&good.root.to_string(), &other.root.to_string()),
            text.replace(&hex::encode(good.signature), &hex::encode(other.signature)),
        ];
        for case in cases {
            assert_ne!(case, text);
            assert_eq!(Revocation::parse(case.as_bytes()), Err(RevocationError::Signature));
        }
    }

    #[test]
    fn the_strictest_counts_and_others_do_not() {
        let (one, other) = (root(1), root(2));
        let all = [(&one, 9), (&one, 7), (&other, 0)].map(|(key, at)| Revocation::sign(key, at));
        let since = |key: &SigningKey| {
            Revocation::strictest(&key.verifying_key(), &all).map(Revocation::since_ms)
        };
        assert_eq!((since(&one), since(&other), since(&root(3))), (Some(7), Some(0), None));
    }
}
