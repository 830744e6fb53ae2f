//! Where the engine meets approvals: what a call stands on when a rule wants a person asked.

use std::sync::{Arc, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use symbolon_codec::Digest32;

use super::{Engine, Lease};
use crate::approval::{Approved, Ask, Consent, Memory, Need, Question, Remembered};
use crate::gate::Gates;
use crate::{Context, GrantId, LiveGrant};

/// What a call is judged by, beside its lease and arguments.
pub(crate) struct Asking<'a> {
    pub(super) context: &'a Digest32,
    pub(super) request: &'a Digest32,
    pub(super) consent: &'a Consent,
    pub(super) now: u64,
}

/// Grants are numbered from 1.
pub(crate) const NO_GRANT: GrantId = 0;

/// What a call that a grant admits stands on.
#[derive(Default)]
pub(crate) enum Stands {
    /// No rule wants a person asked.
    #[default]
    Alone,
    /// A person said yes.
    On(Approved),
    /// They are asked when the token is redeemed.
    Later(Box<Need>),
}

impl Engine {
    /// A question about this exact call, to be put to a person: what an answer is bound to.
    pub fn question(
        &self,
        lease: &Arc<Lease>,
        context: &Context,
        request: &Digest32,
        need: Need,
        gates: Gates,
        lives_seconds: u64,
    ) -> Question {
        let now = (self.clock.unix_ms(), self.clock.mono_ns());
        Question::new(lease.clone(), context, *request, need, gates, now, lives_seconds, &*self.rng)
    }

    /// Lets an approval stand for a while. False where there is no room: it is asked again then.
    pub fn remember(&self, one: Remembered) -> bool {
        let now = self.clock.mono_ns();
        self.memory().remember(one, now)
    }

    /// Approvals that stand for a while.
    pub fn remembered(&self) -> Vec<Remembered> {
        let now = self.clock.mono_ns();
        self.memory().list(now)
    }

    /// Ends a remembered approval by its number; whether there was one.
    pub fn forget(&self, number: u64) -> bool {
        self.memory().forget(number)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call that shadow mode lets through without any grant stands on. Nobody chose its rules,
    /// so those of a grant without rules hold: a person is asked before what cannot be taken back.
    /// Such a yes is good for its own call alone: no grant would end one that was remembered.
    pub(super) fn stands_ungranted(lease: &Lease, asked: &Asking<'_>) -> Result<Stands, Box<Need>> {
        let ask = Ask::default();
        let Some(rule) = ask.wants(&lease.operation, &Map::new(), || true) else {
            return Ok(Stands::Alone);
        };
        match asked.consent {
            Consent::Given(approval)
                if approval.is_for(lease, asked.context, asked.request, NO_GRANT, asked.now) =>
            {
                Ok(Stands::On(approval.approved()))
            }
            _ => Err(Box::new(Need { grant: NO_GRANT, rule: rule.clone(), via: ask.via() })),
        }
    }

    /// What a call through this grant stands on; what is missing, where a rule wants a person asked.
    pub(super) fn stands(
        &self,
        lease: &Lease,
        grant: &LiveGrant,
        arguments: &Map<String, Value>,
        asked: &Asking<'_>,
    ) -> Result<Stands, Box<Need>> {
        let tool = lease.operation.name().as_str();
        let is_first = || self.memory().is_first(grant.id, tool);
        let Some(rule) = grant.ask.wants(&lease.operation, arguments, is_first) else {
            return Ok(Stands::Alone);
        };
        if let Consent::Given(approval) = asked.consent
            && approval.is_for(lease, asked.context, asked.request, grant.id, asked.now)
        {
            return Ok(Stands::On(approval.approved()));
        }
        let rule_text = rule.to_string();
        let covering =
            self.memory().covers(grant.id, &rule_text, &lease.operation, arguments, asked.now);
        match covering {
            Some(approved) => Ok(Stands::On(approved)),
            None => {
                let (rule, via) = (rule.clone(), grant.ask.via());
                Err(Box::new(Need { grant: grant.id, rule, via }))
            }
        }
    }
}
