//! What goes in and comes out of the broker, the same for every door. Nothing here can hold a secret.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use symbolon_codec::Digest32;

pub use crate::approvals::{
    ApprovalOptions, ApprovalView, ApprovalsView, Asking, Called, ExactRequest, OwnerTokenView,
    PendingCall, RememberedView, Yes, visible,
};
pub use crate::flow::{
    FlowCheck, FlowDecision, FlowDelivered, FlowEvent, FlowProgress, FlowRequest, FlowRunRow,
    FlowRunView, FlowStepView, FlowStored, HookSigned,
};
pub use crate::oauth::{NewOAuth, OAuthProgress, OAuthStep};
pub use symbolon_capability::approval::Via;
pub use symbolon_capability::{Context, Door, Session};

/// What a caller wants done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRequest {
    /// The tool, such as `github.issues.list`.
    pub tool: String,
    /// Its parameters, checked against the tool's schema.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which connection of the service, where the agent was granted several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The placeholder of a minted credential, to be sent in place of the connection's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minted: Option<String>,
}

/// What the upstream answered, redacted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CallReply {
    /// The upstream's HTTP status.
    pub status: u16,
    /// Response headers that help a caller, redacted.
    pub headers: Vec<(String, String)>,
    /// The body: JSON as it is, text as a string, other bytes as base64 (see `encoding`).
    pub body: Value,
    /// How `body` stands for the bytes.
    pub encoding: BodyEncoding,
    /// How often the credential was found in the response and taken out.
    pub redactions: u32,
    /// The receipt's number: `symbolon receipts show N`.
    pub receipt: u64,
    /// Milliseconds from request to receipt.
    pub duration_ms: u64,
}

impl CallReply {
    /// Whether the service says that the call failed: by its status, or in a tool's result.
    pub fn is_failure(&self) -> bool {
        let is_result = self.encoding == BodyEncoding::ToolResult;
        self.status >= 400 || is_result && self.body.get("isError") == Some(&Value::Bool(true))
    }
}

/// What the upstream answered to a forwarded request, redacted, as HTTP.
#[derive(Debug, Clone)]
pub struct ForwardReply {
    /// The upstream's status.
    pub status: u16,
    /// Response headers that pass, redacted.
    pub headers: http::HeaderMap,
    /// The body, decoded and redacted.
    pub body: bytes::Bytes,
    /// The receipt's number.
    pub receipt: u64,
}

/// How a body stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyEncoding {
    /// The upstream sent JSON.
    Json,
    /// UTF-8 text in a string.
    Text,
    /// Base64 of other bytes.
    Base64,
    /// The result of a mounted server's tool: `content`, perhaps `structuredContent`, `isError`; or
    /// `isError` and `error` where the server gave an error in its place.
    ToolResult,
    /// No body.
    None,
}

/// A single-use right to one exact request, in the caller's hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenReply {
    /// 43 characters of base64url. Opaque; it means nothing outside this session.
    pub token: String,
    /// Seconds until it is worthless.
    pub expires_in_seconds: u64,
    /// One sentence that says what redeeming it will do.
    pub will: String,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The caller asked for what it may not have, or asked wrongly.
    Caller,
    /// The upstream.
    Peer,
    /// The machine: disk, network, permissions.
    Environment,
    /// A bug here.
    Us,
}

/// An error in a pair: what went wrong, and what to do next.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// A stable word for programs, such as `no_grant` or `rate_limited`.
    pub code: String,
    /// What went wrong, in a sentence.
    pub message: String,
    /// The next step: an exact command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whose fault it is.
    pub fault: Fault,
    /// The HTTP status that a door should answer with.
    pub http_status: u16,
    /// The receipt, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Seconds to wait before the same call can succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// A minted credential as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MintedView {
    /// Its name: 16 hexadecimal digits.
    pub id: String,
    /// The connection that it was minted through.
    pub connection: String,
    /// The agent whose it is.
    pub agent: String,
    /// The tool that made it.
    pub tool: String,
    /// The log entry of that call's intent.
    pub intent: u64,
    /// When it was kept.
    pub created: String,
    /// When it ends; absent where the service did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether its end has come.
    pub ended: bool,
}

