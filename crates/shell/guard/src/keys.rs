//! The keys that the server signs tokens with, fetched and kept.

use std::sync::{Mutex, PoisonError};

use symbolon_codec::json::parse_bounded;
use symbolon_token::{Jwk, Jwks};

use crate::client::Client;

/// What was fetched last.
#[derive(Default)]
pub(crate) struct Keys(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    keys: Vec<Jwk>,
    fetched_ms: Option<u64>,
}

impl Keys {
    /// The keys, fetched anew where they are old. `again` fetches them where a token names one that is not there,
    /// a few times a minute at most: a stranger's tokens make no traffic.
    pub async fn get(
        &self,
        client: &Client,
        now_ms: u64,
        again: bool,
    ) -> std::io::Result<Vec<Jwk>> {
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let max_age = if again { AGAIN_MS } else { AGE_MS };
            if kept.fetched_ms.is_some_and(|at| now_ms.saturating_sub(at) < max_age) {
                return Ok(kept.keys.clone());
            }
        }
        let body = client.get("/api/keys/jwks").await?;
        let bad = || std::io::Error::other("the server's keys do not read");
        let value = parse_bounded(&body, body.len(), 4).map_err(|_| bad())?;
        let jwks: Jwks = serde_json::from_value(value).map_err(|_| bad())?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Kept { keys: jwks.keys, fetched_ms: Some(now_ms) };
        Ok(kept.keys.clone())
    }
}

const AGE_MS: u64 = 300_000;
const AGAIN_MS: u64 = 10_000;
