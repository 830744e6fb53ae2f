//! What is wrong with an answer, by the names of `specs/proof.md`.

use http::StatusCode;
use symbolon_broker::{CallError, Fault};
use symbolon_proof::ProofError;

use super::super::super::failure::failure;

/// A presentation that is not taken, or a question that cannot be asked.
pub(super) fn refused(error: ProofError) -> CallError {
    let (status, next) = match &error {
        ProofError::Malformed(_) => (StatusCode::BAD_REQUEST, "GET /api/openapi.json"),
        ProofError::UnknownSession => (StatusCode::NOT_FOUND, AGAIN),
        ProofError::Expired => (StatusCode::GONE, AGAIN),
        ProofError::Spent => (StatusCode::CONFLICT, AGAIN),
        ProofError::SeenBefore => {
            (StatusCode::CONFLICT, "Nothing more: one holder comes once in an epoch.")
        }
        ProofError::AnotherRequest => {
            (StatusCode::UNPROCESSABLE_ENTITY, "Send the request back as it was asked.")
        }
        ProofError::UnknownIssuer | ProofError::RevokedIssuer => {
            (StatusCode::UNPROCESSABLE_ENTITY, "Prove with claims by an issuer that is asked for.")
        }
        ProofError::AnotherBinding => {
            (StatusCode::UNPROCESSABLE_ENTITY, "Prove with the claims that were registered.")
        }
        ProofError::Store(error) => {
            tracing::error!(%error, "the accounts' store failed");
            return CallError {
                fault: Fault::Us,
                retry_after_seconds: Some(1),
                ..failure(
                    "store",
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The sessions cannot be reached. Nothing was taken.",
                    Some("symbolon doctor"),
                )
            };
        }
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "symbolon verify proof.json"),
    };
    let mut says = error.to_string();
    if let Some(first) = says.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    failure(error.name(), status, format!("{says}."), Some(next))
}

/// This server asks nothing for itself.
pub(super) fn not_asking() -> CallError {
    failure(
        "not_asking",
        StatusCode::NOT_FOUND,
        "This server asks nothing for itself: its operator named no issuer that it believes.",
        Some("symbolon serve --accounts --proof-issuer KEY; or POST /demo/age/session"),
    )
}

const AGAIN: &str = "Ask the relying party for another session.";
