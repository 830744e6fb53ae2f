//! Every error that a door can show, as a pair: what went wrong, and the next step.

use symbolon_capability::catalog::RequestError;
use symbolon_capability::{Refusal, Release, StoreError};
use symbolon_custody::{EnrolError, UnlockError, WrapError};
use symbolon_device::KeyFileError;
use symbolon_log::LogError;
use symbolon_store::{HomeError, LogDatabaseError, ManifestError};

use crate::api::{CallError, Fault};
use crate::minted::UnusableMinted;
use crate::mount::{MountError, MountFault};
use crate::upstream::UpstreamError;
use crate::wire::WireError;

impl CallError {
    /// An error that is the caller's to mend.
    pub fn caller(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Fault::Caller, 400, message)
    }

    /// An error of the machine: disk, permissions, memory.
    pub fn environment(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Fault::Environment, 503, message)
    }

    /// A bug here.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new("internal", Fault::Us, 500, message)
    }

    pub(crate) fn new(
        code: &str,
        fault: Fault,
        http_status: u16,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            next: None,
            fault,
            http_status,
            receipt: None,
            retry_after_seconds: None,
        }
    }

    /// With the next step.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }

    /// With the status that a door answers.
    #[must_use]
    pub fn status(mut self, http_status: u16) -> Self {
        self.http_status = http_status;
        self
    }

    pub(crate) fn receipt(mut self, number: Option<u64>) -> Self {
        self.receipt = number;
        self
    }
}

/// Nothing can be done while the vault is locked.
pub(crate) fn locked() -> CallError {
    refusal(&Refusal::Locked)
}

pub(crate) fn refusal(r: &Refusal) -> CallError {
    let e = |status| CallError::new(r.code(), Fault::Caller, status, r.to_string());
    match r {
        Refusal::Locked => e(503).next("symbolon unlock"),
        Refusal::UnknownTool(name) => {
            let word = name.split('.').next().filter(|w| is_plain(w)).unwrap_or("WORD");
            e(404).next(format!("symbolon tools search {word}"))
        }
        Refusal::Arguments(_) => e(400).next("look at the parameters: symbolon tools show TOOL"),
        Refusal::NotLent(_) => e(503).next("symbolon vault lease --connections --for 8h"),
        // The name came from the caller, and the next step is shown to a person as a command.
        Refusal::NoConnection(name) if is_plain(name) => {
            e(404).next(format!("symbolon connect {name}"))
        }
        Refusal::NoConnection(_) => e(404).next("symbolon connections"),
        Refusal::WhichConnection { .. } => e(409).next("name one of them with --on CONNECTION"),
        Refusal::NoGrant { agent, scope, connection }
        | Refusal::GrantEnded { agent, scope, connection } => {
            e(403).next(grant_command(agent, scope, connection))
        }
        Refusal::ConnectionScope { connection, .. } => {
            e(403).next(format!("symbolon connect … --name {connection} --replace with that scope"))
        }
        Refusal::Rate { retry_ms, .. } => {
            let seconds = retry_ms.div_ceil(1000).max(1);
            CallError { retry_after_seconds: Some(seconds), ..e(429) }
                .next(format!("wait {seconds} s and call again"))
        }
        Refusal::Fingerprint(name) => e(403).next(format!(
            "enter the credential on this machine: symbolon connect … --name {name} --replace"
        )),
        Refusal::Limit(_) => e(403).next("symbolon grants"),
        Refusal::Budget(_)
        | Refusal::Cooldown { .. }
        | Refusal::OutsideHours { .. }
        | Refusal::ClockJumped { .. } => later(e(429), r.retry_ms()),
        Refusal::Uncounted { parameter, .. } => {
            e(403).next(format!("give {parameter} in the call, as a plain amount"))
        }
        Refusal::MintedUnknown { .. } | Refusal::MintedExpired { .. } => {
            e(403).next("mint another, or send the placeholder of the connection itself")
        }
        Refusal::TooManyTokens(_) => e(429),
        Refusal::TokenUnknown
        | Refusal::TokenUsed
        | Refusal::TokenExpired
        | Refusal::TokenSession
        | Refusal::TokenContext
        | Refusal::TokenRequest => e(403).next("ask for a new token: capability.request"),
        _ => e(403),
    }
}

/// Nothing new begins while the broker is being stopped.
pub(crate) fn stopped() -> CallError {
    CallError::environment("stopped", "the broker is being stopped").next("symbolon status")
}

pub(crate) fn caller_gone() -> CallError {
    let message = "the caller went away while the owner was asked";
    CallError::caller("caller_gone", message).next("call again: the owner is asked anew")
}

/// The command that gives what was missing.
pub(crate) fn grant_command(agent: &str, scopes: &str, connection: &str) -> String {
    let on = if scopes.split('.').next() == Some(connection) {
        String::new()
    } else {
        format!(" --on {connection}")
    };
    format!("symbolon grant {agent} {scopes} --for 15m{on}")
}

