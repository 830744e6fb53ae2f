//! Connections, and the credentials that were made through them.

use serde::{Deserialize, Serialize};

use super::NewOAuth;

/// A connection to make. The credential comes beside it, never inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConnection {
    /// The service's id in the catalogue.
    pub service: String,
    /// The connection's name; the service's id where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// For self-hosted services: the fixed base URL in place of the catalogue's.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Values of the base URL's variables.
    #[serde(default)]
    pub variables: std::collections::BTreeMap<String, String>,
    /// Extra root certificate in PEM, for self-hosted services.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// The upstream may be on a loopback address.
    #[serde(default)]
    pub allow_loopback: bool,
    /// The upstream may be on a private address.
    #[serde(default)]
    pub allow_private: bool,
    /// Scopes that grants on this connection can ever give; all of the service's where empty.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Another scheme than the catalogue's: `bearer`, `header:NAME`, `query:NAME`, `cookie:NAME`, `form:NAME`, `basic` (see `Scheme`).
    #[serde(default)]
    pub auth: Option<String>,
    /// The user name, for services whose Basic authentication needs one.
    #[serde(default)]
    pub user: Option<String>,
    /// How its tokens are got, where the broker gets them; see [`crate::Broker::oauth_begin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<NewOAuth>,
    /// Replace a connection of this name.
    #[serde(default)]
    pub replace: bool,
    /// Make the service's read-only check call before the connection is kept.
    #[serde(default)]
    pub verify: bool,
}

impl NewConnection {
    /// A connection of this service with nothing out of the ordinary.
    pub fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            name: None,
            base_url: None,
            variables: std::collections::BTreeMap::new(),
            ca_pem: None,
            allow_loopback: false,
            allow_private: false,
            scopes: Vec::new(),
            auth: None,
            user: None,
            oauth: None,
            replace: false,
            verify: false,
        }
    }
}

/// A connection as anyone may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Its name.
    pub name: String,
    /// The service.
    pub service: String,
    /// Where it leads.
    pub base_url: String,
    /// The auth scheme, such as `bearer`.
    pub auth: String,
    /// The most that grants on it can give.
    pub scopes: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Bound to this machine's fingerprint, and how strong that is.
    pub bound_to: String,
    /// It is of the owner's vault, and here while that is lent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lent: bool,
    /// Why its tokens are not renewed any more, in the provider's word: it needs
    /// `symbolon connect` again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The status of the check call, where one was made now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<u16>,
}

/// What one live call with a connection's credential showed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifiedView {
    /// The connection's name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// Where it leads.
    pub base_url: String,
    /// `works`; `refused`: the service does not take the credential; `unreachable`; `certificate`: no
    /// TLS with it; `wrong_host`: it is elsewhere, or may not be reached; `failed`: anything else;
    /// `damaged`: not in force; `unchecked`: there is no call to make.
    pub outcome: String,
    /// In a sentence.
    pub detail: String,
    /// The service's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Who the credential is, where the answer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What it may do, in the service's words: where its answer says so, else as it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Those of them that go far, and that no grant which stands uses.
    #[serde(default)]
    pub too_wide: Vec<String>,
    /// When the credential ends, in the service's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// When the access token that the broker got ends, RFC 3339; it is renewed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ends: Option<String>,
    /// Why it is not renewed any more, in the provider's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
    /// When an agent's call through it last ended, RFC 3339, as far as the log was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// The check call's receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A minted credential as its owner sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MintedView {
    /// Its name: 16 hexadecimal digits.
    pub id: String,
    /// The connection that it was minted through.
    pub connection: String,
    /// The agent whose it is.
    pub agent: String,
    /// The tool that made it.
    pub tool: String,
    /// The log entry of that call's intent.
    pub intent: u64,
    /// When it was kept.
    pub created: String,
    /// When it ends; absent where the service did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether its end has come.
    pub ended: bool,
}
