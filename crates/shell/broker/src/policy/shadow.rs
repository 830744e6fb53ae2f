//! Shadow mode: nothing within a connection is refused, and what would have been is written down.

use std::collections::BTreeMap;

use symbolon_capability::budget::{Shadowed, SpendingStore};
use symbolon_capability::{Opening, Refusal, SpendingChange};
use symbolon_codec::time::rfc3339;

use crate::Broker;
use crate::api::*;
use crate::errors;

impl Broker {
    /// Turns shadow mode on, until the broker ends, or for good with `keep`; or off.
    ///
    /// # Errors
    /// [`CallError`]: locked, or of the disk. Off is off at once, also where the disk does not
    /// take it.
    pub async fn set_shadow(&self, on: bool, keep: bool) -> Result<ShadowView, CallError> {
        let _one = self.changes.lock().await;
        if !on {
            self.engine.set_shadow(false);
        }
        self.opened()?;
        self.store.keep_shadow(on && keep).await?;
        if on {
            self.engine.set_shadow(true);
            tracing::warn!("shadow mode is on: grants, limits and budgets refuse nothing");
        }
        self.shadow().await
    }

    /// Whether shadow mode is on, and what it let through.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn shadow(&self) -> Result<ShadowView, CallError> {
        let rows = self.store.shadowed().await?;
        Ok(ShadowView {
            on: self.engine.is_shadow(),
            kept: self.store.shadow_is_kept().await?,
            passed_over: rows.iter().map(|r| r.count).sum(),
            missing: missing(&rows),
            rows: rows.into_iter().map(view).collect(),
        })
    }

    /// Forgets what shadow mode let through.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn clear_shadowed(&self) -> Result<(), CallError> {
        Ok(self.store.clear_shadowed().await?)
    }

    /// Shadow mode that was turned on for good comes back with the broker.
    pub(crate) async fn restore_shadow(&self) -> Result<(), CallError> {
        if self.store.shadow_is_kept().await? {
            self.engine.set_shadow(true);
            tracing::warn!(
                "shadow mode is on, kept from before: symbolon policy shadow off ends it"
            );
        }
        Ok(())
    }
}

/// What a call that shadow mode lets through leaves in the list.
pub(super) fn rows(opening: &Opening, unix_ms: u64) -> Vec<SpendingChange> {
    let lease = opening.lease();
    let one = |refusal: &Refusal| {
        SpendingChange::Shadow(Box::new(Shadowed {
            agent: lease.agent().to_owned(),
            connection: lease.registration.connection.name.to_string(),
            tool: lease.operation.name().to_string(),
            scope: lease.operation.scope().to_string(),
            gate: refusal.rule().to_owned(),
            code: refusal.code().to_owned(),
            message: refusal.to_string(),
            count: 1,
            first_unix_ms: unix_ms,
            last_unix_ms: unix_ms,
        }))
    };
    opening.missed().iter().map(one).collect()
}

fn view(row: Shadowed) -> ShadowRow {
    ShadowRow {
        agent: row.agent,
        connection: row.connection,
        tool: row.tool,
        scope: row.scope,
        gate: row.gate,
        code: row.code,
        message: row.message,
        count: row.count,
        first: rfc3339(row.first_unix_ms),
        last: rfc3339(row.last_unix_ms),
    }
}

/// The grants that would have let them through: one command for each agent and connection.
fn missing(rows: &[Shadowed]) -> Vec<String> {
    let mut scopes: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|r| matches!(&*r.code, "no_grant" | "grant_ended")) {
        let of = scopes.entry((&row.agent, &row.connection)).or_default();
        of.push(&row.scope);
        of.sort_unstable();
        of.dedup();
    }
    let command = |((agent, connection), scopes): ((&str, &str), Vec<&str>)| {
        errors::grant_command(agent, &scopes.join(" "), connection)
    };
    scopes.into_iter().map(command).collect()
}
