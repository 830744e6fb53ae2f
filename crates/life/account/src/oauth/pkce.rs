//! Proof key for code exchange (RFC 7636), `S256` alone: with `plain`, who reads the request has the proof.

use symbolon_codec::b64url;
use symbolon_crypto::sha256;

/// BASE64URL(SHA-256(verifier)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge`: 32 bytes in their one spelling.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digest = b64url::decode(text, 32).is_ok_and(|bytes| bytes.len() == 32);
        is_digest.then(|| Self(text.to_owned()))
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is what `verifier` was made to.
    pub fn is_of(&self, verifier: &str) -> bool {
        is_code_verifier(verifier) && b64url::encode(&sha256(verifier.as_bytes()).0) == self.0
    }
}

/// 43 to 128 characters that need no encoding (RFC 7636, section 4.1).
pub fn is_code_verifier(text: &str) -> bool {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}
