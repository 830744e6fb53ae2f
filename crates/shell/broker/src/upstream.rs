//! Where calls go: the wire, or what a benchmark puts in its place.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, USER_AGENT,
};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::catalog::{Bound, Service};
use symbolon_capability::{
    BasicHalf, Connection, Refusal, Registration, Release, Scheme, SealedCredential,
};
use symbolon_connector::body::UndecodableBody;
use symbolon_connector::inject::Slot;
use symbolon_connector::redact::{
    Counts, ECHOES_MAX, FilterError, Pattern, PatternError, RedactError, Unconfirmed, Verdict,
    judge, judge_scratch_len,
};
use symbolon_connector::ssrf::{
    Allow, BaseUrl, Decision, Hop, RedirectError, RedirectPolicy, redirect,
};
use symbolon_receipt::Searched;
use symbolon_secret::Secret;

use crate::api::CallError;
use crate::arm::Draft;
use crate::minted::{LearnError, MintError, UnusableMinted};
use crate::mount::{Kept, Mount, MountError};
use crate::oauth::{Issued, Keeper, TokenError, copy};
use crate::reading::Reading;
use crate::sign::{AWS_TOKEN, Signer};
use crate::wire::{
    Client, Identity, Limits, Pace, Phase, Protocol, Resolver, Roots, Spent, Target, WireError,
};

/// One connection in force: what the wire and the redactor need, computed once.
#[derive(Clone)]
pub struct Live {
    pub(crate) registration: Arc<Registration>,
    pub(crate) pattern: Arc<Pattern>,
    pub(crate) slot: Arc<Slot>,
    /// For schemes that sign.
    pub(crate) signer: Option<Signer>,
    pub(crate) base: BaseUrl,
    pub(crate) target: Target,
    /// Fixed headers of the service, checked once.
    pub(crate) headers: HeaderMap,
    /// The token that goes out in place of the credential, where the broker gets tokens.
    pub(crate) issued: Option<Arc<Issued>>,
    /// A minted credential that goes out in place of all that.
    pub(crate) minted: Option<Arc<SealedCredential>>,
    /// Credentials that the answer held.
    made: Vec<Arc<SealedCredential>>,
    /// The MCP server that it leads to, where one is mounted.
    pub(crate) mount: Option<Arc<Mount>>,
    /// What renews it; calls ask it, see [`Live::ready`].
    keeper: Option<Arc<Keeper>>,
    envelope: Box<[u8]>,
}

impl Live {
    pub(crate) fn new(
        registration: Arc<Registration>,
        base: BaseUrl,
        envelope: Vec<u8>,
        issued: Option<Arc<Issued>>,
    ) -> Result<Self, CallError> {
        let c = &registration.connection;
        let bad =
            |e: &dyn std::fmt::Display| CallError::caller("connection", format!("{}: {e}", c.name));
        let roots = c.ca_pem.as_ref().map(|pem| Roots::with_extra(pem.as_bytes()));
        let roots = roots.transpose().map_err(|e| {
            bad(&e).next("give the file of the root certificate in PEM: --ca-file FILE")
        })?;
        let slot = Arc::new(slot(&c.auth)?);
        let damaged = |e: &dyn std::fmt::Display| {
            CallError::environment("credential_damaged", format!("{}: {e}", c.name)).next(format!(
                "enter it again: symbolon connect {} --name {} --replace",
                c.service, c.name
            ))
        };
        let learnt = registration.credential.learn(|wire| {
            let signer = Signer::of(&c.auth, registration.service.auth(), wire);
            let identity = (c.auth == Scheme::Mtls).then(|| Identity::read(wire));
            let stays = identity.is_some() || c.auth == Scheme::None;
            let pattern = match &issued {
                Some(_) => None,
                // It never leaves: nothing of it can come back.
                None if stays => Some(nothing()?),
                None => Some(Pattern::learn(&slot, wire, &SystemRng)?),
            };
            Ok::<_, PatternError>((pattern, signer, identity))
        });
        let (pattern, signer, identity) =
            learnt.map_err(|e| damaged(&e))?.map_err(|e| damaged(&e))?;
        let (authority, allow) = (base.authority().clone(), allow(c));
        let target = match (identity.transpose().map_err(|e| damaged(&e))?, roots) {
            (Some(identity), roots) => Target::with_identity(authority, allow, roots, identity),
            (None, Some(roots)) => Target::with_roots(authority, allow, roots),
            (None, None) => Target::new(authority, allow),
        }
        .map_err(|e| bad(&e))?;
        let pattern = match (pattern, &issued) {
            (Some(pattern), _) => pattern,
            (None, Some(issued)) => {
                issued.learn(&registration.credential).map_err(|e| damaged(&e))?
            }
            (None, None) => return Err(CallError::bug("a connection without a credential")),
        };
        let (pattern, signer) = (Arc::new(pattern), signer?);
        let mut headers = HeaderMap::new();
        for (name, value) in registration.service.headers() {
            headers.insert(header_name(name)?, header_value(value)?);
        }
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !headers.contains_key(USER_AGENT) {
            headers.insert(
                USER_AGENT,
                HeaderValue::from_static(concat!("symbolon/", env!("CARGO_PKG_VERSION"))),
            );
        }
        Ok(Self {
            pattern,
            base,
            slot,
            signer,
            target,
            headers,
            issued,
            minted: None,
            made: Vec::new(),
            mount: None,
            keeper: None,
            envelope: envelope.into(),
            registration,
        })
    }

