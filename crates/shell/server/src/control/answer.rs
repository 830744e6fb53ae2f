//! What a broker answers with.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_broker::CallError;
use symbolon_secret::Secret;

use super::error::ControlError;

/// The good reply to an [`Op`](super::Op).
#[derive(Debug)]
pub struct Answer {
    /// What `specs/control.md` lists for the operation.
    pub ok: Value,
    /// Shown once: a recovery code's words or an agent's key.
    pub secret: Option<Secret<[u8]>>,
}

impl Answer {
    /// An answer without a secret.
    ///
    /// # Errors
    /// [`ControlError::Json`] where the value has no JSON form: a bug.
    pub fn of(value: impl Serialize) -> Result<Self, CallError> {
        Self::with(value, None)
    }

    /// An answer with one.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn with(value: impl Serialize, secret: Option<Secret<[u8]>>) -> Result<Self, CallError> {
        let ok = serde_json::to_value(value).map_err(|_| ControlError::Json)?;
        Ok(Self { ok, secret })
    }

    /// `{}`: done, nothing to say.
    pub fn done() -> Self {
        Self { ok: Value::Object(serde_json::Map::new()), secret: None }
    }
}

/// The reply to `unlock_unattended`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Unlocked {
    /// False where no way to unlock works without a person.
    pub unlocked: bool,
}

/// The first reply to `mcp`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Serving {
    /// Always true.
    pub serving: bool,
}

/// The second reply to `mcp`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ended {
    /// Always true.
    pub ended: bool,
}

/// A reply as it stands in JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    Ok(Value),
    Error(CallError),
}
