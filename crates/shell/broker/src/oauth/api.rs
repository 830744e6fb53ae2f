//! What the owner's command says and hears of flows. Nothing here can hold a secret.

use serde::{Deserialize, Serialize};

use crate::api::ConnectionView;

/// How the broker gets a connection's tokens (RFC 6749). What is absent is the catalogue's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOAuth {
    /// `code`, `device`, `client-credentials` or `github-app`.
    pub flow: String,
    /// Whom the provider knows the broker as.
    #[serde(default)]
    pub client_id: Option<String>,
    /// A client secret comes beside the request.
    #[serde(default)]
    pub has_secret: bool,
    /// `none`, `basic`, `post` or `app-jwt`.
    #[serde(default)]
    pub client_auth: Option<String>,
    /// The installation of a GitHub App.
    #[serde(default)]
    pub installation: Option<u64>,
    /// Where a person agrees.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    /// Where tokens come from.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// Where a device's codes come from (RFC 8628).
    #[serde(default)]
    pub device_endpoint: Option<String>,
    /// What a redirect must name as its sender (RFC 9207).
    #[serde(default)]
    pub issuer: Option<String>,
    /// What is asked for: scopes of the provider, one space between them.
    #[serde(default)]
    pub scope: Option<String>,
    /// Where the command listens: `http://127.0.0.1:PORT/callback`.
    #[serde(default)]
    pub redirect_uri: Option<String>,
}

/// A flow that has begun.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OAuthStep {
    /// Its name, for [`crate::Broker::oauth_finish`].
    pub id: String,
    /// What a person must open; absent where nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The same, with the code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_complete: Option<String>,
    /// What a person enters there; for the device flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// How long it waits.
    pub expires_in_seconds: u64,
}

/// How far a flow is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OAuthProgress {
    /// The person has not answered yet.
    Wait {
        /// Before asking again.
        seconds: u64,
    },
    /// The connection is kept.
    Connected {
        /// It.
        connection: Box<ConnectionView>,
    },
}
