//! Delegation: what an agent hands on of what it was granted (`specs/capability.md`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use symbolon_capability::catalog::Rate;
use symbolon_capability::rate::Bucket;
use symbolon_capability::{AgentName, Grant, GrantId, Store};
use symbolon_codec::parse_duration_seconds;

use super::agent_name;
use super::lineage::Grants;
use crate::Broker;
use crate::api::*;

/// How fast each agent may delegate: every grant that was ever made stays in the store.
#[derive(Default)]
pub(crate) struct Delegations(Mutex<HashMap<AgentName, Bucket>>);

const BURST: u32 = 32;
const PER_SECOND: f64 = 0.1;
/// Agents whose rate is known; only such as were granted something are.
const AGENTS_MAX: usize = 4096;
/// What an agent has handed on at once.
const LIVING_MAX: usize = 64;
/// Scopes, limits and rules of one delegation.
const LIST_MAX: usize = 32;

impl Delegations {
    /// # Errors
    /// Nanoseconds to wait.
    fn take(&self, agent: &AgentName, now_ns: u64) -> Result<(), u64> {
        let Some(rate) = Rate::new(BURST, PER_SECOND) else { return Err(u64::MAX) };
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= AGENTS_MAX && !buckets.contains_key(agent) {
            buckets.clear();
        }
        let bucket = buckets.entry(agent.clone()).or_insert_with(|| Bucket::new(rate, now_ns));
        bucket.take(now_ns)
    }
}

impl Broker {
    /// Whether a session's agent may hand on anything.
    pub fn can_delegate(&self, session: &Session) -> bool {
        let Some(policy) = self.engine.policy() else { return false };
        let now = self.clock.mono_ns();
        let grants = policy.grants.get(session.agent()).map(Vec::as_slice).unwrap_or_default();
        grants.iter().any(|g| g.delegable > 0 && g.is_for(session) && now < g.until_ns)
    }

    /// Makes a grant to a sub-agent of the session's agent, under one of its own: never more than
    /// that one gives, nor longer. The sub-agent's name lies within the agent's, so that nobody is
    /// given a key or a grant who belongs to somebody else.
    ///
    /// # Errors
    /// [`CallError`]: locked, nothing that can be handed on, more than there is, a name that is
    /// taken, too many.
    pub async fn delegate(
        &self,
        session: &Session,
        new: NewDelegation,
    ) -> Result<Delegated, CallError> {
        self.opened()?;
        check_sizes(&new)?;
        let by = session.agent();
        // A dot would lead into the names of the sub-agent's own sub-agents.
        let part = agent_name(&new.to).ok().filter(|part| !part.as_str().contains('.'));
        let part = part.ok_or_else(|| {
            CallError::caller("agent_name", "\"to\" is a name of letters, digits, - and _")
        })?;
        let to = agent_name(&format!("{by}.{part}"))?;
        let for_seconds = match &new.lasts {
            None => 0,
            Some(text) => parse_duration_seconds(text).map_err(|e| {
                CallError::caller("duration", format!("for: {e}")).next("\"for\": \"15m\"")
            })?,
        };
        let _one = self.changes.lock().await;
        let under = self.chosen(session, &new)?;
        let grants = self.stored_grants().await?;
        self.check_taken(&grants, by, &to).await?;
        let wanted = NewGrant {
            agent: to.to_string(),
            scopes: new.scopes,
            for_seconds,
            limits: new.limits,
            ask: new.ask,
            budgets: new.budgets,
            cooldown_seconds: new.cooldown_seconds,
            hours: new.hours,
            under: Some(under),
            delegable: new.depth,
            ..NewGrant::default()
        };
        let mut grant = Grant { by_agent: true, ..self.plan_grant(wanted).await? };
        self.delegations.take(by, self.clock.mono_ns()).map_err(too_fast)?;
        grant.id = self.store.add_grant(&grant).await?;
        let has_key = self.store.agents().await?.iter().any(|a| a.name == to);
        let key = match has_key && !new.new_key {
            true => None,
            false => Some(self.make_agent_key(&to, Some(by)).await?),
        };
        self.rebuild_if_open().await?;
        tracing::info!(grant = grant.id, under, %by, %to, "an agent handed on a grant");
        let grants = self.stored_grants().await?;
        Ok(Delegated { grant: self.grant_view(&grant, &grants), key })
    }