/// A tool as a caller sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToolView {
    /// Full name, at most 64 characters.
    pub name: String,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub description: String,
    /// The scope that must be granted.
    pub scope: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// Whether this session may call it now.
    pub granted: bool,
    /// Its parameters in a line: `owner: string, repo: string, labels?: array`.
    #[serde(default)]
    pub usage: String,
    /// JSON Schema of the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Arc<Value>>,
    /// JSON Schema of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Arc<Value>>,
}

/// A connection to make. The credential comes beside it, never inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConnection {
    /// The service's id in the catalogue.
    pub service: String,
    /// The connection's name; the service's id where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// For self-hosted services: the fixed base URL in place of the catalogue's.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Values of the base URL's variables.
    #[serde(default)]
    pub variables: std::collections::BTreeMap<String, String>,
    /// Extra root certificate in PEM, for self-hosted services.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// The upstream may be on a loopback address.
    #[serde(default)]
    pub allow_loopback: bool,
    /// The upstream may be on a private address.
    #[serde(default)]
    pub allow_private: bool,
    /// Scopes that grants on this connection can ever give; all of the service's where empty.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Another scheme than the catalogue's: `bearer`, `header:NAME`, `query:NAME`, `cookie:NAME`, `form:NAME`, `basic` (see `Scheme`).
    #[serde(default)]
    pub auth: Option<String>,
    /// The user name, for services whose Basic authentication needs one.
    #[serde(default)]
    pub user: Option<String>,
    /// How its tokens are got, where the broker gets them; see [`crate::Broker::oauth_begin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<NewOAuth>,
    /// Replace a connection of this name.
    #[serde(default)]
    pub replace: bool,
    /// Make the service's read-only check call before the connection is kept.
    #[serde(default)]
    pub verify: bool,
}

impl NewConnection {
    /// A connection of this service with nothing out of the ordinary.
    pub fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: None,
            base_url: None,
            variables: std::collections::BTreeMap::new(),
            ca_pem: None,
            allow_loopback: false,
            allow_private: false,
            scopes: Vec::new(),
            auth: None,
            user: None,
            oauth: None,
            replace: false,
            verify: false,
        }
    }
}

/// A connection as anyone may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Its name.
    pub name: String,
    /// The service.
    pub service: String,
    /// Where it leads.
    pub base_url: String,
    /// The auth scheme, such as `bearer`.
    pub auth: String,
    /// The most that grants on it can give.
    pub scopes: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Bound to this machine's fingerprint, and how strong that is.
    pub bound_to: String,
    /// It is of the owner's vault, and here while that is lent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lent: bool,
    /// Why its tokens are not renewed any more, in the provider's word: it needs
    /// `symbolon connect` again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The status of the check call, where one was made now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<u16>,
}

/// What one live call with a connection's credential showed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifiedView {
    /// The connection's name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Where it leads.
    pub base_url: String,
    /// `works`; `refused`: the service does not take the credential; `unreachable`; `certificate`: no
    /// TLS with it; `wrong_host`: it is elsewhere, or may not be reached; `failed`: anything else;
    /// `damaged`: not in force; `unchecked`: there is no call to make.
    pub outcome: String,
    /// In a sentence.
    pub detail: String,
    /// The service's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Who the credential is, where the answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What it may do, in the service's words: where its answer says so, else as it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Those of them that go far, and that no grant which stands uses.
    #[serde(default)]
    pub too_wide: Vec<String>,
    /// When the credential ends, in the service's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// When the access token that the broker got ends, RFC 3339; it is renewed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ends: Option<String>,
    /// Why it is not renewed any more, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
    /// When an agent's call through it last ended, RFC 3339, as far as the log was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// The check call's receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A grant to make.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// To whom.
    pub agent: String,
    /// Scope patterns, such as `github.issues.read` or `github.issues.*`.
    pub scopes: Vec<String>,
    /// How long it lives; 0 for as long as the grant that it is under.
    #[serde(default)]
    pub for_seconds: u64,
    /// On which connection; the one named as the service, or the parent's, where absent.
    #[serde(default)]
    pub connection: Option<String>,
    /// Parameter limits, such as `owner=acme`, `owner in acme,example`, `per_page<=50`.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Which calls wait for a person: `destructive`, `write`, `first-use`, `always`, `never`, or a
    /// parameter and a bound such as `amount>10000`; `destructive` where none is named.
    #[serde(default)]
    pub ask: Vec<String>,
    /// Who may answer: `owner` (where absent), or `client` for the person at the MCP client too.
    #[serde(default)]
    pub ask_via: Option<String>,
    /// What it may use up, such as `20 calls/hour` or `stripe.refunds: 500 usd/day of amount/100`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<String>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// When it is good, such as `mon-fri 09:00-17:00 +02:00`; always where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<String>,
    /// The grant that it is part of: it gives nothing that this one does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// How many levels of grants its agent may make under it.
    #[serde(default)]
    pub delegable: u8,
}

