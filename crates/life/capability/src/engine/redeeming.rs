//! Taking a token, once, for what it lets out.

use std::sync::Arc;

use serde_json::Map;
use symbolon_codec::Digest32;

use super::{Engine, Lease, Refused};
use crate::budget::Hold;
use crate::gate::Refusal;
use crate::rules::Asked;
use crate::token::Taken;
use crate::{Context, GrantId, LiveGrant, Opening, Session, Token};

impl Engine {
    /// Takes a token, once. Whatever is wrong with it, it is gone: a token that was shown in the
    /// wrong place has leaked.
    ///
    /// # Errors
    /// [`Refusal`]: unknown, of another session, context or request, expired, or its grant is gone.
    pub fn redeem(
        &self,
        token: &Token,
        session: &Session,
        context: &Context,
        request: &Digest32,
    ) -> Result<Opening, Refused> {
        let id = token.id();
        let pending = match self.tokens.take(&id) {
            Taken::Now(pending) => pending,
            Taken::Before => return Err(Refusal::TokenUsed.into()),
            Taken::Unknown => return Err(Refusal::TokenUnknown.into()),
        };
        let now = self.clock.mono_ns();
        if pending.lease.session.id() != session.id() {
            return Err(Refusal::TokenSession.into());
        }
        if pending.context != context.digest() {
            return Err(Refusal::TokenContext.into());
        }
        if pending.request != *request {
            return Err(Refusal::TokenRequest.into());
        }
        if now >= pending.until_ns {
            return Err(Refusal::TokenExpired.into());
        }
        let mut missed = pending.missed;
        let shadow = self.is_shadow();
        if let Some(refusal) = missed.first().filter(|_| !shadow) {
            return Err(Refused { refusal: refusal.clone(), gates: pending.gates });
        }
        let lease = pending.lease;
        let grant = match self.still(&lease, pending.grant, now) {
            Ok(grant) => grant,
            // Refused for want of a grant when the token was asked for, too.
            Err(Refusal::GrantEnded { .. })
                if shadow && !missed.is_empty() && self.is_same(&lease) =>
            {
                None
            }
            Err(refusal @ Refusal::GrantEnded { .. }) if shadow && self.is_same(&lease) => {
                missed.push(refusal);
                None
            }
            Err(refusal) => return Err(refusal.into()),
        };
        if let Some(need) = pending.need {
            return Err(Refused { refusal: Refusal::Approval(need), gates: pending.gates });
        }
        let mut opening = Opening {
            session: *session.id(),
            token_id: id,
            context_kind: context.kind(),
            context: pending.context,
            request: pending.request,
            grant: pending.grant,
            gates: pending.gates,
            requested_unix_ms: pending.requested_unix_ms,
            approved: pending.approved,
            asked: Vec::new(),
            hold: Hold::default(),
            missed,
            lease,
            lineage: grant.as_ref().and_then(|g| g.lineage.clone()),
        };
        if let Some(rules) = grant.as_ref().map(|g| &g.rules).filter(|r| !r.is_empty()) {
            let asked = Asked {
                operation: &opening.lease.operation,
                arguments: &Map::new(),
                now_ns: now,
                reading: self.reading(),
            };
            let taken = rules.take(&id, &pending.costs, asked, shadow, &mut opening.missed);
            opening.hold = taken.map_err(|refusal| Refused { refusal, gates: pending.gates })?;
            opening.asked = rules.names(&opening.lease.operation);
        }
        Ok(opening)
    }

    /// The grant that let a token out, if it still stands: the rate was taken at mint, the rest is
    /// asked again, from what is in force now.
    pub(super) fn still(
        &self,
        lease: &Lease,
        grant: GrantId,
        now: u64,
    ) -> Result<Option<Arc<LiveGrant>>, Refusal> {
        let ended = || lease.ended();
        if lease.generation == self.generation() {
            let found = lease.grants.iter().find(|g| g.id == grant && now < g.until_ns);
            return found.cloned().map(Some).ok_or_else(ended);
        }
        let policy = self.policy().ok_or(Refusal::Locked)?;
        let grant = policy
            .grants
            .get(lease.session.agent())
            .and_then(|g| g.iter().find(|g| g.id == grant))
            .filter(|g| now < g.until_ns && g.scopes.contains(lease.operation.scope_id()));
        // Another credential or destination under the same name is another connection.
        if !self.is_same(lease) {
            return Err(ended());
        }
        grant.cloned().map(Some).ok_or_else(ended)
    }

    /// Whether a lease's connection is in force, and still the same.
    pub(super) fn is_same(&self, lease: &Lease) -> bool {
        if lease.generation == self.generation() {
            return true;
        }
        let name = &lease.registration.connection.name;
        let policy = self.policy();
        let current = policy.as_ref().and_then(|p| p.connections.get(name));
        current.is_some_and(|c| Arc::ptr_eq(c, &lease.registration))
    }
}
