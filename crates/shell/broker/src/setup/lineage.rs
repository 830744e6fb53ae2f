//! Grants under grants: what is above one, and what that leaves it.

use std::collections::HashMap;

use symbolon_capability::approval::AskVia;
use symbolon_capability::attenuation::excess;
use symbolon_capability::catalog::ScopeSet;
use symbolon_capability::{Grant, GrantId, LINEAGE_MAX, Store};
use symbolon_codec::time::rfc3339;

use crate::Broker;
use crate::api::*;
use crate::policy::zone;

/// Stored grants, by number.
pub(crate) struct Grants(HashMap<GrantId, Grant>);

impl Grants {
    pub(crate) fn new(all: Vec<Grant>) -> Self {
        Self(all.into_iter().map(|g| (g.id, g)).collect())
    }

    pub(crate) fn get(&self, id: GrantId) -> Option<&Grant> {
        self.0.get(&id)
    }

    /// What a grant is under, the root first; `None` where one of them is not there.
    pub(crate) fn above(&self, grant: &Grant) -> Option<Vec<&Grant>> {
        let (mut found, mut below, mut next) = (Vec::new(), grant.id, grant.parent);
        while let Some(id) = next {
            // As it is put into force: numbers fall, and there is an end. A new one has none yet.
            if (below != 0 && id >= below) || found.len() >= LINEAGE_MAX {
                return None;
            }
            let parent = self.get(id)?;
            (below, next) = (parent.id, parent.parent);
            found.push(parent);
        }
        found.reverse();
        Some(found)
    }

    /// Everything under a grant.
    pub(crate) fn below(&self, id: GrantId) -> Vec<&Grant> {
        let is_under =
            |g: &&Grant| self.above(g).is_some_and(|above| above.iter().any(|a| a.id == id));
        let mut found: Vec<&Grant> = self.0.values().filter(is_under).collect();
        found.sort_unstable_by_key(|g| g.id);
        found
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.values()
    }
}

impl Broker {
    /// All grants that were ever made.
    pub(crate) async fn stored_grants(&self) -> Result<Grants, CallError> {
        Ok(Grants::new(self.store.grants().await?))
    }

    /// A grant and those above it, the root first, where something can come under it.
    ///
    /// # Errors
    /// [`CallError`]: no such grant, one of them has ended, it is some run's, or there are
    /// [`LINEAGE_MAX`] of them.
    pub(super) async fn lineage_of(&self, id: GrantId) -> Result<Vec<Grant>, CallError> {
        let all = self.stored_grants().await?;
        let grant = all.get(id).ok_or_else(|| no_grant(id))?;
        let mut lineage = all.above(grant).ok_or_else(|| no_grant(id))?;
        lineage.push(grant);
        if lineage.len() >= LINEAGE_MAX {
            let message =
                format!("grant {id} has {} above it, and that is the most", LINEAGE_MAX - 1);
            return Err(CallError::caller("lineage", message).next("symbolon grants"));
        }
        if let Some(ended) = lineage.iter().find(|g| self.has_ended(g)) {
            let message = format!("grant {} has ended, and nothing can come under it", ended.id);
            return Err(CallError::caller("grant_ended", message)
                .status(403)
                .next("symbolon grants"));
        }
        Ok(lineage.into_iter().cloned().collect())
    }

    /// Taken back, or its time is over; a run's is neither kept nor handed on.
    pub(crate) fn has_ended(&self, grant: &Grant) -> bool {
        grant.revoked || grant.expires_unix_ms <= self.clock.unix_ms()
    }

    /// What all of a lineage give.
    pub(super) fn scopes_of(&self, lineage: &[Grant]) -> ScopeSet {
        let each = lineage.iter().map(|g| self.scopes(&g.scopes).unwrap_or_default());
        each.reduce(|a, b| a.intersection(&b)).unwrap_or_default()
    }

    /// Checks a new grant against those above it, and names all that exceeds them.
    pub(super) fn check_excess(
        &self,
        new: &NewGrant,
        grant: &Grant,
        above: &[Grant],
        scopes: &ScopeSet,
    ) -> Result<(), CallError> {
        let Some(parent) = above.last() else { return Ok(()) };
        let catalog = self.engine.catalog();
        let beyond = scopes.difference(&self.scopes_of(above));
        let mut found: Vec<String> =
            catalog.scopes().names(&beyond).map(|name| format!("the scope {name}")).collect();
        if grant.connection != parent.connection {
            found.push(format!(
                "the connection {} (grant {} is on {})",
                grant.connection, parent.id, parent.connection
            ));
        }
        if grant.delegable > parent.delegable.saturating_sub(1) {
            found.push(format!(
                "a depth of {} (grant {} has {})",
                grant.delegable, parent.id, parent.delegable
            ));
        }
        let asks = above.iter().find(|g| !g.ask.is_never());
        if let (Some(asks), true) = (asks, new.ask.iter().any(|rule| rule.trim() == "never")) {
            let rules = asks.ask.texts().join(", ");
            found.push(format!("to ask never (grant {} asks: {rules})", asks.id));
        }
        if let Some(owner) = above.iter().find(|g| g.ask.via() != AskVia::Client)
            && grant.ask.via() == AskVia::Client
        {
            found.push(format!("to ask its client (grant {} asks the owner)", owner.id));
        }
        found.extend(excess(grant, above, self.clock.unix_ms(), |hours| zone(hours.zone())));
        if found.is_empty() {
            return Ok(());
        }
        let message = format!("grant {} does not give {}", parent.id, found.join("; nor "));
        Err(CallError::caller("delegation_exceeds", message)
            .status(403)
            .next(format!("symbolon grants show {}", parent.id)))
    }

    /// What a grant says by itself, of those below it.
    pub(super) fn inherited(&self, grant: &Grant) -> String {
        let mut parts: Vec<String> = grant.limits.iter().map(ToString::to_string).collect();
        parts.extend(grant.hours.iter().map(|h| format!("{h} only")));
        parts.extend(grant.cooldown_seconds.map(|s| format!("every {s} s")));
        for budget in self.budget_views(grant) {
            parts.push(format!("{} ({} left for all under it)", budget.budget, budget.left));
        }
        if !grant.ask.is_never() {
            parts.push(format!("asks: {}", grant.ask.texts().join(", ")));
        }
        parts.push(format!("until {}", rfc3339(grant.expires_unix_ms)));
        format!("grant {} of {}: {}", grant.id, grant.agent, parts.join("; "))
    }
}

pub(super) fn no_grant(id: GrantId) -> CallError {
    CallError::caller("no_grant", format!("there is no grant {id}"))
        .status(404)
        .next("symbolon grants")
}
