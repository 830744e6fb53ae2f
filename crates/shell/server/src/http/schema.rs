//! The API's words for OpenAPI. The broker's types are written out here, since the broker has no business
//! with OpenAPI; a test holds each to its twin.

use serde::Serialize;
use utoipa::ToSchema;

mod approvals;
mod flows;
mod page;

pub(super) use approvals::*;
pub(super) use flows::*;
pub(super) use page::*;

/// The broker as an agent may see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgentStatus {
    /// Whose key this is.
    pub agent: String,
    /// Whether the vault is open.
    pub unlocked: bool,
    /// The program's version.
    pub version: String,
    /// `group` or `relaxed`.
    pub durability: String,
    /// Where secrets live, in a phrase.
    pub memory: String,
    /// Entries in the log.
    pub log_entries: u64,
    /// Milliseconds since the broker started.
    pub uptime_ms: u64,
    /// How many tools this agent may call now.
    pub granted_tools: usize,
}

/// RFC 9728.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResourceMetadata {
    /// The resource.
    pub resource: String,
    /// None: keys are made by the owner.
    pub authorization_servers: Vec<String>,
    /// `header`.
    pub bearer_methods_supported: Vec<String>,
    /// A name to show.
    pub resource_name: String,
}

/// What a caller wants done.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct CallRequest {
    /// The tool, such as `github.issues.list`.
    tool: String,
    /// Its parameters, checked against the tool's schema.
    #[schema(value_type = Option<Object>)]
    arguments: Option<()>,
    /// Which connection of the service, where the agent was granted several.
    connection: Option<String>,
    /// The placeholder of a minted credential, to be sent in place of the connection's.
    minted: Option<String>,
}

/// What the upstream answered, redacted.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct CallReply {
    /// The upstream's HTTP status.
    status: u16,
    /// Pairs of name and value, redacted.
    #[schema(value_type = Vec<Vec<String>>)]
    headers: (),
    /// JSON as it is, text as a string, other bytes as base64.
    #[schema(value_type = serde_json::Value)]
    body: (),
    /// `json`, `text`, `base64`, `tool_result` (of a mounted MCP server) or `none`.
    encoding: String,
    /// How often the credential was found in the response and taken out.
    redactions: u32,
    /// The receipt's number.
    receipt: u64,
    /// Milliseconds from request to receipt.
    duration_ms: u64,
}

/// A single-use right to one exact request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct TokenReply {
    /// Opaque; it means nothing outside this agent's session.
    token: String,
    /// Seconds until it is worthless.
    expires_in_seconds: u64,
    /// One sentence that says what redeeming it will do.
    will: String,
}

/// A token to redeem.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Redeem {
    /// The token, as it was given.
    token: String,
}

/// An error in a pair: what went wrong, and what to do next.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct CallError {
    /// A stable word for programs, such as `no_grant`.
    code: String,
    /// What went wrong, in a sentence.
    message: String,
    /// The next step: an exact command where there is one.
    next: Option<String>,
    /// `caller`, `peer`, `environment` or `us`.
    fault: String,
    /// The HTTP status.
    http_status: u16,
    /// The receipt, where one was written.
    receipt: Option<u64>,
    /// Seconds to wait before the same call can succeed.
    retry_after_seconds: Option<u64>,
}

/// A tool.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Tool {
    /// Full name, at most 64 characters.
    name: String,
    /// A few words.
    title: String,
    /// A sentence or two.
    description: String,
    /// The scope that must be granted.
    scope: String,
    /// `read`, `write` or `destructive`.
    effect: String,
    /// Whether this agent may call it now.
    granted: bool,
    /// Its parameters in a line: `owner: string, repo: string, labels?: array`.
    usage: String,
    /// JSON Schema of the parameters.
    #[schema(value_type = Option<Object>)]
    input_schema: Option<()>,
    /// JSON Schema of the result.
    #[schema(value_type = Option<Object>)]
    output_schema: Option<()>,
}

/// Tools.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Tools {
    /// The tools.
    tools: Vec<Tool>,
}

