//! What stands in a session's cookie, and what the page sends beside it.

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, b64url};
use symbolon_crypto::{hmac_sha256, labels};
use symbolon_secret::Secret;

/// 256 random bits that are a session's right. The server keeps their hash alone
/// ([`crate::ServerKey::session_hash`]).
pub struct SessionToken(Secret<[u8; 32]>);

impl SessionToken {
    /// A new one.
    pub fn make(rng: &dyn Rng) -> Self {
        Self(Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes)))
    }

    /// Reads a cookie's value: 43 characters of base64url.
    pub fn read(value: &[u8]) -> Option<Self> {
        let mut is_whole = value.len() == TOKEN_CHARS;
        let token = Secret::<[u8; 32]>::make(|bytes| {
            is_whole &= b64url::decode_into(value, bytes) == Some(32);
        });
        is_whole.then_some(Self(token))
    }

    /// The bytes, to be hashed.
    pub fn with_bytes<R>(&self, then: impl FnOnce(&[u8]) -> R) -> R {
        // EXPOSE: the hash of a token is made of it.
        then(self.0.expose())
    }

    /// The cookie's value, for its one way out.
    pub fn to_cookie(&self) -> String {
        // EXPOSE: the token goes to its holder, in the answer that made it.
        b64url::encode(self.0.expose())
    }

    /// What every unsafe request with this session's cookie carries in `X-Symbolon-CSRF`: HMAC-SHA256 under
    /// the token of the label. A page of another origin can send the cookie, and cannot know this.
    pub fn csrf(&self) -> Csrf {
        Csrf(hmac_sha256(&self.0, &[labels::SESSION_CSRF.as_str().as_bytes()]))
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken")
    }
}

/// A session's CSRF token.
pub struct Csrf(Digest32);

impl Csrf {
    /// As the page is given it, and sends it.
    pub fn to_header(&self) -> String {
        b64url::encode(&self.0.0)
    }

    /// Compares in constant time.
    pub fn is(&self, header: &[u8]) -> bool {
        let wanted = self.to_header();
        wanted.len() == header.len()
            && wanted.bytes().zip(header).fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for Csrf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Csrf")
    }
}

const TOKEN_CHARS: usize = 43;

#[cfg(test)]
mod tests {
    use symbolon_ambient::SeededRng;

    use super::*;

    #[test]
    fn a_cookie_reads_back_in_its_one_spelling() {
        let token = SessionToken::make(&SeededRng::new(1));
        let cookie = token.to_cookie();
        let again = SessionToken::read(cookie.as_bytes()).unwrap();
        assert_eq!(again.to_cookie(), cookie);
        let mut other_end = cookie.clone().into_bytes();
        other_end[42] = if other_end[42] == b'B' { b'C' } else { b'B' };
        for bad in [&b""[..], b"x", &cookie.as_bytes()[..42], &other_end, &[b'!'; 43], &[b'A'; 44]]
        {
            assert!(SessionToken::read(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_csrf_token_is_its_session_s_alone() {
        let rng = SeededRng::new(2);
        let (one, two) = (SessionToken::make(&rng), SessionToken::make(&rng));
        let csrf = one.csrf().to_header();
        assert!(one.csrf().is(csrf.as_bytes()));
        assert!(!two.csrf().is(csrf.as_bytes()));
        assert!(!one.csrf().is(&csrf.as_bytes()[1..]) && !one.csrf().is(b""));
        assert!(!one.csrf().is(one.to_cookie().as_bytes()), "the cookie is no CSRF token");
    }
}
