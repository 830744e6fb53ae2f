//! What a statement may hold, and what it may not say at once.

use symbolon_codec::CodecError;

use crate::statement::{ApprovalOutcome, Minted, Outcome, Predicate, Response, media_type};

/// Why a statement was refused. Never carries a field's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the statement is refused: {0}")]
    Json(#[from] CodecError),
    /// Another kind of statement, or another version of this one.
    #[error("this is not a statement of type https://symbolon.dev/receipt/v1")]
    Type,
    /// A field is missing, unknown or of another kind.
    #[error("the statement has not the right form: {0}")]
    Form(String),
    /// A field is too long, has control characters, or is not in its one form.
    #[error("the statement's {0} is out of its bounds")]
    Field(&'static str),
    /// Two fields cannot both be true.
    #[error("the statement contradicts itself: {0}")]
    Contradiction(&'static str),
}

const TEXT_BYTES_MAX: usize = 256;
const PATH_BYTES_MAX: usize = 1024;
const LIST_MAX: usize = 32;
/// Grants from a root to a leaf.
const LINEAGE_MAX: usize = 8;
/// Credentials that one operation mints.
const MADE_MAX: usize = 4;

pub(crate) fn check(p: &Predicate<'_>) -> Result<(), StatementError> {
    fields(p)?;
    contradictions(p)
}

fn fields(p: &Predicate<'_>) -> Result<(), StatementError> {
    let named = [
        ("agent", &p.agent),
        ("context", &p.context),
        ("tool", &p.tool),
        ("service", &p.service),
        ("connection", &p.connection),
        ("method", &p.method),
        ("host", &p.host),
    ];
    for (name, value) in named {
        text(name, value, TEXT_BYTES_MAX)?;
    }
    text("path template", &p.path_template, PATH_BYTES_MAX)?;
    if let Some(code) = &p.error {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        if code.is_empty() || code.len() > 64 || !code.bytes().all(plain) {
            return Err(StatementError::Field("error"));
        }
    }
    if p.decision.gates.len() > LIST_MAX {
        return Err(StatementError::Field("list of gates"));
    }
    for gate in &p.decision.gates {
        text("gate", &gate.gate, TEXT_BYTES_MAX)?;
        text("gate's detail", &gate.detail, TEXT_BYTES_MAX)?;
    }
    if let Some(approval) = &p.approval {
        for word in [&approval.by, &approval.via].into_iter().flatten() {
            text("approval", word, TEXT_BYTES_MAX)?;
        }
    }
    if p.idempotency_key.as_ref().is_some_and(|key| !is_uuid(key)) {
        return Err(StatementError::Field("idempotency key"));
    }
    if p.minted.as_ref().is_some_and(|minted| !is_minted(minted)) {
        return Err(StatementError::Field("minted credentials"));
    }
    if !p.lineage.is_empty() && !is_lineage(&p.lineage) {
        return Err(StatementError::Field("lineage of grants"));
    }
    let Some(response) = &p.response else { return Ok(()) };
    if !(100..1000).contains(&response.status) {
        return Err(StatementError::Field("status"));
    }
    if response.grpc_status.is_some_and(|status| status > 99) {
        return Err(StatementError::Field("gRPC status"));
    }
    if response.redactions.len() > LIST_MAX {
        return Err(StatementError::Field("list of redactions"));
    }
    for redaction in &response.redactions {
        text("redaction's form", &redaction.form, TEXT_BYTES_MAX)?;
    }
    let content_type = &response.content_type;
    // Nothing at all stands for a response without the header.
    if !content_type.is_empty() && media_type(content_type) != *content_type {
        // `other` is what the function itself gives.
        if content_type != "other" {
            return Err(StatementError::Field("content type"));
        }
    }
    Ok(())
}

fn contradictions(p: &Predicate<'_>) -> Result<(), StatementError> {
    approval(p)?;
    let released = p.times.released.is_some();
    let said = match p.decision.outcome {
        Outcome::Refused
            if p.intent.is_some()
                || p.response.is_some()
                || p.request_body.is_some()
                || released =>
        {
            "refused, and yet released"
        }
        Outcome::Allowed | Outcome::Shadowed if p.response.is_none() && p.error.is_none() => {
            "allowed, with neither a response nor an error"
        }
        Outcome::Allowed if p.decision.gates.iter().any(|g| !g.held) => {
            "allowed, though a gate did not hold"
        }
        Outcome::Shadowed if p.decision.gates.iter().all(|g| g.held) => {
            "shadowed, though every gate held"
        }
        _ if p.response.is_some() && !released => "a response, and nothing was released",
        _ if p.request_body.is_some_and(|b| b.bytes > 0) && !released => {
            "a body that left, and nothing was released"
        }
        _ if p.response.as_ref().is_some_and(is_raw_without_type) => {
            "searched raw, and of no media type that could be listed"
        }
        _ if released && p.intent.is_none() => "released without an intent",
        _ if !p.lineage.is_empty() && p.intent.is_none() => "a lineage of grants without an intent",
        _ if p.retries > 0 && p.intent.is_none() => "tried again without an intent",
        _ if p.idempotency_key.is_some() && p.intent.is_none() => "a key without an intent",
        _ if p.minted.is_some() && p.intent.is_none() => "a minted credential without an intent",
        _ if p.minted.as_ref().is_some_and(|m| !m.made.is_empty()) && !released => {
            "a credential was made, and nothing was released"
        }
        _ => return Ok(()),
    };
    Err(StatementError::Contradiction(said))
}

/// Only an answer of a media type that its operation lists is searched raw.
fn is_raw_without_type(response: &Response<'_>) -> bool {
    response.searched.is_some() && matches!(&*response.content_type, "" | "other")
}

/// A call is made on a yes that stood in the log before its intent, or on none at all.
fn approval(p: &Predicate<'_>) -> Result<(), StatementError> {
    let Some(approval) = &p.approval else { return Ok(()) };
    let is_yes =
        matches!(approval.outcome, ApprovalOutcome::Approved | ApprovalOutcome::Remembered);
    let is_whole = approval.by.is_some() && approval.via.is_some() && approval.at.is_some();
    let is_answered = is_yes || approval.outcome == ApprovalOutcome::Denied;
    let said = match (p.decision.outcome, approval.decided) {
        (Outcome::Allowed | Outcome::Shadowed, _) if !is_yes => "allowed, and not approved",
        (_, None) if is_yes => "approved, and the answer is nowhere",
        (_, Some(decided)) if decided <= approval.number => "answered before it was asked",
        (_, Some(decided)) if p.intent.is_some_and(|i| i.index <= decided) => {
            "approved after the intent"
        }
        _ if is_answered && !is_whole => "answered by nobody",
        _ => return Ok(()),
    };
    Err(StatementError::Contradiction(said))
}

/// One at least, each 16 hexadecimal digits, and no more than an operation mints.
fn is_minted(minted: &Minted<'_>) -> bool {
    let is_id =
        |id: &str| id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut all = minted.made.iter().chain(&minted.used);
    minted.made.len() <= MADE_MAX
        && (minted.used.is_some() || !minted.made.is_empty())
        && all.all(|id| is_id(id))
}

/// Two at least. A grant is made after the one that it is under, and has a higher number.
fn is_lineage(grants: &[u64]) -> bool {
    (2..=LINEAGE_MAX).contains(&grants.len())
        && grants[0] > 0
        && grants.windows(2).all(|pair| pair[0] < pair[1])
}

/// A version 4 UUID as RFC 9562 writes it.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            14 => b == b'4',
            19 => b"89ab".contains(&b),
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn text(name: &'static str, value: &str, max: usize) -> Result<(), StatementError> {
    if value.len() > max || value.bytes().any(|b| b < b' ' || b == 0x7f) {
        return Err(StatementError::Field(name));
    }
    Ok(())
}
