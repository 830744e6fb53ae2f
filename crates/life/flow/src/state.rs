//! Names and states of runs and steps.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use symbolon_codec::time::rfc3339;
use symbolon_crypto::{labels, sha256_parts};

/// The name of a run: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub [u8; 16]);

impl RunId {
    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let plain =
            digits.len() == 32 && digits.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number = plain.then(|| u128::from_str_radix(text, 16).ok())??;
        Some(Self(number.to_be_bytes()))
    }

    /// A UUID (RFC 9562, version 4) that is always the same for the same purpose, step and run, and
    /// that nobody can guess who does not know the run.
    #[must_use]
    pub fn derive_uuid(&self, purpose: &str, step: &str) -> String {
        let label = labels::FLOW_UUID.as_str().as_bytes();
        let digest =
            sha256_parts(&[label, b"\0", purpose.as_bytes(), b"\0", step.as_bytes(), &self.0]);
        let mut bytes: [u8; 16] = std::array::from_fn(|at| digest.0[at]);
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Its call is on its way.
    Running,
    /// A person is asked whether it may run.
    Waiting,
    /// It failed, and is tried again after a pause.
    Paused,
    /// It happened.
    Done,
    /// Its condition did not hold, or what it needs did not happen.
    Skipped,
    /// It failed.
    Failed,
    /// It was ended before its answer came, and has changed nothing.
    Cancelled,
    /// Nobody knows whether it happened.
    Uncertain,
    /// It happened, and its undoing is on its way.
    Undoing,
    /// It happened, and was undone.
    Undone,
    /// It happened, and could not be undone.
    UndoFailed,
}

impl StepState {
    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    const ALL: [Self; 12] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Done,
        Self::Skipped,
        Self::Failed,
        Self::Cancelled,
        Self::Uncertain,
        Self::Undoing,
        Self::Undone,
        Self::UndoFailed,
    ];

    /// The word that people and programs see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Uncertain => "uncertain",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::UndoFailed => "undo_failed",
        }
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step that came into another state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the flow.
    pub step: usize,
    /// The state it is in now.
    pub state: StepState,
    /// Which attempt, from 1; 0 where there was none.
    pub attempt: u32,
    /// Why, where there is something to say.
    pub why: Option<String>,
}

/// What templates and conditions can reach, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The run's inputs.
    pub inputs: &'a Map<String, Value>,
    /// Outputs by step; `None` where there is none.
    pub outputs: &'a [Option<Value>],
    /// When the run began, in Unix milliseconds: the same for each attempt and after a crash.
    pub started_unix_ms: u64,
    /// The run.
    pub run: RunId,
    /// The step whose template it is; `None` for the output of the flow.
    pub step: Option<&'a str>,
}

impl Scope<'_> {
    pub(crate) fn now(&self) -> Value {
        Value::String(rfc3339(self.started_unix_ms))
    }

    pub(crate) fn id(&self) -> Value {
        Value::String(self.run.derive_uuid("id", self.step.unwrap_or_default()))
    }
}
