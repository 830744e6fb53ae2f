//! The keys and groups that proofs are checked by.

use std::sync::LazyLock;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::header;
use serde_json::{Value, json};

/// Every statement's verifying key, and every group's root and members. They are pinned in the program.
#[utoipa::path(get, path = "/api/proofs/keys", tag = "proofs",
    responses((status = 200, body = Object, description = "keys and groups: specs/proof.md")))]
pub(in crate::http::accounts) async fn registry() -> Response {
    static REGISTRY: LazyLock<Value> = LazyLock::new(
        || json!({ "keys": symbolon_proof::keys(), "groups": symbolon_proof::groups() }),
    );
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(&*REGISTRY)).into_response()
}
