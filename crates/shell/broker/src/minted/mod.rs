//! Credentials that services make for callers: taken out of the answer, sealed, and stood for by a
//! placeholder (`specs/minted.md`).

mod error;
mod locate;
mod make;
mod placeholder;
mod read;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderMap;
use symbolon_capability::{
    AgentName, Connection, ConnectionName, MintedId, MintedRow, MintedStore, Refusal, Release,
    SealedCredential,
};
use symbolon_codec::time::rfc3339;
use symbolon_crypto::AeadKey;

use crate::Broker;
use crate::api::*;
use crate::call::Prepared;
use crate::upstream::Live;

pub(crate) use error::LearnError;
pub use error::{MintError, UnusableMinted};
pub(crate) use make::Made;
pub use placeholder::{PLACEHOLDER_BYTES, has_placeholder, is_placeholder};
pub(crate) use read::ANSWER_BYTES_MAX;

/// Minted credentials of the connections in force.
#[derive(Debug, Default)]
pub(crate) struct Index(RwLock<HashMap<MintedId, Arc<Held>>>);

/// One minted credential; nobody has opened it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: MintedId,
    connection: ConnectionName,
    agent: AgentName,
    expires_unix_ms: Option<u64>,
    sealed: Arc<SealedCredential>,
}

/// What a caller showed in place of the connection's credential.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) placeholder: String,
    pub(crate) held: Arc<Held>,
}

/// Credentials of one agent on one connection that are kept and not over.
const KEPT_MAX: usize = 64;

impl Index {
    fn get(&self, id: &MintedId) -> Option<Arc<Held>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn add(&self, held: impl IntoIterator<Item = Arc<Held>>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(held.into_iter().map(|held| (held.id, held)));
    }