    /// The grant that a delegation comes of: the one that is named; else the first of the agent's
    /// that has all of the scopes; else the first that can be handed on, for its error to name what
    /// is missing.
    fn chosen(&self, session: &Session, new: &NewDelegation) -> Result<GrantId, CallError> {
        let nothing = || {
            let message = format!("{} has nothing that it may hand on", session.agent());
            CallError::caller("not_delegable", message)
                .status(403)
                .next(format!("symbolon grant {} SCOPE --for 15m --delegable", session.agent()))
        };
        let policy = self.engine.policy().ok_or_else(|| self.not_in_force())?;
        let now = self.clock.mono_ns();
        let own = policy.grants.get(session.agent()).map(Vec::as_slice).unwrap_or_default();
        let own: Vec<_> = own
            .iter()
            .filter(|g| g.delegable > 0 && g.is_for(session) && now < g.until_ns)
            .filter(|g| new.under.is_none_or(|id| id == g.id))
            .collect();
        let scopes = self.scopes(&new.scopes)?;
        let whole = own.iter().find(|g| scopes.is_subset(&g.scopes));
        let touched = own.iter().find(|g| !scopes.intersection(&g.scopes).is_empty());
        whole.or(touched).or(own.first()).map(|g| g.id).ok_or_else(nothing)
    }

    /// A sub-agent's name and key are its maker's alone: what the owner granted to that name, or
    /// made a key for, is not taken over.
    async fn check_taken(
        &self,
        grants: &Grants,
        by: &AgentName,
        to: &AgentName,
    ) -> Result<(), CallError> {
        let is_own = |g: &Grant| {
            let parent = g.parent.and_then(|id| grants.get(id));
            g.by_agent && parent.is_some_and(|p| p.agent == *by)
        };
        let agents = self.store.agents().await?;
        let is_taken = agents.iter().any(|a| a.name == *to && a.made_by.as_ref() != Some(by))
            || grants.iter().any(|g| g.agent == *to && !self.has_ended(g) && !is_own(g));
        if is_taken {
            let message = format!("{to} is an agent that the owner made");
            return Err(CallError::caller("agent_taken", message)
                .status(409)
                .next("choose another name for \"to\""));
        }
        let living = grants.iter().filter(|g| is_own(g) && !self.has_ended(g)).count();
        if living >= LIVING_MAX {
            let message = format!("{by} has handed on {LIVING_MAX} grants that stand");
            return Err(CallError::caller("too_many_delegations", message)
                .status(429)
                .next("let some of them end, or ask the owner to revoke them"));
        }
        Ok(())
    }
}

fn check_sizes(new: &NewDelegation) -> Result<(), CallError> {
    let lists = [&new.scopes, &new.limits, &new.ask, &new.budgets, &new.hours];
    match lists.iter().any(|list| list.len() > LIST_MAX) {
        true => Err(CallError::caller(
            "delegation",
            format!("a delegation has at most {LIST_MAX} scopes, limits or rules of a kind"),
        )),
        false => Ok(()),
    }
}

fn too_fast(wait_ns: u64) -> CallError {
    let seconds = wait_ns.div_ceil(1_000_000_000).max(1);
    let message = "this agent hands on grants too fast";
    let error = CallError::caller("too_many_delegations", message).status(429);
    CallError { retry_after_seconds: Some(seconds), ..error }
        .next(format!("wait {seconds} s and try again"))
}
