//! Services, by their operator's account.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_account::AccountError;
use symbolon_ambient::SystemRng;
use symbolon_broker::CallError;
use symbolon_possession::token::Scopes;
use symbolon_possession::{Audience, Service as Relying, ServiceId, ServiceSecret};
use utoipa::ToSchema;

use super::super::super::{api::Sent, failure::Failure, schema};
use super::super::{caller::Caller, door::Admitted, fault, oauth::Kept, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// A service that is to rely on tokens.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::accounts) struct NewKeyService {
    /// Its address, such as `https://api.example`.
    audience: String,
    /// What its operator calls it, 1 to 80 characters.
    name: String,
    /// Everything that a token may be good for, with spaces between.
    scopes: String,
    /// How long a token lives, 300 to 900 seconds.
    token_seconds: u64,
}

/// A service.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyServiceRow {
    /// Its id.
    #[schema(value_type = String)]
    id: ServiceId,
    /// Its address.
    audience: String,
    /// What its operator calls it.
    name: String,
    /// Everything that a token may be good for.
    scopes: String,
    /// How long a token lives, in seconds.
    token_seconds: u64,
    /// When it was set up, in Unix milliseconds.
    created_unix_ms: u64,
}

/// Services of an account.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct KeyServiceRows {
    /// Oldest first.
    services: Vec<KeyServiceRow>,
}

/// A service with its secret, which is shown once.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ServiceWithSecret {
    /// The service's id.
    #[schema(value_type = String)]
    id: ServiceId,
    /// What it shows to register keys and to introspect tokens.
    secret: String,
}

impl From<Relying> for KeyServiceRow {
    fn from(service: Relying) -> Self {
        Self {
            id: service.id,
            audience: service.audience.as_str().to_owned(),
            name: service.name,
            scopes: service.scopes.as_str().to_owned(),
            token_seconds: service.token_seconds,
            created_unix_ms: service.created_unix_ms,
        }
    }
}

/// Sets a service up. A page needs a confirmation.
#[utoipa::path(post, path = "/api/keys/services", tag = "keys", security(("session" = []), ("signature" = [])),
    request_body = NewKeyService,
    responses((status = 201, body = ServiceWithSecret), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 413, body = schema::CallError),
        (status = 422, body = schema::CallError)))]
pub(in crate::http::accounts) async fn service<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Sent(new): Sent<NewKeyService>,
) -> Result<(StatusCode, Json<ServiceWithSecret>), Failure> {
    let account = service.operator(&admitted)?;
    let bad = |error: &dyn std::fmt::Display| fault::malformed(format!("{error}."));
    let secret = ServiceSecret::make(&SystemRng);
    let made = Relying {
        id: ServiceId::make(&SystemRng),
        account,
        audience: Audience::parse(&new.audience).map_err(|e| bad(&e))?,
        name: new.name,
        scopes: Scopes::of(&new.scopes).map_err(|e| bad(&e))?,
        token_seconds: new.token_seconds,
        secret_hash: service.possession.secret_hash(&secret),
        created_unix_ms: service.now(),
    };
    let detail = json!({ "service": made.id, "audience": made.audience.as_str() });
    let event = service.event("service-added", &detail);
    service.store.put_service(&made, &event).await.map_err(fault::stored)?;
    let shown = ServiceWithSecret { id: made.id, secret: secret.to_holder() };
    Ok((StatusCode::CREATED, Json(shown)))
}

/// The account's services.
#[utoipa::path(get, path = "/api/keys/services", tag = "keys", security(("session" = []), ("signature" = [])),
    responses((status = 200, body = KeyServiceRows), (status = 401, body = schema::CallError)))]
pub(in crate::http::accounts) async fn services<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
) -> Result<Json<KeyServiceRows>, Failure> {
    let account = admitted.caller.account()?;
    let found = service.store.services_of(account).await.map_err(fault::stored)?;
    Ok(Json(KeyServiceRows { services: found.into_iter().map(KeyServiceRow::from).collect() }))
}

/// Gives a service another secret; the one before is worth nothing from then on.
#[utoipa::path(post, path = "/api/keys/services/{id}/secret", tag = "keys",
    security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The service's id.")),
    responses((status = 200, body = ServiceWithSecret), (status = 401, body = schema::CallError),
        (status = 403, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn service_secret<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<Json<ServiceWithSecret>, Failure> {
    let account = service.operator(&admitted)?;
    let id: ServiceId = id.parse().map_err(|_| missing())?;
    let secret = ServiceSecret::make(&SystemRng);
    let hash = service.possession.secret_hash(&secret);
    let event = service.event("service-secret-changed", &json!({ "service": id }));
    let done = service.store.set_service_secret(account, id, hash, &event).await;
    done.map_err(fault::stored)?;
    Ok(Json(ServiceWithSecret { id, secret: secret.to_holder() }))
}

/// Removes a service with all of its keys and devices.
#[utoipa::path(delete, path = "/api/keys/services/{id}", tag = "keys",
    security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The service's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 403, body = schema::CallError),
        (status = 404, body = schema::CallError)))]
pub(in crate::http::accounts) async fn service_remove<S: Kept>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let account = service.operator(&admitted)?;
    let id: ServiceId = id.parse().map_err(|_| missing())?;
    let event = service.event("service-removed", &json!({ "service": id }));
    service.store.remove_service(account, id, &event).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

impl<S: Kept> Service<S> {
    /// The account that changes its services: a program, or a page that confirmed.
    fn operator(&self, admitted: &Admitted) -> Result<symbolon_account::AccountId, CallError> {
        if let Caller::Page(_) = &admitted.caller {
            admitted.caller.confirmed(self.now())?;
        }
        admitted.caller.account()
    }
}

fn missing() -> CallError {
    fault::stored(AccountError::Missing("the service"))
}