/// Refused by a rule that time may change.
fn later(error: CallError, retry_ms: Option<u64>) -> CallError {
    match retry_ms {
        Some(ms) => {
            let seconds = ms.div_ceil(1000).max(1);
            let next =
                format!("wait {seconds} s and call again; symbolon grants shows what is left");
            CallError { retry_after_seconds: Some(seconds), ..error }.next(next)
        }
        None => error.status(403).next("symbolon grants"),
    }
}

pub(crate) fn io(error: std::io::Error) -> CallError {
    CallError::environment("io", error.to_string())
}

/// The log failed before the release: no intent, so nothing left.
pub(crate) fn log_intent(error: LogError) -> CallError {
    let message = format!("the log cannot keep the intent, so nothing was released: {error}");
    CallError::environment("log", message).next(
        database_next(&error).unwrap_or("symbolon doctor; then free space or restart the broker"),
    )
}

/// The log failed after the release: the call was made.
pub(crate) fn log_receipt(error: LogError) -> CallError {
    let message = format!(
        "the call was made, and its receipt could not be written; its intent is in the log: {error}"
    );
    CallError::environment("receipt_lost", message).next(
        "do not repeat a call that writes; symbolon status; then free space or restart the broker",
    )
}

/// The log cannot be read or opened.
pub(crate) fn log_read(error: LogError) -> CallError {
    if let LogError::TakenAway { index, .. } = &error {
        let next = format!(
            "symbolon log check-shard FILE --key operator.pub --entry {index}, with the shard's file"
        );
        return CallError::caller("taken_away", error.to_string()).status(410).next(next);
    }
    let next = database_next(&error)
        .unwrap_or("put the folder log back from a backup; state.db is separate and unharmed");
    CallError::environment("log_read", format!("the log cannot be read: {error}")).next(next)
}

/// Where the log is kept cannot be opened.
pub(crate) fn log_storage(error: std::io::Error) -> CallError {
    match LogDatabaseError::within(&error).map(LogDatabaseError::next) {
        Some(next) => CallError::environment("log_database", error.to_string()).next(next),
        None => io(error),
    }
}

/// The log's database cannot be used.
pub(crate) fn log_database(error: LogDatabaseError) -> CallError {
    log_storage(error.into())
}

/// What to do where it was the log's database that failed.
fn database_next(error: &LogError) -> Option<&'static str> {
    let LogError::Storage { source, .. } = error else { return None };
    LogDatabaseError::within(source).map(LogDatabaseError::next)
}

pub(crate) fn request(error: RequestError) -> CallError {
    match error {
        RequestError::Bind(e) => refusal(&e.into()),
        RequestError::NotListed { .. }
        | RequestError::CallNotListed { .. }
        | RequestError::Method => CallError::caller("not_listed", error.to_string())
            .status(403)
            .next("symbolon tools search WORD"),
        RequestError::Path(_) => CallError::caller("path", error.to_string()),
        _ => CallError::caller("invalid_arguments", error.to_string()),
    }
}

pub(crate) fn unlock(error: UnlockError) -> CallError {
    let code = match &error {
        UnlockError::WrongSecret { .. } => "wrong_secret",
        UnlockError::NoSuchMethod { .. } => "no_such_method",
        UnlockError::OtherMachine => "other_machine",
        UnlockError::Damaged { .. } => "vault_damaged",
        _ => "unlock",
    };
    CallError::caller(code, error.to_string()).status(403).next(error.next_step())
}

pub(crate) fn enrol(error: EnrolError) -> CallError {
    CallError::caller("enrol", error.to_string())
}

pub(crate) fn wrap(error: WrapError) -> CallError {
    let code = match &error {
        WrapError::LastWrap => "last_wrap",
        WrapError::NoSuchWrap { .. } => "no_wrap",
        _ => "wrap",
    };
    CallError::caller(code, error.to_string()).next("symbolon custody list")
}

pub(crate) fn key_file(error: KeyFileError) -> CallError {
    let next = match &error {
        KeyFileError::OpenToOthers { path, .. } => format!("chmod 600 {}", path.display()),
        _ => "symbolon unlock --method passphrase".to_owned(),
    };
    CallError::environment("device_key", error.to_string()).next(next)
}