    fn remove(&self, id: &MintedId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// In place of all that was there.
    pub(crate) fn replace(&self, held: impl IntoIterator<Item = Held>) {
        let all = held.into_iter().map(|held| (held.id, Arc::new(held))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// Those of an agent on a connection that are not over.
    fn count(&self, agent: &AgentName, connection: &ConnectionName, now_unix_ms: u64) -> usize {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_counted = |held: &&Arc<Held>| {
            held.agent == *agent && held.connection == *connection && !held.is_over(now_unix_ms)
        };
        all.values().filter(is_counted).count()
    }
}

impl Held {
    /// A stored row of `connection`'s; nothing is opened.
    pub(crate) fn new(
        key: &Arc<AeadKey>,
        vault: &[u8; 16],
        connection: &Connection,
        row: MintedRow,
    ) -> Self {
        let aad = connection.minted_aad(vault, &row.id, &row.agent, row.expires_unix_ms);
        Self {
            id: row.id,
            connection: row.connection,
            agent: row.agent,
            expires_unix_ms: row.expires_unix_ms,
            sealed: Arc::new(SealedCredential::new(key.clone(), aad, row.token.into())),
        }
    }

    fn is_over(&self, now_unix_ms: u64) -> bool {
        self.expires_unix_ms.is_some_and(|end| end <= now_unix_ms)
    }
}

impl Broker {
    /// The connection through which this session's agent minted what `placeholder` stands for, for a
    /// door that has several to choose from.
    pub fn minted_through(&self, session: &Session, placeholder: &str) -> Option<String> {
        let held = self.opened().ok()?.minted.get(&MintedId::of(placeholder))?;
        (held.agent == *session.agent()).then(|| held.connection.to_string())
    }

    /// Checks what a request has to do with minted credentials: none is named outside of its place,
    /// the one that is `shown` is this agent's, and what the operation mints can be kept.
    ///
    /// # Errors
    /// [`CallError`]; a placeholder that is not good here leaves a receipt.
    pub(crate) fn minding(
        &self,
        session: &Session,
        context: &Context,
        mut prepared: Prepared,
        shown: Option<String>,
    ) -> Result<Prepared, CallError> {
        let bound = &prepared.bound;
        let body = bound.body().map_or(&b""[..], |body| body.bytes());
        let places = [bound.path().as_str().as_bytes(), bound.query().as_bytes(), body];
        if places.into_iter().any(has_placeholder) {
            return Err(elsewhere());
        }
        if !prepared.lease.operation.mints().is_empty() {
            self.may_mint(session, &prepared)?;
        }
        let Some(placeholder) = shown else { return Ok(prepared) };
        match self.held_for(session, &prepared, &placeholder) {
            Ok(held) => {
                prepared.show(Shown { placeholder, held });
                Ok(prepared)
            }
            Err(refusal) => Err(self.refused(session, context, &prepared, refusal.into())),
        }
    }

    fn held_for(
        &self,
        session: &Session,
        prepared: &Prepared,
        placeholder: &str,
    ) -> Result<Arc<Held>, Refusal> {
        let connection = &prepared.lease.registration.connection.name;
        let unknown = || Refusal::MintedUnknown { connection: connection.to_string() };
        let open = self.opened().map_err(|_| Refusal::Locked)?;
        let held = open.minted.get(&MintedId::of(placeholder)).ok_or_else(unknown)?;
        // In the same words as for what nobody has: nothing is told of another agent's.
        if held.agent != *session.agent() || held.connection != *connection {
            return Err(unknown());
        }
        if held.is_over(self.clock.unix_ms()) {
            return Err(Refusal::MintedExpired { id: held.id.to_string() });
        }
        Ok(held)
    }

    /// The connection, with the minted credential that the call was let through with in the place of
    /// its own, if there is one still.
    pub(crate) fn with_shown(
        &self,
        live: &Arc<Live>,
        shown: Option<&Shown>,
    ) -> Result<Arc<Live>, UnusableMinted> {
        let Some(Shown { held, .. }) = shown else { return Ok(live.clone()) };
        let open = self.opened().map_err(|_| UnusableMinted::Gone)?;
        let now = self.clock.unix_ms();
        let held = open.minted.get(&held.id).filter(|held| !held.is_over(now));
        let held = held.ok_or(UnusableMinted::Gone)?;
        Ok(live.with_minted(held.sealed.clone())?)
    }

    /// All minted credentials, the oldest first.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn minted(&self) -> Result<Vec<MintedView>, CallError> {
        let now = self.clock.unix_ms();
        let view = |row: &MintedRow| MintedView {
            id: row.id.to_string(),
            connection: row.connection.to_string(),
            agent: row.agent.to_string(),
            tool: row.tool.clone(),
            intent: row.intent,
            created: rfc3339(row.created_unix_ms),
            expires: row.expires_unix_ms.map(rfc3339),
            ended: row.is_over(now),
        };
        Ok(self.store.minted().await?.iter().map(view).collect())
    }

    /// Forgets a minted credential. The service still takes it.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that id.
    pub async fn revoke_minted(&self, id: &str) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let rows = self.store.minted().await?;
        let row = rows.iter().find(|row| row.id.to_string() == id).ok_or_else(|| {
            CallError::caller("no_minted", "there is no minted credential of that id")
                .status(404)
                .next("symbolon minted")
        })?;
        self.store.delete_minted(&row.id).await?;
        if let Ok(open) = self.opened() {
            open.minted.remove(&row.id);
        }
        Ok(())
    }
}

/// Whether an answer of this status holds credentials, by the catalogue.
pub(crate) fn mints(release: &Release, status: u16) -> bool {
    !release.operation().mints().is_empty() && (200..300).contains(&status)
}

/// What a request to the gateway shows: `Authorization` has the agent's key there.
///
/// # Errors
/// [`CallError`] for the header twice, or with anything else than a placeholder.
pub(crate) fn shown_in(headers: &HeaderMap) -> Result<Option<String>, CallError> {
    let mut values = headers.get_all(HEADER).iter();
    let text = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok().filter(|text| is_placeholder(text)),
        _ => None,
    };
    let bad = || CallError::caller("minted", "Symbolon-Minted has one placeholder, and once");
    text.map(|text| Some(text.to_owned())).ok_or_else(bad)
}

const HEADER: &str = "symbolon-minted";

/// A placeholder that stands where it is not replaced.
fn elsewhere() -> CallError {
    let message = "the placeholder of a minted credential stands outside of its place, where it is \
                   never replaced";
    CallError::caller("placeholder_elsewhere", message)
        .status(403)
        .next("send it in the place of the connection's credential alone")
}
