//! Runs: whole programs as callers, with grants that last as long as they do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_ambient::SystemRng;
use symbolon_capability::catalog::{Placeholders, Service};
use symbolon_capability::url::BaseUrl;
use symbolon_capability::{BasicHalf, Grant, GrantId, Scheme, Store};
use symbolon_crypto::{Aad, labels};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::*;

/// Grants of runs, by session. They are kept as taken back, so that none outlives a crash, and are
/// in force from here alone.
#[derive(Default)]
pub(crate) struct Runs(Mutex<HashMap<[u8; 16], Vec<Grant>>>);

impl Runs {
    /// What is in force, for whom.
    pub(crate) fn grants(&self) -> Vec<([u8; 16], Grant)> {
        let runs = self.lock();
        runs.iter().flat_map(|(id, grants)| grants.iter().map(|g| (*id, g.clone()))).collect()
    }

    /// Whether a grant is some run's.
    pub(crate) fn holds(&self, id: GrantId) -> bool {
        self.lock().values().flatten().any(|g| g.id == id)
    }

    /// Takes one grant back; whether it was some run's.
    pub(crate) fn revoke(&self, id: GrantId) {
        self.lock().values_mut().for_each(|grants| grants.retain(|g| g.id != id));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Vec<Grant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a connection's requests go, as a door that is asked for a host sees it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The connection's name.
    pub connection: String,
    /// Its service.
    pub service: Arc<Service>,
    /// Its origin, and the path that all its requests begin with.
    pub base: BaseUrl,
    /// Where the credential stands in a request.
    pub auth: Scheme,
}

/// What a program of a service finds in its environment.
#[derive(Debug, Clone, Default)]
pub struct RunVariables {
    /// Variables.
    pub env: Vec<(String, String)>,
    /// Settings of git.
    pub git_config: Vec<(String, String)>,
    /// Files in the run's folder, with their text.
    pub files: Vec<(String, String)>,
}

impl Route {
    /// What a program finds, with this placeholder in the credential's place and its files there.
    pub fn variables(&self, placeholder: &str, folder: &str) -> RunVariables {
        let user = match &self.auth {
            Scheme::Basic(BasicHalf::Password { user }) => user,
            _ => USER,
        };
        let with = Placeholders { base: &self.base, user, placeholder, folder };
        let hints = self.service.run();
        RunVariables {
            env: hints.env(&with),
            git_config: hints.git_config(&with),
            files: hints.files(&with),
        }
    }
}

/// Beside a token that needs no user name.
const USER: &str = "x-access-token";

impl Broker {
    /// A session for a whole program, and grants that only it has and that end with it: scope
    /// patterns, each with `@CONNECTION` behind it where it is not on the one named as the service.
    ///
    /// # Errors
    /// [`CallError`]: locked, or a grant that cannot be made.
    pub async fn open_run(
        &self,
        agent: &str,
        grants: &[String],
    ) -> Result<Arc<Session>, CallError> {
        self.opened()?;
        if grants.len() > GRANTS_MAX {
            return Err(CallError::caller("grant", format!("{GRANTS_MAX} grants at most")));
        }
        let session = self.open_session(agent, Door::Proxy)?;
        let mut made = Vec::with_capacity(grants.len());
        let _one = self.changes.lock().await;
        for (connection, scopes) in by_connection(grants) {
            let new = NewGrant {
                agent: agent.to_owned(),
                scopes,
                for_seconds: RUN_SECONDS_MAX,
                connection,
                ..NewGrant::default()
            };
            made.push(self.plan_grant(new).await?);
        }
        for grant in &mut made {
            grant.id = self.store.add_grant(&Grant { revoked: true, ..grant.clone() }).await?;
        }
        self.runs.lock().insert(*session.id(), made);
        let built = self.rebuild_if_open().await;
        if built.is_err() {
            self.runs.lock().remove(session.id());
        }
        built.map(|()| session)
    }

