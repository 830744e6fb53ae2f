//! Sessions: sign-in, confirmation, sign-out, the list of them.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use symbolon_account::{
    AccountError, AccountId, AccountStore, ChallengeId, Purpose, Session, SessionId, SessionToken,
    SignIn, USER_AGENT_CHARS_MAX,
};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::{api::Sent, failure::Failure, schema};
use super::{
    caller::{Caller, Seated, ends},
    cookie,
    door::Admitted,
    fault,
    service::Service,
};

type Shared<S> = State<Arc<Service<S>>>;

/// The answer to a challenge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The challenge.
    #[schema(value_type = String)]
    challenge_id: ChallengeId,
    /// As its method has it (specs/sessions.md).
    #[schema(value_type = Object)]
    proof: Value,
}

/// A session, for its holder.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// Its id in the list of sessions.
    #[schema(value_type = String)]
    id: SessionId,
    /// The account.
    #[schema(value_type = String)]
    account: AccountId,
    /// How its holder signed in.
    method: String,
    /// Sent in `X-Symbolon-CSRF` with everything that changes something.
    csrf: String,
    /// When it ends if it is not used, in Unix milliseconds.
    expires_unix_ms: u64,
    /// Until when dangerous acts are allowed, in Unix milliseconds.
    confirmed_until_unix_ms: Option<u64>,
}

impl SessionView {
    pub fn of(session: &Session, token: &SessionToken) -> Self {
        Self {
            id: session.id,
            account: session.account,
            method: session.method.as_str().to_owned(),
            csrf: token.csrf().to_header(),
            expires_unix_ms: session.expires_unix_ms,
            confirmed_until_unix_ms: session.confirmed_until_unix_ms,
        }
    }

    /// With the cookie that is its right.
    pub fn with_cookie(self, token: &SessionToken) -> Result<Response, CallError> {
        let cookie = cookie::set(token).ok_or_else(|| fault::bug("a session's cookie"))?;
        Ok(([(header::SET_COOKIE, cookie)], Json(self)).into_response())
    }
}

/// Signs in: a new session, whatever session was there before.
#[utoipa::path(post, path = "/api/session", tag = "accounts", request_body = Answer,
    responses((status = 200, body = SessionView), (status = 401, body = schema::CallError),
        (status = 429, body = schema::CallError)))]
pub(super) async fn sign_in<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    Sent(answer): Sent<Answer>,
) -> Result<Response, Failure> {
    let Answer { challenge_id, proof } = answer;
    let asked = service.answered(challenge_id, Purpose::SignIn, &admitted.caller).await?;
    let shown = service.recognise(challenge_id, Purpose::SignIn, asked, proof).await?;
    let (session, token) = service.make_session(shown.account, shown.method, &headers);
    let detail = json!({ "method": shown.method.as_str(), "credential": shown.id,
        "session": session.id, "address": admitted.address });
    let event = service.event("signed-in", &detail);
    service.store.put_session(&session, &event).await.map_err(fault::stored)?;
    if let Caller::Page(before) = &admitted.caller {
        service.end(before, "session-replaced").await?;
    }
    Ok(SessionView::of(&session, &token).with_cookie(&token)?)
}

/// Shows again who is there: for five minutes dangerous acts are allowed. The session is a new one.
#[utoipa::path(post, path = "/api/session/confirm", tag = "accounts", security(("session" = [])), request_body = Answer,
    responses((status = 200, body = SessionView), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(super) async fn confirm<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    Sent(answer): Sent<Answer>,
) -> Result<Response, Failure> {
    let before = admitted.caller.session()?.clone();
    let Answer { challenge_id, proof } = answer;
    let asked = service.answered(challenge_id, Purpose::Confirm, &admitted.caller).await?;
    let shown = service.recognise(challenge_id, Purpose::Confirm, asked, proof).await?;
    let (mut session, token) = service.make_session(shown.account, shown.method, &headers);
    // Half a day is half a day, however often it is confirmed.
    session.created_unix_ms = before.session.created_unix_ms;
    session.expires_unix_ms = ends(session.created_unix_ms, session.seen_unix_ms);
    let detail =
        json!({ "method": shown.method.as_str(), "credential": shown.id, "session": session.id });
    let event = service.event("confirmed", &detail);
    service.store.put_session(&session, &event).await.map_err(fault::stored)?;
    service.end(&before, "session-replaced").await?;
    Ok(SessionView::of(&session, &token).with_cookie(&token)?)
}

/// The session that asks.
#[utoipa::path(get, path = "/api/session", tag = "accounts", security(("session" = [])),
    responses((status = 200, body = SessionView), (status = 401, body = schema::CallError)))]
pub(super) async fn session(
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<SessionView>, Failure> {
    let seated = admitted.caller.session()?;
    Ok(Json(SessionView::of(&seated.session, &seated.token)))
}

/// Signs out. Without a session the cookie goes all the same.
#[utoipa::path(delete, path = "/api/session", tag = "accounts", security(("session" = [])),
    responses((status = 204)))]
