//! What is checked of a request.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header, request::Parts};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_token::dpop::{self, DpopError};
use symbolon_token::{Claims, Expected, Scopes, TokenError, VerifiedToken, verify};

use crate::client::{Client, Server};
use crate::keys::Keys;
use crate::layer::GuardLayer;
use crate::options::{GuardError, GuardOptions};
use crate::seen::{Met, Seen};
use crate::standing::Standing;

/// Checks requests for one service. Cheap to clone; clones share what is remembered.
#[derive(Clone)]
pub struct Guard(Arc<Inner>);

struct Inner {
    options: GuardOptions,
    own: Server,
    client: Client,
    keys: Keys,
    seen: Seen,
    standing: Standing,
    /// All that some route needs.
    needed: Mutex<Scopes>,
    clock: Box<dyn Clock>,
}

/// Whose request this is, in its extensions. The guard alone makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized(Arc<Claims>);

impl Authorized {
    /// What the token says.
    pub fn claims(&self) -> &Claims {
        &self.0
    }
}

impl Guard {
    /// With what it is told. Nothing is asked of the server before the first request.
    ///
    /// # Errors
    /// [`GuardError`].
    pub fn new(options: GuardOptions) -> Result<Self, GuardError> {
        let issuer = options.check()?;
        let own = Server::parse(&options.audience).ok_or(GuardError::Audience)?;
        let client = Client::new(issuer).ok_or(GuardError::Tls)?;
        let standing = Standing::new(options.standing);
        let (keys, seen) = (Keys::default(), Seen::new(PROOFS_MAX));
        let (needed, clock) = (Mutex::default(), Box::new(SystemClock));
        Ok(Self(Arc::new(Inner { options, own, client, keys, seen, standing, needed, clock })))
    }

    /// A layer for routes that need these scopes, with spaces between.
    ///
    /// # Errors
    /// [`GuardError::Scope`].
    pub fn require(&self, scopes: &str) -> Result<GuardLayer, GuardError> {
        let scopes = Scopes::of(scopes)?;
        let mut needed = self.0.needed.lock().unwrap_or_else(PoisonError::into_inner);
        *needed = Scopes::of(&format!("{needed} {scopes}"))?;
        Ok(GuardLayer::new(self.clone(), scopes))
    }

    pub(crate) fn options(&self) -> &GuardOptions {
        &self.0.options
    }

    /// All that some route needs, so far.
    pub(crate) fn needed(&self) -> Scopes {
        self.0.needed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks a request's head.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn check(&self, head: &Parts, needed: &Scopes) -> Result<Authorized, Denied> {
        let inner = &*self.0;
        let now_ms = inner.clock.unix_ms();
        let text = token(&head.headers)?;
        let token = self.token(text, now_ms).await?;
        let claims = token.claims();
        let proof = one(&head.headers, "dpop").ok_or(Denied::NoProof)?;
        let url = format!("{}{}", inner.own.origin(), head.uri.path());
        let request = dpop::Request {
            method: head.method.as_str(),
            url: &url,
            token: text,
            jkt: &claims.cnf.jkt,
        };
        let now = now_ms / 1000;
        let proof = dpop::verify(proof, &request, now).map_err(Denied::Proof)?;
        let id = format!("{} {}", claims.cnf.jkt, proof.jti());
        match inner.seen.meet(id, proof.until_unix_seconds(), now) {
            Met::New => {}
            Met::Again => return Err(Denied::Replayed),
            Met::Full => return Err(Denied::Busy),
        }
        if !needed.is_within(&claims.scope) {
            return Err(Denied::Scope(needed.clone()));
        }
        let (secret, jti) = (&inner.options.secret, &claims.jti);
        let active = inner.standing.is_active(&inner.client, secret, text, jti, now_ms).await;
        if !active.map_err(|error| Denied::Server(error.to_string()))? {
            return Err(Denied::Revoked);
        }
        Ok(Authorized(Arc::new(claims.clone())))
    }

    async fn token(&self, text: &str, now_ms: u64) -> Result<VerifiedToken, Denied> {
        let inner = &*self.0;
        let expected = Expected {
            issuer: &inner.options.issuer,
            audience: &inner.options.audience,
            service: &inner.options.service,
        };
        let server = |error: std::io::Error| Denied::Server(error.to_string());
        let keys = inner.keys.get(&inner.client, now_ms, false).await.map_err(server)?;
        match verify(text, &keys, &expected, now_ms / 1000) {
            Err(TokenError::UnknownKey) => {
                let keys = inner.keys.get(&inner.client, now_ms, true).await.map_err(server)?;
                verify(text, &keys, &expected, now_ms / 1000).map_err(Denied::Token)
            }
            judged => judged.map_err(Denied::Token),
        }
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Guard").field(&self.0.options).finish()
    }
}

/// Why a request is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// No token, or not as `Authorization: DPoP`.
    #[error("this needs a token, as Authorization: DPoP")]
    NoToken,
    /// No proof beside it, or several.
    #[error("this needs one DPoP proof beside the token")]
    NoProof,
    /// The token is not taken.
    #[error("{0}")]
    Token(TokenError),
    /// The proof is not taken.
    #[error("{0}")]
    Proof(DpopError),
    /// The proof came before.
    #[error("the DPoP proof came before")]
    Replayed,
    /// The token was taken back, or its device, key or service was.
    #[error("the token was revoked")]
    Revoked,
    /// The token is not good for this.
    #[error("this needs the scope {0}")]
    Scope(Scopes),
    /// More proofs came within a minute than are remembered.
    #[error("too many requests within a minute")]
    Busy,
    /// The server does not say whether the token is good.
    #[error("the server that issues tokens does not answer: {0}")]
    Server(String),
}

/// What stands behind `DPoP` in the one `Authorization`.
fn token(headers: &HeaderMap) -> Result<&str, Denied> {
    let value = one(headers, header::AUTHORIZATION.as_str()).ok_or(Denied::NoToken)?;
    let (scheme, token) = value.split_once(' ').ok_or(Denied::NoToken)?;
    if scheme.eq_ignore_ascii_case("dpop") { Ok(token.trim()) } else { Err(Denied::NoToken) }
}

/// A header that came once.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Proofs of a minute that are remembered: some 20 MB.
const PROOFS_MAX: usize = 100_000;
