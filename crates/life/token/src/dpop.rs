//! DPoP (RFC 9449): that who sends a request has the key that its token is bound to.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use symbolon_codec::b64url;

use crate::jwk::Jwk;
use crate::jws::{Jws, signing_input};

/// Characters of the longest proof that is read.
pub const PROOF_BYTES_MAX: usize = 4 * 1024;
/// How old a proof may be, in seconds: so long its id is remembered.
pub const AGE_SECONDS_MAX: u64 = 60;
/// How far the sender's clock may be ahead, in seconds.
pub const AHEAD_SECONDS_MAX: u64 = 30;

/// What a proof says (RFC 9449, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DpopClaims {
    /// Its id: 16 to 64 characters.
    pub jti: String,
    /// The request's method.
    pub htm: String,
    /// The request's address without query and fragment.
    pub htu: String,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// The digest of the access token: [`ath`].
    pub ath: String,
}

impl DpopClaims {
    /// What the device's key signs; [`crate::compact`] makes the proof of it.
    pub fn signing_input(&self, key: &Jwk) -> String {
        let x = b64url::encode(key.as_bytes());
        let jwk = json!({ "crv": "Ed25519", "kty": "OKP", "x": x });
        let header = json!({ "alg": "EdDSA", "jwk": jwk, "typ": TYPE });
        // A struct of texts and a number serializes.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        signing_input(&header, &payload)
    }
}

/// The digest of an access token, as a proof has it.
pub fn ath(token: &str) -> String {
    b64url::encode(&Sha256::digest(token.as_bytes()))
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The address without query and fragment.
    pub url: &'a str,
    /// The access token beside.
    pub token: &'a str,
    /// What the token says of the key that it is bound to.
    pub jkt: &'a str,
}

/// A proof that holds for one request. [`verify`] alone makes it; whether it came before, who remembers ids
/// must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    jti: String,
    until_unix_seconds: u64,
}

impl VerifiedProof {
    /// Its id, by which a second of the same is known.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// Until when its id is remembered, in Unix seconds: it is too old from then on.
    pub const fn until_unix_seconds(&self) -> u64 {
        self.until_unix_seconds
    }
}

/// Checks a proof against its request (RFC 9449, section 4.3).
///
/// # Errors
/// [`DpopError`], in the order of its variants.
pub fn verify(
    text: &str,
    request: &Request<'_>,
    now_unix_seconds: u64,
) -> Result<VerifiedProof, DpopError> {
    let jws = Jws::read(text, PROOF_BYTES_MAX).ok_or(DpopError::Malformed)?;
    if !jws.header_says("alg", "EdDSA") {
        return Err(DpopError::Algorithm);
    }
    if !jws.header_says("typ", TYPE) || jws.header.get("crit").is_some() {
        return Err(DpopError::Type);
    }
    let jwk = jws.header.get("jwk").ok_or(DpopError::Key)?;
    let key = Jwk::deserialize(jwk).map_err(|_| DpopError::Key)?;
    if key.thumbprint() != request.jkt {
        return Err(DpopError::OtherKey);
    }
    if !key.is_signed(jws.signed, &jws.signature) {
        return Err(DpopError::Signature);
    }
    let claims = DpopClaims::deserialize(&jws.payload).map_err(|_| DpopError::Claims)?;
    if !(16..=64).contains(&claims.jti.len()) {
        return Err(DpopError::Claims);
    }
    if claims.htm != request.method {
        return Err(DpopError::Method);
    }
    if claims.htu != request.url {
        return Err(DpopError::Url);
    }
    if claims.ath != ath(request.token) {
        return Err(DpopError::OtherToken);
    }
    if claims.iat.saturating_add(AGE_SECONDS_MAX) <= now_unix_seconds {
        return Err(DpopError::Old);
    }
    if claims.iat > now_unix_seconds + AHEAD_SECONDS_MAX {
        return Err(DpopError::Ahead);
    }
    Ok(VerifiedProof {
        jti: claims.jti,
        until_unix_seconds: claims.iat.saturating_add(AGE_SECONDS_MAX),
    })
}

/// Why a proof is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// Not three parts of base64url, or no JSON.
    #[error("the DPoP proof is no JWT")]
    Malformed,
    /// Another `alg`.
    #[error("the DPoP proof's alg is not EdDSA")]
    Algorithm,
    /// Another `typ`.
    #[error("the DPoP proof's typ is not dpop+jwt")]
    Type,
    /// No public key, a wrong one, or one with its private half.
    #[error("the DPoP proof's jwk is no Ed25519 public key")]
    Key,
    /// By another key than the token is bound to.
    #[error("the DPoP proof is by another key than the token is bound to")]
    OtherKey,
    /// The signature does not fit.
    #[error("the DPoP proof's signature does not fit")]
    Signature,
    /// A claim is missing, or of another form.
    #[error("the DPoP proof has not its claims")]
    Claims,
    /// For another method.
    #[error("the DPoP proof is for another method")]
    Method,
    /// For another address.
    #[error("the DPoP proof is for another address")]
    Url,
    /// For another token.
    #[error("the DPoP proof is for another token")]
    OtherToken,
    /// Made too long ago.
    #[error("the DPoP proof is older than {AGE_SECONDS_MAX} seconds")]
    Old,
    /// Made later than now.
    #[error("the DPoP proof is from the future: one of the clocks is wrong")]
    Ahead,
}