    /// The same connection, that leads to a mounted server.
    pub(crate) fn with_mount(self, mount: Option<Arc<Mount>>) -> Self {
        Self { mount, ..self }
    }

    /// Whether the broker renews its tokens.
    pub(crate) fn renews(&self) -> bool {
        self.keeper.is_some()
    }

    /// The same connection, whose tokens `keeper` renews.
    pub(crate) fn kept_by(&self, keeper: Arc<Keeper>) -> Self {
        Self { keeper: Some(keeper), ..self.clone() }
    }

    /// The same connection with other tokens.
    pub(crate) fn with_issued(&self, issued: Issued) -> Result<Self, TokenError> {
        let pattern = Arc::new(issued.learn(&self.registration.credential)?);
        Ok(Self { pattern, issued: Some(Arc::new(issued)), keeper: None, ..self.clone() })
    }

    /// The same connection, as a call uses it that sends a minted credential.
    pub(crate) fn with_minted(
        &self,
        minted: Arc<SealedCredential>,
    ) -> Result<Arc<Self>, LearnError> {
        let in_force = self.keeper.as_ref().map(|keeper| keeper.in_force());
        let base = in_force.as_deref().unwrap_or(self);
        Self { minted: Some(minted), keeper: None, ..base.clone() }.relearnt()
    }

    /// The same connection, as an answer is searched that held these.
    pub(crate) fn with_made(
        &self,
        made: Vec<Arc<SealedCredential>>,
    ) -> Result<Arc<Self>, LearnError> {
        Self { made, ..self.clone() }.relearnt()
    }

    /// With what finds an echo of any of its secrets.
    fn relearnt(mut self) -> Result<Arc<Self>, LearnError> {
        let open = |sealed: &SealedCredential| sealed.learn(copy).map_err(|_| LearnError::Sealed);
        let secrets = self.secrets().map(open).collect::<Result<Vec<_>, _>>()?;
        let all: Vec<_> = secrets.iter().map(|secret| (&*self.slot, secret)).collect();
        self.pattern = Arc::new(Pattern::learn_all(&all, &SystemRng)?);
        Ok(Arc::new(self))
    }

    /// All that must not come back: what goes out, and what stays.
    fn secrets(&self) -> impl Iterator<Item = &SealedCredential> {
        let own = &self.registration.credential;
        let beside = self.issued.as_ref().map(|issued| issued.beside(own));
        let minted = self.minted.as_deref();
        let made = self.made.iter().map(|made| &**made);
        minted.into_iter().chain([self.kept()]).chain(beside.into_iter().flatten()).chain(made)
    }

    /// The connection as `release`'s call uses it to its end: where the broker gets tokens, with one
    /// that may go out.
    pub(crate) async fn ready(
        self: &Arc<Self>,
        release: &Arc<Release>,
    ) -> Result<Arc<Self>, UpstreamError> {
        match &self.keeper {
            None => Ok(self.clone()),
            Some(keeper) => keeper.current(release).await.map_err(UpstreamError::Token),
        }
    }

    /// The connection as a call goes on to use it, whose token as `used` has it was refused before
    /// its end; `None` where the broker has no other.
    pub(crate) async fn ready_instead_of(
        &self,
        used: &Self,
        release: &Arc<Release>,
    ) -> Option<Arc<Self>> {
        self.keeper.as_ref()?.instead_of(used, release).await
    }

    /// What goes out where no minted credential does.
    fn kept(&self) -> &SealedCredential {
        self.issued.as_ref().map_or(&self.registration.credential, |issued| &issued.access)
    }