/// A grant as anyone may see it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GrantView {
    /// Its number: `symbolon revoke N`.
    pub id: u64,
    /// To whom.
    pub agent: String,
    /// On which connection.
    pub connection: String,
    /// The scopes it gives.
    pub scopes: Vec<String>,
    /// Its parameter limits.
    pub limits: Vec<String>,
    /// Which calls wait for a person.
    pub ask: Vec<String>,
    /// Who may answer: `owner`, or `client` too.
    pub ask_via: String,
    /// Its budgets, and what was spent of them.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// When it is good; always where there are none.
    #[serde(default)]
    pub hours: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When it ends, RFC 3339.
    pub expires: String,
    /// `active`, `expired` or `revoked`: it, or a grant above it.
    pub state: String,
    /// The grants that it is part of, the root first; empty where it stands alone.
    #[serde(default)]
    pub above: Vec<u64>,
    /// What those say beside its own terms, a sentence for each.
    #[serde(default)]
    pub inherited: Vec<String>,
    /// How many levels of grants its agent may make under it.
    #[serde(default)]
    pub delegable: u8,
    /// Made by the agent of the grant above it.
    #[serde(default)]
    pub by_agent: bool,
    /// One sentence, such as "claude may read issues through github until 14:05".
    pub sentence: String,
}

/// A grant that was taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokedView {
    /// As it is now.
    #[serde(flatten)]
    pub grant: GrantView,
    /// Numbers of the grants under it that were active and fell with it.
    pub fell: Vec<u64>,
}

/// What an agent hands on of what it was granted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDelegation {
    /// To whom: a name within the agent's own, `tests` for `claude.tests`.
    pub to: String,
    /// Scope patterns, all of them within one grant of the agent's.
    pub scopes: Vec<String>,
    /// How long, such as `15m`; as long as the grant that it comes of where absent, and never longer.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<String>,
    /// The grant that it comes of; the first that has all of it where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<u64>,
    /// Parameter limits, beside those that hold already.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Rules of asking the owner, beside those that hold already.
    #[serde(default)]
    pub ask: Vec<String>,
    /// What it may use up at most of what there is.
    #[serde(default)]
    pub budgets: Vec<String>,
    /// Seconds between two calls of a scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// Time windows.
    #[serde(default)]
    pub hours: Vec<String>,
    /// How many levels may come under it.
    #[serde(default)]
    pub depth: u8,
    /// Make a key also where the sub-agent has one; that one ends.
    #[serde(default)]
    pub new_key: bool,
}

/// What was handed on.
#[derive(Debug)]
pub struct Delegated {
    /// The grant that was made.
    pub grant: GrantView,
    /// The sub-agent's bearer key for HTTP, shown once; absent where it has one.
    pub key: Option<symbolon_secret::Secret<[u8]>>,
}

impl Delegated {
    /// As its maker is handed it. The key stands in it: to hand it over is what it is for, and it
    /// opens no more than its maker may do.
    pub fn to_json(&self) -> Value {
        let mut json = serde_json::json!({ "agent": self.grant.agent, "grant": self.grant });
        if let Some(key) = &self.key {
            // EXPOSE: shown once to the agent that asked for it; `sym_` and base64url.
            json["key"] = String::from_utf8_lossy(key.expose()).into_owned().into();
        }
        json
    }
}

/// A budget and what was spent of it. Amounts are decimals in text, never floats.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BudgetView {
    /// As its owner wrote it.
    pub budget: String,
    /// What is counted: `calls`, `usd`.
    pub unit: String,
    /// What counts as spent now, calls on their way included.
    pub spent: String,
    /// What is left now.
    pub left: String,
    /// When some of what is spent counts no longer, RFC 3339; absent where nothing is spent, or it
    /// counts for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
}

