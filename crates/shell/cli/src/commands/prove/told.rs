//! Why there is no proof, or why it was not taken, in pairs.

use symbolon_holder::server::ClientError;
use symbolon_proof::{Lacking, PresentError, Request};

use crate::failure::Failure;

/// What does not hold: said to the holder alone, and before anything is proven.
pub fn not_shown(error: &PresentError, request: &Request) -> Failure {
    let day = request.date;
    let (code, what, next) = match error.lacking() {
        Some(Lacking::Age) => (
            "too_young",
            format!(
                "by your claims you are younger than {} on {day}; nobody was told",
                request.facts().years
            ),
            "symbolon claims ls",
        ),
        Some(Lacking::Nationality) => (
            "not_in_group",
            format!(
                "by your claims your nationality is not in {}; nobody was told",
                request.policy.group()
            ),
            "symbolon claims ls",
        ),
        Some(Lacking::Document) => (
            "document_over",
            format!("by your claims your document is over on {day}; nobody was told"),
            "symbolon claims request --out request.json, and your new document at the issuer",
        ),
        Some(Lacking::Custody) => (
            "claims_over",
            format!("your claims were good until a day before {day}"),
            "symbolon claims request --out request.json, and the issuer again",
        ),
        None => ("not_proven", error.to_string(), "symbolon claims ls"),
    };
    Failure::refused(code, what).next(next)
}

/// The service is away, or is none of ours.
pub fn not_there(error: ClientError) -> Failure {
    let is_away = matches!(error, ClientError::Unreachable { .. } | ClientError::Late { .. });
    let failure = Failure::from(error);
    if is_away { failure.next("the same command, when it is back") } else { failure }
}

/// What the service said.
pub fn not_taken(error: ClientError) -> Failure {
    let ClientError::Refused(refusal) = &error else { return not_there(error) };
    let next = match refusal.code.as_str() {
        "unknown_session" | "expired" | "spent" | "another_request" => {
            "a new request from the service, and the same command"
        }
        "unknown_issuer" | "revoked_issuer" => {
            "ask the service whose claims it takes; then symbolon claims request --out request.json"
        }
        "seen_before" => {
            "symbolon claims ls: the service took a proof of yours already in this epoch"
        }
        "rate_limited" => "the same command, after a minute",
        _ => "symbolon verify proof.json, after the same command with --out proof.json",
    };
    Failure::refused(&refusal.code, error.to_string()).next(next)
}
