//! `/healthz` and `/metrics`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::backend::Backend;

/// Whether calls can be made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ready` or `locked`.
    status: &'static str,
    /// The next step where it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'static str>,
}

/// 200 where the vault is open, 503 where it is locked. Needs no key and says nothing else.
pub(super) fn health<B: Backend>(backend: &B) -> Response {
    if backend.status().unlocked {
        return Json(Health { status: "ready", next: None }).into_response();
    }
    let body = Health { status: "locked", next: Some("symbolon unlock") };
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// Prometheus text.
pub(super) fn metrics<B: Backend>(backend: &B) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, backend.metrics()).into_response()
}
