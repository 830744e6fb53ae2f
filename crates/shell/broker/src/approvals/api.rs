//! What doors say and hear of approvals.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;

use crate::api::{CallError, CallRequest};

/// How long people are waited for.
#[derive(Debug, Clone, Copy)]
pub struct ApprovalOptions {
    /// A caller that stays on the line waits so long.
    pub wait_seconds: u64,
    /// A question lives so long where the caller goes and comes again with its state.
    pub lives_seconds: u64,
}

impl Default for ApprovalOptions {
    fn default() -> Self {
        Self { wait_seconds: 120, lives_seconds: 600 }
    }
}

/// What a caller brings that can come again for its answer.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// The state that [`PendingCall`] gave it.
    pub state: Option<String>,
    /// The caller waits on the line: the question lives no longer than that.
    pub stays: bool,
    /// What the person at the caller's client said. Heard only where the grant lets them answer.
    pub client: Option<bool>,
}

/// A call that was made, or waits for a person.
#[derive(Debug)]
pub enum Called<T> {
    /// It was made.
    Done(T),
    /// A person is asked. The same request, sent again with the state, runs once they said yes.
    Asked(Box<PendingCall>),
}

/// A call that waits for a person.
#[derive(Debug)]
pub struct PendingCall {
    /// The question's number: `symbolon approve N`.
    pub number: u64,
    /// Sealed; good in this session, for this request, until the question ends.
    pub state: String,
    /// What is asked.
    pub sentence: String,
    /// Seconds until the question ends.
    pub expires_in_seconds: u64,
    /// What a person can do.
    pub next: String,
    /// Whether the person at the client may answer.
    pub client_answers: bool,
    /// The request, given back.
    pub request: CallRequest,
}

/// A question, with what it is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApprovalView {
    /// Its number, by which it is approved, denied and named in receipts.
    pub number: u64,
    /// Who asked.
    pub agent: String,
    /// Through which door.
    pub door: String,
    /// What.
    pub tool: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// Of which service.
    pub service: String,
    /// With which credential.
    pub connection: String,
    /// The grant that lets it.
    pub grant: u64,
    /// The grant's rule that wants a person asked.
    pub rule: String,
    /// Who may answer: `owner`, or `client` too.
    pub answers: String,
    /// What would be done, in one sentence. Safe to print.
    pub sentence: String,
    /// `pending`, `approved`, `used`, `denied`, `expired`, `withdrawn`, `locked` or `stopped`.
    pub state: String,
    /// When it was asked, RFC 3339.
    pub asked: String,
    /// When it ends, RFC 3339.
    pub expires: String,
    /// Seconds until then.
    pub expires_in_seconds: u64,
    /// The exact request. Absent once the question has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ExactRequest>,
    /// Who answered: `owner` or `client`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Which way: `cli`, `http` or `mcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_via: Option<String>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<String>,
    /// The receipt, where the question ended without a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
}

/// Byte for byte what will be sent, but for the credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExactRequest {
    /// The method.
    pub method: String,
    /// Where to, with path and query.
    pub url: String,
    /// Headers that are set, names in lower case.
    pub headers: Vec<(String, String)>,
    /// How the credential goes out, such as `bearer`; never the credential.
    pub credential: String,
    /// The body as text, or as base64; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// `none`, `text` or `base64`.
    pub body_encoding: String,
    /// All of its bytes.
    pub body_bytes: u64,
    /// Only its beginning stands in `body`: ask for the one question to see all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body_cut: bool,
    /// SHA-256 of the whole body.
    pub body_sha256: Digest32,
    /// The request's digest, which the approval is bound to.
    pub digest: Digest32,
}

/// An approval that stands for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RememberedView {
    /// The approval that it came of.
    pub number: u64,
    /// In which grant.
    pub grant: u64,
    /// For which operation.
    pub tool: String,
    /// Which rule does not ask meanwhile.
    pub rule: String,
    /// `shape` or `any`.
    pub covers: String,
    /// Seconds that are left.
    pub left_seconds: u64,
}

/// All questions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApprovalsView {
    /// Those that wait, oldest first.
    pub pending: Vec<ApprovalView>,
    /// Approvals that stand for a while.
    pub remembered: Vec<RememberedView>,
    /// The last that ended, newest first.
    pub ended: Vec<ApprovalView>,
}

/// A yes, and for how long.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Yes {
    /// Seconds for which the same rule does not ask again, for the same operation and the same
    /// shape of arguments.
    pub remember_seconds: Option<u64>,
    /// Whatever the arguments.
    pub any_arguments: bool,
}

/// An owner's token, as anyone may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OwnerTokenView {
    /// Its number.
    pub id: u64,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The first characters of its hash.
    pub key_id: String,
}

impl PendingCall {
    /// The same as an error, for callers that cannot come again.
    pub fn to_error(&self) -> CallError {
        CallError::caller("approval_pending", format!("waits for approval {}", self.number))
            .status(202)
            .next(self.next.clone())
    }
}
