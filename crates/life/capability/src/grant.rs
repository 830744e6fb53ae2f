//! What an agent was given.

use std::sync::Arc;

use crate::budget::Budget;
use crate::catalog::ScopeSet;
use crate::chain::Chain;
use crate::hours::Hours;
use crate::{AgentName, Ask, ConnectionName, Limit, Session};

/// A grant's number.
pub type GrantId = u64;

/// The most grants from a root to a leaf.
pub const LINEAGE_MAX: usize = 8;

/// A grant as it is stored.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its number; never given again.
    pub id: GrantId,
    /// To whom.
    pub agent: AgentName,
    /// On which connection.
    pub connection: ConnectionName,
    /// Scope patterns.
    pub scopes: Vec<String>,
    /// Limits on parameters; all must admit a call.
    pub limits: Vec<Limit>,
    /// Which calls wait for a person.
    pub ask: Ask,
    /// What it may use up.
    pub budgets: Vec<Budget>,
    /// Seconds between two calls of a scope.
    pub cooldown_seconds: Option<u64>,
    /// When it is good; always where there are none.
    pub hours: Vec<Hours>,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it ends, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// Taken back.
    pub revoked: bool,
    /// The grant that it is part of: it gives nothing that this one does not.
    pub parent: Option<GrantId>,
    /// How many levels of grants may be made under it; 0: its agent cannot hand it on.
    pub delegable: u8,
    /// Made by its parent's agent, not by the owner.
    pub by_agent: bool,
}

/// A grant in force: its scopes as bits, already cut to what the connection allows, and its end on
/// the monotonic clock, so that setting the machine's calendar back does not lengthen it.
#[derive(Debug)]
pub struct LiveGrant {
    /// Its number.
    pub id: GrantId,
    /// On which connection.
    pub connection: ConnectionName,
    /// What it gives.
    pub scopes: ScopeSet,
    /// Limits on parameters.
    pub limits: Vec<Limit>,
    /// Which calls wait for a person.
    pub ask: Ask,
    /// When it ends, on the monotonic clock.
    pub until_ns: u64,
    /// The one session that may use it; any of the agent's where absent.
    pub session: Option<[u8; 16]>,
    /// Time windows, cooldown and budgets, of the grants above it too.
    pub rules: Chain,
    /// From the root down to itself; `None` where it stands alone.
    pub lineage: Option<Arc<[GrantId]>>,
    /// How many levels of grants its agent may make under it.
    pub delegable: u8,
}

impl LiveGrant {
    /// Puts a stored grant into force, ending no later than `before` where it was in force already:
    /// a calendar that was set back in between does not lengthen it. `None` where it was revoked or
    /// has ended.
    pub fn new(
        grant: &Grant,
        allowed: &ScopeSet,
        given: &ScopeSet,
        unix_ms: u64,
        mono_ns: u64,
        before: Option<u64>,
        rules: Chain,
    ) -> Option<Self> {
        let left_ms = grant.expires_unix_ms.checked_sub(unix_ms).filter(|ms| *ms > 0)?;
        if grant.revoked {
            return None;
        }
        Some(Self {
            rules,
            id: grant.id,
            connection: grant.connection.clone(),
            scopes: given.intersection(allowed),
            limits: grant.limits.clone(),
            ask: grant.ask.clone(),
            until_ns: before
                .unwrap_or(u64::MAX)
                .min(mono_ns.saturating_add(left_ms.saturating_mul(1_000_000))),
            session: None,
            lineage: None,
            delegable: grant.delegable,
        })
    }

    /// As part of another: what both give, under the rules of both, until the first of them ends.
    /// `None` where it cannot be part of it: of another connection, not made after it, or with
    /// [`LINEAGE_MAX`] grants above it already.
    #[must_use]
    pub fn under(self, parent: &Self) -> Option<Self> {
        let above = parent.lineage.as_deref().unwrap_or(std::slice::from_ref(&parent.id));
        if self.connection != parent.connection
            || self.id <= parent.id
            || above.len() >= LINEAGE_MAX
        {
            return None;
        }
        Some(Self {
            scopes: self.scopes.intersection(&parent.scopes),
            limits: parent.limits.iter().chain(&self.limits).cloned().collect(),
            ask: self.ask.under(&parent.ask),
            until_ns: self.until_ns.min(parent.until_ns),
            session: self.session.or(parent.session),
            rules: self.rules.under(&parent.rules),
            lineage: Some(above.iter().copied().chain([self.id]).collect()),
            delegable: self.delegable.min(parent.delegable.saturating_sub(1)),
            ..self
        })
    }

    /// For one session alone, such as a run's.
    #[must_use]
    pub fn of_session(self, session: [u8; 16]) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Whether this session may use it.
    pub fn is_for(&self, session: &Session) -> bool {
        self.session.is_none_or(|own| own == *session.id())
    }
}
