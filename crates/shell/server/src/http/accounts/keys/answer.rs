//! What went wrong with keys, each with its own code.

use http::StatusCode;
use symbolon_account::AccountError;
use symbolon_broker::CallError;
use symbolon_crypto::schnorr::{PointError, ProofError};
use symbolon_possession::{NonceError, PossessionError};

use super::super::super::failure::failure;
use super::super::fault;

/// A nonce that is not taken.
pub(super) fn nonce(error: NonceError) -> CallError {
    let code = match error {
        NonceError::Length => "nonce_length",
        NonceError::NotOurs => "nonce_unknown",
        NonceError::OtherService => "nonce_other_service",
        NonceError::OtherDevice => "nonce_other_device",
        NonceError::Early => "nonce_early",
        _ => "nonce_expired",
    };
    refuse(code, error.to_string(), AGAIN)
}

/// A change that came with a nonce; where that was used, nothing was changed.
pub(super) fn stored(error: AccountError) -> CallError {
    match error {
        AccountError::Exists("a use of this nonce") => {
            refuse("nonce_used", "the nonce was used before".to_owned(), AGAIN)
        }
        error => fault::stored(error),
    }
}

/// A proof that is not taken.
pub(super) fn proof(error: PossessionError) -> CallError {
    let code = match error {
        PossessionError::Device => "device_signature",
        PossessionError::Proof(error) => match error {
            ProofError::Commitment(PointError::Identity) => "proof_identity",
            ProofError::Commitment(_) => "proof_commitment",
            ProofError::Scalar => "proof_scalar",
            _ => "proof_wrong",
        },
        PossessionError::NewProof(_) => "new_proof_wrong",
        PossessionError::SameKey => "same_key",
        _ => "proof_wrong",
    };
    refuse(code, error.to_string(), AGAIN)
}

/// A point that is none.
pub(super) fn point(error: PointError) -> CallError {
    let code = if error == PointError::Identity { "point_identity" } else { "point_encoding" };
    let says = format!("The point is not taken: {error}.");
    failure(code, StatusCode::UNPROCESSABLE_ENTITY, says, Some("GET /api/openapi.json"))
}

/// No such device, or none any more.
pub(super) fn device() -> CallError {
    let next = "symbolon key enrol URL";
    refuse("unknown_device", "no device is enrolled here by this id".to_owned(), next)
}

/// The device or its key was taken back.
pub(super) fn revoked() -> CallError {
    let says = "the key, or this device of it, was revoked".to_owned();
    refuse("revoked", says, "Ask the service for another key, then symbolon key enrol URL")
}

/// No key of the service has this point.
pub(super) fn key() -> CallError {
    let says = "the service registered no such key for this account".to_owned();
    refuse("unknown_key", says, "Ask the service to register the key: symbolon key register")
}

/// Another connection than the one that was proven, or none that is known.
pub(super) fn channel() -> CallError {
    let says = "the proof is bound to another TLS connection".to_owned();
    refuse("channel", says, "Prove on the connection that the proof is sent on.")
}

/// More than the key may.
pub(super) fn scope() -> CallError {
    failure(
        "scope",
        StatusCode::FORBIDDEN,
        "The key is not good for all of these scopes, or none was asked for.",
        Some("Ask for fewer: symbolon key login URL --scope SCOPE"),
    )
}

fn refuse(code: &str, says: String, next: &str) -> CallError {
    let mut says = says;
    if let Some(first) = says.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    failure(code, StatusCode::UNAUTHORIZED, format!("{says}."), Some(next))
}

const AGAIN: &str = "POST /api/keys/challenge, and prove again";
