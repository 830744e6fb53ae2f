//! One connection's upstream, with its idle connections.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;
use rustls_pki_types::ServerName;
use symbolon_connector::ssrf::{Allow, Authority, Scheme};
use tokio::runtime::{self, Handle};

use super::http::Protocol;
use super::identity::Identity;
use super::pool::Pooled;
use super::roots::{Roots, RootsError};

/// Where a connection's calls go: origin, address policy and trust roots, all fixed.
///
/// Cheap to clone. Its idle connections live in it, so keep it with the connection it belongs to;
/// a changed connection is a new target and shares nothing with the old one. When the last clone
/// goes, the idle connections are closed.
#[derive(Clone)]
pub struct Target(Arc<Upstream>);

pub(super) struct Upstream {
    pub(super) authority: Authority,
    pub(super) host: HeaderValue,
    pub(super) server_name: ServerName<'static>,
    pub(super) allow: Allow,
    /// What its handshakes show where they are asked.
    pub(super) identity: Option<Identity>,
    roots: OnceLock<Roots>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    pooled: Pooled,
    since: Instant,
    /// Its socket wakes this one's thread: elsewhere each answer would come by way of two.
    runtime: runtime::Id,
}

impl Target {
    /// A target that trusts the system's roots (loaded by the first TLS connection).
    pub fn new(authority: Authority, allow: Allow) -> Result<Self, TargetError> {
        Self::make(authority, allow, OnceLock::new(), None)
    }

    /// A target with trust roots of its own, for a service with its own CA.
    pub fn with_roots(
        authority: Authority,
        allow: Allow,
        roots: Roots,
    ) -> Result<Self, TargetError> {
        Self::make(authority, allow, OnceLock::from(roots), None)
    }

    /// A target whose handshakes show a client certificate. Its connections are this target's alone,
    /// as those of any: another connection to the same host has another target.
    pub fn with_identity(
        authority: Authority,
        allow: Allow,
        roots: Option<Roots>,
        identity: Identity,
    ) -> Result<Self, TargetError> {
        let roots = roots.map_or_else(OnceLock::new, OnceLock::from);
        Self::make(authority, allow, roots, Some(identity))
    }

    fn make(
        authority: Authority,
        allow: Allow,
        roots: OnceLock<Roots>,
        identity: Option<Identity>,
    ) -> Result<Self, TargetError> {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| TargetError)?;
        let server_name = match authority.host().ip() {
            Some(ip) => ServerName::from(ip),
            None => {
                ServerName::try_from(authority.host().as_str()).map_err(|_| TargetError)?.to_owned()
            }
        };
        let idle = Mutex::new(Vec::new());
        let upstream = Upstream { authority, host, server_name, allow, identity, roots, idle };
        Ok(Target(Arc::new(upstream)))
    }

    /// The origin.
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Closes the idle connections: for a vault that locks.
    pub fn close_idle(&self) {
        self.0.lock().clear();
    }

    /// How many connections are idle.
    pub fn idle(&self) -> usize {
        self.0.lock().len()
    }

    pub(super) fn upstream(&self) -> &Arc<Upstream> {
        &self.0
    }
}

impl Upstream {
    pub(super) fn is_tls(&self) -> bool {
        self.authority.scheme() == Scheme::Https
    }

    pub(super) fn roots(&self) -> Result<Roots, RootsError> {
        if let Some(roots) = self.roots.get() {
            return Ok(roots.clone());
        }
        let roots = SYSTEM.get_or_init(Roots::system).as_ref();
        let roots = roots.map_err(|_| RootsError::Pem)?;
        Ok(self.roots.get_or_init(|| roots.clone()).clone())
    }

    /// This runtime's idle connection used last that is still alive; dead ones are dropped on the
    /// way.
    pub(super) fn take(&self, protocol: Protocol) -> Option<Pooled> {
        let here = Handle::current().id();
        loop {
            let mut idle = self.lock();
            let is_ours = |idle: &Idle| idle.runtime == here && idle.pooled.protocol() == protocol;
            let last = idle.iter().rposition(is_ours)?;
            let Idle { mut pooled, since, .. } = idle.remove(last);
            drop(idle);
            if since.elapsed() < IDLE_TIME_MAX && pooled.is_usable() {
                return Some(pooled);
            }
        }
    }

    /// Keeps a connection whose response is complete.
    pub(super) fn give_back(&self, mut pooled: Pooled) {
        if !pooled.is_usable() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() < IDLE_MAX {
            let (since, runtime) = (Instant::now(), Handle::current().id());
            idle.push(Idle { pooled, since, runtime });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.0.authority).finish()
    }
}

/// The origin's host is no host for HTTP or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host cannot be used in a Host header or for TLS")]
pub struct TargetError;

static SYSTEM: OnceLock<Result<Roots, RootsError>> = OnceLock::new();

/// Idle connections that one target keeps.
const IDLE_MAX: usize = 128;
/// Below the minute after which common servers close.
const IDLE_TIME_MAX: Duration = Duration::from_secs(55);