/// What shadow mode does, and what it let through.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowView {
    /// Whether it is on now.
    pub on: bool,
    /// Whether it comes back after a restart.
    pub kept: bool,
    /// Refusals that it passed over.
    pub passed_over: u64,
    /// The grants that were missing, as commands.
    pub missing: Vec<String>,
    /// What was passed over, by kind, the latest first.
    pub rows: Vec<ShadowRow>,
}

/// A kind of refusal that shadow mode passed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // agent, connection, tool and scope are what they are everywhere
pub struct ShadowRow {
    pub agent: String,
    pub connection: String,
    pub tool: String,
    pub scope: String,
    /// The gate or rule that would have refused.
    pub gate: String,
    /// The refusal's code.
    pub code: String,
    /// The refusal's sentence, of the last time.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The first time, RFC 3339.
    pub first: String,
    /// The last time, RFC 3339.
    pub last: String,
}

/// A method and URL whose tool is looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// Such as `POST`.
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// Only this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What a method and URL name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// The tool; absent where none is named, and `checks` says why.
    pub tool: Option<String>,
    /// The connection.
    pub connection: Option<String>,
    /// What path and query say of the arguments.
    pub arguments: Map<String, Value>,
    /// What stands in the way.
    pub checks: Vec<CheckView>,
}

/// A call to explain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// Who would call.
    pub agent: String,
    /// The tool.
    pub tool: String,
    /// Its parameters.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which connection of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What would happen to a call, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // agent, tool, connection and scope are what they are everywhere
pub struct ExplanationView {
    pub agent: String,
    pub method: String,
    /// Where it would go.
    pub url: String,
    pub tool: String,
    pub connection: String,
    pub scope: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// The grant that lets it through, or comes nearest.
    pub grant: Option<u64>,
    /// Every gate and rule, in the order in which a call meets them.
    pub checks: Vec<CheckView>,
    /// `allowed`, `refused`, or `shadowed`: refused but for shadow mode.
    pub outcome: String,
    /// The sentence that a person would approve.
    pub sentence: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Seconds to wait, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// One gate or rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckView {
    /// Which.
    pub rule: String,
    /// Whether it holds; absent where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// Why.
    pub why: String,
    /// What to do where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An agent's key, shown once.
#[derive(Debug)]
pub struct NewAgentKey {
    /// The agent.
    pub agent: String,
    /// `sym_` and 43 characters: the bearer key for HTTP. Only its hash is kept.
    pub key: symbolon_secret::Secret<[u8]>,
}

/// An agent that has a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentView {
    /// Its name.
    pub name: String,
    /// When its key was made, RFC 3339.
    pub created: String,
    /// The first characters of the key's hash, to tell keys apart.
    pub key_id: String,
    /// The agent that made it by delegation; the owner did where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// A way to unlock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WrapView {
    /// Its id.
    pub id: String,
    /// `passphrase`, `device`, `tpm`, `recovery` or `passkey`.
    pub method: String,
    /// When it was made, RFC 3339.
    pub created: String,
}

pub use symbolon_custody::Method;

/// How the broker is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// Whether the vault is open.
    pub unlocked: bool,
    /// The home's folder.
    pub home: String,
    /// The broker's process.
    pub pid: u32,
    /// This program's version.
    pub version: String,
    /// Where secrets live: `memfd_secret` or what is weaker, in a phrase.
    pub memory: String,
    /// The machine binding, in a phrase.
    pub fingerprint: String,
    /// `group` or `relaxed`.
    pub durability: String,
    /// Entries in the log.
    pub log_entries: u64,
    /// Intents whose receipt never came, such as after a crash.
    pub open_intents: u64,
    /// How many of each.
    pub connections: u64,
    /// Grants that are active.
    pub grants: u64,
    /// Ways to unlock.
    pub methods: Vec<Method>,
    /// Open sessions.
    pub sessions: u64,
    /// Milliseconds since the broker started.
    pub uptime_ms: u64,
    /// Shadow mode is on: grants, limits and budgets refuse nothing.
    #[serde(default)]
    pub shadow: bool,
    /// How long credentials were in the clear, in nanoseconds.
    pub clear_ns: Clear,
}

/// How long credentials were in the clear.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Clear {
    /// How many times.
    pub count: u64,
    /// Half were shorter.
    pub p50: u64,
    /// 99 of 100 were shorter.
    pub p99: u64,
}

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
