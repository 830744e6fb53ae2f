//! A receipt, against its operator's key.

use std::path::Path;

use serde_json::json;
use symbolon_receipt::{
    BUNDLE_BYTES_MAX, OperatorKey, Outcome, Predicate, Response, VerifiedReceipt, VerifyError,
};

use super::Ctx;
use crate::failure::Failure;
use crate::{facts, out};

/// The longest receipt, in bytes.
pub const BYTES_MAX: usize = BUNDLE_BYTES_MAX;

/// Checks a receipt, and shows what it says.
pub fn verify(ctx: &Ctx, bundle: &[u8], key: &Path) -> Result<(), Failure> {
    let text = facts::read(key, KEY_BYTES_MAX)?;
    let key = OperatorKey::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        let what = format!("{} is not an operator's key: {error}", key.display());
        Failure::refused("operator_key", what)
            .next("the operator's own operator.pub, from the operator")
    })?;
    let receipt = symbolon_receipt::verify(bundle, &key).map_err(refused)?;
    if ctx.json { out::json(&as_json(&receipt)) } else { show(&receipt) }
}

fn refused(error: VerifyError) -> Failure {
    let (code, next) = match error {
        VerifyError::Json(_) | VerifyError::MediaType | VerifyError::Form(_) => {
            ("receipt_form", "symbolon receipts show N --out FILE, by whoever has the receipt")
        }
        VerifyError::Operator => ("other_operator", "--key with the operator.pub of that operator"),
        VerifyError::Envelope(_) => ("receipt_signature", DO_NOT_RELY),
        VerifyError::Statement(_) => ("receipt_statement", DO_NOT_RELY),
        VerifyError::Checkpoint(_) => ("receipt_checkpoint", DO_NOT_RELY),
        VerifyError::Inclusion(_) => ("receipt_inclusion", DO_NOT_RELY),
        VerifyError::Order { .. } => ("receipt_order", DO_NOT_RELY),
        _ => ("receipt", DO_NOT_RELY),
    };
    Failure::refused(code, format!("not verified: {error}")).next(next)
}

fn as_json(receipt: &VerifiedReceipt) -> serde_json::Value {
    let checkpoint = receipt.checkpoint();
    json!({
        "verified": true,
        "receipt": receipt.index(),
        "leaf_hash": receipt.leaf_hash(),
        "request": receipt.statement().request,
        "statement": receipt.statement().predicate,
        "log": {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
        },
    })
}

fn show(receipt: &VerifiedReceipt) -> Result<(), Failure> {
    let said = &receipt.statement().predicate;
    let checkpoint = receipt.checkpoint();
    out::pairs(&[
        ("verified", format!("yes: signed, and in the log at {}", receipt.index())),
        ("agent", said.agent.to_string()),
        ("tool", said.tool.to_string()),
        ("request", format!("{} {}{}", said.method, said.host, said.path_template)),
        ("connection", said.connection.to_string()),
        ("decision", decision(said)),
        ("result", result(said)),
        ("requested", said.times.requested.to_string()),
        ("completed", said.times.completed.to_string()),
        ("intent", intent(said)),
        ("log", format!("{}, {} entries", checkpoint.origin, checkpoint.size)),
        ("root", checkpoint.root.to_string()),
    ])
}

fn decision(said: &Predicate<'_>) -> String {
    let outcome = match said.decision.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Refused => "refused",
        Outcome::Shadowed => "let through by shadow mode",
    };
    let gates: Vec<_> = said
        .decision
        .gates
        .iter()
        .map(|it| if it.held { it.gate.to_string() } else { format!("not {}", it.gate) })
        .collect();
    format!("{outcome} by {}", gates.join(", "))
}

fn result(said: &Predicate<'_>) -> String {
    let tried = match said.retries {
        0 => String::new(),
        n => format!(", at try {}", u32::from(n) + 1),
    };
    if let Some(error) = &said.error {
        return format!("failed: {error}{tried}");
    }
    let Some(response) = &said.response else { return "nothing was released".to_owned() };
    let redactions: u64 = response.redactions.iter().map(|it| it.count).sum();
    let taken = match redactions {
        0 => String::new(),
        n => format!(", credential taken out {n} times"),
    };
    let Response { status, bytes_in, content_type, .. } = response;
    format!("{status}, {bytes_in} bytes of {content_type}{taken}{tried}")
}

fn intent(said: &Predicate<'_>) -> String {
    match said.intent {
        Some(intent) => {
            format!("at {}, durable ({}) before the release", intent.index, said.durability)
        }
        None => "none".to_owned(),
    }
}

const DO_NOT_RELY: &str = "do not rely on this file; ask its operator for the receipt again";
const KEY_BYTES_MAX: usize = 4096;
