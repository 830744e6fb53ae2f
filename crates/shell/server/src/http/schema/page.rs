//! The words of the page for OpenAPI.

use utoipa::ToSchema;

use super::Grant;

/// A browser's session.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct PageSession {
    /// When it began, RFC 3339.
    opened: String,
    /// When it ends, RFC 3339.
    expires: String,
    /// Until when it may change who opens the broker, RFC 3339.
    confirmed_until: String,
}

/// What a page is asked: the key of one way, sealed to this process.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct TapAsked {
    /// The process's X25519 key, base64url; another after a restart.
    key: String,
    /// Good for one answer within two minutes, base64url.
    nonce: String,
    /// The home's vault, 32 hex digits.
    vault: String,
    /// When the question ends.
    expires_unix_ms: u64,
    /// What the passkey's PRF is asked with, base64url.
    prf: String,
    /// The passkeys that open the home.
    passkeys: Vec<TapPasskey>,
    /// Of the way to be made, base64url.
    salt: Option<String>,
}

/// A passkey that opens the home.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct TapPasskey {
    /// Its way.
    wrap: String,
    /// Its id, base64url.
    credential: String,
    /// Of its way, base64url.
    salt: String,
}

/// A connection that could be used.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Tried {
    /// As it would be.
    connection: super::Connection,
    /// What an item of a vault says of it beside name, service and base URL.
    scheme: String,
}

/// A way to open the home.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Way {
    /// Its id.
    id: String,
    /// `passphrase`, `device`, `tpm`, `recovery` or `passkey`.
    method: String,
    /// When it was made, RFC 3339.
    created: String,
}

/// The ways to open the home.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Ways {
    ways: Vec<Way>,
}

/// The account that is the owner's.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct OwnerAccount {
    /// Its id, 32 hex digits; nothing where the owner has none.
    account: Option<String>,
}

/// How the broker is.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Status {
    /// Whether the vault is open.
    unlocked: bool,
    /// The home's folder.
    home: String,
    /// The broker's process.
    pid: u32,
    /// The program's version.
    version: String,
    /// Where secrets live, in a phrase.
    memory: String,
    /// The machine binding, in a phrase.
    fingerprint: String,
    /// `group` or `relaxed`.
    durability: String,
    /// Where the log is kept, in a phrase.
    log_place: String,
    /// Entries in the log.
    log_entries: u64,
    /// Intents whose receipt never came.
    open_intents: u64,
    /// How many connections.
    connections: u64,
    /// How many grants that are active.
    grants: u64,
    /// Ways to unlock.
    methods: Vec<String>,
    /// Open sessions of agents.
    sessions: u64,
    /// Milliseconds since the broker started.
    uptime_ms: u64,
    /// Grants, limits and budgets refuse nothing.
    shadow: bool,
    /// How long credentials were in the clear, in nanoseconds.
    clear_ns: Clear,
}

/// How long credentials were in the clear.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Clear {
    /// How many times.
    count: u64,
    /// Half were shorter.
    p50: u64,
    /// 99 of 100 were shorter.
    p99: u64,
}

/// What the log promises now.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct LogHead {
    /// The log's name.
    origin: String,
    /// The operator's key, as the text of `operator.pub`.
    vkey: String,
    /// The keys that the operator had, where there were several, as the text of `operator.succession`.
    succession: Option<String>,
    /// Entries that the checkpoint covers.
    size: u64,
    /// The tree's root, in hex.
    root: String,
    /// A signed note (C2SP `tlog-checkpoint`).
    checkpoint: String,
}

/// A call that began or ended.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct LiveEvent {
    /// The entry's place in the log. Of an end, the receipt's number.
    number: u64,
    /// `began`, or how it ended.
    what: String,
    /// The entry at which it began.
    began: Option<u64>,
    /// When, RFC 3339.
    time: String,
    /// Who.
    agent: String,
    /// Did what.
    tool: String,
    /// Through which connection.
    connection: String,
    /// The upstream's status.
    status: Option<u16>,
    /// Milliseconds from request to receipt.
    took_ms: Option<u64>,
    /// The gate that refused, or the code of what failed.
    why: Option<String>,
}

