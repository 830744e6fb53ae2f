//! Sealing what an answer holds, before anybody is given the answer.

use std::sync::{Arc, PoisonError};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::{
    BasicHalf, MintedId, MintedRow, MintedStore, Release, Scheme, SealedCredential,
};

use super::error::MintError;
use super::read::{read, replaced};
use super::{Held, KEPT_MAX, placeholder};
use crate::Broker;
use crate::api::*;
use crate::call::Prepared;
use crate::setup::wire_form;
use crate::upstream::Live;

/// An answer whose credentials are kept.
pub(crate) struct Made {
    /// With placeholders in their places; not redacted yet.
    pub(crate) body: Vec<u8>,
    /// The connection as the rest of the answer is to be searched: for these too.
    pub(crate) live: Arc<Live>,
    pub(crate) ids: Vec<MintedId>,
}

impl Broker {
    /// Whether what this operation mints could be kept, and used: asked before anything is sent.
    pub(super) fn may_mint(&self, session: &Session, prepared: &Prepared) -> Result<(), CallError> {
        let connection = &prepared.lease.registration.connection;
        if !carries_minted(&connection.auth) {
            let message = format!(
                "this operation makes a credential, and the connection {} could not send it: \
                 its own is signed with, shown in a handshake, or has a user name in it",
                connection.name
            );
            return Err(CallError::caller("mint_slot", message)
                .status(403)
                .next("symbolon connect … --replace, with a token"));
        }
        let now = self.clock.unix_ms();
        let kept = self.opened()?.minted.count(session.agent(), &connection.name, now);
        if kept >= KEPT_MAX {
            let message = format!("{KEPT_MAX} minted credentials of this agent are kept already");
            return Err(CallError::caller("too_many_minted", message)
                .status(429)
                .next("symbolon minted revoke ID"));
        }
        Ok(())
    }

    /// Takes the credentials out of a successful answer, and keeps them: durable when this returns.
    ///
    /// # Errors
    /// [`MintError`]; nothing is kept then.
    pub(crate) async fn mint(
        &self,
        live: &Arc<Live>,
        release: &Release,
        body: &[u8],
    ) -> Result<Made, MintError> {
        let open = self.opened().map_err(|_| MintError::Gone)?;
        let connection = &live.registration.connection;
        let (vault, now) = (self.manifest.vault.as_bytes(), self.clock.unix_ms());
        let found = read(body, release.operation().mints(), now)?;
        let mut placeholders = Vec::with_capacity(found.len());
        let mut rows = Vec::with_capacity(found.len());
        for found in &found {
            let placeholder = placeholder::make(&SystemRng as &dyn Rng);
            let id = MintedId::of(&placeholder);
            let agent = release.session().agent().clone();
            let auth = live.registration.service.auth();
            let wire = wire_form(&connection.auth, auth, &found.token, now);
            let wire = wire.map_err(|_| MintError::Unfit)?;
            let aad = connection.minted_aad(vault, &id, &agent, found.expires_unix_ms);
            placeholders.push(placeholder);
            rows.push(MintedRow {
                id,
                connection: connection.name.clone(),
                agent,
                tool: release.operation().name().to_string(),
                intent: release.intent().index(),
                created_unix_ms: now,
                expires_unix_ms: found.expires_unix_ms,
                // EXPOSE: sealed from a secret page into an envelope.
                token: open.connections_key.seal_with(&aad, wire.expose(), &SystemRng),
            });
        }
        let hold = |row: &MintedRow| {
            Arc::new(Held::new(&open.connections_key, vault, connection, row.clone()))
        };
        let held: Vec<Arc<Held>> = rows.iter().map(hold).collect();
        let sealed: Vec<Arc<SealedCredential>> = held.iter().map(|h| h.sealed.clone()).collect();
        let with_made = live.with_made(sealed)?;
        let ids = rows.iter().map(|row| row.id).collect();
        // Not sealed to a connection that has gone, nor under a key of before a lock.
        let _one = self.changes.lock().await;
        let is_open = self.opened().is_ok_and(|now| Arc::ptr_eq(&now, &open));
        if !is_open || !stands(&open, live) {
            return Err(MintError::Gone);
        }
        self.store.add_minted(&rows, now).await?;
        open.minted.add(held);
        Ok(Made { body: replaced(body, &found, &placeholders), live: with_made, ids })
    }
}

/// Whether the connection is in force as the call had it.
fn stands(open: &crate::broker::Open, live: &Live) -> bool {
    let all = open.live.read().unwrap_or_else(PoisonError::into_inner);
    let own = &live.registration;
    all.get(&own.connection.name).is_some_and(|now| Arc::ptr_eq(&now.registration, own))
}

/// Whether a text could be sent in the place of this scheme's credential.
fn carries_minted(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Bearer
        | Scheme::OAuth2(_)
        | Scheme::Header { .. }
        | Scheme::Query { .. }
        | Scheme::Cookie { .. }
        | Scheme::Form { .. }
        | Scheme::Basic(BasicHalf::Password { .. } | BasicHalf::User) => true,
        Scheme::Basic(BasicHalf::Both)
        | Scheme::Aws4 { .. }
        | Scheme::Hmac
        | Scheme::Mtls
        | Scheme::None => false,
    }
}
