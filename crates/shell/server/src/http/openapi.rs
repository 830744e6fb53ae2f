//! `/api/openapi.json`, made from the routes' own annotations.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use super::{
    accounts, api,
    desk::{account, live, record, session, setup, ways},
    flows, owner,
};

/// The document, OpenAPI 3.1: also of the accounts, which a server may not have.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi().merge_from(accounts::openapi())
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(openapi())
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Symbolon",
        description = "Calls that agents make with credentials that they never see. What an owner alone may do \
            (connect, grant, revoke) is behind the session of the page, which begins with a link of `symbolon page`. \
            Approvals are behind a token of the owner's too.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        api::status, api::tools, api::tool, api::call, api::request, api::redeem, api::delegate, api::receipts,
        api::receipt, api::connections, api::grants, api::approvals,
        flows::flows, flows::run, flows::show, flows::progress, flows::cancel,
        owner::approvals, owner::approval, owner::approve, owner::deny,
        session::open, session::show, session::close, account::show, account::join, account::leave, account::confirm,
        ways::unlock_key, ways::unlock, ways::ways, ways::way_key, ways::add_way, ways::remove_way, record::status, record::lock, record::log, record::receipts,
        record::receipt, record::bundle, live::live, setup::services, setup::service, setup::connections,
        setup::connect, setup::try_connection, setup::verify, setup::disconnect, setup::agents, setup::add_agent, setup::remove_agent,
        setup::grants, setup::grant, setup::revoke, document, api::healthz, api::metrics, api::metadata
    ),
    modifiers(&Key)
)]
struct Document;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let says = "An agent's key, made once by `symbolon agents add NAME`. It is taken as x-api-key too.";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says)).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("agent_key", SecurityScheme::Http(scheme));
        let says =
            "One of the owner's tokens, made by `symbolon owner token`. No agent's key is one.";
        let scheme =
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says)).build();
        components.add_security_scheme("owner_token", SecurityScheme::Http(scheme));
        let says = "The page's session: a cookie, and with it the header x-symbolon-csrf.";
        let cookie = ApiKeyValue::with_description("__Host-symbolon-owner", says);
        let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("page_session", scheme);
    }
}
