//! Errors as OAuth's clients read them (RFC 6749, section 5.2).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use symbolon_account::{AccountError, oauth::FormError};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::fault;

/// What is wrong, in the words of RFC 6749, 7591, 7009 and 8707.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::accounts) struct OauthError {
    /// The word.
    error: &'static str,
    /// For who writes the client.
    error_description: String,
    #[serde(skip)]
    status: u16,
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
}

impl OauthError {
    /// The client's fault.
    pub fn new(error: &'static str, says: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST.as_u16();
        Self { error, error_description: says.into(), status, retry_after_seconds: None }
    }

    /// Nobody's whom the server knows, or one that must not show itself so.
    pub fn client(says: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED.as_u16(), ..Self::new("invalid_client", says) }
    }

    /// The store's error.
    pub fn stored(error: AccountError) -> Self {
        fault::stored(error).into()
    }
}

impl From<CallError> for OauthError {
    fn from(error: CallError) -> Self {
        let word = match error.http_status {
            429 | 503 => "temporarily_unavailable",
            500.. => "server_error",
            _ => "invalid_request",
        };
        let CallError { message, http_status: status, retry_after_seconds, .. } = error;
        Self { error: word, error_description: message, status, retry_after_seconds }
    }
}

impl From<FormError> for OauthError {
    fn from(error: FormError) -> Self {
        Self::new("invalid_request", error.to_string())
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let retry_after = self.retry_after_seconds;
        let mut response = (status, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl OauthError {
    /// No room now.
    pub fn full(says: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE.as_u16();
        Self {
            status,
            retry_after_seconds: Some(3600),
            ..Self::new("temporarily_unavailable", says)
        }
    }
}
