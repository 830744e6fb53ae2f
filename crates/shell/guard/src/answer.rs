//! What is said to who is not let through (RFC 6750, RFC 9449), and to who asks what this service wants (RFC 9728).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;
use symbolon_token::Scopes;

use crate::guard::Denied;
use crate::options::GuardOptions;

/// Where RFC 9728 puts a service's own words.
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// The refusal.
pub(crate) fn refuse<B: From<String>>(denied: &Denied, options: &GuardOptions) -> Response<B> {
    let (status, word) = match denied {
        Denied::NoToken => (StatusCode::UNAUTHORIZED, None),
        Denied::NoProof | Denied::Proof(_) | Denied::Replayed => {
            (StatusCode::UNAUTHORIZED, Some("invalid_dpop_proof"))
        }
        Denied::Token(_) | Denied::Revoked => (StatusCode::UNAUTHORIZED, Some("invalid_token")),
        Denied::Scope(_) => (StatusCode::FORBIDDEN, Some("insufficient_scope")),
        Denied::Busy | Denied::Server(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Some("temporarily_unavailable"))
        }
    };
    let next = format!("symbolon key login {}", options.audience);
    // Of our own trouble with the server a stranger learns that there is one.
    let says = match denied {
        Denied::Server(_) => "the server that issues tokens does not answer".to_owned(),
        denied => denied.to_string(),
    };
    let body =
        json!({ "error": word.unwrap_or("no_token"), "error_description": says, "next": next });
    let mut response = json_answer(status, &body);
    let place = format!("{}{METADATA_PATH}", options.audience);
    let mut challenge = format!(r#"DPoP algs="EdDSA", resource_metadata="{place}""#);
    if let Some(word) = word {
        challenge.push_str(&format!(r#", error="{word}""#));
    }
    if let Denied::Scope(scopes) = denied {
        challenge.push_str(&format!(r#", scope="{scopes}""#));
    }
    if status != StatusCode::SERVICE_UNAVAILABLE
        && let Ok(value) = HeaderValue::try_from(challenge)
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// What this service wants of a client.
pub(crate) fn metadata<B: From<String>>(options: &GuardOptions, scopes: &Scopes) -> Response<B> {
    let scopes: Vec<_> = scopes.iter().collect();
    let body = json!({
        "resource": options.audience,
        "authorization_servers": [options.issuer],
        "scopes_supported": scopes,
        "bearer_methods_supported": [],
        "dpop_bound_access_tokens_required": true,
        "dpop_signing_alg_values_supported": ["EdDSA"],
        "symbolon_service": options.service,
    });
    json_answer(StatusCode::OK, &body)
}

fn json_answer<B: From<String>>(status: StatusCode, body: &serde_json::Value) -> Response<B> {
    let mut response = Response::new(B::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
