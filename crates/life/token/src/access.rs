//! Access tokens (RFC 9068) that are bound to a device's key (RFC 9449, section 6).

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::jwk::Jwk;
use crate::jws::{Jws, signing_input};
use crate::scope::Scopes;

/// The shortest life of a token, in seconds.
pub const LIFE_SECONDS_MIN: u64 = 300;
/// The longest life of a token, in seconds.
pub const LIFE_SECONDS_MAX: u64 = 900;
/// Characters of the longest token that is read.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What a token says. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The server's origin.
    pub iss: String,
    /// The service's address.
    pub aud: String,
    /// The API key's id, 32 hex digits.
    pub sub: String,
    /// Who logged in (RFC 9068): the key's id again.
    pub client_id: String,
    /// The account at the service that the key is of, where the service said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The service's id, 32 hex digits.
    pub service: String,
    /// The device's id, 32 hex digits.
    pub device: String,
    /// What the token is good for.
    pub scope: Scopes,
    /// When it was made.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
    /// Its id, 32 hex digits.
    pub jti: String,
    /// Whose it is to use.
    pub cnf: Confirmation,
    /// The digest of the proof that it was given for.
    pub proof: String,
}

/// The key that a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Its thumbprint (RFC 7638).
    pub jkt: String,
}

impl Claims {
    /// What a token says of itself: nothing of it is checked, so it is good for finding what to check it by.
    pub fn unverified(text: &str) -> Option<Self> {
        Self::deserialize(&Jws::read(text, TOKEN_BYTES_MAX)?.payload).ok()
    }

    /// What the server's key signs; [`crate::compact`] makes the token of it.
    pub fn signing_input(&self, signer: &str) -> String {
        let header = json!({ "alg": "EdDSA", "kid": signer, "typ": TYPE });
        // A struct of texts and numbers serializes.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        signing_input(&header, &payload)
    }
}

/// What a service expects of a token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The server's origin.
    pub issuer: &'a str,
    /// The service's own address.
    pub audience: &'a str,
    /// The service's own id at the server.
    pub service: &'a str,
}

/// A token whose signature, issuer, audience, service and time were checked. [`verify`] alone makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken(Claims);

impl VerifiedToken {
    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.0
    }
}

/// Checks a token by the server's keys. Whether it was taken back the server alone knows, and whether who shows
/// it may, its DPoP proof tells ([`crate::dpop::verify`]).
///
/// # Errors
/// [`TokenError`], in the order of its variants.
pub fn verify(
    text: &str,
    keys: &[Jwk],
    expected: &Expected<'_>,
    now_unix_seconds: u64,
) -> Result<VerifiedToken, TokenError> {
    let jws = Jws::read(text, TOKEN_BYTES_MAX).ok_or(TokenError::Malformed)?;
    if !jws.header_says("alg", "EdDSA") {
        return Err(TokenError::Algorithm);
    }
    if !jws.header_says("typ", TYPE) || jws.header.get("crit").is_some() {
        return Err(TokenError::Type);
    }
    let named = |key: &&Jwk| jws.header_says("kid", &key.thumbprint());
    let key = keys.iter().find(named).ok_or(TokenError::UnknownKey)?;
    if !key.is_signed(jws.signed, &jws.signature) {
        return Err(TokenError::Signature);
    }
    let claims = Claims::deserialize(&jws.payload).map_err(|_| TokenError::Claims)?;
    if claims.iss != expected.issuer {
        return Err(TokenError::Issuer);
    }
    if claims.aud != expected.audience {
        return Err(TokenError::Audience);
    }
    if claims.service != expected.service {
        return Err(TokenError::Service);
    }
    if now_unix_seconds >= claims.exp {
        return Err(TokenError::Expired);
    }
    if claims.iat > now_unix_seconds + SKEW_SECONDS {
        return Err(TokenError::Early);
    }
    if claims.exp.saturating_sub(claims.iat) > LIFE_SECONDS_MAX {
        return Err(TokenError::TooLong);
    }
    Ok(VerifiedToken(claims))
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three parts of base64url, or no JSON.
    #[error("the token is no JWT")]
    Malformed,
    /// Another `alg`; `none` too.
    #[error("the token's alg is not EdDSA")]
    Algorithm,
    /// Another `typ`, or an extension that must be understood.
    #[error("the token's typ is not at+jwt")]
    Type,
    /// No key of the server has its `kid`.
    #[error("the token names a key that the server does not have")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature does not fit")]
    Signature,
    /// A claim is missing, too many, or of another form.
    #[error("the token's claims are not those of an access token")]
    Claims,
    /// Another server's.
    #[error("the token is another server's")]
    Issuer,
    /// For another service.
    #[error("the token is for another service")]
    Audience,
    /// For another service that says the same address.
    #[error("the token is for another registration of this address")]
    Service,
    /// Over.
    #[error("the token has expired")]
    Expired,
    /// Made later than now.
    #[error("the token is from the future: one of the clocks is wrong")]
    Early,
    /// Good for longer than any token may be.
    #[error("the token is good for longer than {LIFE_SECONDS_MAX} seconds")]
    TooLong,
}

