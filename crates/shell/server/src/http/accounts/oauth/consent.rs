//! What a person is asked, and what they say. Nothing is allowed without it.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_account::oauth::{
    AuthorizationRequest, Bearer, BearerKind, Client, Grant, GrantId, RequestError, Scopes,
};
use symbolon_ambient::SystemRng;
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::super::{
    api::Sent,
    failure::{Failure, failure},
    schema,
};
use super::super::{door::Admitted, fault, service::Service};
use super::{
    Kept,
    shown::{ScopeView, views},
};

type Shared<S> = State<Arc<Service<S>>>;

/// An authorization request, as it came to the page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct Asked {
    /// The query, without its question mark.
    query: String,
}

/// What a person must see before they decide.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct AuthorizationView {
    /// What the client says that it is called. Nobody checked that.
    client_name: String,
    /// The host of the client's own address, where it has one: that was checked.
    client_host: Option<String>,
    /// Where the answer goes.
    answers_to: String,
    /// Whether that is a program on the person's own machine.
    on_this_machine: bool,
    /// What is asked for.
    scopes: Vec<ScopeView>,
    /// What is wrong with the request, where something is: it can only be refused then.
    problem: Option<Problem>,
}

/// What is wrong with a request.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Problem {
    /// OAuth's word.
    error: &'static str,
    /// In words.
    message: String,
}

/// Reads a request for a person who is signed in.
#[utoipa::path(post, path = "/api/oauth/request", tag = "assistants", security(("session" = [])),
    request_body = Asked,
    responses((status = 200, body = AuthorizationView), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 502, body = schema::CallError)))]
pub(in crate::http::accounts) async fn request<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(asked): Sent<Asked>,
) -> Result<Json<AuthorizationView>, Failure> {
    admitted.caller.session()?;
    let (request, client) = service.asked(&asked.query).await?;
    let (scopes, problem) = match &request.wanted {
        Ok(wanted) => (wanted.scopes, None),
        Err(error) => (Scopes::NONE, Some(problem(*error))),
    };
    Ok(Json(AuthorizationView {
        client_name: client.name,
        client_host: client.id.host().map(str::to_owned),
        answers_to: request.redirect_uri.authority().to_owned(),
        on_this_machine: request.redirect_uri.is_loopback(),
        scopes: views(scopes),
        problem,
    }))
}

/// What a person says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct Decision {
    /// The query, as it was shown.
    query: String,
    /// Yes or no.
    allow: bool,
    /// The name, as it was shown.
    client_name: String,
    /// What of the asked is allowed.
    #[serde(default)]
    scopes: Vec<String>,
    /// For how many days, 1 to 90.
    #[serde(default)]
    days: u32,
}

/// Where the page goes now.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct Decided {
    /// The client's address with what was decided.
    address: String,
}

/// Decides on a request; yes needs a confirmation.
#[utoipa::path(post, path = "/api/oauth/consent", tag = "assistants", security(("session" = [])),
    request_body = Decision,
    responses((status = 200, body = Decided), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 409, body = schema::CallError), (status = 422, body = schema::CallError)))]
pub(in crate::http::accounts) async fn consent<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(decision): Sent<Decision>,
) -> Result<Json<Decided>, Failure> {
    let seated = admitted.caller.session()?;
    let (request, client) = service.asked(&decision.query).await?;
    let account = seated.session.account;
    let address = match (&request.wanted, decision.allow) {
        (Err(error), _) => service.answer(&request, &[("error", error.code())]),
        (Ok(_), false) => {
            let detail = json!({ "client": client.id.as_str(), "name": client.name });
            let event = service.event("assistant-refused", &detail);
            service.store.append_event(account, &event).await.map_err(fault::stored)?;
            service.answer(&request, &[("error", "access_denied")])
        }
        (Ok(wanted), true) => {
            admitted.caller.confirmed(service.now())?;
            if decision.client_name != client.name {
                return Err(changed().into());
            }
            let scopes = Scopes::parse(&decision.scopes.join(" "));
            let scopes = scopes.filter(|scopes| scopes.is_within(wanted.scopes));
            let scopes = scopes.ok_or_else(|| {
                fault::malformed(
                    "Something of what is asked for is allowed, each once, in its order.",
                )
            })?;
            if !(1..=DAYS_MAX).contains(&decision.days) {
                return Err(fault::malformed("An assistant is allowed for 1 to 90 days.").into());
            }
            let code = Bearer::make(BearerKind::Code, &SystemRng);
            let now = service.now();
            let grant = Grant {
                id: GrantId::make(&*service.rng),
                account,
                client: client.id.clone(),
                client_name: client.name,
                redirect_uri: request.redirect_uri.clone(),
                scopes,
                resource: wanted.resource.clone(),
                created_unix_ms: now,
                ends_unix_ms: now + u64::from(decision.days) * DAY_MS,
                used_unix_ms: None,
                revoked_unix_ms: None,
                code_hash: code.hash(&service.key),
                code_challenge: wanted.challenge.clone(),
                code_used_unix_ms: None,
            };
            let more = json!({ "scopes": scopes.to_string(), "days": decision.days,
                "answers_to": grant.redirect_uri.authority(), "session": seated.session.id });
            let event = grant.event("assistant-allowed", more, now);
            service.store.put_grant(&grant, &event).await.map_err(fault::stored)?;
            service.answer(&request, &[("code", &code.to_holder())])
        }
    };
    Ok(Json(Decided { address }))
}

impl<S: Kept> Service<S> {
    /// A request with its client, where the answer may go to its address.
    async fn asked(&self, query: &str) -> Result<(AuthorizationRequest, Client), CallError> {
        let request = AuthorizationRequest::parse(query.as_bytes(), &self.resource());
        let request = request.map_err(|error| unsafe_answer(&error.to_string()))?;
        let client = self.oauth_client(&request.client).await?;
        if !client.admits(&request.redirect_uri) {
            return Err(unsafe_answer(
                "the answer would go where this assistant is not registered",
            ));
        }
        Ok((request, client))
    }

    /// The client's address with an answer (RFC 9207: and with who gives it).
    fn answer(&self, request: &AuthorizationRequest, says: &[(&str, &str)]) -> String {
        let mut parameters = says.to_vec();
        if let Some(state) = &request.state {
            parameters.push(("state", state));
        }
        parameters.push(("iss", self.origin.as_str()));
        request.redirect_uri.with(&parameters)
    }
}

fn problem(error: RequestError) -> Problem {
    Problem { error: error.code(), message: error.to_string() }
}

/// Nothing goes to an address that nobody vouches for.
fn unsafe_answer(why: &str) -> CallError {
    let says = format!("This request is not answered, since {why}.");
    let next = Some("Close this page. Connect the assistant from its own settings.");
    failure("unsafe_request", StatusCode::UNPROCESSABLE_ENTITY, says, next)
}

fn changed() -> CallError {
    let says = "The assistant describes itself otherwise than when you looked.";
    failure("changed", StatusCode::CONFLICT, says, Some("Look at the request again."))
}

const DAYS_MAX: u32 = 90;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