const TYPE: &str = "dpop+jwt";

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::jws::compact;

    const NOW: u64 = 1_800_000_000;

    fn claims() -> DpopClaims {
        DpopClaims {
            jti: "0123456789abcdef".to_owned(),
            htm: "GET".to_owned(),
            htu: "https://api.example/items".to_owned(),
            iat: NOW,
            ath: ath("token"),
        }
    }

    fn device(byte: u8) -> (SigningKey, Jwk) {
        let key = SigningKey::from_bytes(&[byte; 32]);
        let jwk = Jwk::from_bytes(key.verifying_key().as_bytes()).unwrap();
        (key, jwk)
    }

    fn judged(claims: &DpopClaims, by: u8, now: u64) -> Result<VerifiedProof, DpopError> {
        let (key, jwk) = device(by);
        let input = claims.signing_input(&jwk);
        let signature = key.sign(input.as_bytes()).to_bytes();
        judge(&compact(input, &signature), now)
    }

    fn judge(text: &str, now: u64) -> Result<VerifiedProof, DpopError> {
        let jkt = device(1).1.thumbprint();
        let url = "https://api.example/items";
        verify(text, &Request { method: "GET", url, token: "token", jkt: &jkt }, now)
    }

    #[test]
    fn a_proof_holds_for_a_minute() {
        let seen = judged(&claims(), 1, NOW).unwrap();
        assert_eq!((seen.jti(), seen.until_unix_seconds()), ("0123456789abcdef", NOW + 60));
        assert!(judged(&claims(), 1, NOW + 59).is_ok());
        assert_eq!(judged(&claims(), 1, NOW + 60), Err(DpopError::Old));
        assert!(judged(&claims(), 1, NOW - 30).is_ok());
        assert_eq!(judged(&claims(), 1, NOW - 31), Err(DpopError::Ahead));
    }

    #[test]
    fn each_wrong_claim_has_its_error() {
        let with = |change: &dyn Fn(&mut DpopClaims)| {
            let mut claims = claims();
            change(&mut claims);
            judged(&claims, 1, NOW)
        };
        assert_eq!(with(&|c| c.htm = "POST".to_owned()), Err(DpopError::Method));
        assert_eq!(with(&|c| c.htu.push('/')), Err(DpopError::Url));
        assert_eq!(with(&|c| c.htu = c.htu.replace("https", "http")), Err(DpopError::Url));
        assert_eq!(with(&|c| c.ath = ath("tokem")), Err(DpopError::OtherToken));
        assert_eq!(with(&|c| c.jti = "short".to_owned()), Err(DpopError::Claims));
        assert_eq!(with(&|c| c.jti = "x".repeat(65)), Err(DpopError::Claims));
        assert_eq!(judged(&claims(), 2, NOW), Err(DpopError::OtherKey));
    }

    #[test]
    fn every_byte_counts() {
        let (key, jwk) = device(1);
        let input = claims().signing_input(&jwk);
        let signature = key.sign(input.as_bytes()).to_bytes();
        let text = compact(input, &signature);
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            assert!(judge(&String::from_utf8(wrong).unwrap(), NOW).is_err(), "byte {at}");
        }
        for bad in ["", "a.b.c", &text[1..]] {
            assert_eq!(judge(bad, NOW), Err(DpopError::Malformed));
        }
    }

    #[test]
    fn a_header_chooses_nothing() {
        let (key, jwk) = device(1);
        let x = b64url::encode(jwk.as_bytes());
        let payload = serde_json::to_vec(&claims()).unwrap();
        let with = |header: serde_json::Value| {
            let input = signing_input(&header, &payload);
            let signature = key.sign(input.as_bytes()).to_bytes();
            judge(&compact(input, &signature), NOW).map(drop)
        };
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        assert_eq!(with(json!({"alg": "EdDSA", "typ": "dpop+jwt", "jwk": jwk})), Ok(()));
        let none = json!({"alg": "none", "typ": "dpop+jwt", "jwk": jwk});
        assert_eq!(with(none), Err(DpopError::Algorithm));
        let access = json!({"alg": "EdDSA", "typ": "at+jwt", "jwk": jwk});
        assert_eq!(with(access), Err(DpopError::Type));
        assert_eq!(with(json!({"alg": "EdDSA", "typ": "dpop+jwt"})), Err(DpopError::Key));
        let private = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": x});
        let header = json!({"alg": "EdDSA", "typ": "dpop+jwt", "jwk": private});
        assert_eq!(with(header), Err(DpopError::Key));
    }
}
