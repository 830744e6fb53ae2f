//! A call, from request to receipt. The one path on which a credential is let out.

use std::convert::Infallible;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use symbolon_capability::approval::Consent;
use symbolon_capability::catalog::{Body, Bound, RawRequest};
use symbolon_capability::engine::{Refused, TOKEN_TTL_SECONDS};
use symbolon_capability::{
    Lease, Opening, Refusal, Registration, Release, Token, minted_request_digest, request_digest,
    streamed_request_digest,
};
use symbolon_codec::Digest32;

use crate::Broker;
use crate::answer;
use crate::api::*;
use crate::approvals::Opened;
use crate::echo;
use crate::errors;
use crate::minted::{Made, Shown, mints, shown_in};
use crate::receipts::{Completion, Marks};
use crate::retry::own_key;
use crate::upstream::{Answer, Live, UpstreamError};
use crate::wire::Spent;

/// A request that is bound to one operation, one connection and one set of bytes.
pub(crate) struct Prepared {
    pub(crate) lease: Arc<Lease>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) bound: Bound,
    pub(crate) digest: Digest32,
    /// The idempotency key that its caller brought.
    pub(crate) own_key: Option<(HeaderName, HeaderValue)>,
    /// The body is sent on as it comes: the digest is of all else, and nobody can be shown it.
    pub(crate) is_streamed: bool,
    /// What its caller showed, to be sent in place of the connection's credential.
    pub(crate) minted: Option<Shown>,
    /// The owner's own look at a credential: headers that tell of it are shown.
    pub(crate) is_check: bool,
}

/// Answers up to this size are searched by the task that called.
const SEARCHED_HERE_MAX: usize = 256 * 1024;

/// Connection, method, path, query, headers and body, as they came.
type RawParts<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, &'a HeaderMap, &'a [u8]);

impl Prepared {
    pub(crate) fn new(lease: Arc<Lease>, arguments: Map<String, Value>, bound: Bound) -> Self {
        let (content_type, body) =
            bound.body().map_or(("", &b""[..]), |b| (b.content_type(), b.bytes()));
        let digest = request_digest(
            lease.operation.method().as_str(),
            &lease.registration.connection.base_url,
            bound.path().as_str(),
            bound.query(),
            content_type,
            body,
        );
        Self {
            lease,
            arguments,
            bound,
            digest,
            own_key: None,
            is_streamed: false,
            minted: None,
            is_check: false,
        }
    }

    /// As [`new`](Self::new), of a request whose body is sent on as it comes.
    pub(crate) fn streamed(lease: Arc<Lease>, arguments: Map<String, Value>, bound: Bound) -> Self {
        let digest = streamed_request_digest(
            lease.operation.method().as_str(),
            &lease.registration.connection.base_url,
            bound.path().as_str(),
            bound.query(),
            bound.body().map_or("", |b| b.content_type()),
        );
        Self {
            lease,
            arguments,
            bound,
            digest,
            own_key: None,
            is_streamed: true,
            minted: None,
            is_check: false,
        }
    }

    /// With a minted credential in place of the connection's. The digest says so too.
    pub(crate) fn show(&mut self, shown: Shown) {
        self.digest = minted_request_digest(&self.digest, &shown.held.id);
        self.minted = Some(shown);
    }

    /// The body's bytes, to be sent.
    pub(crate) fn take_body(&mut self) -> Vec<u8> {
        self.bound.take_body().map_or_else(Vec::new, Body::into_bytes)
    }

    /// The request that it was made of.
    fn into_request(self) -> CallRequest {
        CallRequest {
            tool: self.lease.operation.name().to_string(),
            connection: Some(self.lease.registration.connection.name.to_string()),
            arguments: self.arguments,
            minted: self.minted.map(|shown| shown.placeholder),
        }
    }

    /// Roughly how much memory it holds.
    pub(crate) fn size(&self) -> usize {
        let body = self.bound.body().map_or(0, |b| b.bytes().len());
        // Arguments hold about what the request is made of.
        512 + 2 * (self.bound.path().as_str().len() + self.bound.query().len() + body)
    }
}

