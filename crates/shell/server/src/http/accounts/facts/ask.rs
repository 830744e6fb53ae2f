//! This server asks for itself: in the demo, and where its operator named issuers that it believes.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use symbolon_codec::hex;
use symbolon_proof::{GroupName, Identity, IssuerPublicKey, MalformedError, Policy, demo_issuer};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{door::Admitted, oauth::Kept, service::Service};
use super::answer::{not_asking, refused};

type Shared<S> = State<Arc<Service<S>>>;

/// What is to be shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct ProofQuestion {
    /// The least age in years, 0 to 150.
    at_least_years: u8,
    /// A group of nationalities, such as `EU/1`.
    group: String,
}

/// Asks whoever wants it, under a random name, for this server itself. Open where the operator named issuers.
#[utoipa::path(post, path = "/api/proofs/ask", tag = "proofs", request_body = ProofQuestion,
    responses((status = 201, body = Object, description = "The request: specs/proof.md"),
        (status = 400, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 422, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http::accounts) async fn ask<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(question): Sent<ProofQuestion>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let issuers = service.facts.issuers.own.clone();
    if issuers.is_empty() {
        return Err(not_asking().into());
    }
    service.asks(&admitted, &question, issuers).await
}

/// The demo: asks whoever wants it, under a random name, whether they are 18. The demo issuer is believed, whose key
/// everybody has.
#[utoipa::path(post, path = "/demo/age/session", tag = "proofs",
    responses((status = 201, body = Object, description = "The request: specs/proof.md"),
        (status = 429, body = schema::CallError), (status = 503, body = schema::CallError)))]
pub(in crate::http::accounts) async fn demo<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let mut issuers = vec![demo_issuer().public()];
    issuers.extend(&service.facts.issuers.demo);
    let question = ProofQuestion { at_least_years: 18, group: EVERYBODY.to_owned() };
    service.asks(&admitted, &question, issuers).await
}

impl<S: Kept> Service<S> {
    async fn asks(
        &self,
        admitted: &Admitted,
        question: &ProofQuestion,
        issuers: Vec<IssuerPublicKey>,
    ) -> Result<(StatusCode, Json<Value>), Failure> {
        self.facts.limits.question(admitted.address.into(), &*self.clock)?;
        let group = question.group.parse::<GroupName>();
        let group =
            group.map_err(|error| refused(MalformedError::Member(error.to_string()).into()))?;
        let at_least_years = question.at_least_years;
        let policy =
            Policy::Identity(Identity { at_least_years, group, issuers, unique_epoch: None });
        let mut name = [0; 16];
        self.rng.fill(&mut name);
        let sessions = &self.facts.sessions;
        let begun = sessions.begin(&self.facts.own, policy, &hex::encode(name), None).await;
        Ok((StatusCode::CREATED, Json(begun.map_err(refused)?.to_value())))
    }
}

/// Every state and territory that has nationals: an age is asked alone.
const EVERYBODY: &str = "WORLD/1";
