//! Giving a token for one exact request.

use std::sync::Arc;

use serde_json::{Map, Value};
use symbolon_codec::Digest32;

use super::asking::{Asking, Stands};
use super::{Engine, Lease, Refused};
use crate::approval::Consent;
use crate::gate::Refusal;
use crate::token::{Pending, TOKENS_MAX};
use crate::{Context, Token};

/// Seconds that a token lives.
pub const TOKEN_TTL_SECONDS: u64 = 30;

impl Engine {
    /// Checks the gates and limits, and gives a token for this exact request.
    ///
    /// # Errors
    /// [`Refusal`], with the gates that did hold. A stale lease is resolved again inside.
    pub fn mint(
        &self,
        lease: &Arc<Lease>,
        context: &Context,
        arguments: &Map<String, Value>,
        request: &Digest32,
    ) -> Result<Token, Refused> {
        self.mint_with(lease, context, arguments, request, Consent::None)
    }

    /// As [`Engine::mint`], with what there is of a person's consent. An approval is used up, also
    /// where the call is refused.
    ///
    /// # Errors
    /// [`Refused`]; [`Refusal::Approval`] where a rule wants a person asked and `consent` is no
    /// evidence for this very request.
    pub fn mint_with(
        &self,
        lease: &Arc<Lease>,
        context: &Context,
        arguments: &Map<String, Value>,
        request: &Digest32,
        consent: Consent,
    ) -> Result<Token, Refused> {
        let fresh;
        let lease = if lease.generation == self.generation() {
            lease
        } else {
            let connection = lease.registration.connection.name.as_str();
            fresh =
                self.lease(&lease.session, lease.operation.name().as_str(), Some(connection))?;
            &fresh
        };
        let now = self.clock.mono_ns();
        let context = context.digest();
        let asked = Asking { context: &context, request, consent: &consent, now };
        let passed = self.gates(lease, arguments, &asked)?;
        let (approved, need) = match passed.stands {
            Stands::Alone => (None, None),
            Stands::On(approved) => {
                self.memory().note_use(passed.grant, lease.operation.name().as_str());
                (Some(approved), None)
            }
            Stands::Later(need) => (None, Some(need)),
        };
        let token = lease.bucket.pools.take(&*self.rng, now, || self.policy().is_some());
        let pending = Pending {
            lease: lease.clone(),
            grant: passed.grant,
            context,
            request: *request,
            until_ns: now + TOKEN_TTL_SECONDS * 1_000_000_000,
            requested_unix_ms: self.clock.unix_ms(),
            costs: passed.costs,
            missed: passed.missed,
            gates: passed.gates,
            approved,
            need,
        };
        if self.tokens.insert(token.id(), pending, now) {
            Ok(token)
        } else {
            Err(Refusal::TooManyTokens(TOKENS_MAX).into())
        }
    }

    /// Makes tokens ahead where this thread asks for so many of this scope on this connection that few are left: to be
    /// called where no call waits.
    pub fn restock(&self, lease: &Lease) {
        let may_fill = || self.policy().is_some();
        lease.bucket.pools.restock(&*self.rng, || self.clock.mono_ns(), may_fill);
    }
}
