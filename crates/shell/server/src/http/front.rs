//! What stands before every route: Host and Origin, the agent's key, the body's bounds, security headers.

use std::{net::SocketAddr, sync::Arc};

use axum::{BoxError, Router, response::IntoResponse};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{Either, Full};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use symbolon_broker::{CallError, Door};
use symbolon_mcp::{
    HttpDoor, HttpOptions, Limits, Seats, http_service,
    vault::{VaultDoor, vault_service},
};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    accounts::{self, Accounts},
    allowed::Allowed,
    api::{self, Api, Known, Peer},
    backend::Backend,
    bodies::{Bodies, Whole, none_taken},
    connection::{Connection, Places},
    cors::Cross,
    desk,
    failure::{Failure, failure},
    flows, hooks, key,
    options::{Bounds, ServeOptions},
    owner, to,
};

mod assistants;

/// Bodies as they leave: whole, or whatever a route makes.
pub type Body = Either<Full<Bytes>, axum::body::Body>;

/// Answers requests, from whatever listener they come.
pub struct Front<B: Backend> {
    api: Arc<Api<B>>,
    router: TowerToHyperService<Router>,
    mcp: HttpDoor<B>,
    allowed: Allowed,
    bounds: Bounds,
    places: Places,
    bodies: Bodies,
    accounts: Option<Accounts>,
    /// `/mcp` for assistants, where there are accounts.
    vault: Option<VaultDoor<Accounts>>,
    tls: bool,
    /// `/mcp` without a key, for the conformance suite.
    open: bool,
}

impl<B: Backend> std::fmt::Debug for Front<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl<B: Backend> Front<B> {
    /// For a listener on `address`; streams end when `stop` is cancelled.
    pub fn new(
        backend: B,
        address: SocketAddr,
        options: &ServeOptions,
        stop: CancellationToken,
    ) -> Self {
        let tls = options.tls.is_some();
        let mut allowed = Allowed::new(address, &options.hosts, tls);
        if let Some(accounts) = &options.accounts {
            let origin = accounts.origin();
            allowed = allowed.with_origin(origin.as_str(), origin.authority());
        }
        let mcp = HttpOptions {
            hosts: allowed.hosts().to_vec(),
            origins: allowed.origins().to_vec(),
            body_bytes_max: options.bounds.body_bytes_max,
            sessions: options.bounds.sessions,
            stop: stop.clone(),
        };
        let vault = options.accounts.clone().map(|accounts| vault_service(accounts, mcp.clone()));
        let seats = Seats::new(backend.clone(), Door::Http, Limits::default());
        let api = Arc::new(Api {
            backend: backend.clone(),
            seats,
            scheme: scheme(tls),
            listing: Arc::new(Semaphore::new(LISTING_MAX)),
            watching: Arc::new(Semaphore::new(desk::live::WATCHING_MAX)),
            stop: stop.clone(),
        });
        Self {
            router: TowerToHyperService::new(api::router(api.clone())),
            api,
            mcp: http_service(backend, mcp),
            allowed,
            places: Places::new(options.bounds.agent_connections_max),
            bodies: Bodies::new(&options.bounds),
            bounds: options.bounds.clone(),
            accounts: options.accounts.clone(),
            vault,
            tls,
            #[cfg(feature = "conformance")]
            open: options.conformance,
            #[cfg(not(feature = "conformance"))]
            open: false,
        }
    }

