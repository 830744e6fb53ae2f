//! How the broker is, and what it wrote down.

use axum::{Json, extract::Path};
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_broker::{CallError, LogHead, ReceiptFilter, ReceiptRow, Status};

use super::Desk;
use crate::http::{
    api::asked,
    failure::{Failure, failure},
    schema,
};

type Answer<T> = Result<Json<T>, Failure>;

/// How the broker is.
#[utoipa::path(get, path = "/api/owner/status", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Status), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn status(desk: Desk) -> Json<Status> {
    Json(desk.broker.status())
}

/// Wipes the keys; nothing unlocks the vault by itself afterwards.
#[utoipa::path(post, path = "/api/owner/lock", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::Status), (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn lock(desk: Desk) -> Json<Status> {
    desk.broker.lock_by_hand();
    Json(desk.broker.status())
}

/// The log's promise as of now: a checkpoint that is signed for this answer.
#[utoipa::path(get, path = "/api/owner/log", tag = "page", security(("page_session" = [])),
    responses((status = 200, body = schema::LogHead), (status = 401, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn log(desk: Desk) -> Answer<LogHead> {
    Ok(Json(desk.broker.log_head().await?))
}

/// Receipts of all agents, newest first.
#[utoipa::path(get, path = "/api/owner/receipts", tag = "page", security(("page_session" = [])),
    params(
        ("limit" = Option<usize>, Query, description = "At most so many; 50 where absent, 1,000 at most."),
        ("before" = Option<u64>, Query, description = "Only those numbered below."),
        ("agent" = Option<String>, Query, description = "Only this agent's."),
        ("tool" = Option<String>, Query, description = "Only those whose tool begins so.")),
    responses((status = 200, body = schema::Receipts), (status = 400, body = schema::CallError),
        (status = 401, body = schema::CallError)))]
pub(in crate::http) async fn receipts(desk: Desk, uri: Uri) -> Answer<Value> {
    let Page { limit, before, agent, tool } = asked(&uri)?;
    let filter = ReceiptFilter { limit, agent, tool, before };
    Ok(Json(json!({ "receipts": desk.broker.receipts(filter).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    before: Option<u64>,
    agent: Option<String>,
    tool: Option<String>,
}

/// One receipt as a line of the list; good while the vault is locked too.
#[utoipa::path(get, path = "/api/owner/receipts/{number}", tag = "page", security(("page_session" = [])),
    params(("number" = u64, Path, description = "The receipt's number.")),
    responses((status = 200, body = schema::ReceiptRow), (status = 401, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http) async fn receipt(desk: Desk, Path(number): Path<String>) -> Answer<ReceiptRow> {
    Ok(Json(desk.broker.receipt_row(read(&number)?).await?))
}

/// One receipt as a bundle that `symbolon verify`, or the page itself, checks offline.
#[utoipa::path(get, path = "/api/owner/receipts/{number}/bundle", tag = "page", security(("page_session" = [])),
    params(("number" = u64, Path, description = "The receipt's number.")),
    responses((status = 200, body = Object, description = "DSSE envelope, inclusion proof, checkpoint."),
        (status = 401, body = schema::CallError), (status = 404, body = schema::CallError),
        (status = 503, body = schema::CallError)))]
pub(in crate::http) async fn bundle(desk: Desk, Path(number): Path<String>) -> Answer<Value> {
    Ok(Json(desk.broker.receipt(read(&number)?).await?))
}

fn read(number: &str) -> Result<u64, CallError> {
    number.parse().map_err(|_| {
        let says = "There is no receipt of this number.";
        failure("no_receipt", StatusCode::NOT_FOUND, says, Some("GET /api/owner/receipts"))
    })
}
