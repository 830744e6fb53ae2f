//! What an assistant shows: codes, access tokens, refresh tokens. 256 random bits each, kept as hashes.

use symbolon_ambient::Rng;
use symbolon_codec::{Digest32, b64url};
use symbolon_secret::Secret;

use super::{grant::GrantId, scope::Scopes};
use crate::ServerKey;

/// What a bearer's right is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BearerKind {
    /// An authorization code: `symc_`.
    Code,
    /// An access token: `symv_`.
    Access,
    /// A refresh token: `symr_`.
    Refresh,
}

impl BearerKind {
    /// What stands before the random characters. An agent's key begins with `sym_`, which is none of these.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "symc_",
            Self::Access => "symv_",
            Self::Refresh => "symr_",
        }
    }
}

/// A code or a token, in the clear for its one way.
pub struct Bearer {
    kind: BearerKind,
    bytes: Secret<[u8; 32]>,
}

impl Bearer {
    /// A new one.
    pub fn make(kind: BearerKind, rng: &dyn Rng) -> Self {
        Self { kind, bytes: Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes)) }
    }

    /// Reads one: its prefix, and 43 characters of base64url in their one spelling.
    pub fn read(kind: BearerKind, text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(kind.prefix().as_bytes())?;
        let mut is_whole = text.len() == 43;
        let bytes = Secret::<[u8; 32]>::make(|bytes| {
            is_whole &= b64url::decode_into(text, bytes) == Some(32);
        });
        is_whole.then_some(Self { kind, bytes })
    }

    /// Under what it is kept.
    pub fn hash(&self, key: &ServerKey) -> Digest32 {
        // EXPOSE: the hash of a token is made of it.
        key.bearer_hash(self.kind.prefix(), self.bytes.expose())
    }

    /// As its holder gets it, in the answer that made it.
    pub fn to_holder(&self) -> String {
        // EXPOSE: it goes to its holder.
        format!("{}{}", self.kind.prefix(), b64url::encode(self.bytes.expose()))
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bearer").field(&self.kind).finish()
    }
}

/// Which of a grant's tokens one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// For calls.
    Access,
    /// For the next tokens, once.
    Refresh,
}

impl TokenKind {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// Reads [`TokenKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Access, Self::Refresh].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// [`Bearer::hash`].
    pub hash: Digest32,
    /// What it is part of.
    pub grant: GrantId,
    /// Which one.
    pub kind: TokenKind,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is good for nothing, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// When a refresh token was used, in Unix milliseconds. It is kept, to be known if it comes again.
    pub used_unix_ms: Option<u64>,
}
