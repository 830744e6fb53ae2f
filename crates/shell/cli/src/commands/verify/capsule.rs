//! A capsule's receipt, against its operator's key and the root of its publisher.

use std::path::Path;

use serde_json::{Map, Value, json};
use symbolon_receipt::capsule::{
    CAPSULE_BYTES_MAX, CapsuleCheck, CapsuleError, CapsuleVerdict, FieldName, Seen, verify_capsule,
};
use symbolon_receipt::{Finality, OperatorKey};

use super::super::capsule::place;
use super::Ctx;
use super::receipt::{Asked, expect_final, heard_json, retired, show_witnesses};
use super::revoked::Revocations;
use crate::failure::Failure;
use crate::out;

/// The longest receipt, in bytes.
pub const BYTES_MAX: usize = CAPSULE_BYTES_MAX;

/// What an operator is checked by.
pub struct By<'a> {
    /// Its key.
    pub key: &'a OperatorKey,
    /// Witnesses that are believed, where some are named.
    pub asked: Option<&'a Asked>,
    /// Its own word that it is believed no more.
    pub revoked: &'a Revocations,
}

/// Checks a receipt, and shows what it says.
pub fn verify(
    ctx: &Ctx,
    bytes: &[u8],
    by: Option<&By<'_>>,
    root: Option<&Path>,
) -> Result<(), Failure> {
    let root = root.map(place::public).transpose()?;
    let verdict = verify_capsule(bytes, by.map(|by| by.key), root.as_ref()).map_err(refused)?;
    let asked = by.and_then(|by| by.asked);
    let finality = asked.and_then(|it| verdict.finality(&it.witnesses, it.needed));
    let mut until = None;
    if let Some((by, key)) = by.zip(verdict.operator()) {
        by.revoked.on(verdict.rests_on()).expect_seen(finality.as_ref())?;
        until = by.key.until(key);
    }
    if ctx.json {
        let mut said = as_json(&verdict);
        said["operator"] = verdict.operator().map(ToString::to_string).into();
        if let Some(until) = until {
            said["retired_at"] = until.into();
        }
        if asked.is_some() {
            said["final"] = finality.as_ref().is_some_and(Finality::is_final).into();
            said["witnesses"] = finality.iter().flat_map(Finality::heard).map(heard_json).collect();
        }
        out::json(&said)?;
    } else {
        show(&verdict)?;
        let is_final = finality.as_ref().is_some_and(Finality::is_final);
        until.map_or(Ok(()), |until| out::text(&retired(until, is_final)))?;
        match (&finality, asked) {
            (Some(finality), _) => show_witnesses(finality)?,
            (None, Some(_)) => {
                out::text("witnesses   - not shown: its place in the operator's log")?
            }
            (None, None) => {
                out::text("witnesses   - not asked for: --witness KEY of those that you believe")?
            }
        }
    }
    match (finality, asked) {
        (Some(finality), _) => expect_final(ctx, &finality, AGAIN),
        (None, Some(_)) => {
            let what = "the receipt is true, and not final: it does not show its place in a log";
            let failure = Failure::not_final(what).next(AGAIN);
            Err(if ctx.json { failure.already_told() } else { failure })
        }
        (None, None) => Ok(()),
    }
}

fn refused(error: CapsuleError) -> Failure {
    if matches!(error, CapsuleError::NoKey) {
        return Failure::usage("a receipt is checked against its operator's key")
            .next("the same command with --key operator.pub, from the operator");
    }
    let (code, next) = match error {
        CapsuleError::Form(_) | CapsuleError::Value(_) => {
            ("receipt_form", "symbolon capsule run FILE --receipt FILE, by whoever ran it")
        }
        CapsuleError::Operator => {
            ("other_operator", "--key with the operator.pub of that operator")
        }
        CapsuleError::Unlinked => ("operator_withheld", ASK_FOR_IDENTITY),
        CapsuleError::Retired { .. } => ("retired", AGAIN),
        CapsuleError::Key => ("receipt_key", DO_NOT_RELY),
        CapsuleError::Execution | CapsuleError::Opening(_) => ("receipt_chain", DO_NOT_RELY),
        CapsuleError::Run => ("receipt_run", DO_NOT_RELY),
        CapsuleError::Field(_) => ("receipt_field", DO_NOT_RELY),
        CapsuleError::Identity(_) => ("receipt_identity", DO_NOT_RELY),
        CapsuleError::NotShown => ("receipt_statement", DO_NOT_RELY),
        CapsuleError::NoStatementKey => ("receipt_statement_key", DO_NOT_RELY),
        CapsuleError::Hash => ("receipt_hash", DO_NOT_RELY),
        CapsuleError::State(_) => ("receipt_state", DO_NOT_RELY),
        CapsuleError::Checkpoint(_) => ("receipt_checkpoint", DO_NOT_RELY),
        CapsuleError::Inclusion(_) => ("receipt_inclusion", DO_NOT_RELY),
        CapsuleError::Publisher(_) => {
            ("receipt_publisher", "--root with the keys of the root that certified the publisher")
        }
        _ => ("receipt_contradiction", DO_NOT_RELY),
    };
    Failure::refused(code, format!("not verified: {error}")).next(next)
}

fn as_json(verdict: &CapsuleVerdict) -> Value {
    let check = |it: &CapsuleCheck| match &it.seen {
        Seen::Held(what) => json!({ "check": it.name, "held": true, "says": what }),
        Seen::Withheld(what) => json!({ "check": it.name, "withheld": what }),
    };
    let checks: Vec<_> = verdict.checks().iter().map(check).collect();
    let shown = FieldName::ALL
        .into_iter()
        .filter_map(|name| Some((name.to_string(), verdict.value(name)?.clone())));
    json!({
        "verified": true,
        "private": verdict.is_private(),
        "onion": verdict.onion(),
        "execution": verdict.execution(),
        "checks": checks,
        "fields": shown.collect::<Map<String, Value>>(),
    })
}

fn show(verdict: &CapsuleVerdict) -> Result<(), Failure> {
    let rows: Vec<_> = verdict
        .checks()
        .iter()
        .map(|it| match &it.seen {
            Seen::Held(what) => (it.name, format!("\u{2713} {what}")),
            Seen::Withheld(what) => (it.name, format!("- not shown: {what}")),
        })
        .collect();
    out::pairs(&rows)?;
    if verdict.execution().is_some() && verdict.onion().is_none() {
        out::say("Proven by an execution key. Nothing here was held against an operator's key.");
    }
    if verdict.is_private() {
        out::say(
            "A capsule of this publisher ran under this policy. Which one, nobody can tell by this receipt.",
        );
    }
    Ok(())
}

const ASK_FOR_IDENTITY: &str = "its owner's symbolon capsule disclose FILE --show identity; or the same command without \
     --key, which says nothing of the operator";

const DO_NOT_RELY: &str = "do not rely on this file; ask its operator for the receipt again";
const AGAIN: &str = "symbolon capsule log FILE --out witnessed.json, by whoever ran it";
