//! A receipt's verdict.

use serde_json::{Value, json};
use symbolon_receipt::{OperatorKey, VerifiedReceipt, VerifyError, verify};

use crate::verdict::{named, refused, said};

/// Checks in the order in which [`verify`] makes them.
const CHECKS: [&str; 7] =
    ["Form", "Operator", "Signature", "Statement", "Checkpoint", "Inclusion", "Order"];

/// Checks a bundle with the operator's key, as `symbolon verify` does.
pub(crate) fn verdict(bundle: &[u8], operator: &OperatorKey) -> Value {
    match verify(bundle, operator) {
        Ok(receipt) => verified(&receipt, operator.until(receipt.operator())),
        Err(error) => {
            let at = place(&error);
            let held = match &error {
                // Also where it cannot be decoded, which is seen first of all.
                VerifyError::Envelope(_) => 0,
                // A bare key names no log: the checkpoint is looked at before anything was checked.
                VerifyError::Checkpoint(_) if operator.origin().is_none() => 0,
                _ => at,
            };
            let held: Vec<Value> =
                CHECKS[..held].iter().zip(HELD).map(|(check, what)| said(check, what)).collect();
            refused(&held, CHECKS[at], &error.to_string())
        }
    }
}

fn verified(receipt: &VerifiedReceipt, until: Option<u64>) -> Value {
    let (statement, checkpoint) = (receipt.statement(), receipt.checkpoint());
    let signed = format!(
        "The log {} signed a checkpoint of {} entries.",
        checkpoint.origin, checkpoint.size
    );
    let included = format!("Entry {} leads to the root that it signed.", receipt.index());
    let order = match statement.predicate.intent {
        Some(intent) => format!("Its intent is entry {}, before it.", intent.index),
        None => "It completes no intent: nothing was released.".to_owned(),
    };
    let checks: Vec<Value> = CHECKS
        .iter()
        .map(|check| match *check {
            "Operator" => said(check, &named(until, HELD[index(check)])),
            "Checkpoint" => said(check, &signed),
            "Inclusion" => said(check, &included),
            "Order" => said(check, &order),
            _ => said(check, HELD[index(check)]),
        })
        .collect();
    json!({
        "verified": true,
        "kind": "receipt",
        "checks": checks,
        "number": receipt.index(),
        "leaf_hash": receipt.leaf_hash(),
        "request": statement.request,
        "log": { "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root },
        "statement": statement.predicate,
    })
}

/// What each check says where it held.
const HELD: [&str; 7] = [
    "It is a receipt of version 1, and nothing else.",
    "It names the operator whose key this is.",
    "The operator signed the statement (DSSE, Ed25519).",
    "The statement is whole and does not contradict itself.",
    "The log signed a checkpoint, by the same operator.",
    "The statement is in the log that the checkpoint speaks of.",
    "Its intent stands before it.",
];

fn index(check: &str) -> usize {
    CHECKS.iter().position(|one| *one == check).unwrap_or(0)
}

fn place(error: &VerifyError) -> usize {
    index(match error {
        VerifyError::Operator => "Operator",
        VerifyError::Envelope(_) => "Signature",
        VerifyError::Statement(_) => "Statement",
        VerifyError::Checkpoint(_) => "Checkpoint",
        VerifyError::Inclusion(_) => "Inclusion",
        VerifyError::Order { .. } => "Order",
        // What cannot be read has passed no check; so has what a later version refuses for.
        _ => "Form",
    })
}
