//! A capsule's receipt, against its operator's key and the root of its publisher.

use std::path::Path;

use serde_json::{Map, Value, json};
use symbolon_receipt::OperatorKey;
use symbolon_receipt::capsule::{
    CAPSULE_BYTES_MAX, CapsuleCheck, CapsuleError, CapsuleVerdict, FieldName, Seen, verify_capsule,
};

use super::super::capsule::place;
use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// The longest receipt, in bytes.
pub const BYTES_MAX: usize = CAPSULE_BYTES_MAX;

/// Checks a receipt, and shows what it says.
pub fn verify(
    ctx: &Ctx,
    bytes: &[u8],
    key: Option<&OperatorKey>,
    root: Option<&Path>,
) -> Result<(), Failure> {
    let root = root.map(place::public).transpose()?;
    let verdict = verify_capsule(bytes, key, root.as_ref()).map_err(refused)?;
    if ctx.json { out::json(&as_json(&verdict)) } else { show(&verdict) }
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
        CapsuleError::Key => ("receipt_key", DO_NOT_RELY),
        CapsuleError::Execution | CapsuleError::Opening(_) => ("receipt_chain", DO_NOT_RELY),
        CapsuleError::Run => ("receipt_run", DO_NOT_RELY),
        CapsuleError::Field(_) => ("receipt_field", DO_NOT_RELY),
        CapsuleError::Identity(_) => ("receipt_identity", DO_NOT_RELY),
        CapsuleError::NotShown => ("receipt_statement", DO_NOT_RELY),
        CapsuleError::NoStatementKey => ("receipt_statement_key", DO_NOT_RELY),
        CapsuleError::Hash => ("receipt_hash", DO_NOT_RELY),
        CapsuleError::State(_) => ("receipt_state", DO_NOT_RELY),
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