    /// Answers one request that came on this connection.
    pub async fn answer<In>(&self, on: &Connection, request: Request<In>) -> Response<Body>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let (mut head, body) = request.into_parts();
        let own = self.accounts.as_ref().filter(|_| !self.open).map(Accounts::origin);
        let Some(cross) = own.and_then(|own| Cross::take(&mut head, own)) else {
            return self.answered(on, head, body).await;
        };
        let mut response = match cross.answer() {
            Some(asked) if self.allowed.check(&head.uri, &head.headers).is_ok() => {
                self.dressed(asked.map(Either::Left), None)
            }
            _ => self.answered(on, head, body).await,
        };
        cross.dress(response.headers_mut());
        response
    }

    /// The same, with what a page of another origin may not ask refused.
    async fn answered<In>(&self, on: &Connection, mut head: Parts, body: In) -> Response<Body>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let has_body = !body.is_end_stream();
        let host = match self.allowed.check(&head.uri, &head.headers) {
            Ok(host) => host,
            Err(error) => return closing(self.dressed(refuse(error), None)),
        };
        if let Some(place) = self.accounts.as_ref().and_then(|all| all.page_elsewhere(&head, host))
        {
            return closing(self.dressed(moved(&place), None));
        }
        if let Some(page) = desk::page::answer(&head) {
            let response = self.dressed(page.map(Either::Left), Some(host));
            return if has_body { closing(response) } else { response };
        }
        if let Some(accounts) = &self.accounts
            && accounts::is_route(head.uri.path())
        {
            let answered = self.of_account(accounts, on, head, body).await;
            return self.dressed(answered, None);
        }
        if let Some(accounts) = &self.accounts
            && head.uri.path() == MCP_PATH
            && !self.open
            && accounts::is_assistants(&head)
        {
            let answered = self.of_assistant(accounts, on, head, body).await;
            return self.dressed(answered, None);
        }
        // No byte of a body is read for a caller that is nobody.
        let agent = match self.known(on, &head) {
            Ok(agent) => agent,
            Err(error) => return closing(self.dressed(refuse(error), Some(host))),
        };
        if desk::account::asks(&head) {
            match self.shown(on, &head, has_body).await {
                Ok(shown) => {
                    head.extensions.insert(shown);
                }
                Err(error) => return closing(self.dressed(refuse(error), Some(host))),
            }
        }
        if head.uri.path().starts_with(owner::PREFIX)
            && !desk::session::opens(&head)
            && let Err(error) = owner::check(&self.api.backend, &head)
        {
            return closing(self.dressed(refuse(error), Some(host)));
        }
        if matches!(takes(&head), Takes::Secret) && !desk::account::asks(&head) {
            let response = match desk::secret::read(body, self.bounds.body).await {
                Ok(secret) => {
                    head.extensions.insert(desk::secret::SecretBody::new(secret));
                    self.in_time(self.route(on, None, head, Bytes::new())).await
                }
                Err(error) => return closing(self.dressed(refuse(error), Some(host))),
            };
            return self.dressed(response, Some(host));
        }
        let (whole, is_read) = match (&agent, takes(&head)) {
            (Some(agent), Takes::Body) => match self.bodies.read(agent, body).await {
                Ok(whole) => (whole, true),
                Err(error) => return closing(self.dressed(refuse(error), Some(host))),
            },
            // The owner's, whose token was looked at; or of somebody who signed it, as is seen when
            // it is there. Those share one budget, which is nobody else's.
            (None, Takes::Body) => match self.bodies.read(&whose(&head).into(), body).await {
                Ok(whole) => (whole, true),
                Err(error) => return closing(self.dressed(refuse(error), Some(host))),
            },
            (_, Takes::None) if has_body => {
                return closing(self.dressed(refuse(none_taken()), Some(host)));
            }
            _ => (Whole::default(), !has_body),
        };
        let Whole { bytes, held } = whole;
        let response = match agent {
            // The gateway's answers are the upstream's, and leave without our headers.
            Some(agent) if head.uri.path().starts_with(to::PREFIX) => {
                self.in_time(self.gateway(&agent, head, bytes)).await
            }
            agent => {
                let response = self.in_time(self.route(on, agent, head, bytes)).await;
                self.dressed(response, Some(host))
            }
        };
        drop(held);
        if is_read { response } else { closing(response) }
    }

    /// Answers a request of the accounts: its head is looked at before any of its body is read.
    async fn of_account<In>(
        &self,
        accounts: &Accounts,
        on: &Connection,
        head: Parts,
        body: In,
    ) -> Response<Body>
    where
        In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let has_body = !body.is_end_stream();
        let admitted = accounts.admit(on, &head, has_body, self.tls);
        let admitted = match timeout(self.bounds.answer, admitted).await {
            Ok(Ok(admitted)) => admitted,
            Ok(Err(error)) => return closing(refuse(error)),
            Err(_) => return closing(too_late()),
        };
        let Whole { bytes, held } = match accounts::body_bytes_max(&head.method, head.uri.path()) {
            None if has_body => return closing(refuse(none_taken())),
            None => Whole::default(),
            Some(most) => match self.bodies.read_at_most(&admitted.whose(), body, most).await {
                Ok(whole) => whole,
                Err(error) => return closing(refuse(error)),
            },
        };
        let answer = async {
            match accounts.answer(admitted, head, bytes).await {
                Ok(response) => response.map(Either::Right),
                Err(error) => refuse(error),
            }
        };
        let response = timeout(self.bounds.answer, answer).await.unwrap_or_else(|_| too_late());
        drop(held);
        response
    }

    /// The account that an owner's request comes with, confirmed. Such a request has no body.
    async fn shown(
        &self,
        on: &Connection,
        head: &Parts,
        has_body: bool,
    ) -> Result<desk::account::Shown, CallError> {
        let accounts = self.accounts.as_ref().ok_or_else(desk::no_session)?;
        if has_body {
            return Err(none_taken());
        }
        let asked = accounts.confirmed(on, head, self.tls);
        let account =
            timeout(self.bounds.answer, asked).await.map_err(|_| desk::no_session())??;
        Ok(desk::account::Shown(account))
    }

    /// The agent that asks, seated on its connection; none where a path needs no key.
    fn known(&self, on: &Connection, head: &Parts) -> Result<Option<Arc<str>>, CallError> {
        let path = head.uri.path();
        let agent = if path == MCP_PATH && self.open {
            CONFORMANCE_AGENT.into()
        } else if needs_key(path) {
            key::agent(&self.api.backend, &head.headers)?
        } else {
            return Ok(None);
        };
        self.places.seat(on, &agent)?;
        Ok(Some(agent))
    }

    async fn gateway(&self, agent: &Arc<str>, head: Parts, body: Bytes) -> Response<Body> {
        let forwarded = async {
            let seat = self.api.seats.of(agent)?;
            to::forward(&seat, to::asked(head, body)?).await
        };
        match forwarded.await {
            Ok(response) => response.map(Either::Left),
            Err(error) => refuse(error),
        }
    }

    async fn route(
        &self,
        on: &Connection,
        agent: Option<Arc<str>>,
        mut head: Parts,
        body: Bytes,
    ) -> Response<Body> {
        match agent {
            Some(agent) if head.uri.path() == MCP_PATH => {
                let response = self.mcp.handle(agent, Request::from_parts(head, body)).await;
                return response.map(|body| Either::Right(axum::body::Body::new(body)));
            }
            Some(agent) => {
                head.extensions.insert(Known(agent));
            }
            None => {}
        }
        if head.uri.path().starts_with(hooks::PREFIX) {
            return match hooks::deliver(&self.api.backend, &head, body).await {
                Ok(response) => response.map(Either::Left),
                Err(error) => refuse(error),
            };
        }
        head.extensions.insert(Peer(on.peer()));
        let request = Request::from_parts(head, axum::body::Body::from(body));
        match self.router.call(request).await {
            Ok(response) => response.map(Either::Right),
            Err(never) => match never {},
        }
    }

    async fn in_time(&self, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
        timeout(self.bounds.answer, answer).await.unwrap_or_else(|_| {
            refuse(failure(
                "timed_out",
                StatusCode::GATEWAY_TIMEOUT,
                "No answer came in time. A call that began goes on, and its receipt will be listed.",
                Some("symbolon receipts"),
            ))
        })
    }

    /// Adds the headers that every answer of ours carries.
    fn dressed(&self, mut response: Response<Body>, host: Option<&str>) -> Response<Body> {
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(host) = host
            && let Ok(value) = HeaderValue::try_from(match &self.accounts {
                // A proxy may stand before us: the origin is what clients know us by.
                Some(accounts) => key::challenge(accounts.origin().as_str()),
                None => key::challenge(&format!("{}://{host}", scheme(self.tls))),
            })
        {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        let headers = response.headers_mut();
        for (name, value) in SECURITY_HEADERS {
            if !headers.contains_key(&name) {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        if self.tls {
            add_hsts(headers);
        }
        response
    }
}

/// Another name of ours, where a page works.
fn moved(place: &str) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

fn too_late() -> Response<Body> {
    let says = "No answer came in time. What was begun may still be done.";
    refuse(failure("timed_out", StatusCode::GATEWAY_TIMEOUT, says, None))
}

fn refuse(error: CallError) -> Response<Body> {
    Failure(error).into_response().map(Either::Right)
}

/// Ends the connection after this answer: what is left of the request on it is not read.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// `/mcp`, the gateway, and all of the API but the document that describes it.
fn needs_key(path: &str) -> bool {
    let api = path.starts_with("/api/")
        && path != "/api/openapi.json"
        && !path.starts_with(owner::PREFIX);
    api || path == MCP_PATH || path.starts_with(to::PREFIX)
}

/// What is done with a request's body.
enum Takes {
    /// It is read.
    Body,
    /// It is read into secret memory.
    Secret,
    /// There must be none.
    None,
    /// It is left unread: the route refuses the request for its path or method.
    Nothing,
}

fn takes(head: &Parts) -> Takes {
    let path = head.uri.path();
    if path.starts_with(owner::PREFIX) {
        return match desk::takes(&head.method, path) {
            desk::Takes::Body => Takes::Body,
            desk::Takes::Secret => Takes::Secret,
            desk::Takes::None => Takes::None,
            desk::Takes::Nothing => Takes::Nothing,
        };
    }
    let is_answer = path.starts_with(hooks::PREFIX)
        || flows::PREFIXES.iter().any(|prefix| path.starts_with(prefix));
    if is_answer && head.method == Method::POST
        || path.starts_with(to::PREFIX)
        || head.method == Method::POST && TAKE_BODIES.contains(&path)
    {
        return Takes::Body;
    }
    match head.method {
        Method::GET | Method::HEAD => Takes::None,
        _ => Takes::Nothing,
    }
}

fn whose(head: &Parts) -> &'static str {
    if head.uri.path().starts_with(hooks::PREFIX) { SIGNERS } else { OWNER }
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

fn add_hsts(headers: &mut HeaderMap) {
    let year = HeaderValue::from_static("max-age=31536000");
    headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
}

const MCP_PATH: &str = "/mcp";
/// Where a POST has a body.
const TAKE_BODIES: [&str; 5] =
    [MCP_PATH, "/api/call", "/api/capability/request", "/api/capability/redeem", "/api/delegate"];
/// Lists of receipts that are read at once: each may read much of the log.
const LISTING_MAX: usize = 2;
/// Whose the bodies of the owner's answers are; no agent can have this name.
const OWNER: &str = "the owner";
/// The same for webhooks.
const SIGNERS: &str = "webhooks";
const CONFORMANCE_AGENT: &str = "conformance";

/// Of all but the page, which has a policy of its own: nothing may be framed, sniffed, cached or loaded from elsewhere.
const SECURITY_HEADERS: [(http::HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (http::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
