//! What all keepers share: the store, the way out, and who is renewing what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_ambient::Clock;
use symbolon_capability::{Connection, ConnectionName, Endpoint, Flow, OAuth2};
use symbolon_secret::Secret;
use symbolon_store::SqliteStore;

use super::TokenError;
use super::request::{Ask, tail};
use crate::api::CallError;
use crate::calls::Calls;
use crate::upstream::allow;
use crate::wire::{Client, Reply, Roots, Target};

/// One for the broker.
pub(crate) struct Office {
    pub(super) store: SqliteStore,
    pub(super) clock: Arc<dyn Clock>,
    client: Client,
    /// Renewals on their way: a stop waits for them, because what comes back must be kept.
    pub(crate) renewals: Calls,
    /// One renewal of a connection at a time, whatever was locked and unlocked meanwhile.
    turns: Mutex<HashMap<ConnectionName, Arc<tokio::sync::Mutex<()>>>>,
}

impl Office {
    pub(crate) fn new(store: SqliteStore, clock: Arc<dyn Clock>, client: Client) -> Arc<Self> {
        let (renewals, turns) = (Calls::default(), Mutex::default());
        Arc::new(Self { store, clock, client, renewals, turns })
    }

    pub(super) fn turn(&self, name: &ConnectionName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits or works holds a clone: the rest are over.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(name.clone()).or_default().clone()
    }

    /// What is asked for where no person agreed to anything.
    pub(super) fn own_ask(&self, oauth: &OAuth2) -> Ask<'static> {
        match oauth.flow {
            Flow::GithubApp => Ask::Installation { now_unix_s: self.clock.unix_ms() / 1000 },
            _ => Ask::ClientCredentials,
        }
    }

    /// Asks `target`, by the rules of any call to an upstream.
    pub(super) async fn ask(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        oauth: &OAuth2,
        secret: &Secret<[u8]>,
        ask: &Ask<'_>,
    ) -> Result<Reply, TokenError> {
        let tail = tail(oauth, secret, ask)?;
        Ok(self.client.post(target, endpoint.target(), tail).await?)
    }
}

impl AsRef<Calls> for Arc<Office> {
    fn as_ref(&self) -> &Calls {
        &self.renewals
    }
}

/// An endpoint, reached by the rules of its connection: its allowances, its extra root.
pub(crate) fn endpoint_target(c: &Connection, endpoint: &Endpoint) -> Result<Target, CallError> {
    let bad = |e: &dyn std::fmt::Display| {
        CallError::caller("endpoint", format!("{endpoint}: {e}"))
            .next("--token-endpoint https://HOST/PATH; this machine needs --allow-loopback")
    };
    let (authority, allow) = (endpoint.authority().clone(), allow(c));
    symbolon_connector::ssrf::check_host(authority.host(), allow).map_err(|e| bad(&e))?;
    match &c.ca_pem {
        Some(pem) => {
            let roots = Roots::with_extra(pem.as_bytes()).map_err(|e| bad(&e))?;
            Target::with_roots(authority, allow, roots)
        }
        None => Target::new(authority, allow),
    }
    .map_err(|e| bad(&e))
}
