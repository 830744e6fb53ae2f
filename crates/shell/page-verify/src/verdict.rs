//! Verdicts: what was checked, in its order, and what was wrong.

use serde_json::{Value, json};
use symbolon_authorship::Certificate;
use symbolon_log::Succession;
use symbolon_receipt::OperatorKey;

use crate::{certificate, receipt};

/// Checks a receipt or a certificate of authorship with the operator's key, as `symbolon verify` does; a certificate with a
/// text too, where there is one. With the operator's `succession` any key of the line stands for what was its own.
pub fn verdict(file: &[u8], key: &str, succession: Option<&[u8]>, text: Option<&[u8]>) -> Value {
    let operator = match operator(key, succession) {
        Ok(operator) => operator,
        Err((check, why)) => return refused(&[], check, &why),
    };
    if Certificate::is_one(file) {
        certificate::verdict(file, &operator, text)
    } else {
        receipt::verdict(file, &operator)
    }
}

/// Whether the operator's key in `kept` gave way to the one in `now`: the line has both, and that one after this one.
pub fn gave_way(kept: &str, now: &str, succession: &[u8]) -> bool {
    let place = |text: &str, line: &Succession| {
        let key = OperatorKey::parse(text).ok()?;
        let is_of = key.origin() == Some(line.origin());
        line.place(key.key()).filter(|_| is_of)
    };
    let Ok(line) = Succession::parse(succession) else { return false };
    let (kept, now) = (place(kept, &line), place(now, &line));
    matches!((kept, now), (Some(kept), Some(now)) if kept < now)
}

/// The operator's key, with those before and after it where there are any; or the check that failed, and why.
fn operator(key: &str, succession: Option<&[u8]>) -> Result<OperatorKey, (&'static str, String)> {
    let operator = OperatorKey::parse(key).map_err(|error| ("Key", error.to_string()))?;
    let Some(bytes) = succession else { return Ok(operator) };
    let line = Succession::parse(bytes).map_err(|error| (LINE, error.to_string()))?;
    let other = || (LINE, "the key is none of those in the operator.succession".to_owned());
    operator.within(line).ok_or_else(other)
}

/// What says that a key of before gave way, where it did.
pub(crate) fn named(until: Option<u64>, held: &str) -> String {
    match until {
        None => held.to_owned(),
        Some(until) => {
            format!(
                "It names a key that the operator had until entry {until} of the log: whoever has it now can sign as of then."
            )
        }
    }
}

pub(crate) fn refused(held: &[Value], check: &str, why: &str) -> Value {
    json!({ "verified": false, "checks": held, "failed": said(check, &format!("{why}.")) })
}

pub(crate) fn said(check: &str, what: &str) -> Value {
    json!({ "check": check, "what": what })
}

const LINE: &str = "Succession";
