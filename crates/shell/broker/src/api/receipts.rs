//! The list of receipts.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;

/// One line of the list of receipts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReceiptRow {
    /// Its number in the log.
    pub number: u64,
    /// When it was completed, RFC 3339.
    pub time: String,
    /// Who.
    pub agent: String,
    /// Did what.
    pub tool: String,
    /// Through which connection.
    pub connection: String,
    /// `allowed`, `shadowed`, `refused`, `failed`, or `open` for an intent without a receipt.
    pub outcome: String,
    /// The upstream's status.
    pub status: Option<u16>,
    /// From its beginning to its end, in milliseconds; `None` for an intent without a receipt.
    pub took_ms: Option<u64>,
    /// The request's digest.
    pub request: Digest32,
}

/// Which receipts to list, newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptFilter {
    /// At most so many; 50 where absent, 1,000 at most.
    pub limit: Option<usize>,
    /// Only this agent's.
    pub agent: Option<String>,
    /// Only those whose tool begins so.
    pub tool: Option<String>,
    /// Only those numbered below.
    pub before: Option<u64>,
}
