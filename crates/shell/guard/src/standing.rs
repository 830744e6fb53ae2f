//! Whether a token is active, as the server said a moment ago.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::client::Client;

/// Answers of introspection, by the token's id.
pub(crate) struct Standing {
    believed_ms: u64,
    known: Mutex<HashMap<String, Said>>,
}

#[derive(Clone, Copy)]
struct Said {
    is_active: bool,
    at_ms: u64,
}

#[derive(Deserialize)]
struct Introspection {
    active: bool,
}

impl Standing {
    pub fn new(believed: Duration) -> Self {
        let believed_ms = u64::try_from(believed.as_millis()).unwrap_or(u64::MAX);
        Self { believed_ms, known: Mutex::default() }
    }

    /// Whether a token whose signature holds is active. One that is not will never be again.
    pub async fn is_active(
        &self,
        client: &Client,
        secret: &str,
        token: &str,
        jti: &str,
        now_ms: u64,
    ) -> std::io::Result<bool> {
        if let Some(said) = self.known(jti, now_ms) {
            return Ok(said);
        }
        // A JWT has no character that a form would write otherwise.
        let form = format!("token={token}");
        let body = client.post_form("/api/keys/introspect", secret, form).await?;
        let said: Introspection = serde_json::from_slice(&body).map_err(std::io::Error::other)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.retain(|_, said| now_ms.saturating_sub(said.at_ms) < self.believed_ms);
        }
        if known.len() < KNOWN_MAX {
            known.insert(jti.to_owned(), Said { is_active: said.active, at_ms: now_ms });
        }
        Ok(said.active)
    }

    fn known(&self, jti: &str, now_ms: u64) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let said = known.get(jti)?;
        let is_fresh = now_ms.saturating_sub(said.at_ms) < self.believed_ms;
        is_fresh.then_some(said.is_active)
    }
}

const KNOWN_MAX: usize = 50_000;
