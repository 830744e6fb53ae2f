//! Errors in pairs as JSON: what went wrong, and what to do next.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use symbolon_broker::{CallError, Fault};

/// A broker's or a door's error on its way out.
#[derive(Debug)]
pub(super) struct Failure(pub CallError);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status =
            StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = error.retry_after_seconds;
        let mut response = (status, axum::Json(error)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An error of the door itself. The caller's where the status says so.
pub(super) fn failure(
    code: &str,
    status: StatusCode,
    message: impl Into<String>,
    next: Option<&str>,
) -> CallError {
    CallError {
        code: code.to_owned(),
        message: message.into(),
        next: next.map(str::to_owned),
        fault: if status.is_client_error() { Fault::Caller } else { Fault::Environment },
        http_status: status.as_u16(),
        receipt: None,
        retry_after_seconds: None,
    }
}
