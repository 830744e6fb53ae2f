//! What a person allowed an assistant: a family of tokens that ends as one (RFC 9700, section 4.14).

use serde_json::{Value, json};
use symbolon_codec::Digest32;

use super::client::ClientId;
use super::pkce::CodeChallenge;
use super::redirect::RedirectUri;
use super::request::is_resource;
use super::scope::Scopes;
use super::token::{Token, TokenKind};
use crate::{AccountId, Event};

pub use crate::id::GrantId;

/// Grants of one account that live at once.
pub const GRANTS_MAX: usize = 50;
/// How long a code is good, in milliseconds.
pub const CODE_MS: u64 = 60_000;
/// How long an access token is good, in milliseconds.
pub const ACCESS_MS: u64 = 15 * 60_000;
/// How long a refresh token is good that is not used, in milliseconds.
pub const REFRESH_MS: u64 = 30 * 24 * 60 * 60_000;

/// One consent, with the code that it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id in lists. Knowing it opens nothing.
    pub id: GrantId,
    /// Whose vault.
    pub account: AccountId,
    /// For whom.
    pub client: ClientId,
    /// What the client was called when the person said yes.
    pub client_name: String,
    /// Where the code went.
    pub redirect_uri: RedirectUri,
    /// What it may do.
    pub scopes: Scopes,
    /// Where its tokens are good.
    pub resource: String,
    /// When the person said yes, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it ends whatever happens, in Unix milliseconds.
    pub ends_unix_ms: u64,
    /// When a token of it was last used, in Unix milliseconds, to the minute.
    pub used_unix_ms: Option<u64>,
    /// When it was taken back, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
    /// The code, hashed. It is kept, to be known if it comes again.
    pub code_hash: Digest32,
    /// What its verifier is compared with.
    pub code_challenge: CodeChallenge,
    /// When the code was used, in Unix milliseconds.
    pub code_used_unix_ms: Option<u64>,
}

/// What comes with a code.
#[derive(Debug, Clone)]
pub struct CodeProof {
    /// `client_id`.
    pub client: ClientId,
    /// `redirect_uri`, where it was sent.
    pub redirect_uri: Option<String>,
    /// `code_verifier`.
    pub verifier: String,
    /// `resource`, where it was sent.
    pub resource: Option<String>,
}

/// Why a code or a refresh token gives nothing. The client is told `invalid_grant` or `invalid_target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Too late, or taken back.
    #[error("it is over")]
    Over,
    /// It was used before: the grant is ended.
    #[error("it was used before")]
    Reused,
    /// Another client's.
    #[error("it is another client's")]
    OtherClient,
    /// The code went elsewhere.
    #[error("the redirect URI is another")]
    OtherRedirectUri,
    /// The verifier is not the one.
    #[error("the code verifier is another")]
    OtherVerifier,
    /// For another server.
    #[error("the resource is another")]
    OtherResource,
}

impl Refusal {
    /// As the event that ends the grant says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Reused => "reused",
            Self::OtherClient => "other-client",
            Self::OtherRedirectUri => "other-redirect-uri",
            Self::OtherVerifier => "other-verifier",
            Self::OtherResource => "other-resource",
        }
    }
}

impl Grant {
    /// Whether its tokens are good for anything.
    pub fn is_live(&self, now_unix_ms: u64) -> bool {
        self.revoked_unix_ms.is_none() && now_unix_ms < self.ends_unix_ms
    }

    /// Judges its code, before anything is given for it.
    ///
    /// # Errors
    /// [`Refusal`]: the grant ends then, since its code was shown.
    pub fn judge_code(&self, proof: &CodeProof, now_unix_ms: u64) -> Result<(), Refusal> {
        if self.code_used_unix_ms.is_some() {
            return Err(Refusal::Reused);
        }
        if !self.is_live(now_unix_ms) || now_unix_ms >= self.created_unix_ms + CODE_MS {
            return Err(Refusal::Over);
        }
        if proof.client != self.client {
            return Err(Refusal::OtherClient);
        }
        if proof.redirect_uri.as_ref().is_some_and(|uri| uri != self.redirect_uri.as_str()) {
            return Err(Refusal::OtherRedirectUri);
        }
        if !self.code_challenge.is_of(&proof.verifier) {
            return Err(Refusal::OtherVerifier);
        }
        self.judge_resource(proof.resource.as_deref())
    }

    /// Judges a refresh token of it, whose row `token` is.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::Reused`] and [`Refusal::OtherClient`] end the grant.
    pub fn judge_refresh(
        &self,
        token: &Token,
        client: &ClientId,
        resource: Option<&str>,
        now_unix_ms: u64,
    ) -> Result<(), Refusal> {
        let is_refresh = token.kind == TokenKind::Refresh && token.grant == self.id;
        if !is_refresh || !self.is_live(now_unix_ms) {
            return Err(Refusal::Over);
        }
        if token.used_unix_ms.is_some() {
            return Err(Refusal::Reused);
        }
        if *client != self.client {
            return Err(Refusal::OtherClient);
        }
        if now_unix_ms >= token.expires_unix_ms {
            return Err(Refusal::Over);
        }
        self.judge_resource(resource)
    }

    /// Whether an access token of it, whose row `token` is, opens `resource` now.
    pub fn opens(&self, token: &Token, resource: &str, now_unix_ms: u64) -> bool {
        token.kind == TokenKind::Access
            && token.grant == self.id
            && self.is_live(now_unix_ms)
            && now_unix_ms < token.expires_unix_ms
            && self.resource == resource
    }

    /// The tokens that follow, made now: an access token of these rights, and the next refresh token.
    pub fn tokens(&self, hashes: [Digest32; 2], scopes: Scopes, now_unix_ms: u64) -> [Token; 2] {
        let [access, refresh] = hashes;
        let token = |hash, kind, scopes, life_ms: u64| Token {
            hash,
            grant: self.id,
            kind,
            scopes,
            expires_unix_ms: (now_unix_ms + life_ms).min(self.ends_unix_ms),
            used_unix_ms: None,
        };
        [
            token(access, TokenKind::Access, scopes, ACCESS_MS),
            token(refresh, TokenKind::Refresh, self.scopes, REFRESH_MS),
        ]
    }

    /// An event of it, for its account's audit.
    pub fn event(&self, kind: &str, more: Value, at_unix_ms: u64) -> Event {
        let mut detail =
            json!({ "grant": self.id, "client": self.client.as_str(), "name": self.client_name });
        if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
            detail.extend(more);
        }
        Event { at_unix_ms, kind: kind.to_owned(), detail: detail.to_string() }
    }

    fn judge_resource(&self, asked: Option<&str>) -> Result<(), Refusal> {
        let is_own = asked.is_none_or(|asked| is_resource(asked, &self.resource));
        if is_own { Ok(()) } else { Err(Refusal::OtherResource) }
    }
}
