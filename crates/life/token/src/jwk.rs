//! Public keys as JWK (RFC 7517), of the one kind that is used here: OKP, Ed25519 (RFC 8037).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use symbolon_codec::b64url;

/// An Ed25519 public key that can verify: a canonical point, not of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub struct Jwk(ed25519_dalek::VerifyingKey);

/// A set of keys (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// From its 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// [`JwkError::Key`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, JwkError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| JwkError::Key)?;
        let is_canonical = key.to_edwards().compress().to_bytes() == *bytes;
        if key.is_weak() || !is_canonical { Err(JwkError::Key) } else { Ok(Self(key)) }
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The thumbprint (RFC 7638, RFC 8037 appendix A.3), which is the key's `kid` and what `jkt` says.
    pub fn thumbprint(&self) -> String {
        Self::thumbprint_of(self.as_bytes())
    }

    /// The same of a key that was read before: its bytes are not looked at.
    pub fn thumbprint_of(bytes: &[u8; 32]) -> String {
        let x = b64url::encode(bytes);
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        b64url::encode(&Sha256::digest(members.as_bytes()))
    }

    /// Checks a signature strictly (RFC 8032, section 5.1.7, without the cofactor).
    pub(crate) fn is_signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}

/// As it stands in JSON. A private key's `d` is not read and does not belong there.
#[derive(Serialize, Deserialize)]
struct Members {
    kty: String,
    crv: String,
    x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
    #[serde(default, skip_serializing)]
    d: Option<serde::de::IgnoredAny>,
}

impl From<Jwk> for Members {
    fn from(key: Jwk) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: b64url::encode(key.as_bytes()),
            kid: Some(key.thumbprint()),
            alg: Some("EdDSA".to_owned()),
            purpose: Some("sig".to_owned()),
            d: None,
        }
    }
}

impl TryFrom<Members> for Jwk {
    type Error = JwkError;
    fn try_from(members: Members) -> Result<Self, JwkError> {
        if members.d.is_some() {
            return Err(JwkError::Private);
        }
        if (members.kty.as_str(), members.crv.as_str()) != ("OKP", "Ed25519") {
            return Err(JwkError::Kind);
        }
        let bytes = b64url::decode(&members.x, 32).ok().and_then(|b| <[u8; 32]>::try_from(b).ok());
        let key = Self::from_bytes(&bytes.ok_or(JwkError::Key)?)?;
        match &members.kid {
            Some(kid) if *kid != key.thumbprint() => Err(JwkError::Name),
            _ => Ok(key),
        }
    }
}

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// Another kind of key.
    #[error("the key is no Ed25519 key (OKP)")]
    Kind,
    /// Not the canonical encoding of a point, or one of small order.
    #[error("the key's x is no Ed25519 public key")]
    Key,
    /// Its `kid` is not its thumbprint.
    #[error("the key's kid is not its thumbprint (RFC 7638)")]
    Name,
    /// It has its private half.
    #[error("the key is sent with its private half")]
    Private,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendices A.2 and A.3.
    #[test]
    fn rfc_8037() {
        let text =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key: Jwk = serde_json::from_str(text).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let again: Jwk = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(again, key);
    }

    #[test]
    fn each_wrong_member_has_its_error() {
        let with = |from: &str, to: &str| {
            let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#;
            serde_json::from_str::<Jwk>(&text.replace(from, to)).map_err(|e| e.to_string())
        };
        let says = |error: JwkError| Err(error.to_string());
        assert!(with("", "").is_ok());
        assert_eq!(with("OKP", "EC"), says(JwkError::Kind));
        assert_eq!(with(r#""Ed25519""#, r#""X25519""#), says(JwkError::Kind));
        assert_eq!(with("kPrK", "kPrL"), says(JwkError::Name));
        assert_eq!(with(r#""x":"11"#, r#""d":"AA","x":"11"#), says(JwkError::Private));
        let identity = b64url::encode(&[&[1][..], &[0; 31]].concat());
        for bad in ["", "11qY", &identity, &b64url::encode(&[0xff; 32])] {
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            assert_eq!(with(x, bad), says(JwkError::Key), "{bad}");
        }
    }
}