impl Broker {
    /// Gates, intent, release, receipt, in one step.
    ///
    /// # Errors
    /// [`CallError`]; a refusal by a gate and every failure after the release leave a receipt,
    /// which the error names.
    pub async fn call(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
    ) -> Result<CallReply, CallError> {
        self.call_unless(session, context, request, std::future::pending()).await
    }

    /// As [`Broker::call`], of a caller that may leave while a person is asked: when `gone` ends,
    /// the question is withdrawn. A call that has begun runs to its receipt all the same.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::call`], and `caller_gone`.
    pub async fn call_unless(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
        gone: impl Future<Output = ()>,
    ) -> Result<CallReply, CallError> {
        let started_ns = self.clock.mono_ns();
        let prepared = self.prepare(session, context, request)?;
        let opening = tokio::select! {
            biased;
            opening = self.obtain(session, context, &prepared) => opening?,
            () = gone => return Err(errors::caller_gone()),
        };
        let (answer, receipt) = self.execute(opening, prepared).await?;
        Ok(answer::reply(answer, receipt, (self.clock.mono_ns() - started_ns) / 1_000_000))
    }

    /// As [`Broker::call`], for a caller that can come again: where a person is asked, says so at
    /// once instead of waiting.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::call`], and for a state that is not good here.
    pub async fn call_asking(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
        asking: Asking,
    ) -> Result<Called<CallReply>, CallError> {
        let started_ns = self.clock.mono_ns();
        let prepared = self.prepare(session, context, request)?;
        self.run_asking(session, context, prepared, &asking, started_ns).await
    }

    async fn run_asking(
        &self,
        session: &Session,
        context: &Context,
        prepared: Prepared,
        asking: &Asking,
        started_ns: u64,
    ) -> Result<Called<CallReply>, CallError> {
        match self.obtain_now(session, context, &prepared, asking).await? {
            Opened::Now(opening) => {
                let (answer, receipt) = self.execute(opening, prepared).await?;
                let took_ms = (self.clock.mono_ns() - started_ns) / 1_000_000;
                Ok(Called::Done(answer::reply(answer, receipt, took_ms)))
            }
            Opened::Asked(number) => {
                let pending = self.pending_call(number, prepared.into_request())?;
                Ok(Called::Asked(Box::new(pending)))
            }
        }
    }

    /// The first of two steps: a token for this exact request.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::call`]; nothing was released.
    pub fn request(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
    ) -> Result<TokenReply, CallError> {
        let prepared = self.prepare(session, context, request)?;
        if !self.held.has_room(session, prepared.size(), self.clock.mono_ns()) {
            let message = "too many requests of this session wait to be redeemed";
            return Err(CallError {
                retry_after_seconds: Some(TOKEN_TTL_SECONDS),
                ..CallError::caller("too_many_tokens", message).status(429)
            }
            .next("redeem them, or let them expire"));
        }
        let token = self
            .engine
            .mint_with(
                &prepared.lease,
                context,
                &prepared.arguments,
                &prepared.digest,
                Consent::AtRedeem,
            )
            .map_err(|r| self.refused(session, context, &prepared, r))?;
        let will = format!(
            "{} {}{} through {}",
            prepared.lease.operation.method().as_str(),
            prepared.lease.registration.connection.base_url,
            prepared.bound.path().as_str(),
            prepared.lease.registration.connection.name
        );
        let text = token.to_text();
        self.held.put(&token, session, prepared, self.clock.mono_ns());
        Ok(TokenReply { token: text, expires_in_seconds: TOKEN_TTL_SECONDS, will })
    }

    /// The second step.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::call`], and for a token that is not good here.
    pub async fn redeem(
        &self,
        session: &Session,
        context: &Context,
        token: &str,
    ) -> Result<CallReply, CallError> {
        self.redeem_unless(session, context, token, std::future::pending()).await
    }

