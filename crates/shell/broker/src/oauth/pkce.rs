//! Proof Key for Code Exchange (RFC 7636), S256 alone; and other words that nobody can guess.

use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_crypto::sha256;
use symbolon_secret::Secret;

/// A code verifier: 43 characters from 256 random bits.
pub(super) fn make_verifier(rng: &dyn Rng) -> Secret<[u8]> {
    let entropy = Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes));
    Secret::<[u8]>::make_slice(VERIFIER_BYTES, |out| {
        // EXPOSE: written as base64url from one secret page into another.
        let written = b64url::encode_into(entropy.expose(), out);
        // INFALLIBLE: 32 bytes are 43 characters.
        written.expect("a verifier fits its page");
    })
}

/// What the authorization server is shown of it.
pub(super) fn challenge(verifier: &Secret<[u8]>) -> String {
    // EXPOSE: hashed.
    b64url::encode(sha256(verifier.expose()).as_bytes())
}

/// 256 random bits as text: a `state`, the name of a flow.
pub(super) fn make_word(rng: &dyn Rng) -> String {
    let mut entropy = [0; 32];
    rng.fill(&mut entropy);
    b64url::encode(&entropy)
}

const VERIFIER_BYTES: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    #[test]
    fn the_challenge_is_the_one_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let verifier = Secret::<[u8]>::make_slice(43, |out| out.copy_from_slice(verifier));
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_are_base64url_of_their_entropy() {
        let made = |seed| make_verifier(&SeededRng::new(seed));
        let entropy: [u8; 32] = SeededRng::new(1).bytes();
        // EXPOSE: a test's own bytes.
        assert_eq!(made(1).expose(), b64url::encode(&entropy).as_bytes());
        assert!(!made(1).ct_eq(&made(2)));
    }
}