pub(super) async fn sign_out<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Response, Failure> {
    if let Caller::Page(seated) = &admitted.caller {
        service.end(seated, "signed-out").await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear())]).into_response())
}

/// One session of the account.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionRow {
    /// Its id.
    #[schema(value_type = String)]
    id: SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// How its holder signed in.
    method: String,
    /// When, in Unix milliseconds.
    created_unix_ms: u64,
    /// When it was last seen, in Unix milliseconds, to the minute.
    seen_unix_ms: u64,
    /// When it ends if it is not used, in Unix milliseconds.
    expires_unix_ms: u64,
    /// What the client called itself.
    user_agent: String,
}

/// Sessions of the account.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionRows {
    /// Those that live, newest first.
    sessions: Vec<SessionRow>,
}

/// Where the account is signed in.
#[utoipa::path(get, path = "/api/sessions", tag = "accounts", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = SessionRows), (status = 401, body = schema::CallError)))]
pub(super) async fn sessions<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<SessionRows>, Failure> {
    let account = admitted.caller.account()?;
    let current = admitted.caller.session().ok().map(|seated| seated.session.id);
    let found = service.store.sessions(account, service.now()).await.map_err(fault::stored)?;
    let rows = found.into_iter().map(|session| SessionRow {
        id: session.id,
        current: Some(session.id) == current,
        method: session.method.as_str().to_owned(),
        created_unix_ms: session.created_unix_ms,
        seen_unix_ms: session.seen_unix_ms,
        expires_unix_ms: session.expires_unix_ms,
        user_agent: session.user_agent,
    });
    Ok(Json(SessionRows { sessions: rows.collect() }))
}

/// Ends another session; needs a confirmation.
#[utoipa::path(delete, path = "/api/sessions/{id}", tag = "accounts", security(("session" = [])),
    params(("id" = String, Path, description = "The session's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(super) async fn end_session<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let seated = admitted.caller.confirmed(service.now())?;
    let id: SessionId = id.parse().map_err(|_| no_session())?;
    let event = service.event("session-ended", &json!({ "session": id }));
    let ended = service.store.revoke_session(seated.session.account, id, &event).await;
    ended.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    /// Sessions.
    ended: u64,
}

/// Signs out everywhere else, and ends every unlock lease; needs a confirmation.
#[utoipa::path(delete, path = "/api/sessions", tag = "accounts", security(("session" = [])),
    responses((status = 200, body = Ended), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError)))]
pub(super) async fn end_sessions<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<Ended>, Failure> {
    let Session { account, id, .. } = admitted.caller.confirmed(service.now())?.session;
    let event = service.event("sessions-ended", &json!({ "kept": id }));
    let ended = service.store.revoke_sessions(account, Some(id), &event).await;
    let ended = ended.map_err(fault::stored)?;
    service.end_leases(account, symbolon_lease::Ended::SignedOut).await;
    Ok(Json(Ended { ended }))
}

impl<S: AccountStore> Service<S> {
    /// A session that begins now, confirmed by the proof that it comes of.
    pub fn make_session(
        &self,
        account: AccountId,
        method: SignIn,
        headers: &HeaderMap,
    ) -> (Session, SessionToken) {
        let token = SessionToken::make(&symbolon_ambient::SystemRng);
        let now = self.now();
        let session = Session {
            id: SessionId::make(&*self.rng),
            token_hash: token.with_bytes(|bytes| self.key.session_hash(bytes)),
            account,
            method,
            created_unix_ms: now,
            seen_unix_ms: now,
            expires_unix_ms: ends(now, now),
            confirmed_until_unix_ms: Some(now + CONFIRMED_MS),
            user_agent: user_agent(headers),
            revoked_unix_ms: None,
        };
        (session, token)
    }

    /// Ends the caller's own session. One that ended meanwhile is as it should be.
    async fn end(&self, seated: &Seated, kind: &str) -> Result<(), CallError> {
        let session = &seated.session;
        let event = self.event(kind, &json!({ "session": session.id }));
        match self.store.revoke_session(session.account, session.id, &event).await {
            Ok(()) | Err(AccountError::Missing(_)) => Ok(()),
            Err(error) => Err(fault::stored(error)),
        }
    }
}

/// What a client calls itself, shortened, without what a terminal or a page might obey.
fn user_agent(headers: &HeaderMap) -> String {
    let said = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let plain = said.unwrap_or_default().chars().filter(|c| !c.is_control());
    plain.take(USER_AGENT_CHARS_MAX).collect()
}

fn no_session() -> CallError {
    fault::stored(AccountError::Missing("the session"))
}

const CONFIRMED_MS: u64 = 5 * 60 * 1000;
