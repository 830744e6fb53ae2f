//! The accounts as the door holds them, whatever store is behind.

use std::{fmt, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, request::Parts};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use symbolon_account::{AccountId, CHUNK_BYTES_MAX, ServerKey, signature::content_digest};
use symbolon_broker::{Broker, CallError};
use symbolon_mcp::vault::{NoteCall, NoteFault, NoteReply, Notebook, Right, VaultTool};
use symbolon_proof::PRESENTATION_BYTES_MAX;
use tokio_util::sync::CancellationToken;

use super::super::{
    connection::Connection,
    desk::{CSRF, account::ACCOUNT_CSRF},
};
use super::{
    AccountsError, AccountsOptions, PublicOrigin,
    authorship::AUTHORSHIP_BODY_BYTES_MAX,
    caller::Caller,
    facts::BATCH_BODY_BYTES_MAX,
    fault, lend,
    oauth::{Assistant, Denied, Kept, scope_of},
    router,
    service::Service,
};

/// Accounts that a door serves.
#[derive(Clone)]
pub struct Accounts {
    origin: PublicOrigin,
    routes: Arc<dyn Routes>,
}

impl Accounts {
    /// Over a store, with the server's key. What expired is removed every few minutes until `stop`.
    ///
    /// # Errors
    /// [`AccountsError`]: the store does not answer, or keeps secrets of another key.
    pub async fn open<S: Kept>(
        store: S,
        key: ServerKey,
        options: &AccountsOptions,
        stop: CancellationToken,
    ) -> Result<Self, AccountsError> {
        let service = Arc::new(Service::open(store, key, options).await?);
        tokio::spawn(sweep(service.clone(), stop.clone()));
        tokio::spawn(purge(service.clone(), stop));
        let router = TowerToHyperService::new(router::router(service.clone()));
        Ok(Self { origin: options.origin.clone(), routes: Arc::new(Routed { service, router }) })
    }

    /// Has a broker of this process take connections from the vault of the account that it was told
    /// ([`Broker::take_from`]), while that lends them to this process.
    pub fn lend_to(&self, broker: &Arc<Broker>, stop: CancellationToken) {
        self.routes.lend_to(broker.clone(), stop);
    }

    /// Where the page is reached.
    pub fn origin(&self) -> &PublicOrigin {
        &self.origin
    }

    /// Where a browser goes that opened a page by another name than the origin's: passkeys and cookies are
    /// bound to that, and an address such as 127.0.0.1 has neither.
    pub(in crate::http) fn page_elsewhere(&self, head: &Parts, host: &str) -> Option<String> {
        let is_page = matches!(head.method, Method::GET | Method::HEAD)
            && head.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        // What begins with two slashes would be read as another host.
        let is_plain = target.starts_with('/') && !target.starts_with("//");
        let is_here = host.eq_ignore_ascii_case(self.origin.authority());
        (is_page && is_plain && !is_here).then(|| format!("{}{target}", self.origin.as_str()))
    }

    /// Looks at a request's head before its body is read.
    ///
    /// # Errors
    /// [`CallError`] of the limits, of cookies, of signatures.
    pub(in crate::http) async fn admit(
        &self,
        on: &Connection,
        head: &Parts,
        has_body: bool,
        tls: bool,
    ) -> Result<Admitted, CallError> {
        let address = on.peer().ip();
        let caller = self.routes.admit(address, head, has_body, tls).await?;
        Ok(Admitted { caller, address, channel: on.channel() })
    }

    /// The assistant whose token a request to `/mcp` carries.
    ///
    /// # Errors
    /// [`Denied`]: of the limits, and of tokens.
    pub(in crate::http) async fn assistant(
        &self,
        address: IpAddr,
        head: &Parts,
    ) -> Result<Assistant, Denied> {
        self.routes.assistant(address, head).await
    }

    /// Whether a token is good for the tool that a message would call.
    ///
    /// # Errors
    /// [`Denied`].
    pub(in crate::http) async fn may(&self, who: &Assistant, message: &[u8]) -> Result<(), Denied> {
        self.routes.may(who, message).await
    }

    /// Answers a request whose head was admitted and whose body was read.
    pub(in crate::http) async fn answer(
        &self,
        admitted: Admitted,
        head: Parts,
        body: Bytes,
    ) -> Result<Response<Body>, CallError> {
        if matches!(admitted.caller, Caller::Program { .. }) {
            check_digest(&head.headers, &body)?;
        }
        let mut request = Request::from_parts(head, Body::from(body));
        request.extensions_mut().insert(admitted);
        Ok(self.routes.answer(request).await)
    }
}

