//! Flows that wait for a person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use symbolon_capability::catalog::Service;
use symbolon_capability::{Connection, OAuth2};
use symbolon_secret::Secret;

use crate::api::CallError;
use crate::wire::Target;

/// Bounded in number and time; a lock ends them all.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<String, Arc<Flowing>>>);

/// A connection that is being made.
pub(super) struct Flowing {
    pub(super) connection: Connection,
    pub(super) service: Arc<Service>,
    pub(super) oauth: Arc<OAuth2>,
    pub(super) target: Target,
    /// The client's; empty for a public client.
    pub(super) secret: Secret<[u8]>,
    pub(super) wait: Wait,
    pub(super) replace: bool,
    pub(super) verify: bool,
    pub(super) until_ns: u64,
}

/// What it waits for.
pub(super) enum Wait {
    /// A redirect with this state.
    Redirect { state: String, verifier: Secret<[u8]>, redirect_uri: String, issuer: Option<String> },
    /// A person who enters a code elsewhere.
    Person { device_code: Secret<[u8]>, pace: Mutex<Pace> },
    /// Nothing.
    Nobody,
}

/// How often a token endpoint may be asked whether the person has answered (RFC 8628, section 3.5).
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) interval_seconds: u64,
    pub(super) next_ns: u64,
}

impl Flows {
    /// Keeps a flow under a name that nobody can guess.
    pub(super) fn put(&self, id: String, flowing: Flowing, now_ns: u64) -> Result<(), CallError> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.retain(|_, f| f.until_ns > now_ns);
        if flows.len() >= FLOWS_MAX {
            let message = "too many connections are being made at once";
            return Err(CallError::caller("too_many_flows", message)
                .status(429)
                .next("finish one of them, or wait until it expires"));
        }
        flows.insert(id, Arc::new(flowing));
        Ok(())
    }

    pub(super) fn get(&self, id: &str, now_ns: u64) -> Result<Arc<Flowing>, CallError> {
        let flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.get(id).filter(|f| f.until_ns > now_ns).cloned().ok_or_else(over)
    }

    /// Takes a flow, for whoever ends it. Of several one gets it.
    pub(super) fn take(&self, id: &str) -> Result<Arc<Flowing>, CallError> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.remove(id).ok_or_else(over)
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn over() -> CallError {
    CallError::caller(
        "flow_over",
        "this connection is not being made any more: it took too long, or the vault was locked",
    )
    .status(404)
    .next("symbolon connect SERVICE --oauth …")
}

const FLOWS_MAX: usize = 16;