    /// Ends what was granted for a run.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn close_run(&self, session: &Session) -> Result<(), CallError> {
        let held = self.runs.lock().remove(session.id());
        if held.is_none_or(|grants| grants.is_empty()) {
            return Ok(());
        }
        let _one = self.changes.lock().await;
        self.rebuild_if_open().await
    }

    /// Connections in force, by name.
    ///
    /// # Errors
    /// [`CallError`] while locked.
    pub fn routes(&self) -> Result<Vec<Route>, CallError> {
        let open = self.opened()?;
        let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
        let mut routes: Vec<Route> = live
            .values()
            .map(|live| Route {
                connection: live.registration.connection.name.to_string(),
                service: live.registration.service.clone(),
                base: live.base.clone(),
                auth: live.registration.connection.auth.clone(),
            })
            .collect();
        routes.sort_unstable_by(|a, b| a.connection.cmp(&b.connection));
        Ok(routes)
    }

    /// Names of the connections on which this session has a grant now.
    pub fn granted_connections(&self, session: &Session) -> Vec<String> {
        let Some(policy) = self.engine.policy() else { return Vec::new() };
        let now = self.clock.mono_ns();
        let grants = policy.grants.get(session.agent()).map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<String> = grants
            .iter()
            .filter(|g| g.is_for(session) && now < g.until_ns)
            .map(|g| g.connection.to_string())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Seals a TLS private key under this vault, for what `name` says and this certificate alone.
    ///
    /// # Errors
    /// [`CallError`] while locked.
    pub fn seal_tls_key(
        &self,
        name: &str,
        certificate: &[u8],
        key: &Secret<[u8]>,
    ) -> Result<Vec<u8>, CallError> {
        let open = self.opened()?;
        // EXPOSE: sealed from a secret page into an envelope.
        let plain = key.expose();
        Ok(open.unlocked.tls_key().seal_with(&self.tls_aad(name, certificate), plain, &SystemRng))
    }

    /// Opens what [`Broker::seal_tls_key`] sealed.
    ///
    /// # Errors
    /// [`CallError`] while locked, and where the envelope is of another vault, name or certificate.
    pub fn open_tls_key(
        &self,
        name: &str,
        certificate: &[u8],
        envelope: &[u8],
    ) -> Result<Secret<[u8]>, CallError> {
        let open = self.opened()?;
        let opened = open.unlocked.tls_key().open_with(&self.tls_aad(name, certificate), envelope);
        opened.map_err(|e| CallError::environment("tls_key_damaged", format!("{name}: {e}")))
    }

    fn tls_aad(&self, name: &str, certificate: &[u8]) -> Aad {
        let vault = self.manifest.vault;
        Aad::new(&labels::TLS_KEY, &[vault.as_bytes(), name.as_bytes(), certificate])
    }

    /// A name for this vault that tells nothing else about it.
    pub fn vault_name(&self) -> String {
        self.manifest.vault.to_string()
    }
}

/// Scopes of one connection make one grant. `None`: the one named as the service, by service.
fn by_connection(grants: &[String]) -> Vec<(Option<String>, Vec<String>)> {
    let mut found: Vec<(&str, Option<&str>, Vec<String>)> = Vec::new();
    for grant in grants {
        let (scope, connection) = match grant.split_once('@') {
            Some((scope, connection)) => (scope, Some(connection)),
            None => (grant.as_str(), None),
        };
        let service = scope.split('.').next().unwrap_or_default();
        match found.iter_mut().find(|(s, c, _)| (*s, *c) == (service, connection)) {
            Some((_, _, scopes)) => scopes.push(scope.to_owned()),
            None => found.push((service, connection, vec![scope.to_owned()])),
        }
    }
    found.into_iter().map(|(_, c, scopes)| (c.map(str::to_owned), scopes)).collect()
}

/// A month: a run ends by itself long before.
const RUN_SECONDS_MAX: u64 = 30 * 24 * 3600;
const GRANTS_MAX: usize = 64;