    /// Whether one of this connection's secrets stands at `at`: for the redactor.
    pub(crate) fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        if *self.slot == Slot::Nowhere {
            return Ok(Verdict::default());
        }
        let one = |slot: &Slot, sealed: &SealedCredential| {
            let scratch = judge_scratch_len(sealed.wire_len());
            let judged =
                sealed.check(scratch, |wire, scratch| judge(slot, wire, scratch, haystack, at));
            judged.map_err(|_| Unconfirmed)?
        };
        let mut verdict = Verdict::default();
        for sealed in self.secrets() {
            verdict = verdict.or(one(&self.slot, sealed)?);
        }
        Ok(verdict)
    }

    /// Whether this is the same connection still, of the same service.
    pub(crate) fn is(
        &self,
        c: &Connection,
        envelope: &[u8],
        service: &Arc<Service>,
        mounted: Option<&Kept>,
    ) -> bool {
        let own = &self.registration.connection;
        *self.envelope == *envelope
            && Arc::ptr_eq(&self.registration.service, service)
            && self.mount.as_ref().map_or(mounted.is_none(), |mount| mount.is(mounted))
            && own.created_unix_ms == c.created_unix_ms
            && own.scopes == c.scopes
    }

    /// Host, and the port where it is not the scheme's own: what the Host header says.
    pub(crate) fn host(&self) -> &str {
        self.base.authority().as_str()
    }

    /// Whether the way to the upstream is TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.base.authority().scheme() == symbolon_connector::ssrf::Scheme::Https
    }

    pub(crate) fn close_idle(&self) {
        self.target.close_idle();
    }
}

/// Which addresses a connection may reach.
pub(crate) fn allow(c: &Connection) -> Allow {
    Allow { loopback: c.allow_loopback, private: c.allow_private }
}

/// Where the credential stands in a request.
pub(crate) fn slot(scheme: &Scheme) -> Result<Slot, CallError> {
    match scheme {
        Scheme::Bearer | Scheme::OAuth2(_) => Ok(Slot::bearer()),
        Scheme::Header { name, prefix } => Slot::header(name, prefix),
        Scheme::Query { name } => Slot::query(name),
        Scheme::Cookie { name } => Slot::cookie(name),
        Scheme::Form { name } => Slot::form(name),
        Scheme::Aws4 { session, .. } => Slot::signed(session.then_some(AWS_TOKEN)),
        Scheme::Hmac => Slot::signed(None),
        Scheme::Mtls | Scheme::None => Ok(Slot::Nowhere),
        Scheme::Basic(BasicHalf::Both | BasicHalf::Password { .. } | BasicHalf::User) => {
            Ok(Slot::Basic)
        }
    }
    .map_err(|e| CallError::caller("auth", e.to_string()))
}

/// A pattern of what nobody has.
fn nothing() -> Result<Pattern, PatternError> {
    let text = Secret::<[u8]>::make_slice(32, |out| SystemRng.fill(out));
    Pattern::learn(&Slot::Nowhere, &text, &SystemRng)
}

/// One request on its way out: released, and not yet written.
pub struct Outgoing<'a> {
    live: &'a Live,
    release: Arc<Release>,
    bound: &'a Bound,
    /// The header in which the operation takes an idempotency key, and the call's.
    key: Option<(HeaderName, HeaderValue)>,
    /// What is left of the call's time.
    left: Duration,
}

impl<'a> Outgoing<'a> {
    pub(crate) fn new(
        live: &'a Live,
        release: Arc<Release>,
        bound: &'a Bound,
        key: Option<(HeaderName, HeaderValue)>,
        left: Duration,
    ) -> Self {
        Self { live, release, bound, key, left }
    }

    /// The connection.
    pub(crate) const fn live(&self) -> &'a Live {
        self.live
    }

    /// The request.
    pub(crate) const fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// What is left of the call's time.
    pub(crate) const fn left(&self) -> Duration {
        self.left
    }

    /// The idempotency key that this try carries.
    pub fn idempotency_key(&self) -> Option<&HeaderValue> {
        self.key.as_ref().map(|(_, key)| key)
    }

    /// The right to open the credential.
    pub fn release(&self) -> &Arc<Release> {
        &self.release
    }
}

