//! The accounts' routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post, put},
};
use tower_http::catch_panic::CatchPanicLayer;

use super::super::api::{no_method, nowhere, panicked};
use super::{
    authorship, blobs, challenge, credentials,
    delete::delete_account,
    events, facts, items, keys, leases,
    oauth::{self, Kept},
    service::Service,
    sessions, shares, sign_up, vault,
};

pub(super) fn router<S: Kept>(service: Arc<Service<S>>) -> Router {
    Router::new()
        .route("/api/account", post(sign_up::sign_up::<S>).delete(delete_account::<S>))
        .route("/api/account/challenge", post(challenge::challenge::<S>))
        .route(
            "/api/account/credentials",
            get(credentials::credentials::<S>).post(credentials::add::<S>),
        )
        .route("/api/account/credentials/{id}", delete(credentials::remove::<S>))
        .route(
            "/api/session",
            get(sessions::session).post(sessions::sign_in::<S>).delete(sessions::sign_out::<S>),
        )
        .route("/api/session/confirm", post(sessions::confirm::<S>))
        .route("/api/sessions", get(sessions::sessions::<S>).delete(sessions::end_sessions::<S>))
        .route("/api/sessions/{id}", delete(sessions::end_session::<S>))
        .route("/api/vault", get(vault::vault::<S>))
        .route("/api/vault/wraps", put(vault::put_wraps::<S>))
        .route("/api/vault/commit", post(vault::commit::<S>))
        .route("/api/vault/changes", get(vault::changes::<S>))
        .route("/api/vault/lease-key", get(leases::key::<S>))
        .route("/api/vault/leases", get(leases::leases::<S>).post(leases::lend::<S>))
        .route("/api/vault/leases/{id}", delete(leases::end::<S>))
        .route("/api/vault/items/{id}/revisions", get(items::history::<S>))
        .route("/api/vault/items/{id}/revisions/{number}", get(items::revision::<S>))
        .route("/api/vault/blobs/{id}", get(blobs::chunks::<S>).delete(blobs::delete::<S>))
        .route("/api/vault/blobs/{id}/{chunk}", get(blobs::chunk::<S>).put(blobs::put_chunk::<S>))
        .route("/api/shares", get(shares::shares::<S>).post(shares::share::<S>))
        .route("/api/shares/keys/{handle}", get(shares::share_key::<S>))
        .route("/api/shares/{id}", get(shares::view::<S>).delete(shares::revoke::<S>))
        .route("/api/keys/services", get(keys::services::<S>).post(keys::service::<S>))
        .route("/api/keys/services/{id}", delete(keys::service_remove::<S>))
        .route("/api/keys/services/{id}/secret", post(keys::service_secret::<S>))
        .route("/api/keys/points", get(keys::points::<S>).post(keys::point::<S>))
        .route("/api/keys/points/{id}", delete(keys::point_revoke::<S>))
        .route("/api/keys/points/{id}/devices", get(keys::devices::<S>))
        .route("/api/keys/points/{id}/devices/{device}", delete(keys::device_remove::<S>))
        .route("/api/keys/oprf", post(keys::evaluate::<S>))
        .route("/api/keys/challenge", post(keys::challenge::<S>))
        .route("/api/keys/enrol", post(keys::enrol::<S>))
        .route("/api/keys/login", post(keys::login::<S>))
        .route("/api/keys/rotate", post(keys::rotate::<S>))
        .route("/api/keys/manage", post(keys::manage::<S>))
        .route("/api/keys/introspect", post(keys::introspect::<S>))
        .route("/api/keys/revoke", post(keys::revoke_token::<S>))
        .route("/api/keys/jwks", get(keys::jwks::<S>))
        .route("/api/proofs", post(facts::accept::<S>))
        .route("/api/proofs/batch", post(facts::batch::<S>))
        .route("/api/proofs/sessions", post(facts::begin::<S>))
        .route("/api/proofs/sessions/{nonce}", get(facts::look::<S>))
        .route("/api/proofs/ask", post(facts::ask::<S>))
        .route("/api/proofs/keys", get(facts::registry))
        .route("/demo/age/session", post(facts::demo::<S>))
        .route("/api/authorship", get(authorship::log::<S>))
        .route("/api/authorship/commits", post(authorship::commit::<S>))
        .route("/api/authorship/reveals", post(authorship::reveal::<S>))
        .route("/api/authorship/transfers", post(authorship::transfer::<S>))
        .route("/api/authorship/{hash}", get(authorship::look::<S>))
        .route("/api/audit", get(events::events::<S>))
        .route("/.well-known/oauth-protected-resource", get(oauth::protected_resource::<S>))
        .route(oauth::METADATA_PATH, get(oauth::protected_resource::<S>))
        .route("/.well-known/oauth-authorization-server", get(oauth::authorization_server::<S>))
        .route("/oauth/register", post(oauth::register::<S>))
        .route("/oauth/token", post(oauth::token::<S>))
        .route("/oauth/revoke", post(oauth::revoke::<S>))
        .route("/api/oauth/request", post(oauth::request::<S>))
        .route("/api/oauth/consent", post(oauth::consent::<S>))
        .route("/api/oauth/grants", get(oauth::grants::<S>))
        .route("/api/oauth/grants/{id}", delete(oauth::revoke_grant::<S>))
        .fallback(nowhere)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        // The door read the body, within the bounds of its route.
        .layer(DefaultBodyLimit::disable())
        .with_state(service)
}