/// Why an upstream gave nothing usable, as a caller may hear it: no byte of request or response.
pub(crate) fn upstream(error: &UpstreamError) -> CallError {
    let peer = |code: &str, status| CallError::new(code, Fault::Peer, status, chain(error));
    match error {
        UpstreamError::Wire(e) | UpstreamError::Redirected(e) => match e {
            WireError::Timeout { .. } => peer("upstream_timeout", 504).next("call again later; look at the receipt first if the call writes"),
            WireError::Blocked { .. } | WireError::Host { .. } | WireError::Plaintext { .. } => {
                CallError { fault: Fault::Caller, ..peer("blocked_address", 403) }
                    .next("if this address is meant: symbolon connect … --replace --allow-private or --allow-loopback")
            }
            WireError::Resolve { .. } => CallError { fault: Fault::Environment, ..peer("resolve", 502) },
            WireError::Tls { .. } => peer("upstream_tls", 502).next("for a certificate of your own: symbolon connect … --replace --ca-file FILE"),
            WireError::ClientCertificate { .. } => CallError { fault: Fault::Caller, ..peer("client_certificate", 502) }
                .next("symbolon connect … --replace --client-cert FILE --client-key FILE, with one that the service accepts"),
            WireError::BodyTooLarge { .. } | WireError::HeadTooLarge { .. } => peer("upstream_too_large", 502).next("ask for less, such as a smaller page"),
            WireError::Refused { .. } => CallError { fault: Fault::Us, ..peer("wire_refused", 500) },
            _ => peer("upstream_failed", 502),
        },
        UpstreamError::Redirect(_) => peer("redirect_refused", 502),
        UpstreamError::Undecodable(_) => peer("undecodable", 502),
        UpstreamError::Switched => peer("upstream_switched", 502),
        UpstreamError::TooLong(_) => peer("upstream_too_large", 502).next("ask for less, such as a smaller page"),
        UpstreamError::Redact(_) | UpstreamError::Echoes(_) | UpstreamError::Echoed | UpstreamError::Spread => peer("unsearchable", 502),
        UpstreamError::Stopped => CallError { fault: Fault::Environment, ..peer("stopped", 503) }
            .next("look at the receipt first if the call writes; then call again"),
        UpstreamError::Fallen(r) => CallError { message: error.to_string(), ..refusal(r) },
        UpstreamError::Mint(e) => peer(e.code(), 502),
        UpstreamError::Minted(e) => {
            let code = match e {
                UnusableMinted::Gone => "minted_unknown",
                UnusableMinted::Sealed(_) => "minted_damaged",
            };
            CallError { fault: Fault::Caller, ..peer(code, 403) }.next("mint another")
        }
        UpstreamError::Token(e) => e.shown(),
        UpstreamError::Mount(e) => mount(error, e),
        UpstreamError::Request(_) => CallError { fault: Fault::Us, ..peer("request", 500) },
    }
}

/// Why a mounted server gave nothing: nothing of what it said.
fn mount(error: &UpstreamError, why: &MountError) -> CallError {
    let (fault, status) = match &why.fault {
        MountFault::NotMounted(_) => (Fault::Caller, 404),
        MountFault::Start(_) | MountFault::Crashing(_) => (Fault::Environment, 502),
        MountFault::Stopped => (Fault::Environment, 503),
        MountFault::Silent => (Fault::Peer, 504),
        MountFault::Busy => (Fault::Caller, 429),
        MountFault::CallTooLong { .. } => (Fault::Caller, 413),
        _ => (Fault::Peer, 502),
    };
    let shown = CallError::new(why.fault.code(), fault, status, chain(error));
    match &why.fault {
        MountFault::NotMounted(_) => shown.next("symbolon mount add --help"),
        MountFault::Changed { mount, .. } | MountFault::Gone { mount, .. } => {
            shown.next(format!("symbolon mount refresh {mount}"))
        }
        MountFault::Start(_) | MountFault::Crashing(_) => shown.next("symbolon mount show NAME"),
        MountFault::CallTooLong { .. } => shown.next("the same call with shorter arguments"),
        MountFault::Ended | MountFault::Silent if why.sent => shown
            .next("look at the receipt first if the call writes; then symbolon mount show NAME"),
        _ => shown,
    }
}

/// The same of a call that makes a credential: it was sent, and whatever it made, nobody here has it.
pub(crate) fn upstream_of(error: &UpstreamError, release: &Release, released: bool) -> CallError {
    let shown = upstream(error);
    match released && !release.operation().mints().is_empty() {
        true => shown.next(
            "the service may have made a credential that nobody has: look there, and revoke it",
        ),
        false => shown,
    }
}

/// Whether a text from outside is a word that a shell takes as nothing but a word.
fn is_plain(text: &str) -> bool {
    symbolon_capability::ConnectionName::parse(text).is_ok()
}

/// An error with its causes, which our own types keep free of values.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(c) = cause {
        let more = c.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = c.source();
    }
    text
}

impl From<HomeError> for CallError {
    fn from(error: HomeError) -> Self {
        let code = match &error {
            HomeError::Missing { .. } => "no_home",
            HomeError::TooOpen { .. } => "home_too_open",
            HomeError::Locked { .. } => "home_in_use",
            _ => "home",
        };
        Self { next: error.next_step(), ..Self::environment(code, error.to_string()) }
    }
}

impl From<ManifestError> for CallError {
    fn from(error: ManifestError) -> Self {
        match &error {
            ManifestError::Missing(_) => {
                Self::environment("no_home", error.to_string()).next("symbolon init")
            }
            _ => Self::environment("home", error.to_string())
                .next("put home.json back from a backup"),
        }
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Exists(name) => Self::caller("exists", error.to_string())
                .status(409)
                .next(format!("choose another name, or add --replace to put it in place of {name}")),
            StoreError::Missing(_) => Self::caller("missing", error.to_string()).status(404),
            StoreError::Full => {
                Self::environment("disk_full", error.to_string()).next("free some space and try again; nothing was lost")
            }
            StoreError::Damaged(_) => Self::environment("state_damaged", error.to_string())
                .next("put state.db back from a backup; the log and its receipts are separate and unharmed"),
            _ => Self::environment("state", error.to_string()),
        }
    }
}
