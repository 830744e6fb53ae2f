//! A receipt, against its operator's key.

use std::path::Path;

use serde_json::json;
use symbolon_codec::time::rfc3339;
use symbolon_log::{Cosignature, SUCCESSION_BYTES_MAX, Succession, WitnessKey};
use symbolon_receipt::{
    BUNDLE_BYTES_MAX, Finality, Heard, OperatorKey, Outcome, Predicate, Response, VerifiedReceipt,
    VerifyError, WITNESSES_DEFAULT,
};

use super::Ctx;
use super::revoked::Revocations;
use crate::commands::witnesses::key_or_file;
use crate::failure::Failure;
use crate::{facts, out};

/// The longest receipt, in bytes.
pub const BYTES_MAX: usize = BUNDLE_BYTES_MAX;

/// The operator's key, from a file.
pub fn operator_key(key: &Path) -> Result<OperatorKey, Failure> {
    let text = facts::read(key, KEY_BYTES_MAX)?;
    OperatorKey::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        let what = format!("{} is not an operator's key: {error}", key.display());
        Failure::refused("operator_key", what)
            .next("the operator's own operator.pub, from the operator")
    })
}

/// The same with the keys that came before it and after it, where a file with them was given.
pub fn with_succession(key: OperatorKey, file: Option<&Path>) -> Result<OperatorKey, Failure> {
    let Some(file) = file else { return Ok(key) };
    let read = Succession::parse(&facts::read(file, SUCCESSION_BYTES_MAX)?);
    let line = read.map_err(|error| {
        Failure::refused("succession_form", format!("{}: {error}", file.display()))
            .next("--succession with the operator.succession of that operator, as it gave it")
    })?;
    let pinned = key.key().to_string();
    key.within(line).ok_or_else(|| {
        let what = format!("{} does not have the key {pinned}", file.display());
        Failure::refused("other_operator", what)
            .next("--succession with the one of the operator that --key names")
    })
}

/// What makes a receipt final to whoever asks.
#[derive(Debug)]
pub struct Asked {
    pub witnesses: Vec<WitnessKey>,
    pub needed: usize,
}

impl Asked {
    /// Of keys or files with keys; nothing where no witness is named.
    pub fn read(given: &[String], needed: Option<u8>) -> Result<Option<Self>, Failure> {
        if given.is_empty() {
            return Ok(None);
        }
        let mut witnesses: Vec<WitnessKey> = Vec::new();
        for text in given {
            let key = key_or_file(text)?;
            if witnesses.iter().any(|it| it.key() == key.key()) {
                let what = format!("{} is named twice, or has the key of another", key.name());
                return Err(Failure::usage(what).next("--witness with each of them once"));
            }
            witnesses.push(key);
        }
        let needed = needed.map_or(WITNESSES_DEFAULT, usize::from);
        if needed > witnesses.len() {
            let what = format!("{needed} witnesses are asked for, and {} named", witnesses.len());
            return Err(Failure::usage(what).next(format!(
                "the same command with --witnesses {}, or another --witness",
                witnesses.len()
            )));
        }
        Ok(Some(Self { witnesses, needed }))
    }
}

/// Checks a receipt.
pub fn check(bundle: &[u8], key: &OperatorKey) -> Result<VerifiedReceipt, Failure> {
    symbolon_receipt::verify(bundle, key).map_err(refused)
}

/// Checks a receipt, and shows what it says.
pub fn verify(
    ctx: &Ctx,
    bundle: &[u8],
    key: &OperatorKey,
    asked: Option<&Asked>,
    revoked: &Revocations,
) -> Result<(), Failure> {
    let receipt = check(bundle, key)?;
    let finality = asked.map(|asked| receipt.finality(&asked.witnesses, asked.needed));
    let revoked = revoked.on(receipt.rests_on());
    revoked.expect_seen(finality.as_ref())?;
    let until = key.until(receipt.operator());
    if ctx.json {
        let mut said = as_json(&receipt);
        said["operator"] = receipt.operator().to_string().into();
        if let Some(until) = until {
            said["retired_at"] = until.into();
        }
        if let Some(since) = revoked.since_ms() {
            said["revoked_since"] = rfc3339(since).into();
        }
        if let Some(finality) = &finality {
            said["final"] = finality.is_final().into();
            said["witnesses"] = finality.heard().iter().map(heard_json).collect();
        }
        out::json(&said)?;
    } else {
        show(&receipt)?;
        let is_final = finality.as_ref().is_some_and(Finality::is_final);
        until.map_or(Ok(()), |until| out::text(&retired(until, is_final)))?;
        if let Some(since) = revoked.since_ms() {
            out::text(&format!(
                "revoked     since {}; your witnesses saw it before",
                rfc3339(since)
            ))?;
        }
        finality.iter().try_for_each(show_witnesses)?;
    }
    finality.map_or(Ok(()), |finality| {
        expect_final(
            ctx,
            &finality,
            "symbolon receipts show N --out receipt.json again, by whoever has the receipt",
        )
    })
}

/// Refuses what too few witnesses signed.
pub fn expect_final(ctx: &Ctx, finality: &Finality, again: &str) -> Result<(), Failure> {
    if finality.is_final() {
        return Ok(());
    }
    let (signed, needed) = (finality.signed(), finality.needed());
    let what = format!("the receipt is true, and not final yet: {signed} of {needed} witnesses");
    let failure = Failure::not_final(what).next(again);
    Err(if ctx.json { failure.already_told() } else { failure })
}

pub fn heard_json(heard: &Heard) -> serde_json::Value {
    let name = heard.witness.name();
    match &heard.said {
        Ok(signed) => json!({ "name": name, "signed": true, "at": time(signed) }),
        Err(error) => json!({ "name": name, "signed": false, "reason": error.to_string() }),
    }
}

pub fn show_witnesses(finality: &Finality) -> Result<(), Failure> {
    for heard in finality.heard() {
        let name = heard.witness.name();
        out::text(&match &heard.said {
            Ok(signed) => format!("witness     \u{2713} {name}, {}", time(signed)),
            Err(error) => format!("witness     \u{2717} {error}"),
        })?;
    }
    let (signed, needed) = (finality.signed(), finality.needed());
    let word = if finality.is_final() { "yes" } else { "not yet" };
    out::text(&format!("final       {word}: {signed} of {needed} witnesses"))
}

/// Of a key that others came after.
pub fn retired(until: u64, is_final: bool) -> String {
    let key = format!("key         one of before, which gave way to the next at {until} entries");
    match is_final {
        true => key,
        // No date of the operator's own shows that it was the key of then.
        false => format!(
            "{key}: whoever has it now can sign as of then; your witnesses saw it, or ask for the receipt again"
        ),
    }
}

fn time(signed: &Cosignature) -> String {
    rfc3339(signed.unix_seconds() * 1000)
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
