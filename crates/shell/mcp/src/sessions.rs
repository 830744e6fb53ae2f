//! HTTP sessions of revision 2025-11-25: whose they are, and how many there may be.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rmcp::transport::streamable_http_server::session::{
    SessionManager, local::LocalSessionManager,
};

/// Bounds of sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Sessions of one agent; the one that was used longest ago is closed for a new one.
    pub per_agent_max: usize,
    /// Sessions of all agents; above it, none is opened.
    pub total_max: usize,
    /// A session on which nothing happened for so long is closed.
    pub idle: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { per_agent_max: 32, total_max: 1024, idle: Duration::from_secs(30 * 60) }
    }
}

/// How long an answer is kept for a client whose stream broke: it costs memory that nothing else counts.
const RESUMED_WITHIN: Duration = Duration::from_secs(5);

/// Whose each session is.
#[derive(Debug)]
pub(crate) struct Sessions {
    manager: Arc<LocalSessionManager>,
    owners: Mutex<HashMap<Arc<str>, Owner>>,
    clock: AtomicU64,
    limits: SessionLimits,
}

#[derive(Debug)]
struct Owner {
    agent: Arc<str>,
    used: u64,
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits) -> Self {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = Some(limits.idle);
        manager.session_config.completed_cache_ttl = RESUMED_WITHIN;
        let manager = Arc::new(manager);
        Self { manager, owners: Mutex::default(), clock: AtomicU64::new(0), limits }
    }

    pub(crate) fn manager(&self) -> Arc<LocalSessionManager> {
        self.manager.clone()
    }

    /// Whether the session is this agent's. Nobody learns whether another's exists.
    pub(crate) fn is_of(&self, id: &str, agent: &str) -> bool {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        match owners.get_mut(id) {
            Some(owner) if *owner.agent == *agent => {
                owner.used = self.clock.fetch_add(1, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// Whether all sessions that there may be are open.
    pub(crate) async fn full(&self) -> bool {
        if self.manager.sessions.read().await.len() < self.limits.total_max {
            return false;
        }
        self.forget_closed().await;
        self.manager.sessions.read().await.len() >= self.limits.total_max
    }

    /// Notes a new session before its id is told to anyone, and closes this agent's oldest above its bound.
    pub(crate) async fn begin(&self, id: Arc<str>, agent: Arc<str>) {
        self.forget_closed().await;
        let surplus = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            let used = self.clock.fetch_add(1, Ordering::Relaxed);
            owners.insert(id, Owner { agent: agent.clone(), used });
            let mut own: Vec<(u64, Arc<str>)> = owners
                .iter()
                .filter(|(_, owner)| owner.agent == agent)
                .map(|(id, owner)| (owner.used, id.clone()))
                .collect();
            own.sort_unstable();
            own.truncate(own.len().saturating_sub(self.limits.per_agent_max));
            for (_, id) in &own {
                owners.remove(id);
            }
            own
        };
        for (_, id) in surplus {
            // A session that ended by itself meanwhile needs no closing.
            let _ = self.manager.close_session(&id).await;
        }
    }

    /// Sessions end by idling and by DELETE, of which the manager alone hears.
    async fn forget_closed(&self) {
        let open = self.manager.sessions.read().await;
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|id, _| open.contains_key(id));
    }
}
