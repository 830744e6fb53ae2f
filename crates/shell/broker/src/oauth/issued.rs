//! Tokens in force: sealed, with what finds an echo of them.

use std::sync::Arc;

use symbolon_ambient::SystemRng;
use symbolon_capability::oauth2::IssuedRow;
use symbolon_capability::{Connection, Scheme, SealedCredential};
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::Pattern;
use symbolon_crypto::AeadKey;
use symbolon_secret::Secret;

use super::TokenError;
use super::response::Tokens;

/// An access token and what may renew it; nobody has opened either.
#[derive(Debug)]
pub(crate) struct Issued {
    /// As the store has it.
    pub(super) row: IssuedRow,
    pub(crate) access: SealedCredential,
    pub(super) refresh: Option<SealedCredential>,
    /// Whether the client's secret ever leaves, so that an echo of it can come back.
    sends_client: bool,
    /// From when on another is asked for; `None` where this one has no end.
    renew_unix_ms: Option<u64>,
}

/// What tokens of one vault are sealed under, and for which vault.
#[derive(Clone)]
pub(crate) struct Seal {
    pub(crate) key: Arc<AeadKey>,
    pub(crate) vault: [u8; 16],
}

impl Issued {
    /// A stored row; nothing is opened.
    pub(crate) fn new(seal: &Seal, c: &Connection, row: IssuedRow, now_unix_ms: u64) -> Self {
        let sealed = |aad, envelope: &Vec<u8>| {
            SealedCredential::new(seal.key.clone(), aad, envelope.clone().into())
        };
        let renew_unix_ms = row.expires_unix_ms.map(|expires| {
            let left = expires.saturating_sub(now_unix_ms);
            expires - (left / 10).min(SKEW_MS_MAX)
        });
        let sends_client = matches!(&c.auth, Scheme::OAuth2(oauth) if oauth.sends_secret());
        Self {
            sends_client,
            access: sealed(c.access_aad(&seal.vault, row.expires_unix_ms), &row.access),
            refresh: row.refresh.as_ref().map(|r| sealed(c.refresh_aad(&seal.vault), r)),
            row,
            renew_unix_ms,
        }
    }

    /// Seals the refresh token. Without a new one that of `before` stays (RFC 6749, section 6).
    pub(super) fn seal_refresh(
        seal: &Seal,
        c: &Connection,
        tokens: &Tokens,
        before: Option<&IssuedRow>,
    ) -> Result<Option<Vec<u8>>, TokenError> {
        let Some(token) = &tokens.refresh else {
            return Ok(before.and_then(|row| row.refresh.clone()));
        };
        let aad = c.refresh_aad(&seal.vault);
        // EXPOSE: sealed from a secret page into an envelope.
        Ok(Some(seal.key.seal_with(&aad, wire(token)?.expose(), &SystemRng)))
    }

    /// Seals the access token, beside the refresh token that goes with it. Where the answer names no scope, it is that of
    /// `before` (RFC 6749, section 6).
    pub(super) fn seal(
        seal: &Seal,
        c: &Connection,
        tokens: &Tokens,
        refresh: Option<Vec<u8>>,
        before: Option<&IssuedRow>,
        now_unix_ms: u64,
    ) -> Result<IssuedRow, TokenError> {
        let lifetime_ms = tokens.lifetime_seconds.map(|s| s.saturating_mul(1000));
        let expires_unix_ms = lifetime_ms.map(|ms| now_unix_ms.saturating_add(ms));
        let aad = c.access_aad(&seal.vault, expires_unix_ms);
        // EXPOSE: sealed from a secret page into an envelope.
        let access = seal.key.seal_with(&aad, wire(&tokens.access)?.expose(), &SystemRng);
        let scope = tokens.scope.clone().or_else(|| before.and_then(|row| row.scope.clone()));
        Ok(IssuedRow { access, expires_unix_ms, refresh, scope, problem: None })
    }

    /// Whether the access token may go out now.
    pub(super) fn is_usable(&self, now_unix_ms: u64) -> bool {
        self.row.expires_unix_ms.is_none_or(|expires| now_unix_ms < expires)
    }

    /// Whether another should be asked for: a tenth of its life before its end, at most a minute.
    pub(super) fn wants_renewal(&self, now_unix_ms: u64) -> bool {
        self.renew_unix_ms.is_some_and(|at| now_unix_ms >= at)
    }

    /// The tokens and the client's secret, opened once for what finds an echo of any of them.
    pub(crate) fn learn(&self, client: &SealedCredential) -> Result<Pattern, TokenError> {
        let open = |sealed: &SealedCredential| sealed.learn(copy).map_err(|_| TokenError::Sealed);
        let mut secrets = vec![open(&self.access)?];
        for sealed in self.beside(client) {
            secrets.push(open(sealed)?);
        }
        let slot = Slot::bearer();
        let all: Vec<_> = secrets.iter().map(|secret| (&slot, secret)).collect();
        Pattern::learn_all(&all, &SystemRng).map_err(|e| TokenError::Unusable(e.to_string()))
    }

    /// What no service should ever send, beside the access token.
    pub(crate) fn beside<'a>(
        &'a self,
        client: &'a SealedCredential,
    ) -> impl Iterator<Item = &'a SealedCredential> {
        let client = Some(client).filter(|c| self.sends_client && c.wire_len() > 0);
        self.refresh.iter().chain(client)
    }
}

/// The token as it goes out.
fn wire(token: &Secret<[u8]>) -> Result<Secret<[u8]>, TokenError> {
    wire_form(&Slot::bearer(), token).map_err(|e| TokenError::Unusable(e.to_string()))
}

/// The same bytes in a page of their own, for as long as a pattern is learnt.
pub(crate) fn copy(secret: &Secret<[u8]>) -> Secret<[u8]> {
    // EXPOSE: copied from one secret page into another.
    Secret::<[u8]>::make_slice(secret.len(), |out| out.copy_from_slice(secret.expose()))
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

const SKEW_MS_MAX: u64 = 60_000;
