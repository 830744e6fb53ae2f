//! A service whose tokens come by OAuth 2.0, as a catalogue file describes it.

use serde::Deserialize;

use super::error::Problem;
use crate::oauth2::{
    AuthorizationEndpoint, ClientAuth, ClientId, Endpoint, OAuth2Error, TokenScope,
};
use crate::url::Scheme;

/// Where a service's tokens come from. What is absent, the owner names when connecting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Where a person agrees; for the flow `code`.
    pub authorization_endpoint: Option<AuthorizationEndpoint>,
    /// Where tokens come from.
    pub token_endpoint: Endpoint,
    /// Where a device's codes come from; for the flow `device`.
    pub device_authorization_endpoint: Option<Endpoint>,
    /// What the answer of the authorization endpoint names as its sender (RFC 9207).
    pub issuer: Option<Endpoint>,
    /// A public client that the service gives to everybody.
    pub client_id: Option<ClientId>,
    /// How a client with a secret authenticates; Basic where absent.
    pub client_auth: Option<ClientAuth>,
    /// What is asked for where the owner names nothing.
    pub scope: TokenScope,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    authorization_endpoint: Option<String>,
    token_endpoint: String,
    device_authorization_endpoint: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    client_auth: Option<String>,
    #[serde(default)]
    scope: String,
}

impl Provider {
    pub(super) fn read(raw: &RawProvider) -> Result<Self, Problem> {
        let endpoint = |text: &String| {
            let endpoint = Endpoint::parse(text).map_err(|_| Problem::Rule(ENDPOINT))?;
            // A file is for every home: this machine is the owner's to name.
            let is_https = endpoint.authority().scheme() == Scheme::Https;
            is_https.then_some(endpoint).ok_or(Problem::Rule(ENDPOINT))
        };
        let other = |_: OAuth2Error| Problem::Rule(OTHER);
        let page = raw.authorization_endpoint.as_ref().map(|text| {
            let page = AuthorizationEndpoint::parse(text).map_err(|_| Problem::Rule(ENDPOINT))?;
            let is_https = page.as_str().starts_with("https://");
            is_https.then_some(page).ok_or(Problem::Rule(ENDPOINT))
        });
        Ok(Self {
            authorization_endpoint: page.transpose()?,
            token_endpoint: endpoint(&raw.token_endpoint)?,
            device_authorization_endpoint: raw
                .device_authorization_endpoint
                .as_ref()
                .map(endpoint)
                .transpose()?,
            issuer: raw.issuer.as_ref().map(endpoint).transpose()?,
            client_id: raw.client_id.as_deref().map(ClientId::parse).transpose().map_err(other)?,
            client_auth: raw.client_auth.as_deref().map(str::parse).transpose().map_err(other)?,
            scope: TokenScope::parse(&raw.scope).map_err(other)?,
        })
    }
}

const ENDPOINT: &str = "auth: an endpoint is an https address with a plain path, and no fragment";
const OTHER: &str = "auth: client_id, client_auth (none, basic, post) or scope is not one";

#[cfg(test)]
mod tests {
    use crate::catalog::{AuthScheme, Catalog};

    const SERVICE: &str = r#"
[service]
id = "demo"
name = "Demo"
base_url = "https://api.demo.example"
docs = "https://demo.example/docs"
verify = "me"
rate = { burst = 5, per_second = 1 }

[service.auth]
scheme = "oauth2"
authorization_endpoint = "https://id.demo.example/auth?prompt=consent"
token_endpoint = "https://id.demo.example/token"
issuer = "https://id.demo.example"
scope = "read offline_access"

[[operation]]
id = "me"
title = "Show me"
description = "Shows me."
method = "GET"
path = "/me"
scope = "demo.users.read"
effect = "read"
"#;

    #[test]
    fn a_file_names_endpoints_and_scope() {
        let catalog = Catalog::empty().with_extra(SERVICE).unwrap();
        let auth = catalog.service("demo").unwrap().auth();
        let AuthScheme::OAuth2(provider) = auth else { panic!("{auth:?}") };
        assert_eq!(provider.token_endpoint.as_str(), "https://id.demo.example/token");
        assert_eq!(provider.scope.as_str(), "read offline_access");
        assert_eq!(provider.device_authorization_endpoint, None);
    }

    #[test]
    fn an_endpoint_in_the_clear_or_an_unknown_field_does_not_load() {
        for (from, to) in [
            ("https://id.demo.example/token", "http://id.demo.example/token"),
            ("https://id.demo.example/token", "http://127.0.0.1:1/token"),
            ("https://id.demo.example/auth?prompt", "http://127.0.0.1:1/auth?prompt"),
            ("\"https://id.demo.example\"", "\"id.demo.example\""),
            ("scope = \"read", "client_auth = \"jwt\"\nscope = \"read"),
            ("scope = \"read", "client_secret = \"x\"\nscope = \"read"),
            ("scope = \"read", "scope = \"read\\n"),
        ] {
            let text = SERVICE.replacen(from, to, 1);
            assert!(Catalog::empty().with_extra(&text).is_err(), "{to}");
        }
    }
}