    /// As [`Broker::redeem`], of a caller that may leave; see [`Broker::call_unless`].
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::redeem`], and `caller_gone`.
    pub async fn redeem_unless(
        &self,
        session: &Session,
        context: &Context,
        token: &str,
        gone: impl Future<Output = ()>,
    ) -> Result<CallReply, CallError> {
        let stays = Asking { stays: true, ..Asking::default() };
        match self.redeem_asking(session, context, token, &stays).await? {
            Called::Done(reply) => Ok(reply),
            Called::Asked(pending) => {
                tokio::select! {
                    biased;
                    () = self.until_answered_or_gone(pending.number) => {}
                    () = gone => return Err(errors::caller_gone()),
                }
                let again = Asking { state: Some(pending.state), ..stays };
                match self.call_asking(session, context, pending.request, again).await? {
                    Called::Done(reply) => Ok(reply),
                    Called::Asked(pending) => Err(pending.to_error()),
                }
            }
        }
    }

    /// As [`Broker::redeem`], for a caller that can come again, with the request as
    /// [`Broker::call_asking`] takes it.
    ///
    /// # Errors
    /// [`CallError`] as [`Broker::redeem`].
    pub async fn redeem_asking(
        &self,
        session: &Session,
        context: &Context,
        token: &str,
        asking: &Asking,
    ) -> Result<Called<CallReply>, CallError> {
        let started_ns = self.clock.mono_ns();
        let unknown = || errors::refusal(&symbolon_capability::Refusal::TokenUnknown);
        let token = Token::parse(token).map_err(|_| unknown())?;
        // Without its request a token is still judged: the table knows one that was used.
        let Some(prepared) = self.held.take(&token) else {
            let nothing = Digest32([0; 32]);
            let refused = self.engine.redeem(&token, session, context, &nothing);
            return Err(refused.map_or_else(|r| self.refusal(&r.refusal), |_| unknown()));
        };
        match self.engine.redeem(&token, session, context, &prepared.digest) {
            Ok(opening) => {
                let (answer, receipt) = self.execute(opening, prepared).await?;
                let took_ms = (self.clock.mono_ns() - started_ns) / 1_000_000;
                Ok(Called::Done(answer::reply(answer, receipt, took_ms)))
            }
            // The token was good, and a person is to be asked before what it is for.
            Err(r) if matches!(r.refusal, Refusal::Approval(_)) => {
                self.run_asking(session, context, prepared, asking, started_ns).await
            }
            Err(r) => Err(self.refused(session, context, &prepared, r)),
        }
    }

    /// A raw HTTP request that names an operation by its method and path: the gateway door. Of its
    /// headers the content type and an idempotency key count.
    ///
    /// # Errors
    /// As [`Broker::call`]; a request that is no operation of the connection's service is refused.
    #[allow(clippy::too_many_arguments)] // the parts of an HTTP request, as a door has them
    pub async fn forward(
        &self,
        session: &Session,
        context: &Context,
        connection: &str,
        method: &str,
        raw_path: &str,
        raw_query: Option<&str>,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<ForwardReply, CallError> {
        let request = (connection, method, raw_path, raw_query, headers, &*body);
        let prepared = self.prepare_raw(session, context, request)?;
        let opening = self.obtain(session, context, &prepared).await?;
        let (answer, receipt) = self.execute(opening, prepared).await?;
        Ok(answer::forward(answer, receipt))
    }

    /// As [`Broker::forward`], for a door that can come again: where a person is asked, gives the
    /// question instead of waiting.
    ///
    /// # Errors
    /// As [`Broker::forward`].
    #[allow(clippy::too_many_arguments)] // the parts of an HTTP request, as a door has them
    pub async fn forward_asking(
        &self,
        session: &Session,
        context: &Context,
        connection: &str,
        method: &str,
        raw_path: &str,
        raw_query: Option<&str>,
        headers: &HeaderMap,
        body: Bytes,
        asking: Asking,
    ) -> Result<Called<ForwardReply>, CallError> {
        let request = (connection, method, raw_path, raw_query, headers, &*body);
        let prepared = self.prepare_raw(session, context, request)?;
        match self.obtain_now(session, context, &prepared, &asking).await? {
            Opened::Now(opening) => {
                let (answer, receipt) = self.execute(opening, prepared).await?;
                Ok(Called::Done(answer::forward(answer, receipt)))
            }
            Opened::Asked(number) => {
                let pending = self.pending_call(number, prepared.into_request())?;
                Ok(Called::Asked(Box::new(pending)))
            }
        }
    }

    fn prepare_raw(
        &self,
        session: &Session,
        context: &Context,
        (connection, method, raw_path, raw_query, headers, body): RawParts<'_>,
    ) -> Result<Prepared, CallError> {
        let service = self.service_of(connection)?;
        let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let raw = RawRequest {
            method,
            path: raw_path,
            query: raw_query.unwrap_or_default(),
            content_type,
            body,
        };
        let (operation, arguments, bound) =
            service.matches_request(&raw).map_err(errors::request)?.into_parts();
        if operation.is_grpc() {
            let message = "a gRPC method is called through the proxy alone";
            return Err(CallError::caller("not_listed", message)
                .status(403)
                .next("symbolon run -- COMMAND"));
        }
        let lease = self.engine.lease(session, operation.name().as_str(), Some(connection));
        let mut prepared = Prepared::new(lease.map_err(|r| self.refusal(&r))?, arguments, bound);
        prepared.own_key = own_key(&operation, headers)?;
        self.minding(session, context, prepared, shown_in(headers)?)
    }

    pub(crate) fn prepare(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
    ) -> Result<Prepared, CallError> {
        let CallRequest { tool, arguments, connection, minted } = request;
        let lease = self.engine.lease(session, &tool, connection.as_deref());
        let lease = lease.map_err(|r| self.refusal(&r))?;
        let bound = lease.operation.bind(&arguments).map_err(|e| errors::refusal(&e.into()))?;
        self.minding(session, context, Prepared::new(lease, arguments, bound), minted)
    }

    /// Intent, durable; release; the wire; the receipt. From the release on, every way out of here
    /// writes the receipt, also where the caller goes away.
    pub(crate) fn execute(
        &self,
        opening: Opening,
        prepared: Prepared,
    ) -> impl Future<Output = Result<(Answer, u64), CallError>> + Send {
        self.execute_on(self.live(&prepared.lease.registration), opening, prepared)
    }

    /// The owner's own look whether a credential works, before its connection is kept: the
    /// service's read-only check call, through gates, intent and receipt as any other.
    pub(crate) async fn check_call(&self, live: &Arc<Live>) -> Result<u16, CallError> {
        let (answer, receipt) = self.check_answer(live).await?;
        if (200..300).contains(&answer.status) {
            return Ok(answer.status);
        }
        let message = format!(
            "the service answered the check call with status {}; nothing was kept",
            answer.status
        );
        let error = CallError::caller("check_failed", message)
            .next("enter the credential again, or leave --verify away");
        Err(error.receipt(Some(receipt)))
    }

    /// As [`Broker::check_call`], with all of the answer that tells of the credential.
    pub(crate) async fn check_answer(&self, live: &Arc<Live>) -> Result<(Answer, u64), CallError> {
        let session = self.open_session("owner", Door::Cli)?;
        let lease = self.engine.lease_check(&session, &live.registration).ok_or_else(|| {
            CallError::caller(
                "no_check",
                "the service has no call that shows whether a credential works",
            )
            .next("leave --verify away")
        })?;
        let arguments = Map::new();
        let bound = lease.operation.bind(&arguments).map_err(|e| errors::refusal(&e.into()))?;
        let prepared = Prepared { is_check: true, ..Prepared::new(lease, arguments, bound) };
        let opening = self.obtain(&session, &Context::Direct, &prepared).await?;
        self.execute_on(Ok(live.clone()), opening, prepared).await
    }

    /// Makes tokens ahead while the answer is waited for, and ends with that wait.
    async fn restock(&self, lease: &Lease) -> Infallible {
        self.engine.restock(lease);
        std::future::pending().await
    }

    /// `live` is looked up by the caller and refused here: to refuse it there would hold the opening across
    /// the wait, in every call's future.
    async fn execute_on(
        &self,
        live: Result<Arc<Live>, CallError>,
        opening: Opening,
        prepared: Prepared,
    ) -> Result<(Answer, u64), CallError> {
        let live = live?;
        let _on_its_way = self.calls.begin().ok_or_else(errors::stopped)?;
        let (release, marks) = self.released(opening, &prepared).await?;
        let mut completion = Completion::new(self, release, marks);
        let kept = match self.with_shown(&live, prepared.minted.as_ref()) {
            Ok(kept) => kept,
            Err(e) => return Err(completion.failed(&e.into())),
        };
        let mut live = match kept.ready(completion.release()).await {
            Ok(live) => live,
            Err(e) => return Err(completion.failed(&e)),
        };
        let answered = tokio::select! {
            biased;
            answered = self.send(&kept, &mut live, &completion, &prepared) => answered,
            () = self.calls.stopped() => Err(UpstreamError::Stopped),
            never = self.restock(&prepared.lease) => match never {},
        };
        let answered = match answered {
            Ok(raw) if mints(completion.release(), raw.status) => {
                match Box::pin(self.mint(&live, completion.release(), &raw.body)).await {
                    Ok(Made { body, live: with_made, ids }) => {
                        completion.set_made(ids);
                        live = with_made;
                        // What was there of it is freed here, its connection with it, and wiped.
                        let spent = Spent::default();
                        Ok(Answer { body: body.into(), spent, ..raw })
                    }
                    Err(e) => Err(e.into()),
                }
            }
            other => other,
        };
        let is_check = prepared.is_check;
        let redacted = match answered {
            // A long answer is searched where it holds up nobody.
            Ok(raw) if raw.body.len() > SEARCHED_HERE_MAX => {
                let live = live.clone();
                let search = tokio::task::spawn_blocking(move || {
                    let redacted = answer::redact(raw, &live, is_check);
                    symbolon_secret::wipe_stack();
                    redacted
                });
                search.await.unwrap_or(Err(UpstreamError::Stopped))
            }
            Ok(raw) => answer::redact(raw, &live, is_check),
            Err(e) => Err(e),
        };
        let was_echoed = !matches!(&redacted, Ok(answer) if answer.redactions.total() == 0);
        if was_echoed || !completion.release().operation().mints().is_empty() {
            echo::forget().await;
        }
        match redacted {
            Ok(answer) => {
                let receipt = completion.answered(&answer).await?;
                Ok((answer, receipt))
            }
            Err(e) => Err(completion.failed(&e)),
        }
    }

    /// Budgets, reserved; intent, durable; release. What it gives must become a [`Completion`] at once.
    pub(crate) async fn released(
        &self,
        mut opening: Opening,
        prepared: &Prepared,
    ) -> Result<(Arc<Release>, Marks), CallError> {
        let marks = Marks::new(self, prepared, opening.session(), opening.requested_unix_ms())?;
        self.reserve(&mut opening).await?;
        let recorded = opening.record(|leaf| self.log.append(leaf)).map_err(errors::log_intent)?;
        self.open_intents.fetch_add(1, Relaxed);
        let waited = self.log.durable(*recorded.ticket()).await;
        let durable = waited.map_err(errors::log_intent)?;
        let release = recorded.release(durable).map_err(|e| CallError::bug(e.to_string()))?;
        Ok((Arc::new(release), marks))
    }

    pub(crate) fn live(&self, registration: &Arc<Registration>) -> Result<Arc<Live>, CallError> {
        let open = self.opened()?;
        let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
        let found = live
            .get(&registration.connection.name)
            .filter(|l| Arc::ptr_eq(&l.registration, registration));
        found.cloned().ok_or_else(|| {
            errors::refusal(&symbolon_capability::Refusal::NoConnection(
                registration.connection.name.to_string(),
            ))
        })
    }

    pub(crate) fn refused(
        &self,
        session: &Session,
        context: &Context,
        prepared: &Prepared,
        refused: Refused,
    ) -> CallError {
        self.counters.refused.fetch_add(1, Relaxed);
        let error = self.refusal(&refused.refusal);
        if !self.refusals.admits(session.agent().as_str(), self.clock.mono_ns()) {
            self.counters.unrecorded.fetch_add(1, Relaxed);
            return error;
        }
        let receipt = self.write_refusal(session, context, prepared, &refused);
        error.receipt(receipt)
    }
}
