//! The log as a list of receipts.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;

use symbolon_capability::Intent;
use symbolon_codec::time::rfc3339;
use symbolon_receipt::{Outcome, Statement};

use super::no_receipt;
use crate::Broker;
use crate::api::*;
use crate::errors;

impl Broker {
    /// The newest receipts, and intents that none completed.
    ///
    /// # Errors
    /// [`CallError`] where the log cannot be read.
    pub async fn receipts(&self, filter: ReceiptFilter) -> Result<Vec<ReceiptRow>, CallError> {
        let limit = filter.limit.unwrap_or(50).clamp(1, 1000);
        let log = self.log.clone();
        let work = move || {
            let (mut rows, mut done, mut read) = (Vec::new(), HashSet::new(), 0);
            // Newest first, so that a receipt is met before the intent it completes; for the same
            // reason reading begins some way above what is shown.
            let above = filter.before.map(|b| b.saturating_add(ABOVE));
            let mut before = above.filter(|b| *b < log.size());
            'blocks: while read < READ_MAX {
                let block = log.tail(before, BLOCK).map_err(errors::log_read)?;
                let Some((first, _)) = block.last() else { break };
                before = Some(*first);
                read += block.len() as u64;
                for (number, entry) in block {
                    let Some(row) = row(number, &entry, &mut done) else { continue };
                    let shown = filter.before.is_none_or(|b| number < b)
                        && filter.agent.as_ref().is_none_or(|a| *a == row.agent)
                        && filter.tool.as_ref().is_none_or(|t| row.tool.starts_with(t));
                    if shown {
                        rows.push(row);
                    }
                    if rows.len() == limit {
                        break 'blocks;
                    }
                }
                if before == Some(0) {
                    break;
                }
            }
            Ok(rows)
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// One entry as a line of the list, without a look at any other: an intent shows as open here.
    ///
    /// # Errors
    /// [`CallError`] where there is no such entry.
    pub async fn receipt_row(&self, number: u64) -> Result<ReceiptRow, CallError> {
        let log = self.log.clone();
        let work = move || {
            let missing = || no_receipt(number);
            if number >= log.size() {
                return Err(missing());
            }
            let entry = log.entry(number).map_err(errors::log_read)?;
            row(number, &entry, &mut HashSet::new()).ok_or_else(missing)
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// Counts intents at the log's end that no receipt completed: what a crash left.
    pub(crate) fn find_open_intents(&self) -> Result<(), CallError> {
        let (mut done, mut before, mut read, mut open) = (HashSet::new(), None, 0, 0);
        while read < LOOK_BACK && before != Some(0) {
            let block = self.log.tail(before, BLOCK).map_err(errors::log_read)?;
            let Some((first, _)) = block.last() else { break };
            before = Some(*first);
            read += block.len() as u64;
            let rows = block.iter().filter_map(|(n, e)| row(*n, e, &mut done));
            open += rows.filter(|r| r.outcome == "open").count() as u64;
        }
        self.open_intents.store(open, Relaxed);
        Ok(())
    }
}

/// A log entry as a line of the list. `done` collects intents whose receipt was met; entries come
/// newest first.
fn row(number: u64, entry: &[u8], done: &mut HashSet<u64>) -> Option<ReceiptRow> {
    if Intent::is(entry) {
        if done.remove(&number) {
            return None;
        }
        let i = Intent::parse(entry).ok()?;
        return Some(ReceiptRow {
            number,
            time: rfc3339(i.requested_unix_ms),
            agent: i.agent,
            tool: i.tool,
            connection: i.connection,
            outcome: "open".to_owned(),
            status: None,
            took_ms: None,
            request: i.request,
        });
    }
    let statement = Statement::parse(entry).ok()?;
    let p = statement.predicate;
    done.extend(p.intent.map(|i| i.index));
    let outcome = match (p.decision.outcome, &p.error) {
        (Outcome::Refused, _) => "refused",
        (Outcome::Allowed | Outcome::Shadowed, Some(_)) => "failed",
        (Outcome::Allowed, None) => "allowed",
        (Outcome::Shadowed, None) => "shadowed",
    };
    let completed = p.times.completed.unix_ms();
    Some(ReceiptRow {
        number,
        time: rfc3339(completed),
        agent: p.agent.into_owned(),
        tool: p.tool.into_owned(),
        connection: p.connection.into_owned(),
        outcome: outcome.to_owned(),
        status: p.response.map(|r| r.status),
        took_ms: Some(completed.saturating_sub(p.times.requested.unix_ms())),
        request: statement.request,
    })
}

/// Entries that are read at once.
const BLOCK: u64 = 256;
/// Entries that one listing reads at most: an agent without receipts must not scan the whole log.
/// The last line's number goes on from there (`before`).
const READ_MAX: u64 = 50_000;
/// How far above `before` a receipt may stand whose intent is below it.
const ABOVE: u64 = 5_000;
/// How far back a start looks for intents without a receipt.
const LOOK_BACK: u64 = 20_000;