/// What came back, whole, as the upstream sent it.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decoded.
    pub body: Bytes,
    /// Bytes written, head and body.
    pub bytes_out: u64,
    /// Body bytes read, as they came over the wire.
    pub bytes_in: u64,
    /// Same-origin redirects that were followed.
    pub redirects: u8,
    /// Set where a coding was left on the body, of a type that the operation lists.
    pub searched: Option<Searched>,
    /// Echoes of the credential that were taken out, by form.
    pub redactions: Counts,
    /// What a mounted server's tool came to; `None` of every other answer.
    pub tool: Option<ToolOutcome>,
    /// The connection it came over.
    pub(crate) spent: Spent,
}

/// What a mounted server's tool came to. The answer is whole in each case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutcome {
    /// A result.
    Done,
    /// A result that says that the tool failed.
    Failed,
    /// An error of the server's in place of a result.
    Refused,
}

impl ToolOutcome {
    /// What the receipt says of a failure.
    pub(crate) const fn code(self) -> Option<&'static str> {
        match self {
            Self::Done => None,
            Self::Failed => Some("tool_error"),
            Self::Refused => Some("mcp_error"),
        }
    }
}

impl Answer {
    /// A short text, for what stands in place of the network.
    pub fn text(status: u16, body: &'static str) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            bytes_out: 0,
            bytes_in: body.len() as u64,
            redirects: 0,
            searched: None,
            redactions: Counts::default(),
            tool: None,
            spent: Spent::default(),
        }
    }
}

/// Why nothing usable came back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// The wire.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The wire, when a redirect was followed: the credential was out before.
    #[error(transparent)]
    Redirected(WireError),
    /// The upstream points somewhere that the credential does not go.
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    /// The body cannot be searched for an echo.
    #[error("the response cannot be searched for the credential: {0}")]
    Undecodable(String),
    /// 101 to a request that asked for no other protocol: what follows is not HTTP.
    #[error("the upstream switched protocols, which the request did not ask for")]
    Switched,
    /// A decoded body beyond the limit.
    #[error("the decoded response is longer than {0} bytes")]
    TooLong(u64),
    /// The search for the credential failed, so nothing is given out.
    #[error(transparent)]
    Redact(#[from] RedactError),
    /// An answer that is little but the credential.
    #[error("the response repeats the credential more than {0} times")]
    Echoes(u32),
    /// The credential in a message whose bytes cannot be changed.
    #[error("the upstream repeats the credential in a message")]
    Echoed,
    /// The credential in pieces, over several messages.
    #[error("the upstream spreads the credential over several messages")]
    Spread,
    /// The broker is being stopped; the upstream was not waited for.
    #[error("the broker was stopped before the upstream answered")]
    Stopped,
    /// What the call was let through by stands no more, and its answer was still coming.
    #[error("the answer was broken off: {0}")]
    Fallen(Refusal),
    /// The service made a credential that was not kept.
    #[error("the service made a credential, or may have: {0}; nothing of it was passed on or kept")]
    Mint(#[from] MintError),
    /// The minted credential to send is not good any more.
    #[error(transparent)]
    Minted(#[from] UnusableMinted),
    /// There is no access token to send.
    #[error(transparent)]
    Token(Arc<TokenError>),
    /// A mounted server.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The request cannot be built.
    #[error("the request cannot be built: {0}")]
    Request(String),
}

impl From<UndecodableBody> for UpstreamError {
    fn from(error: UndecodableBody) -> Self {
        match error {
            UndecodableBody::TooLong(max) => Self::TooLong(max),
            _ => Self::Undecodable(error.to_string()),
        }
    }
}

impl From<FilterError> for UpstreamError {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Undecodable(error) => error.into(),
            FilterError::Redact(error) => error.into(),
            _ => Self::Echoes(ECHOES_MAX),
        }
    }
}

impl UpstreamError {
    /// Whether the credential may have left. False is certain.
    pub fn released(&self) -> bool {
        match self {
            Self::Wire(e) => e.released(),
            Self::Mount(e) => e.sent,
            Self::Request(_) | Self::Token(_) | Self::Minted(_) => false,
            _ => true,
        }
    }
}

/// Sends requests.
pub trait Upstream: Send + Sync {
    /// Sends one request with its credential and gives the whole answer.
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>>;
}

/// The network.
pub(crate) struct Wire(Client);

impl Wire {
    /// With the system's resolver where none is given.
    pub(crate) fn new(limits: Limits, resolver: Option<Arc<dyn Resolver>>) -> Self {
        Self(Client::of(limits, resolver))
    }