impl Notebook for Accounts {
    type Who = Assistant;

    fn has(&self, who: &Assistant, right: Right) -> bool {
        who.scopes.has(scope_of(right))
    }

    async fn call(
        &self,
        who: &Assistant,
        tool: VaultTool,
        call: NoteCall,
    ) -> Result<NoteReply, NoteFault> {
        self.routes.note(who, tool, call).await
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub(in crate::http) struct Admitted {
    pub(super) caller: Caller,
    pub(super) address: IpAddr,
    /// The exporter of the TLS connection (RFC 9266), where this server speaks TLS 1.3 itself.
    pub(super) channel: Option<[u8; 32]>,
}

impl Admitted {
    /// Whose share of the memory for bodies a body takes.
    pub(in crate::http) fn whose(&self) -> Arc<str> {
        match self.caller.account() {
            Ok(account) => format!("account {account}").into(),
            Err(_) => "nobody yet".into(),
        }
    }
}

impl Accounts {
    /// The account of a page that showed within the last minutes who it is, for what is the owner's too: there
    /// the token of its session stands in [`ACCOUNT_CSRF`], beside that of the owner's.
    ///
    /// # Errors
    /// `no_session`, `needs_confirmation`, `bad_csrf`.
    pub(in crate::http) async fn confirmed(
        &self,
        on: &Connection,
        head: &Parts,
        tls: bool,
    ) -> Result<[u8; 16], CallError> {
        let mut own = head.clone();
        own.headers.remove(CSRF);
        if let Some(word) = head.headers.get(ACCOUNT_CSRF) {
            own.headers.insert(CSRF, word.clone());
        }
        let admitted = self.admit(on, &own, false, tls).await?;
        let account = self.routes.confirmed(&admitted.caller)?;
        Ok(*account.as_bytes())
    }
}

/// Whether a path is the accounts'.
pub(in crate::http) fn is_route(path: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The most bytes of a request's body; none where its method takes none.
pub(in crate::http) fn body_bytes_max(method: &Method, path: &str) -> Option<usize> {
    match *method {
        Method::GET | Method::HEAD | Method::DELETE => None,
        _ if path == "/api/vault/commit" => Some(COMMIT_BODY_BYTES_MAX),
        _ if path == "/api/shares" => Some(SHARE_BODY_BYTES_MAX),
        _ if path.starts_with("/oauth/") => Some(OAUTH_BODY_BYTES_MAX),
        _ if path.starts_with("/api/authorship") => Some(AUTHORSHIP_BODY_BYTES_MAX),
        _ if path == "/api/proofs/batch" => Some(BATCH_BODY_BYTES_MAX),
        _ if path.starts_with("/api/proofs") || path.starts_with("/demo/") => {
            Some(PRESENTATION_BYTES_MAX)
        }
        Method::PUT if path.starts_with("/api/vault/blobs/") => Some(CHUNK_BYTES_MAX),
        _ => Some(BODY_BYTES_MAX),
    }
}

/// A body that a program signed: its digest was covered, and must be of these bytes.
fn check_digest(headers: &HeaderMap, body: &Bytes) -> Result<(), CallError> {
    if body.is_empty() && !headers.contains_key(CONTENT_DIGEST) {
        return Ok(());
    }
    let digest = headers.get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
    content_digest(digest.unwrap_or_default(), body).map_err(fault::signature)
}

type Coming<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The routes without the type of their store.
trait Routes: Send + Sync {
    fn admit<'a>(
        &'a self,
        address: IpAddr,
        head: &'a Parts,
        has_body: bool,
        tls: bool,
    ) -> Coming<'a, Result<Caller, CallError>>;
    fn assistant<'a>(
        &'a self,
        address: IpAddr,
        head: &'a Parts,
    ) -> Coming<'a, Result<Assistant, Denied>>;
    fn may<'a>(&'a self, who: &'a Assistant, message: &'a [u8]) -> Coming<'a, Result<(), Denied>>;
    fn note<'a>(
        &'a self,
        who: &'a Assistant,
        tool: VaultTool,
        call: NoteCall,
    ) -> Coming<'a, Result<NoteReply, NoteFault>>;
    fn answer(&self, request: Request<Body>) -> Coming<'_, Response<Body>>;
    fn confirmed(&self, caller: &Caller) -> Result<AccountId, CallError>;
    fn lend_to(&self, broker: Arc<Broker>, stop: CancellationToken);
}

