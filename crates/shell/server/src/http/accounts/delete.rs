//! `DELETE /api/account`: the end of an account and of everything in it.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use symbolon_account::AccountStore;
use symbolon_broker::CallError;
use symbolon_lease::Ended;

use super::super::{failure::Failure, schema};
use super::{cookie, door::Admitted, fault, service::Service};

/// Deletes the account: vault, history, attachments, shares, ways in, sessions, events; needs a confirmation.
///
/// Nothing of it comes back, and nobody gets its handle again.
#[utoipa::path(delete, path = "/api/account", tag = "accounts", security(("session" = [])),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError)))]
pub(super) async fn delete_account<S: AccountStore>(
    State(service): State<Arc<Service<S>>>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Response, Failure> {
    let account = admitted.caller.confirmed(service.now())?.session.account;
    // First of all: what was lent is not used while its vault goes.
    service.end_leases(account, Ended::Account).await;
    // Before the account: where the second fails its holder joins again, and no row names what is gone.
    service.leases.forget(account).await.map_err(|error| {
        CallError::environment("owner_account", format!("nothing was deleted: {error}"))
    })?;
    service.store.delete_account(account, service.now()).await.map_err(fault::stored)?;
    // Its id would tie what is left in a log to what is gone.
    tracing::info!("an account was deleted by its holder");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear())]).into_response())
}
