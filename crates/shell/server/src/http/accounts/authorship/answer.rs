//! Why an act is not taken, in pairs.

use http::StatusCode;
use symbolon_authorship::{EntryError, StandingError};
use symbolon_broker::CallError;

use super::super::super::failure::failure;

/// A server that was started without a broker's log.
pub(super) fn no_log() -> CallError {
    failure(
        "no_log",
        StatusCode::SERVICE_UNAVAILABLE,
        "This server has no log to register texts in.",
        Some("symbolon serve --accounts, by its operator"),
    )
}

/// A registration that another server of the database has in its log.
pub(super) fn other_log() -> CallError {
    failure(
        "other_log",
        StatusCode::CONFLICT,
        "This was registered in the log of another server.",
        Some("ask the server that registered it"),
    )
}

/// No such registration, or not this account's.
pub(super) fn nothing() -> CallError {
    failure(
        "not_registered",
        StatusCode::NOT_FOUND,
        "Nothing of this digest or commitment is registered here.",
        Some("symbolon note prove NOTE, by its author"),
    )
}

/// Another registration of the digest stands before.
pub(super) fn not_first(index: u64) -> CallError {
    failure(
        "not_first",
        StatusCode::CONFLICT,
        format!("This digest was registered before, at {index}."),
        Some("GET /api/authorship/DIGEST shows by whom"),
    )
}

/// Hexadecimal digits of another length, or none.
pub(super) fn form(says: &str) -> CallError {
    failure(
        "bad_request",
        StatusCode::UNPROCESSABLE_ENTITY,
        format!("{says}."),
        Some("GET /api/openapi.json"),
    )
}

/// Signatures that are not of this act.
pub(super) fn unsigned(error: &EntryError) -> CallError {
    let says = format!("The act is not taken: {error}.");
    let next =
        "sign the act anew: it names this server's log and the newest entry (specs/authorship.md)";
    failure("bad_act", StatusCode::UNPROCESSABLE_ENTITY, says, Some(next))
}

/// An act that does not follow.
pub(super) fn refused(error: &StandingError) -> CallError {
    let code = match error {
        StandingError::Revealed => "revealed",
        StandingError::Digest => "other_digest",
        StandingError::Full => "full",
        _ => "bad_act",
    };
    let says = format!("The act is not taken: {error}.");
    let next = "GET /api/authorship/COMMITMENT shows what is registered";
    failure(code, StatusCode::CONFLICT, says, Some(next))
}
