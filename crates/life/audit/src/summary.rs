//! What a Parquet file says of itself, beside its rows.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_log::Span;

use crate::ENTRIES_MAX;
use crate::same::Same;

/// The range of the log that a file holds, and what any reader can check it by. Everything here follows from
/// the rows ([`Segment::check`](crate::Segment::check)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Version of the format: 1.
    pub version: u32,
    /// Place of the first entry.
    pub first: u64,
    /// Place after the last.
    pub next: u64,
    /// Receipts: the first rows.
    pub receipts: u64,
    /// Other entries, but for intents whose receipt is in the file: the rows after them.
    pub others: u64,
    /// Time of the earliest and the latest receipt or intent, in Unix milliseconds.
    pub unix_ms: Option<(u64, u64)>,
    /// Intents before `first` whose receipt is in this file.
    pub closes: Vec<u64>,
    /// The entries' part of the log's tree ([`Span`]).
    pub span: Vec<Digest32>,
    /// Columns that say one thing of every receipt.
    #[serde(default, skip_serializing_if = "Same::is_empty")]
    pub same: Same,
}

/// The version that is written, and the only one that is read.
pub(crate) const VERSION: u32 = 1;
/// Name of the summary in the file's metadata.
pub(crate) const KEY: &str = "symbolon.audit";

impl Summary {
    /// The part of the log's tree. `None` where the numbers do not fit each other.
    pub fn tree(&self) -> Option<Span> {
        Span::from_parts(self.first, self.next, self.span.clone())
    }

    /// Whether a receipt or intent of this time can be in the file.
    pub fn may_hold(&self, since: Option<u64>, until: Option<u64>) -> bool {
        self.unix_ms.is_some_and(|(from, to)| {
            since.is_none_or(|since| to >= since) && until.is_none_or(|until| from < until)
        })
    }

    /// Whether the numbers can be true together.
    pub(crate) fn is_sound(&self) -> bool {
        let entries = self.next.checked_sub(self.first);
        self.version == VERSION
            && entries.is_some_and(|n| {
                (1..=ENTRIES_MAX).contains(&n)
                    && self.receipts.checked_add(self.others).is_some_and(|r| (1..=n).contains(&r))
            })
            && self.closes.iter().all(|intent| *intent < self.first)
            && self.tree().is_some()
    }

    /// Notes the time of one more entry.
    pub(crate) fn note(&mut self, unix_ms: Option<u64>) {
        if let Some(ms) = unix_ms {
            let (from, to) = self.unix_ms.unwrap_or((ms, ms));
            self.unix_ms = Some((from.min(ms), to.max(ms)));
        }
    }
}
