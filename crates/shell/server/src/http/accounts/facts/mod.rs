//! Facts without values (`specs/proof.md`): what services, the demo and this server itself ask of holders, and what
//! holders answer.

mod accept;
mod answer;
mod ask;
mod batch;
mod judging;
mod limits;
mod registry;
mod sessions;
#[cfg(test)]
pub(in crate::http::accounts) mod tests;

use std::sync::Arc;

use symbolon_ambient::{Clock, Rng};
use symbolon_proof::{IssuerPublicKey, RelyingParty, Sessions};

pub(super) use accept::{__path_accept, accept};
pub(super) use ask::{__path_ask, __path_demo, ask, demo};
pub(super) use batch::{__path_batch, BATCH_BODY_BYTES_MAX, batch};
pub(super) use registry::{__path_registry, registry};
pub(super) use sessions::{__path_begin, __path_look, begin, look};

use super::{AccountsError, AccountsOptions, oauth::Kept};
use judging::Judging;
use limits::FactLimits;

/// Whose claims this server believes where it asks for itself.
#[derive(Debug, Clone, Default)]
pub struct ProofIssuers {
    /// In the demo, beside the demo issuer that everybody can sign as.
    pub demo: Vec<IssuerPublicKey>,
    /// In `POST /api/proofs/ask`, which is there where one is named.
    pub own: Vec<IssuerPublicKey>,
}

/// What the routes of facts share beside the accounts' own.
pub(super) struct Facts<S> {
    sessions: Arc<Sessions<S>>,
    /// This server, where it asks for itself.
    own: RelyingParty,
    issuers: ProofIssuers,
    limits: FactLimits,
    judging: Judging,
}

impl<S: Kept> Facts<S> {
    /// Over the accounts' store.
    ///
    /// # Errors
    /// [`AccountsError::Origin`] for an origin that nothing is proven to; [`AccountsError::Keys`].
    pub fn open(
        store: Arc<S>,
        options: &AccountsOptions,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, AccountsError> {
        let origin = options.origin.as_str();
        let why = "nothing can be proven to it";
        let bad = |_| AccountsError::Origin { origin: origin.to_owned(), why };
        let own = RelyingParty { audience: origin.parse().map_err(bad)?, asker: None };
        let sessions = Sessions::new(store, clock, rng).ok_or(AccountsError::Keys)?;
        Ok(Self {
            sessions: Arc::new(sessions),
            own,
            issuers: options.proof_issuers.clone(),
            limits: FactLimits::new(&options.limits),
            judging: Judging::new(),
        })
    }

    /// Forgets sessions that ended some time ago.
    pub async fn purge(&self) -> Result<u64, symbolon_proof::ProofError> {
        self.sessions.purge().await
    }
}
