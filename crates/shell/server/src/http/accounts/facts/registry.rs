//! The keys and groups that proofs are checked by.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::json;

use super::super::super::failure::Failure;
use super::super::fault;

/// Every statement's verifying key, and every group's root and members. They are pinned in the program.
#[utoipa::path(get, path = "/api/proofs/keys", tag = "proofs",
    responses((status = 200, body = Object, description = "keys and groups: specs/proof.md")))]
pub(in crate::http::accounts) async fn registry() -> Result<Response, Failure> {
    // Groups' trees and keys' hashes are tenths of a second of work: done once, where only
    // those that ask wait for it.
    let bytes = match REGISTRY.get() {
        Some(bytes) => bytes.clone(),
        None => tokio::task::spawn_blocking(|| REGISTRY.get_or_init(written).clone())
            .await
            .map_err(|_| fault::bug("the registry of keys panicked"))?,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in
        [(header::CACHE_CONTROL, "public, max-age=300"), (header::CONTENT_TYPE, "application/json")]
    {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    Ok((headers, bytes).into_response())
}

fn written() -> Bytes {
    let registry = json!({ "keys": symbolon_proof::keys(), "groups": symbolon_proof::groups() });
    registry.to_string().into()
}

static REGISTRY: OnceLock<Bytes> = OnceLock::new();
