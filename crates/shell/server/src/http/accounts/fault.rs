//! What went wrong, in the pairs that every door answers with.

use http::StatusCode;
use symbolon_account::{AccountError, signature::SignatureError};
use symbolon_broker::{CallError, Fault};

use super::super::failure::failure;

/// An error of the store.
pub(super) fn stored(error: AccountError) -> CallError {
    let says = error.to_string();
    match error {
        AccountError::Conflict(_) => refuse("conflict", StatusCode::CONFLICT, says),
        AccountError::Exists(_) => refuse("exists", StatusCode::CONFLICT, says),
        AccountError::Missing(_) => refuse("missing", StatusCode::NOT_FOUND, says),
        AccountError::Quota { .. } => refuse("quota", StatusCode::PAYLOAD_TOO_LARGE, says),
        AccountError::TooLong { .. } => refuse("too_long", StatusCode::PAYLOAD_TOO_LARGE, says),
        AccountError::Malformed(_) => refuse("malformed", StatusCode::UNPROCESSABLE_ENTITY, says),
        AccountError::Unavailable(_) => CallError {
            retry_after_seconds: Some(1),
            ..ours(
                "store_unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The accounts' store does not answer.",
            )
        },
        AccountError::Full => {
            ours("store_full", StatusCode::INSUFFICIENT_STORAGE, "The server's disk is full.")
        }
        AccountError::Damaged(what) => {
            tracing::error!(%what, "a row of the accounts' store is not what was written");
            ours(
                "store_damaged",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The accounts' store is damaged.",
            )
        }
        error => {
            tracing::error!(%error, "the accounts' store failed");
            ours("store_failed", StatusCode::INTERNAL_SERVER_ERROR, "The accounts' store failed.")
        }
    }
}

/// A program's signature that is not taken.
pub(super) fn signature(error: SignatureError) -> CallError {
    let next = "Sign @method, @authority, @path, @query and content-digest with created, nonce and keyid \
                (RFC 9421, ed25519).";
    let says = format!("The request's signature is not taken: {error}.");
    failure("bad_signature", StatusCode::UNAUTHORIZED, says, Some(next))
}

/// No session, and no signature.
pub(super) fn nobody() -> CallError {
    failure(
        "no_session",
        StatusCode::UNAUTHORIZED,
        "This needs a session, or a request that is signed by one of the account's keys.",
        Some("POST /api/account/challenge, then POST /api/session"),
    )
}

/// A session that did not confirm within the last minutes.
pub(super) fn unconfirmed() -> CallError {
    failure(
        "needs_confirmation",
        StatusCode::FORBIDDEN,
        "This needs a sign-in or a confirmation within the last 5 minutes.",
        Some("POST /api/account/challenge with purpose confirm, then POST /api/session/confirm"),
    )
}

/// A proof that does not hold: which part of it is told to nobody.
pub(super) fn proof() -> CallError {
    failure(
        "bad_proof",
        StatusCode::UNAUTHORIZED,
        "The proof does not answer the challenge.",
        Some("POST /api/account/challenge, and try again"),
    )
}

/// A challenge that is over, was answered before, or never was.
pub(super) fn challenge() -> CallError {
    failure(
        "no_challenge",
        StatusCode::UNAUTHORIZED,
        "The challenge is over, was answered before, or is for something else.",
        Some("POST /api/account/challenge"),
    )
}

/// A request of another shape than its route takes.
pub(super) fn malformed(says: impl Into<String>) -> CallError {
    failure("bad_request", StatusCode::UNPROCESSABLE_ENTITY, says, Some("GET /api/openapi.json"))
}

/// A bug, or an environment that fails us.
pub(super) fn bug(what: &str) -> CallError {
    tracing::error!(what, "accounts");
    let says = "This is a bug in symbolon.";
    ours("bug", StatusCode::INTERNAL_SERVER_ERROR, says)
}

fn refuse(code: &str, status: StatusCode, says: String) -> CallError {
    let mut says = says;
    if let Some(first) = says.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    failure(code, status, format!("{says}."), None)
}

fn ours(code: &str, status: StatusCode, says: &str) -> CallError {
    CallError { fault: Fault::Us, ..failure(code, status, says, Some("symbolon doctor")) }
}
