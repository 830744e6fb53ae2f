//! Where clients read what this server is (RFC 9728, RFC 8414).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;
use symbolon_account::oauth::Scope;
use utoipa::ToSchema;

use super::super::service::Service;
use super::{Kept, RESOURCE_PATH};

type Shared<S> = State<Arc<Service<S>>>;

/// What `/mcp` wants of a client (RFC 9728, section 2).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ProtectedResource {
    /// What tokens are for.
    resource: String,
    /// Who gives them: this server.
    authorization_servers: Vec<String>,
    /// What they may be for.
    scopes_supported: Vec<&'static str>,
    /// Where a token stands.
    bearer_methods_supported: [&'static str; 1],
    /// For a person.
    resource_name: &'static str,
}

/// What `/mcp` wants of an assistant.
#[utoipa::path(get, path = "/.well-known/oauth-protected-resource", tag = "assistants",
    responses((status = 200, body = ProtectedResource)))]
pub(in crate::http::accounts) async fn protected_resource<S: Kept>(
    State(service): Shared<S>,
) -> Json<ProtectedResource> {
    Json(ProtectedResource {
        resource: service.resource(),
        authorization_servers: vec![service.origin.as_str().to_owned()],
        scopes_supported: scopes(),
        bearer_methods_supported: ["header"],
        resource_name: "Symbolon",
    })
}

/// The authorization server (RFC 8414, section 2).
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct AuthorizationServer {
    /// Its name, which `iss` repeats.
    issuer: String,
    /// A page, for a person.
    authorization_endpoint: String,
    /// For codes and refresh tokens.
    token_endpoint: String,
    /// RFC 7591.
    registration_endpoint: String,
    /// RFC 7009.
    revocation_endpoint: String,
    /// What may be asked for.
    scopes_supported: Vec<&'static str>,
    /// Codes alone.
    response_types_supported: [&'static str; 1],
    /// In the query alone.
    response_modes_supported: [&'static str; 1],
    /// Codes, and what follows them.
    grant_types_supported: [&'static str; 2],
    /// Clients have no secret.
    token_endpoint_auth_methods_supported: [&'static str; 1],
    /// The same.
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    /// RFC 7636.
    code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207.
    authorization_response_iss_parameter_supported: bool,
    /// draft-ietf-oauth-client-id-metadata-document.
    client_id_metadata_document_supported: bool,
}

/// This authorization server.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "assistants",
    responses((status = 200, body = AuthorizationServer)))]
pub(in crate::http::accounts) async fn authorization_server<S: Kept>(
    State(service): Shared<S>,
) -> Json<AuthorizationServer> {
    let origin = service.origin.as_str();
    let at = |path: &str| format!("{origin}{path}");
    Json(AuthorizationServer {
        issuer: origin.to_owned(),
        authorization_endpoint: at("/oauth/authorize"),
        token_endpoint: at("/oauth/token"),
        registration_endpoint: at("/oauth/register"),
        revocation_endpoint: at("/oauth/revoke"),
        scopes_supported: scopes(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
    })
}

impl<S> Service<S> {
    /// What tokens are for.
    pub fn resource(&self) -> String {
        format!("{}{RESOURCE_PATH}", self.origin.as_str())
    }
}

fn scopes() -> Vec<&'static str> {
    Scope::ALL.map(Scope::as_str).to_vec()
}
