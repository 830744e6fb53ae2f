//! The words of approvals for OpenAPI.

use utoipa::ToSchema;

/// A call, and how it waits where a person is asked.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct AskingCallRequest {
    /// The tool, such as `github.issues.list`.
    tool: String,
    /// Its parameters, checked against the tool's schema.
    #[schema(value_type = Option<Object>)]
    arguments: Option<()>,
    /// Which connection of the service, where the agent was granted several.
    connection: Option<String>,
    /// The placeholder of a minted credential, to be sent in place of the connection's.
    minted: Option<String>,
    /// Answer 202 where a person is asked; without it the call waits on the line.
    asking: Option<Poll>,
}

/// How a caller comes again.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Poll {
    /// The state of the answer 202 before.
    state: Option<String>,
    /// Seconds to stay on the line, 100 at most; 0 where absent.
    wait_seconds: Option<u64>,
}

/// A call that waits for the owner.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct PendingCall {
    /// `approval_pending`.
    code: String,
    /// The question's number.
    approval: u64,
    /// Sealed; send the same call again with it.
    state: String,
    /// What is asked.
    message: String,
    /// What a person does, and then the caller.
    next: String,
    /// Seconds until the question ends.
    expires_in_seconds: u64,
}

/// A question, with what it is about.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Approval {
    /// Its number.
    number: u64,
    /// Who asked.
    agent: String,
    /// Through which door.
    door: String,
    /// What.
    tool: String,
    /// `read`, `write` or `destructive`.
    effect: String,
    /// Of which service.
    service: String,
    /// With which credential.
    connection: String,
    /// The grant that lets it.
    grant: u64,
    /// The grant's rule that wants a person asked.
    rule: String,
    /// `owner`, or `client` too.
    answers: String,
    /// What would be done, in one sentence.
    sentence: String,
    /// `pending`, `approved`, `used`, `denied`, `expired`, `withdrawn`, `locked` or `stopped`.
    state: String,
    /// When it was asked, RFC 3339.
    asked: String,
    /// When it ends, RFC 3339.
    expires: String,
    /// Seconds until then.
    expires_in_seconds: u64,
    /// The exact request, while it waits.
    request: Option<ExactRequest>,
    /// `owner` or `client`.
    decided_by: Option<String>,
    /// `cli`, `http` or `mcp`.
    decided_via: Option<String>,
    /// When, RFC 3339.
    decided: Option<String>,
    /// The receipt, where it ended without a call.
    receipt: Option<u64>,
}

/// Byte for byte what will be sent, but for the credential.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct ExactRequest {
    /// The method.
    method: String,
    /// Where to.
    url: String,
    /// Headers that are set.
    #[schema(value_type = Vec<Vec<String>>)]
    headers: (),
    /// How the credential goes out.
    credential: String,
    /// The body.
    body: Option<String>,
    /// `none`, `text` or `base64`.
    body_encoding: String,
    /// All of its bytes.
    body_bytes: u64,
    /// Only its beginning stands here.
    body_cut: Option<bool>,
    /// SHA-256 of the whole body.
    body_sha256: String,
    /// What the approval is bound to.
    digest: String,
}

/// All questions.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Approvals {
    /// Those that wait.
    pending: Vec<Approval>,
    /// Approvals that stand for a while.
    remembered: Vec<Remembered>,
    /// The last that ended.
    ended: Vec<Approval>,
}

/// An agent's own.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct OwnApprovals {
    /// Those that wait.
    approvals: Vec<Approval>,
}

/// An approval that stands for a while.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Remembered {
    /// The approval that it came of.
    number: u64,
    /// In which grant.
    grant: u64,
    /// For which operation.
    tool: String,
    /// Which rule does not ask meanwhile.
    rule: String,
    /// `shape` or `any`.
    covers: String,
    /// Seconds that are left.
    left_seconds: u64,
}

/// A yes, and for how long.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Yes {
    /// Seconds for which the same rule does not ask again for the same operation and shape of arguments.
    remember_seconds: Option<u64>,
    /// Whatever the arguments.
    any_arguments: Option<bool>,
}

/// A no.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct No {
    /// Told to the agent; 256 bytes at most.
    reason: Option<String>,
}
