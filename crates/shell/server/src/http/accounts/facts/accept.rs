//! A holder's answer, from whoever brings it.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use symbolon_proof::Presentation;
use utoipa::ToSchema;

use super::super::super::{
    failure::{Failure, failure},
    schema,
};
use super::super::{door::Admitted, oauth::Kept, service::Service};
use super::answer::refused;

/// A proof that was taken.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ProofAccepted {
    /// Always so.
    accepted: bool,
    /// What is kept of it.
    #[schema(value_type = Object)]
    evidence: Value,
    /// Whether the claims are by the demo issuer, as which everybody can sign: then nothing was shown of anybody.
    demo: bool,
}

/// Takes a presentation, once: the session that it answers is used up by it. It needs no more than that, for the
/// nonce was drawn for one session and the proof is bound to it.
#[utoipa::path(post, path = "/api/proofs", tag = "proofs",
    request_body(content = Object, description = "A presentation: specs/proof.md, 16 KiB at most"),
    responses((status = 200, body = ProofAccepted), (status = 400, body = schema::CallError),
        (status = 404, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 410, body = schema::CallError), (status = 422, body = schema::CallError),
        (status = 429, body = schema::CallError), (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn accept<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ProofAccepted>, Failure> {
    let facts = &service.facts;
    facts.limits.answer(admitted.address.into(), &*service.clock)?;
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    if !kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
        let (says, next) = ("The body must be application/json.", Some("GET /api/openapi.json"));
        return Err(failure("not_json", StatusCode::UNSUPPORTED_MEDIA_TYPE, says, next).into());
    }
    let presentation = Presentation::parse(&body).map_err(|error| refused(error.into()))?;
    let ready = facts.sessions.ready(presentation).await.map_err(refused)?;
    let sessions = facts.sessions.clone();
    let judged = facts.judging.run(move || sessions.judge(ready)).await?.map_err(refused)?;
    let verified = facts.sessions.take(judged).await.map_err(refused)?;
    let (evidence, demo) = (verified.evidence().to_value(), verified.evidence().is_demo());
    Ok(Json(ProofAccepted { accepted: true, evidence, demo }))
}
