//! Agents' keys for HTTP.

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::{Agent, Store};
use symbolon_codec::{Digest32, b64url, time::rfc3339};
use symbolon_crypto::{labels, sha256_parts};
use symbolon_secret::Secret;

use super::agent_name;
use crate::Broker;
use crate::api::*;

impl Broker {
    /// Makes an agent's bearer key for HTTP, in place of an earlier one. Only its hash is kept.
    ///
    /// # Errors
    /// [`CallError`]: not a name, or of the store.
    pub async fn add_agent(&self, name: &str) -> Result<NewAgentKey, CallError> {
        let _one = self.changes.lock().await;
        let name = agent_name(name)?;
        let key = Secret::<[u8]>::make_slice(AGENT_KEY_BYTES, |out| {
            let mut bits = [0; 32];
            SystemRng.fill(&mut bits);
            out[..4].copy_from_slice(b"sym_");
            out[4..].copy_from_slice(b64url::encode(&bits).as_bytes());
        });
        // EXPOSE: hashed.
        let key_hash = agent_key_hash(key.expose());
        let created_unix_ms = self.clock.unix_ms();
        self.store.put_agent(&Agent { name: name.clone(), key_hash, created_unix_ms }).await?;
        self.reload_agents().await?;
        Ok(NewAgentKey { agent: name.to_string(), key })
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
pub(crate) fn agent_key_hash(key: &[u8]) -> Digest32 {
    sha256_parts(&[labels::AGENT_KEY.as_str().as_bytes(), key])
}
