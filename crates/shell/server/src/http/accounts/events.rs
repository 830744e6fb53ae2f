//! `GET /api/audit`: what happened to the account, each event chained to the one before.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_account::{AccountStore, AuditEvent};
use utoipa::ToSchema;

use super::super::{api::asked, failure::Failure, schema};
use super::{door::Admitted, fault, service::Service};

/// An event.
#[derive(Serialize, ToSchema)]
pub(super) struct EventView {
    /// Its place, from 1.
    number: u64,
    /// When, in Unix milliseconds.
    at_unix_ms: u64,
    /// What, such as `signed-in`.
    kind: String,
    /// More of it.
    #[schema(value_type = Object)]
    detail: Value,
    /// The digest of the event before, hex.
    previous: String,
    /// Its own, hex.
    digest: String,
}

impl From<AuditEvent> for EventView {
    fn from(entry: AuditEvent) -> Self {
        let digest = entry.digest().to_string();
        let detail = serde_json::from_str(&entry.event.detail).unwrap_or(Value::Null);
        Self {
            number: entry.number,
            at_unix_ms: entry.event.at_unix_ms,
            kind: entry.event.kind,
            detail,
            previous: entry.prev.to_string(),
            digest,
        }
    }
}

/// Events of an account.
#[derive(Serialize, ToSchema)]
pub(super) struct Events {
    /// In their order.
    events: Vec<EventView>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

/// What happened to the account.
#[utoipa::path(get, path = "/api/audit", tag = "accounts", security(("session" = []), ("signature" = [])),
    params(
        ("after" = Option<u64>, Query, description = "Only events numbered above; 0 where absent."),
        ("limit" = Option<usize>, Query, description = "At most so many; 100 where absent, 1,000 at most.")),
    responses((status = 200, body = Events), (status = 401, body = schema::CallError)))]
pub(super) async fn events<S: AccountStore>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
    uri: Uri,
) -> Result<Json<Events>, Failure> {
    let After { after, limit } = asked(&uri)?;
    let account = admitted.caller.account()?;
    let limit = limit.unwrap_or(100).clamp(1, 1000);
    let found = service.store.events(account, after, limit).await.map_err(fault::stored)?;
    Ok(Json(Events { events: found.into_iter().map(EventView::from).collect() }))
}
