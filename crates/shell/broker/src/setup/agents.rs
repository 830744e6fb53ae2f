//! Agents' keys for HTTP.

use std::sync::{Arc, PoisonError};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::{Agent, AgentName, Store};
use symbolon_codec::{Digest32, b64url, time::rfc3339};
use symbolon_crypto::{labels, sha256_parts};
use symbolon_secret::Secret;

use super::agent_name;
use crate::Broker;
use crate::api::*;

/// An agent that has a key.
pub(crate) struct KnownAgent {
    name: AgentName,
    /// Another agent made the key.
    is_delegated: bool,
}

impl Broker {
    /// Makes an agent's bearer key for HTTP, in place of an earlier one. Only its hash is kept.
    ///
    /// # Errors
    /// [`CallError`]: not a name, or of the store.
    pub async fn add_agent(&self, name: &str) -> Result<NewAgentKey, CallError> {
        let _one = self.changes.lock().await;
        let name = agent_name(name)?;
        let key = self.make_agent_key(&name, None).await?;
        Ok(NewAgentKey { agent: name.to_string(), key })
    }

    /// A key in place of an earlier one. `by`: the agent that delegates, where the owner does not.
    pub(super) async fn make_agent_key(
        &self,
        name: &AgentName,
        by: Option<&AgentName>,
    ) -> Result<Secret<[u8]>, CallError> {
        let key = Secret::<[u8]>::make_slice(AGENT_KEY_BYTES, |out| {
            let mut bits = [0; 32];
            SystemRng.fill(&mut bits);
            out[..4].copy_from_slice(b"sym_");
            out[4..].copy_from_slice(b64url::encode(&bits).as_bytes());
        });
        // EXPOSE: hashed.
        let key_hash = agent_key_hash(key.expose());
        let created_unix_ms = self.clock.unix_ms();
        let (name, made_by) = (name.clone(), by.cloned());
        self.store.put_agent(&Agent { name, key_hash, created_unix_ms, made_by }).await?;
        self.reload_agents().await?;
        Ok(key)
    }

    /// Whose bearer key this is; `None` where it is nobody's, or was made by delegation and nothing
    /// that was delegated stands any more. Keys are 256 random bits and are looked up by their hash,
    /// so the time it takes tells nothing about them.
    pub fn agent_by_key(&self, key: &[u8]) -> Option<Arc<str>> {
        let hash = agent_key_hash(key);
        let agents = self.agents.read().unwrap_or_else(PoisonError::into_inner);
        let KnownAgent { name, is_delegated } = agents.get(&hash)?;
        (!is_delegated || self.has_grant(name)).then(|| name.as_str().into())
    }

    /// Whether an agent has a grant in force. While locked nobody can tell, and nothing can be done.
    fn has_grant(&self, agent: &AgentName) -> bool {
        let now = self.clock.mono_ns();
        self.engine.policy().is_none_or(|policy| {
            policy.grants.get(agent).is_some_and(|g| g.iter().any(|g| now < g.until_ns))
        })
    }

    pub(crate) async fn reload_agents(&self) -> Result<(), CallError> {
        let known = |agent: Agent| {
            let is_delegated = agent.made_by.is_some();
            (agent.key_hash, KnownAgent { name: agent.name, is_delegated })
        };
        let map = self.store.agents().await?.into_iter().map(known).collect();
        *self.agents.write().unwrap_or_else(PoisonError::into_inner) = map;
        Ok(())
    }

    /// Agents that have a key.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn agents(&self) -> Result<Vec<AgentView>, CallError> {
        let agents = self.store.agents().await?;
        let view = |a: &Agent| AgentView {
            name: a.name.to_string(),
            created: rfc3339(a.created_unix_ms),
            key_id: a.key_hash.to_string()[..12].to_owned(),
            made_by: a.made_by.as_ref().map(ToString::to_string),
        };
        Ok(agents.iter().map(view).collect())
    }

    /// Forgets an agent's key. Its grants stay: revoke them apart.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that name.
    pub async fn remove_agent(&self, name: &str) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let name = agent_name(name)?;
        self.store
            .delete_agent(&name)
            .await
            .map_err(|e| CallError::from(e).next("symbolon agents"))?;
        self.reload_agents().await
    }
}

/// `sym_` and 43 characters.
const AGENT_KEY_BYTES: usize = 47;

/// Agent keys are 256 random bits, so a plain hash is as good as a slow one.
fn agent_key_hash(key: &[u8]) -> Digest32 {
    sha256_parts(&[labels::AGENT_KEY.as_str().as_bytes(), key])
}
