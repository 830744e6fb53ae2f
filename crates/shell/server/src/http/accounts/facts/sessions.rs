//! A service asks one of its accounts, and sees what came of it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_codec::hex;
use symbolon_proof::{Asker, Outcome, Policy, RelyingParty, SessionState};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{fault, oauth::Kept, service::Service};
use super::answer::refused;

type Shared<S> = State<Arc<Service<S>>>;

/// What is asked of whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct ProofAsking {
    /// The service's own name for who is asked, 1 to 256 bytes.
    account: String,
    /// What is to be shown.
    #[schema(value_type = Object)]
    policy: Value,
    /// For `returning/1`: the binding that was registered, 64 hex digits.
    #[serde(default)]
    binding: Option<String>,
}

/// Where a session stands.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ProofSession {
    /// `open`, `shown` or `over`.
    state: &'static str,
    /// Who is asked.
    account: String,
    /// What was shown.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Value>,
    /// The holder and their claims at this account, 64 hex digits: to register for `returning/1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    binding: Option<String>,
}

/// Asks an account of the service. The request is for the account's holder to answer within 15 minutes.
#[utoipa::path(post, path = "/api/proofs/sessions", tag = "proofs", security(("service" = [])),
    request_body = ProofAsking,
    responses((status = 201, body = Object, description = "The request: specs/proof.md"),
        (status = 400, body = schema::CallError), (status = 401, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn begin<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Sent(asking): Sent<ProofAsking>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let relying = service.relying(&headers).await?;
    service.facts.limits.session(relying.id, &*service.clock)?;
    let ProofAsking { account, policy, binding } = asking;
    let policy = Policy::from_value(policy).map_err(|error| refused(error.into()))?;
    let binding = binding.map(|text| {
        let mut bytes = [0; 32];
        let read = hex::decode_to_slice(&text, &mut bytes);
        read.map(|()| bytes).map_err(|_| fault::malformed("binding is 64 hex digits."))
    });
    let (service_id, operator) = (*relying.id.as_bytes(), *relying.account.as_bytes());
    let audience = relying.audience.as_str().parse();
    let audience = audience.map_err(|_| {
        fault::malformed("The service's address is no web origin that anything is proven to.")
    })?;
    let asker = Some(Asker { service: service_id, operator });
    let party = RelyingParty { audience, asker };
    let binding = binding.transpose()?;
    let begun = service.facts.sessions.begin(&party, policy, &account, binding).await;
    Ok((StatusCode::CREATED, Json(begun.map_err(refused)?.to_value())))
}

/// Where a session of the service stands; until an hour after its end.
#[utoipa::path(get, path = "/api/proofs/sessions/{nonce}", tag = "proofs", security(("service" = [])),
    params(("nonce" = String, Path, description = "The request's nonce, 32 hex digits.")),
    responses((status = 200, body = ProofSession), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn look<S: Kept>(
    State(service): Shared<S>,
    headers: HeaderMap,
    Path(nonce): Path<String>,
) -> Result<Json<ProofSession>, Failure> {
    let relying = service.relying(&headers).await?;
    let seen = service.facts.sessions.look(*relying.id.as_bytes(), &nonce).await;
    let seen = seen.map_err(refused)?;
    let plain = |state| ProofSession {
        state,
        account: seen.account.clone(),
        evidence: None,
        binding: None,
    };
    Ok(Json(match seen.state {
        SessionState::Open => plain("open"),
        SessionState::Over => plain("over"),
        SessionState::Shown(Outcome { binding, evidence }) => {
            let evidence = serde_json::from_str(&evidence);
            let evidence = evidence.map_err(|_| fault::bug("evidence that is no JSON"))?;
            let binding = Some(hex::encode(binding));
            ProofSession { evidence: Some(evidence), binding, ..plain("shown") }
        }
    }))
}
