//! The accounts' part of `/api/openapi.json`.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    authorship, blobs, challenge, cookie, credentials, delete, events, facts, items, keys, leases,
    oauth, sessions, shares, sign_up, vault,
};

/// The document of the accounts' routes.
pub(in crate::http) fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(
        challenge::challenge, sign_up::sign_up, delete::delete_account, credentials::credentials, credentials::add, credentials::remove,
        sessions::sign_in, sessions::confirm, sessions::session, sessions::sign_out, sessions::sessions,
        sessions::end_session, sessions::end_sessions,
        vault::vault, vault::put_wraps, vault::commit, vault::changes, items::history, items::revision,
        leases::key, leases::lend, leases::leases, leases::end,
        blobs::chunks, blobs::put_chunk, blobs::chunk, blobs::delete,
        shares::shares, shares::share, shares::view, shares::revoke, shares::share_key, events::events,
        keys::services, keys::service, keys::service_remove, keys::service_secret, keys::points, keys::point,
        keys::point_revoke, keys::devices, keys::device_remove, keys::evaluate, keys::challenge, keys::enrol,
        keys::login, keys::rotate, keys::manage, keys::introspect, keys::revoke_token, keys::jwks,
        facts::accept, facts::batch, facts::begin, facts::look, facts::ask, facts::registry, facts::demo,
        authorship::log, authorship::commit, authorship::reveal, authorship::transfer, authorship::look,
        oauth::protected_resource, oauth::authorization_server, oauth::register, oauth::token, oauth::revoke,
        oauth::request, oauth::consent, oauth::grants, oauth::revoke_grant
    ),
    modifiers(&Ways)
)]
struct Document;

struct Ways;

impl Modify for Ways {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let says = "A session. What changes something carries X-Symbolon-CSRF and this server's Origin too.";
        let cookie = ApiKeyValue::with_description(cookie::NAME, says);
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        let says = "HTTP Message Signatures (RFC 9421), ed25519, by one of the account's keys, with \
                    Signature-Input and Content-Digest beside: specs/sessions.md.";
        let signature = ApiKeyValue::with_description("Signature", says);
        components
            .add_security_scheme("signature", SecurityScheme::ApiKey(ApiKey::Header(signature)));
        let says = "The secret of a service, from POST /api/keys/services: specs/pzk-auth.md.";
        let service = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says));
        components.add_security_scheme("service", SecurityScheme::Http(service.build()));
    }
}
