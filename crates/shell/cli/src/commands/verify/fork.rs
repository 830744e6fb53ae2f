//! The proof of a fork, against its operator's key.

use serde_json::json;
use symbolon_codec::json;
use symbolon_crypto::VerifyingKey;
use symbolon_log::{FORK_MEDIA_TYPE, ForkError, ForkProof};
use symbolon_receipt::OperatorKey;
use symbolon_trust::score::Evidence;

use super::Ctx;
use super::revoked::Revocations;
use crate::commands::trust;
use crate::failure::Failure;
use crate::out;

/// Whether a file says that it is one.
pub fn is_fork(bytes: &[u8]) -> bool {
    let kind = json::text_member(bytes, symbolon_log::FORK_BYTES_MAX, 6, "mediaType");
    kind.is_some_and(|kind| kind == FORK_MEDIA_TYPE)
}

/// Checks the proof, and says what it shows.
pub fn verify(
    ctx: &Ctx,
    bytes: &[u8],
    key: &OperatorKey,
    revoked: &Revocations,
) -> Result<(), Failure> {
    let proof = ForkProof::parse(bytes).map_err(refused)?;
    let by = |by: VerifyingKey| match proof.verify(&by, key.origin()) {
        Err(ForkError::Operator) => None,
        shown => Some(shown.map(|fork| (by, fork))),
    };
    let shown = key.keys().into_iter().find_map(by).unwrap_or(Err(ForkError::Operator));
    let (by, fork) = shown.map_err(refused)?;
    let on = revoked.on(&key.rests_on(&by, None));
    on.refuse("a fork, which whoever has the key can make,")?;
    trust::keep(ctx, &by, Evidence::of(&fork));
    let (older, newer) = (fork.older(), fork.newer());
    if ctx.json {
        let side = |it: &symbolon_log::Checkpoint| json!({ "size": it.size, "root": it.root });
        return out::json(&json!({
            "verified": true,
            "fork": true,
            "origin": older.origin,
            "older": side(older),
            "newer": side(newer),
        }));
    }
    out::pairs(&[
        ("verified", "yes: the operator's key signed two histories of one log".to_owned()),
        ("log", older.origin.clone()),
        ("one", format!("{} entries, root {}", older.size, older.root)),
        ("the other", format!("{} entries, root {}", newer.size, newer.root)),
    ])
}

fn refused(error: ForkError) -> Failure {
    let (code, next) = match error {
        ForkError::Json(_) | ForkError::MediaType | ForkError::Form(_) => {
            ("fork_form", "the whole file, as symbolon monitor wrote it")
        }
        ForkError::Operator => ("other_operator", "--key with the operator.pub of that operator"),
        _ => ("no_fork", "believe nobody who shows you this file"),
    };
    Failure::refused(code, format!("no fork is shown: {error}")).next(next)
}