    async fn exchange(&self, out: Outgoing<'_>) -> Result<Answer, UpstreamError> {
        let operation = out.release.operation().clone();
        let method = operation.method();
        let mut path_and_query = out.bound.path().as_str().to_owned();
        if !out.bound.query().is_empty() {
            path_and_query.push('?');
            path_and_query.push_str(out.bound.query());
        }
        let mut target = out.live.base.target(&path_and_query);
        let (mut bytes_out, mut hops) = (0, 0);
        let pace = Pace { total: out.left, ..Pace::from(self.0.limits()) };
        let deadline = tokio::time::Instant::now() + out.left;
        loop {
            let mut draft = draft(&out, &target)?;
            let armed = out.live.arm(&out.release, &mut draft)?;
            let request = draft.into_request()?;
            let sent = self.0.send_at(&out.live.target, Protocol::Http1, armed, request, pace);
            let (parts, body, sent) = match hops {
                0 => sent.await?,
                // One deadline for the call, however often it is sent on.
                _ => tokio::time::timeout_at(deadline, sent)
                    .await
                    .map_err(|_| WireError::Timeout { phase: Phase::Head, released: true })?
                    .map_err(UpstreamError::Redirected)?,
            };
            bytes_out += sent.bytes;
            if parts.status.is_informational() {
                return Err(UpstreamError::Switched);
            }
            let hop = Hop {
                base: &out.live.base,
                authority: out.live.base.authority(),
                target: &target,
                method: method.as_str(),
                taken: hops,
            };
            let location = parts.headers.get(LOCATION).map(HeaderValue::as_bytes);
            match redirect(RedirectPolicy::default(), &hop, parts.status.as_u16(), location) {
                // Followed only where this call's grant covers the place that it leads to.
                Decision::Follow { authority, target: next, credential: true }
                    if authority == *out.live.base.authority() && is_admitted(&out, &next) =>
                {
                    // Closed with it: nobody looks for an echo in what is not given out.
                    drop(body.collect_held().await?);
                    (target, hops) = (next, hops + 1);
                }
                Decision::Refuse(e) => return Err(e.into()),
                _ => {
                    let (raw, spent) = body.collect_held().await?;
                    let bytes_in = raw.len() as u64;
                    let bytes_max = self.0.limits().response_body_bytes_max;
                    let reading = Reading::of(&operation, parts.status, &parts.headers, bytes_max)?;
                    let body = crate::answer::decode(&reading, raw)?;
                    return Ok(Answer {
                        status: parts.status.as_u16(),
                        headers: parts.headers,
                        body,
                        bytes_out,
                        bytes_in,
                        redirects: hops,
                        searched: reading.searched,
                        redactions: Counts::default(),
                        tool: None,
                        spent,
                    });
                }
            }
        }
    }
}

/// The request as the catalogue makes it, without its credential.
fn draft(out: &Outgoing<'_>, target: &str) -> Result<Draft, UpstreamError> {
    let bad = |e: &dyn std::fmt::Display| UpstreamError::Request(e.to_string());
    let operation = out.release.operation();
    let mut headers = out.live.headers.clone();
    for (name, value) in operation.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| bad(&e))?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|e| bad(&e))?);
    }
    if let Some((name, key)) = &out.key {
        headers.insert(name, key.clone());
    }
    let body = match out.bound.body() {
        Some(body) => {
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_str(body.content_type()).map_err(|e| bad(&e))?,
            );
            Bytes::copy_from_slice(body.bytes())
        }
        None => Bytes::new(),
    };
    let method = http::Method::from_bytes(operation.method().as_str().as_bytes());
    Ok(Draft {
        method: method.map_err(|e| bad(&e))?,
        target: target.to_owned(),
        headers,
        body,
        streamed: false,
    })
}

impl Upstream for Wire {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>> {
        Box::pin(self.exchange(outgoing))
    }
}

/// Whether a redirect leads to an operation of the same scope, with arguments that the grant of
/// this call admits. Anything else is handed over as the answer: the caller may ask for it.
fn is_admitted(out: &Outgoing<'_>, target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(path) = path.strip_prefix(out.live.base.path()) else { return false };
    let raw = symbolon_capability::catalog::RawRequest {
        method: out.release.operation().method().as_str(),
        path,
        query,
        content_type: None,
        body: b"",
    };
    let matched = out.live.registration.service.matches_request(&raw);
    matched.is_ok_and(|m| out.release.admits(m.operation(), m.arguments()))
}

fn header_name(name: &str) -> Result<HeaderName, CallError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|e| CallError::bug(e.to_string()))
}

fn header_value(value: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(value).map_err(|e| CallError::bug(e.to_string()))
}
