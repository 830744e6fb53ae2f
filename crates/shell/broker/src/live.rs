//! What happens, as it happens: read from the log, which is where everything that happens is written first.
//!
//! Watching costs a call nothing, and who comes back goes on where they stopped: an event's number is its
//! place in the log.

use std::io::ErrorKind;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use symbolon_capability::Intent;
use symbolon_codec::Digest32;
use symbolon_codec::time::rfc3339;
use symbolon_log::Checkpoint;
use symbolon_receipt::{Outcome, Statement};

use crate::Broker;
use crate::api::CallError;
use crate::errors;

/// A call that began or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LiveEvent {
    /// The entry's place in the log. Of an end, the receipt's number.
    pub number: u64,
    /// `began`; or how it ended, as in [`crate::ReceiptRow::outcome`].
    pub what: String,
    /// The entry at which it began; absent where a gate refused before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<u64>,
    /// When, RFC 3339.
    pub time: String,
    /// Who.
    pub agent: String,
    /// Did what.
    pub tool: String,
    /// Through which connection.
    pub connection: String,
    /// The upstream's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Milliseconds from request to receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// The gate that refused, or the code of what failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What the log has after a place.
#[derive(Debug, Clone, Default)]
pub struct Since {
    /// Calls that began or ended, oldest first.
    pub events: Vec<LiveEvent>,
    /// Entries that were passed over because there were too many.
    pub skipped: u64,
    /// Where to go on.
    pub next: u64,
}

/// What the log promises now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogHead {
    /// The log's name.
    pub origin: String,
    /// The operator's key, as the text of `operator.pub`.
    pub vkey: String,
    /// The keys that the operator had, where there were several, as the text of `operator.succession`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succession: Option<String>,
    /// Entries that the checkpoint covers.
    pub size: u64,
    /// The tree's root.
    pub root: Digest32,
    /// The checkpoint: a signed note (C2SP `tlog-checkpoint`).
    pub checkpoint: String,
}

impl Broker {
    /// Entries in the log now.
    pub fn log_size(&self) -> u64 {
        self.log.size()
    }

    /// What came after the first `after` entries: of many, the latest.
    ///
    /// # Errors
    /// [`CallError`] where the log cannot be read.
    pub async fn since(&self, after: u64) -> Result<Since, CallError> {
        let log = self.log.clone();
        let work = move || {
            let next = log.size();
            let first = after.min(next).max(next.saturating_sub(AT_ONCE));
            let skipped = first.saturating_sub(after);
            let entries = read(&log, first..next)?;
            let events = entries.iter().filter_map(|(n, entry)| event(*n, entry)).collect();
            Ok(Since { events, skipped, next })
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// A checkpoint of everything so far, signed now.
    ///
    /// # Errors
    /// [`CallError`]: locked, or the log cannot be written.
    pub async fn log_head(&self) -> Result<LogHead, CallError> {
        self.opened()?;
        let (log, vkey, key) = (self.log.clone(), self.operator_vkey(), self.operator);
        let line = self.home.operator_succession();
        let work = move || {
            let succession = match std::fs::read_to_string(line) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                read => Some(read.map_err(errors::io)?),
            };
            let checkpoint = log.checkpoint().map_err(errors::log_read)?;
            let origin = log.log().origin().to_owned();
            let Checkpoint { size, root, .. } = Checkpoint::open(&checkpoint, &key, &origin)
                .map_err(|e| CallError::bug(e.to_string()))?;
            Ok(LogHead { origin, vkey, succession, size, root, checkpoint })
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))?
    }

    /// Changes whenever a question is asked, answered or has ended.
    pub fn asked(&self) -> tokio::sync::watch::Receiver<u64> {
        self.approvals.changed()
    }
}

fn read(
    log: &symbolon_store::LogService,
    range: Range<u64>,
) -> Result<Vec<(u64, Vec<u8>)>, CallError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    log.entries(range).map_err(errors::log_read)
}

fn event(number: u64, entry: &[u8]) -> Option<LiveEvent> {
    if Intent::is(entry) {
        let i = Intent::parse(entry).ok()?;
        return Some(LiveEvent {
            number,
            what: "began".to_owned(),
            began: Some(number),
            time: rfc3339(i.requested_unix_ms),
            agent: i.agent,
            tool: i.tool,
            connection: i.connection,
            status: None,
            took_ms: None,
            why: None,
        });
    }
    let p = Statement::parse(entry).ok()?.predicate;
    let refused_by = || p.decision.gates.iter().find(|gate| !gate.held).map(|g| g.gate.to_string());
    let (what, why) = match (p.decision.outcome, &p.error) {
        (Outcome::Refused, _) => ("refused", refused_by()),
        (_, Some(error)) => ("failed", Some(error.to_string())),
        (Outcome::Allowed, None) => ("allowed", None),
        (Outcome::Shadowed, None) => ("shadowed", refused_by()),
    };
    let (began, completed) = (p.times.requested.unix_ms(), p.times.completed.unix_ms());
    Some(LiveEvent {
        number,
        what: what.to_owned(),
        began: p.intent.map(|intent| intent.index),
        time: rfc3339(completed),
        agent: p.agent.into_owned(),
        tool: p.tool.into_owned(),
        connection: p.connection.into_owned(),
        status: p.response.map(|response| response.status),
        took_ms: Some(completed.saturating_sub(began)),
        why,
    })
}

/// Entries that one look reads at most.
const AT_ONCE: u64 = 256;
