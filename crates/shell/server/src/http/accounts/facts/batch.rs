//! Many holders' answers at once, from a relying party that collected them.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_broker::CallError;
use symbolon_proof::{
    MalformedError, PRESENTATION_BYTES_MAX, Presentation, ProofError, Ready, Verified,
};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{door::Admitted, oauth::Kept, service::Service};
use super::answer::refused;

/// Presentations of one request, at most.
pub(super) const BATCH_MAX: u32 = 128;

/// The most bytes of their body: as many as so many have one by one.
pub(in crate::http::accounts) const BATCH_BODY_BYTES_MAX: usize =
    BATCH_MAX as usize * PRESENTATION_BYTES_MAX;

/// Answers to sessions, whoever began them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct ProofBatch {
    /// 1 to 128 presentations: specs/proof.md, 16 KiB at most each.
    #[schema(value_type = Vec<Object>, min_items = 1, max_items = 128)]
    presentations: Vec<Value>,
}

/// What came of a batch.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ProofBatchJudged {
    /// One for each presentation, in their order.
    results: Vec<ProofJudged>,
}

/// What came of one presentation of a batch.
#[derive(Serialize, ToSchema)]
struct ProofJudged {
    /// Whether it was taken.
    accepted: bool,
    /// What is kept of one that was taken.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Value>,
    /// Of one that was taken: whether the claims are by the demo issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    demo: Option<bool>,
    /// Why it was not taken, as `POST /api/proofs` would say of it alone.
    #[schema(value_type = Option<schema::CallError>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
}

/// Takes many presentations at once, each for itself: one that is refused keeps no other back, and uses nothing up.
/// They are checked by one computation, which costs less than each alone. A batch counts in the limits as so many answers.
#[utoipa::path(post, path = "/api/proofs/batch", tag = "proofs", request_body = ProofBatch,
    responses((status = 200, body = ProofBatchJudged), (status = 400, body = schema::CallError),
        (status = 413, body = schema::CallError), (status = 415, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn batch<S: Kept>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    Sent(ProofBatch { presentations }): Sent<ProofBatch>,
) -> Result<Json<ProofBatchJudged>, Failure> {
    let facts = &service.facts;
    let count = count(&presentations).map_err(refused)?;
    facts.limits.answers(admitted.address.into(), count, &*service.clock)?;
    // Issuers' keys are points that are checked as they are read, 64 of each policy.
    let read = facts.judging.run(move || presentations.into_iter().map(read).collect::<Vec<_>>());
    let mut ready: Vec<Result<Ready, ProofError>> = Vec::new();
    for one in read.await? {
        ready.push(match one {
            Ok(presentation) => facts.sessions.ready(presentation).await,
            Err(error) => Err(error),
        });
    }
    let sessions = facts.sessions.clone();
    let judged = facts.judging.run(move || sessions.judge_many(ready)).await?;
    let mut results = Vec::with_capacity(judged.len());
    for one in judged {
        let verified = match one {
            Ok(judged) => facts.sessions.take(judged).await,
            Err(error) => Err(error),
        };
        results.push(verified.into());
    }
    Ok(Json(ProofBatchJudged { results }))
}

impl From<Result<Verified, ProofError>> for ProofJudged {
    fn from(outcome: Result<Verified, ProofError>) -> Self {
        let verified = outcome.as_ref().ok().map(Verified::evidence);
        Self {
            accepted: verified.is_some(),
            evidence: verified.map(symbolon_proof::Evidence::to_value),
            demo: verified.map(symbolon_proof::Evidence::is_demo),
            error: outcome.err().map(refused),
        }
    }
}

/// How many there are, where that is a batch.
fn count(presentations: &[Value]) -> Result<u32, ProofError> {
    let count = u32::try_from(presentations.len()).unwrap_or(u32::MAX);
    if (1..=BATCH_MAX).contains(&count) {
        return Ok(count);
    }
    let what = format!("a batch has 1 to {BATCH_MAX} presentations");
    Err(MalformedError::Member(what).into())
}

fn read(value: Value) -> Result<Presentation, ProofError> {
    if value.to_string().len() > PRESENTATION_BYTES_MAX {
        let what = format!("a presentation has {PRESENTATION_BYTES_MAX} bytes at most");
        return Err(MalformedError::Member(what).into());
    }
    Ok(Presentation::from_value(value)?)
}