/// One line of the list of receipts.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct ReceiptRow {
    /// Its number in the log.
    number: u64,
    /// When it was completed, RFC 3339.
    time: String,
    /// Who.
    agent: String,
    /// Did what.
    tool: String,
    /// Through which connection.
    connection: String,
    /// `allowed`, `refused`, `failed` or `open`.
    outcome: String,
    /// The upstream's status.
    status: Option<u16>,
    /// From its beginning to its end, in milliseconds; none for an intent without a receipt.
    took_ms: Option<u64>,
    /// The request's digest, in hex.
    request: String,
}

/// Receipts, newest first.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Receipts {
    /// The receipts.
    receipts: Vec<ReceiptRow>,
}

/// A connection as anyone may see it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Connection {
    /// Its name.
    name: String,
    /// The service.
    service: String,
    /// Where it leads.
    base_url: String,
    /// The auth scheme, such as `bearer`.
    auth: String,
    /// The most that grants on it can give.
    scopes: Vec<String>,
    /// When it was made, RFC 3339.
    created: String,
    /// Bound to this machine's fingerprint, and how strong that is.
    bound_to: String,
    /// It is of the owner's vault, and here while that is lent.
    lent: Option<bool>,
    /// Why its tokens are not renewed any more, in the provider's word.
    ended: Option<String>,
    /// The status of the check call, where one was made.
    verified: Option<u16>,
}

/// Connections.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Connections {
    /// The connections.
    connections: Vec<Connection>,
}

/// A grant.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Grant {
    /// Its number.
    id: u64,
    /// To whom.
    agent: String,
    /// On which connection.
    connection: String,
    /// The scopes it gives.
    scopes: Vec<String>,
    /// Its parameter limits.
    limits: Vec<String>,
    /// Which calls wait for a person.
    ask: Vec<String>,
    /// Who may answer: `owner`, or `client` too.
    ask_via: String,
    /// What it may use up, and what is left.
    budgets: Vec<Budget>,
    /// Seconds between two calls of a scope.
    cooldown_seconds: Option<u64>,
    /// When it is good; always where there are none.
    hours: Vec<String>,
    /// When it was made, RFC 3339.
    created: String,
    /// When it ends, RFC 3339.
    expires: String,
    /// `active`, `expired` or `revoked`.
    state: String,
    /// One sentence.
    sentence: String,
    /// The grants that it is part of, the root first; empty where it stands alone.
    above: Vec<u64>,
    /// What those say beside its own terms.
    inherited: Vec<String>,
    /// How many levels of grants its agent may make under it.
    delegable: u8,
    /// Made by the agent of the grant above it.
    by_agent: bool,
}

/// What is handed on.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct NewDelegation {
    /// The sub-agent's name within the agent's own: `tests` for `claude.tests`.
    to: String,
    /// Scope patterns, all of them within one grant of the agent's.
    scopes: Vec<String>,
    /// How long, such as `15m`; as long as the grant that it comes of where absent, never longer.
    #[schema(rename = "for")]
    lasts: Option<String>,
    /// The grant that it comes of; the first that has all of it where absent.
    under: Option<u64>,
    /// Parameter limits, beside those that hold already.
    limits: Option<Vec<String>>,
    /// Rules of asking the owner, beside those that hold already.
    ask: Option<Vec<String>>,
    /// What it may use up at most of what there is.
    budgets: Option<Vec<String>>,
    /// Seconds between two calls of a scope.
    cooldown_seconds: Option<u64>,
    /// Time windows.
    hours: Option<Vec<String>>,
    /// How many levels may come under it; 0 where absent.
    depth: Option<u8>,
    /// Make a key also where the sub-agent has one; that one ends.
    new_key: Option<bool>,
}

/// What was handed on.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Delegated {
    /// The sub-agent.
    agent: String,
    /// Its grant.
    grant: Grant,
    /// Its bearer key, shown once; absent where it has one.
    key: Option<String>,
}

/// A budget and what was spent of it. Amounts are decimals in text, never floats.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Budget {
    /// As its owner wrote it.
    budget: String,
    /// What is counted: `calls`, `usd`.
    unit: String,
    /// What counts as spent now, calls on their way included.
    spent: String,
    /// What is left now.
    left: String,
    /// When some of what is spent counts no longer, RFC 3339.
    renews: Option<String>,
}

/// Grants.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(super) struct Grants {
    /// The grants.
    grants: Vec<Grant>,
}
