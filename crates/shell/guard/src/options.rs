//! What a guard is told.

use std::time::Duration;

use symbolon_token::ScopeError;

use crate::client::Server;

/// What a guard is told.
#[derive(Clone)]
pub struct GuardOptions {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) service: String,
    pub(crate) secret: String,
    pub(crate) standing: Duration,
}

impl GuardOptions {
    /// The server's origin, the service's own address, its id and secret there. The address is what clients call:
    /// behind a proxy, the proxy's.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        service: impl Into<String>,
        secret: impl Into<String>,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            service: service.into(),
            secret: secret.into(),
            standing: STANDING,
        }
    }

    /// How long an answer of introspection is believed: so long a token may still be good here that was taken back
    /// there. 5 s where nothing is said; zero asks each time.
    #[must_use]
    pub fn standing(mut self, standing: Duration) -> Self {
        self.standing = standing;
        self
    }

    pub(crate) fn check(&self) -> Result<Server, GuardError> {
        let is_id = self.service.len() == 32
            && self.service.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_id {
            return Err(GuardError::Service);
        }
        if !self.secret.starts_with("symk_") || !self.secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(GuardError::Secret);
        }
        Server::parse(&self.audience).ok_or(GuardError::Audience)?;
        Server::parse(&self.issuer).ok_or(GuardError::Issuer)
    }
}

impl std::fmt::Debug for GuardOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("GuardOptions");
        out.field("issuer", &self.issuer).field("audience", &self.audience);
        out.field("service", &self.service).finish_non_exhaustive()
    }
}

/// Why there is no guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// No origin of a server.
    #[error("the issuer is https://NAME, or http://localhost with a port, without a path")]
    Issuer,
    /// No address of a service.
    #[error("the audience is the service's address: https://NAME, or http://localhost with a port")]
    Audience,
    /// No id.
    #[error("the service's id is 32 hex digits, as the server gave it")]
    Service,
    /// No secret.
    #[error("the service's secret begins with symk_, as the server gave it")]
    Secret,
    /// No scopes.
    #[error("a route needs a scope that is one: {0}")]
    Scope(#[from] ScopeError),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up on this machine")]
    Tls,
}

const STANDING: Duration = Duration::from_secs(5);
