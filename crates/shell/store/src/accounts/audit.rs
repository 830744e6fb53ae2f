//! Events, each chained to the one before.

use symbolon_account::{Account, AccountError, AccountId, AuditEvent, Event};

use super::db::Db;
use super::engine::Engine;
use super::value::{bytes, int};

/// Writes an event down, within a transaction; the account's row is held until that ends, so that
/// every change of an account stands in one order.
pub(super) async fn note(
    db: &mut Db,
    id: AccountId,
    event: &Event,
) -> Result<Account, AccountError> {
    event.check()?;
    let found = db.one_locked::<Account>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    let mut account = found.ok_or(AccountError::Missing("the account"))?;
    let number = account.events + 1;
    let event = AuditEvent { account: id, number, prev: account.events_head, event: event.clone() };
    db.insert(&event, "an event").await?;
    (account.events, account.events_head) = (number, event.digest());
    db.update(&account).await?;
    Ok(account)
}

pub(super) async fn append(
    engine: &Engine,
    account: AccountId,
    event: &Event,
) -> Result<(), AccountError> {
    let event = event.clone();
    engine.write(move |db| Box::pin(async move { note(db, account, &event).await.map(drop) })).await
}

pub(super) async fn events(
    engine: &Engine,
    id: AccountId,
    after: u64,
    limit: usize,
) -> Result<Vec<AuditEvent>, AccountError> {
    let mut db = engine.snapshot().await?;
    let found = db.one::<Account>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    let account = found.ok_or(AccountError::Missing("the account"))?;
    let events = chained(&mut db, &account, after, limit.clamp(1, EVENTS_PAGE_MAX)).await?;
    db.commit().await?;
    Ok(events)
}

/// Events after a number. A chain with a link missing or changed, or cut at its end, is damaged.
pub(super) async fn chained(
    db: &mut Db,
    account: &Account,
    after: u64,
    limit: usize,
) -> Result<Vec<AuditEvent>, AccountError> {
    // The event before is read with them: its digest is what the first of them names.
    let from = after.saturating_sub(1);
    let count = limit as u64 + (after - from);
    let tail = "WHERE account = $1 AND number > $2 ORDER BY number LIMIT $3";
    let args = vec![bytes(account.id.as_bytes()), int(from)?, int(count)?];
    let events = db.find::<AuditEvent>(tail, args).await?;
    let broken = || AccountError::Damaged("a chain of events has a gap".into());
    let expected = account.events.saturating_sub(from).min(count);
    if events.len() as u64 != expected {
        return Err(broken());
    }
    let mut prev = None;
    for (event, number) in events.iter().zip(from + 1..) {
        let first = number == 1 && event.prev.0 != [0; 32];
        if event.number != number || first || prev.is_some_and(|prev| prev != event.prev) {
            return Err(broken());
        }
        prev = Some(event.digest());
        if number == account.events && prev != Some(account.events_head) {
            return Err(broken());
        }
    }
    Ok(events.into_iter().filter(|event| event.number > after).collect())
}

/// Events of the largest page.
pub(super) const EVENTS_PAGE_MAX: usize = 500;
