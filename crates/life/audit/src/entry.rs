//! An entry of the log, as the audit sees it.

use std::borrow::Cow;

use symbolon_capability::Intent;
use symbolon_codec::{Digest32, FieldsReader};
use symbolon_crypto::labels;
use symbolon_log::leaf_hash;
use symbolon_receipt::{Outcome, Statement, Time};

/// One entry with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Place in the log.
    pub index: u64,
    /// What stands there.
    pub entry: Entry,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A receipt whose statement gives the entry's bytes back.
    Receipt(Box<Statement<'static>>),
    /// Anything else, byte for byte.
    Raw(Vec<u8>),
}

/// One word for what came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// Every gate held, and the service answered.
    Allowed,
    /// A gate did not hold.
    Refused,
    /// Let through, and nothing usable came back.
    Failed,
    /// Let through in shadow mode, and answered.
    Shadowed,
    /// An intent without a receipt: the credential may have been used.
    Open,
}

impl Word {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Allowed, Self::Refused, Self::Failed, Self::Shadowed, Self::Open];

    /// Of a receipt with this decision, and an error or none.
    pub fn of(decision: Outcome, has_error: bool) -> Self {
        match (decision, has_error) {
            (Outcome::Refused, _) => Self::Refused,
            (Outcome::Allowed | Outcome::Shadowed, true) => Self::Failed,
            (Outcome::Allowed, false) => Self::Allowed,
            (Outcome::Shadowed, false) => Self::Shadowed,
        }
    }

    /// As text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Shadowed => "shadowed",
            Self::Open => "open",
        }
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.as_str() == text)
    }
}

impl Entry {
    /// Reads an entry's bytes.
    pub fn read(bytes: &[u8]) -> Self {
        match Statement::parse(bytes) {
            Ok(statement) if written(&statement) == bytes => Self::Receipt(Box::new(statement)),
            _ => Self::Raw(bytes.to_vec()),
        }
    }

    /// The entry's bytes, as the log has them.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Receipt(statement) => Cow::Owned(written(statement)),
            Self::Raw(bytes) => Cow::Borrowed(bytes),
        }
    }

    /// Hash of the entry (RFC 6962, section 2.1).
    pub fn leaf_hash(&self) -> Digest32 {
        leaf_hash(&self.bytes())
    }

    /// The statement, where it is a receipt.
    pub fn receipt(&self) -> Option<&Statement<'static>> {
        match self {
            Self::Receipt(statement) => Some(statement),
            Self::Raw(_) => None,
        }
    }

    /// The intent, where it is one.
    pub fn intent(&self) -> Option<Intent> {
        match self {
            Self::Receipt(_) => None,
            Self::Raw(bytes) => Intent::parse(bytes).ok(),
        }
    }

    /// What kind of entry it is.
    pub fn kind(&self) -> &'static str {
        let is = |label: &'static str, bytes| FieldsReader::new(label, bytes).is_ok();
        match self {
            Self::Receipt(_) => "receipt",
            Self::Raw(bytes) if Intent::is(bytes) => "intent",
            Self::Raw(bytes) if is(labels::ASK.as_str(), bytes) => "question",
            Self::Raw(bytes) if is(labels::APPROVAL.as_str(), bytes) => "answer",
            Self::Raw(_) => "other",
        }
    }

    /// When it happened, in Unix milliseconds: a receipt's call was over, an intent's begun.
    pub fn unix_ms(&self) -> Option<u64> {
        match self {
            Self::Receipt(statement) => Some(statement.predicate.times.completed.unix_ms()),
            // As a statement has it: a number that is no date is the last one.
            Self::Raw(_) => {
                self.intent().map(|i| Time::from_unix_ms(i.requested_unix_ms).unix_ms())
            }
        }
    }
}

/// Empty where the statement cannot be written, which no entry of a log is.
fn written(statement: &Statement<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(1536);
    let _ = statement.write(&mut out);
    out
}
