//! What the owner sets up, and the policy that comes of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use symbolon_capability::catalog::{Catalog, ScopeSet};
use symbolon_capability::oauth2::IssuedStore;
use symbolon_capability::{AgentName, Grant, GrantId, LiveGrant, MintedStore, Policy, Store};

use crate::Broker;
use crate::api::CallError;
use crate::broker::Open;
use crate::errors;
use crate::minted;
use crate::mount::{Kept, Mount};
use crate::upstream::Live;

mod agents;
mod catalog;
mod connections;
mod delegate;
mod grants;
mod lent;
mod lineage;
mod several;
mod shelf;
mod vault_terms;
mod verify;

pub(crate) use agents::KnownAgent;
pub use catalog::CatalogView;
pub(crate) use connections::wire_form;
pub(crate) use delegate::Delegations;
pub use lent::{LENT_MAX, LentConnection};
pub(crate) use lent::{Lent, SealedConnections};
pub use several::CONNECTIONS_AT_ONCE_MAX;
pub use shelf::{ScopeView, ServiceRow, ServiceView};

/// A policy while its grants are put into force.
struct Force {
    policy: Policy,
    /// When those that were in force would have ended, on the monotonic clock.
    ends: HashMap<GrantId, u64>,
    unix_ms: u64,
    mono_ns: u64,
    found: HashMap<GrantId, Arc<LiveGrant>>,
}

impl Broker {
    /// Reads connections and grants anew and puts them into force.
    pub(crate) async fn rebuild(&self, open: &Arc<Open>) -> Result<(), CallError> {
        let mut policy = Policy::default();
        let mut live = HashMap::new();
        let mut issued: HashMap<_, _> = self.store.issued().await?.into_iter().collect();
        let catalog = self.engine.catalog();
        let mounts = self.kept_mounts(open).await?;
        for (connection, envelope) in self.all_connections(open).await? {
            let Some(service) = catalog.service(&connection.service).cloned() else {
                continue;
            };
            let mounted = mounts.iter().find(|m| m.row.name.as_str() == connection.service);
            let row = issued.remove(&connection.name);
            let before = open
                .live
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&connection.name)
                .cloned();
            let one = match before {
                Some(live) if live.is(&connection, &envelope, &service, mounted) => live,
                before => match self.register_in(
                    &catalog,
                    open,
                    connection,
                    service,
                    envelope,
                    row,
                    mounting(before.as_deref(), mounted),
                ) {
                    Ok(live) => live,
                    Err(e) => {
                        // One connection that does not open (a changed row) must not close the rest.
                        tracing::error!(code = e.code, "a connection does not open: {e}");
                        continue;
                    }
                },
            };
            policy
                .connections
                .insert(one.registration.connection.name.clone(), one.registration.clone());
            live.insert(one.registration.connection.name.clone(), one);
        }
        policy.away = self.lent.away(&live);
        let (unix_ms, mono_ns) = (self.clock.unix_ms(), self.clock.mono_ns());
        let ends: HashMap<u64, u64> = self
            .engine
            .policy()
            .map(|p| p.grants.values().flatten().map(|g| (g.id, g.until_ns)).collect())
            .unwrap_or_default();
        let vault = self.manifest.vault.as_bytes();
        let held = self.store.minted().await?.into_iter().filter_map(|row| {
            let of: &Arc<Live> = live.get(&row.connection)?;
            let connection = &of.registration.connection;
            Some(minted::Held::new(&open.connections_key, vault, connection, row))
        });
        open.minted.replace(held);
        let mut force = Force { policy, ends, unix_ms, mono_ns, found: HashMap::new() };
        // Parents have the lower numbers, so they come first.
        for grant in self.store.grants().await? {
            self.put_into_force(&mut force, grant, None);
        }
        for (session, grant) in self.runs.grants() {
            self.put_into_force(&mut force, grant, Some(session));
        }
        let policy = force.policy;
        // Under the guard that a lock takes: what was locked meanwhile stays locked.
        let slot = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if !slot.as_ref().is_some_and(|now| Arc::ptr_eq(now, open)) {
            return Err(errors::locked());
        }
        *open.live.write().unwrap_or_else(PoisonError::into_inner) = live;
        self.engine.install(Some(policy).filter(|_| self.revoked().is_none()));
        drop(slot);
        self.generation.send_modify(|g| *g += 1);
        self.end_fallen();
        Ok(())
    }

    /// A stored grant, unless it has ended, or one above it has.
    fn put_into_force(&self, force: &mut Force, grant: Grant, session: Option<[u8; 16]>) {
        let Some(registration) = force.policy.connections.get(&grant.connection) else { return };
        let parent = match grant.parent.map(|id| force.found.get(&id)) {
            None => None,
            Some(Some(parent)) => Some(parent),
            Some(None) => return,
        };
        let given = self.scopes(&grant.scopes).unwrap_or_default();
        let rules = match self.rules(&grant) {
            Ok(rules) => rules,
            Err(e) => {
                // Without its rules a grant gives more than its owner said: it gives nothing.
                tracing::error!(code = e.code, "grant {} is not in force: {e}", grant.id);
                return;
            }
        };
        let end = force.ends.get(&grant.id).copied();
        let allowed = &registration.scopes;
        let (unix_ms, mono_ns) = (force.unix_ms, force.mono_ns);
        let own = LiveGrant::new(&grant, allowed, &given, unix_ms, mono_ns, end, rules);
        let own = match (own, parent) {
            (Some(own), Some(parent)) => own.under(parent),
            (own, _) => own,
        };
        let Some(own) = own else { return };
        let own = Arc::new(match session {
            Some(session) => own.of_session(session),
            None => own,
        });
        force.found.insert(grant.id, own.clone());
        force.policy.grants.entry(grant.agent).or_default().push(own);
    }

    pub(crate) async fn rebuild_if_open(&self) -> Result<(), CallError> {
        match self.opened() {
            Ok(open) => self.rebuild(&open).await,
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn scopes(&self, patterns: &[String]) -> Result<ScopeSet, CallError> {
        scopes_in(&self.engine.catalog(), patterns)
    }
}

/// The scopes of a catalogue that these patterns mean.
fn scopes_in(catalog: &Catalog, patterns: &[String]) -> Result<ScopeSet, CallError> {
    let scopes = catalog.scopes();
    patterns.iter().try_fold(ScopeSet::default(), |set, pattern| {
        let more = scopes.expand(pattern).map_err(|e| {
            let service = pattern.split('.').next().unwrap_or_default();
            CallError::caller("scope", e.to_string())
                .next(format!("symbolon tools search {service}"))
        })?;
        Ok(set.union(&more))
    })
}

/// The server that a connection leads to. Its program goes on where it is the one of before.
fn mounting(before: Option<&Live>, mounted: Option<&Kept>) -> Option<Arc<Mount>> {
    let kept = mounted?;
    let running = before.and_then(|live| live.mount.clone()).filter(|mount| mount.is(mounted));
    Some(running.unwrap_or_else(|| Arc::new(Mount::new(kept))))
}

fn agent_name(text: &str) -> Result<AgentName, CallError> {
    AgentName::parse(text).map_err(|e| CallError::caller("agent_name", e.to_string()))
}
