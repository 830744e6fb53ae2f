//! What a client or a stranger sends to prove a key: nonces, points, proofs, tokens, DPoP proofs, addresses, scopes.

use symbolon_crypto::schnorr::Point;
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_possession::token::dpop::{self, Request};
use symbolon_possession::token::{Claims, Expected, Jwk, Scopes, verify};
use symbolon_possession::{Audience, KeyAccount, PossessionKeys, ServiceSecret};
use symbolon_secret::Secret;

pub fn run(data: &[u8]) {
    let server = PossessionKeys::from_secret(secret(1), "https://keys.example");
    let device = SigningKey::from_seed(secret(2)).verifying_key();
    assert!(server.nonces.judge(data, [3; 16].into(), &device, 1).is_err(), "nobody tags a nonce");
    if let Some((bytes, rest)) = data.split_first_chunk::<32>() {
        let _ = server.evaluate([3; 16].into(), bytes);
        let _ = VerifyingKey::from_bytes(bytes);
        if let Ok(point) = Point::from_bytes(bytes) {
            assert_eq!(point.as_bytes(), bytes);
            if let Some((proof, statement)) = rest.split_first_chunk::<64>() {
                assert!(point.verify(statement, proof).is_err(), "nobody makes a proof by chance");
            }
        }
    }
    assert!(ServiceSecret::read(data).is_none_or(|it| it.to_holder().as_bytes() == data));
    let Ok(text) = std::str::from_utf8(data) else { return };
    words(text);
    let jwks = server.tokens.jwks();
    let expected = Expected {
        issuer: "https://keys.example",
        audience: "https://api.example",
        service: "03030303030303030303030303030303",
    };
    assert!(verify(text, &jwks.keys, &expected, 1).is_err(), "nobody signs a token");
    let _ = Claims::unverified(text);
    let url = "https://api.example/items";
    let request = Request { method: "GET", url, token: "token", jkt: &jwks.keys[0].thumbprint() };
    assert!(dpop::verify(text, &request, 1).is_err(), "nobody signs as the server");
    if let Ok(key) = serde_json::from_str::<Jwk>(text) {
        let again = serde_json::to_string(&key).expect("a key serializes");
        assert_eq!(serde_json::from_str::<Jwk>(&again).expect("it reads back"), key);
    }
}

/// What reads has one spelling.
fn words(text: &str) {
    if let Ok(scopes) = Scopes::of(text) {
        assert_eq!(Scopes::parse(scopes.as_str()).as_ref(), Ok(&scopes));
        assert!(scopes.is_within(&scopes));
    }
    if let Ok(audience) = Audience::parse(text) {
        assert_eq!(audience.as_str(), text);
        assert!(!text.contains(['@', '?', '#']) && !text.ends_with('/'), "{text}");
    }
    if let Ok(account) = KeyAccount::parse(text) {
        assert_eq!(account.as_str(), text);
    }
}

fn secret(byte: u8) -> Secret<[u8; 32]> {
    Secret::<[u8; 32]>::make(|bytes| bytes.fill(byte))
}