/// A service in a list.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct ServiceRow {
    /// Its id, the first part of its tools' names.
    id: String,
    /// Its name for people.
    name: String,
    /// Where it is, perhaps with variables in braces.
    base_url: String,
    /// How the credential goes out, in a word.
    auth: String,
    /// How many operations it has.
    operations: u64,
}

/// The catalogue.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Services {
    /// The services, by name.
    services: Vec<ServiceRow>,
}

/// What connecting a service takes, and what can be granted on it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Service {
    /// Its id.
    id: String,
    /// Its name for people.
    name: String,
    /// Where it is.
    base_url: String,
    /// How the credential goes out.
    auth: String,
    /// How many operations it has.
    operations: u64,
    /// Its public documentation.
    docs: String,
    /// Whether a connection may name a base URL of its own.
    self_hosted: bool,
    /// Variables of the base URL.
    variables: Vec<String>,
    /// Whether a user name stands beside the credential.
    user: bool,
    /// Whether there is a read-only call that shows that a credential works.
    verifies: bool,
    /// Its scopes.
    scopes: Vec<Scope>,
}

/// A scope and what it lets an agent do.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Scope {
    /// Its name.
    scope: String,
    /// The farthest that it goes: `read`, `write` or `destructive`.
    effect: String,
    /// Titles of its operations.
    titles: Vec<String>,
}

/// What one live call with a connection's credential showed.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Verified {
    /// The connection's name.
    name: String,
    /// Its service.
    service: String,
    /// Where it leads.
    base_url: String,
    /// `works`, `refused`, `unreachable`, `certificate`, `wrong_host`, `failed`, `damaged` or `unchecked`.
    outcome: String,
    /// In a sentence.
    detail: String,
    /// The service's status.
    status: Option<u16>,
    /// Who the credential is, where the answer says so.
    who: Option<String>,
    /// What it may do, in the service's words.
    scopes: Option<Vec<String>>,
    /// Those of them that go far, and that no grant uses.
    too_wide: Vec<String>,
    /// When the credential ends, in the service's words.
    ends: Option<String>,
    /// When the access token that the broker got ends, RFC 3339.
    token_ends: Option<String>,
    /// Why it is not renewed any more.
    renewal: Option<String>,
    /// When an agent's call through it last ended, RFC 3339.
    last_used: Option<String>,
    /// The check call's receipt.
    receipt: Option<u64>,
    /// The next step.
    next: Option<String>,
}

/// An agent that has a key.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Agent {
    /// Its name.
    name: String,
    /// When its key was made, RFC 3339.
    created: String,
    /// The first characters of the key's hash.
    key_id: String,
    /// The agent that made it by delegation.
    made_by: Option<String>,
}

/// Agents.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Agents {
    /// The agents.
    agents: Vec<Agent>,
}

/// A grant to make.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct NewGrant {
    /// To whom.
    agent: String,
    /// Scope patterns, such as `github.issues.read` or `github.issues.*`.
    scopes: Vec<String>,
    /// Seconds that it lives; 0 for as long as the grant that it is under.
    for_seconds: Option<u64>,
    /// On which connection; the one named as the service where absent.
    connection: Option<String>,
    /// Parameter limits, such as `owner=acme`.
    limits: Option<Vec<String>>,
    /// Which calls wait for a person; `destructive` where none is named.
    ask: Option<Vec<String>>,
    /// Who may answer: `owner`, or `client` too.
    ask_via: Option<String>,
    /// What it may use up, such as `20 calls/hour`.
    budgets: Option<Vec<String>>,
    /// Seconds between two calls of a scope.
    cooldown_seconds: Option<u64>,
    /// When it is good, such as `mon-fri 09:00-17:00 +02:00`.
    hours: Option<Vec<String>>,
    /// The grant that it is part of.
    under: Option<u64>,
    /// How many levels of grants its agent may make under it.
    delegable: Option<u8>,
}

/// A grant that was taken back, and those under it that fell.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Revoked {
    /// The grant, its members beside `fell`.
    #[serde(flatten)]
    grant: Grant,
    /// Numbers of the grants under it that were active and fell with it.
    fell: Vec<u64>,
}
