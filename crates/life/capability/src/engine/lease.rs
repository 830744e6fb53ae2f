//! What a call would use, resolved once: the tool, the connection, the grants that may let it.

use std::sync::{Arc, PoisonError};

use super::{Engine, Policy};
use crate::catalog::{Operation, ScopeSet};
use crate::gate::Refusal;
use crate::rate::Bucket;
use crate::{Ask, Chain, ConnectionName, LiveGrant, Registration, Session};

/// A tool, the connection it would use and the grants that may let it: resolved once for a session
/// and good until anything changes. [`Engine::mint`] tells when to resolve again.
#[derive(Debug)]
pub struct Lease {
    pub(crate) session: Session,
    /// What would be called.
    pub operation: Arc<Operation>,
    /// Through what.
    pub registration: Arc<Registration>,
    pub(crate) grants: Vec<Arc<LiveGrant>>,
    pub(crate) bucket: Arc<Bucket>,
    pub(super) generation: u64,
}

impl Lease {
    /// Who calls.
    pub fn agent(&self) -> &str {
        self.session.agent().as_str()
    }

    /// In which session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Through which door.
    pub fn door(&self) -> &'static str {
        self.session.door().as_str()
    }

    fn names(&self) -> (String, String, String) {
        let connection = self.registration.connection.name.to_string();
        (self.agent().to_owned(), self.operation.scope().to_string(), connection)
    }

    pub(crate) fn no_grant(&self) -> Refusal {
        let (agent, scope, connection) = self.names();
        Refusal::NoGrant { agent, scope, connection }
    }

    pub(crate) fn ended(&self) -> Refusal {
        let (agent, scope, connection) = self.names();
        Refusal::GrantEnded { agent, scope, connection }
    }

    pub(crate) fn beyond(&self) -> Refusal {
        let (_, scope, connection) = self.names();
        Refusal::ConnectionScope { connection, scope }
    }

    pub(crate) fn too_often(&self, wait_ns: u64) -> Refusal {
        let retry_ms = wait_ns.div_ceil(1_000_000);
        Refusal::Rate { scope: self.operation.scope().to_string(), retry_ms }
    }
}

impl Engine {
    /// Finds the tool, the connection and the grants of this session's agent.
    ///
    /// # Errors
    /// [`Refusal`]: no such tool or connection, or several connections and none named.
    pub fn lease(
        &self,
        session: &Session,
        tool: &str,
        connection: Option<&str>,
    ) -> Result<Arc<Lease>, Refusal> {
        // Read before the policy: a change in between makes the lease stale, never the reverse.
        let generation = self.generation();
        let policy = self.policy().ok_or(Refusal::Locked)?;
        let operation = self.catalog().operation(tool).cloned();
        let operation = operation.ok_or_else(|| Refusal::UnknownTool(short(tool)))?;
        let grants = policy.grants.get(session.agent()).map(Vec::as_slice).unwrap_or_default();
        let registration = choose(&policy, grants, session, &operation, connection)?;
        let grants = grants
            .iter()
            .filter(|g| {
                g.is_for(session)
                    && g.connection == registration.connection.name
                    && g.scopes.contains(operation.scope_id())
            })
            .cloned()
            .collect();
        let bucket = self.bucket(&registration, &operation);
        Ok(Arc::new(Lease {
            session: session.clone(),
            operation,
            registration,
            grants,
            bucket,
            generation,
        }))
    }

    /// A lease for the owner's own check of a connection that is not in force yet: the service's
    /// read-only check operation, once, for a minute, under grant number 0. The gates and the log
    /// see it as any other call. `None` where the service has no such operation.
    pub fn lease_check(
        &self,
        session: &Session,
        registration: &Arc<Registration>,
    ) -> Option<Arc<Lease>> {
        let operation = registration.service.verify()?.clone();
        let mut scopes = ScopeSet::default();
        scopes.insert(operation.scope_id());
        let grant = LiveGrant {
            id: 0,
            connection: registration.connection.name.clone(),
            scopes,
            limits: Vec::new(),
            ask: Ask::never(),
            until_ns: self.clock.mono_ns() + 60 * 1_000_000_000,
            session: None,
            rules: Chain::default(),
            lineage: None,
            delegable: 0,
        };
        Some(Arc::new(Lease {
            session: session.clone(),
            bucket: self.bucket(registration, &operation),
            operation,
            registration: registration.clone(),
            grants: vec![Arc::new(grant)],
            generation: self.generation(),
        }))
    }

    fn bucket(&self, registration: &Registration, operation: &Operation) -> Arc<Bucket> {
        let key = (registration.connection.name.clone(), operation.scope_id());
        let rate = registration.service.rate();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket =
            buckets.entry(key).or_insert_with(|| Arc::new(Bucket::new(rate, self.clock.mono_ns())));
        bucket.set_rate(rate);
        bucket.clone()
    }
}

/// The connection that is named; else the only granted one of the service; else the one that
/// carries the service's name.
fn choose(
    policy: &Policy,
    grants: &[Arc<LiveGrant>],
    session: &Session,
    operation: &Operation,
    named: Option<&str>,
) -> Result<Arc<Registration>, Refusal> {
    let of_service = |r: &&Arc<Registration>| r.connection.service == operation.name().service();
    if let Some(name) = named {
        let missing = || Refusal::NoConnection(short(name));
        let name = ConnectionName::parse(name).map_err(|_| missing())?;
        let is_away = policy.away.contains_key(&name) && !policy.connections.contains_key(&name);
        if is_away {
            return Err(Refusal::NotLent(name.to_string()));
        }
        return policy.connections.get(&name).filter(of_service).cloned().ok_or_else(missing);
    }
    let mut names: Vec<&ConnectionName> = grants
        .iter()
        .filter(|g| g.is_for(session) && g.scopes.contains(operation.scope_id()))
        .map(|g| &g.connection)
        .collect();
    names.sort_unstable();
    names.dedup();
    let granted: Vec<_> =
        names.iter().filter_map(|n| policy.connections.get(*n)).filter(of_service).collect();
    match granted[..] {
        [one] => Ok(one.clone()),
        [] => {
            let service = operation.name().service();
            let away = policy.away.iter().find(|(_, of)| *of == service).map(|(name, _)| name);
            let missing = || match away {
                Some(name) => Refusal::NotLent(name.to_string()),
                None => Refusal::NoConnection(service.to_owned()),
            };
            let name = ConnectionName::parse(operation.name().service()).map_err(|_| missing())?;
            let own = policy.connections.get(&name).filter(of_service);
            own.or_else(|| policy.connections.values().find(of_service))
                .cloned()
                .ok_or_else(missing)
        }
        _ => Err(Refusal::WhichConnection {
            agent: session.agent().to_string(),
            service: operation.name().service().to_owned(),
            names: names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Names from outside are cut before they go into an error.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
