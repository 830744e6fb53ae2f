//! The owner's own: agents' keys, ways to unlock, how the broker is.

use serde::{Deserialize, Serialize};
use symbolon_custody::Method;

/// An agent's key, shown once.
#[derive(Debug)]
pub struct NewAgentKey {
    /// The agent.
    pub agent: String,
    /// `sym_` and 43 characters: the bearer key for HTTP. Only its hash is kept.
    pub key: symbolon_secret::Secret<[u8]>,
}

/// An agent that has a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentView {
    /// Its name.
    pub name: String,
    /// When its key was made, RFC 3339.
    pub created: String,
    /// The first characters of the key's hash, to tell keys apart.
    pub key_id: String,
    /// The agent that made it by delegation; the owner did where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// A way to unlock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrapView {
    /// Its id.
    pub id: String,
    /// `passphrase`, `device`, `tpm`, `recovery` or `passkey`.
    pub method: String,
    /// When it was made, RFC 3339.
    pub created: String,
}

/// How the broker is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Whether the vault is open.
    pub unlocked: bool,
    /// The home's folder.
    pub home: String,
    /// The broker's process.
    pub pid: u32,
    /// This program's version.
    pub version: String,
    /// Where secrets live: `memfd_secret` or what is weaker, in a phrase.
    pub memory: String,
    /// The machine binding, in a phrase.
    pub fingerprint: String,
    /// `group` or `relaxed`.
    pub durability: String,
    /// Where the log is kept, in a phrase.
    #[serde(default)]
    pub log_place: String,
    /// Entries in the log.
    pub log_entries: u64,
    /// Intents whose receipt never came, such as after a crash.
    pub open_intents: u64,
    /// How many of each.
    pub connections: u64,
    /// Grants that are active.
    pub grants: u64,
    /// Ways to unlock.
    pub methods: Vec<Method>,
    /// Open sessions.
    pub sessions: u64,
    /// Milliseconds since the broker started.
    pub uptime_ms: u64,
    /// Shadow mode is on: grants, limits and budgets refuse nothing.
    #[serde(default)]
    pub shadow: bool,
    /// How long credentials were in the clear, in nanoseconds.
    pub clear_ns: Clear,
}

/// How long credentials were in the clear.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Clear {
    /// How many times.
    pub count: u64,
    /// Half were shorter.
    pub p50: u64,
    /// 99 of 100 were shorter.
    pub p99: u64,
}
