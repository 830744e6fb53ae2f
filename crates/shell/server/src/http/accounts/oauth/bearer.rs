//! Who calls `/mcp` with a token of ours (RFC 6750), and what is said to who does not.

use std::{fmt, net::IpAddr};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use symbolon_account::oauth::{Bearer, BearerKind, GrantId, Scope, Scopes};
use symbolon_account::{AccountId, AccountState};
use symbolon_broker::CallError;
use symbolon_mcp::vault::wanted;

use super::super::{
    super::failure::{Failure, failure},
    fault,
    limits::Kind,
    service::Service,
};
use super::{Kept, METADATA_PATH, notes::scope_of};

/// An assistant whose token is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// Whose vault.
    pub account: AccountId,
    /// Which of the account's assistants.
    pub grant: GrantId,
    /// Its client's id.
    pub client: String,
    /// What its token may do.
    pub scopes: Scopes,
}

/// Why a request is not taken, with the challenge that its answer carries.
pub struct Denied {
    /// The error.
    pub error: CallError,
    /// `WWW-Authenticate`, for 401 and 403.
    pub challenge: Option<HeaderValue>,
}

impl fmt::Debug for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = Failure(self.error).into_response();
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<CallError> for Denied {
    fn from(error: CallError) -> Self {
        Self { error, challenge: None }
    }
}

/// Whether a request to `/mcp` is a vault's to answer: one with a token of ours, one that shows a token where
/// none may stand, and one that shows nothing.
pub(in crate::http) fn is_assistants(head: &Parts) -> bool {
    let headers = &head.headers;
    let has_key = KEY_HEADERS.iter().any(|name| headers.contains_key(*name));
    bearer(headers).is_some_and(|text| text.starts_with(BearerKind::Access.prefix().as_bytes()))
        || in_query(head)
        || !headers.contains_key(header::AUTHORIZATION) && !has_key
}

impl<S: Kept> Service<S> {
    /// The assistant whose token a request carries.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn assistant(&self, address: IpAddr, head: &Parts) -> Result<Assistant, Denied> {
        self.limits.address(address.into(), Kind::Read, &*self.clock)?;
        if in_query(head) {
            let says = "A token stands in the header Authorization, nowhere else.";
            return Err(failure("invalid_request", StatusCode::BAD_REQUEST, says, None).into());
        }
        let Some(text) = bearer(&head.headers) else { return Err(self.unknown(None)) };
        let bad = || self.unknown(Some("invalid_token"));
        let token = Bearer::read(BearerKind::Access, text).ok_or_else(bad)?;
        let found = self.store.token(&token.hash(&self.key)).await.map_err(fault::stored)?;
        let now = self.now();
        let (token, grant) = found.ok_or_else(bad)?;
        if !grant.opens(&token, &self.resource(), now) {
            return Err(bad());
        }
        let account = self.store.account(grant.account).await.map_err(fault::stored)?;
        if account.state != AccountState::Active {
            return Err(bad());
        }
        self.oauth.limits.call(grant.id, &*self.clock)?;
        if now.saturating_sub(grant.used_unix_ms.unwrap_or(0)) >= SEEN_EVERY_MS {
            self.store.touch_grant(grant.id, now).await.map_err(fault::stored)?;
        }
        Ok(Assistant {
            account: grant.account,
            grant: grant.id,
            client: grant.client.as_str().to_owned(),
            scopes: token.scopes,
        })
    }

    /// Looks at which tool a message would call before it is read whole.
    ///
    /// # Errors
    /// `insufficient_scope`, 403, where the token is not good for that; it is written down.
    pub async fn may(&self, who: &Assistant, message: &[u8]) -> Result<(), Denied> {
        let Some(tool) = wanted(message) else { return Ok(()) };
        let scope = scope_of(tool.right());
        if who.scopes.has(scope) {
            return Ok(());
        }
        let written = self.write_down(who, tool, "insufficient_scope").await;
        written.map_err(|_| fault::bug("the account's audit"))?;
        Err(self.insufficient(scope))
    }

    fn insufficient(&self, scope: Scope) -> Denied {
        let says = format!("This needs the right {}.", scope.as_str());
        let error = failure(
            "insufficient_scope",
            StatusCode::FORBIDDEN,
            says,
            Some("Ask the owner of the vault to connect the assistant again, with this right."),
        );
        Denied { error, challenge: self.challenge(Some("insufficient_scope"), scope.as_str()) }
    }

    fn unknown(&self, word: Option<&str>) -> Denied {
        let (code, says) = match word {
            None => ("no_key", "This needs an assistant's token, or an agent's key."),
            Some(_) => ("invalid_token", "The token is not good, or not any more."),
        };
        let next = Some("GET /.well-known/oauth-protected-resource/mcp");
        let error = failure(code, StatusCode::UNAUTHORIZED, says, next);
        Denied { error, challenge: self.challenge(word, WANTED) }
    }

    fn challenge(&self, error: Option<&str>, scope: &str) -> Option<HeaderValue> {
        let origin = self.origin.as_str();
        let error = error.map(|word| format!(r#"error="{word}", "#)).unwrap_or_default();
        let text = format!(
            r#"Bearer {error}resource_metadata="{origin}{METADATA_PATH}", scope="{scope}""#
        );
        HeaderValue::try_from(text).ok()
    }
}

/// What stands behind `Bearer`, in the one `Authorization`.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn in_query(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.split('=').next() == Some("access_token"))
}

/// What most assistants are for; a person may allow less.
const WANTED: &str = "notes.read notes.write";
/// Where agents put their keys beside `Authorization`.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "private-token"];
const SEEN_EVERY_MS: u64 = 60_000;
