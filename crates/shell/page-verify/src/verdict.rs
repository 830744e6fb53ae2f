//! Verdicts: what was checked, in its order, and what was wrong.

use serde_json::{Value, json};
use symbolon_authorship::Certificate;
use symbolon_receipt::OperatorKey;

use crate::{certificate, receipt};

/// Checks a receipt or a certificate of authorship with the operator's key, as `symbolon verify` does; a certificate with a
/// text too, where there is one.
pub fn verdict(file: &[u8], key: &str, text: Option<&[u8]>) -> Value {
    // A bare key names no log, so that the checkpoint is looked at before anything was checked.
    let is_bare = key.trim().len() == HEX_KEY_CHARS;
    match OperatorKey::parse(key) {
        Err(error) => refused(&[], "Key", &error.to_string()),
        Ok(operator) if Certificate::is_one(file) => {
            certificate::verdict(file, &operator, is_bare, text)
        }
        Ok(operator) => receipt::verdict(file, &operator, is_bare),
    }
}

pub(crate) fn refused(held: &[Value], check: &str, why: &str) -> Value {
    json!({ "verified": false, "checks": held, "failed": said(check, &format!("{why}.")) })
}

pub(crate) fn said(check: &str, what: &str) -> Value {
    json!({ "check": check, "what": what })
}

const HEX_KEY_CHARS: usize = 64;