const TYPE: &str = "at+jwt";
/// How far the server's clock may be ahead.
const SKEW_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::jws::compact;

    const NOW: u64 = 1_800_000_000;
    const EXPECTED: Expected<'_> = Expected {
        issuer: "https://keys.example",
        audience: "https://api.example",
        service: "0123456789abcdef0123456789abcdef",
    };

    fn claims() -> Claims {
        Claims {
            iss: EXPECTED.issuer.to_owned(),
            aud: EXPECTED.audience.to_owned(),
            sub: "00".repeat(16),
            client_id: "00".repeat(16),
            account: None,
            service: EXPECTED.service.to_owned(),
            device: "11".repeat(16),
            scope: Scopes::of("read").unwrap(),
            iat: NOW,
            exp: NOW + 300,
            jti: "22".repeat(16),
            cnf: Confirmation { jkt: "x".to_owned() },
            proof: "y".to_owned(),
        }
    }

    fn signer(byte: u8) -> (SigningKey, Jwk) {
        let key = SigningKey::from_bytes(&[byte; 32]);
        let jwk = Jwk::from_bytes(key.verifying_key().as_bytes()).unwrap();
        (key, jwk)
    }

    fn signed(input: String) -> String {
        let signature = signer(1).0.sign(input.as_bytes()).to_bytes();
        compact(input, &signature)
    }

    fn judged(text: &str, now: u64) -> Result<VerifiedToken, TokenError> {
        verify(text, &[signer(2).1, signer(1).1], &EXPECTED, now)
    }

    #[test]
    fn a_token_reads_back() {
        let text = signed(claims().signing_input(&signer(1).1.thumbprint()));
        assert_eq!(judged(&text, NOW).unwrap().claims(), &claims());
        assert_eq!(judged(&text, NOW + 299).map(drop), Ok(()));
        assert_eq!(judged(&text, NOW + 300), Err(TokenError::Expired));
        assert_eq!(judged(&text, NOW - 60).map(drop), Ok(()));
        assert_eq!(judged(&text, NOW - 61), Err(TokenError::Early));
        assert_eq!(verify(&text, &[signer(2).1], &EXPECTED, NOW), Err(TokenError::UnknownKey));
    }

    #[test]
    fn each_wrong_claim_has_its_error() {
        let with = |change: &dyn Fn(&mut Claims)| {
            let mut claims = claims();
            change(&mut claims);
            judged(&signed(claims.signing_input(&signer(1).1.thumbprint())), NOW)
        };
        assert_eq!(with(&|c| c.iss.push('x')), Err(TokenError::Issuer));
        assert_eq!(with(&|c| c.aud.push('x')), Err(TokenError::Audience));
        assert_eq!(with(&|c| c.service.push('0')), Err(TokenError::Service));
        assert_eq!(with(&|c| c.exp = NOW), Err(TokenError::Expired));
        assert_eq!(with(&|c| c.iat = NOW + 61), Err(TokenError::Early));
        assert_eq!(with(&|c| c.exp = NOW + 901), Err(TokenError::TooLong));
    }

    #[test]
    fn no_header_chooses_how_it_is_checked() {
        let payload = serde_json::to_vec(&claims()).unwrap();
        let kid = signer(1).1.thumbprint();
        let with = |header: serde_json::Value| {
            judged(&signed(signing_input(&header, &payload)), NOW).map(drop)
        };
        assert_eq!(with(json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid})), Ok(()));
        for alg in ["none", "HS256", "RS256", "eddsa", "Ed25519"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
            assert_eq!(with(header), Err(TokenError::Algorithm), "{alg}");
        }
        for typ in ["JWT", "dpop+jwt", ""] {
            let header = json!({"alg": "EdDSA", "typ": typ, "kid": kid});
            assert_eq!(with(header), Err(TokenError::Type), "{typ}");
        }
        let critical =
            json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid, "crit": ["b64"], "b64": false});
        assert_eq!(with(critical), Err(TokenError::Type));
        assert_eq!(with(json!({"alg": "EdDSA", "typ": "at+jwt"})), Err(TokenError::UnknownKey));
    }

    #[test]
    fn every_byte_counts() {
        let text = signed(claims().signing_input(&signer(1).1.thumbprint()));
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(judged(&wrong, NOW).is_err(), "byte {at}");
        }
        for bad in ["", ".", "..", "a.b.c", &text[..text.len() - 1], &format!("{text}.")] {
            assert_eq!(judged(bad, NOW), Err(TokenError::Malformed), "{bad}");
        }
        assert_eq!(judged(&"a".repeat(TOKEN_BYTES_MAX + 1), NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn unknown_and_missing_claims_are_refused() {
        let kid = signer(1).1.thumbprint();
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
        let mut value = serde_json::to_value(claims()).unwrap();
        value["admin"] = json!(true);
        let judge = |value: &serde_json::Value| {
            judged(&signed(signing_input(&header, value.to_string().as_bytes())), NOW)
        };
        assert_eq!(judge(&value), Err(TokenError::Claims));
        let mut value = serde_json::to_value(claims()).unwrap();
        value.as_object_mut().unwrap().remove("cnf");
        assert_eq!(judge(&value), Err(TokenError::Claims));
    }
}