struct Routed<S> {
    service: Arc<Service<S>>,
    router: TowerToHyperService<Router>,
}

impl<S: Kept> Routes for Routed<S> {
    fn admit<'a>(
        &'a self,
        address: IpAddr,
        head: &'a Parts,
        has_body: bool,
        tls: bool,
    ) -> Coming<'a, Result<Caller, CallError>> {
        Box::pin(self.service.admit(address.into(), head, has_body, tls))
    }

    fn assistant<'a>(
        &'a self,
        address: IpAddr,
        head: &'a Parts,
    ) -> Coming<'a, Result<Assistant, Denied>> {
        Box::pin(self.service.assistant(address, head))
    }

    fn may<'a>(&'a self, who: &'a Assistant, message: &'a [u8]) -> Coming<'a, Result<(), Denied>> {
        Box::pin(self.service.may(who, message))
    }

    fn note<'a>(
        &'a self,
        who: &'a Assistant,
        tool: VaultTool,
        call: NoteCall,
    ) -> Coming<'a, Result<NoteReply, NoteFault>> {
        Box::pin(self.service.note(who, tool, call))
    }

    fn confirmed(&self, caller: &Caller) -> Result<AccountId, CallError> {
        Ok(caller.confirmed(self.service.now())?.session.account)
    }

    fn answer(&self, request: Request<Body>) -> Coming<'_, Response<Body>> {
        Box::pin(async {
            match self.router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    }

    fn lend_to(&self, broker: Arc<Broker>, stop: CancellationToken) {
        self.service.authorship.write_in(broker.clone());
        self.service.leases.add_guest(Arc::new(lend::OfBroker(broker.clone())));
        tokio::spawn(lend::watch(self.service.clone(), broker, stop));
    }
}

async fn purge<S: Kept>(service: Arc<Service<S>>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PURGE_EVERY) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = service.store.purge(service.now()).await {
            tracing::warn!(%error, "what expired of the accounts was not removed");
        }
        if let Err(error) = service.store.purge_oauth(service.now()).await {
            tracing::warn!(%error, "what expired of the assistants was not removed");
        }
        if let Err(error) = service.store.purge_keys(service.now()).await {
            tracing::warn!(%error, "what expired of the services' keys was not removed");
        }
        if let Err(error) = service.facts.purge().await {
            tracing::warn!(%error, "sessions of proofs that ended were not removed");
        }
    }
}

/// Wipes leases whose time is over, and all of them when the server stops.
async fn sweep<S: Kept>(service: Arc<Service<S>>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => drop(service.leases.sweep().await),
            () = stop.cancelled() => return service.leases.close().await,
        }
    }
}

const PREFIXES: [&str; 14] = [
    "/api/account",
    "/api/session",
    "/api/sessions",
    "/api/vault",
    "/api/shares",
    "/api/audit",
    "/api/keys",
    "/api/proofs",
    "/api/authorship",
    "/demo/age/session",
    "/api/oauth",
    "/oauth",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server",
];
const CONTENT_DIGEST: &str = "content-digest";
const PURGE_EVERY: Duration = Duration::from_secs(300);
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Wraps, a key ring, a proof: what all other routes take.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest commit in base64url, and its brackets.
const COMMIT_BODY_BYTES_MAX: usize = symbolon_vault::wire::COMMIT_BYTES_MAX / 3 * 4 + 256 * 1024;
/// A registration, or a form.
const OAUTH_BODY_BYTES_MAX: usize = 16 * 1024;
const SHARE_BODY_BYTES_MAX: usize = symbolon_account::SHARE_BYTES_MAX / 3 * 4 + 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_accounts_are_told_from_agents_paths() {
        for path in [
            "/api/account",
            "/api/account/challenge",
            "/api/vault/blobs/a/0",
            "/api/audit",
            "/api/keys/login",
            "/api/proofs",
            "/api/proofs/keys",
            "/api/authorship/commits",
            "/demo/age/session",
            "/oauth/token",
            "/.well-known/oauth-protected-resource/mcp",
        ] {
            assert!(is_route(path), "{path}");
        }
        for path in [
            "/api/accounts",
            "/demo/age",
            "/api/approvals",
            "/api/vaults",
            "/mcp",
            "/api",
            "/x/api/vault",
        ] {
            assert!(!is_route(path), "{path}");
        }
    }
}
